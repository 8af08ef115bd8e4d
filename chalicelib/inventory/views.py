"""What the API answers about inventory rounds."""

from collections.abc import Iterable
from datetime import date, datetime

from pydantic import BaseModel

from chalicelib.inventory.model import Answer, Part, PartState, Round, RoundState
from chalicelib.inventory.report import Report, Told, UnitReport
from chalicelib.org.model import Unit


class Counts(BaseModel):
    """How many accounts have which answer; `unanswered` ones have none."""

    confirmed: int = 0
    corrected: int = 0
    added: int = 0
    disowned: int = 0
    gone: int = 0
    unanswered: int = 0

    @classmethod
    def of(cls, parts: Iterable[Part]) -> "Counts":
        found = list(parts)
        sums = {
            name: sum(getattr(p, name) for p in found) for name in cls.model_fields if name != "unanswered"
        }
        return cls(**sums, unanswered=sum(part.left for part in found))


class RoundView(BaseModel):
    round_id: str
    name: str
    state: RoundState
    due_on: date
    reminders: tuple[int, ...]
    unit_ids: tuple[str, ...]
    outside: int
    started_by: str
    started_at: datetime
    asked_at: datetime | None
    reminded_at: datetime | None
    closes_at: datetime
    closed_at: datetime | None
    closed_by: str | None

    @classmethod
    def of(cls, round_: Round) -> "RoundView":
        return cls.model_validate(round_, from_attributes=True)


class RoundsPage(BaseModel):
    rounds: list[RoundView]
    cursor: str | None


class PartView(BaseModel):
    unit_id: str
    unit: str
    state: PartState
    asked_ids: tuple[str, ...]
    asked_at: datetime
    answered_at: datetime | None
    finished_at: datetime | None
    finished_by: str | None
    escalated_at: datetime | None
    closed_at: datetime | None
    counts: Counts

    @classmethod
    def of(cls, part: Part, unit: Unit) -> "PartView":
        fields = {name: getattr(part, name) for name in cls.model_fields if name not in ("unit", "counts")}
        return cls(**fields, unit=unit.name, counts=Counts.of([part]))


class PartsOut(BaseModel):
    parts: list[PartView]


class RoundOut(BaseModel):
    """A round and, of the units that one may see, how many have finished and what was answered."""

    round: RoundView
    units: int
    finished: int
    counts: Counts

    @classmethod
    def of(cls, round_: Round, parts: list[Part]) -> "RoundOut":
        finished = sum(1 for part in parts if part.state == PartState.FINISHED)
        return cls(round=RoundView.of(round_), units=len(parts), finished=finished, counts=Counts.of(parts))


class ToldView(BaseModel):
    account_id: str
    platform: str
    handle: str
    answer: Answer | None
    by_id: str

    @classmethod
    def of(cls, told: Told) -> "ToldView":
        return cls.model_validate(told, from_attributes=True)


class UnitView(BaseModel):
    """`managers` are the names of those who were asked."""

    unit_id: str
    unit: str
    state: PartState
    managers: tuple[str, ...]
    counts: Counts
    accounts: list[ToldView]

    @classmethod
    def of(cls, one: UnitReport) -> "UnitView":
        accounts = [ToldView.of(told) for told in one.accounts]
        return cls(
            unit_id=one.unit.unit_id, unit=one.unit.name, state=one.part.state, managers=one.managers,
            counts=Counts.of([one.part]), accounts=accounts,
        )  # fmt: skip


class ReportOut(BaseModel):
    round: RoundView
    counts: Counts
    units: list[UnitView]

    @classmethod
    def of(cls, report: Report) -> "ReportOut":
        counts = Counts.of(one.part for one in report.units)
        units = [UnitView.of(one) for one in report.units]
        return cls(round=RoundView.of(report.round_), counts=counts, units=units)
