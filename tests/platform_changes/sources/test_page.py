"""Pages of text into paragraphs, and what changed between two looks."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.model import Kind, SourceKind
from chalicelib.platform_changes.sources.reader import ChangedShape, reader
from tests.platform_changes.sources.kit import looks, page, source, titles

PAGE = source(SourceKind.PAGE)
BASE = (
    "# Limits",
    "An account may publish 100 posts in any 24 hours, counted from the first of them.",
    "# November 2026",
    "We added the field `paid_partnership` to posts, for those who are paid for them.",
    "# Breaking changes",
    "The metric `page_impressions` will be removed on December 15, 2026, in every version.",
    *(
        f"Paragraph number {word} says something that stays as it is."
        for word in ("one", "two", "three", "four", "five")
    ),
)


def test_the_first_look_only_learns() -> None:
    assert looks(PAGE, page(*BASE)) == []


def test_a_new_section_is_one_finding_with_its_heading() -> None:
    added = (
        "# December 2026",
        "We deprecate `GET /{page-id}/old`, effective January 5, 2027.",
        "Use the new one.",
    )
    (found,) = looks(PAGE, page(*BASE), page(*added, *BASE))
    assert found.title == "December 2026"
    assert found.text == "We deprecate `GET /{page-id}/old`, effective January 5, 2027.\nUse the new one."
    assert found.effective_on == date(2027, 1, 5)


def test_what_is_added_under_a_plain_heading_is_named_by_its_own_words_and_hinted_by_the_heading() -> None:
    added = "The field `reach` goes away and will be removed on January 5, 2027."
    (found,) = looks(PAGE, page(*BASE), page(*BASE[:6], added, *BASE[6:]))
    assert found.title == f"Breaking changes: {added.replace('`', '`')}"
    assert (found.hint, found.fields) == (Kind.BREAKING, ("reach",))


def test_items_with_days_of_their_own_are_findings_of_their_own() -> None:
    added = ("- 202511 will be sunset on December 15, 2026.", "- 202512 will be sunset on January 15, 2027.")
    found = looks(PAGE, page(*BASE), page(*BASE[:6], *added, *BASE[6:]))
    assert [(f.effective_on, f.versions) for f in found] == [
        (date(2026, 12, 15), ("202511",)),
        (date(2027, 1, 15), ("202512",)),
    ]


def test_an_entry_of_a_version_and_its_end_states_its_day() -> None:
    lead = "The versions below will be taken off on the days listed."
    added = (lead, "- 202511 - December 15, 2026", "- 202512 - January 15, 2027")
    found = looks(PAGE, page(*BASE), page(*BASE[:6], *added, *BASE[6:]))
    assert [(f.effective_on, f.versions) for f in found] == [
        (date(2026, 12, 15), ("202511",)),
        (date(2027, 1, 15), ("202512",)),
    ]


def test_a_changed_paragraph_is_one_finding_with_its_old_and_new_words() -> None:
    (found,) = looks(PAGE, page(*BASE), page(BASE[0], BASE[1].replace("100", "50"), *BASE[2:]))
    assert found.title.startswith("Limits: An account may publish 50 posts")
    assert "Now: An account may publish 50 posts" in found.text
    assert "Before: An account may publish 100 posts" in found.text


def test_a_removed_paragraph_is_found_where_its_heading_stays_and_not_where_a_section_was_archived() -> None:
    (found,) = looks(PAGE, page(*BASE), page(*BASE[:-1]))
    assert found.text == f"No longer there: {BASE[-1]}"
    assert looks(PAGE, page(*BASE), page(*BASE[:2], *BASE[4:])) == []


def test_a_paragraph_that_stood_twice_and_stands_once_has_gone() -> None:
    assert len(looks(PAGE, page(*BASE, BASE[-1]), page(*BASE))) == 1


@given(st.randoms(use_true_random=False))
def test_paragraphs_that_only_moved_have_not_changed(chance: random.Random) -> None:
    moved = list(BASE)
    chance.shuffle(moved)
    assert looks(PAGE, page(*BASE), page(*moved)) == []


@pytest.mark.parametrize(
    "noise",
    [
        "Last updated on November 22, 2026",
        "Article \u2022 11/22/2026 \u2022 7 minutes to read",
        "12 min read",
        "1,204 views",
        "38 people found this helpful",
        "Was this page helpful?",
        "We use cookies to make this site work. Read our policy.",
        "\u00a9 2026 Planted. All rights reserved.",
        "Sunday, November 22, 2026",
        "In this article",
    ],
)
def test_what_changes_without_anybody_meaning_it_is_no_finding(noise: str) -> None:
    assert looks(PAGE, page(*BASE), page(noise, *BASE, noise)) == []


def test_menus_scripts_attributes_and_white_space_are_no_findings() -> None:
    after = (
        page(*BASE, around="and a new entry")
        .replace("<p>", "<p class='x7f'\n id=a>  ")
        .replace("</p>", "\n</p>")
    )
    after = after.replace(
        "<main>", "<main><!-- build 77 --><div class='cookie-banner'><div>Hi</div>Accept</div>"
    )
    after = after.replace("var a", "var b").replace(" in every version", "\u00a0in <b>every</b>&#32;version")
    assert looks(PAGE, page(*BASE), after) == []


def test_markdown_is_read_as_html_is() -> None:
    def markdown(*paragraphs: str) -> str:
        filler = (
            "This page tells what is new in the interface, month by month, for those who call it.\n\n" * 3
        )
        return "---\ntitle: t\n---\n" + filler + "\n\n".join(p.replace("# ", "## ", 1) for p in paragraphs)

    read = reader(SourceKind.PAGE)
    was = read.read(PAGE, page(*BASE).encode(), "text/html")
    now = read.read(PAGE, markdown(*BASE).encode(), "text/markdown; charset=utf-8")
    assert was == now
    added = "Today we deprecated [**replay**](https://planted.example/a_(b)), see `GET /2/replay`."
    (found,) = looks(PAGE, markdown(*BASE), markdown(*BASE, added), content_type="text/markdown")
    assert found.operations == ("GET /2/replay",)


def test_a_component_with_a_label_is_a_heading() -> None:
    def markdown(*labels: str) -> str:
        return "\n\n".join(
            f'<Update label="{label}" description="API">\n  We did {label} things.\n</Update>'
            for label in labels
        )

    months = [
        f"{month} 2026"
        for month in ("January", "February", "March", "April", "May", "June", "July", "August")
    ]
    (found,) = looks(
        PAGE, markdown(*months), markdown("September 2026", *months), content_type="text/markdown"
    )
    assert found.title == "September 2026"


def test_a_page_that_was_rewritten_is_one_finding_and_then_the_base() -> None:
    fresh = page(*(f"Wholly other words, and each their own: {word * 9}." for word in "abcdefghijklmnop"))
    (found,) = looks(PAGE, page(*BASE), fresh)
    assert found.title == "Planted was rewritten"
    assert looks(PAGE, fresh, fresh) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "text/html"),
        ("<html><body><div id='root'></div><script src='x'></script></body></html>", "text/html"),
        (
            f"<html><body><h1>Sign in</h1><p>{'Please sign in to see this page. ' * 20}</p></body></html>",
            "text/html",
        ),
        (
            f"<html><body><h1>Page not found</h1><p>{'We could not find it. ' * 20}</p></body></html>",
            "text/html",
        ),
        ('{"error": "gone"}' * 50, "application/json"),
        ("%PDF-1.7" * 100, "application/pdf"),
        ("\x00\x01\x02" * 500, "text/html"),
        (page(*BASE).encode("utf-16").decode("latin-1"), "text/html; charset=utf-8"),
    ],
)
def test_what_is_no_page_with_words_is_a_changed_shape(body: str, kind: str) -> None:
    with pytest.raises(ChangedShape):
        reader(SourceKind.PAGE).read(PAGE, body.encode("latin-1"), kind)


def test_a_page_in_another_encoding_is_read_in_it() -> None:
    told = page(
        *BASE,
        "Za\u017c\u00f3\u0142\u0107 caf\u00e9.".replace("\u017c", "z")
        .replace("\u0142", "l")
        .replace("\u0107", "c"),
    )
    read = reader(SourceKind.PAGE)
    assert read.read(PAGE, told.encode("latin-1"), "text/html; charset=ISO-8859-1") == read.read(
        PAGE, told.encode(), "text/html"
    )


@given(st.lists(st.sampled_from(BASE[5:]), max_size=8), st.lists(st.sampled_from(BASE[5:]), max_size=8))
def test_only_what_came_or_went_is_found(before: list[str], after: list[str]) -> None:
    found = looks(PAGE, page(*BASE, *before), page(*BASE, *after))
    assert len(found) <= len(before) + len(after)
    if sorted(before) == sorted(after):
        assert titles(found) == []


ARCHIVED = (
    "# Notes",
    "An account may publish posts.",
    "# Breaking changes",
    "What is listed here ends.",
    "# May 2026",
    "The field `reach` is calculated in another way.",
    "- `views` will be removed on June 1, 2026.",
    "# Words",
    "Whoever reads this is heard and answered.",
)


def test_a_past_entry_that_leaves_a_page_was_archived_and_one_still_to_come_was_withdrawn() -> None:
    kept = [part for part in ARCHIVED if "June 1" not in part]
    assert looks(PAGE, page(*ARCHIVED), page(*kept)) == []
    (found,) = looks(PAGE, page(*ARCHIVED), page(*kept), today=date(2026, 5, 20))
    assert found.text.startswith("No longer there: `views`")


def test_what_stands_under_a_past_month_is_dated_by_it_also_below_a_heading_of_its_own() -> None:
    def monthly(*months: str) -> str:
        note = "<h3>Changed</h3><p>The field {0} is calculated in another way.</p>"
        return page(*BASE).replace(
            "</main>", "".join(f"<h2>{m} 2026</h2>{note.format(m)}" for m in months) + "</main>"
        )

    was = monthly("December", "October", "May")
    assert looks(PAGE, was, monthly("December", "October")) == []
    (found,) = looks(PAGE, was, monthly("October", "May"))
    assert found.text == "No longer there: The field December is calculated in another way."


def test_a_list_of_past_ends_goes_with_the_sentence_that_introduces_it_and_nothing_else_does() -> None:
    ends = (
        "The versions below will be sunset.",
        "- 202501 - January 15, 2026",
        "- 202502 - February 16, 2026",
    )
    parts = [*ARCHIVED[:4], *ends, *ARCHIVED[4:]]
    assert looks(PAGE, page(*parts), page(*ARCHIVED)) == []
    undated = ("- The field `old_reach` is answered.", "- So is `old_views`.")
    parts = [*ARCHIVED[:4], ends[1], *undated, *ARCHIVED[4:]]
    assert len(looks(PAGE, page(*parts), page(*ARCHIVED))) == 1


@given(st.dates(date(2020, 1, 1), date(2026, 11, 22)), st.dates(date(2026, 11, 23), date(2035, 1, 1)))
def test_only_what_is_not_past_is_missed(past: date, ahead: date) -> None:
    def with_day(day: date) -> str:
        return page(
            *ARCHIVED[:4], f"The field `old` changes by {day:%B} {day.day}, {day.year}.", *ARCHIVED[4:]
        )

    assert looks(PAGE, with_day(past), page(*ARCHIVED)) == []
    assert len(looks(PAGE, with_day(ahead), page(*ARCHIVED))) == 1


@given(st.sampled_from(["thinks", "cals", "inerface", "mounth"]))
def test_a_typing_error_and_its_mending_are_no_finding(wrong: str) -> None:
    right = {"thinks": "things", "cals": "calls", "inerface": "interface", "mounth": "month"}[wrong]
    said = f"This tells of all \u201c{right}\u201d that we do, for those who want it."
    was = said.replace(right, wrong).replace("\u201c", '"').replace("\u201d", '"')
    assert looks(PAGE, page(*BASE, was), page(*BASE, said)) == []


def test_code_that_changes_by_one_letter_or_by_its_case_has_changed() -> None:
    said = "The value is `CompanyFollowedByMember` from now on."
    for other in (said.replace("Member", "Members"), said.replace("Followed", "FOLLOWED")):
        assert len(looks(PAGE, page(*BASE, said), page(*BASE, other))) == 1
