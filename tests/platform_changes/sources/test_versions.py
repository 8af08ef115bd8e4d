"""Tables and lists of versions into rows, and rows into findings."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.model import Kind, Source, SourceKind
from chalicelib.platform_changes.sources.reader import ChangedShape, reader
from chalicelib.platform_changes.sources.versions import VersionRow, rows
from tests.platform_changes.sources.kit import TODAY, looks, page, source, titles

TABLE = source(SourceKind.VERSIONS, section="Graph")
LIST = source(SourceKind.VERSIONS)
HEAD = ("Version", "Date Introduced", "Available Until")
ROWS = (
    ("v26.0", "July 29, 2026", "TBD"),
    ("v25.0", "February 18, 2026", "July 29, 2028"),
    ("v21.0", "October 2, 2024", "January 21, 2027"),
    ("v20.0", "May 21, 2024", "September 24, 2026"),
)
FOUND = (
    VersionRow("v26.0", date(2026, 7, 29), None),
    VersionRow("v25.0", date(2026, 2, 18), date(2028, 7, 29)),
    VersionRow("v21.0", date(2024, 10, 2), date(2027, 1, 21)),
    VersionRow("v20.0", date(2024, 5, 21), date(2026, 9, 24)),
)
INTRO = "Here is what is new in each version of the interface, and until when it can be called. " * 4


def html(*told: tuple[str, ...], head: tuple[str, ...] = HEAD) -> str:
    def row(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}><p>{cell}</p></{tag}>" for cell in cells) + "</tr>"

    linked = [(f"<a href='/v'><code>{first}</code></a>", *more) for first, *more in told]
    table = "".join(row(tuple(cells), "td") for cells in linked)
    return (
        f"<html><body><main><h1>Versions</h1><p>{INTRO}</p><h2>Graph API</h2>"
        f"<table><thead>{row(head, 'th')}</thead><tbody>{table}</tbody></table>"
        "<h2>Ads API</h2><table><tr><td>v25.0</td><td>February 18, 2026</td><td>October 6, 2026</td></tr>"
        "</table></main></body></html>"
    )


def markdown(*told: tuple[str, ...], head: tuple[str, ...] = HEAD) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *told)]
    ads = "| Version | Until |\n|---|---|\n| v25.0 | October 6, 2026 |"
    return f"# Versions\n\n{INTRO}\n\n## Graph API\n\n" + "\n".join(lines) + f"\n\n## Ads API\n\n{ads}\n"


def read(asked: Source, body: str, kind: str) -> tuple[VersionRow, ...]:
    return rows(reader(SourceKind.VERSIONS).read(asked, body.encode(), kind))


def test_a_table_is_read_alike_from_html_and_from_markdown() -> None:
    assert read(TABLE, html(*ROWS), "text/html; charset=utf-8") == FOUND
    assert read(TABLE, markdown(*ROWS), "text/markdown") == FOUND


def test_columns_are_known_by_their_headings() -> None:
    head = ("Version", "Expiration Date", "Release Date", "Status")
    turned = [(v, ends, begins, "Active") for v, begins, ends in ROWS]
    assert read(TABLE, html(*turned, head=head), "text/html") == FOUND


def test_a_table_of_migrations_has_the_version_within_its_words() -> None:
    told = [("Developers using version 202603 (March 2026) to migrate.", "March 16, 2027", "Active")]
    found = read(TABLE, markdown(*told, head=("Migration", "Sunset Date", "Status")), "text/markdown")
    assert found == (VersionRow("202603", None, date(2027, 3, 16)),)


def test_a_list_under_what_is_removed_states_ends_and_a_heading_states_a_version() -> None:
    body = page(
        "# November 2026 - Version 202611 (Latest)",
        "We added things.",
        "# Breaking changes",
        "The versions below will be sunset and removed on the dates listed.",
        "- 202511 - December 15, 2026",
        "- 202512 - January 15, 2027",
        "Version 202601 will be sunset on February 16, 2027.",
        "Version 202602 was released on March 3, 2026.",
        "The Marketing Version 202510 and earlier versions have been sunset.",
    )
    assert read(LIST, body, "text/html") == (
        VersionRow("202611", None, None),
        VersionRow("202601", None, date(2027, 2, 16)),
        VersionRow("202512", None, date(2027, 1, 15)),
        VersionRow("202511", None, date(2026, 12, 15)),
    )


def test_the_first_look_gives_the_ends_that_are_ahead_and_the_versions_that_are_young() -> None:
    assert titles(looks(TABLE, html(*ROWS))) == ["v25.0 ends on 2028-07-29", "v21.0 ends on 2027-01-21"]
    assert titles(looks(TABLE, html(*ROWS), today=date(2026, 8, 1)))[0] == "v26.0 is listed as a new version"


def test_a_new_version_and_a_new_end_are_found() -> None:
    after = html(
        ("v27.0", "November 20, 2026", "TBD"), ("v26.0", "July 29, 2026", "November 20, 2028"), *ROWS[1:]
    )
    new, end = looks(TABLE, html(*ROWS), after)
    assert (new.title, new.hint, new.versions) == ("v27.0 is listed as a new version", Kind.NEW, ("v27.0",))
    assert (end.versions, end.hint, end.effective_on) == (("v26.0",), Kind.DEPRECATION, date(2028, 11, 20))


def test_an_end_that_moves_is_found_and_says_what_it_was() -> None:
    after = html(*ROWS[:2], ("v21.0", "October 2, 2024", "December 21, 2026"), ROWS[3])
    (found,) = looks(TABLE, html(*ROWS), after)
    assert found.effective_on == date(2026, 12, 21)
    assert "was to end on 2027-01-21" in found.text


def test_a_version_that_is_no_longer_listed_is_found_before_its_end_and_not_after() -> None:
    assert titles(looks(TABLE, html(*ROWS), html(*ROWS[:2], ROWS[3]))) == ["No longer listed: v21.0"]
    assert looks(TABLE, html(*ROWS), html(*ROWS[:3])) == []


def test_the_same_table_again_gives_nothing_even_as_markdown() -> None:
    assert looks(TABLE, html(*ROWS), html(*reversed(ROWS))) == []
    read_both = reader(SourceKind.VERSIONS)
    before = read_both.read(TABLE, html(*ROWS).encode(), "text/html")
    after = read_both.read(TABLE, markdown(*ROWS).encode(), "text/markdown")
    assert read_both.compare(TABLE, before, after, TODAY) == []


@pytest.mark.parametrize(
    "body", [page("Nothing but words."), "", "<html></html>", html(*ROWS).replace("Graph", "Other")]
)
def test_a_page_without_versions_is_a_changed_shape(body: str) -> None:
    with pytest.raises(ChangedShape):
        read(TABLE, body, "text/html")


@given(
    st.dictionaries(
        st.integers(20, 60).map(lambda n: f"v{n}.0"),
        st.tuples(
            st.dates(date(2020, 1, 1), date(2029, 1, 1)),
            st.none() | st.dates(date(2020, 1, 1), date(2029, 1, 1)),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["%B %d, %Y", "%d %B %Y", "%Y-%m-%d", "%b %d, %Y"]),
)
def test_every_table_is_read_back(table: dict[str, tuple[date, date | None]], written: str) -> None:
    told = [
        (v, f"{begins:{written}}", f"{ends:{written}}" if ends else "TBD")
        for v, (begins, ends) in table.items()
    ]
    expected = {VersionRow(v, begins, ends) for v, (begins, ends) in table.items()}
    assert set(read(TABLE, html(*told), "text/html")) == expected
    assert set(read(TABLE, markdown(*told), "text/markdown")) == expected


def test_a_table_counts_before_a_sentence_above_it() -> None:
    told = html(*ROWS).replace("<table>", "<p>Version v21.0 will be sunset on March 3, 2027.</p><table>", 1)
    assert VersionRow("v21.0", date(2024, 10, 2), date(2027, 1, 21)) in read(TABLE, told, "text/html")
