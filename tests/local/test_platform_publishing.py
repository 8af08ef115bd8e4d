"""Publishing on the local platform as a Mastodon client sees it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest

World = Any
Png = Callable[[int, int], bytes]


def test_a_published_status_is_read_back_as_it_was_sent(world: World) -> None:
    sent = world.anna.publish("Dzień dobry", language="pl", visibility="unlisted", spoiler_text="Ranek").json
    read = world.stranger.get(f"/api/v1/statuses/{sent['id']}").json
    assert read["content"] == "<p>Dzień dobry</p>"
    assert (read["language"], read["visibility"], read["spoiler_text"]) == ("pl", "unlisted", "Ranek")
    assert read["sensitive"] is True
    assert read["created_at"] == "2026-11-22T14:00:00.000Z"
    assert read["account"]["acct"] == "anna"


def test_a_form_publishes_like_json(world: World) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    made = world.anna.post(
        "/api/v1/statuses", raw=urlencode({"status": "Z formularza"}).encode(), headers=form
    )
    assert made.status == 200
    assert made.json["content"] == "<p>Z formularza</p>"


def test_twenty_parallel_calls_with_one_key_make_one_post(world: World) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: world.anna.publish("Once", key="k"), range(20)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len(world.statuses("anna").json) == 1
    stats = world.control.get("/_local/stats").json
    assert (stats["statuses_created"], stats["idempotent_replays"]) == (1, 19)


def test_a_key_lasts_an_hour_and_belongs_to_one_account(world: World) -> None:
    first = world.anna.publish("Hello", key="k").json["id"]
    assert world.maryam.publish("Hello", key="k").json["id"] != first
    world.clock.advance(minutes=59)
    assert world.anna.publish("Hello", key="k").json["id"] == first
    world.clock.advance(minutes=2)
    assert world.anna.publish("Hello", key="k").json["id"] != first


def test_a_refused_draft_does_not_use_its_key_up(world: World) -> None:
    assert world.anna.publish("x" * 501, key="k").status == 422
    assert world.anna.publish("short", key="k").status == 200


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"status": "x" * 501}, 422, "Validation failed: Text character limit of 500 exceeded"),
        (
            {"status": "x" * 400, "spoiler_text": "y" * 101},
            422,
            "Validation failed: Text character limit of 500 exceeded",
        ),
        ({"status": " \n"}, 422, "Validation failed: Text can't be blank"),
        ({"status": "a", "media_ids": ["7"]}, 422, "Media 7 not found or already attached to another post"),
        ({"status": "a", "media_ids": ["1", "2", "3", "4", "5"]}, 422, "Cannot attach more than 4 files"),
        (
            {"status": "a", "in_reply_to_id": "7"},
            404,
            "The post you are trying to reply to does not appear to exist.",
        ),
        (
            {"status": "a", "scheduled_at": "2027-01-01"},
            422,
            "The local platform does not support scheduled_at",
        ),
        ({"status": {"a": 1}}, 400, "Error occurred while parsing request parameters"),
        ({"status": "\ud800"}, 400, "Error occurred while parsing request parameters"),
        ({"status": "a", "media_ids": ["9" * 30]}, 404, "Record not found"),
    ],
)
def test_a_draft_that_breaks_a_rule_is_refused_in_mastodons_words(
    world: World, fields: dict[str, Any], status: int, error: str
) -> None:
    answer = world.anna.post("/api/v1/statuses", fields)
    assert (answer.status, answer.json) == (status, {"error": error})
    assert world.statuses("anna").json == []


def test_a_body_that_is_not_json_is_refused(world: World) -> None:
    for raw in (b"{", b"[]", b"\xff", b"[" * 100_000):
        answer = world.anna.post("/api/v1/statuses", raw=raw, headers={"Content-Type": "application/json"})
        assert answer.status == 400


def test_without_a_known_token_nothing_is_published(world: World) -> None:
    answer = world.stranger.publish("a")
    assert (answer.status, answer.json) == (401, {"error": "The access token is invalid"})


def test_a_deleted_status_is_gone_and_its_text_comes_back_once(world: World) -> None:
    made = world.anna.publish("Bye #one").json["id"]
    assert world.maryam.call("DELETE", f"/api/v1/statuses/{made}").status == 404
    assert world.anna.call("DELETE", f"/api/v1/statuses/{made}").json["text"] == "Bye #one"
    assert world.anna.get(f"/api/v1/statuses/{made}").status == 404
    assert world.statuses("anna").json == []


def test_pages_of_statuses_join_without_gap_or_repeat(world: World) -> None:
    made = [world.anna.publish(f"Post {number}").json["id"] for number in range(7)]
    first = world.statuses("anna", "?limit=3&exclude_reblogs=true")
    assert [status["id"] for status in first.json] == made[:3:-1]
    older = first.headers["Link"].split(">")[0].removeprefix("<").partition("/api")[2]
    assert "exclude_reblogs=true" in older
    assert [status["id"] for status in world.stranger.get("/api" + older).json] == made[3:0:-1]
    newer = world.statuses("anna", f"?limit=2&min_id={made[1]}").json
    assert [status["id"] for status in newer] == [made[3], made[2]]
    since = world.statuses("anna", f"?limit=2&since_id={made[1]}").json
    assert [status["id"] for status in since] == [made[6], made[5]]
    assert made == sorted(made)


def test_private_and_direct_posts_are_shown_to_those_they_are_for(world: World) -> None:
    private = world.anna.publish("Mine", visibility="private").json["id"]
    direct = world.anna.publish("@maryam hello", visibility="direct").json["id"]
    assert world.statuses("anna").json == []
    assert [status["id"] for status in world.statuses("anna", reader=world.anna).json] == [direct, private]
    assert world.maryam.get(f"/api/v1/statuses/{direct}").status == 200
    assert world.maryam.get(f"/api/v1/statuses/{private}").status == 404
    assert world.stranger.get(f"/@anna/{direct}").status == 404


def test_mentions_and_replies_are_notified_once_each_and_can_be_polled(world: World) -> None:
    asked = world.maryam.publish("@anna @anna کی باز می‌کنید؟").json["id"]
    seen = world.anna.get("/api/v1/notifications").json
    assert [(item["type"], item["status"]["id"]) for item in seen] == [("mention", asked)]
    replied = world.anna.publish("O ósmej", in_reply_to_id=asked).json
    assert replied["in_reply_to_account_id"] == world.account_ids["maryam"]
    told = world.maryam.get("/api/v1/notifications").json
    assert [item["status"]["id"] for item in told] == [replied["id"]]
    assert world.maryam.get(f"/api/v1/notifications?min_id={told[0]['id']}").json == []
    context = world.stranger.get(f"/api/v1/statuses/{asked}/context").json
    assert [status["id"] for status in context["descendants"]] == [replied["id"]]


def test_media_processes_for_a_while_and_then_attaches(world: World, png: Png) -> None:
    world.control.post("/_local/settings", {"processing_seconds": 3})
    accepted = world.anna.upload(png(640, 400), description="Park o świcie", focus="0.5,-0.25")
    media = accepted.json["id"]
    assert (accepted.status, accepted.json["url"]) == (202, None)
    assert world.anna.get(f"/api/v1/media/{media}").status == 206
    early = world.anna.publish("Park", media_ids=[media])
    message = "Cannot attach files that have not finished processing. Try again in a moment!"
    assert (early.status, early.json["error"]) == (422, message)
    world.clock.advance(seconds=3)
    assert world.anna.get(f"/api/v1/media/{media}").status == 200
    attached = world.anna.publish("Park", media_ids=[media]).json["media_attachments"][0]
    assert attached["description"] == "Park o świcie"
    assert attached["meta"]["original"]["width"] == 640
    assert attached["meta"]["focus"] == {"x": 0.5, "y": -0.25}
    assert world.stranger.get(f"/media/{media}").body == png(640, 400)
    assert world.anna.publish("Again", media_ids=[media]).status == 422


def test_media_is_ready_at_once_unless_told_otherwise(world: World, png: Png) -> None:
    assert world.anna.upload(png(2, 2)).status == 200


def test_another_accounts_media_cannot_be_attached(world: World, png: Png) -> None:
    media = world.anna.upload(png(2, 2)).json["id"]
    assert world.maryam.publish("Stolen", media_ids=[media]).status == 422
    assert world.maryam.get(f"/api/v1/media/{media}").status == 404


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda png: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "File content type is invalid"),
        (lambda png: png(8000, 8000), "8000x8000 images are not supported"),
        (lambda png: png(2, 2) + b"\0" * 16_777_216, "File file size must be less than 16 MB"),
        (lambda png: b"\x89PNG\r\n\x1a\n", "File content type is invalid"),
    ],
)
def test_media_over_a_limit_is_refused(
    world: World, png: Png, make: Callable[[Png], bytes], error: str
) -> None:
    answer = world.anna.upload(make(png))
    assert answer.status == 422
    assert error in answer.json["error"]


def test_a_description_over_its_limit_is_refused(world: World, png: Png) -> None:
    assert world.anna.upload(png(2, 2), description="x" * 1501).status == 422


def test_the_instance_tells_the_limits_it_enforces(world: World) -> None:
    found = world.stranger.get("/api/v2/instance").json
    assert found["configuration"]["statuses"] == {
        "max_characters": 500,
        "max_media_attachments": 4,
        "characters_reserved_per_url": 23,
    }
    assert found["configuration"]["media_attachments"]["image_size_limit"] == 16_777_216
    assert isinstance(found["api_versions"]["mastodon"], int)


def test_an_account_is_found_by_name_id_and_token(world: World) -> None:
    world.anna.publish("Hello")
    for answer in (
        world.stranger.get("/api/v1/accounts/lookup?acct=anna"),
        world.stranger.get(f"/api/v1/accounts/{world.account_ids['anna']}"),
        world.anna.get("/api/v1/accounts/verify_credentials"),
    ):
        assert answer.json["username"] == "anna"
        assert answer.json["statuses_count"] == 1
        assert answer.json["last_status_at"] == "2026-11-22"
    assert world.stranger.get("/api/v1/accounts/lookup?acct=nobody").json == {"error": "Record not found"}
    assert world.stranger.get("/api/v1/accounts/lookup?acct=anna@elsewhere.example").status == 404


def test_calls_are_counted_down_and_refused_past_the_limit(world: World) -> None:
    world.control.post("/_local/settings", {"rate_limit": 2})
    first = world.anna.get("/api/v1/accounts/verify_credentials")
    assert first.headers["X-RateLimit-Limit"] == "2"
    assert first.headers["X-RateLimit-Remaining"] == "1"
    assert first.headers["X-RateLimit-Reset"] == "2026-11-22T14:05:00.000000Z"
    assert world.anna.publish("two").status == 200
    third = world.anna.publish("three")
    assert (third.status, third.headers["X-RateLimit-Remaining"]) == (429, "0")
    assert world.maryam.publish("another account").status == 200
    world.clock.advance(minutes=5)
    assert world.anna.publish("three").status == 200


def test_fifty_clients_publish_a_thousand_posts_without_losing_one(world: World) -> None:
    clients = [world.anna, world.maryam]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: clients[n % 2].publish(f"Post {n}", key=f"key-{n}"), range(1000)))
    assert {answer.status for answer in answers} == {200}
    assert world.control.get("/_local/stats").json["statuses_created_by_account"] == {
        "anna": 500,
        "maryam": 500,
    }
