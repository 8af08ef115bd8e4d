"""Numbers as the API is asked for them and shows them; times are in seconds."""

from datetime import date, datetime, timedelta

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.core.listings import Day
from chalicelib.inbox.forms import Id
from chalicelib.inbox.numbers_report import Asked, Report, Totals

MOST_DAYS = 92
USUAL_DAYS = 7


class NumbersQuery(BaseModel):
    """Of an account, or of a person, a unit and all below it, or the one in the other; else of everything."""

    unit: Id | None = Field(None, description="And all below it.")
    person: Id | None = Field(None, description="With a unit, their numbers in it.")
    account: Id | None = Field(None, description="Without a unit or a person.")
    last: Day | None = Field(None, alias="to", description="The last day; today without it.")
    first: Day | None = Field(
        None, alias="from", description=f"The first day, of {MOST_DAYS} at most; {USUAL_DAYS} without it."
    )

    @field_validator("account")
    @classmethod
    def _alone(cls, account: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("unit") or info.data.get("person"):
            raise ValueError("stands alone; leave out unit and person")
        return account

    def asked(self, today: date) -> Asked:
        """Raises InvalidInput for days that are too many, or the wrong way round."""
        last = self.last or today
        first = self.first or last - timedelta(days=USUAL_DAYS - 1)
        problem = ""
        if first > last:
            problem = f"is after {last}; give the first day, and in `to` the last"
        elif (last - first).days >= MOST_DAYS:
            problem = f"asks for more than {MOST_DAYS} days; ask for them in parts"
        if problem:
            raise InvalidInput([Problem("from", problem)])
        return Asked(first, last, self.unit, self.account, self.person)


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
