"""Publishing on the local platform as a Bluesky client sees it; answers are those of a PDS 0.4.217."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

World = Any
Png = Callable[[int, int], bytes]
KEY, OTHER_KEY = "3m6aaaaaaaa22", "3m6aaaaaaaa2a"
POST = "app.bsky.feed.post"


def test_a_record_put_twice_is_one_post_with_one_cid(world: World) -> None:
    brand = world.bluesky("brand.test")
    first = brand.put(KEY, "Dzień dobry", swap=None).json
    again = brand.put(KEY, "Dzień dobry", swap=None).json
    assert first["uri"] == f"at://{brand.did}/{POST}/{KEY}"
    assert (again["uri"], again["cid"]) == (first["uri"], first["cid"])
    assert "commit" in first
    assert "commit" not in again
    stats = world.control.get("/_local/stats").json
    assert (stats["statuses_created_by_account"], stats["idempotent_replays"]) == ({"brand.test": 1}, 1)
    assert len(brand.records().json["records"]) == 1


def test_another_record_under_a_used_key_needs_the_swap_that_names_it(world: World) -> None:
    brand = world.bluesky("brand.test")
    cid = brand.put(KEY, "one").json["cid"]
    refused = brand.put(KEY, "two", swap=None)
    assert (refused.status, refused.json) == (
        400,
        {"error": "InvalidSwap", "message": f"Record was at {cid}"},
    )
    assert brand.put(KEY, "two", swap=cid).status == 200
    assert brand.put(KEY, "three").status == 200
    assert brand.put(OTHER_KEY, "four", swap=cid).json["message"] == "Record was at null"
    read = brand.query("com.atproto.repo.getRecord", repo="brand.test", collection=POST, rkey=KEY).json
    assert read["value"]["text"] == "three"
    assert world.control.get("/_local/stats").json["statuses_created_by_account"] == {"brand.test": 1}


def test_create_makes_a_key_and_is_a_bare_500_on_a_used_one(world: World) -> None:
    brand = world.bluesky("brand.test")
    keys = [brand.write("create", None, "same").json["uri"].rpartition("/")[2] for _ in range(3)]
    assert keys == sorted(set(keys))
    assert all(len(key) == 13 for key in keys)
    used = brand.write("create", keys[0], "again")
    assert (used.status, used.json["error"]) == (500, "InternalServerError")
    assert [record["uri"][-13:] for record in brand.records(limit=2).json["records"]] == keys[:0:-1]
    assert [record["uri"][-13:] for record in brand.records(cursor=keys[1]).json["records"]] == keys[:1]
    assert [record["uri"][-13:] for record in brand.records(reverse="true").json["records"]] == keys


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": "x" * 301}, "grapheme too big (maximum 300, got 301) at $.record.text"),
        ({"text": "👩🏽‍🍳" * 300}, "string too big (maximum 3000, got 4500) at $.record.text"),
        ({"text": 5}, "Expected string value type (got 5) at $.record.text"),
        ({"createdAt": None}, "Expected string value type (got null) at $.record.createdAt"),
        ({"createdAt": "2026-11-22"}, 'Invalid datetime (got "2026-11-22") at $.record.createdAt'),
        ({"langs": ["pl", "fa", "en", "de"]}, "array too big (maximum 3, got 4) at $.record.langs"),
        ({"langs": ["pl_PL"]}, 'Invalid language (got "pl_PL") at $.record.langs[0]'),
        ({"facets": "x"}, 'Expected array value type (got "x") at $.record.facets'),
        (
            {"facets": [{"index": {"byteStart": -1, "byteEnd": 1}, "features": []}]},
            "integer too small (minimum 0, got -1) at $.record.facets[0].index.byteStart",
        ),
        (
            {
                "facets": [
                    {
                        "index": {"byteStart": 0, "byteEnd": 1},
                        "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "anna"}],
                    }
                ]
            },
            'Invalid DID (got "anna") at $.record.facets[0].features[0].did',
        ),
        (
            {"embed": {"$type": "app.bsky.embed.images", "images": [{"alt": "x"}]}},
            'Missing required key "image" at $.record.embed.images[0]',
        ),
        (
            {"reply": {"root": {"uri": "x", "cid": "bafyreia"}, "parent": {}}},
            'Invalid at-uri (got "x") at $.record.reply.root.uri',
        ),
    ],
)
def test_a_post_that_breaks_a_rule_is_refused_in_blueskys_words(
    world: World, fields: dict[str, Any], message: str
) -> None:
    brand = world.bluesky("brand.test")
    answer = brand.put(KEY, **{"text": "hello", **fields})
    assert answer.status == 400
    assert answer.json == {"error": "InvalidRequest", "message": f"Invalid {POST} record: {message}"}
    assert brand.records().json == {"records": []}


def test_a_post_without_its_time_is_refused(world: World) -> None:
    brand = world.bluesky("brand.test")
    call = {"repo": brand.did, "collection": POST, "rkey": KEY, "record": {"text": "x"}}
    refused = brand.run("com.atproto.repo.putRecord", **call)
    assert refused.json["message"].endswith('Missing required key "createdAt" at $.record')


@pytest.mark.parametrize(
    ("key", "words"), [("not-a-tid", "Invalid TID string"), ("a/b", "Invalid record key")]
)
def test_a_post_needs_a_tid_for_its_key(world: World, key: str, words: str) -> None:
    brand = world.bluesky("brand.test")
    for method in ("put", "create"):
        refused = brand.write(method, key, "hello")
        assert (refused.status, refused.json["error"]) == (400, "InvalidRequest")
        assert words in refused.json["message"]


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b"\xff", b"[" * 100_000, b'{"repo": "\\ud800"}', b'{"a": NaN}', b'{"a": 1.5}']
)
def test_a_body_that_no_record_can_hold_is_refused(world: World, raw: bytes) -> None:
    brand = world.bluesky("brand.test")
    headers = {"Content-Type": "application/json"}
    answer = brand.post("/xrpc/com.atproto.repo.putRecord", raw=raw, headers=headers)
    assert (answer.status, answer.json["error"]) == (400, "InvalidRequest")


def test_a_body_too_large_is_refused(world: World) -> None:
    brand = world.bluesky("brand.test")
    answer = brand.put(KEY, "x" * 160_000)
    assert (answer.status, answer.json["error"]) == (413, "PayloadTooLarge")


def test_nobody_writes_in_another_repo(world: World) -> None:
    brand, ola = world.bluesky("brand.test"), world.bluesky("ola.test")
    brand.did = ola.did
    refused = brand.put(KEY, "hello")
    assert (refused.status, refused.json["error"]) == (401, "AuthenticationRequired")
    brand.token = None
    refused = brand.put(KEY, "hello")
    assert (refused.status, refused.json["error"]) == (401, "AuthMissing")


def test_a_deleted_record_is_gone_and_deleting_again_is_no_error(world: World) -> None:
    brand = world.bluesky("brand.test")
    brand.put(KEY, "Bye")
    gone = {"repo": brand.did, "collection": POST, "rkey": KEY}
    assert "commit" in brand.run("com.atproto.repo.deleteRecord", **gone).json
    assert brand.run("com.atproto.repo.deleteRecord", **gone).json == {}
    missing = brand.query("com.atproto.repo.getRecord", **gone)
    assert (missing.status, missing.json["error"]) == (400, "RecordNotFound")
    assert world.control.get("/_local/stats").json["statuses_created"] == 1


def test_a_picture_is_kept_once_a_record_uses_it(world: World, png: Png) -> None:
    brand = world.bluesky("brand.test")
    blob = brand.blob(png(4, 2), "text/plain")
    digest = hashlib.sha256(png(4, 2)).digest()
    cid = "b" + base64.b32encode(b"\x01\x55\x12\x20" + digest).decode().lower().rstrip("=")
    assert blob == {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/png", "size": len(png(4, 2))}
    asked = {"did": brand.did, "cid": blob["ref"]["$link"]}
    assert brand.query("com.atproto.sync.getBlob", **asked).json["message"] == "Blob not found"
    embed = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "Park"}]}
    assert brand.put(KEY, "Park", embed=embed).status == 200
    world.clock.advance(minutes=10)
    served = brand.query("com.atproto.sync.getBlob", **asked)
    assert (served.body, served.headers["Content-Type"]) == (png(4, 2), "image/png")
    brand.run("com.atproto.repo.deleteRecord", repo=brand.did, collection=POST, rkey=KEY)
    assert brand.query("com.atproto.sync.getBlob", **asked).status == 400


def test_a_picture_that_no_record_uses_is_dropped(world: World, png: Png) -> None:
    brand = world.bluesky("brand.test")
    blob = brand.blob(png(4, 2))
    embed = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": ""}]}
    world.clock.advance(minutes=5)
    late = brand.put(KEY, "Park", embed=embed)
    assert (late.status, late.json["error"]) == (400, "BlobNotFound")
    assert brand.blob(png(4, 2)) == blob
    assert brand.put(KEY, "Park", embed=embed).status == 200


def test_a_picture_goes_with_the_record_that_used_it(world: World, png: Png) -> None:
    brand = world.bluesky("brand.test")
    image = {"image": brand.blob(png(4, 2)), "alt": ""}
    embed = {"$type": "app.bsky.embed.images", "images": [image]}
    assert brand.put(KEY, "Park", embed=embed).status == 200
    assert brand.put(KEY, "No park").status == 200
    assert brand.put(OTHER_KEY, "Park", embed=embed).json["error"] == "BlobNotFound"


def test_a_picture_over_its_limit_or_of_another_kind_is_refused_by_the_record(world: World, png: Png) -> None:
    brand = world.bluesky("brand.test")
    for data, mime, words in (
        (png(2, 2) + b"\0" * 1_000_000, "image/png", "blob too big (maximum 1000000, got "),
        (b"plain text", "text/plain", 'Expected "image/*" (got "text/plain")'),
    ):
        embed = {"$type": "app.bsky.embed.images", "images": [{"image": brand.blob(data, mime), "alt": ""}]}
        refused = brand.put(KEY, "Park", embed=embed)
        assert (refused.status, refused.json["error"]) == (400, "InvalidRequest")
        assert words in refused.json["message"]


def test_mentions_and_replies_are_told_once_each(world: World) -> None:
    brand, ola = world.bluesky("brand.test"), world.bluesky("ola.test", display_name="Ola")
    asked = brand.put(KEY, "Question").json
    target = {"uri": asked["uri"], "cid": asked["cid"]}
    mention = {"$type": "app.bsky.richtext.facet#mention", "did": brand.did}
    facets = [{"index": {"byteStart": 0, "byteEnd": 6}, "features": [mention]}]
    ola.put(KEY, "Answer", reply={"root": target, "parent": target})
    brand.write("create", None, "Answer to myself", reply={"root": target, "parent": target})
    ola.put(OTHER_KEY, "@brand hello", facets=facets, reply={"root": target, "parent": target})
    ola.put(OTHER_KEY, "@brand hello", facets=facets, reply={"root": target, "parent": target})
    listed = brand.query("app.bsky.notification.listNotifications").json
    told = [(item["reason"], item["record"]["text"]) for item in listed["notifications"]]
    assert told == [("mention", "@brand hello"), ("reply", "Answer")]
    reply = listed["notifications"][1]
    assert reply["reasonSubject"] == asked["uri"]
    assert (reply["author"]["handle"], reply["author"]["displayName"]) == ("ola.test", "Ola")
    older = brand.query("app.bsky.notification.listNotifications", limit=1).json["cursor"]
    rest = brand.query("app.bsky.notification.listNotifications", cursor=older).json["notifications"]
    assert [item["reason"] for item in rest] == ["reply"]
    only = brand.query("app.bsky.notification.listNotifications", reasons="reply").json["notifications"]
    assert [item["reason"] for item in only] == ["reply"]
    assert ola.query("app.bsky.notification.listNotifications").json == {"notifications": []}


def test_a_profile_and_its_feed_are_read_without_signing_in(world: World, png: Png) -> None:
    brand = world.bluesky("brand.test", display_name="Sklep Żółw", note="Zupy")
    image = {"image": brand.blob(png(4, 2)), "alt": "Zupa", "aspectRatio": {"width": 4, "height": 2}}
    first = brand.put(KEY, "Zupa", embed={"$type": "app.bsky.embed.images", "images": [image]}).json
    target = {"uri": first["uri"], "cid": first["cid"]}
    brand.put(OTHER_KEY, "Smacznego", reply={"root": target, "parent": target})
    brand.token = None
    shown = brand.query("app.bsky.actor.getProfile", actor=brand.did).json
    assert (shown["handle"], shown["displayName"], shown["description"]) == (
        "brand.test",
        "Sklep Żółw",
        "Zupy",
    )
    assert (shown["postsCount"], shown["followersCount"]) == (2, 0)
    feed = brand.query("app.bsky.feed.getAuthorFeed", actor="brand.test").json["feed"]
    assert [item["post"]["record"]["text"] for item in feed] == ["Smacznego", "Zupa"]
    picture = feed[1]["post"]["embed"]["images"][0]
    assert (picture["alt"], feed[1]["post"]["replyCount"]) == ("Zupa", 1)
    assert brand.get(picture["fullsize"].partition(str(brand.port))[2]).body == png(4, 2)
    no_replies = brand.query("app.bsky.feed.getAuthorFeed", actor="brand.test", filter="posts_no_replies")
    assert [item["post"]["uri"] for item in no_replies.json["feed"]] == [first["uri"]]
    older = brand.query("app.bsky.feed.getAuthorFeed", actor="brand.test", limit=1).json["cursor"]
    rest = brand.query("app.bsky.feed.getAuthorFeed", actor="brand.test", cursor=older).json["feed"]
    assert [item["post"]["uri"] for item in rest] == [first["uri"]]
    assert (
        brand.query("app.bsky.actor.getProfile", actor="nobody.test").json["message"] == "Profile not found"
    )


def test_a_call_that_the_server_does_not_know_says_so(world: World) -> None:
    for answer in (
        world.stranger.get("/xrpc/com.example.nothing"),
        world.stranger.post("/xrpc/com.example.nothing", {}),
        world.stranger.get("/xrpc/"),
    ):
        assert (answer.status, answer.json["error"]) == (400, "InvalidRequest")
        assert answer.json["message"].startswith("No service configured for")
    assert world.stranger.get("/xrpc/com.atproto.server.describeServer").json["availableUserDomains"] == [
        ".test"
    ]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"username": "nodots"}, "domain name"),
        ({"username": "-a.test"}, "domain name"),
        ({"username": "a.test", "password": ""}, "password"),
        ({"username": "a.test", "state": "asleep"}, "state must be one of"),
        ({"username": "anna.test", "network": "myspace"}, "network must be one of"),
    ],
)
def test_an_account_that_cannot_be_is_refused(world: World, wanted: dict[str, str], words: str) -> None:
    refused = world.control.post("/_local/accounts", {"network": "bluesky", **wanted})
    assert refused.status == 422
    assert words in refused.json["error"]


def test_a_name_and_its_token_stay_on_their_network(world: World) -> None:
    brand = world.bluesky("brand.test")
    taken = world.control.post("/_local/accounts", {"username": "brand.test"})
    assert (taken.status, taken.json["error"]) == (422, "username belongs to an account of the other network")
    assert brand.get("/api/v1/accounts/verify_credentials").status == 401
    assert world.stranger.get("/api/v1/accounts/lookup?acct=brand.test").status == 404
    assert world.anna.get("/xrpc/com.atproto.server.getSession").json["error"] == "InvalidToken"
    assert world.anna.get("/xrpc/app.bsky.actor.getProfile?actor=anna").status == 400
    assert (
        world.stranger.get(f"/api/v1/accounts/{world.control.get('/_local/accounts').json[2]['id']}").status
        == 404
    )
