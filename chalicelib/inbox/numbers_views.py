"""Numbers as the API shows them; times are in seconds."""

from datetime import date, datetime

from pydantic import BaseModel

from chalicelib.inbox.numbers_report import Report, Totals


class Counts(BaseModel):
    """`percent_in_time` is of what was answered, null while nothing was; `breached` are answers too late."""

    volume: int
    reactions: int
    shares: int
    answered: int
    in_time: int
    breached: int
    resolved: int
    resolved_in_time: int
    percent_in_time: float | None
    percent_resolved_in_time: float | None

    @classmethod
    def of(cls, totals: Totals) -> "Counts":
        return cls(
            volume=totals["volume"],
            reactions=totals["reactions"],
            shares=totals["shares"],
            answered=totals["answered"],
            in_time=totals["in_time"],
            breached=totals["breached"],
            resolved=totals["resolved"],
            resolved_in_time=totals["resolved_in_time"],
            percent_in_time=_percent(totals["in_time"], totals["answered"]),
            percent_resolved_in_time=_percent(totals["resolved_in_time"], totals["resolved"]),
        )


class DayCounts(BaseModel):
    day: date
    counts: Counts


class HourCounts(BaseModel):
    hour: int
    counts: Counts


class UnitCounts(BaseModel):
    unit_id: str
    counts: Counts


class OldestOut(BaseModel):
    conversation_id: str
    waits_since: datetime
    waits_for: int


class NumbersOut(BaseModel):
    """Counts over all the days, by day, by hour of the day and by unit, in each unit's own zone."""

    first: date
    last: date
    unit_id: str | None
    account_id: str | None
    person_id: str | None
    counts: Counts
    days: list[DayCounts]
    hours: list[HourCounts]
    units: list[UnitCounts]
    backlog: int
    oldest: OldestOut | None

    @classmethod
    def of(cls, report: Report) -> "NumbersOut":
        asked, oldest = report.asked, report.oldest
        return cls(
            first=asked.first,
            last=asked.last,
            unit_id=asked.unit_id,
            account_id=asked.account_id,
            person_id=asked.person_id,
            counts=Counts.of(report.totals),
            days=[DayCounts(day=date.fromisoformat(d), counts=Counts.of(t)) for d, t in report.days.items()],
            hours=[HourCounts(hour=h, counts=Counts.of(t)) for h, t in report.hours.items()],
            units=[UnitCounts(unit_id=u, counts=Counts.of(t)) for u, t in sorted(report.units.items())],
            backlog=report.backlog,
            oldest=OldestOut(
                conversation_id=oldest.conversation_id,
                waits_since=oldest.waits_since,
                waits_for=int(oldest.waits_for.total_seconds()),
            )
            if oldest
            else None,
        )


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole > 0 else None
