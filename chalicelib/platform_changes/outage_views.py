"""Outages and their receipts in the form that callers are shown."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from chalicelib.accounts.outages import Became, Line
from chalicelib.platform_changes.outage_receipts import counts
from chalicelib.platform_changes.outages import Outage


class IncidentOut(BaseModel):
    """`source` is a status page's key, or `person`; `seen_at` is of the last look that named it."""

    source: str
    title: str
    url: str
    began_at: datetime
    seen_at: datetime
    over_at: datetime | None


class OutageOut(BaseModel):
    """`until_at`: when it ends unless it is seen again before, or when it ended."""

    outage_id: str
    platform: str
    title: str
    url: str
    began_at: datetime
    until_at: datetime
    by_id: str
    ended_at: datetime | None
    ended_why: str
    ended_by: str
    incidents: list[IncidentOut]

    @classmethod
    def of(cls, outage: Outage) -> "OutageOut":
        names = cls.model_fields.keys() - {"incidents"}
        shown = IncidentOut.model_fields.keys()
        return cls(
            **{name: getattr(outage, name) for name in names},
            incidents=[IncidentOut(**{n: getattr(p, n) for n in shown}) for p in outage.parts],
        )


class OutagesOut(BaseModel):
    outages: list[OutageOut]
    cursor: str | None


class LineOut(BaseModel):
    """`ref` is a variant's id, or an answer's as `<conversation>~<reply>`; `became` is as it stands now."""

    what: str
    ref: str
    title: str
    account_id: str
    person_id: str
    due_at: datetime
    became: Became
    url: str


class ReceiptOut(BaseModel):
    """What waited for an outage: all of it counted, and a line for each that the caller may read."""

    outage: OutageOut
    counts: dict[Became, int]
    lines: list[LineOut]

    @classmethod
    def of(cls, outage: Outage, lines: Sequence[Line], seen: Sequence[Line]) -> "ReceiptOut":
        shown = [LineOut.model_validate(line, from_attributes=True) for line in seen]
        return cls(outage=OutageOut.of(outage), counts=counts(lines), lines=shown)
