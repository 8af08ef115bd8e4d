"""Machines with wrong clocks over one stage, and what the test knows about their entries."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.core.clock import FixedClock
from chalicelib.core.cloud import BELIEVED_FOR, AwsClock
from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.queues import Queues
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later, Worker
from tests.conftest import NOON
from tests.fakes.aws_faults import AwsFaults, Died
from tests.fakes.stage import Stage

_TABLES = {"timetable": ("entry_id",), "posts": ("pk", "sk"), "history": ("subject", "at_id")}


@dataclass
class WrongClock:
    """A machine's own clock, some time off the true one."""

    true: FixedClock
    off: timedelta

    def now(self) -> datetime:
        return self.true.now() + self.off

    def sleep(self, seconds: float) -> None:
        self.true.sleep(seconds)


@dataclass
class PaperQueue:
    """SQS by the true clock: a message is an entry id and when it may be seen."""

    true: FixedClock
    messages: list[tuple[str, datetime]] = field(default_factory=list)
    is_down: bool = False

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803 - botocore's names
        return {"QueueUrl": QueueName}

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        if self.is_down:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch")
        for sent in Entries:
            seen_at = self.true.now() + timedelta(seconds=sent["DelaySeconds"])
            self.messages.append((json.loads(sent["MessageBody"])["entry"], seen_at))
        return {"Successful": Entries}


AHEAD_FOR = timedelta(seconds=1.5)  # as wiring has it for the publish lane


@dataclass
class Told:
    """What the test knows of an entry: what it was promised, and what its effect did."""

    due_at: datetime
    behaviours: list[str]
    is_promised: bool = False
    is_cancelled: bool = False
    must_not_begin: bool = False  # it was cancelled before it began
    is_skipped: bool = False  # its handler saw that there is nothing to do
    effects: int = 0


class Machine:
    """A process: its clock, its kernel and its worker."""

    def __init__(self, world: "World", off: timedelta) -> None:
        self.world = world
        self.off = off
        self.clock = AwsClock(WrongClock(world.true, off))
        self.kernel = Kernel(world.database, Queues(world.queue, world.stage.settings), self.clock, {})
        self.worker = Worker(self.kernel, Lane.PUBLISH, {"publish": self.publish}, AHEAD_FOR)
        self.learn()

    def learn(self) -> None:
        """Every answer carries AWS's Date."""
        self.clock.learn(format_datetime(self.world.true.now(), usegmt=True))

    def publish(self, claim: Claim) -> bool:
        """What publishing does: marker and fence in one transaction, the effect, the outcome in another."""
        entry_id = claim.entry.entry_id
        told = self.world.told[entry_id]
        if claim.entry.parked_at is not None:
            self.world.seen_wrong.append(f"{entry_id} ran although it is parked")
        claim.wait(self.clock)
        self.see_that_it_is_time(entry_id)
        marker = self.world.database.get("posts", marker_key(entry_id))
        if marker is not None:
            self.settle(claim, "unknown")
            return True
        behaviour = told.behaviours.pop() if told.behaviours else "work"
        if behaviour == "fail":
            raise RuntimeError
        if behaviour == "die":
            raise Died
        if behaviour == "later":
            raise Later(self.clock.now() + timedelta(seconds=20))
        if behaviour == "skip":
            told.is_skipped = True
            return False
        change = self.kernel.change(BY_JOB)
        lost = Conflict("somebody else has begun")
        change.update(
            "posts", marker_key(entry_id), where("SET begun = :o", o=claim.owner),
            when=where("attribute_not_exists(begun)"), otherwise=lost,
        )  # fmt: skip
        change.add(self.kernel.timetable.still_mine(claim, change.now))
        change.record(f"post#{entry_id}", "begun")
        self.kernel.commit(change)
        self.see_that_it_is_time(entry_id)
        if told.must_not_begin:
            self.world.seen_wrong.append(f"{entry_id} began after it was cancelled")
        told.effects += 1
        if behaviour == "die in the call":
            raise Died
        self.settle(claim, "done")
        return True

    def see_that_it_is_time(self, entry_id: str) -> None:
        unsure_for = BELIEVED_FOR if timedelta() < self.off <= BELIEVED_FOR else timedelta()
        if self.world.true.now() + unsure_for < self.world.told[entry_id].due_at:
            self.world.seen_wrong.append(f"{entry_id} started before its time")

    def settle(self, claim: Claim, outcome: str) -> None:
        change = self.kernel.change(BY_JOB)
        change.update("posts", marker_key(claim.entry.entry_id), where("SET outcome = :o", o=outcome))
        change.add(self.kernel.timetable.finish(claim, change.now))
        change.record(f"post#{claim.entry.entry_id}", outcome)
        self.kernel.commit(change)

    def schedule(self, entry_id: str, due_at: datetime, what: str) -> None:
        change = self.kernel.change(BY_JOB)
        change.schedule(Entry(entry_id, Lane.PUBLISH, "publish", entry_id, due_at))
        change.record(f"post#{entry_id}", what)
        self.kernel.commit(change)

    def cancel(self, entry_id: str) -> None:
        change = self.kernel.change(BY_JOB)
        change.unschedule(entry_id)
        change.record(f"post#{entry_id}", "cancelled")
        self.kernel.commit(change)
        told = self.world.told[entry_id]
        told.is_cancelled = True
        told.must_not_begin = self.world.database.get("posts", marker_key(entry_id)) is None

    def reschedule(self, entry_id: str) -> None:
        """Another time for what has not begun: the same entry again, whoever is working on the old one."""
        told = self.world.told[entry_id]
        if self.world.database.get("posts", marker_key(entry_id)) is None and not told.is_cancelled:
            due_at = self.world.true.now() + timedelta(seconds=45)
            self.schedule(entry_id, due_at, "rescheduled")
            told.due_at, told.is_skipped, told.is_promised = due_at, False, True

    def requeue(self, entry_id: str) -> None:
        change = self.kernel.change(BY_JOB)
        change.add(self.kernel.timetable.requeue(entry_id, change.now))
        change.record(f"post#{entry_id}", "requeued")
        self.kernel.commit(change)


class World:
    """One stage, its true clock, its queue, and a network between them that can fail."""

    def __init__(self, stage: Stage, client: Any, faults: AwsFaults) -> None:
        self.stage = stage
        self.true = FixedClock(NOON)
        self.queue = PaperQueue(self.true)
        self.faults = faults
        self.database = Database(client, stage.settings, sleep=lambda seconds: None)
        self.told: dict[str, Told] = {}
        self.seen_wrong: list[str] = []  # by handlers, whose exceptions the worker would take for failures
        for table, key in _TABLES.items():
            for item in self.rows(table):
                name = stage.settings.table(table)
                stage.dynamodb.delete_item(TableName=name, Key={k: item[k] for k in key})

    def rows(self, table: str) -> list[Item]:
        answer: dict[str, Any] = self.stage.dynamodb.scan(TableName=self.stage.settings.table(table))
        return list(answer["Items"])

    def entries(self) -> dict[str, Item]:
        return {i["entry_id"]["S"]: i for i in self.rows("timetable")}

    def in_index(self) -> list[tuple[str, str]]:
        """(entry id, due time) of what waits in the due index."""
        found = self.entries().items()
        return [(n, i["due_at"]["S"]) for n, i in found if "due_shard" in i and not is_parked(i)]


def marker_key(entry_id: str) -> Item:
    return {"pk": entry_id, "sk": "marker"}


def is_parked(item: Item) -> bool:
    return bool(item.get("due_shard", {"S": ""})["S"].startswith("parked#"))
