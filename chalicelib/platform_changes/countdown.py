"""When people are told again of a change that has a date, until it is done. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.platform_changes.model import WARNED_BEFORE, Kind, PlatformChange, Status

DUE = 0
"""The mark of the day by which its owner wanted to have it done; the others are days before the effect."""
ENDED = -1
"""Stands among the marks that people were told of once they were told that its day has come."""
TOLD_AT = time(6, tzinfo=UTC)  # the mail is there when Europe begins to work


def next_mark(change: PlatformChange, today: date) -> tuple[datetime, int] | None:
    """When people are told next, and the mark; in the past where that was missed. None: not any more.

    Of several marks that have passed only the most urgent is left.
    """
    if not counts_down(change):
        return None
    marks = [(_at(change, mark), mark) for mark in _marks(change, today) if mark not in change.warned]
    passed = [found for found in marks if found[0].date() <= today]
    return max(passed) if passed else min(marks, default=None)


def counts_down(change: PlatformChange) -> bool:
    """Something stops or changes for us on a day, or somebody has said that it is for us to do."""
    if not change.is_open:
        return False
    if change.status in (Status.TRIAGED, Status.PLANNED):
        return True
    return change.touching.accounts > 0 and change.kind not in (Kind.NEW, Kind.OUTAGE)


def has_come(change: PlatformChange, today: date) -> bool:
    """Whether the day on which it takes effect is here, or behind us."""
    return change.effective_on is not None and change.effective_on <= today


def told_by(change: PlatformChange, today: date) -> tuple[int, ...]:
    """The marks that count as told once people were told today: those that have passed."""
    ended = {ENDED} if has_come(change, today) else set[int]()
    passed = [mark for mark in _marks(change, today) if _at(change, mark).date() <= today]
    return tuple(sorted({*change.warned, *passed, *ended}))


def _marks(change: PlatformChange, today: date) -> Iterable[int]:
    if change.effective_on is not None and today <= change.effective_on:
        yield from (before_for.days for before_for in WARNED_BEFORE)
    if change.status == Status.PLANNED and change.due_on is not None:
        yield DUE


def _at(change: PlatformChange, mark: int) -> datetime:
    day = change.due_on if mark == DUE else change.effective_on
    assert day is not None, "a mark has a day"
    return datetime.combine(day, TOLD_AT) - timedelta(days=mark)
