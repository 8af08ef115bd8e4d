"""A status page's summary into incidents."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from chalicelib.platform_changes.model import Kind, SourceKind
from chalicelib.platform_changes.sources.reader import ChangedShape, reader
from chalicelib.platform_changes.sources.status import Incident, incidents
from tests.platform_changes.sources.kit import looks, source, titles

STATUS = source(SourceKind.STATUS)
GROUPED = source(SourceKind.STATUS, group="The API")
INCIDENT = {
    "id": "abc1",
    "name": "Errors when publishing",
    "status": "identified",
    "impact": "major",
    "shortlink": "https://stspg.example/abc1",
    "created_at": "2026-11-22T10:05:00.000Z",
    "started_at": "2026-11-22T10:00:00.000-00:00",
    "updated_at": "2026-11-22T10:30:00Z",
    "resolved_at": None,
    "components": [{"name": "Publishing"}],
    "incident_updates": [{"body": "The cause is <b>known</b>."}, {"body": "We look into it."}],
}
COMPONENTS = [
    {"id": "g", "name": "The API", "group": True},
    {"id": "p", "name": "Publishing", "group": False, "group_id": "g"},
    {"id": "a", "name": "Ads", "group": False, "group_id": "h"},
]


def summary(*found: Any, indicator: str = "none", **more: Any) -> bytes:
    return json.dumps(
        {
            "page": {"id": "p", "name": "Planted", "updated_at": "2026-11-22T10:30:00Z"},
            "status": {"indicator": indicator, "description": "Partial outage"},
            "components": COMPONENTS,
            "incidents": list(found),
            "scheduled_maintenances": [],
            **more,
        }
    ).encode()


def heard(asked: Any, body: bytes) -> list[Incident]:
    return incidents(asked, reader(SourceKind.STATUS).read(asked, body, "application/json"))


def test_an_incident_is_read_with_its_last_words() -> None:
    assert heard(STATUS, summary(INCIDENT)) == [
        Incident(
            key="abc1",
            title="Errors when publishing",
            url="https://stspg.example/abc1",
            began_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
            updated_at=datetime(2026, 11, 22, 10, 30, tzinfo=UTC),
            impact="major",
            components=("Publishing",),
            is_over=False,
            says="The cause is known.",
        )
    ]


@pytest.mark.parametrize("status", ["resolved", "postmortem"])
def test_a_resolved_incident_is_over(status: str) -> None:
    assert heard(STATUS, summary({**INCIDENT, "status": status}))[0].is_over


@pytest.mark.parametrize(
    ("impact", "ours"), [("maintenance", "none"), ("something new", "minor"), (None, "minor")]
)
def test_an_impact_that_we_do_not_know_is_minor(impact: str | None, ours: str) -> None:
    assert heard(STATUS, summary({**INCIDENT, "impact": impact}))[0].impact == ours


def test_incidents_of_other_components_are_left_out() -> None:
    ads = {**INCIDENT, "id": "abc2", "components": [{"name": "Ads"}]}
    nobodys = {**INCIDENT, "id": "abc3", "components": []}
    assert [i.key for i in heard(GROUPED, summary(INCIDENT, ads, nobodys))] == ["abc1", "abc3"]
    named = source(SourceKind.STATUS, components="Ads, Mail")
    assert [i.key for i in heard(named, summary(INCIDENT, ads))] == ["abc2"]


def test_a_group_that_is_gone_is_a_changed_shape_and_not_silence() -> None:
    with pytest.raises(ChangedShape, match="no group of components named 'The API'"):
        heard(GROUPED, summary(INCIDENT, components=[{"id": "x", "name": "API"}]))


def test_a_page_in_trouble_that_lists_no_incident_is_one_itself() -> None:
    (found,) = heard(STATUS, summary(indicator="critical"))
    assert (found.impact, found.title, found.is_over) == ("critical", "Partial outage", False)
    assert heard(STATUS, summary(indicator="minor")) == []
    assert heard(GROUPED, summary(indicator="critical")) == []


def test_incidents_are_no_findings_and_a_maintenance_ahead_is_one_once() -> None:
    plan = {
        **INCIDENT,
        "id": "m1",
        "name": "Move",
        "status": "scheduled",
        "scheduled_for": "2026-12-01T02:00:00Z",
    }
    with_plan = summary(INCIDENT, scheduled_maintenances=[plan])
    (found,) = looks(STATUS, summary(), with_plan)
    assert (found.title, found.effective_on, found.hint) == ("Move", date(2026, 12, 1), Kind.OUTAGE)
    assert looks(STATUS, with_plan, with_plan) == []
    moved = summary(scheduled_maintenances=[{**plan, "scheduled_for": "2026-12-03T02:00:00Z"}])
    assert titles(looks(STATUS, with_plan, moved)) == ["Move"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Service unavailable</html>",
        b"[]",
        b"{}",
        b'{"page": {}, "status": {"indicator": "none"}}',
        b'{"incidents": []}',
        summary(INCIDENT)[:-40],
        b'{"page": {"a": NaN}, "incidents": []}',
        b'{"a":' * 100_000,
        summary({**INCIDENT, "id": 7}),
        summary({**INCIDENT, "created_at": "soon", "started_at": None}, page={"name": "x"}),
    ],
)
def test_what_is_no_summary_is_a_changed_shape(body: bytes) -> None:
    with pytest.raises(ChangedShape):
        heard(STATUS, body)


def test_parts_of_the_wrong_type_are_left_out_and_break_nothing() -> None:
    odd = {
        **INCIDENT,
        "components": "all",
        "incident_updates": {"a": 1},
        "name": None,
        "shortlink": "javascript:1",
    }
    (found,) = heard(STATUS, summary(odd, 7, None, "x"))
    assert (found.components, found.says, found.title, found.url) == (
        (),
        "",
        "",
        "https://planted.example/doc",
    )
