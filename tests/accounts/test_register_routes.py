"""The register over the API: listing, changing, files in and out, and the pages that need no token."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.core.timetable import Lane
from tests.fakes.box import Box
from tests.fakes.networks import MASTODON
from tests.fakes.stage import Stage
from tests.org.api import Api, serving


@dataclass
class Hall:
    box: Box
    client: Client
    lead: Api
    author: Api

    def listing(self, handle: str, **more: Any) -> dict[str, Any]:
        return {
            "platform": "mastodon",
            "server": MASTODON,
            "handle": handle,
            "unit_id": self.box.unit_id,
            "owner_id": self.box.lead.person_id,
            **more,
        }

    def open(self, path: str, method: str = "GET", **headers: str) -> Any:
        return self.client.http.request(method, path, headers=headers)

    def send(self, raw: bytes, content_type: str, query: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self.lead.token}", "Content-Type": content_type}
        return self.client.http.request(
            "POST", f"/v1/register/import{query}", headers=headers, body=raw
        ).json_body


@pytest.fixture
def hall(stage: Stage) -> Iterator[Hall]:
    box = Box.open(stage)
    with serving(box.services) as client:
        yield Hall(box, client, Api(client, token(box, box.lead)), Api(client, token(box, box.author)))


def token(box: Box, actor: Any) -> str:
    text, _ = box.services.org.issue_token(box.lead, actor.person_id, "test")
    return str(text)


def test_an_account_is_listed_changed_with_a_reason_and_confirmed(hall: Hall) -> None:
    status, made = hall.lead("POST", "/v1/register", hall.listing("@zorza", languages=["pl"]))
    assert (status, made["status"], made["account_class"], made["handle"]) == (
        201, "listed", "official", "zorza",
    )  # fmt: skip
    path = f"/v1/accounts/{made['account_id']}"
    assert hall.lead("GET", f"/v1/register/{made['account_id']}") == (200, made)
    change = {"account_class": "rogue", "rogue_kind": "impostor", "why": "not ours"}
    assert hall.lead("PATCH", path, change)[1]["rogue_kind"] == "impostor"
    rows = hall.box.services.history.of(f"account#{made['account_id']}")
    assert [row.why for row in rows if row.what == "changed"] == ["not ours"]
    status, body = hall.lead("PATCH", path, {"account_class": "dormant"})
    assert (status, [p["field"] for p in body["problems"]]) == (400, ["account_class"])
    assert hall.lead("POST", f"{path}/confirm")[0] == 409
    hall.lead("PATCH", path, {"account_class": "official"})
    hall.box.stage.clock.advance(days=1)
    status, confirmed = hall.lead("POST", f"{path}/confirm")
    assert (status, confirmed["confirmed_by"]) == (200, hall.box.lead.person_id)
    assert hall.lead("POST", "/v1/register", hall.listing("ZORZA"))[0] == 409


def test_the_register_is_filtered_paged_and_not_for_everybody(hall: Hall) -> None:
    for number in range(3):
        rogue = {"account_class": "rogue", "rogue_kind": "fan", "owner_id": ""}
        hall.lead("POST", "/v1/register", hall.listing(f"rogue{number}", **rogue))
    hall.lead("POST", "/v1/register", hall.listing("zorza"))
    _, first = hall.lead("GET", "/v1/register?class=rogue&limit=2&platform=mastodon")
    _, second = hall.lead("GET", f"/v1/register?class=rogue&platform=mastodon&cursor={first['cursor']}")
    assert [len(p["accounts"]) for p in (first, second)] == [2, 1]
    assert second["cursor"] is None
    _, ours = hall.lead("GET", "/v1/accounts")
    assert [a["handle"] for a in ours["accounts"]] == ["zorza"]
    assert hall.lead("GET", "/v1/register?under_review=true")[1]["accounts"] == []
    assert hall.lead("GET", "/v1/register?class=strange")[0] == 400
    for method, path in (("GET", "/v1/register"), ("GET", "/v1/register/export"), ("POST", "/v1/register")):
        assert hall.author(method, path, hall.listing("x") if method == "POST" else None)[0] == 403


def test_a_file_goes_out_and_comes_in_again(hall: Hall) -> None:
    hall.lead("POST", "/v1/register", hall.listing("zorza", purpose="=1+1"))
    _, exported = hall.lead("GET", "/v1/register/export?format=json")
    assert [a["purpose"] for a in exported["accounts"]] == ["=1+1"]
    answer = hall.open("/v1/register/export?format=csv", Authorization=f"Bearer {hall.lead.token}")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Cache-Control"] == "no-store"
    assert b'"\'=1+1"' in answer.body
    report = hall.send(answer.body, "text/csv; charset=utf-8")
    assert (report["rows"], report["unchanged"]) == (1, 1)
    changed = answer.body.replace(b"'=1+1", b"news")
    assert hall.send(changed, "text/csv", "?dry_run=true")["changed"] == 1
    assert hall.send(changed, "text/csv")["changed"] == 1
    assert hall.send(changed, "text/csv")["unchanged"] == 1
    refused = hall.send(b'{"accounts": [{"handle": "x"}]}', "application/json")
    assert {p["field"] for p in refused["problems"]} == {"row 1: platform", "row 1: unit_id"}


def test_anybody_may_look_at_the_list_and_ask_whether_an_account_is_real(hall: Hall) -> None:
    hall.lead("POST", "/v1/register", hall.listing("zorza", url=f"{MASTODON}/@zorza"))
    page = hall.open("/registry?q=%40zorza", **{"Accept-Language": "en"})
    assert (page.status_code, b"Yes. This is ours:" in page.body) == (200, True)
    data = hall.open("/registry.json?q=https%3A%2F%2Fsocial.test%2F%40zorza")
    assert data.json_body["real"] == "yes"
    assert hall.open("/registry.json?q=other").json_body["real"] == "unknown"
    again = hall.open(
        "/registry.json?q=other", **{"If-None-Match": hall.open("/registry.json?q=other").headers["ETag"]}
    )
    assert (again.status_code, again.body) == (304, b"")
    assert hall.open("/registry", "POST").status_code == 405
    assert hall.open("/registry", "HEAD").status_code == 200


def test_the_owners_link_is_a_page_of_its_own(hall: Hall) -> None:
    _, made = hall.lead("POST", "/v1/register", hall.listing("zorza"))
    before = len(hall.box.mails())
    hall.box.stage.clock.advance(days=168)
    hall.box.run_due(Lane.CHORES)
    (mail,) = hall.box.mails()[before:]
    link = mail.get_body(("plain",)).get_content().split("https://signalbox.test")[1].split()[0]
    assert link.startswith("/k/")
    dumped = hall.box.dump()
    assert hall.open(link).status_code == hall.open(link, "HEAD").status_code == 200
    assert hall.box.dump() == dumped
    raw = f"answer=right&version={made['version']}".encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = hall.client.http.request("POST", link, headers=form, body=raw)
    assert (answer.status_code, b"Confirmed. Thank you." in answer.body) == (200, True)
    assert hall.box.services.accounts.get(made["account_id"]).confirmed_by == hall.box.lead.person_id
    assert hall.open("/k/nonsense").status_code == 410
