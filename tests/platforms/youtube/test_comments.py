"""Polling a channel's comments: all of them and hardly any twice, at one unit a quiet poll."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock, to_text
from chalicelib.core.http import Request
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.inbound import InboundEvent, InboundKind, Polled, Polling
from chalicelib.platforms.youtube.webhook import YouTubeWebhook
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client, reply
from tests.platforms.subscriptions import HTML, NOW, ref

CHANNEL, CUSTOMER = "UCzolwzolwzolwzolwzolw12", "UCcustomercustomercust12"
OURS = ref("youtube", "https://www.googleapis.com", CHANNEL, {"api_key": "key-of-the-app"})
LISTED = "youtube#commentThreadListResponse"
QUOTA = reply(403, {"error": {"code": 403, "errors": [{"reason": "quotaExceeded"}], "message": "…"}})


class Channel:
    """Comments as YouTube lists them; threads show `shown` of their answers. `fails` is a script."""

    def __init__(self, page: int = 100, shown: int = 5) -> None:
        self.clock = FixedClock(NOW)
        self.transport = FakeTransport(self.answer)
        found = registry.polling("youtube", client(self.clock, self.transport), self.clock, MemorySessions())
        assert isinstance(found, Polling)
        self.polling = found
        self.most, self.shown = page, shown
        self.threads: list[dict[str, Any]] = []
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.hidden: set[str] = set()
        self.fails: list[Answer | None] = []
        self.account = OURS

    def say(self, comment_id: str, under: str = "", by: str = CUSTOMER, at: datetime | None = None) -> None:
        """Somebody writes a comment, or an answer under a thread."""
        time = to_text(at or self.clock.now())
        text = f"cześć {comment_id} 🌞"
        snippet: dict[str, Any] = {"channelId": CHANNEL, "textDisplay": text, "videoId": "VIDEO_ID"}
        snippet |= {"authorDisplayName": "@ola", "authorChannelUrl": "http://www.youtube.com/@ola"}
        snippet |= {"authorChannelId": {"value": by}, "publishedAt": time, "updatedAt": time}
        made: dict[str, Any] = {"kind": "youtube#comment", "id": comment_id, "snippet": snippet}
        if under:
            made["snippet"] |= {"parentId": under}
            self.answers.setdefault(under, []).append(made)
        else:
            self.threads.insert(0, made)

    def recent(self) -> list[str]:
        """The threads of the last nine minutes: a poll reads these whatever stands above them."""
        since = to_text(self.clock.now() - timedelta(minutes=9))
        return [t["id"] for t in self.threads if t["snippet"]["publishedAt"] >= since]

    def edit(self, comment_id: str) -> None:
        every = [*self.threads, *(a for under in self.answers.values() for a in under)]
        found = next(c for c in every if c["id"] == comment_id)
        found["snippet"] |= {"updatedAt": to_text(self.clock.now()), "textDisplay": "better"}

    def answer(self, request: Request) -> Answer:
        failure = self.fails.pop(0) if self.fails else None
        if failure:
            return failure
        parts = urlsplit(request.url)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["textFormat"] == "plainText"
        if parts.path == "/youtube/v3/comments":
            return self.page(asked, self.answers[asked["parentId"]])
        assert parts.path == "/youtube/v3/commentThreads"
        assert (asked["allThreadsRelatedToChannelId"], asked["order"]) == (CHANNEL, "time")
        seen = [thread for thread in self.threads if thread["id"] not in self.hidden]
        newest = sorted(seen, key=lambda c: c["snippet"]["publishedAt"], reverse=True)
        return self.page(asked, [self.thread(c) for c in newest])

    def thread(self, top: dict[str, Any]) -> dict[str, Any]:
        under = self.answers.get(top["id"], [])
        about = {"channelId": CHANNEL, "videoId": "VIDEO_ID", "topLevelComment": top}
        made = {"id": top["id"], "snippet": {**about, "totalReplyCount": len(under)}}
        return {**made, "replies": {"comments": under[: self.shown]}} if under else made

    def page(self, asked: dict[str, str], every: list[dict[str, Any]]) -> Answer:
        start = int(asked.get("pageToken", "0"))
        end = start + min(self.most, int(asked["maxResults"]))
        more = {"nextPageToken": str(end)} if end < len(every) else {}
        return reply(200, {"kind": LISTED, "items": every[start:end], **more})

    def poll(self, cursor: str) -> Polled:
        return self.polling.poll(self.account, cursor)

    def calls(self) -> list[str]:
        """What was asked for since the last look."""
        found = [urlsplit(r.url).path.rpartition("/")[2] for r in self.transport.requests]
        self.transport.requests.clear()
        return found


def ids(polled: Polled) -> list[str]:
    return [piece["comment"]["id"] for piece in polled.pieces]


def events(polled: Polled) -> list[InboundEvent]:
    return [event for piece in polled.pieces for event in YouTubeWebhook().normalise(piece)]


def drained(channel: Channel, cursor: str) -> tuple[list[str], str]:
    found: list[str] = []
    for _ in range(300):
        polled = channel.poll(cursor)
        found, cursor = found + ids(polled), polled.cursor
        if not polled.more:
            return found, cursor
    raise AssertionError("there is always more")


@pytest.fixture
def channel() -> Channel:
    return Channel()


def test_the_first_poll_takes_no_history_and_the_next_ones_take_what_came(channel: Channel) -> None:
    channel.say("old", at=NOW - timedelta(days=3))
    channel.say("just before", at=NOW - timedelta(seconds=5))
    first = channel.poll("")
    assert (first.pieces, first.more) == ((), False)
    channel.clock.advance(minutes=20)
    channel.say("a")
    channel.say("b", under="old")
    second = channel.poll(first.cursor)
    assert sorted(ids(second)) == ["a", "b"]
    assert ids(channel.poll(second.cursor)) == []


def test_a_quiet_poll_is_one_call(channel: Channel) -> None:
    for n in range(250):
        channel.say(f"t{n}", at=NOW - timedelta(days=1, minutes=n))
        for answer in range(7):
            channel.say(f"t{n}.{answer}", under=f"t{n}", at=NOW - timedelta(hours=20))
    cursor = channel.poll("").cursor
    assert channel.calls() == ["commentThreads"]
    for _ in range(5):
        channel.clock.advance(minutes=20)
        polled = channel.poll(cursor)
        assert (polled.pieces, channel.calls()) == ((), ["commentThreads"])
        cursor = polled.cursor


def test_all_answers_are_read_only_where_a_thread_has_more_new_ones_than_it_shows(channel: Channel) -> None:
    for thread in ("busy", "quiet"):
        channel.say(thread, at=NOW - timedelta(days=1))
        for n in range(7):
            channel.say(f"{thread}.{n}", under=thread, at=NOW - timedelta(hours=20))
    cursor = channel.poll("").cursor
    channel.clock.advance(minutes=20)
    channel.calls()
    channel.say("busy.new", under="busy")
    polled = channel.poll(cursor)
    assert (ids(polled), channel.calls()) == (["busy.new"], ["commentThreads", "comments"])
    channel.clock.advance(minutes=20)
    assert (ids(channel.poll(polled.cursor)), channel.calls()) == ([], ["commentThreads"])


def test_a_thread_that_gets_more_answers_at_once_than_it_shows_loses_none(channel: Channel) -> None:
    cursor = channel.poll("").cursor
    channel.clock.advance(minutes=20)
    channel.say("new")
    for n in range(230):
        channel.say(f"new.{n}", under="new")
    found, _ = drained(channel, cursor)
    assert sorted(found) == sorted(["new", *(f"new.{n}" for n in range(230))])


def test_an_edit_comes_as_another_version_of_the_same_comment(channel: Channel) -> None:
    channel.say("a")
    cursor = channel.poll("").cursor
    channel.clock.advance(minutes=20)
    channel.edit("a")
    polled = channel.poll(cursor)
    (event,) = events(polled)
    assert (event.external_id, event.text) == ("a", "better")
    assert (event.happened_at, event.edited_at) == (NOW, NOW + timedelta(minutes=20))
    assert ids(channel.poll(polled.cursor)) == []


def test_a_comment_that_appears_after_a_later_one_is_not_skipped(channel: Channel) -> None:
    cursor = channel.poll("").cursor
    channel.clock.advance(minutes=20)
    channel.say("held", at=channel.clock.now() - timedelta(minutes=4))
    channel.say("shown")
    channel.hidden = {"held"}
    polled = channel.poll(cursor)
    assert ids(polled) == ["shown"]
    channel.clock.advance(minutes=20)
    channel.hidden = set()
    assert ids(channel.poll(polled.cursor)) == ["held"]


def test_after_an_outage_page_after_page_is_read_and_a_failure_between_two_loses_nothing() -> None:
    channel = Channel(page=10)
    cursor = channel.poll("").cursor
    for n in range(95):
        channel.clock.advance(minutes=30)
        channel.say(f"c{n}")
    channel.fails = [None, None, QUOTA]
    polled = channel.poll(cursor)
    assert (len(polled.pieces), polled.more) == (20, True)
    rest, cursor = drained(channel, polled.cursor)
    assert sorted([*ids(polled), *rest]) == sorted(f"c{n}" for n in range(95))
    assert ids(channel.poll(cursor)) == []


def test_a_token_of_a_page_that_has_ended_begins_the_walk_again() -> None:
    channel = Channel(page=10)
    cursor = channel.poll("").cursor
    channel.clock.advance(minutes=20)
    for n in range(30):
        channel.say(f"c{n}")
    ended = {"error": {"code": 400, "errors": [{"reason": "invalidPageToken"}], "message": "…"}}
    channel.fails = [None, reply(502, body=HTML), reply(400, ended)]
    first = channel.poll(cursor)
    again = channel.poll(first.cursor)
    assert (again.pieces, again.more) == ((), True)
    rest, _ = drained(channel, again.cursor)
    assert sorted([*ids(first), *rest]) == sorted(f"c{n}" for n in range(30))


def test_the_end_of_the_days_units_is_told_with_the_midnight_in_california_at_which_they_return(
    channel: Channel,
) -> None:
    channel.fails = [QUOTA]
    with pytest.raises(RateLimited) as refused:
        channel.poll("")
    assert refused.value.whole_app
    assert refused.value.until == datetime.fromisoformat("2026-11-23T00:00:00-08:00")


def test_a_hundred_channels_fit_into_a_days_units() -> None:
    every = registry.polled_every("youtube")
    assert every is not None
    assert 100 * (timedelta(days=1) / every) <= 7_500, "of 10,000 for everything"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (
            reply(401, {"error": {"code": 401, "errors": [{"reason": "authError"}], "message": "…"}}),
            AuthExpired,
        ),
        (reply(404, {"error": {"code": 404, "errors": [{"reason": "channelNotFound"}]}}), Rejected),
        (reply(503, body=HTML), Unavailable),
        (reply(200, {"kind": LISTED, "items": [{"id": "a"}]}), Unavailable),
        (
            reply(200, {"kind": LISTED, "items": [{"id": "a", "snippet": {"totalReplyCount": 0}}]}),
            Unavailable,
        ),
        (reply(200, {"kind": LISTED, "items": "none"}), Unavailable),
    ],
)
def test_an_answer_that_is_of_no_use_is_sorted_and_moves_nothing(
    channel: Channel, answer: Answer, kind: type[Exception]
) -> None:
    cursor = channel.poll("").cursor
    channel.fails = [answer]
    with pytest.raises(kind):
        channel.poll(cursor)


def test_without_a_key_it_says_what_to_add_and_does_not_call(channel: Channel) -> None:
    channel.account = replace(OURS, credentials={})
    with pytest.raises(Rejected, match="add api_key or access_token"):
        channel.poll("")
    assert channel.calls() == []


def test_the_accounts_own_access_counts_before_the_apps_key(channel: Channel) -> None:
    channel.account = replace(OURS, credentials={"access_token": "token-of-the-channel", "api_key": "k"})
    channel.poll("")
    assert channel.transport.requests[0].headers == {"Authorization": "Bearer token-of-the-channel"}


# In our words


def test_a_comment_and_its_answers_are_one_conversation_and_ours_is_marked(channel: Channel) -> None:
    cursor = channel.poll("").cursor
    channel.clock.advance(minutes=20)
    channel.say("a")
    channel.say("a.1", under="a", by=CHANNEL)
    comment, answer = events(channel.poll(cursor))
    assert (comment.kind, comment.account, comment.own) == (InboundKind.COMMENT, CHANNEL, False)
    assert (comment.thread, comment.parent_id, comment.post_id) == ("a", "", "VIDEO_ID")
    assert comment.url == "https://www.youtube.com/watch?v=VIDEO_ID&lc=a"
    assert comment.text == "cześć a 🌞"
    assert comment.edited_at is None
    assert comment.author is not None
    assert (comment.author.external_id, comment.author.handle) == (CUSTOMER, "@ola")
    assert (answer.own, answer.thread, answer.parent_id) == (True, "a", "a")


def test_a_comment_of_an_account_that_was_deleted_has_no_author_and_is_not_ours(channel: Channel) -> None:
    cursor = channel.poll("").cursor
    channel.say("a")
    for name in ("authorChannelId", "authorChannelUrl"):
        del channel.threads[0]["snippet"][name]
    (event,) = events(channel.poll(cursor))
    assert (event.author, event.own) == (None, False)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_happens_every_comment_and_answer_is_given(data: st.DataObject) -> None:
    """Comments appear late, threads show few answers, polls fail and crash; if none does, each comes once."""
    channel = Channel(page=data.draw(st.integers(3, 20)), shown=data.draw(st.integers(0, 3)))
    cursor, crashed = channel.poll("").cursor, False
    found: list[str] = []
    said: list[str] = []
    late: dict[str, int] = {}
    for turn in range(data.draw(st.integers(1, 6))):
        channel.clock.advance(minutes=3)
        for n in range(data.draw(st.integers(0, 12))):
            under = data.draw(st.sampled_from(["", *channel.recent()]))
            said.append(f"{turn}-{n}")
            channel.say(said[-1], under=under)
            if not under and data.draw(st.integers(0, 4)) == 0:
                late[said[-1]] = 2
        channel.hidden = set(late)
        if data.draw(st.integers(0, 4)) == 0:
            channel.fails = [None, QUOTA]
        try:
            polled = channel.poll(cursor)
        except RateLimited:  # it had read nothing yet
            polled = Polled((), cursor)
        channel.fails = []
        found += ids(polled)
        if data.draw(st.integers(0, 4)) == 0 and polled.pieces:
            crashed = True
        else:
            cursor = polled.cursor
        late = {one: left - 1 for one, left in late.items() if left > 1}
    channel.hidden = set()
    for _ in range(2):  # what appeared above while a poll was on its way down is the next one's
        more, cursor = drained(channel, cursor)
        found += more
    assert set(found) == set(said)
    assert crashed or len(found) == len(said)
