"""A briefing: what the platforms changed in a week, what it means for us, and what is to be done by when.

It is kept as it was written, without a reader's language: each reads the same facts in their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.platform_changes.model import Kind, Status
from chalicelib.platform_changes.radar_model import Decision

SOON_FOR = timedelta(days=14)
"""How far ahead a date makes a week one that is not quiet."""


@dataclass(frozen=True)
class Told:
    """One change of a platform, as it stood when the briefing was written.

    `abilities` are what we need the touched calls for, as surfaces name it; `owner` is a name.
    """

    change_id: str
    platform: str
    kind: Kind
    title: str
    text: str
    url: str
    status: Status
    seen_at: datetime
    effective_on: date | None = None
    due_on: date | None = None
    touches: bool = False
    abilities: tuple[str, ...] = ()
    accounts: int = 0
    units: int = 0
    versions: tuple[str, ...] = ()
    owner: str = ""

    @property
    def by_on(self) -> date | None:
        """The day by which something is to be done: our own plan's, else the one on which it takes effect."""
        return self.due_on or self.effective_on


@dataclass(frozen=True)
class Ending:
    """A version that we use and that ends within 90 days, or has; `set_in` is the setting that names it."""

    platform: str
    version: str
    ends_on: date
    accounts: int
    units: int
    newest: str = ""
    set_in: str = ""


@dataclass(frozen=True)
class Down:
    """A platform's outage; None: it lasts."""

    platform: str
    title: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Silent:
    """A source that could not be read for longer than its patience."""

    key: str
    platform: str
    name: str
    url: str
    since: datetime
    why: str


@dataclass(frozen=True)
class OnRadar:
    """A new platform whose evaluation was made this week, or is to be looked at again."""

    prospect_id: str
    name: str
    url: str
    what: str
    decision: Decision
    why: str
    review_on: date | None
    owner: str


class Work(StrEnum):
    """What a thing to do is about."""

    CHANGE = "change"
    VERSION = "version"
    REVIEW = "review"
    SOURCE = "source"


@dataclass(frozen=True)
class Task:
    """Something to do by a day; None: without one."""

    work: Work
    about: Told | Ending | OnRadar | Silent
    on: date | None = None
    owner: str = ""


@dataclass(frozen=True)
class Briefing:
    """What `since` .. `until` brought, written on the day `on` where `zone`, the company's, is.

    `changed` are the changes first seen in it, `open` those that ask something of us. `left_out` counts the
    changes that did not fit. `platform` is set for one that tells of a single platform.
    """

    week: str
    since: datetime
    until: datetime
    written_at: datetime
    on: date
    zone: str
    changed: tuple[Told, ...] = ()
    open: tuple[Told, ...] = ()
    versions: tuple[Ending, ...] = ()
    outages: tuple[Down, ...] = ()
    silent: tuple[Silent, ...] = ()
    radar: tuple[OnRadar, ...] = ()
    left_out: int = 0
    platform: str = ""

    def about(self, platform: str) -> "Briefing":
        """The same for one platform; new ones are no part of it."""
        return replace(
            self,
            platform=platform,
            radar=(),
            changed=tuple(t for t in self.changed if t.platform == platform),
            open=tuple(t for t in self.open if t.platform == platform),
            versions=tuple(e for e in self.versions if e.platform == platform),
            outages=tuple(d for d in self.outages if d.platform == platform),
            silent=tuple(s for s in self.silent if s.platform == platform),
        )

    @property
    def since_on(self) -> date:
        """The day on which it begins, where the company is."""
        from zoneinfo import ZoneInfo

        return self.since.astimezone(ZoneInfo(self.zone)).date()

    @property
    def platforms(self) -> tuple[str, ...]:
        """Those that it tells of, by the alphabet."""
        parts = (self.changed, self.open, self.versions, self.outages, self.silent)
        return tuple(sorted({one.platform for part in parts for one in part}))

    @property
    def touching(self) -> tuple[Told, ...]:
        """What changed and concerns us, the most important first."""
        return tuple(told for told in self.changed if told.touches and told.status != Status.NOT_OURS)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What is to be done, by date; what has none comes last."""
        return tuple(sorted(self._tasks(), key=lambda t: (t.on is None, t.on or date.max)))

    def _tasks(self) -> Iterator[Task]:
        for told in self.open:
            yield Task(Work.CHANGE, told, told.by_on, told.owner)
        known = {(told.platform, version) for told in self.open if told.by_on for version in told.versions}
        for ending in self.versions:
            if (ending.platform, ending.version) not in known:
                yield Task(Work.VERSION, ending, ending.ends_on)
        for seen in self.radar:
            if seen.review_on is not None and seen.review_on <= self.on + SOON_FOR:
                yield Task(Work.REVIEW, seen, seen.review_on, seen.owner)
        for silent in self.silent:
            yield Task(Work.SOURCE, silent)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing concerns us that is new, broken or due within a fortnight."""
        is_due = any(task.on is not None and task.on <= self.on + SOON_FOR for task in self.tasks)
        return not (self.touching or self.outages or self.silent or is_due)
