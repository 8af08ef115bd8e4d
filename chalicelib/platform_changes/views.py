"""Changes, their sources and their rules in the form that callers are shown."""

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import BaseModel

from chalicelib.core.listings import HistoryRow
from chalicelib.platform_changes.model import MOVES, PlatformChange
from chalicelib.platform_changes.rules import Rule
from chalicelib.platform_changes.source_settings import Looked


class SightingOut(BaseModel):
    source: str
    url: str
    seen_at: datetime


class NoteOut(BaseModel):
    by_id: str
    at: datetime
    text: str


class TouchingOut(BaseModel):
    """`surfaces`: the calls of ours, by name; `accounts` and `units`: how many stand behind them."""

    surfaces: list[str]
    accounts: int
    units: int


class ChangeOut(BaseModel):
    """`may_become`: the statuses that can follow, and what each says.

    `classified_by` is `rule:<id>`, `source` or a person's id. `warned` are the days before the effect at
    which people were told; 0 stands for the day that was planned, -1 for "it has taken effect".
    """

    change_id: str
    platform: str
    kind: str
    title: str
    text: str
    seen_at: datetime
    sightings: list[SightingOut]
    status: str
    may_become: dict[str, str]
    effective_on: date | None
    touching: TouchingOut
    operations: list[str]
    fields: list[str]
    versions: list[str]
    classified_by: str
    owner_id: str
    due_on: date | None
    notes: list[NoteOut]
    warned: list[int]
    version: int

    @classmethod
    def of(cls, change: PlatformChange) -> "ChangeOut":
        names = cls.model_fields.keys() - {"may_become", "sightings", "notes", "touching", "kind", "status"}
        return cls(
            **{name: getattr(change, name) for name in names},
            kind=str(change.kind),
            status=str(change.status),
            may_become={str(status): why for status, why in MOVES[change.status].items()},
            sightings=[SightingOut.model_validate(s, from_attributes=True) for s in change.sightings],
            notes=[NoteOut.model_validate(note, from_attributes=True) for note in change.notes],
            touching=TouchingOut.model_validate(change.touching, from_attributes=True),
        )


class ChangesOut(BaseModel):
    changes: list[ChangeOut]
    cursor: str | None


class ChangeWithHistory(BaseModel):
    change: ChangeOut
    history: list[HistoryRow]


class CorrectedOut(BaseModel):
    """`rule` is what it became for the next ones, where that was asked for."""

    change: ChangeOut
    rule: "RuleOut | None" = None


class RuleOut(BaseModel):
    """In the order in which they decide; `made_by` is empty for those that are built in."""

    rule_id: str
    kind: str | None
    ours: bool | None
    words: list[str]
    unless: list[str]
    operation: str
    platform: str
    title: bool
    why: str
    made_by: str
    made_at: datetime | None

    @classmethod
    def of(cls, rule: Rule) -> "RuleOut":
        names = cls.model_fields.keys() - {"kind", "ours"}
        kind = str(rule.kind) if rule.kind else None
        return cls(**{name: getattr(rule, name) for name in names}, kind=kind, ours=rule.is_ours)


class RulesOut(BaseModel):
    rules: list[RuleOut]


class SourceOut(BaseModel):
    """`wrong` is empty for one that works; `known` says where its address is from."""

    key: str
    platform: str
    kind: str
    name: str
    url: str
    page_url: str
    known: str
    every_minutes: int
    off: bool
    version: int
    looked_at: datetime | None
    changed_at: datetime | None
    looks: int
    failing_since: datetime | None
    wrong: str
    people_told_at: datetime | None

    @classmethod
    def of(cls, found: Looked) -> "SourceOut":
        source, state = found.source, found.state
        return cls(
            key=source.key,
            platform=source.platform,
            kind=str(source.kind),
            name=source.name,
            url=source.url,
            page_url=source.page_url,
            known=source.known,
            every_minutes=int(source.every_for.total_seconds() // 60),
            off=found.own.is_off,
            version=found.own.version,
            looked_at=state.looked_at,
            changed_at=state.changed_at,
            looks=state.looks,
            failing_since=state.failing_since,
            wrong=state.failing_why,
            people_told_at=state.told_at,
        )


class SourcesOut(BaseModel):
    sources: list[SourceOut]

    @classmethod
    def of(cls, found: Sequence[Looked]) -> "SourcesOut":
        return cls(sources=[SourceOut.of(one) for one in found])
