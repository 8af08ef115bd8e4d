"""Signing in as seldom as can be: 30 times in 5 minutes and 300 times a day is all an account has."""

from dataclasses import replace

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import MaybeSent, Request
from chalicelib.platforms.bluesky.adapter import BlueskyAdapter
from chalicelib.platforms.bluesky.sessions import Session
from chalicelib.platforms.errors import AuthExpired, RateLimited, Unavailable
from chalicelib.platforms.port import AccountRef, Content
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client
from tests.platforms.bluesky.pds import FakePds
from tests.platforms.support import NOW, TEXT, account, recorded

CREATE = "com.atproto.server.createSession"
REFRESH = "com.atproto.server.refreshSession"


class Workers:
    """Any number of workers over one server and one session store."""

    def __init__(self) -> None:
        self.pds = FakePds()
        self.clock = FixedClock(NOW)
        self.sessions = MemorySessions()
        self.account: AccountRef = account("bluesky")

    def worker(self) -> BlueskyAdapter:
        return BlueskyAdapter(client(self.clock, FakeTransport(self.pds)), self.clock, self.sessions)

    def publish(self, worker: BlueskyAdapter, key: str, content: Content = TEXT) -> None:
        plan = worker.plan(content, self.clock.now(), key)
        worker.publish(self.account, content, worker.prepare(self.account, content, plan))

    def pass_time(self, **parts: float) -> None:
        self.pds.now = self.clock.advance(**parts)


def test_a_hundred_posts_by_many_workers_sign_in_once() -> None:
    many = Workers()
    for number in range(100):
        many.publish(many.worker(), f"variant_{number}")
    assert many.pds.calls.count(CREATE) == 1
    assert many.pds.calls.count(REFRESH) == 0
    assert many.pds.commits == 100


def test_a_session_is_renewed_before_it_ends_and_not_opened_anew() -> None:
    many = Workers()
    for number in range(5):
        many.publish(many.worker(), f"variant_{number}")
        many.pass_time(minutes=116)
    assert (many.pds.calls.count(CREATE), many.pds.calls.count(REFRESH)) == (1, 4)


def test_a_session_that_the_server_ended_costs_one_attempt_and_no_post() -> None:
    many = Workers()
    worker = many.worker()
    many.publish(worker, "variant_1")
    many.pds.sessions_end()
    with pytest.raises(Unavailable):
        many.publish(worker, "variant_2")
    assert many.pds.commits == 1
    many.publish(worker, "variant_2")
    assert many.pds.commits == 2
    assert many.pds.calls.count(CREATE) == 2


def test_of_two_workers_that_renew_at_once_the_loser_uses_what_the_winner_stored() -> None:
    many = Workers()
    winner, loser = many.worker(), many.worker()
    many.publish(winner, "variant_1")
    many.pass_time(hours=3)
    raced = False

    class Racing(MemorySessions):
        """Lets the winner renew just after the loser has read the old session."""

        def get(self, account_id: str) -> dict[str, str] | None:
            nonlocal raced
            old = super().get(account_id)
            if not raced:
                raced = True
                many.publish(winner, "variant_2")
            return old

    racing = Racing()
    racing.kept = many.sessions.kept
    loser = BlueskyAdapter(client(many.clock, FakeTransport(many.pds)), many.clock, racing)
    many.publish(loser, "variant_3")
    assert many.pds.commits == 3
    assert many.pds.calls.count(CREATE) == 1
    assert many.pds.calls.count(REFRESH) == 2


def test_a_session_that_cannot_be_renewed_is_opened_anew_once() -> None:
    many = Workers()
    worker = many.worker()
    many.publish(worker, "variant_1")
    many.pass_time(hours=3)
    many.pds.refresh.clear()
    many.publish(worker, "variant_2")
    assert (many.pds.calls.count(CREATE), many.pds.calls.count(REFRESH)) == (2, 1)


def test_a_wrong_password_is_tried_once_and_needs_a_person() -> None:
    many = Workers()
    many.account = replace(many.account, credentials={"password": "wrong"})
    with pytest.raises(AuthExpired, match="app password"):
        many.publish(many.worker(), "variant_1")
    assert many.pds.calls == [CREATE]


def test_no_password_at_all_calls_nobody() -> None:
    many = Workers()
    many.account = replace(many.account, credentials={})
    with pytest.raises(AuthExpired):
        many.publish(many.worker(), "variant_1")
    assert many.pds.calls == []


def test_a_new_password_is_proven_and_not_covered_by_the_old_session() -> None:
    many = Workers()
    worker = many.worker()
    many.publish(worker, "variant_1")
    with pytest.raises(AuthExpired):
        worker.profile(replace(many.account, credentials={"password": "wrong"}))


def test_credentials_of_another_account_publish_nothing() -> None:
    many = Workers()
    many.account = replace(many.account, external_id="did:plc:somebodyelse")
    with pytest.raises(AuthExpired, match="another Bluesky account"):
        many.publish(many.worker(), "variant_1")
    assert many.pds.commits == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [(recorded("bluesky", "rate_limited"), RateLimited), (MaybeSent("…"), Unavailable)],
)
def test_trouble_while_renewing_does_not_sign_in(answer: Answer, error: type[Exception]) -> None:
    many = Workers()
    many.publish(many.worker(), "variant_1")
    many.pass_time(hours=3)

    def answering(request: Request) -> Answer:
        return answer if REFRESH in request.url else many.pds(request)

    worker = BlueskyAdapter(client(many.clock, FakeTransport(answering)), many.clock, many.sessions)
    with pytest.raises(error):
        many.publish(worker, "variant_2")
    assert many.pds.calls.count(CREATE) == 1


def test_publishing_with_a_session_that_has_ended_calls_nobody() -> None:
    many = Workers()
    worker = many.worker()
    checkpoint = worker.prepare(many.account, TEXT, worker.plan(TEXT, NOW, "variant_1"))
    many.pass_time(hours=3)
    before = len(many.pds.calls)
    with pytest.raises(Unavailable):
        worker.publish(many.account, TEXT, checkpoint)
    assert len(many.pds.calls) == before


def test_a_token_without_a_readable_end_is_trusted_for_a_short_time_only() -> None:
    many = Workers()
    unreadable = [
        recorded("bluesky", "session", accessJwt=token, refreshJwt="r")
        for token in ("opaque", "a.b.c", "a.e30.c", "a.WzVd.c", "a.eyJleHAiOiAxZTk5fQ.c")
    ]
    for answer in unreadable:
        many.sessions.kept.clear()
        worker = BlueskyAdapter(client(many.clock, FakeTransport([answer])), many.clock, many.sessions)
        worker.prepare(many.account, Content("x"), worker.plan(Content("x"), NOW, "k"))
        assert many.sessions.kept["account_1"]["expires_at"] == "2026-11-22T12:10:00.000Z"


def test_a_session_stored_in_another_form_is_opened_anew() -> None:
    many = Workers()
    many.sessions.kept["account_1"] = {"jwt": "old"}
    many.publish(many.worker(), "variant_1")
    assert many.pds.calls[0] == CREATE


def test_a_session_shows_no_token() -> None:
    many = Workers()
    many.publish(many.worker(), "variant_1")
    stored = many.sessions.kept["account_1"]
    shown = repr(Session.from_stored(stored))
    assert stored["access"] not in shown
    assert stored["refresh"] not in shown
