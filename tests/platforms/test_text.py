"""Where links begin and end, and what counts as one character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platforms.text import graphemes, links

LIVELY = st.lists(
    st.sampled_from([*"ab.,;:!?)(][/@# \n\"'،؟ژ€", "https://", "http://x.org", "👨‍👩‍👧", "\u200c", "\u200f"])
).map("".join)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("łódź", 4), ("سلام", 4), ("👨‍👩‍👧‍👦🇵🇱👩🏽‍🍳", 3), ("e\u0301", 1), ("a\r\nb", 3)],
)
def test_graphemes_are_what_people_see(text: str, count: int) -> None:
    assert graphemes(text) == count


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://example.org/a?b=c#d now", ["https://example.org/a?b=c#d"]),
        ("HTTP://EXAMPLE.ORG", ["HTTP://EXAMPLE.ORG"]),
        ("https://example.org.", ["https://example.org"]),
        ("(https://example.org)", ["https://example.org"]),
        ("(see https://en.example/wiki/A_(b)).", ["https://en.example/wiki/A_(b)"]),
        ("https://example.org/a,b;c!", ["https://example.org/a,b;c"]),
        ("https://example.org/...", ["https://example.org/"]),
        ("«https://example.org/»", ["https://example.org/"]),
        ("ببینید: https://example.org/خبر، بعد", ["https://example.org/خبر"]),
        ("\u200fhttps://example.org\u200f بعد", ["https://example.org"]),
        ("قیمت؟https://example.org؟", ["https://example.org"]),
        ("two https://a.example https://b.example", ["https://a.example", "https://b.example"]),
        ("https://a.example\nhttps://b.example", ["https://a.example", "https://b.example"]),
        ('<a href="https://a.example">', ["https://a.example"]),
        ("بخوانhttps://a.example", ["https://a.example"]),
        ("xhttps://a.example #https://a.example @https://a.example", []),
        ("ftp://a.example example.org https:// http://. https:///x", []),
        ("javascript:alert(1)", []),
    ],
)
def test_links_end_where_a_reader_would_end_them(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in links(text)] == found


@given(st.text() | LIVELY)
def test_links_never_overlap_and_are_always_addresses(text: str) -> None:
    at = 0
    for start, end in links(text):
        assert at <= start < end <= len(text)
        assert text[start:end].lower().startswith(("http://", "https://"))
        assert not any(char.isspace() for char in text[start:end])
        at = end
