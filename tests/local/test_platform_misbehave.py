"""Each way in which the local platform can be told to fail, and what it leaves behind."""

from __future__ import annotations

import http.client
import time
from typing import Any

import pytest

World = Any


def published(world: World) -> int:
    return int(world.control.get("/_local/stats").json["statuses_created"])


@pytest.mark.parametrize(
    ("mode", "status", "body"),
    [
        ("429", 429, b'{"error": "Too many requests"}'),
        ("500", 500, b'{"error": '),
        ("502_html", 502, b"<html>"),
        ("200_error_json", 200, b'{"error": '),
        ("200_empty", 200, b""),
        ("redirect", 302, b""),
        ("token_revoked", 401, b'{"error": "The access token was revoked"}'),
        ("suspended", 403, b'{"error": "Your login is currently disabled"}'),
    ],
)
def test_a_failing_answer_publishes_nothing_and_ends_after_its_times(
    world: World, mode: str, status: int, body: bytes
) -> None:
    world.misbehave(mode=mode, account="anna", route="statuses", times=1)
    answer = world.anna.publish("Hello")
    assert answer.status == status
    assert answer.body.startswith(body)
    assert published(world) == 0
    assert world.anna.publish("Hello").status == 200
    assert published(world) == 1


def test_a_429_says_when_to_come_back(world: World) -> None:
    world.misbehave(mode="429", retry_after=7)
    answer = world.anna.publish("Hello")
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert answer.headers["X-RateLimit-Reset"] == "2026-11-22T14:00:07.000000Z"


def test_ten_megabytes_come_back(world: World) -> None:
    world.misbehave(mode="10mb", times=1)
    assert len(world.anna.publish("Hello").body) > 10_000_000
    assert published(world) == 0


def test_drop_closes_the_connection_and_publishes_nothing(world: World) -> None:
    world.misbehave(mode="drop", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        world.anna.publish("Hello", key="k")
    assert published(world) == 0


def test_accept_then_drop_publishes_and_the_key_finds_the_post_again(world: World) -> None:
    world.misbehave(mode="accept_then_drop", times=1, route="statuses")
    with pytest.raises(http.client.RemoteDisconnected):
        world.anna.publish("Hello", key="k")
    assert published(world) == 1
    found = world.statuses("anna").json[0]["id"]
    assert world.anna.publish("Hello", key="k").json["id"] == found
    assert published(world) == 1


def test_a_rule_with_after_fails_a_call_that_was_carried_out(world: World) -> None:
    world.misbehave(mode="500", times=1, after=True)
    assert world.anna.publish("Hello").status == 500
    assert published(world) == 1


def test_slow_publishes_only_after_the_client_gave_up(world: World) -> None:
    world.misbehave(mode="slow", seconds=0.4, times=1)
    world.anna.timeout = 0.1
    with pytest.raises(TimeoutError):
        world.anna.publish("Hello")
    assert published(world) == 0
    deadline = time.monotonic() + 5
    while published(world) == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert published(world) == 1


def test_slow_drip_publishes_and_answers_byte_by_byte(world: World) -> None:
    world.misbehave(mode="slow_drip", seconds=0.4, times=1)
    started = time.monotonic()
    assert world.anna.publish("Hello").json["content"] == "<p>Hello</p>"
    assert time.monotonic() - started > 0.4
    assert published(world) == 1


def test_a_deprecated_call_is_answered_as_ever_and_says_so(world: World) -> None:
    world.misbehave(mode="deprecated", route="statuses", times=1)
    said = [world.anna.publish("Hello").headers.get("Deprecation") for _ in range(2)]
    assert said == ["@1795356000", None]
    assert published(world) == 2


def test_lag_hides_young_posts_from_the_timeline_only(world: World) -> None:
    world.misbehave(mode="lag", account="anna", seconds=30)
    made = world.anna.publish("Hello").json["id"]
    world.clock.advance(seconds=29)
    assert world.statuses("anna", reader=world.anna).json == []
    assert world.stranger.get(f"/api/v1/statuses/{made}").status == 200
    world.clock.advance(seconds=2)
    assert [status["id"] for status in world.statuses("anna").json] == [made]


def test_a_rule_reaches_only_its_account_and_route(world: World, png: Any) -> None:
    world.misbehave(mode="500", account="anna", route="media")
    assert world.anna.upload(png(2, 2)).status == 500
    assert world.maryam.upload(png(2, 2)).status == 200
    assert world.anna.publish("Hello").status == 200


def test_rules_are_obeyed_in_the_order_they_were_given(world: World) -> None:
    world.misbehave(mode="500", times=2)
    world.misbehave(mode="502_html", times=1)
    assert [world.anna.publish("Hello").status for _ in range(4)] == [500, 500, 502, 200]
    used = [
        (rule["mode"], rule["used"], rule["left"]) for rule in world.control.get("/_local/misbehave").json
    ]
    assert used == [("500", 2, 0), ("502_html", 1, 0)]


def test_rules_end_when_cleared_or_told_none(world: World) -> None:
    world.misbehave(mode="500")
    assert world.control.call("DELETE", "/_local/misbehave").json == []
    assert world.anna.publish("one").status == 200
    world.misbehave(mode="500", account="anna", route="statuses")
    world.misbehave(mode="none", account="anna")
    assert world.anna.publish("two").status == 200


@pytest.mark.parametrize(
    "rule",
    [
        {"mode": "sulk"},
        {"mode": "500", "route": "x"},
        {"mode": "500", "times": -1},
        {"mode": "slow", "seconds": "1"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(world: World, rule: dict[str, Any]) -> None:
    assert world.control.post("/_local/misbehave", rule).status == 422


def test_the_control_surface_refuses_web_pages_and_other_names(world: World) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        assert world.control.post("/_local/reset", headers=headers).status == 403
    assert len(world.control.get("/_local/accounts").json) == 2


def test_reset_forgets_everything(world: World, png: Any) -> None:
    media = world.anna.upload(png(2, 2)).json["id"]
    world.anna.publish("Hello", media_ids=[media])
    assert world.control.post("/_local/reset").status == 200
    assert world.control.get("/_local/accounts").json == []
    assert world.stranger.get(f"/media/{media}").status == 404
    assert published(world) == 0
