"""Business time: when a unit works, and how much of its working time lies between two instants.

Instants are UTC, hours are wall-clock times in the unit's zone. A shift belongs to the day it starts on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from chalicelib.core.errors import SignalboxError

CLOSED_AT_MOST = 400  # days in a row
DAY = 1440  # minutes


class NeverOpen(SignalboxError):
    """The calendar has no open hour for so long that no clock could run by it."""

    status = 400
    code = "never_open"


@dataclass(frozen=True)
class Shift:
    """Hours of one weekday (0 is Monday), in minutes after its midnight; past 1440 is the day after."""

    day: int
    opens: int
    closes: int


EVERY_HOUR = tuple(Shift(day, 0, DAY) for day in range(7))


@dataclass(frozen=True)
class Calendar:
    """A unit's weekly hours in an IANA zone; no shift starts on a holiday. The default never closes.

    Where a clock set forward skips a shift's opening or closing time, it is the instant of the skip; where
    one set back shows it twice, it is the first of the two. So hours that follow on one another still do.
    """

    zone: str = "UTC"
    shifts: tuple[Shift, ...] = EVERY_HOUR
    holidays: tuple[date, ...] = ()

    def add(self, start: datetime, seconds: int) -> datetime:
        """The earliest instant by which so much business time has passed since `start`. Raises NeverOpen."""
        left = timedelta(seconds=seconds)
        if not left:
            return start
        for opens, closes in self._stretches(start):
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
        raise AssertionError("stretches end with NeverOpen only")

    def between(self, start: datetime, end: datetime) -> int:
        """Whole business seconds from `start` to `end`; 0 where it is not later. Raises NeverOpen."""
        spent = timedelta(0)
        if end <= start:
            return 0
        for opens, closes in self._stretches(start):
            if opens >= end:
                break
            spent += min(closes, end) - opens
        return spent // timedelta(seconds=1)

    def check(self, now: datetime) -> None:
        """Raises NeverOpen if work stops for too long, now or at any of the holidays."""
        zone = self._zone
        for start in (now, *(datetime.combine(day, time.min, zone).astimezone(UTC) for day in self.holidays)):
            self.add(start, 1)

    def _stretches(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open times from `start` on, in order and without overlap, for ever."""
        day = start.astimezone(self._zone).date() - timedelta(days=2)  # a shift may run on over midnight
        after, closed = start, -2
        while closed < CLOSED_AT_MOST:
            closed += 1
            for shift in () if day in self._closed_on else self._by_day[day.weekday()]:
                opens, closes = max(self._instant(day, shift.opens), after), self._instant(day, shift.closes)
                if opens < closes:
                    yield opens, closes
                    after, closed = closes, 0
            day += timedelta(days=1)
        raise NeverOpen(
            f"this calendar has no open hour in the {CLOSED_AT_MOST} days from {start.date()}; add hours to "
            "it, or take holidays out"
        )

    def _instant(self, day: date, minutes: int) -> datetime:
        wall = datetime.combine(day, time.min) + timedelta(minutes=minutes)
        at = wall.replace(tzinfo=self._zone).astimezone(UTC)
        if at.astimezone(self._zone).replace(tzinfo=None) == wall:
            return at
        # The time is skipped: with the offset from after the skip it lies before it, and the other way round.
        before, offset = wall.replace(tzinfo=self._zone, fold=1).astimezone(UTC), self._offset(at)
        while at - before > timedelta(seconds=1):
            middle = before + (at - before) // timedelta(seconds=2) * timedelta(seconds=1)
            before, at = (before, middle) if self._offset(middle) == offset else (middle, at)
        return at

    def _offset(self, at: datetime) -> timedelta | None:
        return at.astimezone(self._zone).utcoffset()

    @cached_property
    def _zone(self) -> Any:
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.zone)

    @cached_property
    def _closed_on(self) -> frozenset[date]:
        return frozenset(self.holidays)

    @cached_property
    def _by_day(self) -> tuple[tuple[Shift, ...], ...]:
        in_order = sorted(self.shifts, key=lambda s: s.opens)
        return tuple(tuple(s for s in in_order if s.day == day) for day in range(7))
