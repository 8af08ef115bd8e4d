"""Is our audience there: what comes back from an account for the work that goes into it, and what to do then.

Pure rules. Response is what people write to an account, reach how often they react to it or pass it on: what
networks tell us of people. Both are taken for an hour of work and for a thousand followers, and compared with
the median of our own accounts on the same platform. Nobody else's numbers are known here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from itertools import groupby
from statistics import median
from typing import Self

from chalicelib.core.words import mark

# Below these, chance says more than the account does.
LEAST_WEEKS, LEAST_POSTS, LEAST_FOLLOWERS, LEAST_PEERS = 4, 4, 20, 5
ENOUGH = 1 / 3  # of a standing that is 1/2 at the median: half of what is usual


class Verdict(StrEnum):
    WORTH_IT = "worth_it"
    REACH_ONLY = "reach_without_response"
    RESPONSE_ONLY = "response_without_reach"
    NEITHER = "neither"
    TOO_EARLY = "too_early"
    TOO_FEW = "too_few_to_compare"
    UNREADABLE = "unreadable"


class Trouble(StrEnum):
    """Why nobody sees what comes back to an account."""

    NOT_CONNECTED = "not_connected"
    CANNOT_BE_READ = "cannot_be_read"


@dataclass(frozen=True)
class Facts:
    """What was counted of one account in whole weeks; `hours` is the work of all of them.

    `followers_before` is as of the first of the weeks. `is_posted_past_us`: the network has posts of this
    time, and none of them went out from here.
    """

    account_id: str
    platform: str
    unit_id: str
    handle: str
    weeks: int = 0
    posts: int = 0
    answered: int = 0
    response: int = 0
    reach: int = 0
    followers: int | None = None
    followers_before: int | None = None
    hours: float = 0.0
    trouble: Trouble | None = None
    is_posted_past_us: bool = False

    @property
    def hours_a_week(self) -> float:
        return self.hours / self.weeks if self.weeks else 0.0

    @property
    def growth(self) -> int | None:
        """Followers won, or lost below zero."""
        if self.followers is None or self.followers_before is None:
            return None
        return self.followers - self.followers_before


@dataclass(frozen=True)
class Rates:
    """What comes back for an hour of work, and in a week from a thousand followers."""

    response_per_hour: float
    response_per_1000: float
    reach_per_hour: float
    reach_per_1000: float


@dataclass(frozen=True)
class Sentence:
    """A message of the catalogue and what fills its places; numbers are still numbers."""

    message: str
    values: Mapping[str, str | float]


@dataclass(frozen=True)
class Assessment:
    """What we make of an account; `score` is from 0 to 100, 50 at the medians, and None without a comparison.

    `usual` holds the medians. `rank` counts from 1 among those it was ranked with; equals share one.
    `better_id` is the account that its work should go to.
    """

    facts: Facts
    verdict: Verdict
    sentences: tuple[Sentence, ...]
    rates: Rates | None = None
    usual: "Usual | None" = None
    score: float | None = None
    rank: int | None = None
    better_id: str | None = None

    @property
    def place(self) -> str:
        """Sorts as the ranking does: the best score first, equals by id, and last what has no score."""
        before = 9999 if self.score is None else 1000 - round(self.score * 10)
        return f"{before:04d}#{self.facts.account_id}"


def assess(facts: Iterable[Facts]) -> list[Assessment]:
    """Every account, ranked; the facts are of all accounts that may be compared, each once.

    At equal work and followers, more response or reach never gives a lower score or rank.
    """
    given = list(facts)
    peers: dict[str, list[Facts]] = defaultdict(list)
    for one in given:
        if _doubt(one) is None:
            peers[one.platform].append(one)
    usual = {platform: Usual.of(peers[platform]) for platform in {one.platform for one in given}}
    judged = [_judged(one, usual[one.platform]) for one in given]
    worth_it: dict[str, list[Assessment]] = defaultdict(list)
    for assessed in judged:
        if assessed.verdict == Verdict.WORTH_IT:
            worth_it[assessed.facts.unit_id].append(assessed)
    return ranked(_advised(one, worth_it[one.facts.unit_id]) for one in judged)


def ranked(assessments: Iterable[Assessment]) -> list[Assessment]:
    """The same in the order of the ranking, with their ranks in it."""
    found: list[Assessment] = []
    in_order = sorted(assessments, key=lambda one: one.place)
    for score, equals in groupby(in_order, key=lambda one: one.score):
        rank = None if score is None else len(found) + 1
        found += [replace(one, rank=rank) for one in equals]
    return found


@dataclass(frozen=True)
class Usual:
    """What can be expected of an account on one platform, by so many of ours.

    `is_reach_told`: some networks tell of messages alone.
    """

    peers: int
    rates: Rates
    is_heard: bool
    is_reach_told: bool

    @classmethod
    def of(cls, peers: Sequence[Facts]) -> Self:
        rates = [_rates(one) for one in peers] or [Rates(0, 0, 0, 0)]
        middle = (median(getattr(one, field.name) for one in rates) for field in fields(Rates))
        is_reach_told = any(one.reach for one in peers)
        return cls(len(peers), Rates(*middle), is_reach_told or any(f.response for f in peers), is_reach_told)


def _rates(facts: Facts) -> Rates:
    thousands = (facts.followers or 0) * facts.weeks / 1000
    return Rates(
        facts.response / facts.hours,
        facts.response / thousands,
        facts.reach / facts.hours,
        facts.reach / thousands,
    )


def _judged(facts: Facts, usual: Usual) -> Assessment:
    """An account by itself. One in trouble now is still a measure for others, by what was counted before."""
    account = {"account": facts.handle}
    if facts.trouble is not None:
        return Assessment(facts, Verdict.UNREADABLE, (Sentence(_TROUBLES[facts.trouble], account),))
    if (doubt := _doubt(facts)) is not None:
        return doubt
    platform: dict[str, str | float] = {**account, "platform": facts.platform}
    if usual.peers < LEAST_PEERS:
        values = {**platform, "peers": usual.peers, "needed": LEAST_PEERS}
        return Assessment(facts, Verdict.TOO_FEW, (Sentence(_TOO_FEW, values),))
    if not usual.is_heard:
        return Assessment(facts, Verdict.UNREADABLE, (Sentence(_UNHEARD, platform),))
    rates = _rates(facts)
    response = _standing(rates.response_per_hour, usual.rates.response_per_hour)
    response = (response + _standing(rates.response_per_1000, usual.rates.response_per_1000)) / 2
    reach = _standing(rates.reach_per_hour, usual.rates.reach_per_hour)
    reach = (reach + _standing(rates.reach_per_1000, usual.rates.reach_per_1000)) / 2
    if not usual.is_reach_told:
        reach = response
    verdict = _VERDICTS[response >= ENOUGH, reach >= ENOUGH]
    score = round(50 * (response + reach), 1)
    return Assessment(facts, verdict, (_measured(rates, usual),), rates, usual, score)


_VERDICTS: Mapping[tuple[bool, bool], Verdict] = {
    (True, True): Verdict.WORTH_IT,
    (False, True): Verdict.REACH_ONLY,
    (True, False): Verdict.RESPONSE_ONLY,
    (False, False): Verdict.NEITHER,
}


def _standing(rate: float, usual: float) -> float:
    """From 0 for nothing, over 1/2 for what is usual, towards 1."""
    return rate / (rate + usual) if rate else 0.0


def _doubt(facts: Facts) -> Assessment | None:
    """Why an account's own numbers say nothing yet; None if they do. What comes back is no part of it."""
    verdict, values = Verdict.TOO_EARLY, dict[str, str | float]()
    if facts.weeks < LEAST_WEEKS:
        message, values = _EARLY, {"weeks": facts.weeks, "needed": LEAST_WEEKS}
    elif facts.posts == 0 and facts.is_posted_past_us:
        message = _PAST_US
    elif facts.posts < LEAST_POSTS:
        message, values = _SELDOM, {"posts": facts.posts, "needed": LEAST_POSTS}
    elif facts.followers is None:
        verdict, message = Verdict.UNREADABLE, _FOLLOWERS_UNTOLD
    elif facts.followers < LEAST_FOLLOWERS:
        message, values = _FEW_FOLLOWERS, {"followers": facts.followers, "needed": LEAST_FOLLOWERS}
    else:
        return None
    return Assessment(facts, verdict, (Sentence(message, {"account": facts.handle, **values}),))


# What to do


def _advised(one: Assessment, worth_it: Sequence[Assessment]) -> Assessment:
    """With what to do in front of what was measured; `worth_it` are the accounts of its unit that are."""
    if one.rates is None:
        return one
    values: dict[str, str | float] = {"account": one.facts.handle, "hours": one.facts.hours_a_week}
    message, better = _ADVICE[one.verdict], None
    if one.verdict == Verdict.NEITHER and (better := _better(one, worth_it)) is not None:
        message, values["better"] = _MOVE, better.handle
    better_id = better.account_id if better else None
    return replace(one, sentences=(Sentence(message, values), *one.sentences), better_id=better_id)


def _better(one: Assessment, worth_it: Iterable[Assessment]) -> Facts | None:
    """The best account of its unit, if an hour of work there brings more response."""
    better = [other for other in worth_it if _per_hour(other) > _per_hour(one)]
    return min(better, key=lambda other: other.place).facts if better else None


def _per_hour(one: Assessment) -> float:
    return one.rates.response_per_hour if one.rates else 0.0


def _measured(rates: Rates, usual: Usual) -> Sentence:
    values = {"response": rates.response_per_hour, "usual_response": usual.rates.response_per_hour}
    if not usual.is_reach_told:
        return Sentence(_MEASURED_RESPONSE, values)
    reach = {"reach": rates.reach_per_hour, "usual_reach": usual.rates.reach_per_hour}
    return Sentence(_MEASURED, {**values, **reach})


_ADVICE: Mapping[Verdict, str] = {
    Verdict.WORTH_IT: mark("Our audience is at %(account)s: go on there."),
    Verdict.REACH_ONLY: mark(
        "What %(account)s posts is passed on, but few people write: ask them something, and answer whoever "
        "does."
    ),
    Verdict.RESPONSE_ONLY: mark(
        "People write to %(account)s, but hardly anybody passes its posts on: keep answering there, and "
        "spend less of its %(hours)s h a week on new posts."
    ),
    Verdict.NEITHER: mark(
        "Little comes back to %(account)s, and no account of its unit is clearly better: decide what its "
        "%(hours)s h a week are for, or retire it."
    ),
}
_MOVE = mark(
    "Little comes back to %(account)s: move its %(hours)s h a week to %(better)s, where an hour of work "
    "brings more."
)
_MEASURED = mark(
    "For an hour of work come back: messages %(response)s (usual here: %(usual_response)s), reactions and "
    "shares %(reach)s (usual here: %(usual_reach)s)."
)
_MEASURED_RESPONSE = mark(
    "For an hour of work come back: messages %(response)s (usual here: %(usual_response)s); reactions and "
    "shares are not told here."
)
_EARLY = mark(
    "It is too early to tell for %(account)s (weeks counted: %(weeks)s; needed: %(needed)s). Look again "
    "later."
)
_PAST_US = mark(
    "%(account)s gets its posts by another way, so nobody knows what they cost. Publish there from here for "
    "some weeks, then look again."
)
_SELDOM = mark(
    "There is too little to tell for %(account)s (posts: %(posts)s; needed: %(needed)s). Post there for some "
    "weeks, or ask whether anybody needs it."
)
_FEW_FOLLOWERS = mark(
    "There is too little to tell for %(account)s (followers: %(followers)s; needed: %(needed)s). Tell people "
    "that it is there, then look again."
)
_FOLLOWERS_UNTOLD = mark(
    "Nobody says how many followers %(account)s has, so it cannot be compared. See in the register "
    "whether it can be read."
)
_TOO_FEW = mark(
    "On %(platform)s there is too little to compare %(account)s with (accounts of ours: %(peers)s; needed: "
    "%(needed)s). Judge it by its own numbers."
)
_UNHEARD = mark(
    "Nothing was heard from any account on %(platform)s, so what comes back to %(account)s cannot be seen "
    "here. Look there yourself before you decide."
)
_TROUBLES: Mapping[Trouble, str] = {
    Trouble.NOT_CONNECTED: mark(
        "%(account)s is not connected, so nobody sees what comes back. Connect it, then look again."
    ),
    Trouble.CANNOT_BE_READ: mark(
        "%(account)s cannot be read at present. Connect it again, or see what its platform asks for."
    ),
}
