"""Signing in to the local platform as a Bluesky client does it; answers are those of a PDS 0.4.217."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

World = Any
KEY, OTHER_KEY = "3m6aaaaaaaa22", "3m6aaaaaaaa2a"
POST = "app.bsky.feed.post"


def test_an_access_token_ends_after_two_hours_with_a_400(world: World) -> None:
    brand = world.bluesky("brand.test")
    claims = json.loads(base64.urlsafe_b64decode(brand.token.split(".")[1] + "=="))
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (brand.did, 7200)
    world.clock.advance(hours=2)
    ended = brand.put(KEY, "late")
    assert (ended.status, ended.json) == (400, {"error": "ExpiredToken", "message": "Token has expired"})
    brand.token = brand.refresh
    assert brand.put(KEY, "wrong token").json == {"error": "InvalidToken", "message": "Invalid token type"}
    renewed = brand.post("/xrpc/com.atproto.server.refreshSession").json
    brand.token = renewed["accessJwt"]
    assert brand.put(KEY, "in time").status == 200


def test_a_used_refresh_token_gives_the_same_next_one_for_two_hours_more(world: World) -> None:
    brand = world.bluesky("brand.test")
    brand.token = brand.refresh

    def renewed() -> Any:
        return brand.post("/xrpc/com.atproto.server.refreshSession")

    first = renewed().json["refreshJwt"]
    world.clock.advance(hours=1)
    claims = [
        json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["jti"]
        for token in (first, renewed().json["refreshJwt"])
    ]
    assert claims[0] == claims[1]
    world.clock.advance(hours=1)
    assert renewed().json == {"error": "ExpiredToken", "message": "Token has been revoked"}
    brand.token = first
    assert renewed().status == 200


def test_a_new_password_ends_the_old_sessions(world: World) -> None:
    brand = world.bluesky("brand.test")
    world.control.post(
        "/_local/accounts", {"network": "bluesky", "username": "brand.test", "password": "new"}
    )
    assert brand.put(KEY, "hello").json["error"] == "InvalidToken"
    assert brand.sign_in().json == {
        "error": "AuthenticationRequired",
        "message": "Invalid identifier or password",
    }
    assert brand.sign_in("new").status == 200


def test_a_forged_or_broken_token_is_refused(world: World) -> None:
    brand, ola = world.bluesky("brand.test"), world.bluesky("ola.test")
    head, payload, signature = brand.token.split(".")
    forged = f"{head}.{ola.token.split('.')[1]}.{signature}"
    for token in (forged, f"{head}.{payload}.", "x", "a.b.c", "a.W10.c", "." * 9):
        brand.token = token
        assert brand.put(KEY, "hello").json["error"] == "InvalidToken"


def test_the_thirty_first_sign_in_within_five_minutes_is_refused(world: World) -> None:
    brand, ola = world.bluesky("brand.test"), world.bluesky("ola.test")
    world.clock.advance(minutes=6)
    world.clock.advance(seconds=59)
    began = world.clock.now()
    for left in range(29, -1, -1):
        answer = brand.sign_in("wrong" if left % 2 else "secret")
        assert answer.status == (401 if left % 2 else 200)
        assert answer.headers["RateLimit-Remaining"] == str(left)
    world.clock.advance(minutes=4)
    refused = brand.sign_in()
    assert (refused.status, refused.json) == (
        429,
        {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"},
    )
    assert refused.headers["RateLimit-Limit"] == "30"
    assert refused.headers["RateLimit-Policy"] == "30;w=300"
    assert refused.headers["RateLimit-Reset"] == str(int(began.timestamp()) + 300)
    assert "Retry-After" not in refused.headers
    assert ola.sign_in().status == 200
    assert brand.put(KEY, "a session is not a sign-in").status == 200
    world.clock.advance(minutes=1)
    assert brand.sign_in().status == 200


def test_the_limit_of_sign_ins_can_be_set(world: World) -> None:
    brand = world.bluesky("brand.test")
    world.control.post("/_local/settings", {"session_limit": 1})
    assert brand.sign_in().status == 429


@pytest.mark.parametrize(
    ("state", "refusal", "sign_in"),
    [("deactivated", "AccountDeactivated", 200), ("takendown", "AccountTakedown", 401)],
)
def test_a_closed_account_cannot_write_and_its_repo_cannot_be_read(
    world: World, state: str, refusal: str, sign_in: int
) -> None:
    brand = world.bluesky("brand.test")
    brand.put(KEY, "before")
    closed = {"network": "bluesky", "username": "brand.test", "state": state}
    assert world.control.post("/_local/accounts", closed).status == 200
    refused = brand.put(OTHER_KEY, "after")
    assert (refused.status, refused.json["error"]) == (401, refusal)
    assert brand.sign_in().status == sign_in
    read = brand.query("com.atproto.repo.getRecord", repo=brand.did, collection=POST, rkey=KEY)
    assert read.json == {"error": "InvalidRequest", "message": "Could not locate record"}
    status = brand.query("com.atproto.sync.getRepoStatus", did=brand.did).json
    assert status == {"did": brand.did, "active": False, "status": state}
    assert brand.query("com.atproto.identity.resolveHandle", handle="brand.test").status == 400
    page = world.stranger.get("/profile/brand.test").text
    assert "before" not in page
    assert "This account is " in page
    world.control.post("/_local/accounts", {**closed, "state": "active"})
    assert brand.records().json["records"][0]["value"]["text"] == "before"
