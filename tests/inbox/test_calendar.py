"""Business time is exact to the second, over split shifts, midnights, holidays and clocks set back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.inbox.calendar import CLOSED_AT_MOST, DAY, Calendar, NeverOpen, Shift

OFFICE = tuple(Shift(day, 9 * 60, 17 * 60) for day in range(5))
WARSAW = Calendar("Europe/Warsaw", OFFICE)
ZONES = ["Europe/Warsaw", "Asia/Tehran", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]


def at(text: str, zone: str = "Europe/Warsaw", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    shifts = []
    for day in range(7):
        for _ in range(draw(st.integers(0, 2))):
            opens = draw(st.integers(0, DAY - 1))
            shifts.append(Shift(day, opens, opens + draw(st.integers(1, DAY))))
    shifts = shifts or [Shift(2, 600, 601)]
    days = st.dates(date(2011, 12, 1), date(2012, 2, 1)) | st.dates(date(2017, 3, 1), date(2017, 4, 1))
    holidays = draw(st.lists(days, max_size=20))
    return Calendar(draw(st.sampled_from(ZONES)), tuple(shifts), tuple(holidays))


# Around the changes of 2017 in all three zones, and the day that Samoa skipped.
starts = st.sampled_from(
    ["2017-03-10", "2017-03-20", "2017-03-24", "2017-09-20", "2017-10-27", "2017-11-03", "2011-12-28"]
).flatmap(
    lambda day: st.integers(0, 5 * 86_400_000).map(
        lambda ms: datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(milliseconds=ms)
    )
)
spans = st.integers(0, 86400) | st.integers(0, 30 * 86400)


@settings(max_examples=300, deadline=None)
@given(calendar=calendars(), start=starts, seconds=spans)
@example(Calendar("Asia/Tehran"), at("2017-03-21T23:30", "Asia/Tehran"), 3600)
@example(Calendar("Pacific/Apia"), at("2011-12-29T23:30", "Pacific/Apia"), 86400)
def test_the_time_between_is_the_time_added(calendar: Calendar, start: datetime, seconds: int) -> None:
    end = calendar.add(start, seconds)

    assert calendar.between(start, end) == seconds
    assert seconds == 0 or calendar.between(start, end - timedelta(milliseconds=1)) == seconds - 1


@settings(max_examples=200, deadline=None)
@given(calendar=calendars(), start=starts, later=spans, seconds=spans, more=spans)
def test_later_starts_and_longer_times_never_end_earlier(
    calendar: Calendar, start: datetime, later: int, seconds: int, more: int
) -> None:
    end = calendar.add(start, seconds)

    assert start <= end <= calendar.add(start, seconds + more)
    assert end <= calendar.add(start + timedelta(seconds=later), seconds)


@settings(max_examples=200, deadline=None)
@given(calendar=calendars(), start=starts, first=spans, second=spans)
def test_a_time_taken_in_two_parts_is_the_same_time(
    calendar: Calendar, start: datetime, first: int, second: int
) -> None:
    middle = calendar.add(start, first)
    assert calendar.add(middle, second) == calendar.add(start, first + second)


@settings(max_examples=200, deadline=None)
@given(zone=st.sampled_from(ZONES), start=starts, seconds=spans)
def test_a_calendar_that_never_closes_counts_every_second(zone: str, start: datetime, seconds: int) -> None:
    assert Calendar(zone).add(start, seconds) == start + timedelta(seconds=seconds)


def test_overlapping_shifts_count_once() -> None:
    twice = Calendar("UTC", (*OFFICE, Shift(0, 8 * 60, 12 * 60), Shift(6, 20 * 60, 34 * 60)))
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    assert twice.between(monday - timedelta(hours=4), monday + timedelta(days=1)) == 21 * 3600


def test_nothing_counts_outside_of_office_hours() -> None:
    friday = at("2026-11-20T16:00")
    assert WARSAW.add(friday, 3600) == at("2026-11-20T17:00")
    assert WARSAW.add(friday, 3601) == at("2026-11-23T09:00:01")
    assert WARSAW.add(at("2026-11-21T12:00"), 60) == at("2026-11-23T09:01")
    assert WARSAW.between(friday, at("2026-11-23T10:00")) == 7200
    assert WARSAW.between(at("2026-11-23T10:00"), friday) == 0


def test_a_split_shift_pauses_at_noon() -> None:
    split = Calendar("Europe/Warsaw", (Shift(0, 9 * 60, 12 * 60), Shift(0, 14 * 60, 18 * 60)))
    assert split.add(at("2026-11-23T11:30"), 3600) == at("2026-11-23T14:30")


def test_a_night_shift_goes_on_over_midnight_and_belongs_to_the_day_it_starts_on() -> None:
    nights = tuple(Shift(day, 22 * 60, 30 * 60) for day in range(7))
    plain = Calendar("Europe/Warsaw", nights)
    assert plain.add(at("2026-12-24T23:00"), 7200) == at("2026-12-25T01:00")
    assert plain.add(at("2026-12-25T05:00"), 7200) == at("2026-12-25T23:00")

    christmas = Calendar("Europe/Warsaw", nights, (date(2026, 12, 25),))
    assert christmas.add(at("2026-12-24T23:00"), 7 * 3600) == at("2026-12-25T06:00")
    assert christmas.add(at("2026-12-25T05:00"), 7200) == at("2026-12-26T23:00")


def test_a_holiday_is_skipped() -> None:
    calendar = Calendar("Europe/Warsaw", OFFICE, (date(2026, 11, 11),))
    assert calendar.add(at("2026-11-10T16:00"), 7200) == at("2026-11-12T10:00")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Warsaw", "2026-03-29", 23),
        ("Europe/Warsaw", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Asia/Tehran", "2017-03-22", 23),  # from midnight to one
        ("Asia/Tehran", "2017-09-21", 25),  # the hour before midnight twice
        ("Asia/Tehran", "2024-03-21", 24),  # no more since 2022
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Pacific/Apia", "2011-12-30", 0),
    ],
)
def test_a_day_has_the_hours_that_it_really_has(zone: str, day: str, hours: float) -> None:
    weekday = date.fromisoformat(day).weekday()
    calendar = Calendar(zone, (Shift(weekday, 0, DAY),))
    start = at(day, zone) - timedelta(days=2)
    assert calendar.between(start, start + timedelta(days=5)) == hours * 3600


@pytest.mark.parametrize(
    ("shift", "opens", "closes"),
    [
        (Shift(6, 150, 360), "2026-03-29T03:00", "2026-03-29T06:00"),  # opens in the hour that is skipped
        (Shift(6, 60, 150), "2026-03-29T01:00", "2026-03-29T03:00"),  # closes in it
        (Shift(6, 130, 170), "2026-03-29T03:00", "2026-03-29T03:00"),  # lies in it, and is no time at all
    ],
)
def test_a_time_that_a_clock_set_forward_skips_is_the_instant_of_the_skip(
    shift: Shift, opens: str, closes: str
) -> None:
    calendar, midnight = Calendar("Europe/Warsaw", (shift,)), at("2026-03-29")
    length = (at(closes) - at(opens)).total_seconds()
    assert calendar.between(midnight, midnight + timedelta(days=1)) == length
    if length:
        assert calendar.add(midnight, 1) == at(opens) + timedelta(seconds=1)
        assert calendar.add(midnight, int(length)) == at(closes)


def test_a_time_that_a_clock_set_back_shows_twice_is_the_first_of_the_two() -> None:
    calendar, midnight = Calendar("Europe/Warsaw", (Shift(6, 150, 360),)), at("2026-10-25")
    assert calendar.add(midnight, 1) == at("2026-10-25T02:30:01")
    assert calendar.between(midnight, midnight + timedelta(days=1)) == 4.5 * 3600


@pytest.mark.parametrize(
    "calendar",
    [
        Calendar(shifts=()),
        Calendar(shifts=(Shift(0, 60, 60),)),
        Calendar(holidays=tuple(date(2026, 11, 1) + timedelta(days=n) for n in range(CLOSED_AT_MOST + 30))),
    ],
)
def test_a_calendar_that_never_opens_is_refused_in_plain_words(calendar: Calendar) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    with pytest.raises(NeverOpen, match="no open hour in the 400 days from 2026-11-23; add hours"):
        calendar.add(now, 1)
    with pytest.raises(NeverOpen):
        calendar.check(now)


def test_holidays_of_later_that_leave_no_hour_are_found_at_once() -> None:
    mondays = tuple(date(2030, 1, 7) + timedelta(weeks=n) for n in range(58))
    now = datetime(2026, 11, 23, tzinfo=UTC)
    Calendar("UTC", (Shift(0, 540, 600),), mondays[:50]).check(now)
    with pytest.raises(NeverOpen):
        Calendar("UTC", (Shift(0, 540, 600),), mondays).check(now)
