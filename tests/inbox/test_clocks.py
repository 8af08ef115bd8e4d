"""Clocks start with what customers write, end with our answers, stop while we wait, and ring once a step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.core.clock import FixedClock, from_text
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item
from chalicelib.core.timetable import Claim, Entry, Lane, Timetable
from chalicelib.core.work import Later
from chalicelib.inbox import facts
from chalicelib.inbox.calendar import Calendar, Shift
from chalicelib.inbox.clocks import BREACH, Clocks, clock_of, clocks_of, ring_times
from chalicelib.inbox.model import ClockKind, ClockState, Conversation, Decision, Message, State
from chalicelib.inbox.settings import Own, Settled
from chalicelib.inbox.targets import Ladder, Rung, Step, Targets
from chalicelib.platforms.inbound import Author
from tests.conftest import NOON
from tests.fakes.stage import Stage
from tests.inbox.clockwork import Clockwork

FIRST, NEXT, RESOLUTION = ClockKind.FIRST_ANSWER, ClockKind.NEXT_ANSWER, ClockKind.RESOLUTION
DAY = timedelta(days=1)
OFFICE = Calendar("Europe/Warsaw", tuple(Shift(day, 9 * 60, 17 * 60) for day in range(5)))
HOURS = Settled(Targets({f"comment.{kind}": 8 * 3600 for kind in ClockKind}), OFFICE)


@pytest.fixture
def works(stage: Stage) -> Clockwork:
    return Clockwork.open(stage)


# From facts


def told(n: int, minutes: int, own: bool) -> Message:
    at = NOON + timedelta(minutes=minutes)
    return Message("k", f"m{n}", "comment", own, Author("a"), at, at)


def conversation(messages: list[Message], before: Conversation | None, now: datetime) -> Conversation:
    """What the inbox makes of messages, with its clocks."""
    found = facts.facts(messages)
    assert found is not None
    after = facts.settled(replace(before, **found) if before else Conversation(**{**START, **found}))
    return replace(after, clocks=tuple(clocks_of(before, after, now, HOURS)))


def in_order(messages: list[Message], order: list[int], now: datetime) -> Conversation | None:
    here: list[Message] = []
    found = None
    for n in order:
        here.append(messages[n])
        if any(not m.own for m in here):
            found = conversation(here, found, now)
    return found


turns = st.lists(
    st.tuples(st.integers(0, 5000), st.booleans()), min_size=1, max_size=6, unique_by=lambda m: m[0]
)


@settings(max_examples=300, deadline=None)
@given(turns, st.randoms(use_true_random=False))
def test_any_order_of_the_same_messages_leaves_the_same_clocks(
    said: list[tuple[int, bool]], luck: Any
) -> None:
    messages = [told(n, minutes, own) for n, (minutes, own) in enumerate(said)]
    by_time = sorted(range(len(messages)), key=lambda n: messages[n].at)
    shuffled = list(by_time)
    luck.shuffle(shuffled)
    now = NOON + timedelta(days=5)

    one, other = in_order(messages, by_time, now), in_order(messages, shuffled, now)

    assert (one.clocks if one else ()) == (other.clocks if other else ())


@given(turns)
def test_a_clock_is_due_its_target_of_business_time_after_what_it_counts_from(
    said: list[tuple[int, bool]],
) -> None:
    messages = [told(n, minutes, own) for n, (minutes, own) in enumerate(said)]
    found = in_order(messages, list(range(len(messages))), NOON)
    for clock in found.clocks if found else ():
        assert clock.due_at == OFFICE.add(clock.started_at, clock.target_for)
        assert clock.target_for == 8 * 3600
        assert not clock.ended_at or (clock.breached_at == clock.due_at) == (clock.ended_at > clock.due_at)


def test_every_order_of_a_short_talk_counts_the_customers_wait() -> None:
    messages = [told(0, 0, False), told(1, 30, True), told(2, 60, False), told(3, 70, False)]
    for order in permutations(range(4)):
        found = in_order(messages, list(order), NOON)
        first, following = clock_of(found, FIRST), clock_of(found, NEXT)
        assert first is not None
        assert following is not None
        assert (first.started_at, first.ended_at) == (NOON, NOON + timedelta(minutes=30))
        assert (following.started_at, following.ended_at) == (NOON + timedelta(minutes=60), None)
        assert clock_of(found, RESOLUTION) == replace(following, kind=RESOLUTION)


def test_steps_come_in_order_each_at_its_share_of_business_time() -> None:
    friday = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 16:00 in Warsaw
    clock = ClockState(FIRST, 8 * 3600, friday, friday, due_at=OFFICE.add(friday, 8 * 3600))
    steps = ring_times(clock, OFFICE, Ladder((Step(Rung.TEAM, 600), Step(Rung.LEAD, 1200))))
    monday = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    wanted = ["03:00", "05:24", "07:00", "07:10", "07:30"]
    assert steps == [monday + timedelta(hours=int(w[:2]), minutes=int(w[3:])) for w in wanted]


# From day to day


def test_a_customers_message_starts_the_clocks_and_an_answer_ends_them(works: Clockwork) -> None:
    asked_at = works.now
    found = works.says()
    assert {c.kind for c in found.clocks} == {FIRST, RESOLUTION}
    assert all((c.started_at, c.due_at, c.ended_at) == (asked_at, asked_at + DAY, None) for c in found.clocks)

    works.passes(hours=3)
    found = works.says(own=True)
    (first,) = found.clocks
    assert (first.kind, first.ended_at, first.breached_at) == (FIRST, works.now, None)

    works.runs(hours=100)
    assert works.rung() == []
    assert works.mails() == []


def test_a_later_message_of_the_customers_runs_a_clock_of_its_own(works: Clockwork) -> None:
    works.says()
    works.passes(hours=1)
    works.says(own=True)
    works.passes(hours=5)
    works.says()
    following = works.clock(NEXT)
    assert following is not None
    assert (following.started_at, following.due_at) == (works.now, works.now + DAY)
    works.passes(hours=1)
    works.says()
    assert works.clock(NEXT) == following


def test_a_message_that_comes_late_takes_the_clock_back_to_its_time(works: Clockwork) -> None:
    works.says()
    earlier = works.now - timedelta(hours=10)
    works.says(happened_at=earlier)
    first = works.clock(FIRST)
    assert first is not None
    assert (first.started_at, first.due_at) == (earlier, earlier + DAY)


def test_the_clocks_stand_still_while_we_wait_for_the_customer(works: Clockwork) -> None:
    works.says()
    works.passes(hours=10)
    works.inbox.moves.wait(works.box.lead, works.id(), "customer", "asked for the number")
    stopped = works.clock(FIRST)
    assert stopped is not None
    assert (stopped.spent_for, stopped.running_since, stopped.due_at) == (10 * 3600, None, None)

    works.runs(hours=100)
    assert works.rung() == []

    works.says()
    first = works.clock(FIRST)
    assert first is not None
    assert (first.running_since, first.due_at) == (works.now, works.now + timedelta(hours=14))
    works.runs(hours=3)
    assert sorted((clock, step) for clock, _, step in works.rung()) == [
        ("first_answer", 1),
        ("resolution", 1),
    ]


def test_a_message_that_was_on_its_way_when_we_began_to_wait_costs_the_customer_nothing(
    works: Clockwork,
) -> None:
    works.says()
    works.passes(hours=4)
    sent_at = works.now
    works.passes(hours=1)
    works.inbox.moves.wait(works.box.lead, works.id(), "customer", "asked for the number")
    asked_at = works.now
    works.passes(hours=2)
    works.says(happened_at=sent_at)
    first = works.clock(FIRST)
    assert first is not None
    assert (first.running_since, first.due_at) == (asked_at, asked_at + timedelta(hours=19))


def test_closing_ends_every_clock_and_a_new_message_starts_anew(works: Clockwork) -> None:
    works.says()
    works.passes(hours=20)
    works.inbox.moves.close(works.box.lead, works.id(), "said by phone")
    assert all(c.ended_at == works.now for c in works.conversation().clocks)
    works.runs(hours=50)

    works.says()
    assert {(c.kind, c.started_at, c.step) for c in works.conversation().clocks} == {
        (FIRST, works.now, 0), (RESOLUTION, works.now, 0),
    }  # fmt: skip
    works.says(happened_at=works.now - timedelta(minutes=5))
    first = works.clock(FIRST)
    assert first is not None
    assert first.started_at == works.now


def test_what_was_ignored_and_is_taken_up_again_has_waited_all_along_and_is_told_nothing_twice(
    works: Clockwork,
) -> None:
    asked_at = works.now
    works.says()
    works.runs(hours=13)
    works.inbox.moves.ignore(works.box.lead, works.id(), "spam")
    works.runs(hours=5)
    works.inbox.moves.reopen(works.box.lead, works.id())
    first = works.clock(FIRST)
    assert first is not None
    assert (first.started_at, first.due_at, first.ended_at) == (asked_at, asked_at + DAY, None)
    works.runs(hours=2)
    steps = [(clock, step) for clock, _, step in works.rung()]
    assert sorted(steps) == [("first_answer", 1), ("first_answer", 2), ("resolution", 1), ("resolution", 2)]


def test_targets_are_those_of_the_unit_and_the_kind_when_the_clock_starts(works: Clockwork) -> None:
    works.set(Own(targets=Targets({"comment.first_answer": 3600})))
    works.says()
    works.set(Own(targets=Targets({"comment.first_answer": 7200})))
    works.passes(seconds=40)
    works.says()
    first = works.clock(FIRST)
    assert first is not None
    assert first.target_for == 3600
    works.says("other")
    other = works.clock(FIRST, "other")
    assert other is not None
    assert other.target_for == 7200


def test_each_step_is_told_at_its_time_and_the_ladder_follows_the_breach(works: Clockwork) -> None:
    works.set(Own(targets=Targets({"comment.first_answer": 10 * 3600, "comment.resolution": 90 * 86400})))
    asked_at = works.now
    works.says()
    works.runs(hours=30)
    rows = [r for r in works.box.services.history.of(f"conversation#{works.id()}") if r.what == "clock rang"]
    hours = [5, 8, 10, 11, 12, 13, 14]
    assert [r.details["step"] for r in rows] == [1, 2, 3, 4, 5, 6, 7]
    for row, hour in zip(rows, hours, strict=True):
        assert timedelta(0) <= row.at - (asked_at + timedelta(hours=hour)) < timedelta(seconds=5)
    first = works.clock(FIRST)
    assert first is not None
    assert first.breached_at == asked_at + timedelta(hours=10)


def test_an_older_message_that_comes_late_brings_no_step_a_second_time(works: Clockwork) -> None:
    works.says()
    works.runs(hours=13)
    works.says(happened_at=works.now - timedelta(hours=14))
    works.runs(hours=2)
    steps = [(clock, step) for clock, _, step in works.rung()]
    assert sorted(steps) == [("first_answer", 1), ("resolution", 1)]


def test_a_mail_that_is_overtaken_by_the_next_step_is_not_sent(works: Clockwork) -> None:
    works.set(Own(targets=Targets({"comment.resolution": 90 * 86400})))
    works.says()
    worker, timetable = works.box.services.chores_worker, works.box.services.kernel.timetable
    for hours in (13, 7):  # after half and four fifths of a day
        works.box.stage.clock.advance(hours=hours)
        assert worker.run(f"clock#{works.id()}#first_answer") == "later"
    tellings = [i for i, _ in timetable.due(Lane.CHORES, works.now) if i.startswith("tell_clock#")]
    assert [worker.run(i) for i in sorted(tellings)] == ["done", "done"]
    assert [m["Subject"] for m in works.mails()] == ["Wkrótce będzie za późno: @ala.kot, mastodon"]


def test_a_clock_that_starts_in_the_past_rings_once_with_its_latest_step(works: Clockwork) -> None:
    works.set(Own(targets=Targets({"comment.resolution": 90 * 86400})))
    works.says(happened_at=works.now - timedelta(hours=25, minutes=30))
    works.passes(seconds=1)
    assert [step for _, _, step in works.rung()] == [4]
    assert len(works.mails()) == 1


def test_a_ring_for_a_clock_that_has_ended_does_nothing(works: Clockwork) -> None:
    works.says()
    entry_id = f"clock#{works.id()}#first_answer"
    timetable, worker = works.box.services.kernel.timetable, works.box.services.chores_worker
    works.box.stage.clock.advance(hours=13)
    works.says(own=True)
    assert worker.run(entry_id) == "gone"

    change = works.box.services.kernel.change(works.box.lead.by)
    change.schedule(replace(timetable.get(entry_id), due_at=works.now, owner=None, done_at=None))
    change.record("x", "brought back")
    works.box.services.kernel.commit(change)
    assert worker.run(entry_id) == "done"
    assert works.rung() == []


def test_a_mail_that_is_late_itself_says_nothing_of_what_is_over(works: Clockwork) -> None:
    works.says()
    works.box.stage.clock.advance(hours=13)
    worker, timetable = works.box.services.chores_worker, works.box.services.kernel.timetable
    assert worker.run(f"clock#{works.id()}#first_answer") == "later"
    works.says(own=True)
    tellings = [i for i, _ in timetable.due(Lane.CHORES, works.now) if i.startswith("tell_clock#")]
    assert [worker.run(i) for i in tellings] == ["done"]
    assert works.mails() == []


def test_the_clocks_of_what_the_rules_ignore_never_start(works: Clockwork) -> None:
    from chalicelib.inbox.rules import Actions, Conditions, Rule
    from chalicelib.inbox.settings import RuleBook

    spam = Rule("spam", Conditions(keywords=("bitcoin",)), Actions(ignore=True))
    works.set(Own(rules=RuleBook((spam,))))
    found = works.says(text="Free Bitcoin!")
    assert (found.state, found.clocks) == (State.IGNORED, ())


# All together


class Desk:
    """Conversations in memory, and a timetable of their rings: what a change writes is there after it."""

    def __init__(self, clock: FixedClock, unit: Settled) -> None:
        self.clock = clock
        self.timetable = Timetable(None)  # type: ignore[arg-type]
        self.unit = unit
        self.kept: dict[str, Conversation] = {}
        self.due: dict[str, Entry] = {}
        self.rung: list[tuple[ClockKind, datetime, int]] = []
        self.clocks = Clocks(self, self, self, Uncounted(), self)  # type: ignore[arg-type]

    def of(self, unit_id: str) -> Settled:
        return self.unit

    def people(self, conversation: Conversation, step: int, now: datetime) -> list[str]:
        return ["p1"]

    def find(self, conversation_id: str) -> Conversation | None:
        return self.kept.get(conversation_id)

    def save(self, change: Change, conversation: Conversation) -> Conversation:
        self.kept[conversation.conversation_id] = conversation
        return conversation

    def change(self, by: By) -> Change:
        return Change(by, self.clock.now(), self.timetable, {})

    def commit(self, change: Change) -> None:
        for write in change.writes:
            entry_id = write.item_or_key["entry_id"]
            self.due.pop(entry_id, None)
            if write.action == "Put":
                entry = from_item(Entry, write.item_or_key)
                if entry.kind == "clock_rings":
                    self.due[entry_id] = entry
                else:
                    args = entry.args
                    told = (ClockKind(args["clock"]), from_text(args["started_at"]), int(args["step"]))
                    self.rung.append(told)

    def keep(self, after: Conversation) -> None:
        change = self.change(BY_JOB)
        self.save(change, self.clocks.plan(change, self.find(after.conversation_id), after))
        change.record("x", "changed")
        self.commit(change)

    def ring(self) -> None:
        """Do all that is due by now."""
        while due := [e for e in self.due.values() if e.due_at <= self.clock.now()]:
            for entry in due:
                self.due.pop(entry.entry_id)
                for _ in range(2):  # a worker that dies after its commit leaves the ring to another
                    try:
                        self.clocks.ring(Claim(entry, "me", self.clock.now()))
                    except Later as later:
                        self.due[entry.entry_id] = replace(entry, due_at=later.until)


class Uncounted:
    def follow(self, change: Change, before: Conversation | None, after: Conversation) -> None:
        """Numbers have tests of their own."""


class Talk(RuleBasedStateMachine):
    """One conversation; `running` is what each clock should be, worked out from what was done."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(FixedClock(NOON), HOURS)
        self.messages: list[Message] = []
        self.running: dict[ClockKind, dict[str, Any]] = {}
        self.state = "none"
        self.answered = False
        self.seen = 0

    @property
    def now(self) -> datetime:
        return self.desk.clock.now()

    def _start(self, kind: ClockKind) -> None:
        self.running[kind] = {"since": self.now, "from": self.now, "spent": 0, "moved": False}

    def _say(self, own: bool) -> None:
        name = f"m{len(self.messages)}"
        self.messages.append(Message("k", name, "comment", own, Author("a"), self.now, self.now))
        found = facts.facts(self.messages)
        assert found is not None
        before = self.desk.find("k")
        after = replace(before, **found) if before else Conversation(**{**START, **found})
        self.desk.keep(facts.settled(after))

    def _decide(self, state: State) -> None:
        before = self.desk.kept["k"]
        decision = Decision(state, self.now, before.heard_at, before.last_own_at)
        self.desk.keep(facts.settled(replace(before, decision=decision)))

    @rule(minutes=st.integers(1, 700) | st.integers(1, 5000))
    def time_passes(self, minutes: int) -> None:
        self.desk.clock.advance(minutes=minutes)
        self.desk.ring()

    @precondition(lambda self: self.state != "ignored")
    @rule()
    def customer_writes(self) -> None:
        self.desk.clock.advance(seconds=1)
        self._say(own=False)
        if self.state == "waiting":
            for clock in self.running.values():
                clock |= {"from": self.now, "moved": True}
        if self.state in ("none", "answered", "closed"):
            self.running = {}
            self._start(RESOLUTION)
        answer = NEXT if self.answered else FIRST
        if answer not in self.running:
            self._start(answer)
        self.state = "todo"

    @precondition(lambda self: self.state in ("todo", "waiting"))
    @rule()
    def we_answer(self) -> None:
        self.desk.clock.advance(seconds=1)
        self._say(own=True)
        self.answered, self.state, self.running = True, "answered", {}

    @precondition(lambda self: self.state == "answered")
    @rule()
    def we_pass_up_what_was_answered(self) -> None:
        self.desk.clock.advance(seconds=1)
        self._decide(State.ESCALATED)
        self.running, self.state = {}, "todo"
        self._start(RESOLUTION)

    @precondition(lambda self: self.state == "todo")
    @rule()
    def we_wait(self) -> None:
        self.desk.clock.advance(seconds=1)
        self._decide(State.WAITING_CUSTOMER)
        for clock in self.running.values():
            clock["spent"] += OFFICE.between(clock["from"], self.now)
        self.state = "waiting"

    @precondition(lambda self: self.state == "waiting")
    @rule()
    def we_take_it_up(self) -> None:
        self.desk.clock.advance(seconds=1)
        self._decide(State.OPEN)
        for clock in self.running.values():
            clock |= {"from": self.now, "moved": True}
        self.state = "todo"

    @precondition(lambda self: self.state in ("todo", "waiting", "answered"))
    @rule()
    def we_close(self) -> None:
        self.desk.clock.advance(seconds=1)
        self._decide(State.CLOSED)
        self.state, self.running = "closed", {}

    @precondition(lambda self: self.state == "todo")
    @rule(minutes=st.integers(1, 5000))
    def we_ignore_it_for_a_while(self, minutes: int) -> None:
        """What never stood still has waited all along; the rest goes on from when it is taken up again."""
        self._decide(State.IGNORED)
        for clock in self.running.values():
            clock["spent"] += OFFICE.between(clock["from"], self.now) if clock["moved"] else 0
        self.desk.clock.advance(minutes=minutes)
        rung = len(self.desk.rung)
        self.desk.ring()
        assert len(self.desk.rung) == rung, "an ended clock rang"
        self._decide(State.OPEN)
        for kind, clock in self.running.items():
            is_new = kind == RESOLUTION and not set(self.running) - {RESOLUTION}
            if is_new:  # nothing waits for an answer: it counts from when it is taken up
                self._start(RESOLUTION)
            elif clock["moved"]:
                clock["from"] = self.now

    @invariant()
    def clocks_are_what_was_done(self) -> None:
        found = self.desk.find("k")
        live = {c.kind: c for c in found.clocks if c.ended_at is None} if found else {}
        assert set(live) == set(self.running)
        for kind, clock in live.items():
            wanted = self.running[kind]
            assert (clock.started_at, clock.spent_for) == (wanted["since"], wanted["spent"]), kind
            left = max(0, clock.target_for - wanted["spent"])
            assert clock.due_at == (None if self.state == "waiting" else OFFICE.add(wanted["from"], left))

    @invariant()
    def every_step_is_told_once_and_none_of_a_clock_that_does_not_run(self) -> None:
        rung = self.desk.rung
        assert len(rung) == len(set(rung))
        for kind, since, _ in rung[self.seen :]:
            assert self.running[kind]["since"] == since
        self.seen = len(rung)

    @invariant()
    def what_is_due_was_told_or_is_about_to_be(self) -> None:
        found = self.desk.find("k")
        for kind in self.running if self.state != "waiting" else ():
            clock = clock_of(found, kind)
            assert clock is not None
            steps = ring_times(clock, OFFICE, HOURS.ladder)
            assert (clock.breached_at is not None) == (clock.step >= BREACH)
            entry = self.desk.due.get(f"clock#k#{kind}")
            assert [entry.due_at if entry else None] == [*steps, None][clock.step : clock.step + 1]

    @invariant()
    def nothing_rings_that_does_not_run(self) -> None:
        running = set(self.running) if self.state != "waiting" else set()
        assert {entry_id.rpartition("#")[2] for entry_id in self.desk.due} <= {str(k) for k in running}


@pytest.mark.parametrize(
    "said_and_done",
    [
        "customer_writes we_answer we_pass_up_what_was_answered customer_writes customer_writes",
        "customer_writes we_answer we_pass_up_what_was_answered customer_writes ignore customer_writes",
        "customer_writes we_close customer_writes ignore customer_writes we_wait we_take_it_up",
        "customer_writes ignore time_passes we_wait customer_writes ignore time_passes we_answer",
    ],
)
def test_what_went_wrong_once_does_not_again(said_and_done: str) -> None:
    talk = Talk()
    minutes = iter([1439, 1, 1, 1, 600])
    for step in said_and_done.split():
        match step:
            case "ignore":
                talk.we_ignore_it_for_a_while(next(minutes))
            case "time_passes":
                talk.time_passes(next(minutes))
            case _:
                getattr(talk, step)()
        talk.clocks_are_what_was_done()
        talk.every_step_is_told_once_and_none_of_a_clock_that_does_not_run()
        talk.what_is_due_was_told_or_is_about_to_be()


START: dict[str, Any] = {
    "conversation_id": "k", "account_id": "acc", "unit_id": "u", "platform": "p", "thread": "t",
    "state": State.OPEN, "created_at": NOON, "at": NOON,
}  # fmt: skip
TestTalk = Talk.TestCase
TestTalk.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
