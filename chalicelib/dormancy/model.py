"""When an account is quiet, when it is dormant, and what is decided about one that is.

Pure rules. Silence is counted in days on which a post could be expected: planned pauses and the off-season of
a unit do not count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

QUIET_FOR, DORMANT_FOR = 30, 90  # days; the default of issue 4, for every network and unit
LONGEST_FOR = 3 * 366  # days back that are counted one by one; beyond, every account is dormant
REVIEW_FOR = timedelta(days=7)  # that an owner, then a manager, has to decide


class Sign(StrEnum):
    """What the last reads say of an account."""

    ACTIVE = "active"
    QUIET = "quiet"
    DORMANT = "dormant"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Season:
    """Days of each year, both ends included, on which an account is expected to be silent: `MM-DD`.

    One that starts later in the year than it ends goes over New Year.
    """

    starts: str
    ends: str
    why: str = ""

    def covers(self, day: date) -> bool:
        here = f"{day.month:02d}-{day.day:02d}"
        if self.starts <= self.ends:
            return self.starts <= here <= self.ends
        return here >= self.starts or here <= self.ends


@dataclass(frozen=True)
class Pause:
    """Days, both ends included, on which somebody plans not to post."""

    starts_on: date
    ends_on: date
    why: str = ""

    def covers(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on


@dataclass(frozen=True)
class Threshold:
    """Days of silence after which an account is quiet, and after which it is dormant."""

    quiet: int = QUIET_FOR
    dormant: int = DORMANT_FOR


@dataclass(frozen=True)
class Standard:
    """What a unit expects of its accounts; None is what the unit above expects.

    `by_platform` goes before `threshold`, a unit's own before that of the units above.
    """

    threshold: Threshold | None = None
    by_platform: dict[str, Threshold] = field(default_factory=dict)
    seasons: tuple[Season, ...] | None = None
    version: int = 0

    def on(self, platform: str) -> Threshold | None:
        return self.by_platform.get(platform) or self.threshold


@dataclass(frozen=True)
class Expected:
    """The standard that holds for one account."""

    threshold: Threshold = Threshold()
    seasons: tuple[Season, ...] = ()
    pauses: tuple[Pause, ...] = ()


def expected(line: Iterable[Standard], platform: str, pauses: Iterable[Pause]) -> Expected:
    """What holds where a line of standards leads from the company down to the account's own unit."""
    threshold = Threshold()
    seasons: tuple[Season, ...] = ()
    for standard in line:
        threshold = standard.on(platform) or threshold
        seasons = standard.seasons if standard.seasons is not None else seasons
    return Expected(threshold, seasons, tuple(pauses))


def silent_days(since: datetime, now: datetime, standard: Expected) -> int:
    """The days after a time's own, today among them, on which a post could be expected."""
    first, today = since.astimezone(UTC).date() + timedelta(days=1), now.astimezone(UTC).date()
    first = max(first, today - timedelta(days=LONGEST_FOR))
    excused: tuple[Season | Pause, ...] = (*standard.seasons, *standard.pauses)
    days = range((today - first).days + 1)
    expected_on = (first + timedelta(days=n) for n in days)
    return sum(1 for day in expected_on if not any(one.covers(day) for one in excused))


def sign_of(last_post_at: datetime | None, since: datetime, now: datetime, standard: Expected) -> Sign:
    """What the silence of a readable account means; `since` is when it came to us, for one that never posted.

    An account that was connected yesterday had no time to be dormant, whatever it did before us.
    """
    days = silent_days(last_post_at if last_post_at is not None else since, now, standard)
    if days >= standard.threshold.dormant:
        return Sign.DORMANT
    return Sign.QUIET if days >= standard.threshold.quiet else Sign.ACTIVE


# What is decided about a dormant account


class Choice(StrEnum):
    KEEP = "keep"
    HAND_OVER = "hand_over"
    MERGE = "merge"
    RETIRE = "retire"


class Stage(StrEnum):
    """Who has a review now."""

    OWNER = "owner"
    MANAGER = "manager"
    LEAD = "lead"
    RETIRING = "retiring"  # decided, and its checklist is being done
    CLOSED = "closed"


NEXT: Mapping[Stage, Stage] = {Stage.OWNER: Stage.MANAGER, Stage.MANAGER: Stage.LEAD}
"""Who has it when somebody does not decide; the lead is asked again."""

ASKED = (Stage.OWNER, Stage.MANAGER, Stage.LEAD)


class Step(StrEnum):
    """What makes a retirement complete, in the order in which it is done."""

    NOTICE = "notice"
    REDIRECT = "redirect"
    HANDLE = "handle"
    ACCESS = "access"
    CREDENTIALS = "credentials"


@dataclass(frozen=True)
class Done:
    """A step of a retirement and its proof: an address, a number, the name of who confirmed it."""

    step: Step
    proof: str
    by_id: str
    at: datetime


@dataclass(frozen=True)
class Review:
    """One look at a dormant account: since when it is silent, who is asked, what they decided.

    `plan_on` is until when a kept account is to post again; `to_id` is its new owner, `into_id` the account
    that its people are led to.
    """

    account_id: str
    unit_id: str
    opened_at: datetime
    silent_since: datetime
    stage: Stage
    asked_ids: tuple[str, ...]
    asked_at: datetime
    choice: Choice | None = None
    why: str = ""
    plan_on: date | None = None
    to_id: str | None = None
    into_id: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    done: tuple[Done, ...] = ()
    closed_at: datetime | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        return self.stage in ASKED

    @property
    def left(self) -> tuple[Step, ...]:
        """The steps of the retirement that nobody has proven yet."""
        proven = {one.step for one in self.done}
        return tuple(step for step in Step if step not in proven)

    def passed_up(self, asked_ids: Iterable[str], now: datetime) -> "Review":
        """The same review with whoever is next."""
        to = NEXT.get(self.stage, Stage.LEAD)
        return replace(self, stage=to, asked_ids=tuple(asked_ids), asked_at=now, version=self.version + 1)
