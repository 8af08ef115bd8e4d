"""Weeks of briefings: from Monday 07:00 to the next, as clocks show it where the company is.

A week's name is ISO 8601's, `2026-W48`, of the Monday on which its briefing is written: it tells of the seven
days before.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WRITTEN_AT = time(7)
WEEK = timedelta(days=7)


def week_of(day: date) -> str:
    """The name of a day's week."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def monday_of(week: str) -> date:
    """The first day of a week, by its name. Raises ValueError for what is no week."""
    if not re.fullmatch(r"[0-9]{4}-W[0-9]{2}", week, re.ASCII):
        raise ValueError("must be a week like 2026-W48")
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def written_at(week: str, zone: str) -> datetime:
    """When a week's briefing is written where `zone` (IANA) is, in UTC.

    A clock that skips 07:00 on that day shows the hour after it. Raises ValueError for what is no week.
    """
    return datetime.combine(monday_of(week), WRITTEN_AT, ZoneInfo(zone)).astimezone(UTC)


def latest(now: datetime, zone: str) -> str:
    """The week whose briefing is the latest that was due by `now`."""
    week = week_of(now.astimezone(ZoneInfo(zone)).date())
    return week if written_at(week, zone) <= now else before(week)


def after(week: str) -> str:
    return week_of(monday_of(week) + WEEK)


def before(week: str) -> str:
    return week_of(monday_of(week) - WEEK)
