"""Takedown cases over the API: opened, moved, documented, counted, exported."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.org.model import Person
from chalicelib.org.roles import Role
from chalicelib.takedowns.chain import canonical, sha256
from chalicelib.wiring import Services
from tests.org.api import Api, serving
from tests.publishing.pictures import png
from tests.takedowns.desk import Desk


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
    text, _ = desk.org.issue_token(desk.operator, person.person_id, "dla testów")
    return Api(client, text)


@pytest.fixture
def manager(client: Client, desk: Desk) -> Api:
    return as_person(client, desk, desk.manager)


def opened(desk: Desk, api: Api, **more: Any) -> dict[str, Any]:
    body = {
        "account_id": desk.account().account_id,
        "kind": "impersonation",
        "harm": "high",
        "why": "It lies.",
    }
    status, case = api("POST", "/v1/takedowns", {**body, "owner_id": desk.owner.person_id, **more})
    assert status == 201, case
    return dict(case)


def test_a_case_from_its_opening_to_its_export(desk: Desk, manager: Api) -> None:
    case = opened(desk, manager)
    path = f"/v1/takedowns/{case['case_id']}"
    assert case["may_become"]["submitted"] == "The report was handed in."
    status, whole = manager("GET", path)
    assert status == 200
    assert whole["intact"] is True
    assert case["url"] in whole["form"]["text"]
    status, kept = manager("POST", f"{path}/evidence", {"kind": "link", "url": "https://zorza.example/x"})
    assert (status, kept["evidence"]["place"]) == (201, 2)
    _, whole = manager("GET", path)
    step = {"version": whole["case"]["version"], "step": "submitted", "reference": "R-1"}
    status, moved = manager("POST", f"{path}/steps", step)
    assert (status, moved["state"], moved["reference"]) == (200, "submitted", "R-1")
    assert manager("POST", f"{path}/steps", step)[0] == 409
    status, export = manager("GET", f"{path}/export")
    assert status == 200
    assert (export["broken_log_at"], export["broken_evidence_at"]) == (None, None)
    assert export["log_head"] == export["log"][-1]["chain"]
    assert [e["previous"] for e in export["evidence"]] == ["", export["evidence"][0]["chain"]]
    rest = {name: value for name, value in export.items() if name != "digest"}
    assert export["digest"] == sha256(canonical(rest))


def test_a_picture_is_uploaded_and_checked(desk: Desk, manager: Api) -> None:
    path = f"/v1/takedowns/{opened(desk, manager)['case_id']}/evidence"
    status, kept = manager("POST", path, {"kind": "screen", "mime": "image/png", "name": "zrzut"})
    assert (status, kept["evidence"]) == (201, None)
    upload = kept["upload"]
    check = f"{path}/{upload['upload_id']}/check"
    assert manager("POST", check)[0] == 404
    desk.stage.s3.put_object(
        Bucket=desk.stage.settings.media_bucket, Key=upload["fields"]["key"], Body=b"<html>"
    )
    status, refused = manager("POST", check)
    assert (status, refused["problems"][0]["field"]) == (400, "upload")
    desk.stage.s3.put_object(
        Bucket=desk.stage.settings.media_bucket, Key=upload["fields"]["key"], Body=png(8, 8)
    )
    status, evidence = manager("POST", check)
    assert (status, evidence["kind"], evidence["width"]) == (200, "screen", 8)
    assert evidence["view_url"].startswith("https://")


def test_cases_are_listed_and_counted(desk: Desk, manager: Api) -> None:
    first = opened(desk, manager)
    opened(desk, manager, account_id=desk.account("b", "mastodon").account_id)
    status, listed = manager("GET", "/v1/takedowns?limit=1")
    assert status == 200
    status, rest = manager("GET", f"/v1/takedowns?limit=1&cursor={listed['cursor']}")
    assert len({c["case_id"] for c in listed["cases"] + rest["cases"]}) == 2
    status, found = manager("GET", "/v1/takedowns?platform=bluesky&state=opened")
    assert [c["case_id"] for c in found["cases"]] == [first["case_id"]]
    assert manager("GET", "/v1/takedowns?state=removed")[1]["cases"] == []
    desk.stage.clock.advance(hours=1)
    status, numbers = manager("GET", "/v1/takedowns/numbers")
    assert (status, numbers["total"]["open"], numbers["total"]["open_for"]) == (200, 2, 3600)
    assert numbers["platforms"]["mastodon"]["open"] == 1
    assert set(numbers["units"]) == {desk.district.unit_id}


def test_harm_and_owner_can_be_changed(desk: Desk, manager: Api) -> None:
    case = opened(desk, manager)
    change = {"version": case["version"], "harm": "critical", "owner_id": desk.lead.person_id}
    status, after = manager("PATCH", f"/v1/takedowns/{case['case_id']}", change)
    assert (status, after["harm"], after["owner_id"]) == (200, "critical", desk.lead.person_id)
    assert after["harm_means"].startswith("people lose money")


def test_the_company_says_who_reports_and_by_which_way(desk: Desk, client: Client, manager: Api) -> None:
    lead = as_person(client, desk, desk.lead)
    company = {"version": 0, "legal_name": "Zorza S.A.", "trademarks": [{"name": "ZORZA", "number": "R.1"}]}
    assert manager("PUT", "/v1/takedowns/settings", company)[0] == 403
    status, kept = lead("PUT", "/v1/takedowns/settings", company)
    assert (status, kept["version"], kept["trademarks"][0]["number"]) == (200, 1, "R.1")
    assert lead("PUT", "/v1/takedowns/settings", company)[0] == 409
    way = "/v1/takedowns/channels/x/trademark"
    status, known = lead("GET", way)
    assert (status, known["known"]["url"], known["version"]) == (200, "memory", 0)
    fields = [{"label": "Link", "fact": "profile_url"}]
    status, own = lead("PUT", way, {"version": 0, "url": "https://x.example/f", "fields": fields})
    assert (status, own["url"], own["known"]["url"], own["fields"]) == (
        200,
        "https://x.example/f",
        "company",
        fields,
    )
    assert lead("PUT", way, {"version": 1, "url": "javascript:alert(1)"})[0] == 400
    assert lead("PUT", way, {"version": 1, "fields": [{"label": "x", "fact": "password"}]})[0] == 400
    assert lead("GET", "/v1/takedowns/channels/myspace/fraud")[0] == 404


@pytest.mark.parametrize("body", [
    {}, {"kind": "link"}, {"kind": "screen"}, {"kind": "note", "text": " "}, {"kind": "film"},
    {"kind": "link", "url": "javascript:alert(1)"}, {"kind": "note", "text": "x", "sha256": "0"},
])  # fmt: skip
def test_evidence_that_says_nothing_is_refused(desk: Desk, manager: Api, body: dict[str, Any]) -> None:
    path = f"/v1/takedowns/{opened(desk, manager)['case_id']}/evidence"
    assert manager("POST", path, body)[0] == 400


def test_a_repeated_opening_with_the_same_key_makes_one_case(desk: Desk, manager: Api) -> None:
    body = {"account_id": desk.account().account_id, "kind": "fraud", "harm": "low"}
    first, again = (manager("POST", "/v1/takedowns", body, **{"Idempotency-Key": "raz"}) for _ in range(2))
    assert first == again
    assert first[0] == 201


def test_who_may_only_read_sees_and_changes_nothing(desk: Desk, client: Client, manager: Api) -> None:
    case = opened(desk, manager)
    auditor = as_person(client, desk, desk.person("Anna Audyt", Role.AUDITOR))
    author = as_person(client, desk, desk.person("Ada Autorka"))
    path = f"/v1/takedowns/{case['case_id']}"
    assert auditor("GET", f"{path}/export")[0] == 200
    assert auditor("POST", f"{path}/steps", {"version": 1, "step": "withdrawn", "why": "x"})[0] == 403
    assert author("GET", path)[0] == 403
    assert manager("GET", "/v1/takedowns/case_unknown")[0] == 404


def test_the_page_is_served_with_its_headers(desk: Desk, client: Client, manager: Api) -> None:
    case = opened(desk, manager)
    token = desk.token(desk.owner)
    got = client.http.get(f"/c/{token}", headers={"Accept-Language": "en"})
    assert got.status_code == 200
    assert got.headers["Content-Type"].startswith("text/html")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = (
        f"move=submitted&reference=R-5&seen={json.dumps(desk.takedowns.store.get(case['case_id']).version)}"
    )
    posted = client.http.post(f"/c/{token}", headers=form, body=body.encode())
    assert posted.status_code == 200
    assert desk.takedowns.store.get(case["case_id"]).reference == "R-5"
    assert client.http.get(f"/c/{'A' * 43}", headers={}).status_code == 410
