"""A kernel over the client that production uses, with faults to plan on it; and what was logged."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core import log as logs
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


class Lines:
    """What the application logged since, line by line."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    made = logging.getLogger("chalicelib")
    formatter = logs.logger().handlers[0].formatter
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    level = made.level
    made.addHandler(handler)
    made.setLevel(logging.INFO)
    yield Lines(stream)
    made.removeHandler(handler)
    made.setLevel(level)
