"""The failures that can be ordered, on XRPC calls and in Bluesky's words."""

from __future__ import annotations

import http.client
from typing import Any

import pytest

World = Any
KEY = "3m6aaaaaaaa22"
POST = "app.bsky.feed.post"


def published(world: World) -> int:
    return int(world.control.get("/_local/stats").json["statuses_created"])


@pytest.mark.parametrize(
    ("mode", "status", "body"),
    [
        ("429", 429, b'{"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}'),
        ("500", 500, b'{"error": "InternalServerError"'),
        ("502_html", 502, b"<html>"),
        ("200_error_json", 200, b'{"error": "InternalServerError"'),
        ("200_empty", 200, b""),
        ("redirect", 302, b""),
        ("token_revoked", 400, b'{"error": "ExpiredToken"'),
        ("suspended", 401, b'{"error": "AccountTakedown"'),
    ],
)
def test_a_failing_answer_publishes_nothing_and_ends_after_its_times(
    world: World, mode: str, status: int, body: bytes
) -> None:
    brand = world.bluesky("brand.test")
    world.misbehave(mode=mode, account="brand.test", route="statuses", times=1)
    answer = brand.put(KEY, "Hello")
    assert answer.status == status
    assert answer.body.startswith(body)
    assert published(world) == 0
    assert brand.put(KEY, "Hello").status == 200
    assert published(world) == 1


def test_a_429_says_when_to_come_back(world: World) -> None:
    brand = world.bluesky("brand.test")
    world.misbehave(mode="429", retry_after=7)
    answer = brand.put(KEY, "Hello")
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert answer.headers["RateLimit-Reset"] == str(int(world.clock.now().timestamp()) + 7)
    assert answer.headers["RateLimit-Policy"] == "10000;w=300"


def test_accept_then_drop_publishes_and_the_key_finds_the_post_again(world: World) -> None:
    brand = world.bluesky("brand.test")
    world.misbehave(mode="accept_then_drop", times=1, route="statuses")
    with pytest.raises(http.client.RemoteDisconnected):
        brand.put(KEY, "Hello")
    assert published(world) == 1
    assert "commit" not in brand.put(KEY, "Hello").json
    assert published(world) == 1


def test_a_rule_reaches_only_its_account_and_route(world: World, png: Any) -> None:
    brand, ola = world.bluesky("brand.test"), world.bluesky("ola.test")
    world.misbehave(mode="500", account="brand.test", route="media")
    upload = {"raw": png(2, 2), "headers": {"Content-Type": "image/png"}}
    assert brand.post("/xrpc/com.atproto.repo.uploadBlob", **upload).status == 500
    assert ola.post("/xrpc/com.atproto.repo.uploadBlob", **upload).status == 200
    assert brand.write("create", None, "Hello").status == 200


def test_a_rule_for_an_account_also_reaches_what_is_asked_about_it(world: World) -> None:
    brand, ola = world.bluesky("brand.test"), world.bluesky("ola.test")
    world.misbehave(mode="500", account="brand.test")
    stranger = type(brand)(brand.port)
    assert stranger.query("com.atproto.sync.getRepoStatus", did=brand.did).status == 500
    assert stranger.query("app.bsky.actor.getProfile", actor="brand.test").status == 500
    assert stranger.query("com.atproto.sync.getRepoStatus", did=ola.did).status == 200
    assert brand.sign_in().status == 500


def test_with_a_revoked_password_neither_token_nor_sign_in_helps(world: World) -> None:
    brand = world.bluesky("brand.test")
    world.misbehave(mode="token_revoked", account="brand.test")
    assert brand.put(KEY, "Hello").json["error"] == "ExpiredToken"
    assert brand.sign_in().json["error"] == "AuthenticationRequired"
    brand.token = brand.refresh
    assert brand.post("/xrpc/com.atproto.server.refreshSession").json["error"] == "ExpiredToken"


def test_a_suspended_account_looks_taken_down_to_everybody(world: World) -> None:
    brand = world.bluesky("brand.test")
    brand.put(KEY, "Hello")
    world.misbehave(mode="suspended", account="brand.test")
    assert brand.sign_in().json["error"] == "AccountTakedown"
    status = brand.query("com.atproto.sync.getRepoStatus", did=brand.did).json
    assert (status["active"], status["status"]) == (False, "takendown")
    read = brand.query("com.atproto.repo.getRecord", repo=brand.did, collection=POST, rkey=KEY)
    assert read.json["message"] == "Could not locate record"


def test_lag_hides_young_posts_from_the_feed_and_not_from_the_repo(world: World) -> None:
    brand = world.bluesky("brand.test")
    world.misbehave(mode="lag", account="brand.test", seconds=30)
    brand.put(KEY, "Hello")
    world.clock.advance(seconds=29)
    assert brand.query("app.bsky.feed.getAuthorFeed", actor="brand.test").json == {"feed": []}
    assert len(brand.records().json["records"]) == 1
    world.clock.advance(seconds=2)
    assert len(brand.query("app.bsky.feed.getAuthorFeed", actor="brand.test").json["feed"]) == 1


def test_calls_are_counted_down_and_refused_past_the_limit(world: World) -> None:
    brand = world.bluesky("brand.test")
    world.control.post("/_local/settings", {"rate_limit": 1})
    first = brand.put(KEY, "one")
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("1", "0")
    assert brand.put(KEY, "one").status == 429
    assert world.anna.publish("the other network counts for itself").status == 200
    world.clock.advance(minutes=5)
    assert brand.put(KEY, "one").status == 200


def test_every_call_is_counted(world: World) -> None:
    brand = world.bluesky("brand.test")
    brand.put(KEY, "Hello")
    world.anna.publish("Cześć")
    stats = world.control.get("/_local/stats").json
    assert stats["requests"]["POST /xrpc/com.atproto.server.createSession"] == 1
    assert stats["requests"]["POST /xrpc/com.atproto.repo.putRecord"] == 1
    assert stats["statuses_created_by_account"] == {"anna": 1, "brand.test": 1}
    world.control.post("/_local/reset")
    assert brand.sign_in().status == 401
