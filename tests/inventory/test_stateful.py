"""Answers and imports in any order: no account is lost or doubled, and the counters are a recount's."""

import uuid
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.accounts.model import Account, AccountClass
from chalicelib.core.clock import FixedClock
from chalicelib.core.errors import Conflict, InvalidInput
from chalicelib.inventory.adding import Addition
from chalicelib.inventory.answers import About, Correction, Outcome, Sitting
from chalicelib.inventory.model import PartState, Round, shown_of
from chalicelib.inventory.people import Named
from chalicelib.org.model import Person, Unit
from tests.conftest import NOON, TEMPLATE
from tests.fakes.stage import Stage
from tests.inventory.desk import SERVER, Desk

HANDLES = [f"konto{n}" for n in range(6)]
WHAT = ["confirm", "correct", "not_ours", "not_mine", "other"]
SIDES = st.sampled_from(["warsaw", "tehran"])


class Rounds(RuleBasedStateMachine):
    """Two managers answer, add and disown, while files are imported and records are changed by others."""

    desk: Desk
    round_: Round
    asked: dict[str, set[str]]

    @initialize()
    def begin(self) -> None:
        self.desk = Desk.create(Stage.create("t" + uuid.uuid4().hex[:9], TEMPLATE, FixedClock(NOON)))
        self.known: dict[str, str] = {}
        for handle in HANDLES[:3]:
            self.known[handle] = self.desk.account(handle).account_id
        self.round_ = self.desk.start()
        self.seen: list[tuple[str, About]] = []

    def unit(self, side: str) -> Unit:
        return self.desk.company.warsaw if side == "warsaw" else self.desk.company.tehran

    def person(self, side: str) -> Person:
        return self.desk.manager if side == "warsaw" else self.desk.other

    def sitting(self, side: str) -> Sitting:
        return self.desk.sitting(self.person(side))

    def account(self, handle: str) -> Account | None:
        return self.desk.accounts.at_address("mastodon", SERVER, handle)

    @rule(side=SIDES, handle=st.sampled_from(HANDLES))
    def open_page(self, side: str, handle: str) -> None:
        """What a browser keeps, and sends now or later."""
        account = self.account(handle)
        if account is not None:
            self.seen.append((side, About(self.unit(side).unit_id, account.account_id, shown_of(account))))

    @rule(
        data=st.data(),
        what=st.sampled_from(["confirm", "correct", "not_ours", "not_mine", "other"]),
        n=st.integers(0, 2),
    )
    def answer(self, data: st.DataObject, what: str, n: int) -> None:
        if not self.seen:
            return
        side, about = data.draw(st.sampled_from(self.seen))
        sitting, answers = self.sitting(side), self.desk.answers
        before = self.desk.accounts.get(about.account_id)
        said = Correction(Named(self.desk.owner.person_id), Named(), f"cel {n}", "", "")
        whose = self.unit("tehran" if side == "warsaw" else "warsaw").unit_id if what == "other" else what
        try:
            if what == "confirm":
                outcome = answers.confirm(sitting, about)
            elif what == "correct":
                outcome = answers.correct(sitting, about, said)
            else:
                outcome = answers.disown(sitting, about, whose, "")
        except InvalidInput:
            outcome = Outcome.STALE
        if outcome != Outcome.DONE:
            assert self.desk.accounts.get(about.account_id) == before

    @rule(side=SIDES, handle=st.sampled_from(HANDLES))
    def add(self, side: str, handle: str) -> None:
        owner = Named(self.person(side).person_id)
        new = Addition(f"{SERVER}/@{handle}", "", "", self.unit(side).unit_id, owner, "")
        try:
            outcome = self.desk.adding.add(self.sitting(side), new)
        except InvalidInput:
            assert self.account(handle) is not None, "what nobody knows can be added"
        else:
            assert outcome == Outcome.SHUT or self.account(handle) is not None

    @rule(side=SIDES, handle=st.sampled_from(HANDLES))
    def import_file(self, side: str, handle: str) -> None:
        self.desk.account(handle, self.unit(side))

    @rule(handle=st.sampled_from(HANDLES), what=st.sampled_from(["retire", "move", "rename", "return"]))
    def others_change(self, handle: str, what: str) -> None:
        account = self.account(handle)
        if account is None or not account.owner_id:
            return
        there = "tehran" if account.unit_id == self.desk.company.warsaw.unit_id else "warsaw"
        changes: dict[str, dict[str, Any]] = {
            "retire": {"account_class": AccountClass.RETIRED},
            "move": {"unit_id": self.unit(there).unit_id},
            "rename": {"purpose": "inny cel"},
            "return": {"account_class": AccountClass.OFFICIAL},
        }
        self.desk.amend(account, **changes[what])

    @rule(side=SIDES, reopens=st.booleans())
    def finish(self, side: str, reopens: bool) -> None:
        self.desk.answers.finish(self.sitting(side))
        if reopens:
            self.desk.answers.reopen(self.sitting(side))

    @rule()
    def remind(self) -> None:
        self.desk.stage.clock.advance(hours=1)
        try:
            self.desk.rounds.remind(self.desk.lead, self.round_.round_id)
        except Conflict:
            return
        assert set(self.desk.work()) <= {"done"}

    @invariant()
    def counters_are_what_a_recount_says(self) -> None:
        for unit in (self.desk.company.warsaw, self.desk.company.tehran):
            counts = self.desk.counts(self.round_, unit)
            assert counts == self.desk.recount(self.round_, unit)
            assert all(n > 0 for n in counts.values())

    @invariant()
    def no_account_is_lost_or_doubled(self) -> None:
        items = self.desk.stage.dynamodb.scan(TableName=self.desk.stage.settings.table("accounts"))["Items"]
        kinds = Counter(item["pk"]["S"].partition("#")[0] for item in items)
        handles = Counter(i["handle"]["S"] for i in items if i["pk"]["S"].startswith("account#"))
        assert kinds["account"] == kinds["address"]
        assert set(handles.values()) <= {1}
        for handle in HANDLES:
            account = self.account(handle)
            first = self.known.get(handle)
            assert first is None or (account is not None and account.account_id == first)
            if account is not None:
                self.known[handle] = account.account_id

    def teardown(self) -> None:
        if not hasattr(self, "round_"):
            return
        self.desk.stage.clock.advance(hours=1)
        self.desk.rounds.close(self.desk.lead, self.round_.round_id)
        assert set(self.desk.work()) <= {"done"}
        for unit in (self.desk.company.warsaw, self.desk.company.tehran):
            part = self.desk.part(self.round_, unit)
            assert part.closed_at is not None
            assert part.state in (PartState.FINISHED, PartState.UNANSWERED)
            assert self.desk.counts(self.round_, unit) == self.desk.recount(self.round_, unit)


Rounds.TestCase.settings = settings(
    max_examples=3,
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each stage is a stack: shrinking takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestRounds = pytest.mark.usefixtures("moto_cloud")(Rounds.TestCase)
