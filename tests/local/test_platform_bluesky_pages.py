"""What people see of Bluesky accounts in a browser on the local platform."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.platform.bluesky.richtext import content, pieces

World = Any
KEY, OTHER_KEY = "3m6aaaaaaaa22", "3m6aaaaaaaa2a"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def facet(text: str, part: str, kind: str, **feature: str) -> dict[str, Any]:
    """The facet of a part of a text, counted in bytes."""
    start = len(text[: text.index(part)].encode())
    return {
        "index": {"byteStart": start, "byteEnd": start + len(part.encode())},
        "features": [{"$type": f"app.bsky.richtext.facet#{kind}", **feature}],
    }


def test_facets_are_linked_by_their_bytes(world: World) -> None:
    brand, ola = world.bluesky("brand.test"), world.bluesky("ola.test")
    text = "سلام 👩🏽‍🍳 @ola.test! Zażółć https://example.org/خبر #می‌شود @gone.test koniec"
    facets = [
        facet(text, "#می‌شود", "tag", tag="می‌شود"),
        facet(text, "https://example.org/خبر", "link", uri="https://example.org/خبر"),
        facet(text, "@ola.test", "mention", did=ola.did),
        facet(text, "@gone.test", "mention", did="did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"),
    ]
    assert brand.put(KEY, text, facets=facets, langs=["fa"]).status == 200
    page = world.stranger.get(f"/profile/brand.test/post/{KEY}").text
    assert '<div class="text" dir="auto" lang="fa"><p class="lines">سلام 👩🏽‍🍳 <bdi><a ' in page
    assert '<a href="/profile/ola.test">@ola.test</a></bdi>! Zażółć <a href="https://example.org/خبر"' in page
    assert 'translate="no">https://example.org/خبر</a> <bdi><a href="/tags/%D9%85' in page
    assert "#می‌شود</a></bdi> @gone.test koniec</p>" in page
    assert "می‌شود</a>" in world.stranger.get("/tags/" + quote("می‌شود")).text


def test_a_text_without_facets_has_no_links(world: World) -> None:
    brand = world.bluesky("brand.test")
    brand.put(KEY, "https://example.org @brand.test #tag")
    assert (
        '<p class="lines">https://example.org @brand.test #tag</p>'
        in world.stranger.get("/profile/brand.test").text
    )


def test_a_link_that_is_no_web_address_stays_text(world: World) -> None:
    brand = world.bluesky("brand.test")
    text = "press me"
    brand.put(KEY, text, facets=[facet(text, text, "link", uri="javascript:alert(1)")])
    assert "javascript:" not in world.stranger.get("/profile/brand.test").text


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 100), (3, 3), (4, 2), (1, 4), (0, 1)],
    ids=["past the end", "empty", "backwards", "starts in a letter", "ends in a letter"],
)
def test_an_impossible_facet_is_passed_over(start: int, end: int) -> None:
    feature = {"$type": "app.bsky.richtext.facet#tag", "tag": "x"}
    value = {
        "text": "łódź",
        "facets": [{"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}],
    }
    assert list(pieces(value)) == [("łódź", None)]


def test_of_two_facets_that_overlap_the_first_counts() -> None:
    first, second = ({"$type": "app.bsky.richtext.facet#tag", "tag": tag} for tag in "ab")
    facets = [
        {"index": {"byteStart": 2, "byteEnd": 5}, "features": [second]},
        {"index": {"byteStart": 0, "byteEnd": 4}, "features": [first]},
    ]
    assert list(pieces({"text": "abcdef", "facets": facets})) == [("abcd", first), ("ef", None)]


OFFSETS = st.integers(0, 12)
FEATURES = st.sampled_from(
    [
        {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org"},
        {"$type": "app.bsky.richtext.facet#tag", "tag": "t"},
        {"$type": "example.unknown"},
    ]
)
FACETS = st.lists(
    st.builds(
        lambda start, end, features: {"index": {"byteStart": start, "byteEnd": end}, "features": features},
        OFFSETS,
        OFFSETS,
        st.lists(FEATURES, max_size=2),
    ),
    max_size=6,
)
TEXTS = st.lists(st.sampled_from([*"ab<>&\"' \nłس", "👩🏽‍🍳"]), min_size=6, max_size=12).map("".join)


@given(TEXTS, FACETS)
def test_the_pieces_join_to_exactly_the_text_and_hold_no_markup(
    text: str, facets: list[dict[str, Any]]
) -> None:
    value = {"text": text, "facets": facets}
    assert "".join(run for run, _ in pieces(value)) == text
    html = content(value, lambda feature: "/x")
    ours = ("<p class", "</p>", "<a href", "</a>", "<bdi>", "</bdi>")
    assert all(html[at:].startswith(ours) for at in range(len(html)) if html[at] == "<")


def test_pictures_are_shown_with_their_alt_text_and_a_link_card_with_its_words(
    world: World, png: Any
) -> None:
    brand = world.bluesky("brand.test")
    blob = brand.blob(png(4, 2))
    image = {"image": blob, "alt": "پارک در سپیده‌دم", "aspectRatio": {"width": 4, "height": 2}}
    card = {"uri": "https://example.org/a", "title": "Tytuł", "description": "Opis", "thumb": blob}
    brand.put(KEY, "Park", embed={"$type": "app.bsky.embed.images", "images": [image]})
    brand.put(OTHER_KEY, "Link", embed={"$type": "app.bsky.embed.external", "external": card})
    page = world.stranger.get("/profile/brand.test").text
    address = f"/blobs/{brand.did}/{blob['ref']['$link']}"
    assert f'<img src="{address}" alt="پارک در سپیده‌دم" width="4" height="2">' in page
    assert '<a class="link-card" href="https://example.org/a"' in page
    assert "<b>Tytuł</b><span>Opis</span>" in page
    served = world.stranger.get(address)
    assert (served.body, served.headers["Content-Type"]) == (png(4, 2), "image/png")
    assert "sandbox" in served.headers["Content-Security-Policy"]


def test_hostile_text_is_shown_and_never_run(world: World, png: Any) -> None:
    brand = world.bluesky("brand.test", display_name=HOSTILE, note=HOSTILE)
    image = {"image": brand.blob(png(2, 2)), "alt": HOSTILE}
    card = {"uri": "javascript:alert(1)", "title": HOSTILE, "description": HOSTILE}
    tag = {**facet(HOSTILE, HOSTILE[:8], "tag", tag=HOSTILE[:40])}
    brand.put(KEY, HOSTILE, facets=[tag], embed={"$type": "app.bsky.embed.images", "images": [image]})
    brand.put(OTHER_KEY, HOSTILE, embed={"$type": "app.bsky.embed.external", "external": card})
    for path in ("/", "/profile/brand.test", f"/profile/brand.test/post/{KEY}", "/avatars/brand.test.svg"):
        page = world.stranger.get(path)
        assert page.status == 200
        assert "<script" not in page.text
        assert "<img src=x" not in page.text
        assert "javascript:" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_both_networks_are_listed_in_their_own_handle_style(world: World) -> None:
    brand = world.bluesky("brand.test", display_name="Sklep")
    brand.put(KEY, "Zupa #dnia", facets=[facet("Zupa #dnia", "#dnia", "tag", tag="dnia")])
    world.anna.publish("Też #dnia")
    listed = world.stranger.get("/").text
    assert f'<bdi class="handle">@anna@127.0.0.1:{world.control.port}</bdi>' in listed
    assert '<bdi class="handle">@brand.test</bdi>' in listed
    assert 'href="/profile/brand.test"' in listed
    tagged = world.stranger.get("/tags/dnia").text
    assert "Zupa" in tagged
    assert "Też" in tagged
    moved = world.stranger.get("/@brand.test")
    assert (moved.status, moved.headers["Location"]) == (302, "/profile/brand.test")


def test_a_post_has_its_own_page_with_its_replies(world: World) -> None:
    brand, ola = world.bluesky("brand.test"), world.bluesky("ola.test")
    asked = brand.put(KEY, "Question").json
    target = {"uri": asked["uri"], "cid": asked["cid"]}
    ola.put(KEY, "Answer", reply={"root": target, "parent": target})
    page = world.stranger.get(f"/profile/{brand.did}/post/{KEY}").text
    assert page.index("Question</p>") < page.index("1 reply</h2>") < page.index("Answer</p>")
    answer = world.stranger.get(f"/profile/ola.test/post/{KEY}").text
    assert f'Reply to <a href="/profile/brand.test/post/{KEY}">' in answer
    for path in (f"/profile/ola.test/post/{OTHER_KEY}", "/profile/nobody.test", f"/blobs/{brand.did}/x"):
        assert world.stranger.get(path).status == 404


def test_old_posts_are_a_page_further(world: World) -> None:
    brand = world.bluesky("brand.test")
    for number in range(42):
        brand.write("create", None, f"Post {number}.")
    first = world.stranger.get("/profile/brand.test").text
    assert "Post 2." in first
    assert "Post 1." not in first
    older = first.partition('href="/profile/brand.test?before=')[2].partition('"')[0]
    assert "Post 1." in world.stranger.get(f"/profile/brand.test?before={older}").text
