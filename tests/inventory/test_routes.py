"""Inventory rounds over the API, and the page as API Gateway calls it."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from chalice.test import Client

from chalicelib.org.model import Person
from chalicelib.org.roles import Role
from chalicelib.wiring import Services
from tests.inventory.desk import Desk, hidden
from tests.org.api import Api, serving

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def client(desk: Desk) -> Iterator[Client]:
    stage = desk.stage
    cloud = SimpleNamespace(
        dynamodb=stage.dynamodb, sqs=stage.sqs, ssm=stage.ssm, s3=stage.s3, sesv2=stage.ses
    )
    services = Services(cloud, stage.clock, None, stage.settings.stage)
    services.__dict__.update(desk.services)
    with serving(services) as client:
        yield client


def as_person(client: Client, desk: Desk, person: Person) -> Api:
    return Api(client, desk.company.token(person))


@pytest.fixture
def lead(client: Client, desk: Desk) -> Api:
    return as_person(client, desk, desk.company.lead)


def started(desk: Desk, lead: Api, **more: Any) -> dict[str, Any]:
    status, round_ = lead("POST", "/v1/inventory/rounds", {"name": "Jesień", "due_on": "2026-12-14", **more})
    assert status == 201, round_
    desk.work()
    return dict(round_)


def test_a_round_from_its_start_to_its_report(desk: Desk, lead: Api) -> None:
    right, silent = desk.account("zorza"), desk.account("cisza", desk.company.tehran)
    round_ = started(desk, lead)
    path = f"/v1/inventory/rounds/{round_['round_id']}"
    assert (round_["reminders"], round_["state"], round_["outside"]) == ([7, 3, 0], "open", 0)
    desk.press(desk.manager, "confirm", right)
    desk.press(desk.manager, "finish")
    status, shown = lead("GET", path)
    assert status == 200
    none = {"corrected": 0, "added": 0, "disowned": 0, "gone": 0}
    assert (shown["units"], shown["finished"]) == (2, 1)
    assert shown["counts"] == {"confirmed": 1, "unanswered": 1, **none}
    parts = {part["unit_id"]: part for part in lead("GET", f"{path}/parts")[1]["parts"]}
    assert parts[desk.company.warsaw.unit_id]["state"] == "finished"
    assert parts[desk.company.tehran.unit_id]["counts"] == {"confirmed": 0, "unanswered": 1, **none}
    assert lead("POST", f"{path}/remind")[0] == 200
    assert lead("POST", f"{path}/remind")[0] == 409
    assert lead("POST", f"{path}/close")[1]["state"] == "closed"
    assert lead("POST", f"{path}/close")[0] == 409
    desk.work()
    report = lead("GET", f"{path}/report")[1]
    units = {unit["unit_id"]: unit for unit in report["units"]}
    tehran = units[desk.company.tehran.unit_id]
    assert (tehran["state"], tehran["managers"]) == ("unanswered", ["هومن"])
    (told,) = tehran["accounts"]
    assert (told["account_id"], told["handle"], told["answer"]) == (silent.account_id, "cisza", None)
    assert report["counts"] == {"confirmed": 1, "unanswered": 1, **none}


def test_the_rounds_come_in_pages_the_latest_first(desk: Desk, lead: Api) -> None:
    made = []
    for name in ("a", "b", "c"):
        desk.stage.clock.advance(seconds=1)
        made.append(started(desk, lead, name=name)["round_id"])
    first = lead("GET", "/v1/inventory/rounds?limit=2")[1]
    rest = lead("GET", f"/v1/inventory/rounds?limit=2&cursor={first['cursor']}")[1]
    assert [r["round_id"] for r in first["rounds"] + rest["rounds"]] == made[::-1]
    assert rest["cursor"] is None


def test_every_problem_of_a_new_round_comes_back_at_once(desk: Desk, lead: Api) -> None:
    wrong = {"name": "a\nb", "due_on": "14.12.2026", "reminders": [-1, 61], "unit_ids": ["a b"], "more": 1}
    status, told = lead("POST", "/v1/inventory/rounds", wrong)
    fields = {problem["field"].partition(".")[0] for problem in told["problems"]}
    assert (status, fields) == (400, set(wrong))
    assert len(told["problems"]) == 6
    status, told = lead("POST", "/v1/inventory/rounds", {"name": "x", "due_on": "2026-11-23"})
    assert (status, told["problems"][0]["field"]) == (400, "due_on")
    assert lead("GET", "/v1/inventory/rounds/round_x")[0] == 404
    assert lead("GET", "/v1/inventory/rounds/round_x/report")[0] == 404
    assert lead("POST", "/v1/inventory/rounds/round_x/remind")[0] == 404


def test_a_district_manager_sees_their_own_unit_and_nobody_below_them_sees_any(
    desk: Desk, client: Client, lead: Api
) -> None:
    desk.account("zorza")
    desk.account("ich", desk.company.tehran)
    path = f"/v1/inventory/rounds/{started(desk, lead)['round_id']}"
    manager = as_person(client, desk, desk.manager)
    assert [p["unit_id"] for p in manager("GET", f"{path}/parts")[1]["parts"]] == [
        desk.company.warsaw.unit_id
    ]
    assert manager("GET", path)[1]["counts"]["unanswered"] == 1
    report = manager("GET", f"{path}/report")[1]
    assert [a["handle"] for unit in report["units"] for a in unit["accounts"]] == ["zorza"]
    for role in Role:
        person = desk.company.person(f"Ktoś {role}", (role, desk.company.tehran))
        api = as_person(client, desk, person)
        reads = role in (Role.LEAD, Role.DISTRICT_MANAGER, Role.ANALYST, Role.OPS, Role.AUDITOR)
        for what in ("", "/parts", "/report"):
            assert api("GET", path + what)[0] == (200 if reads else 403), role
        assert api("GET", "/v1/inventory/rounds")[0] == (200 if reads else 403), role
        body = {"name": "x", "due_on": "2026-12-14"}
        assert api("POST", "/v1/inventory/rounds", body)[0] == 403, role
        assert api("POST", f"{path}/remind")[0] == 403, role
        assert api("POST", f"{path}/close")[0] == 403, role


def test_the_page_is_served_and_takes_its_form(desk: Desk, client: Client, lead: Api) -> None:
    account = desk.account("zorza")
    started(desk, lead)
    token = desk.token(desk.manager)
    before = desk.dump()
    for method in ("GET", "HEAD"):
        for query in ("", "?p=2", f"?{urlencode(desk.query(account))}", "?add=1", "?p=%00&p=x&zzz"):
            got = client.http.request(method, f"/r/{token}{query}")
            assert got.status_code == 200
            assert got.headers["Cache-Control"] == "no-store"
            assert "script-src" not in got.headers["Content-Security-Policy"]
    assert desk.dump() == before
    page = client.http.get(f"/r/{token}?{urlencode(desk.query(account))}").body.decode()
    fields = urlencode({**hidden(page), "do": "confirm"}).encode()
    posted = client.http.post(f"/r/{token}?p=1", body=fields, headers=FORM)
    assert posted.status_code == 200
    assert re.search(r"1</bdi> of <bdi>1</bdi> answered", posted.body.decode())
    for path in ("x", "a" * 43):
        assert client.http.get(f"/r/{path}").status_code == 410
        assert client.http.post(f"/r/{path}", body=fields, headers=FORM).status_code == 410
