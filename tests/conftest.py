"""What every test stands on: tables from infra/template.yaml in moto, and a clock that is a value."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "signalbox")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")

from chalicelib.core.clock import FixedClock
from chalicelib.core.settings import Settings
from tests.fakes.quick_moto import make_quick
from tests.fakes.stage import Stage

TEMPLATE = Path(__file__).parent.parent / "infra" / "template.yaml"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

# No test fails because the machine is slow.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture(scope="session")
def moto_cloud() -> Iterator[None]:
    from moto import mock_aws

    make_quick()
    with mock_aws():
        yield


@pytest.fixture
def stage(moto_cloud: None, clock: FixedClock) -> Iterator[Stage]:
    """A fresh stage: every table, queue and parameter of infra/template.yaml, and nothing in them."""
    with Stage.lent("t" + uuid.uuid4().hex[:9], TEMPLATE, clock) as made:
        yield made


@pytest.fixture
def settings(stage: Stage) -> Settings:
    return stage.settings
