"""Whatever must happen at a time is an entry here: publish, remind, expire, reconcile.

The life of an entry, and what stands in the sparse `due` index (partition `<lane>#<shard>`, sort `due_at`):

    add ------> due_at = its time              in the index
    claim ----> due_at = end of the lease      in the index: a dead worker's entry is simply due again
    finish ---> no due_shard                   out of the index, kept 30 days for looking up
    retry ----> due_at = now + back-off        in the index
    park -----> due_shard = parked#<lane>      counted, alarmed, re-runnable by `requeue`

A tick therefore costs what is due, never what is queued.
"""

import random
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.core.clock import Clock, from_text, to_text
from chalicelib.core.database import ConditionFailed, Database, Item, Write
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import Expression, where
from chalicelib.core.records import from_item, to_item

SHARDS = 8
MAX_FAILURES = 8
KEPT_FOR = timedelta(days=30)
_FIRST_BACK_OFF_FOR = timedelta(seconds=10)
_LONGEST_BACK_OFF_FOR = timedelta(hours=1)


class Lane(StrEnum):
    PUBLISH = "publish"
    CHORES = "chores"


@dataclass(frozen=True)
class Entry:
    """One thing to do at a time. `entry_id` is deterministic, so that the same work is never queued twice."""

    entry_id: str
    lane: Lane
    kind: str
    ref: str
    due_at: datetime
    args: dict[str, str] = field(default_factory=dict)
    fence: int = 0  # how often it was claimed; grows for ever
    releases: int = 0  # how often a claim was given back properly
    failures: int = 0
    owner: str | None = None
    last_error: str | None = None
    parked_at: datetime | None = None
    done_at: datetime | None = None
    starts_at: datetime | None = None  # what it was due at when it was claimed

    @property
    def crashes(self) -> int:
        """Claims before this one that nobody gave back: workers that died."""
        return max(0, self.fence - 1 - self.releases)


@dataclass(frozen=True)
class Claim:
    """The right to work on an entry until `lease_until`, proven by `owner`.

    It may be given shortly before the entry is due (`Worker.ahead_for`): what must not happen before its time
    waits for `entry.starts_at`.
    """

    entry: Entry
    owner: str
    lease_until: datetime

    def time(self, clock: Clock) -> datetime:
        """Now, or the entry's time while that is still to come."""
        now = clock.now()
        return max(now, self.entry.starts_at or now)

    def wait(self, clock: Clock) -> None:
        """Until it is the entry's time; at once if it is."""
        early_for = self.time(clock) - clock.now()
        if early_for > timedelta():
            clock.sleep(early_for.total_seconds())


@dataclass(frozen=True)
class NotClaimed:
    """Why a claim failed: `gone` (done, cancelled or parked), `taken`, or `early` with the time it is due."""

    why: str
    due_at: datetime | None = None


def due_shard(entry: Entry) -> str:
    return f"{entry.lane}#{zlib.crc32(entry.entry_id.encode()) % SHARDS}"


class Timetable:
    """Claims and reads; the writes that belong to a change are made as `Write`s for its transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Writes for a change's transaction

    def add(self, entry: Entry) -> Write:
        """Put the entry on the timetable, replacing one of the same id."""
        item = {**to_item(entry), "due_shard": due_shard(entry)}
        return Write("Put", "timetable", item)

    def cancel(self, entry_id: str, now: datetime) -> Write:
        """Take an entry off the timetable, claimed or not; a claim on it can no longer finish."""
        update = where(
            "SET done_at = :n, expires_at = :x REMOVE due_shard, owner, lease_until",
            n=to_text(now),
            x=int((now + KEPT_FOR).timestamp()),
        )
        return Write("Update", "timetable", {"entry_id": entry_id}, update=update)

    def finish(self, claim: Claim, now: datetime) -> Write:
        """Mark the entry done; fails if the claim was lost meanwhile."""
        return Write(
            "Update",
            "timetable",
            {"entry_id": claim.entry.entry_id},
            when=where("owner = :o", o=claim.owner),
            update=where(
                "SET done_at = :n, expires_at = :x REMOVE due_shard, owner, lease_until",
                n=to_text(now),
                x=int((now + KEPT_FOR).timestamp()),
            ),
            otherwise=Conflict("the claim was lost to another worker"),
        )

    def still_mine(self, claim: Claim, now: datetime) -> Write:
        """A check that the claim still stands and its lease has not ended."""
        return Write(
            "ConditionCheck",
            "timetable",
            {"entry_id": claim.entry.entry_id},
            when=where("owner = :o AND lease_until > :n", o=claim.owner, n=to_text(now)),
            otherwise=Conflict("the claim was lost to another worker"),
        )

    # Single writes

    def claim(
        self, entry_id: str, now: datetime, lease_for: timedelta, ahead_for: timedelta = timedelta()
    ) -> Claim | NotClaimed:
        """Take an entry that is due, or will be after `ahead_for`, until the lease ends.

        The owner is new for each attempt: a Lambda retry reuses its request id, and with a shared owner two
        deliveries could both recognise the write as their own.
        """
        owner = uuid.uuid4().hex
        until = now + lease_for
        try:
            item = self._database.update(
                "timetable",
                {"entry_id": entry_id},
                where(
                    "SET owner = :o, lease_until = :l, starts_at = due_at, due_at = :l ADD fence :one",
                    o=owner,
                    l=to_text(until),
                    one=1,
                ),
                # A lease counts to its very end: only what nobody holds is taken ahead of its time.
                where("attribute_exists(due_shard) AND NOT begins_with(due_shard, :p) AND "
                      "(due_at <= :n OR (due_at <= :s AND attribute_not_exists(owner)))",
                      n=to_text(now), s=to_text(now + ahead_for), p="parked#"),
            )  # fmt: skip
        except ConditionFailed as refusal:
            old = refusal.old
            if old is not None and old.get("owner") == owner:
                item = old
            else:
                return _why_not(old, now)
        return Claim(from_item(Entry, item), owner, from_text(item["lease_until"]))

    def release(self, claim: Claim, due_at: datetime, args: dict[str, str] | None = None) -> None:
        """Give the claim back to be due again at a time of its own; this is not a failure.

        Raises ConditionFailed if the claim was lost.
        """
        self._give_back(claim, due_at, 0, None, args)

    def retry(self, claim: Claim, error: str, now: datetime) -> datetime | None:
        """Give the claim back after a failure: due again after a back-off, or parked after too many.

        Returns when it is due again, or None if it was parked. Raises ConditionFailed if the claim was lost.
        """
        failures = claim.entry.failures + 1
        if failures + claim.entry.crashes >= MAX_FAILURES:
            self.park(claim, error, now)
            return None
        due_at = now + back_off(failures)
        self._give_back(claim, due_at, 1, error, None)
        return due_at

    def park(self, claim: Claim, error: str, now: datetime) -> None:
        """Take the entry out of the tick's sight, visible to `parked`. Raises ConditionFailed if lost."""
        self._if_mine(
            claim,
            where(
                "SET due_shard = :p, parked_at = :n, due_at = :n, last_error = :e "
                "REMOVE owner, lease_until ADD failures :one, releases :one",
                p=f"parked#{claim.entry.lane}",
                n=to_text(now),
                e=error,
                one=1,
            ),
        )

    def requeue(self, entry_id: str, now: datetime) -> Write:
        """Put a parked entry back on the timetable, due now, with a clean slate; refused if not parked."""
        entry = self.get(entry_id)
        return Write(
            "Update",
            "timetable",
            {"entry_id": entry_id},
            when=where("attribute_exists(parked_at) AND begins_with(due_shard, :p)", p="parked#"),
            update=where(
                "SET due_shard = :s, due_at = :n, failures = :zero, releases = fence REMOVE parked_at",
                s=due_shard(entry),
                n=to_text(now),
                zero=0,
            ),
            otherwise=Conflict(f"{entry_id} is not parked"),
        )

    # Reads

    def get(self, entry_id: str) -> Entry:
        """The entry, done or not. Raises NotFound."""
        item = self._database.get("timetable", {"entry_id": entry_id})
        if item is None or "kind" not in item:  # cancelled before it was ever scheduled
            raise NotFound(f"there is no entry {entry_id}")
        return from_item(Entry, item)

    def due(self, lane: Lane, until: datetime) -> Iterator[tuple[str, datetime]]:
        """(entry id, due time) of what is due by `until`, a shard at a time."""
        for shard in range(SHARDS):
            key = where("due_shard = :s AND due_at <= :u", s=f"{lane}#{shard}", u=to_text(until))
            for item in self._database.query_all("timetable", key, index="due"):
                yield item["entry_id"], from_text(item["due_at"])

    def parked(self) -> list[Entry]:
        """Every parked entry, in both lanes."""
        found: list[Entry] = []
        for lane in Lane:
            key = where("due_shard = :s", s=f"parked#{lane}")
            ids = [i["entry_id"] for i in self._database.query_all("timetable", key, index="due")]
            items = self._database.get_many("timetable", [{"entry_id": i} for i in ids])
            found += [from_item(Entry, i) for i in items if "parked_at" in i]
        return found

    def count_parked(self) -> int:
        """How many entries stand parked, in both lanes."""
        shards = [where("due_shard = :s", s=f"parked#{lane}") for lane in Lane]
        return sum(1 for key in shards for _ in self._database.query_all("timetable", key, index="due"))

    def _give_back(
        self, claim: Claim, due_at: datetime, failures: int, error: str | None, args: dict[str, str] | None
    ) -> None:
        values: dict[str, Any] = {"d": to_text(due_at), "one": 1, "f": failures}
        sets = "due_at = :d"
        if error is not None:
            sets, values["e"] = sets + ", last_error = :e", error
        if args is not None:
            sets, values["a"] = sets + ", args = :a", args
        self._if_mine(
            claim, where(f"SET {sets} REMOVE owner, lease_until ADD releases :one, failures :f", **values)
        )

    def _if_mine(self, claim: Claim, update: Expression) -> None:
        """Update the claimed entry so that the claim ends. Raises ConditionFailed if it was lost before."""
        try:
            self._database.update(
                "timetable", {"entry_id": claim.entry.entry_id}, update, where("owner = :o", o=claim.owner)
            )
        except ConditionFailed as refusal:
            # The fence only grows: an entry that is still on it, and nobody's, was given back by this very
            # write, whose answer was lost and which botocore sent again.
            old = refusal.old or {}
            if old.get("fence") != claim.entry.fence or "owner" in old or "due_shard" not in old:
                raise


def back_off(failures: int) -> timedelta:
    """How long to wait after the n-th failure: doubling from ten seconds to an hour, with full jitter."""
    longest = min(_LONGEST_BACK_OFF_FOR, _FIRST_BACK_OFF_FOR * 2 ** (failures - 1))
    jitter = random.uniform(0.5, 1.0)  # nosec B311 - no secret
    wait_for: timedelta = longest * jitter
    return wait_for


def _why_not(old: Item | None, now: datetime) -> NotClaimed:
    if old is None or "due_shard" not in old or old["due_shard"].startswith("parked#"):
        return NotClaimed("gone")
    if old.get("owner"):
        # Due again when the lease ends: a wake-up in its last second waits for that.
        return NotClaimed("taken", from_text(old["due_at"]))
    return NotClaimed("early", from_text(old["due_at"]))
