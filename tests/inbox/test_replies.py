"""Answering customers: one answer to a message, sent once, under the platform's and the unit's rules."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import AccountStatus
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.core.timetable import Lane
from chalicelib.inbox.model import Conversation, State
from chalicelib.inbox.reply_model import Approval, Reply, ReplyPolicy, ReplyState
from chalicelib.inbox.settings import Own
from chalicelib.org.model import Actor
from chalicelib.org.roles import Role
from chalicelib.platforms.port import Traits
from tests.inbox.letters import BEHNAM, Letterbox, answered, deleted, said


@pytest.fixture
def waiting(letterbox: Letterbox) -> Conversation:
    letterbox.take(said(letterbox.ago(10)))
    return letterbox.conversation()


def submit(letterbox: Letterbox, text: str = "Do osiemnastej!", **more: Any) -> Reply:
    """The northern responder's answer to the conversation as it stands."""
    c = letterbox.conversation(more.pop("thread", "t1"))
    actor = more.pop("actor", letterbox.responders[0])
    given = {"version": c.version, **more}
    return letterbox.box.services.replies.submit(actor, c.conversation_id, text, **given)


def reply_of(letterbox: Letterbox, reply: Reply) -> Reply:
    return letterbox.box.services.reply_store.get(reply.ref)


def require_approval(letterbox: Letterbox, approval: Approval) -> None:
    settings, unit_id = letterbox.box.services.inbox_settings, letterbox.units[0].unit_id
    version = settings.read(letterbox.box.lead, unit_id).version
    settings.save(letterbox.box.lead, unit_id, Own(replies=ReplyPolicy(approval)), version)


def approve(letterbox: Letterbox, reply: Reply, verdict: str = "granted") -> None:
    """What the deciding transaction does, past the mails."""
    box = letterbox.box
    request = box.services.approvals.get(reply.request_id or "")
    change = box.services.kernel.change(box.approvers[0].by)
    if verdict == "granted":
        box.services.reply_subject.granted(change, request)
        change.record(request.subject, "approved")
    else:
        box.services.reply_subject.declined(change, request, "rejected", "Agnieszka", "Za ostro")
    box.services.kernel.commit(change)


def test_an_answer_is_sent_once_and_stands_in_the_conversation(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    reply = submit(letterbox)
    assert reply.state == ReplyState.QUEUED
    letterbox.box.run_until_quiet(hours=1)

    (toot,) = letterbox.box.networks.posts("osiemnastej")
    assert (toot.answers, toot.text) == ("m1", "@anna Do osiemnastej!")
    sent, c = reply_of(letterbox, reply), letterbox.conversation()
    assert (sent.state, sent.external_id, sent.url) == ("sent", toot.external_id, sent.url)
    assert (c.state, c.unanswered_since, c.lock_by) == (State.ANSWERED, None, None)
    assert c.assignee_id == letterbox.responders[0].person_id
    question, answer = letterbox.messages(c)
    assert (answer.own, answer.by_id, answer.text) == (True, reply.by_id, "Do osiemnastej!")
    assert answer.parent_id == question.external_id
    whats = {row.what for row in letterbox.history(c)}
    assert {"answer written", "sending begun", "we answered", "answer sent"} <= whats


def test_the_platforms_echo_of_our_answer_changes_nothing(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    reply = submit(letterbox)
    letterbox.box.run_until_quiet(hours=1)
    before, sent = letterbox.conversation(), reply_of(letterbox, reply)
    letterbox.take(
        answered(sent.sent_at or letterbox.now, sent.external_id or "", text="@anna Do osiemnastej!")
    )
    assert len(letterbox.messages(before)) == 2
    after = letterbox.conversation()
    assert (after.state, after.messages, after.clocks) == (before.state, before.messages, before.clocks)


def test_two_responders_never_answer_the_same_message(letterbox: Letterbox, waiting: Conversation) -> None:
    other = letterbox.person(Role.RESPONDER, letterbox.units[0])
    submit(letterbox)
    with pytest.raises(Conflict, match="is writing an answer"):
        submit(letterbox, "Moja odpowiedź", actor=other)
    letterbox.box.stage.clock.advance(minutes=6)  # the lock is over, and the answer still on its way
    with pytest.raises(Conflict, match="somebody else is answering"):
        submit(letterbox, "Moja odpowiedź", actor=other)
    letterbox.box.run_until_quiet(hours=1)
    with pytest.raises(Conflict, match="just done so"):
        submit(letterbox, "Moja odpowiedź", actor=other)
    assert len(letterbox.box.networks.toots) == 1


def test_an_answered_message_is_answered_again_on_purpose_only(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    other = letterbox.person(Role.RESPONDER, letterbox.units[0])
    submit(letterbox)
    letterbox.box.run_until_quiet(hours=1)
    submit(letterbox, "Jeszcze jedno.")  # whoever answered may add to it
    letterbox.box.run_until_quiet(hours=1)
    submit(letterbox, "I ode mnie.", actor=other, again=True)
    letterbox.box.run_until_quiet(hours=1)
    assert [t.answers for t in letterbox.box.networks.toots] == ["m1", "m1", "m1"]


def test_who_has_not_seen_the_latest_does_not_answer(letterbox: Letterbox, waiting: Conversation) -> None:
    letterbox.take(said(letterbox.ago(1), "m2", text="Forget it, I found it."))
    with pytest.raises(Conflict, match="look again"):
        submit(letterbox, version=waiting.version)
    assert submit(letterbox).to_id == "m2"


def test_what_breaks_the_platforms_rules_is_refused_with_all_of_them(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    with pytest.raises(InvalidInput, match="500"):
        submit(letterbox, "ż" * 501)
    assert letterbox.conversation().version == waiting.version


@pytest.mark.parametrize(
    ("to_id", "why"), [("nobody", "no such message"), ("a1", "ours"), ("m2", "deleted"), ("b1", "no such")]
)
def test_only_a_message_of_the_customers_that_is_here_can_be_answered(
    letterbox: Letterbox, waiting: Conversation, to_id: str, why: str
) -> None:
    letterbox.take(
        answered(letterbox.ago(8)),
        said(letterbox.ago(6), "m2"),
        deleted(letterbox.ago(5), "m2"),
        said(letterbox.ago(4), "b1", thread="t2", author=BEHNAM),
    )
    with pytest.raises(InvalidInput, match=why):
        submit(letterbox, to_id=to_id)


def test_a_message_that_is_deleted_meanwhile_is_not_answered(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    reply = submit(letterbox)
    letterbox.take(deleted(letterbox.now))
    letterbox.box.run_until_quiet(hours=1)
    assert reply_of(letterbox, reply).state == ReplyState.REFUSED
    assert letterbox.box.networks.toots == []


def test_who_may_only_read_does_not_answer(letterbox: Letterbox, waiting: Conversation) -> None:
    with pytest.raises(NotAllowed):
        submit(letterbox, actor=letterbox.person(Role.ANALYST, letterbox.units[0]))
    with pytest.raises(NotFound):
        submit(letterbox, actor=letterbox.responders[1])


def test_an_account_that_cannot_be_used_says_so_before_anybody_writes(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    box, account = letterbox.box, letterbox.accounts[0]
    box.services.accounts.credentials_refused(box.lead.by, account.account_id, "token expired")
    with pytest.raises(Conflict, match="connect it again"):
        submit(letterbox)


def test_a_refusal_is_mailed_to_who_wrote_it_and_frees_the_message(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    other = letterbox.person(Role.RESPONDER, letterbox.units[0])
    box = letterbox.box
    box.networks.gone.add("m1")
    reply = submit(letterbox)
    box.run_until_quiet(hours=1)
    assert reply_of(letterbox, reply).state == ReplyState.REFUSED
    mail = box.mails()[-1]
    assert "@anna" in mail["Subject"]
    assert "What about" not in mail.as_string()
    box.networks.gone.clear()
    box.stage.clock.advance(minutes=6)  # until then its author has the lock
    submit(letterbox, "Drugi raz", actor=other)
    box.run_until_quiet(hours=1)
    assert len(box.networks.posts("Drugi raz")) == 1


def test_a_network_that_is_busy_gets_it_later_and_once(letterbox: Letterbox, waiting: Conversation) -> None:
    faults = iter(["429", None, "500", None, None])
    box = letterbox.box
    box.networks.fault = lambda request: next(faults, None) if request.method == "GET" else None
    reply = submit(letterbox)
    box.run_until_quiet(hours=2)
    assert reply_of(letterbox, reply).state == ReplyState.SENT
    assert len(box.networks.posts("osiemnastej")) == 1


def test_what_cannot_be_sent_for_two_hours_goes_back_to_its_author(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    box = letterbox.box
    box.networks.fault = lambda request: "500" if request.method == "GET" else None
    reply = submit(letterbox)
    box.run_until_quiet(hours=4)
    assert reply_of(letterbox, reply).state == ReplyState.REFUSED
    assert "two hours" in (reply_of(letterbox, reply).reason or "")


def test_an_approved_answer_is_tried_for_two_hours_from_its_approval_and_not_for_ever(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    box = letterbox.box
    require_approval(letterbox, Approval.ALL)
    reply = submit(letterbox)
    box.stage.clock.advance(hours=5)
    box.networks.fault = lambda request: "500" if request.method == "GET" else None
    approve(letterbox, reply)
    box.run_until_quiet(hours=1.9)
    assert reply_of(letterbox, reply).state == ReplyState.QUEUED
    box.run_until_quiet(hours=0.5)
    assert reply_of(letterbox, reply).state == ReplyState.REFUSED
    assert "two hours" in (reply_of(letterbox, reply).reason or "")


@pytest.mark.parametrize("fault", ["drop_after", "500_after"])
def test_an_answer_whose_outcome_got_lost_is_found_and_not_sent_twice(
    letterbox: Letterbox, waiting: Conversation, fault: str
) -> None:
    faults = iter([fault])
    box = letterbox.box
    box.networks.fault = lambda request: next(faults, None) if request.method == "POST" else None
    reply = submit(letterbox)
    box.run_due(Lane.CHORES)
    assert reply_of(letterbox, reply).state == ReplyState.UNKNOWN
    box.run_until_quiet(hours=1)
    assert reply_of(letterbox, reply).state == ReplyState.SENT
    assert len(box.networks.posts("osiemnastej")) == 1
    assert letterbox.conversation().state == State.ANSWERED


def test_a_refusal_after_an_unknown_attempt_keeps_when_that_was(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    """Not found is not yet not there: who looks later must know when it may have been written."""
    faults = iter(["drop"])
    box = letterbox.box
    box.networks.fault = lambda request: next(faults, None) if request.method == "POST" else None
    reply = submit(letterbox)
    box.run_due(Lane.CHORES)
    unknown = reply_of(letterbox, reply)
    assert (unknown.state, unknown.begun_at) == (ReplyState.UNKNOWN, letterbox.now)
    letterbox.take(deleted(letterbox.now))
    box.run_until_quiet(hours=1)
    refused = reply_of(letterbox, reply)
    assert (refused.state, refused.begun_at) == (ReplyState.REFUSED, unknown.begun_at)
    assert box.networks.toots == []


def test_what_the_platform_says_after_the_lease_is_kept_though_the_conversation_has_changed(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    box = letterbox.box
    reply = submit(letterbox)
    adapter: Any = box.services.adapters("mastodon")
    publish = adapter.publish

    def publish_through_the_lease(*args: Any) -> Any:
        published = publish(*args)
        box.stage.clock.advance(seconds=121)
        assert box.services.chores_worker.run(reply.entry_id) == "done"
        assert reply_of(letterbox, reply).state == ReplyState.UNKNOWN
        letterbox.take(said(letterbox.now, "m2"))
        return published

    adapter.publish = publish_through_the_lease
    assert box.services.chores_worker.run(reply.entry_id) == "done"
    (toot,) = box.networks.toots
    sent = reply_of(letterbox, reply)
    assert (sent.state, sent.external_id) == (ReplyState.SENT, toot.external_id)
    assert [m.own for m in letterbox.messages(waiting)] == [False, True, False]
    box.run_until_quiet(hours=1)
    assert len(box.networks.toots) == 1


def test_an_answer_can_be_taken_back_until_it_is_sent(letterbox: Letterbox, waiting: Conversation) -> None:
    replies, actor = letterbox.box.services.replies, letterbox.responders[0]
    reply = submit(letterbox)
    replies.withdraw(actor, waiting.conversation_id, reply.reply_id)
    letterbox.box.run_until_quiet(hours=1)
    assert letterbox.box.networks.toots == []
    second = submit(letterbox, "A jednak")
    letterbox.box.run_until_quiet(hours=1)
    with pytest.raises(Conflict, match="sent"):
        replies.withdraw(actor, waiting.conversation_id, second.reply_id)


def test_a_reply_window_that_is_over_is_said_before_anybody_calls(letterbox: Letterbox) -> None:
    letterbox.take(said(letterbox.ago(25 * 60)))
    adapter = letterbox.box.services.adapters("mastodon")
    traits: Traits = replace(adapter.traits, reply_within=timedelta(hours=24))
    adapter.traits = traits
    with pytest.raises(InvalidInput, match="24 hours"):
        submit(letterbox)


# Approval


def test_a_unit_may_want_answers_approved(letterbox: Letterbox, waiting: Conversation) -> None:
    require_approval(letterbox, Approval.ALL)
    reply = submit(letterbox)
    assert reply.state == ReplyState.IN_REVIEW
    letterbox.box.run_until_quiet(hours=0.1)
    assert letterbox.box.networks.toots == []
    mail = letterbox.box.mails()[-1]
    assert "Do osiemnastej!" in mail.get_body(("plain",)).get_content()
    assert "What about m1?" in mail.get_body(("plain",)).get_content()
    approve(letterbox, reply)
    letterbox.box.run_until_quiet(hours=1)
    assert len(letterbox.box.networks.posts("osiemnastej")) == 1


def test_an_answer_that_is_not_approved_goes_back_with_the_words(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    require_approval(letterbox, Approval.ALL)
    reply = submit(letterbox)
    approve(letterbox, reply, "rejected")
    kept = reply_of(letterbox, reply)
    assert (kept.state, kept.reason) == (ReplyState.WITHDRAWN, "Agnieszka: Za ostro")
    assert submit(letterbox, "Łagodniej").state == ReplyState.IN_REVIEW


def test_an_answer_that_was_taken_back_is_not_approved_any_more(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    require_approval(letterbox, Approval.ALL)
    reply = submit(letterbox)
    letterbox.box.services.replies.withdraw(letterbox.responders[0], waiting.conversation_id, reply.reply_id)
    with pytest.raises(Conflict, match="taken back"):
        approve(letterbox, reply)
    letterbox.box.run_until_quiet(hours=1)
    assert letterbox.box.networks.toots == []


def test_only_new_answers_need_approval_where_the_unit_says_so(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    require_approval(letterbox, Approval.NEW)
    saved = letterbox.box.services.saved_replies.add(
        letterbox.box.lead,
        letterbox.box.unit_id,
        "Godziny",
        {"en": "Hello {name}, until six.", "pl": "Do 18."},
    )
    reply = submit(letterbox, "", saved_id=saved.saved_id)
    assert (reply.state, reply.text) == (ReplyState.QUEUED, "Hello Anna Nowak, until six.")
    letterbox.box.run_until_quiet(hours=1)
    changed = submit(letterbox, "Hello Anna Nowak, until ten!", saved_id=saved.saved_id)
    assert changed.state == ReplyState.IN_REVIEW


# Saved answers


def test_a_saved_answer_holds_in_the_unit_and_below_and_is_its_managers(letterbox: Letterbox) -> None:
    saved, (north, south) = letterbox.box.services.saved_replies, letterbox.units
    ours = saved.add(letterbox.box.lead, letterbox.box.unit_id, "Wszędzie", {"pl": "Dziękujemy!"})
    manager = letterbox.person(Role.DISTRICT_MANAGER, north)
    theirs = saved.add(manager, north.unit_id, "Na północy", {"pl": "Zapraszamy na północ."})
    names = [s.name for s in saved.list(letterbox.responders[0], north.unit_id)]
    assert names == ["Na północy", "Wszędzie"]
    assert [s.name for s in saved.list(letterbox.responders[1], south.unit_id)] == ["Wszędzie"]
    with pytest.raises(NotAllowed):
        saved.add(letterbox.responders[0], north.unit_id, "x", {"pl": "x"})
    with pytest.raises(NotAllowed):
        saved.change(manager, letterbox.box.unit_id, ours.saved_id, "x", {"pl": "x"}, 1)
    changed = saved.change(manager, north.unit_id, theirs.saved_id, "Północ", {"pl": "Nowy"}, theirs.version)
    with pytest.raises(Conflict):
        saved.change(manager, north.unit_id, theirs.saved_id, "Stary", {"pl": "x"}, theirs.version)
    saved.remove(manager, north.unit_id, changed.saved_id)
    assert [s.name for s in saved.list(manager, north.unit_id)] == ["Wszędzie"]


@pytest.mark.parametrize(
    ("saved_id", "why"), [("saved_nobody", "no such saved answer"), ("mine", "it has: pl")]
)
def test_a_saved_answer_that_is_not_there_or_not_in_the_language_says_so(
    letterbox: Letterbox, waiting: Conversation, saved_id: str, why: str
) -> None:
    saved = letterbox.box.services.saved_replies
    if saved_id == "mine":
        unit_id = letterbox.box.unit_id
        saved_id = saved.add(letterbox.box.lead, unit_id, "Godziny", {"pl": "Do 18."}).saved_id
    with pytest.raises(InvalidInput, match=why):
        submit(letterbox, "", saved_id=saved_id)


# What a person finds


@pytest.mark.parametrize(("is_there", "state"), [(True, "sent"), (False, "refused")])
def test_what_nobody_knows_a_person_settles(
    letterbox: Letterbox, waiting: Conversation, is_there: bool, state: str
) -> None:
    box = letterbox.box
    faults: Callable[[Any], str | None] = lambda request: "drop" if request.method == "POST" else None  # noqa: E731
    box.networks.fault = faults
    reply = submit(letterbox)
    box.run_due(Lane.CHORES)
    unknown = reply_of(letterbox, reply)
    assert unknown.state == ReplyState.UNKNOWN
    settled = box.services.reply_sender.settle(
        letterbox.responders[0].by, unknown, is_there, "https://social.test/@north/77"
    )
    assert settled.state == state
    assert (letterbox.conversation().state == State.ANSWERED) == is_there
    with pytest.raises(Conflict, match="only an unknown one"):
        box.services.reply_sender.settle(letterbox.responders[0].by, settled, True, "")
    box.networks.fault = lambda request: None
    box.run_until_quiet(hours=1)
    assert box.networks.toots == []


def test_an_account_that_is_retired_meanwhile_sends_nothing(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    box, account = letterbox.box, letterbox.accounts[0]
    reply = submit(letterbox)
    box.services.accounts.change(box.lead, account.account_id, {"status": AccountStatus.RETIRED})
    box.run_until_quiet(hours=1)
    assert reply_of(letterbox, reply).state == ReplyState.REFUSED
    assert box.networks.toots == []


def test_who_writes_has_the_lock_while_it_is_sent(letterbox: Letterbox, waiting: Conversation) -> None:
    submit(letterbox)
    c: Conversation = letterbox.conversation()
    person: Actor = letterbox.responders[0]
    assert c.writer(letterbox.now) == person.person_id
