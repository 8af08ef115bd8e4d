"""What people do with conversations, who may, and what happens when two do it at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.inbox.access import Wanted
from chalicelib.inbox.model import ClockKind, Conversation, Priority, State
from chalicelib.inbox.moves import LOCKED_FOR, Moves
from chalicelib.inbox.rules import Actions, Conditions, Rule
from chalicelib.org.model import Actor, operator
from chalicelib.org.roles import Role
from tests.fakes.aws_faults import AwsFaults
from tests.inbox.letters import BEHNAM, Letterbox, answered, said


@pytest.fixture
def waiting(letterbox: Letterbox) -> Conversation:
    """A conversation of the northern account that waits for an answer."""
    letterbox.take(said(letterbox.ago(10)))
    return letterbox.conversation()


def moves_of(letterbox: Letterbox) -> tuple[Actor, Moves]:
    return letterbox.responders[0], letterbox.inbox.moves


EVERY: dict[str, tuple[Callable[[Moves, Actor, str], Any], State, dict[str, Any]]] = {
    "assigned": (lambda m, a, i: m.assign(a, i, a.person_id), State.ASSIGNED, {}),
    "waits for the customer": (
        lambda m, a, i: m.wait(a, i, "customer", "a number"), State.WAITING_CUSTOMER, {"reason": "a number"},
    ),
    "waits for the colleague": (
        lambda m, a, i: m.wait(a, i, "colleague", "legal"), State.WAITING_COLLEAGUE, {"reason": "legal"},
    ),
    "escalated": (lambda m, a, i: m.escalate(a, i, "a threat"), State.ESCALATED, {"reason": "a threat"}),
    "closed": (lambda m, a, i: m.close(a, i), State.CLOSED, {}),
    "ignored": (lambda m, a, i: m.ignore(a, i, "a bot"), State.IGNORED, {"reason": "a bot"}),
    "tagged": (lambda m, a, i: m.tag(a, i, ["b", "a"]), State.OPEN, {"tags": ("a", "b")}),
    "priority set": (
        lambda m, a, i: m.rank(a, i, Priority.URGENT), State.OPEN, {"priority": Priority.URGENT},
    ),
    "claimed for an answer": (lambda m, a, i: m.claim(a, i), State.OPEN, {}),
}  # fmt: skip


@pytest.mark.parametrize("what", EVERY)
def test_a_move_is_one_change_with_its_history_row(
    letterbox: Letterbox, waiting: Conversation, what: str
) -> None:
    actor, moves = moves_of(letterbox)
    move, state, fields = EVERY[what]
    letterbox.box.stage.clock.advance(seconds=1)
    saved = move(moves, actor, waiting.conversation_id)
    assert saved == letterbox.conversation()
    assert saved.state == state
    assert {name: getattr(saved, name) for name in fields} == fields
    row = letterbox.history(saved)[-1]
    assert (row.what, row.person_id, str(row.way)) == (what, actor.person_id, "api")
    assert row.why == fields.get("reason")
    move(moves, actor, waiting.conversation_id)  # once more
    assert letterbox.conversation().state == state


def test_what_is_given_back_is_open_again(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    moves.assign(actor, waiting.conversation_id, actor.person_id)
    assert moves.unassign(actor, waiting.conversation_id).state == State.OPEN
    moves.claim(actor, waiting.conversation_id)
    assert moves.release(actor, waiting.conversation_id).lock_by is None
    moves.tag(actor, waiting.conversation_id, ["a", "b"])
    assert moves.untag(actor, waiting.conversation_id, ["a", "x"]).tags == ("b",)
    letterbox.box.stage.clock.advance(seconds=1)
    moves.close(actor, waiting.conversation_id, "a joke")
    assert moves.reopen(actor, waiting.conversation_id, "no joke").state == State.OPEN
    assert {"unassigned", "released", "untagged", "reopened"} <= {r.what for r in letterbox.history(waiting)}


def test_a_new_message_reopens_what_was_closed_and_gives_it_back_to_whoever_had_it(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    actor, moves = moves_of(letterbox)
    moves.assign(actor, waiting.conversation_id, actor.person_id)
    moves.close(actor, waiting.conversation_id)
    letterbox.take(said(letterbox.now, "m2"))
    assert letterbox.conversation().state == State.ASSIGNED


def test_an_ignored_conversation_stays_ignored_until_a_person_takes_it_up(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    actor, moves = moves_of(letterbox)
    moves.ignore(actor, waiting.conversation_id, "a bot")
    letterbox.take(said(letterbox.now, "m2"))
    assert letterbox.conversation().state == State.IGNORED
    assert moves.assign(actor, waiting.conversation_id, actor.person_id).state == State.ASSIGNED


def test_a_person_may_take_up_what_the_rules_ignored(letterbox: Letterbox) -> None:
    letterbox.rule(Rule("spam", Conditions(keywords=("bitcoin",)), Actions(ignore=True)))
    letterbox.take(said(letterbox.ago(5), text="bitcoin"))
    actor, moves = moves_of(letterbox)
    assert letterbox.conversation().state == State.IGNORED
    assert moves.reopen(actor, letterbox.id_of("t1")).state == State.OPEN
    letterbox.take(said(letterbox.ago(1), "m2", text="bitcoin"))
    assert letterbox.conversation().state == State.OPEN


def test_one_answers_and_then_waits_for_what_one_asked(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    letterbox.take(answered(letterbox.ago(1)))
    assert (
        moves.wait(actor, waiting.conversation_id, "customer", "their number").state == State.WAITING_CUSTOMER
    )
    letterbox.take(said(letterbox.now, "m2"))
    assert letterbox.conversation().state == State.OPEN


def test_waiting_for_the_customer_stops_the_clocks(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    saved = moves.wait(actor, waiting.conversation_id, "customer", "x")
    assert all(c.running_since is None for c in saved.clocks if c.ended_at is None)
    assert {c.kind for c in saved.clocks} >= {ClockKind.FIRST_ANSWER}


def test_what_is_closed_cannot_wait(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    moves.close(actor, waiting.conversation_id)
    with pytest.raises(Conflict, match="is closed; it cannot become waiting customer, reopen"):
        moves.wait(actor, waiting.conversation_id, "customer", "x")


# Whose it is


def test_another_persons_conversation_is_only_taken_over_by_who_has_seen_that_it_is(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    first, moves = moves_of(letterbox)
    second = letterbox.person(Role.RESPONDER, letterbox.units[0])
    taken = moves.assign(first, waiting.conversation_id, first.person_id)
    with pytest.raises(Conflict, match="has this conversation"):
        moves.assign(second, waiting.conversation_id, second.person_id)
    moves.assign(second, waiting.conversation_id, second.person_id, taken.version)
    assert letterbox.conversation().assignee_id == second.person_id
    manager = letterbox.person(Role.DISTRICT_MANAGER, letterbox.units[0])
    assert moves.assign(manager, waiting.conversation_id, first.person_id).assignee_id == first.person_id


def test_nobody_is_given_what_they_may_not_answer(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    south = letterbox.responders[1]
    with pytest.raises(InvalidInput, match="may not answer conversations of this account"):
        moves.assign(actor, waiting.conversation_id, south.person_id)
    with pytest.raises(InvalidInput, match="there is no person"):
        moves.assign(actor, waiting.conversation_id, "person_none")
    gone = letterbox.person(Role.RESPONDER, letterbox.units[0])
    letterbox.box.services.org.mark_left(operator("test", letterbox.now), gone.person_id)
    with pytest.raises(InvalidInput, match="has left"):
        moves.assign(actor, waiting.conversation_id, gone.person_id)


def test_a_version_that_is_not_the_latest_is_refused(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    letterbox.take(said(letterbox.now, "m2"))
    with pytest.raises(Conflict, match="something happened in this conversation meanwhile"):
        moves.close(actor, waiting.conversation_id, "", waiting.version)
    assert letterbox.conversation().state == State.OPEN


# Two at once


def between(letterbox: Letterbox, move: Callable[[str], Any], meanwhile: Callable[[], Any]) -> None:
    """Make a move with the conversation t1, and let something happen between its reading and its commit."""
    letterbox.take(said(letterbox.ago(10), "twin", thread="twin"))
    faults = AwsFaults(letterbox.box.stage.dynamodb)
    with faults.plan():
        move(letterbox.id_of("twin"))
        commit = faults.calls.index("TransactWriteItems") + 1
    with faults.plan(meanwhile={commit: meanwhile}):
        move(letterbox.id_of("t1"))


def test_of_two_who_take_a_conversation_at_once_one_is_told(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    first, moves = moves_of(letterbox)
    second = letterbox.person(Role.RESPONDER, letterbox.units[0])
    with pytest.raises(Conflict, match="has just changed"):
        between(
            letterbox,
            lambda one: moves.assign(first, one, first.person_id),
            lambda: moves.assign(second, waiting.conversation_id, second.person_id),
        )
    assert letterbox.conversation().assignee_id == second.person_id


def test_of_two_who_claim_at_once_one_writes(letterbox: Letterbox, waiting: Conversation) -> None:
    first, moves = moves_of(letterbox)
    second = letterbox.person(Role.RESPONDER, letterbox.units[0])
    with pytest.raises(Conflict, match="has just changed"):
        between(
            letterbox,
            lambda one: moves.claim(first, one),
            lambda: moves.claim(second, waiting.conversation_id),
        )
    assert letterbox.conversation().lock_by == second.person_id


def test_a_move_that_meets_a_new_message_is_made_on_what_stands_then(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    actor, moves = moves_of(letterbox)
    between(
        letterbox,
        lambda one: moves.assign(actor, one, actor.person_id),
        lambda: letterbox.take(said(letterbox.now, "m2")),
    )
    saved = letterbox.conversation()
    assert (saved.state, saved.messages) == (State.ASSIGNED, 2)


# The lock


def test_the_lock_ends_after_five_minutes_or_is_renewed_by_its_holder(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    first, moves = moves_of(letterbox)
    second = letterbox.person(Role.RESPONDER, letterbox.units[0])
    moves.claim(first, waiting.conversation_id)
    letterbox.box.stage.clock.advance(minutes=4)
    with pytest.raises(Conflict, match="is writing an answer until 12:05:00 UTC"):
        moves.claim(second, waiting.conversation_id)
    renewed = moves.claim(first, waiting.conversation_id)
    assert renewed.lock_until == letterbox.now + LOCKED_FOR
    letterbox.box.stage.clock.advance(minutes=5)
    assert letterbox.conversation().writer(letterbox.now) is None
    assert moves.claim(second, waiting.conversation_id).lock_by == second.person_id


def test_a_lock_is_taken_over_only_by_who_manages_the_inbox(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    first, moves = moves_of(letterbox)
    second = letterbox.person(Role.RESPONDER, letterbox.units[0])
    manager = letterbox.person(Role.DISTRICT_MANAGER, letterbox.units[0])
    moves.claim(first, waiting.conversation_id)
    with pytest.raises(NotAllowed):
        moves.claim(second, waiting.conversation_id, take_over=True)
    with pytest.raises(Conflict):
        moves.release(second, waiting.conversation_id)
    with pytest.raises(Conflict):
        moves.claim(manager, waiting.conversation_id)
    assert moves.claim(manager, waiting.conversation_id, take_over=True).lock_by == manager.person_id
    with pytest.raises(Conflict):
        moves.claim(first, waiting.conversation_id)


def test_a_customers_message_does_not_end_the_lock(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    moves.claim(actor, waiting.conversation_id)
    letterbox.take(said(letterbox.now, "m2"))
    assert letterbox.conversation().writer(letterbox.now) == actor.person_id


# Notes


def test_a_note_mentions_a_person_by_id(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    lead = letterbox.box.lead
    moves.note(actor, waiting.conversation_id, f"@{lead.person_id} please look, @{lead.person_id}")
    (note,) = letterbox.inbox.notes(letterbox.conversation())
    assert note.mentions == (lead.person_id,)
    assert "note added" in {r.what for r in letterbox.history(waiting)}
    assert "please" not in str(letterbox.history(waiting))


def test_a_note_mentions_nobody_who_may_not_read_it(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    nobody = "person_" + "0" * 26
    with pytest.raises(InvalidInput, match="there is no person"):
        moves.note(actor, waiting.conversation_id, f"@{nobody} look")
    with pytest.raises(InvalidInput, match="may not read conversations"):
        moves.note(actor, waiting.conversation_id, f"@{letterbox.responders[1].person_id} look")


# Merging


def test_two_conversations_of_an_account_become_the_older_one(letterbox: Letterbox) -> None:
    actor, moves = moves_of(letterbox)
    letterbox.take(said(letterbox.ago(20)), answered(letterbox.ago(15)))
    letterbox.take(said(letterbox.ago(5), "n1", thread="t2"), said(letterbox.ago(2), "n2", thread="t2"))
    moves.note(actor, letterbox.id_of("t2"), "the same person")
    whole = moves.merge(actor, letterbox.id_of("t2"), letterbox.id_of("t1"))
    assert whole.conversation_id == letterbox.id_of("t1")
    assert (whole.state, whole.messages, whole.unanswered_since) == (State.OPEN, 4, letterbox.ago(5))
    assert [m.external_id for m in letterbox.messages(whole)] == ["m1", "a1", "n1", "n2"]
    assert [n.text for n in letterbox.inbox.notes(whole)] == ["the same person"]
    listed, _ = letterbox.inbox.page(actor, Wanted(), 50)
    assert listed == [whole]
    letterbox.take(said(letterbox.now, "n3", thread="t2"))
    assert letterbox.conversation().messages == 5
    assert letterbox.inbox.get(actor, letterbox.id_of("t2")).conversation_id == whole.conversation_id
    first, cursor = letterbox.inbox.messages(whole, 2)
    second, _ = letterbox.inbox.messages(whole, 200, cursor or "")
    assert [m.external_id for m in [*first, *second]] == ["n3", "n2", "n1", "a1", "m1"]
    other = letterbox.inbox.store.find(letterbox.id_of("t2"))
    assert other is not None
    assert not [c for c in other.clocks if c.ended_at is None and c.running_since]
    assert "merged into another" in {r.what for r in letterbox.history(other)}


def test_what_cannot_be_one_is_not_merged(letterbox: Letterbox) -> None:
    actor, moves = moves_of(letterbox)
    letterbox.take(said(letterbox.ago(20)), said(letterbox.ago(5), "n1", thread="t2"))
    letterbox.take(said(letterbox.ago(5)), account=letterbox.accounts[1])
    theirs = letterbox.id_of("t1", letterbox.accounts[1])
    with pytest.raises(NotFound):
        moves.merge(actor, letterbox.id_of("t1"), theirs)
    with pytest.raises(InvalidInput, match="of another account"):
        moves.merge(letterbox.box.lead, letterbox.id_of("t1"), theirs)
    with pytest.raises(InvalidInput, match="one conversation already"):
        moves.merge(actor, letterbox.id_of("t1"), letterbox.id_of("t1"))
    colleague = letterbox.person(Role.RESPONDER, letterbox.units[0])
    moves.claim(colleague, letterbox.id_of("t2"))
    with pytest.raises(Conflict, match="is writing an answer"):
        moves.merge(actor, letterbox.id_of("t1"), letterbox.id_of("t2"))


# Who may


def test_a_responder_of_another_unit_finds_nothing_and_may_do_nothing(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    _, moves = moves_of(letterbox)
    south = letterbox.responders[1]
    assert letterbox.inbox.page(south, Wanted(), 50) == ([], None)
    asked = Wanted(account_id=letterbox.accounts[0].account_id)
    assert letterbox.inbox.page(south, asked, 50) == ([], None)
    with pytest.raises(NotFound):
        letterbox.inbox.get(south, waiting.conversation_id)
    for move, _, _ in EVERY.values():
        with pytest.raises(NotFound):
            move(moves, south, waiting.conversation_id)


def test_an_account_grant_is_enough_for_its_conversations(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    letterbox.take(said(letterbox.ago(3), "s1", author=BEHNAM), account=letterbox.accounts[1])
    only = letterbox.person(Role.RESPONDER, account=letterbox.accounts[0])
    listed, _ = letterbox.inbox.page(only, Wanted(), 50)
    assert [c.conversation_id for c in listed] == [waiting.conversation_id]
    assert letterbox.inbox.moves.close(only, waiting.conversation_id).state == State.CLOSED


def test_an_analyst_reads_and_moves_nothing(letterbox: Letterbox, waiting: Conversation) -> None:
    _, moves = moves_of(letterbox)
    analyst = letterbox.person(Role.ANALYST, letterbox.units[0])
    assert letterbox.inbox.get(analyst, waiting.conversation_id) == waiting
    for move, _, _ in EVERY.values():
        with pytest.raises(NotAllowed):
            move(moves, analyst, waiting.conversation_id)


# Many


def test_each_of_many_is_done_or_refused_by_itself(letterbox: Letterbox) -> None:
    actor, moves = moves_of(letterbox)
    letterbox.take(said(letterbox.ago(9)), said(letterbox.ago(8), "n1", thread="t2"))
    ids = [letterbox.id_of("t1"), "k" + "0" * 32, letterbox.id_of("t2")]
    results = moves.bulk(ids, lambda one: moves.close(actor, one))
    assert [r.error is None for r in results] == [True, False, True]
    assert isinstance(results[1].error, NotFound)
    assert letterbox.conversation("t2").state == State.CLOSED


def test_the_clock_of_a_move_is_the_offices(letterbox: Letterbox, waiting: Conversation) -> None:
    actor, moves = moves_of(letterbox)
    letterbox.box.stage.clock.set(letterbox.now + timedelta(microseconds=1234))
    saved = moves.close(actor, waiting.conversation_id)
    assert saved == letterbox.conversation(), "what is returned has the grain of what is stored"
