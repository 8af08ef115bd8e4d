"""An office with nobody but its lead and an author."""

import pytest

from tests.approvals.office import Office
from tests.fakes.stage import Stage


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office.create(stage)
