"""A unit's inbox settings and numbers over HTTP: who may, what is refused and why, and what comes back."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inbox.calendar import DAY, Calendar, Shift
from chalicelib.inbox.settings_forms import DAYS, CalendarForm, NewInboxSettings
from chalicelib.openapi import document
from chalicelib.org.model import Actor, operator
from chalicelib.org.roles import Role
from tests.fakes.stage import Stage
from tests.inbox.clockwork import Clockwork
from tests.org.api import Api, serving

HOURS = [
    {"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "13:00"},
    {"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "14:00", "closes": "18:00"},
    {"days": ["sat"], "opens": "22:00", "closes": "06:00"},
]
CALENDAR = {"zone": "Europe/Warsaw", "hours": HOURS, "holidays": ["2026-12-25", "2026-12-26"]}
SPAM = {"name": "spam", "when": {"keywords": ["bitcoin"]}, "then": {"ignore": True, "sample_every": 10}}
WHOLE = {
    "version": 0,
    "targets": {"comment": {"first_answer": 120}},
    "calendar": CALENDAR,
    "escalation": [{"who": "team", "after_minutes": 30}, {"who": "lead"}],
    "rules": [SPAM],
}


@pytest.fixture
def works(stage: Stage) -> Clockwork:
    return Clockwork.open(stage)


@pytest.fixture
def api(works: Clockwork) -> Iterator[Any]:
    with serving(works.box.services) as client:

        def asks(actor: Actor) -> Api:
            admin = operator("test", works.now)
            token, _ = works.box.services.org.issue_token(admin, actor.person_id, "t")
            return Api(client, token)

        yield asks


def at(works: Clockwork) -> str:
    return f"/v1/inbox/settings/{works.district_id}"


def problems(answer: Any) -> set[str]:
    return {p["field"] for p in answer["problems"]}


def test_a_manager_sets_all_and_reads_back_what_is_set_and_what_holds(works: Clockwork, api: Any) -> None:
    manager = api(works.manager)
    status, before = manager("GET", at(works))
    assert (status, before["own"]["version"], before["own"]["calendar"]) == (200, 0, None)
    assert before["holds"]["targets"]["message"] == dict.fromkeys(
        ("first_answer", "next_answer", "resolution"), 1440
    )
    assert before["holds"]["calendar"]["hours"] == [{"days": list(DAYS), "opens": "00:00", "closes": "24:00"}]

    status, after = manager("PUT", at(works), WHOLE)
    assert status == 200, after
    assert after == manager("GET", at(works))[1]
    own, holds = after["own"], after["holds"]
    assert own["version"] == 1
    assert own["calendar"] == holds["calendar"] == CALENDAR
    assert own["targets"]["comment"] == {"first_answer": 120, "next_answer": None, "resolution": None}
    assert holds["targets"]["comment"] == {"first_answer": 120, "next_answer": 1440, "resolution": 1440}
    assert own["escalation"] == [{"who": "team", "after_minutes": 30}, {"who": "lead", "after_minutes": 60}]
    assert own["rules"][0]["when"]["keywords"] == ["bitcoin"]

    status, gone = manager("PUT", at(works), {"version": 1})
    assert (status, gone["own"]["version"], gone["own"]["rules"]) == (200, 2, None)
    assert gone["holds"] == before["holds"]


def test_what_is_read_can_be_sent_back_and_changes_nothing(works: Clockwork, api: Any) -> None:
    manager = api(works.manager)
    _, one = manager("PUT", at(works), WHOLE)
    _, two = manager("PUT", at(works), one["own"])
    assert two["holds"] == one["holds"]
    assert {**two["own"], "version": 1} == one["own"]


def test_the_answers_are_as_the_document_describes_them(works: Clockwork, api: Any) -> None:
    from jsonschema import Draft202012Validator

    made = json.loads(json.dumps(document()))
    manager = api(works.manager)
    works.says()
    seen = [("/v1/inbox/settings/{unit_id}", "put", manager("PUT", at(works), WHOLE)[1])]
    seen += [("/v1/inbox/settings/{unit_id}", "get", manager("GET", at(works))[1])]
    seen += [("/v1/inbox/numbers", "get", manager("GET", "/v1/inbox/numbers")[1])]
    for path, method, answer in seen:
        schema = made["paths"][path][method]["responses"]["2XX"]["content"]["application/json"]["schema"]
        assert schema != {"type": "object"}
        Draft202012Validator({**schema, "components": made["components"]}).validate(answer)
    assert seen[2][2]["counts"]["volume"] == 1


def test_somebody_elses_change_in_between_is_not_overwritten(works: Clockwork, api: Any) -> None:
    manager = api(works.manager)
    assert manager("PUT", at(works), WHOLE)[0] == 200
    status, answer = manager("PUT", at(works), WHOLE)
    assert (status, answer["error"]) == (409, "conflict")
    assert manager("GET", at(works))[1]["own"]["version"] == 1


def test_the_history_says_who_set_what_and_holds_no_keyword(works: Clockwork, api: Any) -> None:
    api(works.manager)("PUT", at(works), WHOLE)
    rows = works.box.services.history.of(f"unit#{works.district_id}")
    (row,) = (r for r in rows if r.what == "inbox settings set")
    assert (row.person_id, row.details["version"]) == (works.manager.person_id, 1)
    assert row.details["rules"] == ["spam"]
    assert row.details["targets"] == {"seconds": {"comment.first_answer": 7200}}
    assert "bitcoin" not in str(row.details)


def test_only_who_manages_the_unit_reads_and_sets_its_settings(works: Clockwork, api: Any) -> None:
    responder = api(works.responder)
    assert responder("GET", at(works))[0] == responder("PUT", at(works), WHOLE)[0] == 403
    company = f"/v1/inbox/settings/{works.box.unit_id}"
    manager = api(works.manager)
    assert manager("GET", company)[0] == manager("PUT", company, WHOLE)[0] == 403
    assert api(works.box.lead)("PUT", company, WHOLE)[0] == 200
    assert manager("GET", "/v1/inbox/settings/unit_none")[0] == 404


def rule_with(**parts: Any) -> dict[str, Any]:
    return {**SPAM, **parts}


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ({"targets": {"comment": {"first_answer": 0}, "message": {"resolution": "soon"}}},
         {"targets.comment.first_answer", "targets.message.resolution"}),
        ({"targets": {"letter": {}}}, {"targets.letter"}),
        ({"calendar": {**CALENDAR, "zone": "Europe/Lodz"}}, {"calendar.zone"}),
        ({"calendar": {**CALENDAR, "hours": []}}, {"calendar.hours"}),
        ({"calendar": {**CALENDAR, "hours": [{"days": ["mon"], "opens": "24:00", "closes": "25:00"}]}},
         {"calendar.hours.0.opens", "calendar.hours.0.closes"}),
        ({"calendar": {**CALENDAR,
                       "hours": [*HOURS, {"days": ["fri"], "opens": "17:59", "closes": "19:00"}]}},
         {"calendar.hours"}),
        ({"calendar": {**CALENDAR, "hours": [{"days": ["mon", "sun"], "opens": "08:00", "closes": "08:00"},
                                             {"days": ["mon"], "opens": "07:00", "closes": "08:00"}]}},
         {"calendar.hours"}),
        ({"escalation": [{"who": "ceo", "after_minutes": 0}]},
         {"escalation.0.who", "escalation.0.after_minutes"}),
        ({"rules": [SPAM, SPAM]}, {"rules"}),
        ({"rules": [rule_with(when={})]}, {"rules.0"}),
        ({"rules": [rule_with(then={"sample_every": 5})]}, {"rules.0"}),
        ({"rules": [rule_with(then={"ignore": True, "crisis": True})]}, {"rules.0"}),
        ({"rules": [rule_with(when={"keywords": ["\u0301"]}), rule_with(name="a\nb")]},
         {"rules.0.when.keywords", "rules.1.name"}),
        ({"rules": [rule_with(then={"tags": ["two words"], "assignee_id": "a b"})]},
         {"rules.0.then.tags.0", "rules.0.then.assignee_id"}),
        ({"rules": [rule_with(then={"assignee_id": "person_none"}, when={"account_ids": ["acc_none"]})]},
         {"rules.0.then.assignee_id", "rules.0.when.account_ids"}),
        ({"version": -1, "more": 1}, {"version", "more"}),
    ],
)  # fmt: skip
def test_every_problem_is_told_at_once_under_its_own_name(
    works: Clockwork, api: Any, part: dict[str, Any], fields: set[str]
) -> None:
    status, answer = api(works.manager)("PUT", at(works), part)
    assert status == 400
    assert problems(answer) == fields, answer
    assert all(p["message"] for p in answer["problems"])


def test_a_calendar_that_stays_closed_for_too_long_is_refused_with_the_day_it_begins(
    works: Clockwork, api: Any
) -> None:
    mondays = [str(date(2030, 1, 7) + timedelta(weeks=n)) for n in range(60)]
    hours = [{"days": ["mon"], "opens": "09:00", "closes": "10:00"}]
    calendar = {"zone": "UTC", "hours": hours, "holidays": mondays}
    status, answer = api(works.manager)("PUT", at(works), {"calendar": calendar})
    assert status == 400
    assert problems(answer) == {"calendar"}
    assert "no open hour in the 400 days from 2030-01-07" in answer["problems"][0]["message"]


def test_a_rule_gives_work_only_to_those_who_may_answer_there(works: Clockwork, api: Any) -> None:
    manager = api(works.manager)
    author = works.join("Ola", Role.AUTHOR)
    for person, wanted in ((works.responder, 200), (author, 400)):
        rule = rule_with(then={"assignee_id": person.person_id})
        status, answer = manager("PUT", at(works), {"rules": [rule]})
        assert status == wanted
    assert "grant them the role responder first" in answer["problems"][0]["message"]
    works.box.services.org.mark_left(operator("test", works.now), works.responder.person_id)
    rule = rule_with(then={"assignee_id": works.responder.person_id})
    _, answer = manager("PUT", at(works), {"version": 1, "rules": [rule]})
    assert "has left" in answer["problems"][0]["message"]


def test_numbers_come_with_percent_and_age(works: Clockwork, api: Any) -> None:
    works.says("slow", happened_at=works.now)
    works.says("quick")
    works.box.stage.clock.advance(seconds=1)
    works.says("quick", own=True)
    works.runs(hours=25)
    works.says("slow", own=True)
    works.says("open")
    works.box.stage.clock.advance(minutes=10)
    status, answer = api(works.responder)("GET", f"/v1/inbox/numbers?unit={works.district_id}")
    assert status == 200
    counts = answer["counts"]
    assert (counts["volume"], counts["answered"], counts["in_time"], counts["breached"]) == (3, 2, 1, 1)
    assert (counts["percent_in_time"], answer["backlog"]) == (50.0, 1)
    assert answer["oldest"]["waits_for"] == 600
    assert len(answer["days"]) == 7
    assert len(answer["hours"]) == 24
    status, answer = api(works.responder)("GET", "/v1/inbox/numbers?account=x&unit=y&from=z")
    assert (status, problems(answer)) == (400, {"account", "from"})


spans = st.tuples(st.integers(0, DAY - 1), st.integers(1, DAY))


@given(st.lists(spans, max_size=14), st.sampled_from(["Europe/Warsaw", "Asia/Tehran"]))
def test_a_calendar_that_a_form_takes_comes_back_as_the_same_calendar(
    spans: list[tuple[int, int]], zone: str
) -> None:
    shifts, free = [], 0
    for length, wait in spans:
        opens = free + wait
        if opens + length + 1 > 7 * DAY:
            break
        shifts.append(Shift(opens // DAY, opens % DAY, opens % DAY + min(length + 1, DAY)))
        free = opens + length + 1
    calendar = Calendar(zone, tuple(shifts or [Shift(0, 0, DAY)]))
    there_and_back = CalendarForm.of(calendar).calendar()
    assert sorted(there_and_back.shifts, key=str) == sorted(calendar.shifts, key=str)
    assert NewInboxSettings(calendar=CalendarForm.of(there_and_back)).own().calendar == there_and_back
