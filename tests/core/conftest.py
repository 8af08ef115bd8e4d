"""A kernel over the client that production uses, with faults to plan on it."""

from dataclasses import replace

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.core.cloud import AwsClock, Cloud
from chalicelib.core.database import Database
from tests.fakes.aws_faults import AwsFaults
from tests.fakes.stage import Stage


@pytest.fixture
def faults(stage: Stage) -> AwsFaults:
    return AwsFaults(Cloud(AwsClock(FixedClock(stage.clock.now()))).dynamodb)


@pytest.fixture
def shaky(stage: Stage, faults: AwsFaults) -> Stage:
    """The stage through a client whose calls can be made to fail."""
    database = Database(faults.client, stage.settings, sleep=stage.clock.sleep)
    return replace(stage, database=database)
