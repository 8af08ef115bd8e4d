"""The timetable under everything that goes wrong at once: each entry done at least once or visible, its effect
at most once, none lost, nothing early.

Machines with wrong clocks create, tick, work and die at any call to AWS, while others do the same in between.
`HYPOTHESIS_PROFILE=long` looks much longer.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib.core.clock import FixedClock
from chalicelib.core.cloud import BELIEVED_FOR, AwsClock, Cloud
from chalicelib.core.database import Database, Item
from chalicelib.core.dispatch import HORIZON_FOR, Dispatcher
from chalicelib.core.errors import Conflict, SignalboxError
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.queues import Queues
from chalicelib.core.timetable import MAX_FAILURES, Claim, Entry, Lane
from chalicelib.core.work import Later, Worker
from tests.conftest import NOON
from tests.fakes.aws_faults import AwsFaults, Died, Fault
from tests.fakes.stage import Stage

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SETTINGS = settings(
    max_examples=1500 if LONG else 45,
    stateful_step_count=50 if LONG else 20,
    derandomize=not LONG,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
_TABLES = {"timetable": ("entry_id",), "posts": ("pk", "sk"), "history": ("subject", "at_id")}
OURS = (Died, SignalboxError, BotoCoreError, ClientError)


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
        self.worker = Worker(self.kernel, Lane.PUBLISH, {"publish": self.publish})
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
        self.see_that_it_is_time(entry_id)
        marker = self.world.database.get("posts", _marker(entry_id))
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
            "posts", _marker(entry_id), where("SET begun = :o", o=claim.owner),
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
        change.update("posts", _marker(claim.entry.entry_id), where("SET outcome = :o", o=outcome))
        change.add(self.kernel.timetable.finish(claim, change.now))
        change.record(f"post#{claim.entry.entry_id}", outcome)
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
        return [(n, i["due_at"]["S"]) for n, i in found if "due_shard" in i and not _is_parked(i)]


def _marker(entry_id: str) -> Item:
    return {"pk": entry_id, "sk": "marker"}


def _is_parked(item: Item) -> bool:
    return bool(item.get("due_shard", {"S": ""})["S"].startswith("parked#"))


places = st.integers(1, 9)
faults_planned = st.dictionaries(places, st.sampled_from(Fault), max_size=2)
meanwhile_planned = st.dictionaries(
    st.integers(1, 5), st.sampled_from(["wait", "rival", "cancel", "reschedule"]), max_size=1
)
offsets = st.sampled_from([0, 0, 2, 7, 600, -2, -7, -600])
behaviours = st.lists(st.sampled_from(["work", "die in the call", "fail", "die", "later", "skip"]), max_size=3)


class Timetables(RuleBasedStateMachine):
    """Rules are what may happen; `teardown` lets the storm pass and asks what became of everything."""

    def __init__(self, stage: Stage, client: Any, faults: AwsFaults) -> None:
        super().__init__()
        self.world = World(stage, client, faults)
        self.machines: list[Machine] = []

    @initialize(first=offsets, second=offsets, tokens_last=st.booleans())
    def boot(self, first: int, second: int, tokens_last: bool) -> None:
        self.world.faults.remembers = tokens_last
        self.machines = [Machine(self.world, timedelta(seconds=off)) for off in (first, second)]

    def run(
        self,
        machine: Machine,
        action: Callable[[], object],
        planned: dict[int, Fault] | None = None,
        meanwhile: dict[int, Callable[[], object]] | None = None,
    ) -> bool:
        """Let a process do something, with faults; False if it did not get to the end."""
        machine.learn()
        try:
            with self.world.faults.plan(planned, meanwhile):
                action()
        except OURS:
            return False
        return True

    @rule(
        which=st.integers(0, 1), due_in=st.integers(-5, 300), millis=st.integers(0, 999),
        behaviours=behaviours, planned=faults_planned, queue_is_down=st.booleans(),
    )  # fmt: skip
    def create(
        self, which: int, due_in: int, millis: int, behaviours: list[str], planned: dict[int, Fault],
        queue_is_down: bool,
    ) -> None:  # fmt: skip
        machine = self.machines[which]
        due_at = self.world.true.now() + timedelta(seconds=due_in, milliseconds=millis)
        entry_id = f"publish#{len(self.world.told)}"
        told = self.world.told[entry_id] = Told(due_at, list(behaviours))

        def commit() -> None:
            change = machine.kernel.change(BY_JOB)
            change.schedule(Entry(entry_id, Lane.PUBLISH, "publish", entry_id, due_at))
            change.record(f"post#{entry_id}", "scheduled")
            machine.kernel.commit(change)

        self.world.queue.is_down = queue_is_down
        told.is_promised = self.run(machine, commit, planned)
        self.world.queue.is_down = False

    @rule(which=st.integers(0, 1), planned=faults_planned)
    def tick(self, which: int, planned: dict[int, Fault]) -> None:
        machine = self.machines[which]
        until = (machine.clock.now() + HORIZON_FOR).isoformat(timespec="milliseconds")[:-6] + "Z"
        due = [n for n, at in self.world.in_index() if at <= until]
        before = len(self.world.queue.messages)

        whole = self.run(machine, Dispatcher(machine.kernel).dispatch, planned)

        sent = [n for n, _ in self.world.queue.messages[before:]]
        if not planned:
            assert whole
            assert sorted(sent) == sorted(due), "a tick reads what is due, all of it and nothing else"

    @precondition(lambda self: self.world.queue.messages)
    @rule(
        which=st.integers(0, 1), pick=st.integers(0, 200), planned=faults_planned, meanwhile=meanwhile_planned,
        again=st.booleans(),
    )  # fmt: skip
    def deliver(
        self, which: int, pick: int, planned: dict[int, Fault], meanwhile: dict[int, str], again: bool
    ) -> None:
        queue, true = self.world.queue, self.world.true
        place = pick % len(queue.messages)
        entry_id, seen_at = queue.messages.pop(place)
        true.set(max(true.now(), seen_at))
        machine, rival = self.machines[which], self.machines[1 - which]
        others = {n: self.other(kind, entry_id, rival) for n, kind in meanwhile.items()}

        whole = self.run(machine, lambda: machine.worker.run(entry_id), planned, others)

        if again or not whole:
            queue.messages.append((entry_id, true.now() + timedelta(seconds=540)))

    def other(self, kind: str, entry_id: str, rival: Machine) -> Callable[[], object]:
        """What happens elsewhere just before one of a worker's calls."""

        def happen() -> None:
            rival.learn()
            try:
                if kind == "wait":
                    self.world.true.advance(seconds=130)
                elif kind == "cancel":
                    self.cancel_now(rival, entry_id)
                elif kind == "reschedule":
                    self.reschedule_now(rival, entry_id)
                else:
                    self.world.true.advance(seconds=121)
                    rival.learn()
                    rival.worker.run(entry_id)
            except OURS:
                return

        return happen

    @precondition(lambda self: self.world.queue.messages)
    @rule(pick=st.integers(0, 200))
    def lose(self, pick: int) -> None:
        self.world.queue.messages.pop(pick % len(self.world.queue.messages))

    @precondition(lambda self: self.world.queue.messages)
    @rule(pick=st.integers(0, 200))
    def duplicate(self, pick: int) -> None:
        messages = self.world.queue.messages
        messages.append(messages[pick % len(messages)])

    @precondition(lambda self: self.world.told)
    @rule(pick=st.integers(0, 200))
    def remember(self, pick: int) -> None:
        """A message comes back from long ago: a redrive of the dead-letter queue does that."""
        ids = list(self.world.told)
        self.world.queue.messages.append((ids[pick % len(ids)], self.world.true.now()))

    @precondition(lambda self: self.world.in_index())
    @rule(which=st.integers(0, 1), pick=st.integers(0, 200), how=st.sampled_from(["fail", "die"]))
    def wear_out(self, which: int, pick: int, how: str) -> None:
        """An entry that no worker survives, or that always fails: it ends up parked."""
        machine, true = self.machines[which], self.world.true
        waiting = [n for n, _ in self.world.in_index()]
        entry_id = waiting[pick % len(waiting)]
        self.world.told[entry_id].behaviours = [how] * (MAX_FAILURES + 1)
        for _ in range(MAX_FAILURES + 2):
            due = [at for n, at in self.world.in_index() if n == entry_id]
            if not due:
                self.run(machine, lambda: machine.worker.run(entry_id))  # one message more changes nothing
                return
            true.set(max(true.now(), datetime.fromisoformat(due[0])) + timedelta(seconds=1))
            self.run(machine, lambda: machine.worker.run(entry_id))
        self.world.seen_wrong.append(f"{entry_id} is tried without end")

    @rule(seconds=st.sampled_from([0.4, 1, 30, 60, 125, 1200]))
    def wait(self, seconds: float) -> None:
        self.world.true.advance(seconds=seconds)

    @precondition(lambda self: self.world.told)
    @rule(which=st.integers(0, 1), rounds=st.integers(1, 12), once_more=st.booleans())
    def let_run(self, which: int, rounds: int, once_more: bool) -> None:
        """Ticks and workers without faults for a while; entries that always fail end up parked."""
        machine, queue, true = self.machines[which], self.world.queue, self.world.true
        for _ in range(rounds):
            waiting = self.world.in_index()
            if not waiting:
                break
            true.set(max(true.now(), min(datetime.fromisoformat(at) for _, at in waiting)))
            self.run(machine, Dispatcher(machine.kernel).dispatch)
            delivered, queue.messages[:] = sorted(queue.messages, key=lambda m: m[1])[:12], []
            for entry_id, seen_at in delivered:
                true.set(max(true.now(), seen_at))
                self.run(machine, lambda entry_id=entry_id: machine.worker.run(entry_id))
            if once_more:
                queue.messages += [(entry_id, true.now()) for entry_id, _ in delivered]

    @precondition(lambda self: any(t.is_promised for t in self.world.told.values()))
    @rule(which=st.integers(0, 1), pick=st.integers(0, 200), planned=faults_planned)
    def cancel(self, which: int, pick: int, planned: dict[int, Fault]) -> None:
        ids = [n for n, t in self.world.told.items() if t.is_promised]
        machine = self.machines[which]
        self.run(machine, lambda: self.cancel_now(machine, ids[pick % len(ids)]), planned)

    def cancel_now(self, machine: Machine, entry_id: str) -> None:
        change = machine.kernel.change(BY_JOB)
        change.unschedule(entry_id)
        change.record(f"post#{entry_id}", "cancelled")
        machine.kernel.commit(change)
        told = self.world.told[entry_id]
        told.is_cancelled = True
        told.must_not_begin = self.world.database.get("posts", _marker(entry_id)) is None

    @precondition(lambda self: any(t.is_promised for t in self.world.told.values()))
    @rule(which=st.integers(0, 1), pick=st.integers(0, 200))
    def reschedule(self, which: int, pick: int) -> None:
        ids = [n for n, t in self.world.told.items() if t.is_promised]
        machine = self.machines[which]
        self.run(machine, lambda: self.reschedule_now(machine, ids[pick % len(ids)]))

    def reschedule_now(self, machine: Machine, entry_id: str) -> None:
        """Another time for what has not begun: the same entry again, whoever is working on the old one."""
        told = self.world.told[entry_id]
        if self.world.database.get("posts", _marker(entry_id)) is not None or told.is_cancelled:
            return
        due_at = self.world.true.now() + timedelta(seconds=45)
        change = machine.kernel.change(BY_JOB)
        change.schedule(Entry(entry_id, Lane.PUBLISH, "publish", entry_id, due_at))
        change.record(f"post#{entry_id}", "rescheduled")
        machine.kernel.commit(change)
        told.due_at, told.is_skipped = due_at, False

    @rule(which=st.integers(0, 1), planned=faults_planned)
    def requeue(self, which: int, planned: dict[int, Fault]) -> None:
        machine = self.machines[which]
        for entry in machine.kernel.timetable.parked():
            self.run(machine, lambda entry_id=entry.entry_id: requeue(machine.kernel, entry_id), planned)

    @rule(which=st.integers(0, 1), off=offsets)
    def reboot(self, which: int, off: int) -> None:
        self.machines[which] = Machine(self.world, timedelta(seconds=off))

    @invariant()
    def nothing_is_lost_and_nothing_happened_twice(self) -> None:
        assert not self.world.seen_wrong
        entries = self.world.entries()
        markers = {i["pk"]["S"]: i for i in self.world.rows("posts")}
        for entry_id, told in self.world.told.items():
            assert told.effects <= 1, f"{entry_id} happened {told.effects} times"
            item = entries.get(entry_id)
            assert item is not None or not told.is_promised, f"{entry_id} is lost"
            if item is None:
                continue
            assert ("due_shard" in item) != ("done_at" in item), f"{entry_id} is neither waiting nor done"
            assert ("parked_at" in item) == _is_parked(item) or "done_at" in item
            assert ("owner" in item) == ("lease_until" in item)
            if "owner" in item:
                assert item["due_at"] == item["lease_until"], "recovery is by the lease's end"
            if "done_at" in item and not told.is_cancelled:
                may_be = self.may_be_done(item, markers.get(entry_id))
                assert may_be, f"{entry_id} is off the timetable and was never done"

    def may_be_done(self, item: Item, marker: Item | None) -> bool:
        """It has an outcome, or had nothing to do, or a cancel was applied whose answer never came."""
        if marker is not None and "outcome" in marker:
            return True
        if self.world.told[item["entry_id"]["S"]].is_skipped:
            return True
        rows = self.world.stage.history.of(f"post#{item['entry_id']['S']}")
        return any(row.what == "cancelled" for row in rows)

    def teardown(self) -> None:
        """The storm is over: with right clocks, every entry comes to its end."""
        if not self.machines:
            return
        calm = Machine(self.world, timedelta())
        for told in self.world.told.values():
            told.behaviours = []
        for _ in range(2):
            self.drain(calm)
            for entry in calm.kernel.timetable.parked():
                requeue(calm.kernel, entry.entry_id)
        self.nothing_is_lost_and_nothing_happened_twice()
        outcomes = {i["pk"]["S"]: i.get("outcome", {}).get("S") for i in self.world.rows("posts")}
        for entry_id, item in self.world.entries().items():
            told = self.world.told[entry_id]
            assert "done_at" in item, f"{entry_id} never came to an end"
            if outcomes.get(entry_id) == "done":
                assert told.effects == 1

    def drain(self, calm: Machine) -> None:
        queue, true = self.world.queue, self.world.true
        for _ in range(400):
            waiting = self.world.in_index()
            if not waiting:
                return
            true.set(max(true.now(), min(datetime.fromisoformat(at) for _, at in waiting)))
            queue.messages.clear()
            calm.learn()
            Dispatcher(calm.kernel).dispatch()
            for entry_id, seen_at in sorted(queue.messages, key=lambda message: message[1]):
                true.set(max(true.now(), seen_at))
                calm.worker.run(entry_id)
        raise AssertionError("the timetable does not come to rest")


def requeue(kernel: Kernel, entry_id: str) -> None:
    change = kernel.change(BY_JOB)
    change.add(kernel.timetable.requeue(entry_id, change.now))
    change.record(f"post#{entry_id}", "requeued")
    kernel.commit(change)


@pytest.mark.xdist_group("timetable")
def test_each_entry_is_done_or_visible_and_its_effect_happens_at_most_once(stage: Stage) -> None:
    client = Cloud(AwsClock(FixedClock(NOON))).dynamodb
    faults = AwsFaults(client)
    run_state_machine_as_test(lambda: Timetables(stage, client, faults), settings=SETTINGS)
