"""What is noise on any page, and what only looks like it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.model import SourceKind
from chalicelib.platform_changes.sources.markdown import markdown_blocks
from chalicelib.platform_changes.sources.noise import is_byline, is_noise, is_stamp, is_tally
from tests.platform_changes.sources.kit import looks, page, source

PAGE = source(SourceKind.PAGE)
COUNTS = st.integers(0, 99_999)
DAYS = st.dates(date(2020, 1, 1), date(2029, 12, 31))
WORDS = (
    "reading",
    "posts",
    "comments",
    "media",
    "accounts",
    "scopes",
    "tokens",
    "videos",
    "drafts",
)
PAGES = st.lists(st.sampled_from(WORDS), min_size=4, max_size=8, unique=True).map(
    lambda words: [
        part for word in words for part in (f"# About {word}", f"Whoever calls us for {word} is heard.")
    ]
)
NOISE = st.one_of(
    st.builds("Rated {0} of 5 by {1} people".format, st.floats(1, 5).map(lambda n: f"{n:.1f}"), COUNTS),
    st.builds("{0:,} {1}".format, COUNTS, st.sampled_from(["views", "likes", "comments", "contributors"])),
    st.builds("{0} people found this helpful".format, COUNTS),
    st.builds("{0} min read".format, st.integers(1, 99)),
    st.builds(
        "{0:%b} {0.day}, {0.year} · {1} days ago · {2:,} views".format, DAYS, st.integers(0, 99), COUNTS
    ),
    st.builds("{0} minutes".format, st.integers(1, 99)),
    st.builds("Last updated: {0:%B} {0.day}, {0.year}".format, DAYS),
    st.builds("Updated {0} hours ago".format, st.integers(1, 99)),
    st.builds("{0:%Y-%m-%d}".format, DAYS),
    st.builds("{0:%b} {0.day}, {0.year}".format, DAYS),
    st.builds("Posted on {0.day} {0:%B} {0.year} at 10:15 UTC".format, DAYS),
    st.builds("Build {0}".format, COUNTS),
    st.builds("commit: {0:08x}7".format, COUNTS),
    st.uuids().map(str),
    st.builds("We use cookies on this site. {0} partners do.".format, COUNTS),
)
PLANTED = st.sampled_from(
    [
        "The field `reach` is no longer answered.",
        "Updated the limit of comments to 50",
        "Rate limit: 100 requests in 15 minutes",
        "100 comments per member and day",
        "The session cookie is refused by POST /login",
        "Effective: May 15, 2027",
        "Posts may have 5 replies",
        "Build numbers are answered in `build`",
        "Version 26 is here",
    ]
)


@given(PAGES, NOISE, NOISE, st.data())
def test_noise_that_comes_or_changes_anywhere_is_no_finding(
    parts: list[str], one: str, other: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(parts)))
    with_one, with_other = ([*parts[:place], noise, *parts[place:]] for noise in (one, other))
    assert looks(PAGE, page(*parts), page(*with_one)) == []
    assert looks(PAGE, page(*with_one), page(*with_other)) == []
    assert looks(PAGE, page(*with_one), page(*parts)) == []


@given(PAGES, st.lists(NOISE, min_size=1, max_size=4), PLANTED, st.data())
def test_what_is_planted_among_noise_is_found(
    parts: list[str], noise: list[str], planted: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(1, len(parts)))
    (found,) = looks(PAGE, page(*parts), page(*parts[:place], *noise, planted, *noise, *parts[place:]))
    assert found.text == planted


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("100 comments", "Limits"),
        ("Up to 100 comments", "Comments"),
        ("100 comments per day", "Comments"),
        ("500 reads each month", "Access"),
        ("Each post has 5 comments", "Posts"),
        ("`views` 5 views", "Metrics"),
    ],
)
def test_a_number_that_may_be_a_limit_is_no_tally(text: str, heading: str) -> None:
    assert not is_tally(text, heading)


def test_who_rated_a_page_is_noise_whatever_it_stands_under() -> None:
    parts = ("# Words", "Whoever calls us is heard and answered.", "# Rate limits", "Ask for more.")
    one, other = ("Rated 4.1 by 855 people", "41 people found this helpful")
    assert looks(PAGE, page(*parts, one), page(*parts, other)) == []


@pytest.mark.parametrize("label", ["Sunset date", "Effective", "Available until", "Ends on", "By"])
def test_a_day_under_the_word_that_says_what_ends_is_no_stamp(label: str) -> None:
    assert not is_stamp("May 15, 2027", label)
    assert is_stamp("May 15, 2027", "Article")


@pytest.mark.parametrize(
    "text",
    [
        "Updated the limit of `GET /x` to 50 calls",
        "Published posts can no longer be edited",
        "You have 50 calls in 15 minutes",
        "The session cookie is no longer accepted",
        "Version 26",
        "202505",
        "deadline",
    ],
)
def test_what_only_begins_like_noise_is_none(text: str) -> None:
    assert not is_noise(text)


def test_a_day_that_something_ends_on_is_read_as_a_paragraph_of_its_own() -> None:
    base = ["# One", "Whoever calls us is heard and answered.", "# Sunset date"]
    (found,) = looks(PAGE, page(*base, "May 15, 2027"), page(*base, "April 15, 2027"))
    assert "Now: April 15, 2027" in found.text


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_is_judged(text: str, label: str) -> None:
    is_noise(text)
    is_tally(text, label)
    is_stamp(text, label)


# ---- Markdown


TITLES = st.text("abcdefgh ijk", min_size=1, max_size=30).map(str.strip).filter(bool)


@given(TITLES, st.integers(1, 2), st.integers(2, 40))
def test_an_underlined_heading_is_a_marked_one(title: str, level: int, length: int) -> None:
    underlined = f"Before.\n\n{title}\n{'=-'[level - 1] * length}\n\nAfter."
    assert markdown_blocks(underlined) == markdown_blocks(f"Before.\n\n{'#' * level} {title}\n\nAfter.")


@pytest.mark.parametrize("rule", ["---", "***", "___", "* * *", "- - -"])
def test_a_rule_is_nothing(rule: str) -> None:
    text = "One.\n\n{0}\nTwo.\n\n- an item\n{0}\n"
    assert markdown_blocks(text.format(rule)) == markdown_blocks(text.format(""))


@given(st.text("abc -\n#|`>", max_size=80), st.sampled_from([("<!--", "-->"), ("{/*", "*/}")]))
def test_a_remark_is_nothing_wherever_it_stands(remark: str, signs: tuple[str, str]) -> None:
    text = "# One\n\n{0}\n\nSome words.\n\n{0}\n- an item\n{0}\n\nMore words, `code`.\n"
    quiet = remark.replace("--", "").replace(">", "")
    assert markdown_blocks(text.format(f"{signs[0]}{quiet}{signs[1]}")) == markdown_blocks(text.format(""))


def test_a_remark_inside_a_line_is_nothing_and_one_in_code_or_never_closed_stays() -> None:
    assert markdown_blocks("Some <!-- build 5 -->words.") == markdown_blocks("Some words.")
    assert "<!--" in markdown_blocks("Write `<!-- it -->` so.")[0].text
    assert "<!--" in markdown_blocks("```\n<!-- it -->\n```")[0].text
    assert markdown_blocks("One.\n\n<!-- never\n\nTwo.")[-1].text == "Two."


@pytest.mark.parametrize(
    "text",
    [
        "Removed on May 3, 2027 | use the new call",
        "Feb 10, 2026 · POST /v2/videos is removed",
        "50 calls · 10 minutes",
        "1,204 views",
    ],
)
def test_a_row_with_one_part_that_says_something_is_no_byline(text: str) -> None:
    assert not is_byline(text, "", "")


def test_a_row_of_days_under_the_word_that_says_what_ends_is_no_byline() -> None:
    assert not is_byline("Feb 10, 2027 | Mar 1, 2027", "Sunset date", "Sunset date")
    assert is_byline("Feb 10, 2027 | 3 days ago", "About videos", "About videos")


@pytest.mark.parametrize("ages", [("1 day ago", "4 weeks ago"), ("just now", "an hour ago")])
def test_an_age_that_grows_inside_a_line_is_no_change(ages: tuple[str, str]) -> None:
    said = ["# Page feed", "January 21, 2026 · {0} · All versions", "Whoever calls the feed is heard by it."]
    before, after = (page(*(line.format(age) for line in said)) for age in ages)
    assert looks(PAGE, before, after) == []
    other = page(said[0], "January 28, 2026 · 2 days ago · All versions", said[2])
    assert len(looks(PAGE, before, other)) == 1
    shorter = page(said[0], "Jan 21, 2026 · 2 days ago · All versions", said[2])
    assert looks(PAGE, before, shorter) == []
