"""The API of org through Chalice's own test client, as API Gateway would call it."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from chalice.test import Client

from chalicelib import wiring
from chalicelib.core.clock import to_text
from chalicelib.org.model import Person
from chalicelib.org.roles import ROLE_RIGHTS, Role
from tests.fakes.mail_events import bounce
from tests.fakes.stage import Stage
from tests.org.api import Api, serving
from tests.org.company import Company


@pytest.fixture
def client(stage: Stage) -> Iterator[Client]:
    cloud = SimpleNamespace(
        dynamodb=stage.dynamodb, sqs=stage.sqs, ssm=stage.ssm, s3=stage.s3, sesv2=stage.ses
    )
    with serving(wiring.Services(cloud, stage.clock, of_stage=stage.settings.stage)) as made:
        yield made


@pytest.fixture
def lead(client: Client, company: Company) -> Api:
    return Api(client, company.token(company.lead))


def as_person(client: Client, company: Company, person: Person) -> Api:
    return Api(client, company.token(person))


def test_a_colleague_joins_works_goes_away_and_leaves(client: Client, company: Company, lead: Api) -> None:
    status, unit = lead(
        "POST", "/v1/units", {"name": "تیم پشتیبانی", "kind": "team", "parent_id": company.tehran.unit_id}
    )
    assert (status, unit["path"][:-1]) == (201, list(company.tehran.path))
    wanted = {"name": "کاوه رضایی", "email": "kaveh@example.org", "zone": "Asia/Tehran", "language": "fa"}
    status, person = lead("POST", "/v1/people", wanted)
    assert status == 201
    assert person | wanted == person
    path = f"/v1/people/{person['person_id']}"
    assert lead("POST", f"{path}/grants", {"role": "author", "unit_id": unit["unit_id"]})[0] == 201
    status, issued = lead("POST", f"{path}/tokens", {"label": "laptop"})
    assert (status, issued["token"][:3]) == (201, "sb_")
    me = Api(client, issued["token"])
    status, about = me("GET", "/v1/me")
    assert (status, about["person"]["name"]) == (200, "کاوه رضایی")
    assert about["rights"] == sorted(ROLE_RIGHTS[Role.AUTHOR])
    assert me("PATCH", path, {"zone": "Europe/Warsaw"})[1]["zone"] == "Europe/Warsaw"
    away = {"deputy_id": company.lead.person_id, "until": "2026-12-01"}
    assert me("POST", f"{path}/away", away)[1]["status"] == "away"
    assert me("DELETE", f"{path}/away")[1]["status"] == "active"
    status, tokens = me("GET", f"{path}/tokens")
    assert [t["label"] for t in tokens["tokens"]] == ["laptop"]
    assert issued["token"] not in json.dumps(tokens)
    assert lead("DELETE", f"{path}/grants/author.{unit['unit_id']}")[0] == 204
    assert lead("GET", f"{path}/grants")[1] == {"grants": []}
    assert lead("POST", f"{path}/leave", {"why": "koniec umowy"})[1]["status"] == "left"
    assert me("GET", "/v1/me")[0] == 401
    status, told = lead("GET", f"/v1/history?subject=person%23{person['person_id']}")
    assert status == 200
    assert {r["what"] for r in told["history"]} >= {"added", "role granted", "token issued", "left"}
    assert issued["token"] not in company.everything_stored()


def test_a_repeated_creation_with_the_same_key_makes_one_person(company: Company, lead: Api) -> None:
    wanted = {"name": "Łucja", "email": "lucja@example.org", "zone": "Europe/Warsaw", "language": "pl"}
    header = {"Idempotency-Key": "raz"}
    first, again = (lead("POST", "/v1/people", wanted, **header) for _ in range(2))
    assert first == again
    assert first[0] == 201
    assert lead("POST", "/v1/people", wanted)[0] == 409


def test_the_same_key_never_repeats_a_token(company: Company, lead: Api) -> None:
    path = f"/v1/people/{company.lead.person_id}/tokens"
    first, again = (lead("POST", path, {"label": "x"}, **{"Idempotency-Key": "raz"})[1] for _ in range(2))
    assert first["token"] != again["token"]
    stored = company.everything_stored()
    assert first["token"] not in stored
    assert again["token"] not in stored


def test_lists_are_paged_and_a_forged_cursor_is_refused(company: Company, lead: Api) -> None:
    names = ["Ola", "Ala", "Ela"]
    for name in names:
        company.person(name)
    seen: list[str] = []
    query = "?limit=2"
    while query:
        status, page = lead("GET", f"/v1/people{query}")
        assert status == 200
        seen += [p["name"] for p in page["people"]]
        query = f"?limit=2&cursor={page['cursor']}" if page["cursor"] else ""
    assert seen == [*sorted(names), company.lead.name]
    assert lead("GET", "/v1/people?cursor=e30")[0] == 400
    assert lead("GET", "/v1/people?limit=0")[0] == 400
    units = lead("GET", "/v1/units")[1]["units"]
    assert [u["name"] for u in units][:2] == ["Żółta Łódź", "Śródziemie"]


def test_every_problem_of_a_body_comes_back_at_once(lead: Api) -> None:
    status, told = lead("POST", "/v1/people", {"name": "", "email": "x", "zone": "y", "language": "z"})
    assert status == 400
    assert {p["field"] for p in told["problems"]} == {"name", "email", "zone", "language"}


@pytest.mark.parametrize(
    "query", ["", "?subject=", "?day=2026-13-01", "?day=wczoraj", "?person=a&day=2026-11-23"]
)
def test_history_asks_for_exactly_one_thing(lead: Api, query: str) -> None:
    assert lead("GET", f"/v1/history{query}")[0] == 400


def test_history_is_read_by_day_and_by_person_too(company: Company, lead: Api) -> None:
    person = company.person("Wojciech")
    lead("PATCH", f"/v1/people/{person.person_id}", {"name": "Wojtek"})
    _, of_lead = lead("GET", f"/v1/history?person={company.lead.person_id}")
    assert [(r["what"], r["way"]) for r in of_lead["history"]] == [("changed", "api")]
    _, of_day = lead("GET", "/v1/history?day=2026-11-23")
    assert "changed" in {r["what"] for r in of_day["history"]}
    assert lead("GET", "/v1/history?day=2026-11-22")[1] == {"history": [], "cursor": None}


def test_history_is_paged_and_a_cursor_leads_on_only_where_it_came_from(company: Company, lead: Api) -> None:
    people = [company.person(name) for name in ("Ola", "Ala", "Ela")]
    for person in people:
        lead("PATCH", f"/v1/people/{person.person_id}", {"name": "Inna"})
    address = f"/v1/history?person={company.lead.person_id}&limit=2"
    _, first = lead("GET", address)
    _, last = lead("GET", f"{address}&cursor={first['cursor']}")
    assert (len(first["history"]), len(last["history"]), last["cursor"]) == (2, 1, None)
    told = [r["subject"] for r in first["history"] + last["history"]]
    assert sorted(told) == sorted(f"person#{p.person_id}" for p in people)
    for elsewhere in (f"person={people[0].person_id}", "day=2026-11-23", f"subject={company.lead.person_id}"):
        status, refusal = lead("GET", f"/v1/history?{elsewhere}&cursor={first['cursor']}")
        assert (status, refusal["problems"][0]["field"]) == (400, "cursor")
    assert lead("GET", f"{address}0000")[0] == 400


def test_an_auditor_of_a_part_does_not_read_the_companys_history(client: Client, company: Company) -> None:
    auditor = as_person(client, company, company.person("Audyt", (Role.AUDITOR, company.warsaw)))
    assert auditor("GET", "/v1/history?day=2026-11-23")[0] == 403


@pytest.mark.parametrize("token", ["", "sb_" + "A" * 43, "Bearer", "x" * 5000, "sb_ż"])
def test_a_wrong_token_is_a_401_and_never_a_500(client: Client, company: Company, token: str) -> None:
    assert Api(client, token)("GET", "/v1/me")[0] == 401


def test_an_unknown_id_is_a_404(lead: Api) -> None:
    for path in ("/v1/units/unit_x", "/v1/people/person_x", "/v1/people/person_x/grants"):
        assert lead("GET", path)[0] == 404
    assert lead("DELETE", "/v1/people/person_x/tokens/token_x")[0] == 404


def test_an_address_that_no_mail_reaches_is_shown_until_it_is_changed(
    company: Company, client: Client, lead: Api
) -> None:
    person = company.person("Łucja")
    path, at = f"/v1/people/{person.person_id}", company.stage.clock.now()
    reached = {"unreachable_at": None, "why": None, "delayed": 0}
    assert lead("GET", path)[1]["reach"] == reached
    wiring.services().bounces.take(bounce(person.email, at))
    told = {"unreachable_at": to_text(at).replace(".000Z", "Z"), "why": "bounced", "delayed": 0}
    assert lead("GET", path)[1]["reach"] == told
    assert told in [p["reach"] for p in lead("GET", "/v1/people")[1]["people"]]
    assert lead("PATCH", path, {"email": "lucja@example.org"})[1]["reach"] == reached
