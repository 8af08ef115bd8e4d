"""Answers in an outage: they wait, the inbox says so, and they are sent by themselves afterwards."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.accounts.outages import Became, waited_for
from chalicelib.core.http import Request
from chalicelib.inbox.model import State
from chalicelib.inbox.outage_answers import OutageAnswers
from chalicelib.inbox.reply_model import Reply, ReplyState
from tests.fakes.downtime import comes_back, goes_down
from tests.inbox.letters import Letterbox, deleted, said
from tests.inbox.test_reply_crashes import ends_well, run_with_crashes
from tests.publishing.api import Desk
from tests.publishing.crashes import Outside


@pytest.fixture
def desk(letterbox: Letterbox) -> Iterator[Desk]:
    with Desk.open(letterbox.box) as opened:
        yield opened


def answer(letterbox: Letterbox, text: str = "Here you are.") -> Reply:
    letterbox.take(said(letterbox.now))
    c = letterbox.conversation()
    submit = letterbox.box.services.replies.submit
    return submit(letterbox.responders[0], c.conversation_id, text, c.version, language="en")


def kept(letterbox: Letterbox, reply: Reply) -> Reply:
    return letterbox.box.services.reply_store.get(reply.ref)


def became(letterbox: Letterbox) -> list[Became]:
    services = letterbox.box.services
    waited = waited_for(services.kernel.database, "outage_o1")
    return [line.became for line in OutageAnswers(services.reply_store).became(waited)]


def test_an_answer_waits_for_the_end_of_the_outage_and_is_then_sent_by_itself(letterbox: Letterbox) -> None:
    box = letterbox.box
    goes_down(box, "mastodon")
    reply = answer(letterbox)
    run_with_crashes(letterbox, reply, hours=5)
    entry = box.services.kernel.timetable.get(reply.entry_id)
    assert (entry.failures, entry.crashes, entry.args.get("tries")) == (0, 0, None)
    assert (kept(letterbox, reply).state, box.networks.posts("Here you are.")) == (ReplyState.QUEUED, [])
    assert became(letterbox) == [Became.WAITS]
    comes_back(box, "mastodon")
    run_with_crashes(letterbox, reply, hours=1 / 30)
    assert (kept(letterbox, reply).state, len(box.networks.posts("Here you are."))) == (ReplyState.SENT, 1)
    assert letterbox.conversation().state == State.ANSWERED
    assert became(letterbox) == [Became.OUT]


def test_the_time_of_an_outage_is_none_of_the_two_hours_that_an_answer_is_tried(letterbox: Letterbox) -> None:
    box = letterbox.box
    goes_down(box, "mastodon")
    reply = answer(letterbox)
    run_with_crashes(letterbox, reply, hours=5)
    comes_back(box, "mastodon")

    def is_down(request: Request) -> str:
        return "refuse"

    box.networks.fault = is_down
    run_with_crashes(letterbox, reply, hours=1.5)
    assert kept(letterbox, reply).state == ReplyState.QUEUED
    run_with_crashes(letterbox, reply, hours=1)
    assert kept(letterbox, reply).state == ReplyState.REFUSED
    assert became(letterbox) == [Became.STOPPED]


def test_a_look_for_a_lost_answer_waits_and_is_not_burnt(letterbox: Letterbox) -> None:
    box = letterbox.box
    box.networks.remembers = False
    reply = answer(letterbox)
    left = ["drop_after"]
    box.networks.fault = lambda r: left.pop() if left and r.method == "POST" else None
    box.services.chores_worker.run(reply.entry_id)
    assert kept(letterbox, reply).state == ReplyState.UNKNOWN
    goes_down(box, "mastodon")
    calls = len(box.networks.requests)
    run_with_crashes(letterbox, reply, hours=5)
    entry = box.services.kernel.timetable.get(f"reconcile_reply#{reply.reply_id}")
    assert (entry.args.get("looks"), entry.failures, len(box.networks.requests)) == (None, 0, calls)
    assert became(letterbox) == [Became.UNKNOWN]
    comes_back(box, "mastodon")
    run_with_crashes(letterbox, reply)
    assert (kept(letterbox, reply).state, len(box.networks.posts("Here you are."))) == (ReplyState.SENT, 1)


def test_the_customers_deletion_is_heeded_while_an_answer_waits(letterbox: Letterbox) -> None:
    goes_down(letterbox.box, "mastodon")
    reply = answer(letterbox)
    letterbox.take(deleted(letterbox.now))
    run_with_crashes(letterbox, reply, hours=1 / 30)
    assert kept(letterbox, reply).state == ReplyState.REFUSED


def test_the_inbox_says_that_a_platform_is_down_and_why_an_answer_waits(
    letterbox: Letterbox, desk: Desk
) -> None:
    api, box = desk.api(letterbox.responders[0]), letterbox.box
    goes_down(box, "bluesky")
    reply = answer(letterbox)
    one, replies = f"/v1/inbox/{reply.conversation_id}", f"/v1/inbox/{reply.conversation_id}/replies"
    assert api("GET", one)[1]["conversation"]["outage"] is None
    assert api("GET", replies)[1]["replies"][0]["waits_for"] is None
    goes_down(box, "mastodon")
    began_at = box.now.isoformat().replace("+00:00", "Z")
    outage = {
        "outage_id": "outage_o1",
        "title": "mastodon is down",
        "url": "https://status.test",
        "began_at": began_at,
    }
    _, listed = api("GET", "/v1/inbox")
    assert [c["outage"] for c in listed["conversations"]] == [outage]
    assert api("GET", one)[1]["conversation"]["outage"] == outage
    waits_for = api("GET", f"{replies}/{reply.reply_id}")[1]["waits_for"]
    assert waits_for == (
        "mastodon has an outage (mastodon is down); the answer goes out by itself when it is over"
    )
    comes_back(box, "mastodon")
    run_with_crashes(letterbox, reply, hours=1 / 30)
    goes_down(box, "mastodon")
    shown = api("GET", f"{replies}/{reply.reply_id}")[1]
    assert (shown["state"], shown["waits_for"]) == ("sent", None)


def test_no_crash_around_an_outage_answers_twice_or_loses_an_answer(letterbox: Letterbox) -> None:
    box, outside = letterbox.box, Outside(letterbox.box)
    box.networks.remembers = False
    for number in range(1, 26, 2):
        turns = {
            number: lambda: goes_down(box, "mastodon", timedelta(minutes=10)),
            number + 6: lambda: comes_back(box, "mastodon"),
        }
        state = ends_well(letterbox, outside, {number + 3: ""}, f"call{number}", number, turns)
        assert state in ("sent", "unknown")
