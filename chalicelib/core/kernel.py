"""One change, one transaction: the item, its history rows and the timetable entries it causes.

    change = kernel.change(by)
    change.put("posts", item, when=...)
    change.record(f"post#{post_id}", "submitted")
    change.emit("PostPublished", post_id)
    kernel.commit(change)

After the commit, work due before the next tick is also sent to its queue (the nudge), best effort: the
tick would find it anyway.
"""

import logging
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.core.database import Database, Item, TransactionRefused, Write
from chalicelib.core.errors import Conflict, SignalboxError
from chalicelib.core.expressions import Expression
from chalicelib.core.history import By, row_item
from chalicelib.core.ids import new_id
from chalicelib.core.queues import Queues
from chalicelib.core.timetable import Entry, Lane, Timetable

MAX_WRITES = 100  # DynamoDB's limit on one transaction
NUDGE_FOR = timedelta(seconds=75)  # a tick's minute, and some: a late tick must not make a post late

log = logging.getLogger(__name__)

Subscriptions = Mapping[str, tuple[str, ...]]


class Change:
    """The writes of one state change, by one person, at one time."""

    def __init__(self, by: By, now: datetime, timetable: Timetable, subscriptions: Subscriptions) -> None:
        self.by = by
        self.now = now
        self.change_id = new_id("c", now)
        self.writes: list[Write] = []
        self.entries: list[Entry] = []
        self._timetable = timetable
        self._subscriptions = subscriptions
        self._rows: list[Item] = []

    def put(
        self,
        table: str,
        item: Item,
        when: Expression | None = None,
        otherwise: SignalboxError | None = None,
    ) -> None:
        self.writes.append(Write("Put", table, item, when=when, otherwise=otherwise))

    def update(
        self,
        table: str,
        key: Item,
        update: Expression,
        when: Expression | None = None,
        otherwise: SignalboxError | None = None,
    ) -> None:
        self.writes.append(Write("Update", table, key, when=when, update=update, otherwise=otherwise))

    def delete(
        self,
        table: str,
        key: Item,
        when: Expression | None = None,
        otherwise: SignalboxError | None = None,
    ) -> None:
        self.writes.append(Write("Delete", table, key, when=when, otherwise=otherwise))

    def check(self, table: str, key: Item, when: Expression, otherwise: SignalboxError | None = None) -> None:
        """Refuse the whole change unless the condition holds at the moment of the commit."""
        self.writes.append(Write("ConditionCheck", table, key, when=when, otherwise=otherwise))

    def add(self, write: Write) -> None:
        """Join a write that another part of the kernel made (a claim's finish, a link's spending)."""
        self.writes.append(write)

    def record(self, subject: str, what: str, why: str | None = None, **details: Any) -> None:
        """Add a history row; every change has at least one."""
        row_id = f"{self.change_id}{len(self._rows):02d}"  # rows of one change sort as they were recorded
        self._rows.append(row_item(subject, self.by, what, why, details, self.now, row_id))

    def schedule(self, entry: Entry) -> None:
        """Put an entry on the timetable with this change."""
        self.entries.append(entry)
        self.writes.append(self._timetable.add(entry))

    def unschedule(self, entry_id: str) -> None:
        """Take an entry off the timetable with this change."""
        self.writes.append(self._timetable.cancel(entry_id, self.now))

    def chore(self, kind: str, ref: str, due_at: datetime | None = None, key: str = "", **args: str) -> None:
        """Schedule a chore; `key` makes its id deterministic, else it belongs to this change alone."""
        entry_id = f"{kind}#{key}" if key else f"{kind}#{self.change_id}{len(self.entries)}"
        self.schedule(Entry(entry_id, Lane.CHORES, kind, ref, due_at or self.now, args=args))

    def emit(self, event: str, ref: str, **args: str) -> None:
        """Say that something happened: each subscribed chore joins this transaction.

        Raises KeyError for an event that subscriptions.py does not know.
        """
        for kind in self._subscriptions[event]:
            self.chore(kind, ref, None, "", **args)

    def all_writes(self) -> list[Write]:
        """The transaction. Raises ValueError for a change without history, or one that is too big."""
        if not self._rows:
            raise ValueError("a change without a history row")
        writes = self.writes + [Write("Put", "history", row) for row in self._rows]
        if len(writes) > MAX_WRITES:
            raise ValueError(f"{len(writes)} writes in one change; the most is {MAX_WRITES}")
        return writes

    @property
    def proof(self) -> Item:
        """The key of the history row that exists if, and only if, this change was committed."""
        return {"subject": self._rows[0]["subject"], "at_id": self._rows[0]["at_id"]}


class Kernel:
    """What every service stands on: commits changes, and wakes the workers they concern."""

    def __init__(
        self, database: Database, queues: Queues, clock: Clock, subscriptions: Subscriptions
    ) -> None:
        self.database = database
        self.queues = queues
        self.clock = clock
        self.timetable = Timetable(database)
        self._subscriptions = subscriptions

    def change(self, by: By) -> Change:
        return Change(by, self.clock.now(), self.timetable, self._subscriptions)

    def commit(self, change: Change) -> None:
        """Commit all of the change or nothing, then nudge.

        Raises the `otherwise` of the first write whose condition failed (Conflict where it has none), and
        Busy when the database kept refusing. A change whose answer was lost and whose retry then met its
        own writes is recognised by its history row and counts as committed.
        """
        writes = change.all_writes()
        try:
            self.database.transact(writes)
        except TransactionRefused as refusal:
            if self.database.get("history", change.proof) is None:
                index, _ = refusal.failures[0]
                raise writes[index].otherwise or Conflict("somebody else changed this first") from refusal
        self.nudge(change.entries)

    def nudge(self, entries: list[Entry]) -> None:
        """Wake workers for what is due before the next tick; failing to is logged and harmless."""
        for lane in Lane:
            self._nudge(lane, [(e.entry_id, e.due_at) for e in entries if e.lane == lane])

    def nudge_at(self, lane: Lane, entry_id: str, due_at: datetime) -> None:
        """Wake a worker for one entry at its time, if that is before the next tick; best effort."""
        self._nudge(lane, [(entry_id, due_at)])

    def _nudge(self, lane: Lane, due: list[tuple[str, datetime]]) -> None:
        now = self.clock.now()
        wakes = [(entry_id, delay_until(at, now)) for entry_id, at in due if at <= now + NUDGE_FOR]
        if wakes:
            try:
                self.queues.wake(lane, wakes)
            except Exception:
                log.warning("nudge failed; the tick will find the entries", exc_info=True)


def delay_until(due_at: datetime, now: datetime) -> int:
    """Whole seconds to delay a wake-up: rounded down, and the worker waits out the rest of its second."""
    return max(0, math.floor((due_at - now).total_seconds()))
