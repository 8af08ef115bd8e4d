"""What the API takes: each wrong query and body is refused, and its field named."""

import json

import pytest

from chalicelib.analytics.effort import Own
from chalicelib.analytics.forms import AudienceQuery, ExportQuery, NewEffort, OneQuery
from chalicelib.core.endpoint import parse_body, parse_query
from chalicelib.core.errors import InvalidInput


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("weeks", value) for value in ("3", "53", "8.0", " 8", "1_0", "٨", "", "9" * 5000, "-8")),
        *(("unit", value) for value in ("", "u" * 81, "a#b")),
        *(("platform", value) for value in ("", "Not One", "p" * 33)),
        *(("limit", value) for value in ("0", "201")),
        ("cursor", "elsewhere"),
        ("account", "a"),
    ],
)
def test_a_query_that_is_wrong_says_where(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_query(AudienceQuery, {name: [value]}, "listing")
    assert [problem.field for problem in refused.value.problems] == [name]


@pytest.mark.parametrize("form", [AudienceQuery, ExportQuery, OneQuery])
def test_eight_weeks_are_usual_and_a_year_is_the_most(form: type) -> None:
    assert parse_query(form, {}, "listing").weeks == 8
    for weeks in (4, 52):
        assert parse_query(form, {"weeks": [str(weeks)]}, "listing").weeks == weeks


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("post_minutes", 0),  # a rate for an hour of no work is no number
        ("post_minutes", 2401),
        ("answer_minutes", -1),
        ("answer_minutes", 481),
        ("upkeep_minutes", 1.5),
        ("upkeep_minutes", 2401),
        ("version", -1),
        ("hours", 3),
    ],
)
def test_an_effort_that_cannot_be_says_why(name: str, value: float) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_body(NewEffort, json.dumps({name: value}).encode())
    assert [problem.field for problem in refused.value.problems] == [name]


def test_what_is_left_out_is_left_to_the_units_above() -> None:
    assert parse_body(NewEffort, b'{"answer_minutes": 0, "version": 3}').own() == Own(None, 0, None, 3)
