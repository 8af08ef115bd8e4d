"""Weeks from Monday 07:00 to Monday 07:00, wherever the company is."""

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.platform_changes import briefing_weeks as weeks

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = st.sampled_from((files("tzdata") / "zones").read_text(encoding="ascii").split())
DAYS = st.dates(date(2020, 1, 1), date(2090, 12, 31))
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=25_000)).map(
    lambda since: datetime(2020, 1, 1, tzinfo=UTC) + since
)


@given(DAYS)
@example(date(2027, 1, 3))  # a Sunday of 2026-W53
@example(date(2024, 12, 30))  # a Monday of 2025-W01
def test_a_weeks_name_leads_to_its_monday_and_back(day: date) -> None:
    monday = weeks.monday_of(weeks.week_of(day))
    assert monday.weekday() == 0
    assert timedelta(0) <= day - monday < weeks.WEEK
    assert weeks.week_of(monday) == weeks.week_of(day)


@given(DAYS)
def test_names_sort_as_their_weeks_follow_each_other(day: date) -> None:
    week = weeks.week_of(day)
    assert weeks.before(week) < week < weeks.after(week)
    assert weeks.after(weeks.before(week)) == week


@given(DAYS, ZONES)
@example(date(2026, 3, 30), "Europe/Warsaw")
@example(date(2026, 10, 26), "America/New_York")
def test_a_briefing_is_written_at_seven_on_a_monday_as_clocks_there_show_it(day: date, zone: str) -> None:
    there = weeks.written_at(weeks.week_of(day), zone).astimezone(ZoneInfo(zone))
    assert (there.weekday(), there.hour, there.minute) == (0, 7, 0)


@given(MOMENTS, ZONES)
@example(datetime(2026, 3, 30, 4, 59, 59, tzinfo=UTC), "Europe/Warsaw")  # a second before, in summer time
@example(datetime(2026, 3, 30, 5, tzinfo=UTC), "Europe/Warsaw")
@example(datetime(2026, 10, 26, 5, 59, 59, tzinfo=UTC), "Europe/Warsaw")
def test_every_moment_is_in_one_week_and_weeks_leave_no_gap(now: datetime, zone: str) -> None:
    week = weeks.latest(now, zone)
    begun, ends = weeks.written_at(week, zone), weeks.written_at(weeks.after(week), zone)
    assert begun <= now < ends
    assert abs(ends - begun - weeks.WEEK) <= DAY


def test_the_week_in_which_clocks_change_is_an_hour_shorter_or_longer() -> None:
    def lasts(week: str, zone: str) -> timedelta:
        return weeks.written_at(weeks.after(week), zone) - weeks.written_at(week, zone)

    assert lasts("2026-W13", "Europe/Warsaw") == weeks.WEEK - HOUR
    assert lasts("2026-W43", "Europe/Warsaw") == weeks.WEEK + HOUR
    assert lasts("2026-W13", "Asia/Tehran") == weeks.WEEK
    assert lasts("2026-W13", "Australia/Lord_Howe") == weeks.WEEK
    assert lasts("2026-W14", "Australia/Lord_Howe") == weeks.WEEK + HOUR / 2


@pytest.mark.parametrize(
    "text", ["", "2026-W00", "2026-W54", "2025-W53", "2026-48", "２０２６-W48", "2026-W48\n", "0000-W01"]
)
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        weeks.monday_of(text)
