"""What people see in a browser on the local platform."""

from __future__ import annotations

from typing import Any

from infra.local.platform.pages import initials

World = Any
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_hostile_text_is_shown_and_never_run(world: World, png: Any) -> None:
    world.control.post("/_local/accounts", {"username": "anna", "display_name": HOSTILE, "note": HOSTILE})
    media = world.anna.upload(png(2, 2), description='"><script>x').json["id"]
    made = world.anna.publish(HOSTILE, spoiler_text=HOSTILE, media_ids=[media]).json
    assert "<script" not in made["content"]
    for path in ("/", "/@anna", f"/@anna/{made['id']}", "/avatars/anna.svg"):
        page = world.stranger.get(path)
        assert page.status == 200
        assert "<script" not in page.text
        assert "<img src=x" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "&lt;script&gt;alert(1)" in world.stranger.get("/@anna").text


def test_persian_text_is_shown_in_its_own_direction(world: World) -> None:
    made = world.maryam.publish("سلام همسایه‌ها! #پارک", language="fa").json
    assert made["tags"][0]["name"] == "پارک"
    page = world.stranger.get("/@maryam").text
    assert '<div class="text" dir="auto" lang="fa"><p>سلام همسایه‌ها! ' in page
    assert "<bdi>مریم احمدی</bdi>" in page


def test_pictures_are_shown_with_their_alt_text(world: World, png: Any) -> None:
    media = world.anna.upload(png(4, 2), description="Park o świcie").json["id"]
    world.anna.publish("Park", media_ids=[media])
    assert (
        f'<img src="/media/{media}" alt="Park o świcie" width="4" height="2">'
        in world.stranger.get("/@anna").text
    )
    served = world.stranger.get(f"/media/{media}")
    assert (served.headers["Content-Type"], served.headers["X-Content-Type-Options"]) == (
        "image/png",
        "nosniff",
    )


def test_a_post_has_its_own_page_with_its_replies(world: World) -> None:
    made = world.anna.publish("Question").json["id"]
    world.maryam.publish("Answer", in_reply_to_id=made)
    page = world.stranger.get(f"/@anna/{made}").text
    assert page.index("<p>Question</p>") < page.index("1 reply</h2>") < page.index("<p>Answer</p>")
    assert world.stranger.get(f"/@maryam/{made}").status == 404


def test_old_posts_are_a_page_further(world: World) -> None:
    for number in range(42):
        world.anna.publish(f"Post {number}.")
    first = world.stranger.get("/@anna").text
    assert "Post 2." in first
    assert "Post 1." not in first
    older = first.partition('href="/@anna?max_id=')[2].partition('"')[0]
    assert "Post 1." in world.stranger.get(f"/@anna?max_id={older}").text


def test_a_tag_leads_to_its_posts(world: World) -> None:
    world.anna.publish("Zupa #Dnia")
    world.maryam.publish("#dnianie is another tag")
    page = world.stranger.get("/tags/dnia").text
    assert "Zupa" in page
    assert "another" not in page


def test_what_is_not_there_says_so_in_words(world: World) -> None:
    for path in ("/@nobody", "/@anna/7", "/@anna/x", "/media/99999999999999999999", "/nothing"):
        page = world.stranger.get(path)
        assert page.status == 404
        assert "Nothing is here" in page.text


def test_initials_take_one_letter_where_letters_would_join() -> None:
    assert initials("Anna Maria Kowalska") == "AK"
    assert initials("مریم احمدی") == "م"
    assert initials("🫖") == "·"
