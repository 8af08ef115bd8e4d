"""RSS and Atom into findings, with the noise that real feeds have."""

from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.model import Kind, SourceKind
from chalicelib.platform_changes.sources.reader import ChangedShape, reader
from tests.platform_changes.sources.kit import atom, looks, rss, source, titles

FEED = source(SourceKind.FEED)
OLD = ("g1", "An old one", "Mon, 02 Mar 2026 10:00:00 GMT", "Once upon a time.")
YOUNG = ("g2", "A young one", "Fri, 20 Nov 2026 10:00:00 GMT", "We added `paid_partnership`.")
NEXT = (
    "g3",
    "Deprecation of replay",
    "Sun, 22 Nov 2026 10:00:00 GMT",
    (
        "&lt;p&gt;We deprecate &lt;code&gt;POST /2/replay/{id}&lt;/code&gt; of v26.0, effective "
        "December 1, 2026.&lt;/p&gt;"
    ),
)


def test_the_first_look_gives_what_is_young_or_not_yet_in_effect() -> None:
    ahead = ("g0", "A far one", "Mon, 02 Mar 2026 10:00:00 GMT", "It will be removed on January 5, 2027.")
    assert titles(looks(FEED, rss(YOUNG, OLD, ahead))) == ["A young one", "A far one"]


def test_an_entry_that_was_not_there_is_found_with_all_that_it_names() -> None:
    (found,) = looks(FEED, rss(YOUNG, OLD), rss(NEXT, YOUNG, OLD))
    assert found.title == "Deprecation of replay"
    assert found.text == "We deprecate `POST /2/replay/{id}` of v26.0, effective December 1, 2026."
    assert found.at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert found.effective_on == date(2026, 12, 1)
    assert found.operations == ("POST /2/replay/{id}",)
    assert found.versions == ("v26.0",)


def test_the_same_feed_again_gives_nothing_even_in_another_order() -> None:
    assert looks(FEED, rss(YOUNG, OLD, NEXT), rss(NEXT, OLD, YOUNG)) == []


def test_an_entry_with_another_guid_or_with_tracking_in_its_link_is_the_same() -> None:
    again = ("https://new.example/g2?utm_source=rss", *YOUNG[1:])
    assert looks(FEED, rss(YOUNG, OLD), rss(again, OLD)) == []


def test_an_entry_with_a_corrected_text_is_the_same() -> None:
    assert looks(FEED, rss(YOUNG, OLD), rss((*YOUNG[:3], "We added a field."), OLD)) == []


def test_an_entry_whose_day_of_effect_moves_is_found_again_under_another_key() -> None:
    moved = (*NEXT[:3], NEXT[3].replace("December 1", "December 15"))
    (first,) = looks(FEED, rss(OLD), rss(NEXT, OLD))
    (second,) = looks(FEED, rss(NEXT, OLD), rss(moved, OLD))
    assert second.effective_on == date(2026, 12, 15)
    assert second.key != first.key


def test_an_old_entry_that_comes_back_is_not_new() -> None:
    assert looks(FEED, rss(YOUNG), rss(YOUNG, OLD)) == []


def test_an_entry_that_came_while_we_could_not_look_for_months_is_found() -> None:
    july = ("g9", "In July", "Thu, 02 Jul 2026 10:00:00 GMT", "Something else.")
    june = ("g8", "In June", "Tue, 30 Jun 2026 10:00:00 GMT", "Something.")
    assert titles(looks(FEED, rss(june), rss(july, june))) == ["In July"]


def test_an_entry_keeps_its_key_from_look_to_look() -> None:
    (found,) = looks(FEED, rss(OLD), rss(NEXT, OLD))
    assert found == looks(FEED, rss(YOUNG), rss(NEXT, YOUNG))[0]


def test_atom_is_read_as_rss_is() -> None:
    entry = (
        "tag:1",
        "New &lt;b&gt;limit&lt;/b&gt;",
        "2026-11-22T10:00:00Z",
        "&lt;p&gt;From 2027-01-05 50 calls will be allowed.&lt;/p&gt;",
    )
    (found,) = looks(FEED, atom(), atom(entry))
    assert (found.title, found.effective_on) == ("New limit", date(2027, 1, 5))


def test_what_a_category_says_is_the_hint() -> None:
    told = rss(NEXT).replace("</item>", "<category>Breaking change</category></item>")
    (found,) = looks(FEED, rss(), told)
    assert found.hint is Kind.BREAKING


def test_script_in_an_entry_is_not_text() -> None:
    entry = (
        "g",
        "T",
        "Sun, 22 Nov 2026 10:00:00 GMT",
        "&lt;script&gt;a(1)&lt;/script&gt;&lt;p onclick='x'&gt;Words&lt;/p&gt;",
    )
    (found,) = looks(FEED, rss(), rss(entry))
    assert found.text == "Words"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html><body>Not found</body></html>",
        b"<html><body>Not found</body></html>",
        b"{}",
        b"<?xml version='1.0'?><something/>",
        b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'b'>]><rss version='2.0'><channel/></rss>",
        b"<?xml version='1.0'?><!DOCTYPE r SYSTEM 'http://a.example/x'><rss version='2.0'><channel/></rss>",
        b"<?xml version='1.0' encoding='no-such'?><rss version='2.0'><channel/></rss>",
        b"<?xml version='1.0'?><rss version='2.0'><channel>",
        b"\xff\xfe<\x00r\x00s\x00s",
        b"\x00" * 1000,
    ],
)
def test_what_is_no_safe_feed_is_a_changed_shape(body: bytes) -> None:
    with pytest.raises(ChangedShape):
        reader(SourceKind.FEED).read(FEED, body, "application/xml")


def test_nothing_is_fetched_for_a_body_that_is_an_address() -> None:
    with pytest.raises(ChangedShape):
        reader(SourceKind.FEED).read(FEED, b"https://planted.example/feed.xml", "application/xml")


@given(st.binary(max_size=400))
def test_any_bytes_are_a_snapshot_or_a_changed_shape(body: bytes) -> None:
    for wrapped in (
        body,
        b"<rss version='2.0'><channel><item><title>" + body + b"</title></item></channel></rss>",
    ):
        with suppress(ChangedShape):
            reader(SourceKind.FEED).read(FEED, wrapped, "")


@given(
    st.lists(st.sampled_from([OLD, YOUNG, NEXT]), max_size=6),
    st.lists(st.sampled_from([OLD, YOUNG, NEXT]), max_size=6),
)
def test_what_was_seen_is_never_found_again(
    before: list[tuple[str, str, str, str]], after: list[tuple[str, str, str, str]]
) -> None:
    found = titles(looks(FEED, rss(*before), rss(*after)))
    assert not set(found) & {title for _, title, _, _ in before}
    assert len(found) == len(set(found))


def test_a_feed_that_is_nested_too_deep_is_refused_before_it_is_built() -> None:
    body = b"<rss version='2.0'>" + b"<a>" * 100 + b"</a>" * 100 + b"</rss>"
    with pytest.raises(ChangedShape, match="nested deeper"):
        reader(SourceKind.FEED).read(FEED, body, "")
