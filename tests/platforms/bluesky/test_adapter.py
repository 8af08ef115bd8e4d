"""Publishing to a Bluesky server: one record per variant, whatever breaks on the way."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core.http import MaybeSent, Request
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.port import Absent, Checkpoint, Content, Found, Published, Unsure
from tests.fakes.transport import Answer, reply
from tests.platforms.bluesky.pds import DID, OLA, FakePds
from tests.platforms.support import BYTES, DIGEST, NOW, PHOTO, TEXT, WITH_PHOTO, Bench, recorded

PUT = "POST /xrpc/com.atproto.repo.putRecord"


def planned(bench: Bench, content: Content, key: str = "variant_1") -> Checkpoint:
    return bench.adapter.plan(content, bench.clock.now(), key)


def prepared(bench: Bench, content: Content) -> Checkpoint:
    return bench.adapter.prepare(bench.account, content, planned(bench, content))


@pytest.fixture
def pds() -> FakePds:
    return FakePds()


@pytest.fixture
def bench(pds: FakePds) -> Bench:
    return Bench("bluesky", pds)


def test_a_post_is_published_with_text_language_and_facets(bench: Bench) -> None:
    published = bench.adapter.publish(bench.account, TEXT, prepared(bench, TEXT))
    call = bench.sent()
    key = call["rkey"]
    assert bench.calls()[-1] == PUT
    assert published == Published(
        f"at://{DID}/app.bsky.feed.post/{key}", f"https://bsky.app/profile/brand.test/post/{key}"
    )
    assert (call["repo"], call["collection"], call["swapRecord"]) == (DID, "app.bsky.feed.post", None)
    record = call["record"]
    assert (record["text"], record["langs"]) == (TEXT.text, ["fa"])
    assert record["createdAt"] == "2026-11-22T12:00:00.000Z"
    assert [facet["features"][0] for facet in record["facets"]] == [
        {"$type": "app.bsky.richtext.facet#mention", "did": OLA},
        {"$type": "app.bsky.richtext.facet#tag", "tag": "می‌شود"},
        {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/خبر?q=1"},
    ]


def test_a_recorded_record_is_built_again_to_the_letter() -> None:
    """The record that a running server accepted and gave back."""
    kept: dict[str, Any] = recorded("bluesky", "record_read").json()["value"]
    blob = kept["embed"]["images"][0]["image"]
    photo = replace(PHOTO, alt=kept["embed"]["images"][0]["alt"])
    content = Content(kept["text"], (photo,), "fa")
    bench = Bench("bluesky", FakePds({"ola.test": OLA}))
    at = datetime.fromisoformat(kept["createdAt"])
    checkpoint = dict(bench.adapter.prepare(bench.account, content, bench.adapter.plan(content, at, "v")))
    assert checkpoint["blobs"][DIGEST]["blob"] == blob
    bench.adapter.publish(bench.account, content, checkpoint)
    assert bench.sent()["record"] == kept


def test_a_picture_is_uploaded_as_it_is_and_embedded_with_its_description(bench: Bench) -> None:
    bench.adapter.publish(bench.account, WITH_PHOTO, prepared(bench, WITH_PHOTO))
    upload = bench.transport.requests[-2]
    assert (upload.body, upload.headers["Content-Type"]) == (BYTES, "image/png")
    (image,) = bench.sent()["record"]["embed"]["images"]
    assert image["alt"] == PHOTO.alt
    assert image["aspectRatio"] == {"width": 40, "height": 30}
    assert image["image"]["$type"] == "blob"


def test_the_same_checkpoint_writes_one_record_however_often_it_is_published(
    bench: Bench, pds: FakePds
) -> None:
    checkpoint = prepared(bench, WITH_PHOTO)
    results = {bench.adapter.publish(bench.account, WITH_PHOTO, checkpoint) for _ in range(5)}
    assert len(results) == 1
    assert (pds.commits, len(pds.records)) == (1, 1)


def test_preparing_again_after_a_break_still_writes_one_record(bench: Bench, pds: FakePds) -> None:
    checkpoint = prepared(bench, WITH_PHOTO)
    bench.adapter.publish(bench.account, WITH_PHOTO, checkpoint)
    bench.clock.advance(minutes=30)
    again = bench.adapter.prepare(bench.account, WITH_PHOTO, checkpoint)
    bench.adapter.publish(bench.account, WITH_PHOTO, again)
    assert (pds.commits, len(pds.records)) == (1, 1)


def test_another_post_under_our_key_is_never_overwritten(bench: Bench, pds: FakePds) -> None:
    checkpoint = prepared(bench, TEXT)
    other = {"$type": "app.bsky.feed.post", "text": "another", "createdAt": "2026-11-22T11:00:00Z"}
    pds.records[checkpoint["rkey"]] = other
    with pytest.raises(OutcomeUnknown):
        bench.adapter.publish(bench.account, TEXT, checkpoint)
    assert pds.records[checkpoint["rkey"]] == other
    assert isinstance(bench.adapter.find(bench.account, TEXT, checkpoint, NOW), Unsure)


def test_an_answer_that_was_lost_is_unknown_and_then_found(pds: FakePds) -> None:
    def losing(request: Request) -> Answer:
        answer = pds(request)
        return MaybeSent("…") if "putRecord" in request.url else answer

    bench = Bench("bluesky", losing)
    checkpoint = prepared(bench, TEXT)
    with pytest.raises(OutcomeUnknown):
        bench.adapter.publish(bench.account, TEXT, checkpoint)
    seen = bench.adapter.find(bench.account, TEXT, checkpoint, NOW)
    key = checkpoint["rkey"]
    assert seen == Found(
        Published(f"at://{DID}/app.bsky.feed.post/{key}", f"https://bsky.app/profile/brand.test/post/{key}")
    )


def test_a_post_that_was_never_written_is_absent(bench: Bench) -> None:
    assert bench.adapter.find(bench.account, TEXT, prepared(bench, TEXT), NOW) == Absent()


def test_a_repo_that_is_not_active_proves_nothing(bench: Bench, pds: FakePds) -> None:
    checkpoint = prepared(bench, TEXT)
    bench.adapter.publish(bench.account, TEXT, checkpoint)
    pds.active = False
    assert isinstance(bench.adapter.find(bench.account, TEXT, checkpoint, NOW), Unsure)


def test_looking_without_knowing_whose_repo_it_is_proves_nothing(bench: Bench) -> None:
    nobody = replace(bench.account, external_id="")
    assert isinstance(bench.adapter.find(nobody, TEXT, planned(bench, TEXT), NOW), Unsure)
    assert bench.transport.requests == []


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("too_many_graphemes", Rejected),
        ("too_many_bytes", Rejected),
        ("blob_too_large", Rejected),
        ("blob_missing", Unavailable),
        ("bad_token", Unavailable),
        ("expired_token", Unavailable),
        ("bad_password", AuthExpired),
        ("account_deactivated", AuthExpired),
        ("account_taken_down", AuthExpired),
        ("swap_refused", OutcomeUnknown),
        ("rate_limited", RateLimited),
    ],
)
def test_a_recorded_refusal_means_what_it_meant(pds: FakePds, name: str, error: type[AdapterError]) -> None:
    refusing = False
    bench = Bench("bluesky", lambda request: recorded("bluesky", name) if refusing else pds(request))
    checkpoint = prepared(bench, TEXT)
    refusing = True
    with pytest.raises(error) as caught:
        bench.adapter.publish(bench.account, TEXT, checkpoint)
    assert pds.records == {}
    if name == "too_many_graphemes":
        assert "maximum 300, got 301" in caught.value.message


def test_a_server_without_the_calls_is_not_one_of_this_network() -> None:
    for status in (404, 501):
        bench = Bench("bluesky", [reply(status, {"error": "MethodNotImplemented"})])
        with pytest.raises(VersionGone):
            bench.adapter.profile(bench.account)


def test_a_rate_limit_ends_when_the_server_says() -> None:
    bench = Bench("bluesky", [recorded("bluesky", "rate_limited")])
    with pytest.raises(RateLimited) as caught:
        bench.adapter.profile(bench.account)
    assert caught.value.until == min(datetime.fromtimestamp(1795435500, UTC), NOW + timedelta(days=1))


# ---- preparing


def test_a_handle_that_nobody_has_stays_plain_and_is_not_asked_for_again(bench: Bench, pds: FakePds) -> None:
    content = Content("hello @nobody.test and @ola.test")
    checkpoint = prepared(bench, content)
    assert checkpoint["mentions"] == {"nobody.test": "", "ola.test": OLA}
    bench.adapter.prepare(bench.account, content, checkpoint)
    assert pds.calls.count("com.atproto.identity.resolveHandle") == 2
    bench.adapter.publish(bench.account, content, checkpoint)
    assert len(bench.sent()["record"]["facets"]) == 1


def test_what_was_done_before_a_failure_travels_with_the_failure(pds: FakePds) -> None:
    second = replace(PHOTO, media_id="media_2", digest="other")
    content = Content("@ola.test", (PHOTO, second))
    uploads = 0

    def failing(request: Request) -> Answer:
        nonlocal uploads
        if "uploadBlob" in request.url:
            uploads += 1
            if uploads == 2:
                return reply(503)
        return pds(request)

    bench = Bench("bluesky", failing)
    start = planned(bench, content)
    with pytest.raises(Unavailable) as caught:
        bench.adapter.prepare(bench.account, content, start)
    kept = caught.value.checkpoint
    assert kept is not None
    assert list(kept["blobs"]) == [DIGEST]
    assert set(start) == {"rkey", "created_at"}
    done = bench.adapter.prepare(bench.account, content, kept)
    assert list(done["blobs"]) == [DIGEST, "other"]
    assert uploads == 3


def test_blobs_are_uploaded_again_when_the_server_may_have_dropped_them(bench: Bench, pds: FakePds) -> None:
    checkpoint = prepared(bench, WITH_PHOTO)
    bench.adapter.prepare(bench.account, WITH_PHOTO, checkpoint)
    assert pds.calls.count("com.atproto.repo.uploadBlob") == 1
    bench.clock.advance(minutes=3)
    again = bench.adapter.prepare(bench.account, WITH_PHOTO, checkpoint)
    assert pds.calls.count("com.atproto.repo.uploadBlob") == 2
    assert again["blobs"][DIGEST]["blob"] == checkpoint["blobs"][DIGEST]["blob"]


def test_a_checkpoint_holds_no_secret(bench: Bench) -> None:
    stored = json.dumps(prepared(bench, WITH_PHOTO))
    session = bench.sessions.kept["account_1"]
    for secret in (session["access"], session["refresh"], bench.account.credentials["password"]):
        assert secret not in stored


# ---- reading


def test_a_profile_is_read_with_the_accounts_own_session(bench: Bench) -> None:
    profile = bench.adapter.profile(replace(bench.account, external_id=""))
    assert (profile.external_id, profile.handle, profile.status) == (DID, "brand.test", "active")
    assert (profile.display_name, profile.followers) == ("Sklep Żółw 🐢", 1204)
    assert profile.url == "https://bsky.app/profile/brand.test"
    assert profile.last_post_at is not None


def test_a_server_that_cannot_ask_the_network_still_proves_the_account(pds: FakePds) -> None:
    def alone(request: Request) -> Answer:
        if "getProfile" in request.url or "listRecords" in request.url:
            return recorded("bluesky", "no_app_view")
        if "getSession" in request.url:
            return recorded("bluesky", "account_about_deactivated")
        return pds(request)

    profile = Bench("bluesky", alone).adapter.profile(Bench("bluesky", alone).account)
    assert (profile.followers, profile.last_post_at, profile.display_name) == (None, None, "")
    assert profile.status == "deactivated"


@pytest.mark.parametrize("handle", ["handle.invalid", ""])
def test_an_account_without_a_valid_handle_is_linked_by_its_did(bench: Bench, handle: str) -> None:
    checkpoint = {**prepared(bench, TEXT), "handle": handle}
    assert DID in bench.adapter.publish(bench.account, TEXT, checkpoint).url
