"""A clock that believes AWS more than its own machine."""

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock
from chalicelib.core.cloud import BELIEVED_FOR, AwsClock, Cloud
from tests.conftest import NOON

AWS_NOW = NOON + timedelta(milliseconds=700)


def corrected(off: timedelta) -> AwsClock:
    clock = AwsClock(FixedClock(AWS_NOW + off))
    clock.learn(format_datetime(AWS_NOW, usegmt=True))
    return clock


@given(
    st.timedeltas(timedelta(days=-40), timedelta(days=40)).filter(
        lambda off: abs(off) > BELIEVED_FOR + timedelta(seconds=1)
    )
)
def test_a_wrong_machine_is_corrected_and_never_ahead_of_aws(off: timedelta) -> None:
    assert timedelta() <= AWS_NOW - corrected(off).now() < timedelta(seconds=1)


@given(st.timedeltas(timedelta(seconds=-2), timedelta(seconds=2)))
def test_a_machine_within_seconds_is_believed(off: timedelta) -> None:
    assert corrected(off).now() == AWS_NOW + off


def test_a_machine_that_is_set_right_is_believed_again() -> None:
    machine = FixedClock(AWS_NOW + timedelta(minutes=10))
    clock = AwsClock(machine)
    clock.learn(format_datetime(AWS_NOW, usegmt=True))
    machine.set(AWS_NOW)
    clock.learn(format_datetime(AWS_NOW, usegmt=True))

    assert clock.now() == AWS_NOW


@pytest.mark.parametrize(
    "header", [None, "", "yesterday", "Mon, 99 Foo 2026", "Thu, 01 Jan 1970", "\x00", "0"]
)
def test_a_date_that_cannot_be_read_changes_nothing(header: str | None) -> None:
    clock = AwsClock(FixedClock(NOON))
    clock.learn(header)

    assert abs(clock.now() - NOON) < timedelta(seconds=1) or header == "Thu, 01 Jan 1970"


@given(
    st.text(max_size=40)
    | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{1,5} \d\d:\d\d:\d\d [A-Z+-]\w{1,4}")
)
def test_no_date_header_breaks_the_clock(header: str) -> None:
    clock = AwsClock(FixedClock(NOON))
    clock.learn(header)
    clock.now()


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("dynamodb", "list_tables", {}),
        ("sqs", "list_queues", {}),
        ("ssm", "get_parameters", {"Names": ["a"]}),
        ("s3", "list_buckets", {}),
        ("sesv2", "list_email_identities", {}),
    ],
)
def test_every_client_teaches_the_clock(
    moto_cloud: None, service: str, call: str, arguments: dict[str, Any]
) -> None:
    clock = AwsClock(FixedClock(NOON))  # moto answers with this machine's real date
    getattr(getattr(Cloud(clock), service), call)(**arguments)

    assert clock.now() != NOON, f"{service} says no Date"
