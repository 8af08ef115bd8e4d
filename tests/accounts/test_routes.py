"""The API of accounts: what goes in, what comes out, and that credentials only go in."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from chalice.test import Client

from chalicelib import wiring
from chalicelib.org.roles import Role
from tests.accounts.conftest import Desk
from tests.fakes.networks import MASTODON
from tests.fakes.transport import FakeTransport
from tests.fakes.transport import client as http_client
from tests.org.api import Api, serving


@pytest.fixture
def client(desk: Desk) -> Iterator[Client]:
    stage = desk.stage
    cloud = SimpleNamespace(
        dynamodb=stage.dynamodb, sqs=stage.sqs, ssm=stage.ssm, s3=stage.s3, sesv2=stage.ses
    )
    http = http_client(stage.clock, FakeTransport(desk.networks))
    with serving(wiring.Services(cloud, stage.clock, http, stage.settings.stage)) as made:
        yield made


@pytest.fixture
def lead(client: Client, desk: Desk) -> Api:
    return Api(client, desk.company.token(desk.company.lead))


def test_an_account_is_added_listed_changed_and_reconnected(desk: Desk, lead: Api) -> None:
    secret = {"access_token": "token-łódź".encode().hex()}
    desk.networks.fault = lambda request: None
    status, account = lead(
        "POST", "/v1/accounts", desk.fields("@zorza", purpose="خبر") | {"server": f"{MASTODON}/"}
    )
    assert (status, account["handle"], account["purpose"]) == (201, "zorza", "خبر")
    path = f"/v1/accounts/{account['account_id']}"
    assert lead("GET", path) == (200, account)
    assert lead("GET", "/v1/accounts?platform=mastodon")[1] == {"accounts": [account], "cursor": None}
    assert lead("GET", f"/v1/accounts?unit={desk.company.tehran.unit_id}")[1]["accounts"] == []
    assert lead("PATCH", path, {"status": "retired", "audience": ""})[1]["status"] == "retired"
    desk.networks.fault = lambda request: "401"
    status, refusal = lead("PUT", f"{path}/credentials", {"credentials": secret})
    assert (status, refusal["problems"][0]["field"]) == (400, "credentials")
    desk.networks.fault = lambda request: None
    status, back = lead("PUT", f"{path}/credentials", {"credentials": {"access_token": "token-zorza"}})
    assert (status, back["status"]) == (200, "active")
    for told in (str(account), str(refusal), str(back), desk.company.everything_stored()):
        assert "token-zorza" not in told
        assert secret["access_token"] not in told


def test_every_problem_of_a_new_account_comes_back_at_once_without_its_credentials(
    desk: Desk, lead: Api
) -> None:
    wrong = {
        "platform": "Mastodon!",
        "server": "https://social.test/@zorza",
        "handle": "z o r z a",
        "unit_id": "",
        "owner_id": "a/b",
        "purpose": "a\nb",
        "credentials": {"access_token": "tajne" * 1000},
        "password": "tajne",
    }
    status, told = lead("POST", "/v1/accounts", wrong)
    fields = {p["field"].split(".")[0] for p in told["problems"]}
    assert (status, fields) == (400, set(wrong))
    assert "tajne" not in str(told)
    assert lead("PATCH", "/v1/accounts/account_x", {"status": "resting"})[0] == 400


def test_a_role_on_one_account_is_granted_by_its_id_and_reaches_it_alone(
    desk: Desk, client: Client, lead: Api
) -> None:
    one, other = desk.add("jedno"), desk.add("drugie")
    person = desk.company.person("Jagoda")
    path = f"/v1/people/{person.person_id}/grants"
    status, grant = lead("POST", path, {"role": "author", "account_id": one.account_id})
    assert (status, grant["grant_id"]) == (201, f"author.{one.account_id}")
    assert lead("POST", path, {"role": "author", "account_id": "account_x"})[0] == 404
    me = Api(client, desk.company.token(person))
    assert me("GET", f"/v1/accounts/{one.account_id}")[0] == 200
    assert me("GET", f"/v1/accounts/{other.account_id}")[0] == 403
    assert [a["handle"] for a in me("GET", "/v1/accounts")[1]["accounts"]] == ["jedno"]
    assert me("PATCH", f"/v1/accounts/{one.account_id}", {"purpose": "moje"})[0] == 403


def test_a_district_manager_pages_through_their_own_accounts_only(desk: Desk, client: Client) -> None:
    company = desk.company
    for n in range(3):
        desk.add(f"teheran{n}", unit_id=company.tehran.unit_id)
        desk.add(f"warszawa{n}")
    manager = Api(client, company.token(company.person("هومن", (Role.DISTRICT_MANAGER, company.tehran))))
    first = manager("GET", "/v1/accounts?limit=2")[1]
    rest = manager("GET", f"/v1/accounts?limit=2&cursor={first['cursor']}")[1]
    handles = {a["handle"] for a in first["accounts"] + rest["accounts"]}
    assert (handles, rest["cursor"]) == ({"teheran0", "teheran1", "teheran2"}, None)
