"""A box with accounts on both networks."""

import pytest

from chalicelib.accounts.model import Account
from tests.fakes.box import Box
from tests.fakes.stage import Stage


@pytest.fixture
def box(stage: Stage) -> Box:
    return Box.open(stage)


@pytest.fixture
def toots(box: Box) -> Account:
    return box.account("zorza")


@pytest.fixture
def skies(box: Box) -> Account:
    return box.account("zorza.test", "bluesky")
