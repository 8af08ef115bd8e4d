"""A request lived through at random: approvers, deputies, leavers, edits, races, time.

Whatever happens, it is granted only by enough distinct people of every stage, none of whom worked on that
revision, and it is settled at most once.
"""

import uuid
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.approvals.model import OnSilence, Request, Verdict
from chalicelib.approvals.service import Approvals
from chalicelib.core.clock import FixedClock
from chalicelib.core.errors import InvalidInput, SignalboxError
from chalicelib.org.model import Kind, Person, Status
from tests.approvals.office import Office
from tests.conftest import NOON, TEMPLATE
from tests.fakes.stage import Stage
from tests.org.company import hasty_kernel

NAMES = ("Bea", "Cai", "Dov", "Eli")
people = st.integers(0, len(NAMES) - 1)


@cache
def _stage() -> Office:
    """One stage for all lives, each in a district of its own: making tables is the slow part."""
    return Office.create(Stage.create("m" + uuid.uuid4().hex[:9], TEMPLATE, FixedClock(NOON)))


class RequestLife(RuleBasedStateMachine):
    """A district with four people; the oracle counts by trying every seating."""

    def __init__(self) -> None:
        super().__init__()
        office = _stage()
        self.life = uuid.uuid4().hex[:8]
        district = office.org.add_unit(office.operator, self.life, Kind.DISTRICT, office.root.unit_id)
        self.office = replace(office, district=district)
        self.office.postbox.sent.clear()
        publish_at = office.stage.clock.now() + timedelta(days=1)
        office.subject.shown = replace(office.subject.shown, publish_at=publish_at)
        self.people = [self.office.person(f"{name}{self.life}") for name in NAMES]
        self.requests: list[tuple[Request, frozenset[str]]] = []
        self.ended: dict[str, str] = {}
        self.recorded: list[tuple[str, str]] = []
        self.revision = 1

    def teardown(self) -> None:
        if self.current is not None:
            self.office.void(self.current)
        self.office.work()

    @initialize(
        quorums=st.lists(st.sampled_from(["any", "all", "all", "2"]), min_size=1, max_size=2), data=st.data()
    )
    def policy(self, quorums: list[str], data: st.DataObject) -> None:
        stages = []
        for n, quorum in enumerate(quorums):
            chosen = data.draw(st.sets(people, min_size=2, max_size=3))
            silence = data.draw(st.sampled_from(OnSilence))
            who = [self.people[i] for i in sorted(chosen)]
            stages.append(
                self.office.stage_of(
                    *who, name=f"S{n}", quorum=quorum, within_for=6, remind_after=2, on_silence=silence
                )
            )
        self.office.policy(*stages)
        self.submit(set())

    @property
    def current(self) -> Request | None:
        return self.requests[-1][0] if self.requests else None

    @rule(writers=st.sets(people, max_size=2))
    def submit(self, writers: set[int]) -> None:
        """An edit: the request before it is void, the new revision has further writers."""
        if self.current is not None:
            self.office.void(self.current)
            self.revision += 1
            self.office.subject.current = f"rev{self.revision}{self.life}"
        self.office.stage.clock.advance(seconds=1)
        wrote = tuple(self.people[i] for i in sorted(writers))
        try:
            request = self.office.open(contributors=wrote, subject=f"post#{self.life}")
        except InvalidInput:
            return
        excluded = frozenset({self.office.ada.person_id, *(p.person_id for p in wrote)})
        self.requests.append((request, excluded))
        self.office.work()

    @rule(hours=st.sampled_from([0, 1, 2, 6]))
    def time_passes(self, hours: int) -> None:
        self.office.stage.clock.advance(hours=hours)
        self.office.work()
        self.office.work()

    @rule(data=st.data(), verdict=st.sampled_from([*[Verdict.APPROVE] * 6, *Verdict]), old=st.integers(0, 3))
    def decide(self, data: st.DataObject, verdict: Verdict, old: int) -> None:
        """Somebody with a link decides, now and then by a link of long ago."""
        self._decide(self.office.approvals, self._one(data), verdict, old // 3)

    @rule(
        data=st.data(), verdict=st.sampled_from([*[Verdict.APPROVE] * 3, Verdict.REJECT]), edits=st.booleans()
    )
    def race(self, data: st.DataObject, verdict: Verdict, edits: bool) -> None:
        """Somebody else decides, or the author edits, between the reads and the commit of a decision."""
        one = self._one(data)
        other = self._one(data, but=one)

        def meanwhile() -> None:
            if edits and self.current is not None:
                self.office.void(self.current)
                self.ended[self.current.request_id] = self.office.state(self.current)
            else:
                self._decide(self.office.approvals, other, verdict)

        stage, postbox = self.office.stage, self.office.postbox
        slow: Any = Approvals(
            hasty_kernel(stage, meanwhile), self.office.org, stage.links, postbox, stage.settings,  # type: ignore[arg-type]
            lambda _: self.office.subject,
        )  # fmt: skip
        self._decide(slow, one, Verdict.APPROVE)

    @rule(who=people, deputy=people)
    def go_away(self, who: int, deputy: int) -> None:
        """They are stood in for from the next reminder on."""
        self._try(lambda: self.office.away(self.people[who], self.people[deputy]))
        self.time_passes(2)

    @rule(who=people)
    def come_back(self, who: int) -> None:
        self._try(lambda: self.office.org.return_from_away(self.office.operator, self.people[who].person_id))

    @rule(who=people)
    def leave(self, who: int) -> None:
        here = [p for p in self.people if self.office.org.person(p.person_id).status != Status.LEFT]
        if len(here) > 2:
            self._try(lambda: self.office.leave(self.people[who]))

    @invariant()
    def it_ends_once_by_its_own_people_and_no_decision_is_lost(self) -> None:
        for request, excluded in self.requests:
            now = self.office.approvals.get(request.request_id)
            settlements = self.office.subject.settlements(request)
            assert settlements == ([] if now.state in ("open", "void") else [str(now.state)])
            assert not excluded & {d.person_id for d in now.decisions}
            assert not excluded & {a.person_id for s in now.stages for a in s.asks}
            deciders = {(request.request_id, d.person_id) for d in now.decisions}
            assert deciders == {r for r in self.recorded if r[0] == request.request_id}, "a decision was lost"
            if now.state != "open":
                assert self.ended.setdefault(request.request_id, str(now.state)) == now.state, "ended twice"
            if now.state == "granted":
                for n in range(len(now.stages)):
                    assert _seated(now, n), "granted without a stage's quorum"

    def _one(self, data: st.DataObject, but: Person | None = None) -> Person:
        """Mostly somebody who was asked and has not answered yet."""
        everybody = [p for p in (*self.people, self.office.lead) if p != but]
        request = self.office.approvals.get(self.current.request_id) if self.current else None
        if request is None or request.state != "open" or data.draw(st.integers(0, 4)) == 0:
            return data.draw(st.sampled_from(everybody))
        answered = {d.person_id for d in request.decisions if d.stage == request.stage}
        asked = [p for p in everybody if request.current.asked(p.person_id) and p.person_id not in answered]
        return data.draw(st.sampled_from(asked or everybody))

    def _decide(self, approvals: Approvals, person: Person, verdict: Verdict, old: int = 0) -> None:
        tokens = self.office.tokens(person)
        if tokens:
            before = self.office.org.person(person.person_id).status
            view = approvals.decide(tokens[-1 - old % len(tokens)], verdict, "because")
            assert before != Status.LEFT or view.seen == "dead"
            if view.seen == "decided" and view.request is not None:
                self.recorded.append((view.request.request_id, person.person_id))

    def _try(self, call: Any) -> None:
        try:
            call()
        except SignalboxError:
            return


def _seated(request: Request, n: int) -> bool:
    stage = request.stages[n]
    approvers = sorted(
        {d.person_id for d in request.decisions if d.stage == n and d.verdict == Verdict.APPROVE}
    )
    for seats in permutations(stage.seats, stage.needed):
        for chosen in permutations(approvers, stage.needed):
            if all(_may_sit(stage, p, s) for p, s in zip(chosen, seats, strict=True)):
                return True
    return False


def _may_sit(stage: Any, person_id: str, seat: str) -> bool:
    return any(a.person_id == person_id and a.seat in (None, seat) for a in stage.asks)


# Without shrinking: a life takes seconds, and its steps are printed as they were.
RequestLife.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
TestRequestLife = pytest.mark.usefixtures("moto_cloud")(RequestLife.TestCase)
