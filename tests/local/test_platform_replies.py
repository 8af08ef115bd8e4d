"""The reply box under a post: a passer-by answers, and the account that posted is told by its own API."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

World = Any
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def say(world: World, page: str, headers: dict[str, str] | None = None, **fields: str) -> Any:
    return world.stranger.call("POST", page, raw=urlencode(fields).encode(), headers=FORM | (headers or {}))


@pytest.fixture
def toot(world: World) -> str:
    return f"/@anna/{world.anna.publish('Lampy już świecą!', language='pl').json['id']}"


def test_a_reply_stands_under_the_post_and_who_wrote_it_is_told(world: World, toot: str) -> None:
    answer = say(world, toot, name="Zofia Żak", text="Do kiedy otwarte?")
    assert (answer.status, answer.headers["Location"]) == (303, toot)
    page = world.stranger.get(toot).text
    assert "1 reply</h2>" in page
    assert page.index("Lampy") < page.index("Zofia Żak") < page.index("Do kiedy otwarte?")
    (told,) = world.anna.get("/api/v1/notifications").json
    assert (told["type"], told["account"]["display_name"]) == ("mention", "Zofia Żak")
    assert told["status"]["in_reply_to_id"] == toot.rpartition("/")[2]


def test_the_same_name_is_the_same_account_and_another_is_not(world: World, toot: str) -> None:
    for name in ("Zofia Żak", "zofia  żak", "مریم"):
        say(world, toot, name=name, text="سلام")
    told = world.anna.get("/api/v1/notifications").json
    assert len({n["account"]["id"] for n in told}) == 2
    assert told[0]["account"]["display_name"] == "مریم"


def test_a_reply_on_bluesky_names_the_post_and_the_threads_root(world: World) -> None:
    sky = world.bluesky("brand.test")
    uri = sky.put("3kaaaaaaaaa2a", "Światło!").json["uri"]
    page = f"/profile/{sky.handle}/post/3kaaaaaaaaa2a"
    assert say(world, page, name="Zofia", text="Pięknie").status == 303
    (told,) = sky.query("app.bsky.notification.listNotifications").json["notifications"]
    assert (told["reason"], told["reasonSubject"]) == ("reply", uri)
    assert told["record"]["reply"]["root"]["uri"] == told["record"]["reply"]["parent"]["uri"] == uri
    assert "Pięknie" in world.stranger.get(page).text


def test_an_answer_to_a_reply_stands_below_it_on_the_posts_page(world: World, toot: str) -> None:
    for name, text in (("Zofia", "Do kiedy otwarte?"), ("Basia", "Gdzie to jest?")):
        say(world, toot, name=name, text=text)
    first = next(n for n in world.anna.get("/api/v1/notifications").json if "kiedy" in n["status"]["content"])
    world.anna.publish("Do dziesiątej!", in_reply_to_id=first["status"]["id"])
    page = world.stranger.get(toot).text
    assert "3 replies</h2>" in page
    assert page.index("Do kiedy") < page.index("Do dziesiątej!") < page.index("Gdzie to jest?")
    assert page.count('class="post under"') == 1


def test_on_bluesky_too(world: World) -> None:
    sky = world.bluesky("brand.test")
    root = sky.put("3kaaaaaaaaa2a", "Światło!").json
    page = f"/profile/{sky.handle}/post/3kaaaaaaaaa2a"
    say(world, page, name="Zofia", text="Do kiedy otwarte?")
    (asked,) = sky.query("app.bsky.notification.listNotifications").json["notifications"]
    root, parent = ({"uri": post["uri"], "cid": post["cid"]} for post in (root, asked))
    sky.put("3kaaaaaaaab2a", "Do dziesiątej!", reply={"root": root, "parent": parent})
    shown = world.stranger.get(page).text
    assert shown.index("Do kiedy") < shown.index("Do dziesiątej!")
    assert shown.count('class="post under"') == 1


@pytest.mark.parametrize("fields", [{}, {"text": "  "}, {"text": "x" * 281}, {"text": "x", "name": "n" * 61}])
def test_an_empty_or_endless_reply_is_refused_on_a_page(
    world: World, toot: str, fields: dict[str, str]
) -> None:
    answer = say(world, toot, None, **fields)
    assert answer.status == 422
    assert "a few lines at most" in answer.text
    assert world.anna.get("/api/v1/notifications").json == []


def test_a_browser_names_the_page_as_its_own_forms_origin(world: World, toot: str) -> None:
    assert world.stranger.get(toot).headers["Referrer-Policy"] == "same-origin"


def test_another_sites_form_cannot_post_here(world: World, toot: str) -> None:
    assert say(world, toot, {"Origin": "https://evil.example"}, text="x").status == 403
    assert world.anna.get("/api/v1/notifications").json == []


def test_nothing_can_be_said_under_what_is_not_shown(world: World) -> None:
    hidden = world.anna.publish("for followers", visibility="private").json["id"]
    assert say(world, f"/@anna/{hidden}", text="x").status == 404
    assert say(world, "/@anna/99999", text="x").status == 404
