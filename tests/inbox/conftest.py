"""A box with two accounts that customers write to."""

import pytest

from tests.fakes.box import Box
from tests.fakes.stage import Stage
from tests.inbox.letters import Letterbox


@pytest.fixture
def letterbox(stage: Stage) -> Letterbox:
    return Letterbox.open(Box.open(stage))
