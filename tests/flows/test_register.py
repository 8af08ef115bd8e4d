"""The register on the deployed stack, with IAM enforced: in by import, silent ones asked about, copies found.

One stack serves every test of this file, in the order they have.
"""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local.api import Api, ApiError, fetch, fetch_json, wait
from infra.local.hurry import hurry, invoke, settle
from infra.local.large import every
from infra.local.mails import last_mail_id, link_in, mail_to
from infra.local.stack import Stack
from tests.fakes.machine import admin, own_machine, rows, wait_until_idle

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OWNER, LEAD = "ewa@zorza.test", "maja@zorza.test"
HANDLES = ("tulipan", "tulipan_serwis", "tulipan-dawno.test", "tulipan_zamkniety")


@dataclass
class Desk:
    """The deployed stack with a company of one district, whose manager owns the accounts."""

    stack: Stack
    lead: Api
    unit_id: str
    owner_id: str

    def row(self, handle: str, **fields: Any) -> dict[str, Any]:
        """An account as an import takes it."""
        platform = "bluesky" if handle.endswith(".test") else "mastodon"
        return {
            "platform": platform,
            "server": self.stack.platform_url,
            "handle": handle,
            "display_name": "Tulipan",
            "unit_id": self.unit_id,
            "owner_id": self.owner_id,
            **fields,
        }

    def plant(self, *profiles: dict[str, Any]) -> None:
        fetch_json(f"{self.stack.platform_url}/_local/profiles", {"profiles": list(profiles)})

    def page(self, path: str) -> tuple[int, str]:
        status, page = fetch(self.stack.api_url + path)
        return status, html.unescape(page.decode())

    def send(self, link: str, **fields: str) -> int:
        return fetch(link, urlencode(fields).encode(), FORM)[0]

    def link(self, since: Any, who: str, path: str, subject: str = "") -> str:
        """The link below a path in a new mail to somebody."""
        mail = wait(partial(mail_to, self.stack, since, who, subject, path), f"the mail to {who}")
        return link_in(mail, path)

    def record(self, handle: str) -> dict[str, Any]:
        return next(a for a in every(self.lead, "/v1/register", "accounts") if a["handle"] == handle)

    def is_untouched_by(self, link: str) -> bool:
        """Whether a link that is opened as scanners do leaves every row as it is."""
        wait_until_idle(self.stack)
        before = rows(self.stack)
        assert [fetch(link)[0] for _ in range(3)] == [200, 200, 200]
        return rows(self.stack) == before


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with own_machine(tmp_path_factory.mktemp("stack")) as machine:
        stack, _ = machine.up(sample_company=False)
        said = admin(
            machine, "first-lead", "--company", "Zorza", "--name", "Maja", "--email", LEAD,
            "--zone", "Europe/Warsaw", "--language", "en",
        )  # fmt: skip
        token = admin(machine, "issue-token", said.split()[0], "--label", "test").strip()
        lead = Api(stack.api_url, token)
        root = lead.get("/v1/units")["units"][0]["unit_id"]
        body = {"name": "Kujawy", "kind": "district", "parent_id": root}
        unit_id = lead.post("/v1/units", body)["unit_id"]
        person = {"name": "Ewa", "email": OWNER, "zone": "Europe/Warsaw", "language": "pl"}
        owner_id = lead.post("/v1/people", person)["person_id"]
        grant = {"role": "district_manager", "unit_id": unit_id}
        lead.post(f"/v1/people/{owner_id}/grants", grant)
        yield Desk(stack, lead, unit_id, owner_id)


def test_a_file_of_accounts_comes_in_once(desk: Desk) -> None:
    body = {"accounts": [desk.row(handle) for handle in HANDLES]}
    dry = desk.lead.call("POST", "/v1/register/import?dry_run=true", body)
    assert (dry["added"], desk.lead.get("/v1/register")["accounts"]) == (4, [])
    assert desk.lead.post("/v1/register/import", body)["added"] == 4
    again = desk.lead.post("/v1/register/import", body)
    assert (again["added"], again["unchanged"]) == (0, 4)
    assert {a["handle"] for a in desk.lead.get("/v1/register")["accounts"]} == set(HANDLES)


def test_a_file_with_one_wrong_row_leaves_the_register_as_it_is(desk: Desk) -> None:
    accounts = [desk.row("inny"), desk.row("jeszcze_inny", owner_id="person_nobody")]
    with pytest.raises(ApiError) as refusal:
        desk.lead.post("/v1/register/import", {"accounts": accounts})
    assert refusal.value.status == 400
    assert [p["field"] for p in refusal.value.answer["problems"]] == ["row 2: owner_id"]
    assert len(desk.lead.get("/v1/register")["accounts"]) == len(HANDLES)


def test_anybody_can_ask_whether_an_account_is_real(desk: Desk) -> None:
    status, page = desk.page("/registry")
    assert status == 200
    assert all(handle in page for handle in HANDLES)
    assert OWNER not in page
    for asked, real in (("@tulipan", "yes"), ("tulipan_konkurs", "unknown")):
        found = fetch_json(f"{desk.stack.api_url}/registry.json?{urlencode({'q': asked})}")
        assert found["real"] == real


def test_the_daily_check_asks_the_owner_of_a_silent_account_who_decides_by_link(desk: Desk) -> None:
    now, since = datetime.now(UTC), last_mail_id(desk.stack)

    def profile(handle: str, days: int, state: str = "active") -> dict[str, Any]:
        network = "bluesky" if handle.endswith(".test") else "mastodon"
        at = (now - timedelta(days=days)).isoformat()
        return {"network": network, "username": handle, "last_post_at": at, "state": state}

    desk.plant(
        profile(HANDLES[0], 1), profile(HANDLES[1], 200), profile(HANDLES[2], 400),
        profile(HANDLES[3], 200, "suspended"),
    )  # fmt: skip
    assert invoke(desk.stack, "check_dormant_accounts") == {"enqueued": 4}
    settle(desk.stack, "read_account#")

    handles = {a["account_id"]: a["handle"] for a in every(desk.lead, "/v1/register", "accounts")}
    found = {
        sign: {
            handles[a["account_id"]] for a in desk.lead.get(f"/v1/dormancy/accounts?sign={sign}")["accounts"]
        }
        for sign in ("dormant", "quiet", "unreadable")
    }
    assert found == {"dormant": {HANDLES[1], HANDLES[2]}, "quiet": set(), "unreadable": {HANDLES[3]}}
    link = desk.link(since, OWNER, "/d/", HANDLES[1])
    assert desk.is_untouched_by(link)
    plan_on = str((now + timedelta(days=20)).date())
    assert desk.send(link, choice="keep", plan_on=plan_on, why="Wracamy po remoncie") == 200
    account_id = desk.record(HANDLES[1])["account_id"]
    review = desk.lead.get(f"/v1/dormancy/accounts/{account_id}/review")
    assert (review["choice"], review["plan_on"], review["stage"]) == ("keep", plan_on, "closed")
    assert review["decided_by"] == desk.owner_id


def test_a_copy_that_the_scan_finds_and_one_that_is_reported_become_cases_by_link(desk: Desk) -> None:
    since = last_mail_id(desk.stack)
    made_at = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    copy, told = "tulipan_konkurs", "tulipan.nagrody"
    desk.plant({"username": copy, "display_name": "Tulipan", "followers": 3, "created_at": made_at})
    address = f"https://www.instagram.com/{told}/"
    assert desk.send(f"{desk.stack.api_url}/report", address=address) == 200
    assert desk.send(f"{desk.stack.api_url}/report", address="http://127.0.0.1/") == 400
    assert invoke(desk.stack, "scan_for_lookalikes") == {"begun": 1}
    assert invoke(desk.stack, "scan_for_lookalikes") == {"begun": 0}
    settle(desk.stack, "plan_scan#")
    settle(desk.stack, "scan_source#")
    listed = desk.lead.get("/v1/discovery/candidates")["candidates"]
    assert {c["handle"] for c in listed} == {copy, told}
    assert all(c["reasons"] for c in listed)

    hurry(desk.stack, "mail_triage#")
    link = desk.link(since, OWNER, "/q/")
    assert desk.is_untouched_by(link)
    for candidate in listed:
        assert desk.send(link, candidate=candidate["candidate_id"], verdict="impostor") == 200
    assert desk.lead.get("/v1/discovery/candidates")["candidates"] == []
    for handle in (copy, told):
        assert (desk.record(handle)["account_class"], desk.record(handle)["rogue_kind"]) == (
            "rogue",
            "impostor",
        )
    cases = wait(lambda: _cases(desk, 2), "the cases")
    assert {case["handle"] for case in cases} == {copy, told}
    assert {case["state"] for case in cases} == {"opened"}
    case_link = desk.link(since, OWNER, "/c/", copy)
    assert desk.is_untouched_by(case_link)
    assert copy in html.unescape(fetch(case_link)[1].decode())


def _cases(desk: Desk, wanted: int) -> list[dict[str, Any]] | None:
    cases: list[dict[str, Any]] = desk.lead.get("/v1/takedowns")["cases"]
    return cases if len(cases) == wanted else None
