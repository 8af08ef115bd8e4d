"""What follows from messages is the same in whatever order they are told."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.inbox import facts
from chalicelib.inbox.model import MOVES, Conversation, Decision, Message, State
from chalicelib.platforms.inbound import Author, InboundMedia
from tests.conftest import NOON
from tests.inbox.letters import ANNA, said

TIMES = st.integers(0, 6).map(lambda n: NOON - timedelta(minutes=n))
WORDS = st.sampled_from(["", "a", "b"])


@st.composite
def tellings(draw: st.DrawFn) -> Message:
    """A telling of the message m1."""
    edited_at = draw(st.none() | TIMES)
    message = Message(
        conversation_id="k1",
        external_id="m1",
        kind=draw(st.sampled_from(["comment", "mention"])),
        own=draw(st.booleans()),
        author=Author("anna-1", draw(WORDS), draw(WORDS), draw(WORDS)),
        at=draw(TIMES),
        received_at=draw(TIMES),
        text=f"version of {edited_at}",
        parent_id=draw(WORDS),
        url=draw(WORDS),
        media=(InboundMedia("image", f"of {edited_at}"),),
        stale=draw(st.booleans()),
        edited_at=edited_at,
        post_id=draw(WORDS),
    )
    deleted_at = draw(st.none() | TIMES)
    return facts.emptied(message, deleted_at) if deleted_at else message


@given(a=tellings(), b=tellings(), c=tellings())
@settings(max_examples=300)
def test_tellings_of_a_message_join_in_any_order_and_number(a: Message, b: Message, c: Message) -> None:
    join = facts.joined
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(a, a) == a


@given(a=tellings(), b=tellings())
def test_what_was_deleted_says_nothing_whatever_is_told_of_it_later(a: Message, b: Message) -> None:
    whole = facts.joined(facts.emptied(a, NOON), b)
    assert (whole.text, whole.media, whole.url, whole.author) == ("", (), "", Author("anna-1"))
    assert whole.deleted_at is not None


def letter(n: int, own: bool, minutes: int, is_deleted: bool = False) -> Message:
    at = NOON + timedelta(minutes=minutes)
    message = replace(facts.told(said(at, f"m{n}"), NOON + timedelta(days=1), False), own=own)
    return facts.emptied(message, at) if is_deleted else message


LETTERS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8), st.sampled_from([False, False, True])), max_size=8
)


def conversation(known: dict[str, Any], **more: Any) -> Conversation:
    fields = {
        "conversation_id": "k1", "account_id": "acc", "unit_id": "u", "platform": "mastodon", "thread": "t1",
        "state": State.OPEN, "created_at": NOON, "at": NOON,
    }  # fmt: skip
    return facts.settled(Conversation(**{**fields, **known, **more}))


@given(made=LETTERS)
@settings(max_examples=500)
def test_the_short_way_for_the_newest_message_says_what_all_messages_say(
    made: list[tuple[bool, int, bool]],
) -> None:
    letters = [letter(n, *parts) for n, parts in enumerate(made)]
    for n, newest in enumerate(letters):
        before, after = facts.facts(letters[:n]), facts.facts(letters[: n + 1])
        short = facts.with_newest(conversation(before), newest) if before else None
        if short is not None:
            assert {**(before or {}), **short} == after


def test_most_messages_go_the_short_way() -> None:
    letters = [letter(0, False, 0), letter(1, True, 1), letter(2, False, 2), letter(3, True, 3)]
    for n in (1, 2, 3):
        before = facts.facts(letters[:n])
        assert before is not None
        assert facts.with_newest(conversation(before), letters[n]) is not None


@given(made=LETTERS, decided=st.sampled_from([None, *State]), seen=st.integers(0, 8))
@settings(max_examples=500)
def test_every_change_of_state_that_messages_cause_is_one_of_the_table(
    made: list[tuple[bool, int, bool]], decided: State | None, seen: int
) -> None:
    letters = [letter(n, *parts) for n, parts in enumerate(made)]
    known = facts.facts(letters[:seen])
    if known is None:
        return
    decision = Decision(decided, NOON, known["heard_at"], known["last_own_at"]) if decided else None
    was = conversation(known, decision=decision)
    for n in range(seen, len(letters)):
        now = conversation(facts.facts(letters[: n + 1]) or {}, decision=decision)
        assert now.state == was.state or now.state in MOVES[was.state], (was.state, now.state)
        was = now


@given(made=LETTERS, data=st.data())
def test_the_state_does_not_depend_on_the_order_of_messages(
    made: list[tuple[bool, int, bool]], data: st.DataObject
) -> None:
    letters = [letter(n, *parts) for n, parts in enumerate(made)]
    assert facts.facts(letters) == facts.facts(data.draw(st.permutations(letters)))


def test_a_message_of_the_same_moment_as_our_answer_still_waits() -> None:
    known = facts.facts([letter(0, False, 5), letter(1, True, 5)])
    assert known is not None
    assert known["unanswered_since"] == NOON + timedelta(minutes=5)
    assert known["first_answered_at"] is None


def decided_at(state: State, known: dict[str, Any]) -> Decision:
    return Decision(state, NOON + timedelta(hours=1), known["heard_at"], known["last_own_at"])


@pytest.mark.parametrize(
    ("decided", "new", "becomes"),
    [
        (State.CLOSED, letter(9, False, 6), State.OPEN),
        (State.CLOSED, letter(9, False, 2), State.CLOSED),
        (State.CLOSED, letter(9, True, 6), State.CLOSED),
        (State.WAITING_CUSTOMER, letter(9, False, 6), State.OPEN),
        (State.WAITING_CUSTOMER, letter(9, False, 2), State.WAITING_CUSTOMER),
        (State.WAITING_CUSTOMER, letter(9, True, 6), State.ANSWERED),
        (State.WAITING_COLLEAGUE, letter(9, False, 6), State.WAITING_COLLEAGUE),
        (State.WAITING_COLLEAGUE, letter(9, True, 6), State.ANSWERED),
        (State.ESCALATED, letter(9, False, 6), State.ESCALATED),
        (State.ESCALATED, letter(9, True, 6), State.ANSWERED),
        (State.ESCALATED, letter(9, True, 2), State.ESCALATED),
        (State.IGNORED, letter(9, False, 6), State.IGNORED),
        (State.IGNORED, letter(9, True, 6), State.ANSWERED),
        (State.OPEN, letter(9, True, 6), State.ANSWERED),
    ],
)
def test_a_decision_stands_until_something_newer_than_was_known(
    decided: State, new: Message, becomes: State
) -> None:
    letters = [letter(0, False, 1), letter(1, False, 5)]
    known = facts.facts(letters)
    assert known is not None
    after = facts.facts([*letters, new])
    assert conversation(after or {}, decision=decided_at(decided, known)).state == becomes


def test_a_text_that_cannot_be_stored_or_shown_is_marked_and_a_long_one_is_cut() -> None:
    hostile = "a\x00b\u202ec\ud800d\r\ne👩‍👩‍👧‍👦"
    kept = facts.plain(hostile, 100)
    assert kept == "a\ufffdb\u202ec\ufffdd\r\ne👩‍👩‍👧‍👦"
    assert facts.plain(hostile, 100, one_line=True) == "a\ufffdb\ufffdc\ufffdd\ufffd\ufffde👩‍👩‍👧‍👦"
    cut = facts.plain("ż" * 100_000, facts.LONGEST_TEXT)
    assert len(cut) == facts.LONGEST_TEXT
    assert cut.endswith(facts.CUT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("سلام", True), ("123 سلام", True), ("שלום", True), ("Hello سلام", False), ("", False), ("👍", False)],
)
def test_the_direction_is_that_of_the_first_letter(text: str, expected: bool) -> None:
    assert facts.is_right_to_left(text) is expected


def test_a_message_from_the_future_counts_as_the_moment_it_came() -> None:
    told = facts.told(said(NOON + timedelta(days=900)), NOON, False)
    assert told.at == NOON


def test_times_are_compared_as_they_are_stored() -> None:
    at = NOON + timedelta(microseconds=123_456)
    told = facts.told(said(at, edited_at=at), NOON + timedelta(days=1), False)
    assert told.at == told.edited_at == NOON + timedelta(milliseconds=123)
    assert told.author == ANNA


def moment(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_when_the_customer_takes_everything_back_before_an_answer_it_is_closed_and_says_why() -> None:
    known = facts.facts([letter(0, False, 1, True), letter(1, False, 2, True)])
    gone = conversation(known or {})
    assert (gone.state, gone.reason, gone.resolved_at) == (State.CLOSED, facts.DELETED, moment(2))
    answered = facts.facts([letter(0, False, 1, True), letter(1, True, 2)])
    assert conversation(answered or {}).state == State.ANSWERED
