"""Polling Bluesky's notifications: back from the newest, across what is indexed late, and each once."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock, to_text
from chalicelib.core.http import MaybeSent, Request, Response
from chalicelib.platforms.bluesky.adapter import BlueskyAdapter
from chalicelib.platforms.bluesky.inbound import BlueskyInbound
from chalicelib.platforms.errors import AuthExpired, RateLimited, Unavailable
from chalicelib.platforms.inbound import InboundKind, Polled, Polling
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client, reply
from tests.platforms.bluesky.pds import OLA, FakePds
from tests.platforms.support import NOW, account, recorded

LIST = "app.bsky.notification.listNotifications"
STATUS = "com.atproto.sync.getRepoStatus"
LIMITED = reply(
    429,
    {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"},
    {"RateLimit-Reset": str(int((NOW + timedelta(minutes=9)).timestamp()))},
)


class Server(FakePds):
    """Notifications, which stand by the earlier of a record's own time and its indexing, newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FixedClock(NOW)
        self.sessions = MemorySessions()
        self.account = account("bluesky")
        self.told: list[dict[str, Any]] = []
        self.fails: list[Answer | None] = []
        self.status: str | None = None
        self.asked: list[dict[str, str]] = []
        self.transport = FakeTransport(self._answering)

    def _answering(self, request: Request) -> Answer:
        self.now = self.clock.now()
        return self(request)

    def listNotifications(self, request: Request, params: dict[str, str], bearer: str) -> Answer:  # noqa: N802
        if bearer not in self.access:
            return recorded("bluesky", "expired_token")
        self.asked.append(params)
        failure = self.fails.pop(0) if self.fails else None
        if failure:
            return failure
        listed = sorted(self.told, key=_place, reverse=True)
        if "cursor" in params:
            listed = [one for one in listed if _place(one) < tuple(params["cursor"].split(" "))]
        page = listed[: int(params["limit"])]
        more = {"cursor": " ".join(_place(page[-1]))} if len(listed) > len(page) else {}
        return reply(200, {"notifications": page, "seenAt": to_text(NOW), **more})

    def getRepoStatus(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        if self.status is None:
            return recorded("bluesky", "repo_active")
        return reply(200, {"did": params["did"], "active": False, "status": self.status})

    def add(self, number: int, ago: float = 0, reason: str = "mention") -> None:
        """A notification of a record that says it was made so many seconds ago."""
        at = to_text(self.clock.now() - timedelta(seconds=ago))
        uri = f"at://{OLA}/app.bsky.feed.post/{number:013}"
        record = {"$type": "app.bsky.feed.post", "text": f"{number}", "createdAt": at}
        author = {"did": OLA, "handle": "ola.test"}
        told = {"uri": uri, "cid": "bafy", "author": author, "reason": reason, "record": record}
        self.told.append({**told, "isRead": False, "indexedAt": at})

    def poll(self, cursor: str) -> Polled:
        """By a worker that knows nothing but the session store."""
        adapter = BlueskyAdapter(client(self.clock, self.transport), self.clock, self.sessions)
        assert isinstance(adapter, Polling)
        return adapter.poll(self.account, cursor)

    def drained(self, cursor: str) -> tuple[list[int], str]:
        found: list[int] = []
        for _ in range(100):
            polled = self.poll(cursor)
            found, cursor = found + numbers(polled), polled.cursor
            if not polled.more:
                return found, cursor
        raise AssertionError("there is always more")


def _place(told: dict[str, Any]) -> tuple[str, str]:
    return told["indexedAt"], told["uri"]


def numbers(polled: Polled) -> list[int]:
    return [int(piece["notification"]["record"]["text"]) for piece in polled.pieces]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def start(server: Server) -> str:
    cursor = server.poll("").cursor
    server.clock.advance(seconds=30)
    return cursor


def test_the_first_poll_takes_no_history(server: Server) -> None:
    for number in range(150):
        server.add(number, ago=number)
    server.clock.advance(seconds=1)
    first = server.poll("")
    assert (first.pieces, first.more) == ((), False)
    server.clock.advance(seconds=30)
    server.add(500)
    polled = server.poll(first.cursor)
    assert numbers(polled) == [500]
    server.clock.advance(seconds=30)
    assert numbers(server.poll(polled.cursor)) == []


def test_what_came_is_given_oldest_first_and_once(server: Server, start: str) -> None:
    for number in (3, 1, 2):
        server.add(number, ago=10 - number)
    polled = server.poll(start)
    assert numbers(polled) == [1, 2, 3]
    for _ in range(5):
        server.clock.advance(minutes=20)
        polled = server.poll(polled.cursor)
        assert polled.pieces == ()


def test_people_whom_the_account_does_not_follow_are_asked_for_too(server: Server, start: str) -> None:
    server.poll(start)
    assert server.asked == [{"limit": "100", "priority": "false"}]


def test_a_quiet_account_costs_one_call_and_a_status_now_and_then(server: Server, start: str) -> None:
    cursor, server.calls = server.poll(start).cursor, []
    for _ in range(30):
        server.clock.advance(minutes=1)
        cursor = server.poll(cursor).cursor
    assert server.calls.count(LIST) == 30
    assert server.calls.count(STATUS) == 3
    assert len(server.calls) == 33


def test_what_is_indexed_late_stands_below_what_was_seen_and_is_not_missed(
    server: Server, start: str
) -> None:
    server.add(2)
    first = server.poll(start)
    server.clock.advance(seconds=20)
    server.add(1, ago=45)  # before the other one, and after the first poll
    second = server.poll(first.cursor)
    assert (numbers(first), numbers(second)) == ([2], [1])
    assert server.poll(second.cursor).pieces == ()


def test_a_record_that_claims_to_be_an_hour_old_is_found_and_one_of_yesterday_is_history(
    server: Server, start: str
) -> None:
    server.clock.advance(hours=3)
    server.add(1)
    cursor = server.poll(start).cursor
    server.add(2, ago=3_500)
    server.add(3, ago=86_400)
    assert numbers(server.poll(cursor)) == [2]


def test_many_come_over_several_polls_and_none_is_lost_or_doubled(server: Server, start: str) -> None:
    server.clock.advance(minutes=30)
    for number in range(2_500):
        server.add(number, ago=(2_500 - number) * 0.5)
    first = server.poll(start)
    assert (numbers(first), first.more) == (list(range(1_500, 2_500)), True)
    server.clock.advance(seconds=1)
    server.add(9_999)
    found, cursor = server.drained(first.cursor)
    assert sorted(found) == list(range(1_500))
    found, cursor = server.drained(cursor)
    assert found == [9_999]
    assert server.drained(cursor)[0] == []


def test_a_busy_account_keeps_a_short_cursor_and_still_finds_what_is_late(server: Server, start: str) -> None:
    server.clock.advance(minutes=30)
    for number in range(3_000):
        server.add(number, ago=number * 0.1)
    found, cursor = server.drained(start)
    assert sorted(found) == list(range(3_000))
    assert len(cursor) < 12_000
    server.add(5_000, ago=20)
    assert server.drained(cursor)[0] == [5_000]


def test_a_crash_before_the_cursor_is_saved_repeats_and_never_skips(server: Server, start: str) -> None:
    server.clock.advance(minutes=30)
    for number in range(1_800):
        server.add(number, ago=(1_800 - number) * 0.5)
    lost = server.poll(start)
    assert numbers(server.poll(start)) == numbers(lost)
    middle = server.poll(lost.cursor)
    assert numbers(server.poll(lost.cursor)) == numbers(middle)
    assert sorted(numbers(lost) + numbers(middle)) == list(range(1_800))


@pytest.mark.parametrize("failure", [LIMITED, MaybeSent("gone"), reply(502, body=b"<html>")])
def test_a_failure_between_two_pages_loses_nothing_that_was_read(
    server: Server, start: str, failure: Answer
) -> None:
    server.clock.advance(minutes=30)
    for number in range(250):
        server.add(number, ago=250 - number)
    server.fails = [None, failure]
    polled = server.poll(start)
    assert (numbers(polled), polled.more) == (list(range(150, 250)), True)
    assert sorted(server.drained(polled.cursor)[0]) == list(range(150))


def test_too_many_calls_are_told_with_their_time(server: Server, start: str) -> None:
    server.fails = [LIMITED]
    with pytest.raises(RateLimited) as refused:
        server.poll(start)
    assert refused.value.until == NOW + timedelta(minutes=9)


def test_a_time_ahead_of_ours_hides_nothing(server: Server, start: str) -> None:
    server.add(1, ago=-86_400)
    first = server.poll(start)
    server.clock.advance(minutes=1)
    server.add(2)
    assert numbers(first) == [1]
    assert numbers(server.poll(first.cursor)) == [2]


def test_others_affairs_are_left_out(server: Server, start: str) -> None:
    for number, reason in enumerate(
        ["subscribed-post", "contact-match", "starterpack-joined", "like", "new"]
    ):
        server.add(number, reason=reason)
    assert numbers(server.poll(start)) == [3, 4]


def test_many_polls_sign_in_once(server: Server, start: str) -> None:
    cursor = start
    for _ in range(20):
        cursor = server.poll(cursor).cursor
    assert server.calls.count("com.atproto.server.createSession") == 1


def test_a_session_that_ended_costs_one_poll(server: Server, start: str) -> None:
    cursor = server.poll(start).cursor
    server.sessions_end()
    server.add(1)
    with pytest.raises(Unavailable):
        server.poll(cursor)
    assert numbers(server.poll(cursor)) == [1]


# The account's own status


def restricted(polled: Polled) -> list[tuple[InboundKind, str]]:
    found = [event for piece in polled.pieces for event in BlueskyInbound().normalise(piece)]
    return [(event.kind, event.key) for event in found if event.kind == InboundKind.ACCOUNT_RESTRICTED]


def test_an_account_that_is_taken_down_is_told_once(server: Server, start: str) -> None:
    cursor = server.poll(start).cursor
    server.clock.advance(minutes=11)
    server.status = "takendown"
    told = server.poll(cursor)
    assert len(restricted(told)) == 1
    server.clock.advance(seconds=5)  # another worker does the same poll again
    assert restricted(server.poll(cursor)) == restricted(told)
    server.clock.advance(minutes=11)
    assert restricted(server.poll(told.cursor)) == []


def test_an_account_that_is_taken_down_twice_is_told_twice(server: Server, start: str) -> None:
    told: list[tuple[InboundKind, str]] = []
    cursor = start
    for status in ("takendown", None, "takendown"):
        server.status = status
        server.clock.advance(minutes=11)
        polled = server.poll(cursor)
        cursor, told = polled.cursor, [*told, *restricted(polled)]
    assert len(set(told)) == 2


def test_a_refused_sign_in_of_a_suspended_account_says_that_it_is_suspended(
    server: Server, start: str
) -> None:
    server.status, server.password = "suspended", "changed"
    told = server.poll(start)
    assert len(restricted(told)) == 1
    with pytest.raises(AuthExpired):
        server.poll(told.cursor)


def test_a_refused_password_of_an_active_account_is_only_that(server: Server, start: str) -> None:
    server.password = "changed"
    with pytest.raises(AuthExpired):
        server.poll(start)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"notifications": None},
        {"notifications": ["x"]},
        {"notifications": [{"uri": "at://x", "cid": "c", "reason": "like"}]},
        {"notifications": [{"uri": 7, "cid": "c", "reason": "like", "indexedAt": to_text(NOW)}]},
    ],
)
def test_what_a_server_does_not_document_is_told_and_moves_nothing(
    server: Server, start: str, broken: dict[str, Any]
) -> None:
    server.fails = [reply(200, broken)]
    with pytest.raises(Unavailable):
        server.poll(start)


def test_a_cursor_that_leads_to_itself_is_not_followed_for_ever(server: Server, start: str) -> None:
    page = reply(200, {"notifications": [], "cursor": "again"})
    server.fails = [page, page, page]
    assert server.poll(start).more is False
    assert len(server.asked) == 2


def test_empty_pages_on_the_way_are_passed(server: Server, start: str) -> None:
    server.add(1)
    at = to_text(server.clock.now() + timedelta(seconds=1))
    server.fails = [reply(200, {"notifications": [], "cursor": f"{at} z"})]
    assert numbers(server.poll(start)) == [1]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_happens_every_notification_is_given(data: st.DataObject) -> None:
    """Records are indexed late by up to an hour, polls fail and crash; without a crash each is given once.

    At most 480 come in all: what is remembered is bounded, as the test of a busy account shows.
    """
    server = Server()
    cursor, crashed, number = server.poll("").cursor, False, 0
    began: datetime = server.clock.now()
    found: list[int] = []
    for _ in range(data.draw(st.integers(1, 8))):
        server.clock.advance(seconds=data.draw(st.sampled_from([20, 600, 3_000])))
        most_ago = min(3_500, (server.clock.now() - began).total_seconds() - 1)
        every, part = data.draw(st.integers(1, 4)), data.draw(st.floats(0, 1))
        for _ in range(data.draw(st.sampled_from([0, 1, 7, 60]))):
            server.add(number, ago=part * most_ago if number % every == 0 else 0)
            number += 1
        if data.draw(st.integers(0, 5)) == 0:
            server.fails = [None, LIMITED]
        polled = server.poll(cursor)
        server.fails = []
        found += numbers(polled)
        if data.draw(st.integers(0, 4)) == 0 and polled.pieces:
            crashed = True
        else:
            cursor = polled.cursor
    for _ in range(3):
        more, cursor = server.drained(cursor)
        found += more
    assert set(found) == set(range(number))
    assert crashed or len(found) == number
    assert json.loads(cursor)["back"] == ""
