"""While a platform has an outage its work waits: nothing is tried, looked for, counted against it or lost.

In the table `accounts`:

pk            sk                  what
outages       standing            each platform's latest outage; one row, read before the platform is known
outage#<id>   waited#<entry id>   an entry that has waited for it, written before it is given back
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Read, Write
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import where
from chalicelib.core.records import from_item, to_item
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later

TABLE = "accounts"
# What waits looks again at a moment of its own within this: so all of it resumes in two minutes, and spread.
LOOKS_AGAIN_AFTER = (timedelta(seconds=60), timedelta(seconds=120))
_STANDING = {"pk": "outages", "sk": "standing"}


@dataclass(frozen=True)
class Pause:
    """Why a platform's work waits. It is over at `until_at`, which moves while the outage is seen again."""

    outage_id: str
    title: str
    url: str
    began_at: datetime
    until_at: datetime


@dataclass(frozen=True)
class Pauses:
    """Each platform's latest pause, over or not."""

    by_platform: dict[str, Pause] = field(default_factory=dict)
    version: int = 0

    def on(self, platform: str, now: datetime) -> Pause | None:
        """What the platform's work waits for now."""
        pause = self.by_platform.get(platform)
        return pause if pause is not None and now < pause.until_at else None

    def tried_since(self, platform: str, since: datetime) -> datetime:
        """Since when something could be tried there: from `since` on, or from the end of a later outage."""
        pause = self.by_platform.get(platform)
        return since if pause is None else max(since, pause.until_at)

    def write(self, platform: str, pause: Pause) -> Write:
        """The row with this as the platform's pause; refused if another was written since it was read."""
        after = Pauses({**self.by_platform, platform: pause}, self.version + 1)
        seen = where("attribute_not_exists(pk)")
        if self.version:
            seen = where("version = :seen", seen=self.version)
        meanwhile = PausesMoved("an outage began or ended just now; look again")
        return Write("Put", TABLE, {**to_item(after), **_STANDING}, when=seen, otherwise=meanwhile)


class PausesMoved(Conflict):
    """Another outage began, went on or ended since the row was read; look again."""


@dataclass(frozen=True)
class Wait:
    """A road's look: nothing is tried for this account before the outage of its platform is over."""

    pause: Pause
    account_id: str


@dataclass(frozen=True)
class Waited:
    """An entry that has waited for an outage, since `at`; `kind` and `ref` are the entry's."""

    kind: str
    ref: str
    account_id: str
    at: datetime


class Became(StrEnum):
    """What has become of something that waited."""

    WAITS = "waits"
    OUT = "out"
    LATE = "late"
    UNKNOWN = "unknown"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Line:
    """What waits, or waited: `what` is a post (one account's part of it) or an answer.

    `person_id` wrote it. `title` is empty for an answer: whom it is for is the inbox's to show.
    """

    what: str
    ref: str
    title: str
    account_id: str
    person_id: str
    due_at: datetime
    became: Became = Became.WAITS
    url: str = ""


def pauses_read() -> Read[Pauses]:
    """Every platform's pause, to be read together with other rows."""
    return Read(TABLE, _STANDING, lambda item: from_item(Pauses, item) if item else Pauses())


def read_pauses(database: Database) -> Pauses:
    """Every platform's pause, strongly consistent."""
    return database.read(pauses_read())


def give_back(database: Database, claim: Claim, wait: Wait, now: datetime) -> Later:
    """How a claimed entry waits: noted once for the receipt, its tries and looks as they were."""
    entry, outage_id = claim.entry, wait.pause.outage_id
    if entry.args.get("outage") != outage_id:
        database.update(
            TABLE,
            {"pk": f"outage#{outage_id}", "sk": f"waited#{entry.entry_id}"},
            where(
                "SET kind = :k, ref = :r, account_id = :a, at = if_not_exists(at, :n)",
                k=entry.kind, r=entry.ref, a=wait.account_id, n=to_text(now),
            ),
        )  # fmt: skip
    shortest, longest = (t.total_seconds() for t in LOOKS_AGAIN_AFTER)
    again_after = random.uniform(shortest, longest)  # nosec B311 - no secret
    return Later(now + timedelta(seconds=again_after), {**entry.args, "outage": outage_id})


def waited_for(database: Database, outage_id: str) -> list[Waited]:
    """Everything that has waited for an outage, in the order of entries."""
    key = where("pk = :p AND begins_with(sk, :w)", p=f"outage#{outage_id}", w="waited#")
    return [from_item(Waited, item) for item in database.query_all(TABLE, key)]
