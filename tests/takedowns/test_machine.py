"""Cases lived through at random: steps in any order, stale views, time, looks, tampering with none of it.

Whatever happens, the state follows the table, the log says how it got there, the counters equal a recount,
each case has exactly the chore that its state needs, and both chains bear out their heads.
"""

import uuid
from collections import Counter
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.core.clock import FixedClock
from chalicelib.core.errors import Conflict, SignalboxError
from chalicelib.org.model import Kind as UnitKind
from chalicelib.takedowns import numbers
from chalicelib.takedowns.model import ENDED, MOVES, Case, Harm, Kind, State
from tests.conftest import NOON, TEMPLATE
from tests.fakes.stage import Stage
from tests.takedowns.desk import Desk

PLATFORMS = ("bluesky", "facebook")
CALM = (Harm.LOW, Harm.MEDIUM)  # the others are chased too often to live through quickly


@cache
def _desk() -> Desk:
    """One stage for all lives, each in a unit of its own: making tables is the slow part."""
    return Desk.create(Stage.create("m" + uuid.uuid4().hex[:9], TEMPLATE, FixedClock(NOON)))


class CaseLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = _desk()
        self.desk.writes_no_mails = True
        self.unit = self.desk.org.add_unit(
            self.desk.operator, uuid.uuid4().hex[:8], UnitKind.DISTRICT, self.desk.root.unit_id
        )
        self.actor = self.desk.actor(self.desk.lead)
        self.ids: list[str] = []
        self.walked: dict[str, list[State]] = {}
        self.stale: list[Case] = []

    def teardown(self) -> None:
        for case in self.cases():
            if case.is_open:
                self.desk.takedowns.step(self.actor, case.case_id, case.version, State.WITHDRAWN, "", "over")
            self.desk.unschedule(case)

    def cases(self) -> list[Case]:
        return [self.desk.takedowns.store.get(case_id) for case_id in self.ids]

    @rule(
        platform=st.sampled_from(PLATFORMS),
        kind=st.sampled_from(Kind),
        harm=st.sampled_from(CALM),
        on=st.booleans(),
    )
    def open(self, platform: str, kind: Kind, harm: Harm, on: bool) -> None:
        if len(self.ids) == 3:
            return
        account = self.desk.account(uuid.uuid4().hex[:8], platform, unit_id=self.unit.unit_id)
        if on:
            self.desk.on_network(account)
        fields = {"account_id": account.account_id, "kind": kind, "harm": harm, "why": "", "owner_id": None}
        case = self.desk.takedowns.open(self.actor, fields)
        self.ids.append(case.case_id)
        self.walked[case.case_id] = [State.OPENED]

    @precondition(lambda self: self.ids)
    @rule(
        data=st.data(),
        to=st.sampled_from(State),
        why=st.sampled_from(["", "why"]),
        number=st.sampled_from(["", "R"]),
    )
    def step(self, data: st.DataObject, to: State, why: str, number: str) -> None:
        case = self.desk.takedowns.store.get(data.draw(st.sampled_from(self.ids)))
        try:
            after = self.desk.takedowns.step(self.actor, case.case_id, case.version, to, number, why)
        except SignalboxError:
            return
        assert to in MOVES[case.state], "a step that the table does not have"
        assert after.state == to
        self.walked[case.case_id].append(to)
        self.stale.append(case)

    @precondition(lambda self: self.stale)
    @rule(data=st.data(), to=st.sampled_from(State))
    def step_as_it_was_seen_before(self, data: st.DataObject, to: State) -> None:
        seen = data.draw(st.sampled_from(self.stale))
        with pytest.raises(Conflict):
            self.desk.takedowns.step(self.actor, seen.case_id, seen.version, to, "R", "why")

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), harm=st.sampled_from(CALM))
    def change_the_harm(self, data: st.DataObject, harm: Harm) -> None:
        case = self.desk.takedowns.store.get(data.draw(st.sampled_from(self.ids)))
        self.desk.takedowns.amend(self.actor, case.case_id, case.version, {"harm": harm})

    @rule(days=st.sampled_from([0.2, 5, 33]))
    def time_passes(self, days: float) -> None:
        before = {c.case_id: c for c in self.cases()}
        self.desk.pass_time(days=days)
        for case in self.cases():
            steps = self.desk.takedowns.store.whole(case.case_id).steps[before[case.case_id].steps :]
            self.walked[case.case_id] += [step.to for step in steps]

    @invariant()
    def the_log_is_the_walk_and_every_step_has_its_row(self) -> None:
        for case_id in self.ids:
            whole = self.desk.takedowns.store.whole(case_id)
            assert [step.to for step in whole.steps] == self.walked[case_id]
            assert whole.case.state == self.walked[case_id][-1]
            rows = [r.what for r in self.desk.stage.history.of(f"case#{case_id}") if r.what in set(State)]
            assert Counter(rows) == Counter(str(to) for to in self.walked[case_id])
            assert self.desk.room.intact(whole).is_whole

    @invariant()
    def each_case_has_the_chore_that_its_state_needs(self) -> None:
        for case in self.cases():
            wanted = {"chase_case"} if case.is_open else {"recheck_case"} if case.recheck_at else set()
            assert self.desk.entries(case) == wanted
            assert (case.chase_at is None) == (case.state in ENDED) == (case.ended_at is not None)

    @invariant()
    def the_counters_equal_a_recount(self) -> None:
        recount: dict[str, Counter[str]] = {platform: Counter() for platform in PLATFORMS}
        for case in self.cases():
            recount[case.platform].update(numbers.tally(case))
        kept = numbers.read(self.desk.kernel.database, lambda unit_id: unit_id == self.unit.unit_id)
        for platform, counts in recount.items():
            assert +kept.get((self.unit.unit_id, platform), Counter()) == +counts


CaseLife.TestCase.settings = settings(
    max_examples=5,
    stateful_step_count=10,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
TestCaseLife = pytest.mark.usefixtures("moto_cloud")(CaseLife.TestCase)
