"""What changes at a platform, where we learned it, and what becomes of it.

A source is read into findings; a finding becomes a change, or joins the one that says the same. Which status
may follow which is one table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.core.errors import Conflict
from chalicelib.core.words import mark

WARNED_BEFORE = tuple(timedelta(days=d) for d in (90, 30, 7, 1))
"""How long before a version ends, or a change takes effect, people are told; largest first."""


class Kind(StrEnum):
    """What a change is, the most urgent first."""

    BREAKING = "breaking"
    OUTAGE = "outage"
    DEPRECATION = "deprecation"
    LIMIT = "limit"
    POLICY = "policy"
    METRIC = "metric"
    NEW = "new"


class Status(StrEnum):
    NEW = "new"
    TRIAGED = "triaged"
    PLANNED = "planned"
    DONE = "done"
    NOT_OURS = "not_ours"


OPEN = frozenset({Status.NEW, Status.TRIAGED, Status.PLANNED})
MOVES: Mapping[Status, Mapping[Status, str]] = {
    Status.NEW: {
        Status.TRIAGED: mark("Somebody has looked at it and it concerns us."),
        Status.PLANNED: mark("Somebody does what it asks for, by a day."),
        Status.DONE: mark("What it asks for is done, or there was nothing to do."),
        Status.NOT_OURS: mark("It does not concern us."),
    },
    Status.TRIAGED: {
        Status.PLANNED: mark("Somebody does what it asks for, by a day."),
        Status.DONE: mark("What it asks for is done, or there was nothing to do."),
        Status.NOT_OURS: mark("It does not concern us."),
    },
    Status.PLANNED: {
        Status.PLANNED: mark("Somebody else does it, or by another day."),
        Status.TRIAGED: mark("The plan was dropped; it still concerns us."),
        Status.DONE: mark("What it asks for is done."),
        Status.NOT_OURS: mark("It does not concern us."),
    },
    Status.DONE: {Status.TRIAGED: mark("It was not done after all, or came back.")},
    Status.NOT_OURS: {Status.TRIAGED: mark("It does concern us.")},
}


@dataclass(frozen=True)
class Finding:
    """What one look at one source says that the look before did not.

    `key` is the same whenever the source says the same, so that nothing is found twice. `at` is when the
    source says that it was published, `effective_on` when it takes effect. `hint` is what the source itself
    says of its kind. `operations` are calls as surfaces name them ("POST /2/tweets"), `fields` names of what
    they take or answer, `versions` API versions that it names. `is_exact`: they are all that it is about, as
    a specification's difference has them; the names in a text are also examples.
    """

    key: str
    title: str
    text: str = ""
    url: str = ""
    at: datetime | None = None
    effective_on: date | None = None
    hint: Kind | None = None
    operations: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    is_exact: bool = False


@dataclass(frozen=True)
class Sighting:
    """Where a change was seen; `source` is a source's key, or `signal` for our own traffic."""

    source: str
    finding: str
    url: str
    seen_at: datetime


@dataclass(frozen=True)
class Touching:
    """What of ours a change concerns: `surfaces` by name, and how many accounts and units are behind them."""

    surfaces: tuple[str, ...] = ()
    accounts: int = 0
    units: int = 0

    def __bool__(self) -> bool:
        return bool(self.surfaces)


@dataclass(frozen=True)
class Note:
    by_id: str
    at: datetime
    text: str


@dataclass(frozen=True)
class PlatformChange:
    """One change of one platform, from however many sources.

    `classified_by` is `rule:<id>`, `source` or a person's id; `touching_by` the person who said what it
    touches, empty while that is counted; `dated_by` who said when it takes effect. `due_on` is by when its
    owner has done what it asks. `warned` are the days before its effect at which people were told.
    """

    change_id: str
    platform: str
    kind: Kind
    title: str
    text: str
    seen_at: datetime
    sightings: tuple[Sighting, ...]
    status: Status = Status.NEW
    effective_on: date | None = None
    touching: Touching = Touching()
    operations: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    classified_by: str = "source"
    owner_id: str = ""
    due_on: date | None = None
    notes: tuple[Note, ...] = ()
    warned: tuple[int, ...] = ()
    touching_by: str = ""
    dated_by: str = ""
    version: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_urgent(self) -> bool:
        """Whether people are told at once, and not first by the weekly briefing."""
        return self.is_open and bool(self.touching) and self.kind in (Kind.BREAKING, Kind.DEPRECATION)

    def moved(self, to: Status, **fields: object) -> "PlatformChange":
        """The change in another status. Raises Conflict for a move that is not in MOVES."""
        if to not in MOVES[self.status]:
            raise Conflict(f"a change that is {self.status} cannot become {to}")
        return replace(self, status=to, **fields)  # type: ignore[arg-type]


class SourceKind(StrEnum):
    FEED = "feed"  # RSS or Atom
    STATUS = "status"  # Statuspage's summary.json
    SPEC = "spec"  # OpenAPI, or Google's discovery document
    VERSIONS = "versions"  # a table of versions and their ends
    PAGE = "page"  # a page of text, HTML or Markdown
    RELEASES = "releases"  # of a package whose versions follow a platform's
    SERVER = "server"  # what a server of a federated network says of itself


@dataclass(frozen=True)
class Source:
    """One place where a platform tells of its changes.

    `patience_for`: how long it may fail before people are told. `known` says where its address is from, as
    takedowns/channels.json does: `page`, `third_party` or `memory`. `options` are its kind's own.
    """

    key: str
    platform: str
    kind: SourceKind
    name: str
    url: str
    every_for: timedelta
    patience_for: timedelta
    page_url: str = ""
    known: str = "page"
    options: Mapping[str, str] | None = None


@dataclass(frozen=True)
class SourceState:
    """What we know of a source since its last look; `snapshot` is where its last content is kept.

    `failing_since` is of the first of the failures that have not ended; `told_at` when people heard of them.
    `kept_at` is when the snapshot was written.
    """

    key: str
    looked_at: datetime | None = None
    changed_at: datetime | None = None
    etag: str = ""
    modified: str = ""
    digest: str = ""
    snapshot: str = ""
    failing_since: datetime | None = None
    failing_why: str = ""
    told_at: datetime | None = None
    looks: int = 0
    kept_at: datetime | None = None
    version: int = 0
