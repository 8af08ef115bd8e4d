"""The routes, through Chalice's own test client."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from chalice.test import Client

from app import app
from chalicelib.org.roles import Role
from chalicelib.wiring import use
from tests.approvals.office import Office

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def client(office: Office) -> Iterator[Any]:
    made = SimpleNamespace(
        approvals=office.approvals,
        settings=office.stage.settings,
        clock=office.stage.clock,
        org=office.org,
        identify=office.org.identify,
    )
    use(cast(Any, made))
    with Client(app) as opened:
        yield opened.http
    use(None)


def test_get_and_head_change_nothing_and_a_post_decides(office: Office, client: Any) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    path = f"/a/{office.token(zoe)}"
    before = office.dump()
    for method in ("GET", "HEAD"):
        for headers in ({}, {"Content-Type": "text/plain"}, {"Accept-Language": "pl"}):
            reply = client.request(method, path, headers=headers)
            assert reply.status_code == 200
            assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert office.dump() == before
    reply = client.post(path, headers=FORM, body=b"verdict=approve&words=")
    assert reply.status_code == 200
    assert "Approved. Thank you." in reply.body.decode()
    assert office.subject.settlements(request) == ["granted"]


def test_a_json_post_is_not_a_decision(office: Office, client: Any) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    reply = client.post(
        f"/a/{office.token(zoe)}", headers={"Content-Type": "application/json"}, body=b'{"verdict":"approve"}'
    )
    assert reply.status_code == 415
    assert office.state(request) == "open"


def test_an_error_of_ours_is_a_page_without_its_cause(office: Office, client: Any) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.asked()
    office.subject.shown = cast(Any, None)
    reply = client.get(f"/a/{office.token(zoe)}", headers={"Accept-Language": "pl"})
    assert reply.status_code == 500
    assert "Coś się u nas zepsuło" in reply.body.decode()
    assert "TypeError" not in reply.body.decode()


def test_a_policy_is_put_read_and_inherited_through_the_api(office: Office, client: Any) -> None:
    zoe = office.person("Zoe")
    headers = _signed_in(office)
    url = f"/v1/units/{office.root.unit_id}/approval-policy"
    stage = {"name": "PR", "people": [zoe.person_id], "quorum": 1, "within_for": 8, "on_silence": "expire"}
    reply = client.put(url, headers=headers, body=json.dumps({"stages": [stage], "code": True}).encode())
    assert reply.status_code == 200, reply.body
    below = client.get(f"/v1/units/{office.district.unit_id}/approval-policy", headers=headers).json_body
    assert below["own"] is None
    assert below["effective"]["stages"] == [{**stage, "role": None, "remind_after": 24}]
    assert below["effective"]["code"] is True
    assert client.get(url, headers=headers).json_body["own"]["late_approval"] is None


def test_every_problem_of_a_policy_is_reported_at_once(office: Office, client: Any) -> None:
    url = f"/v1/units/{office.root.unit_id}/approval-policy"
    body = {"stages": [{"name": "a\nb", "quorum": 0, "within_for": 0, "colour": "red"}], "code": "maybe"}
    reply = client.put(url, headers=_signed_in(office), body=json.dumps(body).encode())
    assert reply.status_code == 400
    fields = {p["field"].split(".")[-1] for p in reply.json_body["problems"]}
    assert {"name", "within_for", "colour", "code"} <= fields


def test_a_request_is_shown_with_who_decided_what(office: Office, client: Any) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    office.post(office.token(zoe), verdict="reject", words="not this week")
    shown = client.get(f"/v1/approvals/{request.request_id}", headers=_signed_in(office)).json_body
    assert (shown["state"], shown["stage"]) == ("rejected", "Sign-off")
    (decision,) = shown["decisions"]
    assert (decision["person_id"], decision["words"]) == (zoe.person_id, "not this week")
    assert client.get("/v1/approvals/request_none", headers=_signed_in(office)).status_code == 404


def test_nobody_without_a_token_reads_policies_or_requests(office: Office, client: Any) -> None:
    responder = office.person("Rey", Role.RESPONDER)
    text, _ = office.org.issue_token(office.operator, responder.person_id, "t")
    url = f"/v1/units/{office.root.unit_id}/approval-policy"
    assert client.get(url).status_code == 401
    refused = client.put(url, headers={"Authorization": f"Bearer {text}"}, body=b'{"stages":[{"name":"x"}]}')
    assert refused.status_code == 403


def _signed_in(office: Office) -> dict[str, str]:
    text, _ = office.org.issue_token(office.operator, office.lead.person_id, "test")
    return {"Authorization": f"Bearer {text}", "Content-Type": "application/json"}
