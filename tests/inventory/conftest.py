"""A fresh desk for every test."""

import pytest

from tests.fakes.stage import Stage
from tests.inventory.desk import Desk


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk.create(stage)
