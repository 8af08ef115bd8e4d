"""TikTok's tokens: renewed in time or when they are refused, kept before they are used, and never lost."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.accounts.sessions import NoSessions, SsmSessions
from chalicelib.core.clock import FixedClock
from chalicelib.core.http import Request, Response
from chalicelib.core.secrets import Secrets
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import SessionStore
from chalicelib.platforms.tiktok.reader import TikTokReader
from tests.fakes.sessions import MemorySessions
from tests.fakes.stage import Stage
from tests.fakes.transport import FakeTransport, client, reply
from tests.platforms.readers import recorded, ref
from tests.platforms.subscriptions import NOW, everything_logged, raised

GIVEN = {"access_token": "act.0", "refresh_token": "rft.0", "client_key": "key", "client_secret": "hush"}
ACCOUNT = ref("tiktok", "tiktoker", "1", **GIVEN)
DAY = 86_400


class Broken(MemorySessions):
    """A store that fails as often as it is told to."""

    failures = 0

    def put(self, account_id: str, session: dict[str, Any]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError(f"no such thing as {session}")
        super().put(account_id, session)


@dataclass
class TikTok:
    """Knows which tokens are good: a renewal ends the refresh token that was used for it."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    access: str = "act.0"
    refresh: str = "rft.0"
    made: int = 0
    renews: Callable[[dict[str, Any]], Response] | None = None

    def __post_init__(self) -> None:
        self.transport = FakeTransport(self)

    def __call__(self, request: Request) -> Response:
        if urlsplit(request.url).path != "/v2/oauth/token/":
            is_good = request.headers["Authorization"] == f"Bearer {self.access}"
            return recorded("tiktok", "user" if is_good else "access_token_invalid")
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        assert (form["client_key"], form["client_secret"]) == ("key", "hush")
        assert form["grant_type"] == "refresh_token"
        if form["refresh_token"] != self.refresh:
            return reply(400, {"error": "invalid_grant", "error_description": "Used.", "log_id": "1"})
        self.made += 1
        self.access, self.refresh = f"act.{self.made}", f"rft.{self.made}"
        answer = {
            "access_token": self.access, "expires_in": DAY, "open_id": "1", "refresh_token": self.refresh,
            "refresh_expires_in": 365 * DAY, "scope": "user.info.basic", "token_type": "Bearer",
        }  # fmt: skip
        return self.renews(answer) if self.renews else reply(200, answer)

    def reader(self, sessions: SessionStore) -> TikTokReader:
        """One worker."""
        return TikTokReader(client(self.clock, self.transport), self.clock, sessions)

    def calls(self) -> list[str]:
        return [urlsplit(request.url).path.split("/")[2] for request in self.transport.requests]


def kept(sessions: MemorySessions) -> tuple[str, str]:
    session = sessions.kept["account_1"]
    return session["access"], session["refresh"]


def test_a_token_that_lasts_is_used_and_one_that_ends_is_renewed_before_the_call() -> None:
    tiktok, sessions = TikTok(), MemorySessions()
    tiktok.reader(sessions).profile(ACCOUNT)
    assert (tiktok.calls(), kept(sessions)) == (["user"], ("act.0", "rft.0"))
    tiktok.access = ""  # 24 hours are over, and nobody knows
    tiktok.reader(sessions).profile(ACCOUNT)
    assert (tiktok.calls()[1:], kept(sessions)) == (["user", "oauth", "user"], ("act.1", "rft.1"))
    for day in range(2, 5):
        tiktok.clock.advance(seconds=DAY - 299)
        tiktok.reader(sessions).profile(ACCOUNT)
        assert (tiktok.calls()[-2:], kept(sessions)) == (["oauth", "user"], (f"act.{day}", f"rft.{day}"))
    tiktok.clock.advance(seconds=DAY - 301)
    tiktok.reader(sessions).profile(ACCOUNT)
    assert tiktok.calls()[-2:] == ["user", "user"]


def test_new_tokens_are_stored_before_they_are_used() -> None:
    tiktok, sessions, stored = TikTok(access=""), MemorySessions(), list[str]()

    def answering(request: Request) -> Response:
        if "/oauth/" not in request.url:
            stored.append(sessions.kept["account_1"]["refresh"])
        return tiktok(request)

    http = client(tiktok.clock, FakeTransport(answering))
    TikTokReader(http, tiktok.clock, sessions).profile(ACCOUNT)
    assert stored == ["rft.0", "rft.1"]


def test_credentials_that_are_only_tried_out_spend_no_refresh_token() -> None:
    tiktok = TikTok()
    tiktok.reader(NoSessions()).profile(ACCOUNT)
    tiktok.access = ""
    assert type(raised(lambda: tiktok.reader(NoSessions()).profile(ACCOUNT))) is AuthExpired
    assert tiktok.calls() == ["user", "user"]


@pytest.mark.parametrize("missing", ["refresh_token", "client_key", "client_secret"])
def test_what_cannot_be_renewed_is_used_as_it_is_and_stored_nowhere(missing: str) -> None:
    tiktok, sessions = TikTok(access=""), MemorySessions()
    account = replace(ACCOUNT, credentials={**GIVEN, missing: ""})
    error = raised(lambda: tiktok.reader(sessions).profile(account))
    assert (type(error), tiktok.calls(), sessions.kept) == (AuthExpired, ["user"], {})
    assert "connect it again" in error.message


def test_a_refresh_token_alone_is_enough() -> None:
    tiktok, sessions = TikTok(), MemorySessions()
    tiktok.reader(sessions).profile(replace(ACCOUNT, credentials={**GIVEN, "access_token": ""}))
    assert tiktok.calls() == ["oauth", "user"]


def test_new_credentials_begin_anew() -> None:
    tiktok, sessions = TikTok(), MemorySessions()
    tiktok.reader(sessions).profile(ACCOUNT)
    tiktok.access, tiktok.refresh = "act.new", "rft.new"
    again = {**GIVEN, "access_token": "act.new", "refresh_token": "rft.new"}
    tiktok.reader(sessions).profile(replace(ACCOUNT, credentials=again))
    assert (tiktok.calls(), kept(sessions)) == (["user", "user"], ("act.new", "rft.new"))


def test_a_refresh_token_that_stays_the_same_is_kept() -> None:
    tiktok, sessions = TikTok(access=""), MemorySessions()
    tiktok.renews = lambda answer: reply(200, {**answer, "refresh_token": None})
    tiktok.reader(sessions).profile(ACCOUNT)
    assert kept(sessions) == ("act.1", "rft.0")


def test_a_new_refresh_token_without_an_access_token_is_kept_all_the_same() -> None:
    tiktok, sessions = TikTok(access=""), MemorySessions()
    tiktok.renews = lambda answer: reply(200, {**answer, "access_token": {}})
    assert type(raised(lambda: tiktok.reader(sessions).profile(ACCOUNT))) is Unavailable
    assert kept(sessions) == ("", "rft.1")
    tiktok.renews = None
    tiktok.reader(sessions).profile(ACCOUNT)
    assert kept(sessions) == ("act.2", "rft.2")


@pytest.mark.parametrize("failures", [1, 2, 3, 7])
def test_a_store_that_fails_for_a_while_loses_no_new_token(
    failures: int, caplog: pytest.LogCaptureFixture
) -> None:
    tiktok, sessions = TikTok(), Broken()
    worker = tiktok.reader(sessions)
    worker.profile(ACCOUNT)
    tiktok.access, sessions.failures = "", failures
    with everything_logged(caplog):
        for _ in range(failures // 3):
            assert type(raised(lambda: worker.profile(ACCOUNT))) is Unavailable
        worker.profile(ACCOUNT)
    assert (tiktok.made, kept(sessions)) == (1, ("act.1", "rft.1"))
    assert not [r for r in caplog.records if "rft." in str(vars(r)) or "act." in str(vars(r))]
    assert logging.ERROR in {record.levelno for record in caplog.records}


def test_a_store_that_cannot_be_written_to_spends_no_refresh_token() -> None:
    tiktok, sessions = TikTok(access=""), Broken()
    sessions.failures = 1
    with pytest.raises(OSError, match="no such thing"):
        tiktok.reader(sessions).profile(ACCOUNT)
    assert tiktok.calls() == []


def test_another_workers_renewal_is_used_though_this_one_has_read_the_old_tokens(stage: Stage) -> None:
    tiktok = TikTok(stage.clock)
    workers = []
    for _ in range(2):
        secrets = Secrets(stage.ssm, stage.settings, stage.clock)
        secrets.prefetch([stage.settings.secret_path("sessions", "account_1")])
        workers.append(tiktok.reader(SsmSessions(secrets, stage.settings)))
    for worker in workers:
        worker.profile(ACCOUNT)
    for day in range(1, 4):
        tiktok.access = ""
        for worker in workers:
            worker.profile(ACCOUNT)
        assert tiktok.made == day


def test_who_lost_the_race_to_renew_uses_what_the_winner_stored() -> None:
    tiktok, sessions = TikTok(access=""), MemorySessions()
    ended = {"access": "act.0", "refresh": "rft.0"}

    class Late(MemorySessions):
        """Shows the old tokens once more, as to somebody who read them a moment ago."""

        def get(self, account_id: str) -> dict[str, Any] | None:
            found = sessions.get(account_id)
            if found and late:
                late.pop()
                return {**found, **ended, "expires_at": ""}
            return found

    late: list[str] = []
    tiktok.reader(sessions).profile(ACCOUNT)
    late += ["token", "instead of"]
    tiktok.reader(Late()).profile(ACCOUNT)
    assert (tiktok.calls()[3:], kept(sessions)) == (["user", "oauth", "user"], ("act.1", "rft.1"))


@pytest.mark.parametrize(
    ("error", "status", "kind", "words"),
    [
        ("invalid_grant", 400, AuthExpired, "connect it again"),
        ("invalid_grant", 200, AuthExpired, "connect it again"),
        ("access_denied", 403, AuthExpired, "connect it again"),
        ("invalid_client", 401, AuthExpired, "client_secret"),
        ("invalid_request", 400, Rejected, "It is malformed"),
        ("temporarily_unavailable", 503, Unavailable, "asked again later"),
        ("server_error", 200, Unavailable, "asked again later"),
        ({"code": "x"}, 200, Unavailable, "asked again later"),
        ("invalid_grant", 429, RateLimited, ""),
    ],
)
def test_each_refusal_to_renew_has_its_place_and_the_tokens_stay(
    error: object, status: int, kind: type[AdapterError], words: str
) -> None:
    tiktok, sessions = TikTok(access=""), MemorySessions()
    tiktok.renews = lambda answer: reply(status, {"error": error, "error_description": "It is malformed."})
    found = raised(lambda: tiktok.reader(sessions).profile(ACCOUNT))
    assert type(found) is kind
    assert words in found.message
    assert kept(sessions) == ("act.0", "rft.0")


@pytest.mark.parametrize("token", ["", "act 1", "act\r\nX: 1", "ż", 7, None, "x" * 1_501])
def test_a_token_that_is_none_is_not_sent(token: object) -> None:
    tiktok, sessions = TikTok(access=""), MemorySessions()
    tiktok.renews = lambda answer: reply(200, {**answer, "access_token": token, "expires_in": 10**11})
    assert type(raised(lambda: tiktok.reader(sessions).profile(ACCOUNT))) is Unavailable
    assert kept(sessions) == ("", "rft.1")


def test_no_secret_is_in_an_address_or_shown() -> None:
    tiktok, sessions = TikTok(access=""), MemorySessions()
    tiktok.reader(sessions).profile(ACCOUNT)
    shown = "".join(request.url + repr(request) for request in tiktok.transport.requests)
    assert not [secret for secret in ("act.", "rft.", "hush") if secret in shown]


@pytest.mark.parametrize("expires_in", [10**9, 10**12, 10**30, -1, 0, "soon", None])
def test_how_long_a_token_lasts_is_not_believed_without_bounds(expires_in: object) -> None:
    tiktok, sessions = TikTok(access=""), MemorySessions()
    tiktok.renews = lambda answer: reply(200, {**answer, "expires_in": expires_in})
    tiktok.reader(sessions).profile(ACCOUNT)
    assert sessions.kept["account_1"]["expires_at"] <= "2027-11-22T12:00:00.000Z"
