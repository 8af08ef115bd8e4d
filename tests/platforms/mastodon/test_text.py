"""Counting as a server counts, and reading a status back from its HTML."""

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platforms.mastodon.text import comparable, count, from_html
from tests.platforms.support import recorded


@pytest.mark.parametrize(
    ("text", "warning", "characters"),
    [
        ("", "", 0),
        ("Zażółć", "", 6),
        ("سلام", "", 4),
        ("👩🏽‍🍳👨‍👩‍👧", "", 2),
        ("e\u0301", "", 1),
        ("see https://example.org/a/very/long/path?x=1 now", "", 4 + 23 + 4),
        ("https://a.pl", "", 23),
        ("(https://example.org/a_(b)).", "", 1 + 23 + 2),
        ("http://nodots", "", len("http://nodots")),
        ("https://a.example https://b.example", "", 23 + 1 + 23),
        ("@anna@mastodon.example hi", "", len("@anna hi")),
        ("@anna hi", "", 8),
        ("mail anna@example.org", "", len("mail anna@example.org")),
        ("https://a.example/@anna@b.example", "", 23),
        ("abc", "uwaga", 8),
        ("abc", "https://example.org/a/very/long/path", 3 + 36),
    ],
)
def test_length_is_counted_as_a_server_counts(text: str, warning: str, characters: int) -> None:
    assert count(text, warning, 23) == characters


def test_links_count_what_the_server_reserves_for_them() -> None:
    assert count("https://example.org", "", 30) == 30


@given(st.text(), st.text())
def test_counting_raises_nothing_and_a_warning_never_makes_it_shorter(text: str, warning: str) -> None:
    assert 0 <= count(text, "", 23) <= count(text, warning, 23) + 1


def test_a_recorded_status_reads_as_it_was_written() -> None:
    written = (
        "سلام @ola@other.example! Zażółć gęślą jaźń 👩🏽‍🍳\n"
        "https://example.org/a/very/long/path?q=1\n\n#می‌شود & <3"
    )
    html = recorded("mastodon", "status").json()["content"]
    assert comparable(from_html(html)) == comparable(written)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_reads_back_as_it_was_written(text: str) -> None:
    assert comparable(from_html(f"<p>{escape(text)}</p>")) == comparable(text)


MARKUP = st.lists(st.sampled_from(["<p>", "<!", "<![x[", "<!--", "&#", "]]>", "a"])).map("".join)


@given(st.text() | MARKUP)
def test_reading_any_html_raises_nothing(html: str) -> None:
    assert isinstance(from_html(html), str)


def test_texts_that_differ_only_in_what_a_server_changes_compare_equal() -> None:
    assert comparable(" Zaz\u0307o\u0301łc\u0301\r\n\r\nb ") == comparable("Zażółć\nb")
    assert comparable("@ola@other.example hi") == comparable("@ola hi")
    assert comparable("a b") != comparable("ab")
