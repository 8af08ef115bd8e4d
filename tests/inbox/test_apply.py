"""Events from platforms: any order and number of them leaves the same inbox."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock
from chalicelib.core.errors import Conflict
from chalicelib.inbox import facts
from chalicelib.inbox.access import Wanted
from chalicelib.inbox.model import State
from chalicelib.inbox.rules import Actions, Conditions, Rule
from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind, InboundMedia
from tests.conftest import NOON, TEMPLATE
from tests.fakes.box import Box
from tests.fakes.stage import Stage
from tests.inbox.letters import ANNA, BEHNAM, BY_PLATFORM, CIARA, Letterbox, answered, deleted, said

# Any order, any number


@st.composite
def happenings(draw: st.DrawFn) -> list[tuple[int, InboundEvent]]:
    """What two or three customers and we do on two accounts, in the order in which it happens."""
    events: list[tuple[int, InboundEvent]] = []
    at = NOON - timedelta(hours=5)
    known: list[dict[str, list[str]]] = [{}, {}]
    edits = 0
    for n in range(draw(st.integers(2, 9))):
        at += timedelta(seconds=draw(st.integers(0, 600)))
        place = draw(st.integers(0, 1))
        who = draw(st.sampled_from([ANNA, BEHNAM, CIARA]))
        thread = f"t-{who.handle}"
        messages = known[place].setdefault(thread, [])
        what = draw(st.sampled_from(["new", "new", "reply", "answer", "answer", "edit", "delete"]))
        name = f"x{n}"
        if what in ("edit", "delete", "reply") and not messages:
            what = "new"
        named = draw(st.sampled_from(messages)) if messages else ""
        by_parent = bool(messages) and draw(st.booleans())
        where = {"thread": "", "parent_id": named} if by_parent else {"thread": thread}
        match what:
            case "new":
                event = said(at, name, author=who, thread=thread)
            case "reply":
                event = said(at, name, author=who, thread="", parent_id=named)
            case "answer":
                event = answered(at, name, **where)
            case "edit":
                edits += 1
                first = next(e for p, e in events if p == place and e.external_id == named)
                event = replace(first, text=f"better {edits}", edited_at=at + timedelta(seconds=edits))
            case _:
                event = deleted(at, named)
        if what not in ("edit", "delete"):
            messages.append(name)
        events.append((place, event))
    return events


def emptied(letterbox: Letterbox) -> None:
    """Everything out of the inbox and the timetable, so that one box serves many examples."""
    client, of = letterbox.box.stage.dynamodb, letterbox.box.stage.settings
    for table, keys in (("inbox", ("pk", "sk")), ("timetable", ("entry_id",))):
        for page in client.get_paginator("scan").paginate(TableName=of.table(table)):
            for item in page["Items"]:
                client.delete_item(TableName=of.table(table), Key={k: item[k] for k in keys})


@pytest.fixture(scope="module")
def one(moto_cloud: None) -> Letterbox:
    """One box for all examples."""
    name = "i" + uuid.uuid4().hex[:9]
    return Letterbox.open(Box.open(Stage.create(name, TEMPLATE, FixedClock(NOON))))


def told_in(one: Letterbox, events: list[tuple[int, InboundEvent]]) -> tuple[Any, Any]:
    """The inbox, and its numbers, after these events."""
    emptied(one)
    for place, event in events:
        one.take(event, account=one.accounts[place])
    return one.dump(), one.numbers()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=happenings(), data=st.data())
def test_any_order_and_number_of_the_same_events_leaves_the_same_rows(
    one: Letterbox, told: list[tuple[int, InboundEvent]], data: st.DataObject
) -> None:
    in_order = told_in(one, told)
    again = data.draw(st.lists(st.sampled_from(told), max_size=3))
    shuffled = data.draw(st.permutations([*told, *again]))
    assert told_in(one, list(shuffled)) == in_order


# One by one


def test_a_customers_message_opens_a_conversation_with_a_clock(letterbox: Letterbox) -> None:
    letterbox.take(said(letterbox.ago(10), text="سلام، باز هستید؟", language="fa"))
    conversation = letterbox.conversation()
    assert (conversation.state, conversation.kind, conversation.language) == (State.OPEN, "comment", "fa")
    assert conversation.customer == ANNA
    assert conversation.unanswered_since == letterbox.ago(10)
    assert conversation.clocks[0].started_at == letterbox.ago(10)
    (message,) = letterbox.messages(conversation)
    assert (message.text, message.right_to_left, message.language) == ("سلام، باز هستید؟", True, "fa")
    (row,) = letterbox.history(conversation)
    assert (row.what, row.person_id, str(row.way)) == ("customer wrote", "system", "platform")
    assert "باز" not in str(row)


def test_our_own_echo_starts_no_clock_and_shows_nothing(letterbox: Letterbox) -> None:
    letterbox.take(answered(letterbox.ago(5), "post-9", thread="t9"))
    assert letterbox.inbox.store.find(letterbox.id_of("t9")) is None
    listed = letterbox.inbox.page(letterbox.box.lead, Wanted(), 50)
    assert listed == ([], None)


def test_an_answer_from_outside_answers_and_ends_the_answer_clock(letterbox: Letterbox) -> None:
    letterbox.take(said(letterbox.ago(10)), answered(letterbox.ago(4)))
    conversation = letterbox.conversation()
    assert (conversation.state, conversation.unanswered_since) == (State.ANSWERED, None)
    assert conversation.first_answered_at == letterbox.ago(4)
    assert {r.what for r in letterbox.history(conversation)} == {"customer wrote", "we answered"}


def test_an_old_message_that_comes_late_does_not_reopen_what_was_answered_after_it(
    letterbox: Letterbox,
) -> None:
    letterbox.take(said(letterbox.ago(10)), answered(letterbox.ago(4)), said(letterbox.ago(7), "m2"))
    conversation = letterbox.conversation()
    assert (conversation.state, conversation.messages) == (State.ANSWERED, 3)
    assert [m.external_id for m in letterbox.messages(conversation)] == ["m1", "m2", "a1"]


def test_a_deleted_message_is_empty_here_too_and_the_fact_stays(letterbox: Letterbox) -> None:
    media = (InboundMedia("image", "https://social.test/secret.png", "my cat"),)
    letterbox.take(said(letterbox.ago(10), text="my secret", media=media), deleted(letterbox.ago(3)))
    conversation = letterbox.conversation()
    (message,) = letterbox.messages(conversation)
    assert (message.text, message.media, message.author) == ("", (), Author("anna-1"))
    assert message.deleted_at == letterbox.ago(3)
    assert (conversation.state, conversation.reason) == (State.CLOSED, facts.DELETED)
    assert not [c for c in conversation.clocks if c.ended_at is None]
    left = str(letterbox.dump())
    for word in ("secret", "my cat", "Nowak", "social.test/m1"):
        assert word not in left


def test_a_message_deleted_before_it_came_never_shows_its_text(letterbox: Letterbox) -> None:
    letterbox.take(deleted(letterbox.ago(3)), said(letterbox.ago(10), text="my secret"))
    assert "secret" not in str(letterbox.dump())
    assert letterbox.conversation().state == State.CLOSED


def test_an_edit_shows_the_newest_version_whichever_comes_last(letterbox: Letterbox) -> None:
    first = said(letterbox.ago(10), text="one")
    third = replace(first, text="three", edited_at=letterbox.ago(2))
    letterbox.take(third, replace(first, text="two", edited_at=letterbox.ago(5)), first)
    (message,) = letterbox.messages(letterbox.conversation())
    assert (message.text, message.edited_at) == ("three", letterbox.ago(2))


def test_an_answer_that_comes_before_what_it_answers_waits_for_it(letterbox: Letterbox) -> None:
    answer = answered(letterbox.ago(4), "a1", thread="", parent_id="m1")
    letterbox.take(answer)
    assert letterbox.inbox.store.find(letterbox.id_of("t1")) is None
    letterbox.take(said(letterbox.ago(10)))
    assert letterbox.conversation().state == State.ANSWERED


def test_a_customers_reply_whose_parent_has_not_come_is_seen_at_once_and_joins_it_later(
    letterbox: Letterbox,
) -> None:
    letterbox.take(said(letterbox.ago(4), "m2", thread="", parent_id="m1"))
    assert letterbox.conversation("m2").state == State.OPEN
    letterbox.take(said(letterbox.ago(10)))
    assert [m.external_id for m in letterbox.messages(letterbox.conversation())] == ["m1", "m2"]
    assert letterbox.inbox.store.find(letterbox.id_of("m2")) is None


def test_what_people_had_said_of_such_a_reply_stays_with_it(letterbox: Letterbox) -> None:
    letterbox.take(said(letterbox.ago(4), "m2", thread="", parent_id="m1"))
    alone = letterbox.conversation("m2")
    letterbox.inbox.moves.note(letterbox.responders[0], alone.conversation_id, "I know her")
    letterbox.take(said(letterbox.ago(10)))
    whole = letterbox.inbox.get(letterbox.responders[0], alone.conversation_id)
    assert whole.conversation_id == letterbox.id_of("t1")
    assert [m.external_id for m in letterbox.messages(whole)] == ["m1", "m2"]
    assert [n.text for n in letterbox.inbox.notes(whole)] == ["I know her"]
    later = said(letterbox.ago(1), "m3", thread="", parent_id="m2")
    letterbox.take(later)
    assert letterbox.conversation().messages == 3


def test_the_same_event_again_changes_nothing(letterbox: Letterbox) -> None:
    event = said(letterbox.ago(10))
    letterbox.take(event)
    before = letterbox.dump()
    version = letterbox.conversation().version
    letterbox.take(event, event)
    assert letterbox.dump() == before
    assert letterbox.conversation().version == version


def test_two_workers_with_two_events_of_one_conversation_lose_neither(letterbox: Letterbox) -> None:
    kernel, account = letterbox.box.services.kernel, letterbox.accounts[0]
    changes = []
    for event in (answered(letterbox.ago(4)), said(letterbox.ago(10))):
        change = kernel.change(BY_PLATFORM)
        letterbox.inbox.take(change, event, account, letterbox.now, False)
        changes.append(change)
    kernel.commit(changes[0])
    with pytest.raises(Conflict):
        kernel.commit(changes[1])
    letterbox.take(said(letterbox.ago(10)))
    assert letterbox.conversation().state == State.ANSWERED


def test_hostile_text_is_kept_or_cut_with_a_mark(letterbox: Letterbox) -> None:
    hostile = "\u202egnp.exe\x00 👩‍👩‍👧 " + "ż" * 100_000
    author = Author("x" * 2000, "h\u202e", "n\x00\n" * 900, "javascript:alert(1)")
    letterbox.take(said(letterbox.ago(1), "id/" + "#é" * 900, text=hostile, author=author))
    (message,) = letterbox.messages(letterbox.conversation())
    assert message.text.startswith("\u202egnp.exe\ufffd 👩‍👩‍👧 żżż")
    assert message.text.endswith(facts.CUT)
    assert len(message.text) == facts.LONGEST_TEXT
    assert message.author.handle == "h\ufffd"
    assert len(message.author.name) <= 1000


def test_an_event_of_another_kind_has_no_effect_but_its_history(letterbox: Letterbox) -> None:
    before = letterbox.dump()
    letterbox.take(said(letterbox.ago(1), kind=InboundKind.REACTION))
    assert letterbox.dump() == before


@pytest.mark.parametrize("order", ["spam first", "spam last"])
def test_the_first_message_of_a_conversation_decides_whether_the_rules_ignore_it(
    letterbox: Letterbox, order: str
) -> None:
    rule = Rule("crypto", Conditions(keywords=("bitcoin",)), Actions(tags=("spam",), ignore=True))
    letterbox.rule(rule)
    events = [said(letterbox.ago(9), text="Buy bitcoin"), said(letterbox.ago(5), "m2", text="hello?")]
    letterbox.take(*(events if order == "spam first" else reversed(events)))
    conversation = letterbox.conversation()
    assert (conversation.state, conversation.reason, conversation.tags) == (
        State.IGNORED, "spam: crypto", ("spam",),
    )  # fmt: skip
    assert letterbox.messages(conversation)[0].text == "Buy bitcoin"
    letterbox.take(said(letterbox.ago(20), "m0", text="A question"))
    assert letterbox.conversation().state == State.OPEN


# Answers from here


def test_an_answer_from_here_ends_the_lock_and_its_echo_changes_nothing(letterbox: Letterbox) -> None:
    letterbox.take(said(letterbox.ago(10)))
    who = letterbox.responders[0]
    seen = letterbox.inbox.moves.claim(who, letterbox.conversation().conversation_id)
    echo = answered(letterbox.now, "a1", thread="", parent_id="m1")
    message = replace(facts.told(echo, letterbox.now, False), by_id=who.person_id, reply_id="reply_1")
    change = letterbox.box.services.kernel.change(who.by)
    saved = letterbox.inbox.sent(change, seen, message)
    letterbox.box.services.kernel.commit(change)
    conversation = letterbox.conversation()
    assert saved == conversation
    assert (conversation.state, conversation.lock_by) == (State.ANSWERED, None)
    before = letterbox.dump()
    letterbox.take(echo)
    assert letterbox.dump() == before
    assert letterbox.messages(conversation)[-1].by_id == who.person_id


def test_an_answer_whose_echo_was_faster_is_one_message(letterbox: Letterbox) -> None:
    letterbox.take(said(letterbox.ago(10)))
    who = letterbox.responders[0]
    letterbox.inbox.moves.claim(who, letterbox.conversation().conversation_id)
    echo = answered(letterbox.now, "a1", thread="", parent_id="m1")
    letterbox.take(echo)
    change = letterbox.box.services.kernel.change(who.by)
    message = replace(facts.told(echo, letterbox.now, False), by_id=who.person_id)
    letterbox.inbox.sent(change, letterbox.conversation(), message)
    letterbox.box.services.kernel.commit(change)
    conversation = letterbox.conversation()
    assert (conversation.messages, conversation.lock_by) == (2, None)
    assert letterbox.messages(conversation)[-1].by_id == who.person_id
