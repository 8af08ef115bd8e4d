"""What the API answers about silent accounts."""

from datetime import date, datetime

from pydantic import BaseModel

from chalicelib.dormancy.model import Choice, Expected, Review, Sign, Stage, Step
from chalicelib.dormancy.standards import UnitStandard
from chalicelib.dormancy.store import Pauses, Watch


class ThresholdView(BaseModel):
    quiet: int
    dormant: int


class SeasonView(BaseModel):
    starts: str
    ends: str
    why: str


class PauseView(BaseModel):
    starts_on: date
    ends_on: date
    why: str


class ExpectedView(BaseModel):
    threshold: ThresholdView
    seasons: list[SeasonView]

    @classmethod
    def of(cls, expected: Expected) -> "ExpectedView":
        return cls.model_validate(expected, from_attributes=True)


class OwnStandard(BaseModel):
    threshold: ThresholdView | None
    by_platform: dict[str, ThresholdView]
    seasons: list[SeasonView] | None
    version: int


class StandardView(BaseModel):
    """What the unit sets itself, what holds there, and what holds there on networks that somebody named."""

    unit_id: str
    own: OwnStandard
    holds: ExpectedView
    by_platform: dict[str, ExpectedView]

    @classmethod
    def of(cls, found: UnitStandard) -> "StandardView":
        return cls.model_validate(found, from_attributes=True)


class PausesView(BaseModel):
    pauses: list[PauseView]
    version: int

    @classmethod
    def of(cls, pauses: Pauses) -> "PausesView":
        return cls.model_validate(pauses, from_attributes=True)


class SilentAccount(BaseModel):
    """`since` is when the reads began to say so."""

    account_id: str
    unit_id: str
    sign: Sign
    since: datetime


class SilentPage(BaseModel):
    accounts: list[SilentAccount]
    cursor: str | None

    @classmethod
    def of(cls, found: list[Watch], cursor: str | None) -> "SilentPage":
        accounts = [SilentAccount.model_validate(watch, from_attributes=True) for watch in found]
        return cls(accounts=accounts, cursor=cursor)


class DoneView(BaseModel):
    step: Step
    proof: str
    by_id: str
    at: datetime


class ReviewView(BaseModel):
    """`left` are the steps of a retirement that nobody has proven yet."""

    account_id: str
    unit_id: str
    opened_at: datetime
    silent_since: datetime
    stage: Stage
    asked_ids: list[str]
    asked_at: datetime
    choice: Choice | None
    why: str
    plan_on: date | None
    to_id: str | None
    into_id: str | None
    decided_by: str | None
    decided_at: datetime | None
    done: list[DoneView]
    left: list[Step]
    closed_at: datetime | None

    @classmethod
    def of(cls, review: Review) -> "ReviewView":
        return cls.model_validate(review, from_attributes=True)


class ReviewsPage(BaseModel):
    reviews: list[ReviewView]
    cursor: str | None
