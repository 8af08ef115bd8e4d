"""What the API answers about our audience."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from chalicelib.analytics.audience import Assessment, Trouble, Verdict
from chalicelib.analytics.effort import EXPLAINED
from chalicelib.analytics.service import UnitEffort
from chalicelib.analytics.wording import sentence_of
from chalicelib.core.words import Words


class RatesView(BaseModel):
    """For an hour of work, and in a week from a thousand followers."""

    response_per_hour: float
    response_per_1000: float
    reach_per_hour: float
    reach_per_1000: float


class AssessmentView(BaseModel):
    """`score` is 50 at `usual`, the medians of our accounts on the platform; `sentence` says what to do.

    Counts are of `weeks` whole weeks. `response` are messages of others, `reach` reactions and shares.
    """

    account_id: str
    platform: str
    unit_id: str
    handle: str
    rank: int | None
    score: float | None
    verdict: Verdict
    sentence: str
    better_id: str | None
    weeks: int
    posts: int
    answered: int
    response: int
    reach: int
    followers: int | None
    growth: int | None
    hours: float
    trouble: Trouble | None
    rates: RatesView | None
    usual: RatesView | None
    peers: int | None

    @classmethod
    def of(cls, one: Assessment, words: Words) -> "AssessmentView":
        facts = one.facts
        return cls(
            account_id=facts.account_id,
            platform=facts.platform,
            unit_id=facts.unit_id,
            handle=facts.handle,
            rank=one.rank,
            score=one.score,
            verdict=one.verdict,
            sentence=sentence_of(one, words),
            better_id=one.better_id,
            weeks=facts.weeks,
            posts=facts.posts,
            answered=facts.answered,
            response=facts.response,
            reach=facts.reach,
            followers=facts.followers,
            growth=facts.growth,
            hours=round(facts.hours, 2),
            trouble=facts.trouble,
            rates=_rates(one.rates),
            usual=_rates(one.usual.rates) if one.usual else None,
            peers=one.usual.peers if one.usual else None,
        )


class AudiencePage(BaseModel):
    accounts: list[AssessmentView]
    cursor: str | None

    @classmethod
    def of(cls, found: Iterable[Assessment], words: Words, cursor: str | None) -> "AudiencePage":
        return cls(accounts=[AssessmentView.of(one, words) for one in found], cursor=cursor)


class OwnEffort(BaseModel):
    post_minutes: int | None
    answer_minutes: int | None
    upkeep_minutes: int | None
    version: int


class EffortOut(BaseModel):
    post_minutes: int
    answer_minutes: int
    upkeep_minutes: int


class EffortView(BaseModel):
    """What the unit sets itself, what holds there, and what each number is for."""

    unit_id: str
    own: OwnEffort
    holds: EffortOut
    explained: Mapping[str, str] = EXPLAINED

    @classmethod
    def of(cls, found: UnitEffort) -> "EffortView":
        return cls.model_validate(found, from_attributes=True)


def as_csv(found: Iterable[Assessment], words: Words) -> str:
    """The assessments as a table; a rate has a column of its own, and what is not known is empty."""
    from chalicelib.core.csv_text import to_csv

    rows = [_flat(AssessmentView.of(one, words)) for one in found]
    return to_csv(COLUMNS, rows)


_NESTED = ("rates", "usual")
COLUMNS = (
    *(name for name in AssessmentView.model_fields if name not in _NESTED),
    *RatesView.model_fields,
    *(f"usual_{name}" for name in RatesView.model_fields),
)


def _flat(view: AssessmentView) -> dict[str, str]:
    said = view.model_dump(mode="json")
    rates, usual = (said.pop(name) or {} for name in _NESTED)
    cells = {**said, **rates, **{f"usual_{name}": value for name, value in usual.items()}}
    return {name: "" if cells.get(name) is None else str(cells[name]) for name in COLUMNS}


def _rates(found: object) -> RatesView | None:
    if found is None:
        return None
    view = RatesView.model_validate(found, from_attributes=True)
    return RatesView(**{name: round(value, 3) for name, value in view})
