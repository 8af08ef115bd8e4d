"""When a network lets us come back, and what of its own words is shown."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock
from chalicelib.platforms.calls import Calls, plain, time_of, web_address
from chalicelib.platforms.errors import RateLimited
from tests.fakes.transport import FakeTransport, client, reply
from tests.platforms.support import NOW


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({"Retry-After": "90"}, NOW + timedelta(seconds=90)),
        ({"Retry-After": "90", "RateLimit-Reset": "1795435500"}, NOW + timedelta(seconds=90)),
        ({"RateLimit-Reset": str(int(NOW.timestamp()) + 300)}, NOW + timedelta(minutes=5)),
        (
            {"X-RateLimit-Reset": "2026-11-22T12:07:00.123456Z"},
            NOW + timedelta(minutes=7, microseconds=123456),
        ),
        ({"X-RateLimit-Reset": "2026-11-22T12:07:00"}, NOW + timedelta(minutes=7)),
        ({}, NOW + timedelta(minutes=5)),
        ({"Retry-After": "soon", "RateLimit-Reset": "later"}, NOW + timedelta(minutes=5)),
        ({"Retry-After": "0"}, NOW + timedelta(seconds=2)),
        ({"RateLimit-Reset": "1"}, NOW + timedelta(seconds=2)),
        ({"RateLimit-Reset": "9" * 30}, NOW + timedelta(minutes=5)),
        ({"Retry-After": "9999999"}, NOW + timedelta(days=1)),
    ],
)
def test_a_rate_limit_ends_when_the_headers_say_within_reason(
    headers: dict[str, str], until: datetime
) -> None:
    clock = FixedClock(NOW)
    calls = Calls(client(clock, FakeTransport([])), clock, "Net", {}, lambda answer: ("", ""))
    refused = calls.refusal(reply(429, headers=headers))
    assert isinstance(refused, RateLimited)
    assert refused.until == until


def test_a_networks_words_are_one_short_line() -> None:
    assert plain(" Too\n\x00long.\t") == "Too long."
    assert len(plain("x" * 10_000)) == 200
    assert plain({"not": "text"}) == ""


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "data:text/html,x", "https://a b", '"https://a"', "", None, 5]
)
def test_an_address_that_a_browser_should_not_open_is_left_out(value: object) -> None:
    assert web_address(value) == ""


def test_a_web_address_is_kept() -> None:
    assert web_address("https://social.example/@żółw/1") == "https://social.example/@żółw/1"


def test_times_and_days_are_read_and_everything_else_is_none() -> None:
    assert time_of("2026-11-20") == datetime(2026, 11, 20, tzinfo=UTC)
    assert time_of("2026-11-22T13:00:00+01:00") == NOW
    assert [time_of(value) for value in ("", "yesterday-ish", "1795435500", None, 5, "9999-99-99")] == [
        None
    ] * 6


@given(st.text() | st.integers() | st.none())
def test_reading_a_time_raises_nothing(value: object) -> None:
    at = time_of(value)
    assert at is None or at.tzinfo is not None
