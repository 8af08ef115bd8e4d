"""Polling a Mastodon server's notifications: all of them, in order, and hardly any twice."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.clock import to_text
from chalicelib.core.http import MaybeSent, Request
from chalicelib.platforms.errors import AuthExpired, RateLimited, Unavailable
from chalicelib.platforms.inbound import Polled, Polling
from chalicelib.platforms.mastodon.adapter import MastodonAdapter
from tests.fakes.transport import Answer, reply
from tests.platforms.support import NOW, Bench, recorded

LIMITED = reply(
    429, {"error": "Too many requests"}, {"X-RateLimit-Reset": to_text(NOW + timedelta(minutes=3))}
)


class Server:
    """Notifications by id; `hidden` are those whose transaction has not ended. `fails` is a script."""

    def __init__(self, most: int = 80) -> None:
        self.bench = Bench("mastodon", self)
        self.kept: dict[int, dict[str, Any]] = {}
        self.hidden: set[int] = set()
        self.most = most
        self.fails: list[Answer | None] = []
        self.asked: list[dict[str, list[str]]] = []

    def __call__(self, request: Request) -> Answer:
        parts = urlsplit(request.url)
        assert parts.path == "/api/v1/notifications"
        query = parse_qs(parts.query)
        self.asked.append(query)
        failure = self.fails.pop(0) if self.fails else None
        return failure or reply(200, self.page(int(query.get("min_id", ["-1"])[0]), int(query["limit"][0])))

    def page(self, after: int, limit: int) -> list[dict[str, Any]]:
        """With `min_id` the oldest above it, without the newest; the newest first in both (docs)."""
        seen = sorted(number for number in self.kept if number not in self.hidden and number > after)
        limit = min(limit, self.most)
        return [self.kept[number] for number in reversed(seen[:limit] if after >= 0 else seen[-limit:])]

    def add(self, *numbers: int) -> None:
        for number in numbers:
            at = to_text(self.bench.clock.now())
            self.kept[number] = {"id": str(number), "type": "mention", "created_at": at}

    def poll(self, cursor: str) -> Polled:
        adapter = self.bench.adapter
        assert isinstance(adapter, MastodonAdapter)
        return adapter.poll(self.bench.account, cursor)


def ids(polled: Polled) -> list[int]:
    return [int(piece["notification"]["id"]) for piece in polled.pieces]


def drained(server: Server, cursor: str) -> tuple[list[int], str]:
    """Everything that there is now, and the cursor after it."""
    found: list[int] = []
    for _ in range(100):
        polled = server.poll(cursor)
        found, cursor = found + ids(polled), polled.cursor
        if not polled.more:
            return found, cursor
    raise AssertionError("there is always more")


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def start(server: Server) -> str:
    """A cursor after one notification of the past."""
    server.add(1000)
    cursor = server.poll("").cursor
    server.bench.clock.advance(hours=1)
    return cursor


def test_the_adapter_polls(server: Server) -> None:
    assert isinstance(server.bench.adapter, Polling)


def test_the_first_poll_takes_no_history(server: Server) -> None:
    server.add(*range(100))
    first = server.poll("")
    assert (first.pieces, first.more) == ((), False)
    server.add(100, 101)
    assert ids(server.poll(first.cursor)) == [100, 101]


def test_an_account_without_any_notification_starts_at_the_first(server: Server) -> None:
    cursor = server.poll("").cursor
    server.add(1, 2)
    assert ids(server.poll(cursor)) == [1, 2]


def test_what_came_is_given_oldest_first_and_once(server: Server, start: str) -> None:
    server.add(1003, 1001, 1002)
    polled = server.poll(start)
    assert ids(polled) == [1001, 1002, 1003]
    assert ids(server.poll(polled.cursor)) == []
    server.bench.clock.advance(minutes=2)
    assert ids(server.poll(server.poll(polled.cursor).cursor)) == []


def test_a_piece_carries_the_account_and_the_notification_as_it_came(server: Server, start: str) -> None:
    server.add(1001)
    (piece,) = server.poll(start).pieces
    assert piece == {"account": "23634", "notification": server.kept[1001]}


def test_private_mentions_by_strangers_are_asked_for_and_others_affairs_are_not(
    server: Server, start: str
) -> None:
    server.poll(start)
    assert server.asked[-1]["include_filtered"] == ["true"]
    assert server.asked[-1]["exclude_types[]"] == ["status", "poll", "admin.sign_up", "admin.report"]
    assert server.asked[-1]["min_id"] == ["1000"]


@pytest.mark.parametrize("most", [80, 30])
def test_many_come_page_by_page_and_none_is_lost_or_doubled(most: int) -> None:
    server = Server(most)
    cursor = server.poll("").cursor
    server.add(*range(1, 501))
    first = server.poll(cursor)
    assert (ids(first), first.more) == (list(range(1, 151)), True)
    rest, _ = drained(server, first.cursor)
    assert rest == list(range(151, 501))


def test_a_quiet_account_costs_one_call(server: Server, start: str) -> None:
    before = len(server.asked)
    server.poll(start)
    assert len(server.asked) - before == 1


def test_a_crash_before_the_cursor_is_saved_repeats_and_never_skips(server: Server, start: str) -> None:
    server.add(*range(1001, 1300))
    lost = server.poll(start)
    assert ids(server.poll(start)) == ids(lost)
    assert drained(server, start)[0] == list(range(1001, 1300))


def test_an_id_that_appears_after_a_later_one_is_not_skipped(server: Server, start: str) -> None:
    server.add(1001, 1002, 1003)
    server.hidden = {1001}
    first = server.poll(start)
    assert ids(first) == [1002, 1003]
    server.bench.clock.advance(seconds=50)
    server.hidden = set()
    second = server.poll(first.cursor)
    assert ids(second) == [1001]
    assert ids(server.poll(second.cursor)) == []


def test_longer_ids_are_later_ones(server: Server) -> None:
    server.add(9)
    cursor = server.poll("").cursor
    server.add(10, 100, 99)
    found, cursor = drained(server, cursor)
    server.bench.clock.advance(minutes=2)
    assert found == [10, 99, 100]
    assert json.loads(server.poll(cursor).cursor) == {"after": "100", "seen": []}


def test_a_burst_neither_stops_a_poll_nor_makes_its_cursor_long(server: Server, start: str) -> None:
    server.add(*range(1001, 2001))
    found, cursor = drained(server, start)
    assert found == list(range(1001, 2001))
    assert len(cursor) < 1_000


def test_too_many_calls_are_told_with_their_time(server: Server, start: str) -> None:
    server.fails = [LIMITED]
    with pytest.raises(RateLimited) as refused:
        server.poll(start)
    assert refused.value.until == NOW + timedelta(hours=1, seconds=2)


@pytest.mark.parametrize("failure", [LIMITED, MaybeSent("gone"), reply(502, body=b"<html>")])
def test_a_failure_between_two_pages_loses_nothing_that_was_read(
    server: Server, start: str, failure: Answer
) -> None:
    server.add(*range(1001, 1050))
    server.fails = [None, failure]
    polled = server.poll(start)
    assert (ids(polled), polled.more) == (list(range(1001, 1031)), True)
    assert drained(server, polled.cursor)[0] == list(range(1031, 1050))


@pytest.mark.parametrize(
    "broken",
    [
        {"error": ""},
        [{"type": "mention"}],
        [{"id": 7}],
        [{"id": "../7"}],
        [{"id": "é"}],
        ["7"],
        [None],
    ],
)
def test_what_a_server_does_not_document_is_told_and_moves_nothing(
    server: Server, start: str, broken: Any
) -> None:
    server.fails = [reply(200, broken)]
    with pytest.raises(Unavailable):
        server.poll(start)


def test_a_server_that_does_not_know_min_id_is_not_asked_for_ever(server: Server, start: str) -> None:
    page = [{"id": str(number), "type": "mention", "created_at": to_text(NOW)} for number in range(900, 930)]
    server.fails = [reply(200, page)]
    polled = server.poll(start)
    assert (polled.pieces, polled.more, polled.cursor) == ((), False, start)


def test_a_token_that_ended_is_told(server: Server, start: str) -> None:
    server.fails = [recorded("mastodon", "bad_token")]
    with pytest.raises(AuthExpired):
        server.poll(start)


def test_a_token_without_the_scope_for_notifications_is_told_the_scope_and_what_to_do(
    server: Server, start: str
) -> None:
    server.fails = [reply(403, {"error": "This action is outside the authorized scopes"})]
    with pytest.raises(AuthExpired, match="lacks the scope read:notifications") as refused:
        server.poll(start)
    assert "make a new token" in refused.value.message
    assert "post" not in refused.value.message


def test_an_account_that_its_server_shut_out_is_not_said_to_lack_a_scope(server: Server, start: str) -> None:
    server.fails = [reply(403, {"error": "Your login is currently disabled"})]
    with pytest.raises(AuthExpired, match="Your login is currently disabled"):
        server.poll(start)


def test_a_page_of_long_texts_is_read(server: Server, start: str) -> None:
    server.add(*range(1001, 1031))
    for told in server.kept.values():
        told["status"] = {"content": "ą" * 50_000}
    page = json.dumps(server.page(1000, 30), ensure_ascii=False).encode()
    assert server.bench.transport.requests[-1].max_bytes > len(page) > 2**21
    assert len(server.poll(start).pieces) == 30


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_happens_every_notification_is_given(data: st.DataObject) -> None:
    """Ids appear late and out of order, polls fail and crash; without a crash each is given once.

    At most 48 come in a minute: what is remembered of the newest is bounded, as the test of a burst shows.
    """
    server = Server()
    cursor, number, crashed = server.poll("").cursor, 0, False
    found: list[int] = []
    late: dict[int, int] = {}
    for _ in range(data.draw(st.integers(1, 12))):
        burst, every = data.draw(st.integers(0, 12)), data.draw(st.integers(1, 4))
        server.add(*range(number + 1, number + burst + 1))
        late |= {one: one % 3 + 1 for one in range(number + 1, number + burst + 1, every)}
        number += burst
        server.hidden = set(late)
        if data.draw(st.integers(0, 5)) == 0:
            server.fails = [None, LIMITED]
        polled = server.poll(cursor)
        server.fails = []
        found += ids(polled)
        if data.draw(st.integers(0, 4)) == 0 and polled.pieces:
            crashed = True
        else:
            cursor = polled.cursor
        server.bench.clock.advance(seconds=15)
        late = {one: left - 1 for one, left in late.items() if left > 1}
    server.hidden = set()
    server.bench.clock.advance(seconds=1)
    found += drained(server, cursor)[0]
    assert set(found) == set(range(1, number + 1))
    assert crashed or len(found) == number
