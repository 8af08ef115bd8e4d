"""The timetable while everything goes wrong at once: an entry is done at least once or visible, its effect
comes at most once, none is lost, nothing is early.

Machines with wrong clocks create, tick, work and die at any call to AWS, while others do the same in between.
A wake-up for any entry may come at any time: that is what lost, late and repeated messages amount to.
`HYPOTHESIS_PROFILE=long` looks much longer.
"""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chalicelib.core.clock import FixedClock, to_text
from chalicelib.core.cloud import AwsClock, Cloud
from chalicelib.core.database import Item
from chalicelib.core.dispatch import HORIZON_FOR, Dispatcher
from chalicelib.core.errors import SignalboxError
from chalicelib.core.timetable import MAX_FAILURES
from tests.conftest import NOON
from tests.core.storm import Machine, Told, World, is_parked
from tests.fakes.aws_faults import AwsFaults, Died, Fault
from tests.fakes.stage import Stage

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SETTINGS = settings(
    max_examples=1500 if LONG else 40,
    stateful_step_count=40 if LONG else 14,
    derandomize=not LONG,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
OURS = (Died, SignalboxError, BotoCoreError, ClientError)

which = st.integers(0, 1)
picks = st.integers(0, 6)
faults_planned = st.dictionaries(st.integers(1, 8), st.sampled_from(Fault), max_size=2)
meanwhile_planned = st.dictionaries(
    st.integers(2, 4), st.sampled_from(["wait", "rival", "cancel", "reschedule"]), max_size=1
)
offsets = st.sampled_from([0, 0, 2, 7, 600, -2, -7, -600])
behaviours = st.lists(
    st.sampled_from(["work", "work", "die in the call", "fail", "die", "later", "skip"]), max_size=3
)
disturbances = st.sampled_from(["cancel", "reschedule", "requeue", "wait", "fail", "die"])
dues = st.floats(-5, 300).map(lambda seconds: timedelta(seconds=round(seconds, 3)))


class Timetables(RuleBasedStateMachine):
    """Rules are what may happen; `teardown` lets the storm pass and asks what became of everything."""

    def __init__(self, stage: Stage, client: Any, faults: AwsFaults) -> None:
        super().__init__()
        self.world = World(stage, client, faults)
        self.machines: list[Machine] = []

    @initialize(
        off=st.tuples(offsets, offsets),
        tokens_last=st.booleans(),
        first=st.lists(dues, min_size=1, max_size=3),
    )
    def boot(self, off: tuple[int, int], tokens_last: bool, first: list[timedelta]) -> None:
        self.world.faults.remembers = tokens_last
        self.machines = [Machine(self.world, timedelta(seconds=seconds)) for seconds in off]
        for due_in in first:
            self.create(0, due_in, [], {}, queue_is_down=False)

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

    def picked(self, pick: int) -> str:
        return f"publish#{pick % len(self.world.told)}"

    @rule(
        which=which, due_in=dues, behaviours=behaviours, planned=faults_planned, queue_is_down=st.booleans()
    )
    def create(
        self,
        which: int,
        due_in: timedelta,
        behaviours: list[str],
        planned: dict[int, Fault],
        queue_is_down: bool,
    ) -> None:
        due_at = self.world.true.now() + due_in
        entry_id = f"publish#{len(self.world.told)}"
        told = self.world.told[entry_id] = Told(due_at, list(behaviours))
        machine = self.machines[which]
        self.world.queue.is_down = queue_is_down
        told.is_promised = self.run(machine, lambda: machine.schedule(entry_id, due_at, "scheduled"), planned)
        self.world.queue.is_down = False

    @rule(which=which, planned=faults_planned)
    def tick(self, which: int, planned: dict[int, Fault]) -> None:
        machine = self.machines[which]
        machine.learn()
        until = to_text(machine.clock.now() + HORIZON_FOR)
        due = [n for n, at in self.world.in_index() if at <= until]
        self.world.queue.messages.clear()

        whole = self.run(machine, Dispatcher(machine.kernel).dispatch, planned)

        if not planned:
            assert whole
            sent = [n for n, _ in self.world.queue.messages]
            assert sorted(sent) == sorted(due), "a tick reads what is due, all of it and nothing else"

    @rule(
        which=which, pick=picks, on_time=st.booleans() | st.just(True), planned=faults_planned,
        meanwhile=meanwhile_planned, behaviours=st.none() | behaviours,
    )  # fmt: skip
    def deliver(
        self, which: int, pick: int, on_time: bool, planned: dict[int, Fault], meanwhile: dict[int, str],
        behaviours: list[str] | None,
    ) -> None:  # fmt: skip
        entry_id, true = self.picked(pick), self.world.true
        if behaviours is not None:
            self.world.told[entry_id].behaviours = list(behaviours)
        if on_time:
            due = [datetime.fromisoformat(at) for n, at in self.world.in_index() if n == entry_id]
            true.set(max([true.now(), *due]))
        machine, rival = self.machines[which], self.machines[1 - which]
        others = {n: self.elsewhere(kind, entry_id, rival) for n, kind in meanwhile.items()}

        self.run(machine, lambda: machine.worker.run(entry_id), planned, others)

    def elsewhere(self, kind: str, entry_id: str, rival: Machine) -> Callable[[], object]:
        """What another process does just before one of a worker's calls."""

        def act() -> None:
            match kind:
                case "wait":
                    self.world.true.advance(seconds=130)
                case "rival":
                    self.world.true.advance(seconds=121)
                    self.run(rival, lambda: rival.worker.run(entry_id))
                case "cancel":
                    self.run(rival, lambda: rival.cancel(entry_id))
                case "reschedule":
                    self.run(rival, lambda: rival.reschedule(entry_id))
                case "requeue":
                    self.run(rival, lambda: rival.requeue(entry_id))

        return act

    @rule(which=which, pick=picks, kind=disturbances, planned=faults_planned)
    def disturb(self, which: int, pick: int, kind: str, planned: dict[int, Fault]) -> None:
        machine, entry_id = self.machines[which], self.picked(pick)
        if kind in ("fail", "die"):
            self.wear_out(machine, entry_id, kind)
        else:
            self.run(machine, self.elsewhere(kind, entry_id, machine), planned)

    def wear_out(self, machine: Machine, entry_id: str, how: str) -> None:
        """What always fails, or no worker survives, ends up parked; from then on wake-ups do nothing."""
        true = self.world.true
        self.world.told[entry_id].behaviours = [how] * (MAX_FAILURES + 2)
        for _ in range(MAX_FAILURES + 2):
            due = [at for n, at in self.world.in_index() if n == entry_id]
            true.set(max([true.now(), *(datetime.fromisoformat(at) for at in due)]) + timedelta(seconds=1))
            self.run(machine, lambda: machine.worker.run(entry_id))
        assert entry_id not in [n for n, _ in self.world.in_index()], f"{entry_id} is tried without end"

    @rule(which=which, off=offsets, seconds=st.sampled_from([0.4, 1, 60, 125, 1200]))
    def reboot(self, which: int, off: int, seconds: float) -> None:
        self.world.true.advance(seconds=seconds)
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
            assert ("parked_at" in item) == is_parked(item) or "done_at" in item
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
                calm.requeue(entry.entry_id)
        self.nothing_is_lost_and_nothing_happened_twice()
        outcomes = {i["pk"]["S"]: i.get("outcome", {}).get("S") for i in self.world.rows("posts")}
        for entry_id, item in self.world.entries().items():
            told = self.world.told[entry_id]
            assert "done_at" in item, f"{entry_id} never came to an end"
            if outcomes.get(entry_id) == "done":
                assert told.effects == 1

    def drain(self, calm: Machine) -> None:
        """Wake a worker for whatever stands in the due index, at its time, until nothing does."""
        true = self.world.true
        for _ in range(400):
            waiting = self.world.in_index()
            if not waiting:
                return
            for entry_id, at in sorted(waiting, key=lambda found: found[1]):
                true.set(max(true.now(), datetime.fromisoformat(at)))
                calm.learn()
                calm.worker.run(entry_id)
        raise AssertionError("the timetable does not come to rest")


def test_each_entry_is_done_or_visible_and_its_effect_happens_at_most_once(stage: Stage) -> None:
    client = Cloud(AwsClock(FixedClock(NOON))).dynamodb
    faults = AwsFaults(client)
    machine: Any = lambda: Timetables(stage, client, faults)  # noqa: E731 - a class with its arguments
    run_state_machine_as_test(machine, settings=SETTINGS)
