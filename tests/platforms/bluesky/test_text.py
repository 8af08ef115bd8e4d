"""Facets: every one cuts out of the text's bytes exactly what it names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platforms.bluesky.text import facets, mentioned

LIVELY = st.lists(
    st.sampled_from(
        [
            *"ab1_-.,:;!?()[] \n@#＃/&",
            "@ola.test",
            "#می‌شود",
            "#łódź",
            "https://",
            "https://x.org/#a",
            "👩🏽‍🍳",
            "۱۲",
            "\ufe0f\u20e3",
            "\u200f",
        ]
    )
).map("".join)
DIDS = {"ola.test": "did:plc:ola", "jan.bsky.example": "did:plc:jan"}


def cut(text: str) -> list[tuple[str, str]]:
    """What each facet covers, and what it says it is."""
    found = []
    for facet in facets(text, DIDS):
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        (feature,) = facet["features"]
        kind = feature["$type"].partition("#")[2]
        value = feature[{"link": "uri", "mention": "did", "tag": "tag"}[kind]]
        found.append((text.encode()[start:end].decode(), f"{kind} {value}"))
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("سلام @ola.test!", [("@ola.test", "mention did:plc:ola")]),
        ("(@Ola.Test)", [("@Ola.Test", "mention did:plc:ola")]),
        ("@jan.bsky.example.", [("@jan.bsky.example", "mention did:plc:jan")]),
        ("👩🏽‍🍳 #łódź.", [("#łódź", "tag łódź")]),
        ("#می‌شود خوب", [("#می‌شود", "tag می‌شود")]),
        ("#سلام_دنیا، بعد", [("#سلام_دنیا", "tag سلام_دنیا")]),
        ("＃日本語", [("＃日本語", "tag 日本語")]),
        ("#a1 #1a", [("#a1", "tag a1"), ("#1a", "tag 1a")]),
        ("#🐢 #C++", [("#🐢", "tag 🐢"), ("#C++", "tag C++")]),
        ("#end-", [("#end", "tag end")]),
        ("#" + "a" * 64, [("#" + "a" * 64, "tag " + "a" * 64)]),
        ("#a-https://x.org", [("https://x.org", "link https://x.org")]),
        ("@ola.test #x", [("@ola.test", "mention did:plc:ola"), ("#x", "tag x")]),
        (
            "https://x.org/#بخش و #خبر",
            [("https://x.org/#بخش", "link https://x.org/#بخش"), ("#خبر", "tag خبر")],
        ),
        ("https://x.org/(@ola.test)", [("https://x.org/(@ola.test)", "link https://x.org/(@ola.test)")]),
    ],
)
def test_facets_cover_what_they_name(text: str, found: list[tuple[str, str]]) -> None:
    assert cut(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mail@ola.test",
        "@ola",
        "@nobody.test",
        "@ola.test2",
        "@ola.testé",
        "@ola.test-x",
        "@user@ola.test",
        "@1.2.3.4",
        "#",
        "# tag",
        "#123",
        "#۱۲۳",
        "#___",
        "#️⃣",
        "a#b",
        "&#39;",
        "##x",
        "#" + "a" * 65,
        "#" + "👨‍👩‍👧‍👦" * 40,
    ],
)
def test_what_is_no_link_mention_or_tag_stays_plain(text: str) -> None:
    assert cut(text) == []


@given(st.text() | LIVELY)
def test_every_facet_slices_back_to_the_text_exactly(text: str) -> None:
    encoded = text.encode("utf-8")
    at = 0
    for covered, feature in cut(text):
        kind, _, value = feature.partition(" ")
        if kind == "link":
            assert covered == value
        if kind == "tag":
            assert covered[1:] == value
            assert covered[0] in "#＃"
        if kind == "mention":
            assert DIDS[covered[1:].lower()] == value
        start = encoded.index(covered.encode(), at)
        at = start + len(covered.encode())


@given(st.text(st.characters()) | LIVELY)
def test_facets_are_in_order_and_never_overlap(text: str) -> None:
    at = 0
    for facet in facets(text, DIDS):
        assert at <= facet["index"]["byteStart"] < facet["index"]["byteEnd"]
        at = facet["index"]["byteEnd"]
    assert at <= len(text.encode("utf-8", "surrogatepass"))


def test_a_text_with_half_a_character_breaks_nothing() -> None:
    assert len(facets("\ud800 #łódź", {})) == 1


def test_handles_are_asked_for_once_each_and_in_lower_case() -> None:
    assert mentioned("@Ola.test @ola.test @jan.bsky.example, @x") == ["ola.test", "jan.bsky.example"]
