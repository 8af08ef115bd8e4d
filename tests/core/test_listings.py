"""What lists are asked for: read from text as it comes in an address, and refused in words."""

from datetime import date
from typing import Any

import pytest

from chalicelib.core.endpoint import MAX_PROBLEMS, parse_query
from chalicelib.core.errors import InvalidInput
from chalicelib.core.listings import DEFAULT_LIMIT, MAX_LIMIT, Day, Paging
from chalicelib.core.paging import cursor_of, listing_of

LISTING = listing_of("list_posts", {}, {})


class Asked(Paging):
    day: Day | None = None


def read(**sent: str | list[str]) -> Asked:
    values = {name: [value] if isinstance(value, str) else value for name, value in sent.items()}
    asked = parse_query(Asked, values, LISTING)
    assert isinstance(asked, Asked)
    return asked


def refused(**sent: str | list[str]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        read(**sent)
    return {p.field: p.message for p in caught.value.problems}


def test_nothing_asked_is_the_first_page() -> None:
    assert (read().limit, read().start, read().day) == (DEFAULT_LIMIT, "", None)
    assert read(cursor="").start == ""


def test_what_is_asked_comes_as_what_it_is() -> None:
    asked = read(limit="007", day="2026-11-23")
    assert (asked.limit, asked.day) == (7, date(2026, 11, 23))


@pytest.mark.parametrize("cursor", ["x", "\ud800", cursor_of(listing_of("list_people", {}, {}), "x")])
def test_a_cursor_that_this_listing_did_not_give_out_is_refused(cursor: str) -> None:
    assert refused(cursor=cursor) == {"cursor": "is not one that this listing gave out; start without it"}


def test_a_cursor_of_this_listing_leads_on() -> None:
    assert read(cursor=cursor_of(LISTING, "post#7") or "").start == "post#7"


@pytest.mark.parametrize(
    "limit", ["0", "201", "-1", "1.5", "", " 1", "٣", "1" * 5000, "0000019999", "1e2", "1_0"]
)
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    assert refused(limit=limit) == {"limit": f"must be a whole number from 1 to {MAX_LIMIT}"}


@pytest.mark.parametrize(
    "day", ["", "0", "2026-13-01", "yesterday", "1999-12-31", "9999-12-31", "\ud800", "1" * 5000]
)
def test_what_is_no_day_is_refused(day: str) -> None:
    assert refused(day=day) == {"day": "must be a date like 2026-11-23"}


def test_all_problems_are_told_at_once() -> None:
    told = refused(limit="x", cursor="y", dya="2026-11-23", day=["2026-11-23", "2026-11-24"])
    assert list(told) == ["dya", "day", "limit", "cursor"]


def test_a_name_that_is_not_asked_for_is_refused_with_those_that_are() -> None:
    assert refused(dya="x") == {"dya": "this address does not take it; it takes limit, cursor, day"}
    assert set(refused(start="x")) == {"start"}
    assert set(refused(**{"\ud800": "x"})) == {r"\ud800"}


def test_where_nothing_is_asked_every_name_is_refused() -> None:
    with pytest.raises(InvalidInput, match="limit: this address does not take it; it takes nothing there"):
        parse_query(None, {"limit": ["5"]}, LISTING)
    assert parse_query(None, {}, LISTING) is None


def test_a_name_that_comes_twice_is_refused() -> None:
    assert refused(limit=["5", "6"]) == {"limit": "comes twice; send it once"}


def test_ten_thousand_strange_names_are_not_an_answer_too_large_to_send() -> None:
    strange: Any = {f"x{n}": "x" for n in range(10_000)}
    assert len(refused(**strange)) == MAX_PROBLEMS
