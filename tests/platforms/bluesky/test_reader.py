"""Bluesky accounts read: ours on their own server, anybody's on the network's AppView, without a session."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.platforms.bluesky.reader import app_view
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import Activity, Profile
from tests.fakes.transport import Answer, reply
from tests.platforms.bluesky.pds import FakePds
from tests.platforms.readers import Bench, recorded, ref
from tests.platforms.subscriptions import NOW, raised

DID = "did:plc:n5wlthd3vs75re5isolkzsax"
ANYBODY = ref("bluesky", "@brand.test", DID)
OURS = replace(
    ref("bluesky", "brand.test", DID, password="app-password-1234"), server="https://social.example"
)
VIEW = "https://public.api.bsky.app"
FEED = f"GET /xrpc/app.bsky.feed.getAuthorFeed?actor={DID}&filter=posts_no_replies&limit=50"
RECORDS = f"GET /xrpc/com.atproto.repo.listRecords?repo={DID}&collection=app.bsky.feed.post&limit=50"
STATUS = f"GET /xrpc/com.atproto.sync.getRepoStatus?did={DID}"


def said(name: str) -> Answer:
    return recorded("bluesky", name)


def test_anybodys_profile_is_one_call_of_the_app_view_without_a_session() -> None:
    bench = Bench(ANYBODY, [said("profile")])
    assert bench.profile() == Profile(
        external_id=DID,
        handle="brand.test",
        display_name="Sklep Żółw 🐢",
        url="https://bsky.app/profile/brand.test",
        followers=1204,
        last_post_at=None,
        status="active",
        description="Buty i plecaki. Pomoc: https://example.org/pomoc",
        avatar_url=f"https://cdn.bsky.app/img/avatar/plain/{DID}/bafkreigokv2kxh6l",
        verified=True,
        opened_at=datetime(2023, 5, 3, 9, 12, 44, 123000, tzinfo=UTC),
        links=("https://example.org",),
    )
    assert bench.calls() == [f"GET /xrpc/app.bsky.actor.getProfile?actor={DID}"]
    assert bench.transport.requests[0].url.startswith(VIEW)
    assert "Authorization" not in bench.transport.requests[0].headers


def test_a_profile_that_is_not_known_yet_is_asked_for_by_its_handle() -> None:
    bench = Bench(ANYBODY, [said("profile"), said("author_feed")], external_id="")
    assert bench.profile().external_id == DID
    bench.activity()
    assert [call.partition("?")[2].partition("&")[0] for call in bench.calls()] == ["actor=brand.test"] * 2


def test_a_profile_that_nobody_verified_is_not_verified() -> None:
    assert Bench(ANYBODY, [recorded("bluesky", "profile", verification=None)]).profile().verified is False


def test_strangers_of_any_server_are_read_on_the_app_view_but_for_the_local_platforms() -> None:
    for server in ("https://bsky.social", "https://pds.example", "", VIEW):
        assert app_view(server) == VIEW
    assert app_view("http://127.0.0.1:8091") == "http://127.0.0.1:8091"


def test_anybodys_last_post_is_one_call_and_a_repost_or_a_claimed_time_is_none() -> None:
    bench = Bench(ANYBODY, [said("author_feed")])
    assert bench.activity() == Activity(datetime(2026, 11, 20, 18, 30, 1, 250000, tzinfo=UTC), None, "active")
    assert bench.calls() == [FEED]


def test_a_repost_counts_where_there_is_nothing_else() -> None:
    reposts = recorded("bluesky", "author_feed").json()["feed"][:1]
    bench = Bench(ANYBODY, [recorded("bluesky", "author_feed", feed=reposts)])
    assert bench.activity().last_post_at == datetime(2026, 11, 21, 7, 0, tzinfo=UTC)


def test_our_last_post_is_one_call_of_our_server_without_signing_in() -> None:
    bench = Bench(OURS, [said("records")])
    assert bench.activity() == Activity(datetime(2026, 11, 20, 18, 30, tzinfo=UTC), None, "active")
    assert bench.calls() == [RECORDS]
    assert bench.transport.requests[0].url.startswith(OURS.server)


def test_an_answer_counts_where_there_is_nothing_else() -> None:
    answers = recorded("bluesky", "records").json()["records"][:1]
    bench = Bench(OURS, [recorded("bluesky", "records", records=answers)])
    assert bench.activity().last_post_at == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("account", "name", "empty"), [(ANYBODY, "author_feed", "feed"), (OURS, "records", "records")]
)
def test_who_has_no_posts_never_posted(account: object, name: str, empty: str) -> None:
    assert account in (ANYBODY, OURS)
    bench = Bench(ANYBODY if account == ANYBODY else OURS, [recorded("bluesky", name, **{empty: []})])
    assert bench.activity() == Activity(None, None, "active")


def test_our_profile_is_read_with_its_session_and_has_all_that_the_app_view_says() -> None:
    pds = FakePds()

    def answer(request: object) -> Answer:
        asked = getattr(request, "url", "")
        return said("profile") if "getProfile" in asked else pds(request)  # type: ignore[arg-type]

    profile = Bench(OURS, answer).profile()
    assert pds.calls[0] == "com.atproto.server.createSession"
    assert (profile.external_id, profile.handle, profile.followers) == (DID, "brand.test", 1204)
    assert profile.opened_at == datetime(2023, 5, 3, 9, 12, 44, 123000, tzinfo=UTC)
    assert (profile.verified, profile.links) == (True, ("https://example.org",))
    assert profile.last_post_at is not None


@pytest.mark.parametrize(
    ("name", "status"),
    [("takendown", "takendown"), ("deactivated", "deactivated"), ("not_found", "not found")],
)
def test_a_strangers_account_that_is_closed_says_how(name: str, status: str) -> None:
    profile = Bench(ANYBODY, [said(name)]).profile()
    assert (profile.external_id, profile.status) == (DID, status)
    # A feed says only that there is none; the profile says why.
    bench = Bench(ANYBODY, [said("not_found"), said(name)])
    assert bench.activity() == Activity(None, None, status)
    assert len(bench.calls()) == 2


@pytest.mark.parametrize(
    ("name", "status"), [("repo_deactivated", "deactivated"), ("repo_not_found", "not found")]
)
def test_our_account_that_is_closed_says_how(name: str, status: str) -> None:
    bench = Bench(OURS, [said("no_repo"), said(name)])
    assert bench.activity() == Activity(None, None, status)
    assert bench.calls() == [RECORDS, STATUS]


def test_our_account_without_a_did_that_its_server_does_not_know_is_not_found() -> None:
    bench = Bench(OURS, [said("no_repo")], external_id="")
    assert bench.activity() == Activity(None, None, "not found")


@pytest.mark.parametrize(
    ("account", "second"), [(ANYBODY, "profile"), (OURS, "repo_active")], ids=["stranger", "ours"]
)
def test_an_account_that_is_open_after_all_is_asked_again_later(account: object, second: str) -> None:
    first = said("not_found") if account == ANYBODY else said("no_repo")
    bench = Bench(ANYBODY if account == ANYBODY else OURS, [first, said(second)])
    assert type(raised(bench.activity)) is Unavailable


METHODS: tuple[Callable[[Bench], object], ...] = (Bench.profile, Bench.activity)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said("bad_actor"), Rejected),
        (reply(401, {"error": "AuthMissing", "message": "Authentication Required"}), AuthExpired),
        (reply(403, body=b"<html>Forbidden</html>"), Unavailable),
        (reply(502, {"error": "UpstreamFailure", "message": "…"}), Unavailable),
        (reply(200, {"feed": "x"}), Unavailable),
    ],
)
def test_each_refusal_has_its_place(
    method: Callable[[Bench], object], answer: Answer, kind: type[AdapterError]
) -> None:
    assert type(raised(lambda: method(Bench(ANYBODY, [answer])))) is kind


def test_a_limit_ends_when_the_app_view_says() -> None:
    error = raised(Bench(ANYBODY, [said("rate_limited")]).activity)
    assert isinstance(error, RateLimited)
    assert error.until == NOW.replace(minute=5)
