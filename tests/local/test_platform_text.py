"""How the local platform reads and counts text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from infra.local.platform.mastodon.text import Piece, content, length, pieces

_LIVELY_PARTS = [*"ab@#.:/<>&\"' \n)(١سé👩🏽\u200d_-", "https://", "x.org"]
LIVELY = st.lists(st.sampled_from(_LIVELY_PARTS)).map("".join) | st.text()


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", 0),
        ("Zażółć", 6),
        ("👩🏽‍🍳👨‍👩‍👧", 2),
        ("see https://example.org/a/very/long/path?x=1 now", 4 + 23 + 4),
        ("(https://example.org/a_(b)).", 1 + 23 + 2),
        ("@anna@mastodon.example hi", len("@anna hi")),
        ("http://nodots", len("http://nodots")),
        ("سلام", 4),
    ],
)
def test_length_is_counted_as_mastodon_counts(text: str, counted: int) -> None:
    assert length(text) == counted


def test_a_spoiler_counts_with_the_text() -> None:
    assert length("abc", "de") == 5


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("mail anna@example.org", ["text"]),
        ("@anna, hello", ["mention", "text"]),
        ("#2026 #soup2026 &#39;", ["text", "tag", "text"]),
        ("https://x.org/#part and #پارک", ["url", "text", "tag"]),
    ],
)
def test_entities_are_found_where_mastodon_finds_them(text: str, kinds: list[str]) -> None:
    assert [piece.kind for piece in pieces(text)] == kinds


@given(LIVELY)
def test_the_pieces_join_to_exactly_the_text(text: str) -> None:
    assert "".join(piece.raw for piece in pieces(text)) == text


def everybody(piece: Piece) -> str:
    return f"http://local/@{piece.name}"


@given(LIVELY)
def test_html_holds_no_markup_of_the_authors(text: str) -> None:
    html = content(text, everybody, lambda tag: f"http://local/tags/{tag}")
    ours = ("<p>", "</p>", "<br />", "<a ", "</a>", "<span", "</span>")
    assert all(html[at:].startswith(ours) for at in range(len(html)) if html[at] == "<")


def test_paragraphs_lines_and_long_links_are_kept() -> None:
    html = content("one\ntwo\n\nhttps://example.org/" + "a" * 40, everybody, str)
    assert html.startswith(Markup("<p>one<br />two</p><p><a "))
    assert 'class="ellipsis">example.org/' in html
