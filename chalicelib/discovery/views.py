"""What the API answers about finding accounts; reasons are sentences, in English."""

from datetime import datetime

from pydantic import BaseModel

from chalicelib.core.words import Words
from chalicelib.discovery.duplicates import Because, DuplicatePair, Lost
from chalicelib.discovery.model import Candidate, Source, State
from chalicelib.discovery.reasons import Why
from chalicelib.discovery.settings import Settings


class ReasonView(BaseModel):
    why: Why
    counts: int
    says: str


class SnapshotView(BaseModel):
    name: str
    url: str
    description: str
    avatar_url: str
    avatar_hash: str
    followers: int | None
    verified: bool | None
    opened_at: datetime | None
    links: list[str]


class CandidateView(BaseModel):
    candidate_id: str
    account_id: str
    platform: str
    server: str
    handle: str
    external_id: str
    unit_id: str
    like_id: str | None
    score: int
    reasons: list[ReasonView]
    profile: SnapshotView
    sources: list[Source]
    first_seen_at: datetime
    last_seen_at: datetime
    state: State
    decided_at: datetime | None
    decided_by: str
    same_as: str | None
    asked_again: int
    notes: list[str]

    @classmethod
    def of(cls, candidate: Candidate) -> "CandidateView":
        words = Words("en")
        said = [ReasonView(why=r.why, counts=r.counts, says=r.said(words)) for r in candidate.reasons]
        given = {name: getattr(candidate, name) for name in cls.model_fields}
        profile = SnapshotView.model_validate(candidate.profile, from_attributes=True)
        return cls(**{**given, "reasons": said, "profile": profile, "sources": sorted(candidate.sources)})


class CandidatesPage(BaseModel):
    candidates: list[CandidateView]
    cursor: str | None


class SettingsView(BaseModel):
    brands: list[str]
    sites: list[str]
    servers: dict[str, list[str]]
    version: int

    @classmethod
    def of(cls, settings: Settings) -> "SettingsView":
        return cls.model_validate(settings, from_attributes=True)


class ReportsTaken(BaseModel):
    """How many profiles will be looked at, and how many rows named none."""

    taken: int
    without_address: int


class LostView(BaseModel):
    followers: int | None
    last_post_at: datetime | None
    is_verified: bool
    links: list[str]
    opened_at: datetime | None

    @classmethod
    def of(cls, lost: Lost) -> "LostView":
        return cls.model_validate(lost, from_attributes=True)


class DuplicateView(BaseModel):
    keep_id: str
    keep: str
    other_id: str
    other: str
    platform: str
    because: list[Because]
    other_loses: LostView
    keep_loses: LostView

    @classmethod
    def of(cls, pair: DuplicatePair) -> "DuplicateView":
        return cls(
            keep_id=pair.keep.account_id,
            keep=pair.keep.handle,
            other_id=pair.other.account_id,
            other=pair.other.handle,
            platform=pair.keep.platform,
            because=list(pair.because),
            other_loses=LostView.of(pair.other_loses),
            keep_loses=LostView.of(pair.keep_loses),
        )


class DuplicatesPage(BaseModel):
    duplicates: list[DuplicateView]
    cursor: str | None
