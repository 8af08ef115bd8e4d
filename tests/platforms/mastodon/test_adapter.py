"""Publishing to a Mastodon server: one status per key, media that take their time, and looking afterwards."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core.http import MaybeSent, Request
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    NotReady,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.port import Absent, Checkpoint, Content, Found, Published, Several, Unsure
from tests.fakes.transport import Answer, reply
from tests.platforms.mastodon.server import FakeServer
from tests.platforms.support import BYTES, NOW, PHOTO, POLISH, TEXT, WITH_PHOTO, Bench, recorded

SECOND = replace(PHOTO, media_id="media_2", alt="")


def prepared(bench: Bench, content: Content) -> Checkpoint:
    return bench.adapter.prepare(bench.account, content, bench.adapter.plan(content, NOW, "variant_1"))


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def bench(server: FakeServer) -> Bench:
    return Bench("mastodon", server)


def test_a_status_is_published_with_everything_that_was_asked_for(bench: Bench) -> None:
    options = {"visibility": "unlisted", "spoiler_text": "uwaga", "sensitive": "true"}
    content = Content(TEXT.text, (PHOTO,), "fa-IR", options)
    published = bench.adapter.publish(bench.account, content, prepared(bench, content))
    assert published == Published("5000", "https://social.example/@zolw/5000")
    assert bench.calls() == ["POST /api/v2/media", "POST /api/v1/statuses"]
    assert bench.sent() == {
        "status": TEXT.text,
        "media_ids": ["9001"],
        "visibility": "unlisted",
        "spoiler_text": "uwaga",
        "sensitive": True,
        "language": "fa",
    }
    headers = bench.transport.requests[-1].headers
    assert headers["Authorization"] == "Bearer access-token-1234"
    assert len(headers["Idempotency-Key"]) == 64


def test_a_plain_status_says_no_more_than_it_must(bench: Bench) -> None:
    content = Content("hello")
    bench.adapter.publish(bench.account, content, prepared(bench, content))
    assert bench.sent() == {"status": "hello", "media_ids": [], "visibility": "public"}


def test_the_same_checkpoint_makes_one_status_however_often_it_is_published(
    bench: Bench, server: FakeServer
) -> None:
    checkpoint = prepared(bench, TEXT)
    results = {bench.adapter.publish(bench.account, TEXT, checkpoint) for _ in range(5)}
    assert len(results) == 1
    assert len(server.statuses) == 1


def test_the_key_belongs_to_the_variant_and_not_to_the_time(bench: Bench) -> None:
    plans = [bench.adapter.plan(TEXT, NOW + timedelta(hours=hour), "variant_1") for hour in range(3)]
    assert plans[0] == plans[1] == plans[2]


def test_no_token_at_all_calls_nobody(bench: Bench) -> None:
    nobody = replace(bench.account, credentials={})
    with pytest.raises(AuthExpired):
        bench.adapter.publish(nobody, TEXT, prepared(bench, TEXT))
    with pytest.raises(AuthExpired):
        bench.adapter.profile(replace(bench.account, credentials={"access_token": ""}))
    assert bench.transport.requests == []


# ---- media


def test_media_are_uploaded_once_with_their_description(bench: Bench, server: FakeServer) -> None:
    content = Content("x", (PHOTO, SECOND))
    checkpoint = prepared(bench, content)
    first, second = bench.transport.requests
    assert BYTES in first.body
    assert PHOTO.alt.encode() in first.body
    assert b"image/png" in first.body
    assert b"description" not in second.body
    bench.adapter.prepare(bench.account, content, checkpoint)
    assert server.uploads == 2
    bench.adapter.publish(bench.account, content, checkpoint)
    assert bench.sent()["media_ids"] == ["9001", "9002"]


def test_media_under_way_make_the_post_wait_and_are_not_uploaded_again() -> None:
    server = FakeServer(slow=2)
    bench = Bench("mastodon", server)
    with pytest.raises(NotReady) as first:
        prepared(bench, WITH_PHOTO)
    assert first.value.until == NOW + timedelta(seconds=5)
    assert first.value.checkpoint is not None
    with pytest.raises(NotReady) as second:
        bench.adapter.prepare(bench.account, WITH_PHOTO, first.value.checkpoint)
    assert second.value.checkpoint is not None
    done = bench.adapter.prepare(bench.account, WITH_PHOTO, second.value.checkpoint)
    bench.adapter.publish(bench.account, WITH_PHOTO, done)
    assert server.uploads == 1
    assert bench.calls().count("POST /api/v1/statuses") == 1


def test_an_upload_that_is_done_travels_with_the_failure_of_the_next() -> None:
    server = FakeServer()
    broken = True

    def failing(request: Request) -> Answer:
        return MaybeSent("…") if broken and server.uploads == 1 else server(request)

    bench = Bench("mastodon", failing)
    content = Content("x", (PHOTO, SECOND))
    with pytest.raises(Unavailable) as caught:
        prepared(bench, content)
    kept = caught.value.checkpoint
    assert kept is not None
    assert kept["media"]["media_1"]["id"] == "9001"
    broken = False
    done = bench.adapter.prepare(bench.account, content, kept)
    assert [media["id"] for media in done["media"].values()] == ["9001", "9002"]


def test_media_that_the_server_lost_or_may_have_dropped_are_uploaded_again() -> None:
    server = FakeServer(slow=1)
    lost = False

    def losing(request: Request) -> Answer:
        if lost and "/api/v1/media/" in request.url:
            return recorded("mastodon", "not_found")
        return server(request)

    bench = Bench("mastodon", losing)
    with pytest.raises(NotReady) as caught:
        prepared(bench, WITH_PHOTO)
    assert caught.value.checkpoint is not None
    lost, server.slow = True, 0
    done = bench.adapter.prepare(bench.account, WITH_PHOTO, caught.value.checkpoint)
    assert done["media"]["media_1"]["id"] == "9002"
    bench.clock.advance(hours=13)
    again = bench.adapter.prepare(bench.account, WITH_PHOTO, done)
    assert again["media"]["media_1"]["id"] == "9003"


def test_media_that_cannot_be_processed_refuse_the_post() -> None:
    server = FakeServer(slow=5)
    bench = Bench(
        "mastodon",
        lambda request: (
            recorded("mastodon", "media_failed") if "/api/v1/media/" in request.url else server(request)
        ),
    )
    with pytest.raises(NotReady) as caught:
        prepared(bench, WITH_PHOTO)
    assert caught.value.checkpoint is not None
    with pytest.raises(Rejected, match="Error processing"):
        bench.adapter.prepare(bench.account, WITH_PHOTO, caught.value.checkpoint)


def test_a_status_with_unfinished_media_waits_and_asks_about_them_first(server: FakeServer) -> None:
    unfinished = True

    def answering(request: Request) -> Answer:
        if unfinished and request.url.endswith("/api/v1/statuses"):
            return recorded("mastodon", "media_unfinished")
        return server(request)

    bench = Bench("mastodon", answering)
    checkpoint = prepared(bench, WITH_PHOTO)
    with pytest.raises(NotReady) as caught:
        bench.adapter.publish(bench.account, WITH_PHOTO, checkpoint)
    assert caught.value.checkpoint is not None
    unfinished = False
    done = bench.adapter.prepare(bench.account, WITH_PHOTO, caught.value.checkpoint)
    assert bench.calls()[-1] == "GET /api/v1/media/9001"
    bench.adapter.publish(bench.account, WITH_PHOTO, done)
    assert (server.uploads, len(server.statuses)) == (1, 1)


@pytest.mark.parametrize("media_id", [None, 5, "", "../../x", "a b"])
def test_an_upload_without_a_proper_id_is_not_believed(media_id: object) -> None:
    bench = Bench("mastodon", [reply(200, {"id": media_id})])
    with pytest.raises(Unavailable):
        prepared(bench, WITH_PHOTO)


# ---- refusals


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("too_long", Rejected),
        ("not_found", Rejected),
        ("bad_token", AuthExpired),
        ("login_disabled", AuthExpired),
        ("gone", VersionGone),
        ("rate_limited", RateLimited),
    ],
)
def test_a_recorded_refusal_means_what_it_meant(name: str, error: type[AdapterError]) -> None:
    bench = Bench("mastodon", [recorded("mastodon", name)])
    checkpoint = bench.adapter.plan(TEXT, NOW, "variant_1")
    with pytest.raises(error) as caught:
        bench.adapter.publish(bench.account, TEXT, checkpoint)
    if isinstance(caught.value, RateLimited):
        assert caught.value.until == NOW + timedelta(minutes=5, microseconds=123456)
    if name == "too_long":
        assert "Text character limit of 500 exceeded." in caught.value.message


def test_an_address_that_is_no_web_address_is_not_passed_on() -> None:
    bench = Bench("mastodon", [recorded("mastodon", "status", url="javascript:alert(1)", uri="data:x")])
    published = bench.adapter.publish(bench.account, TEXT, bench.adapter.plan(TEXT, NOW, "v"))
    assert published == Published("115594073218203942", "")


# ---- looking


def test_a_lost_answer_is_found_by_its_text(server: FakeServer) -> None:
    def losing(request: Request) -> Answer:
        answer = server(request)
        return MaybeSent("…") if request.url.endswith("/api/v1/statuses") else answer

    bench = Bench("mastodon", losing)
    text = f"{POLISH}\n\n{TEXT.text}\nhi @anna@other.example & <3"
    content = Content(text, (PHOTO,), options={"spoiler_text": "uwaga!"})
    with pytest.raises(OutcomeUnknown):
        bench.adapter.publish(bench.account, content, prepared(bench, content))
    seen = bench.adapter.find(bench.account, content, {}, NOW)
    assert seen == Found(Published("5000", "https://social.example/@zolw/5000"))


def test_what_a_timeline_does_not_show_yet_is_absent_and_then_found(bench: Bench, server: FakeServer) -> None:
    server.add("something else", 1)
    assert bench.adapter.find(bench.account, TEXT, {}, NOW) == Absent()
    server.add(TEXT.text, 2)
    assert isinstance(bench.adapter.find(bench.account, TEXT, {}, NOW), Found)


@pytest.mark.parametrize(
    ("seconds", "media", "warning", "text"),
    [
        (-120, 0, "", TEXT.text),
        (1, 1, "", TEXT.text),
        (1, 0, "uwaga", TEXT.text),
        (1, 0, "", TEXT.text + "!"),
    ],
    ids=["made before", "with a picture", "with a warning", "with another text"],
)
def test_a_status_that_differs_is_not_ours(
    bench: Bench, server: FakeServer, seconds: float, media: int, warning: str, text: str
) -> None:
    server.add(text, seconds, media, warning)
    assert bench.adapter.find(bench.account, TEXT, {}, NOW) == Absent()


def test_a_servers_clock_may_be_a_little_behind(bench: Bench, server: FakeServer) -> None:
    server.add(TEXT.text, -30)
    assert isinstance(bench.adapter.find(bench.account, TEXT, {}, NOW), Found)


def test_two_that_match_are_for_a_person(bench: Bench, server: FakeServer) -> None:
    server.add(TEXT.text, 1)
    server.add(TEXT.text, 2)
    assert bench.adapter.find(bench.account, TEXT, {}, NOW) == Several(("5001", "5000"))


def test_pages_are_read_until_the_time_of_the_first_attempt(bench: Bench, server: FakeServer) -> None:
    server.add("before", -3600)
    server.add(TEXT.text, 1)
    for number in range(100):
        server.add(f"post {number}", 2 + number)
    assert isinstance(bench.adapter.find(bench.account, TEXT, {}, NOW), Found)
    assert len(bench.transport.requests) == 3


def test_a_timeline_too_long_to_read_is_no_proof_of_absence(bench: Bench, server: FakeServer) -> None:
    for number in range(300):
        server.add(f"post {number}", 2 + number)
    assert isinstance(bench.adapter.find(bench.account, TEXT, {}, NOW), Unsure)
    assert len(bench.transport.requests) == 5


@pytest.mark.parametrize("page", [[{"id": "1"}], [None], ["x"], [{"id": "1", "created_at": "x"}], {"a": 1}])
def test_a_page_that_cannot_be_read_proves_nothing(page: object) -> None:
    bench = Bench("mastodon", [reply(200, page)])
    assert isinstance(bench.adapter.find(bench.account, TEXT, {}, NOW), Unsure)


def test_a_rate_limit_while_looking_says_when_to_look_again() -> None:
    bench = Bench("mastodon", [recorded("mastodon", "rate_limited")])
    seen = bench.adapter.find(bench.account, TEXT, {}, NOW)
    assert isinstance(seen, Unsure)
    assert seen.until == NOW + timedelta(minutes=5, microseconds=123456)


def test_looking_without_an_account_id_proves_nothing(bench: Bench) -> None:
    nobody = replace(bench.account, external_id="")
    assert isinstance(bench.adapter.find(nobody, TEXT, {}, NOW), Unsure)


# ---- reading


def test_a_profile_is_read(bench: Bench) -> None:
    profile = bench.adapter.profile(bench.account)
    assert (profile.external_id, profile.handle, profile.display_name) == ("23634", "zolw", "Sklep Żółw 🐢")
    assert (profile.url, profile.followers) == ("https://social.example/@zolw", 1204)
    assert profile.last_post_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert profile.status == "active"


@pytest.mark.parametrize("wrong", ["suspended", "limited", "moved"])
def test_what_is_wrong_with_an_account_is_told(wrong: str) -> None:
    bench = Bench("mastodon", [recorded("mastodon", "account", **{wrong: True})])
    assert bench.adapter.profile(bench.account).status == wrong


@pytest.mark.parametrize("external_id", [None, 5, "", "a/b"])
def test_a_profile_without_a_proper_id_is_not_believed(external_id: object) -> None:
    bench = Bench("mastodon", [recorded("mastodon", "account", id=external_id)])
    with pytest.raises(Unavailable):
        bench.adapter.profile(bench.account)
