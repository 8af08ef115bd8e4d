from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock, SystemClock, from_text, to_text

ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001 - Hypothesis adds the zone


@given(INSTANTS, INSTANTS)
def test_stored_times_sort_as_the_instants_do(one: datetime, other: datetime) -> None:
    one, other = (
        at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000) for at in (one, other)
    )
    assert (to_text(one) < to_text(other)) == (one < other)


@given(INSTANTS)
def test_a_stored_time_is_never_in_the_future_of_the_instant(at: datetime) -> None:
    assert timedelta() <= at - from_text(to_text(at)) < timedelta(milliseconds=1)
    assert len(to_text(at)) == len("2026-11-23T12:00:00.000Z")


def test_a_time_without_a_zone_cannot_be_stored() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        to_text(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_sleeping_moves_a_fixed_clock_and_never_back() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.sleep(1.5)
    clock.sleep(-9)
    assert clock.now() == datetime(2026, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)


def test_the_system_clock_is_aware_and_does_not_mind_a_wait_that_is_over() -> None:
    clock = SystemClock()
    clock.sleep(-1)
    assert clock.now().utcoffset() == timedelta()
