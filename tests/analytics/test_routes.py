"""The ranking over the API: who may see it, how it is asked for, and as a file."""

import csv
import io
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from chalice.test import Client

from chalicelib.accounts.model import AccountStatus
from chalicelib.org.roles import ROLE_RIGHTS, Right, Role
from chalicelib.wiring import Services
from tests.analytics.conftest import Office
from tests.org.api import Api, serving

PATH = "/v1/analytics/audience"


@pytest.fixture
def client(office: Office) -> Iterator[Client]:
    stage = office.stage
    cloud = SimpleNamespace(
        dynamodb=stage.dynamodb, sqs=stage.sqs, ssm=stage.ssm, s3=stage.s3, sesv2=stage.ses
    )
    with serving(Services(cloud, stage.clock, None, stage.settings.stage)) as client:
        yield client


@pytest.fixture
def lead(client: Client, office: Office) -> Api:
    return Api(client, office.company.token(office.company.lead))


def test_the_ranking_from_the_job_to_the_sentence(office: Office, lead: Api) -> None:
    made = {name: (office.account(name), 10) for name in ("a", "b", "c", "d")}
    made |= {"loud": (office.account("loud"), 90), "silent": (office.account("silent"), 0)}
    office.live(4, **made)
    status, found = lead("GET", f"{PATH}?unit={office.company.warsaw.unit_id}&platform=mastodon&limit=5")
    assert status == 200
    first = found["accounts"][0]
    assert (first["handle"], first["rank"], first["verdict"], first["peers"]) == ("loud", 1, "worth_it", 6)
    assert first["sentence"].startswith("Our audience is at loud")
    assert first["rates"]["response_per_hour"] == 9 * first["usual"]["response_per_hour"]
    assert (first["hours"], first["posts"], first["weeks"]) == (5, 4, 4)
    status, rest = lead(
        "GET",
        f"{PATH}?unit={office.company.warsaw.unit_id}&platform=mastodon&limit=5&cursor={found['cursor']}",
    )
    (silent,) = rest["accounts"]
    assert rest["cursor"] is None
    assert silent["better_id"] == first["account_id"]
    one_path = f"{PATH}/{silent['account_id']}"
    assert lead("GET", one_path) == (200, silent)
    _, persian = lead("GET", one_path, **{"Accept-Language": "fa-IR, en;q=0.5"})
    assert "۱٫۲" in persian["sentence"]  # hours a week
    assert lead("GET", f"{one_path}?weeks=52")[1]["weeks"] == 4


def test_the_file_has_every_account_and_no_formula(office: Office, lead: Api) -> None:
    office.account("=HYPERLINK(1)", status=AccountStatus.LISTED)
    office.account("glos")
    response = lead.client.http.get(
        f"{PATH}/export?weeks=4", headers={"Authorization": f"Bearer {lead.token}"}
    )
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/csv")
    assert "audience.csv" in response.headers["Content-Disposition"]
    rows = {row["handle"]: row for row in csv.DictReader(io.StringIO(response.body.decode()))}
    assert set(rows) == {"'=HYPERLINK(1)", "glos"}
    assert rows["glos"]["verdict"] == "too_early"
    assert rows["glos"]["usual_reach_per_hour"] == rows["glos"]["rank"] == ""
    assert rows["'=HYPERLINK(1)"]["sentence"].startswith("'=HYPERLINK(1) is not connected")


def test_who_may_read_the_register_sees_the_ranking_and_nobody_else(client: Client, office: Office) -> None:
    account = office.account("glos")
    here, there = office.company.warsaw.unit_id, office.company.tehran.unit_id
    read = {PATH, f"{PATH}?unit={here}", f"{PATH}/{account.account_id}", f"{PATH}/settings/{here}"}
    for role in Role:
        person = office.company.person(f"Osoba {role}", (role, office.company.warsaw))
        call = Api(client, office.company.token(person))
        reads, writes = (
            200 if right in ROLE_RIGHTS[role] else 403
            for right in (Right.REGISTER_READ, Right.REGISTER_WRITE)
        )
        assert {call("GET", path)[0] for path in read} == {reads}, role
        for path in (f"{PATH}?unit={there}", f"{PATH}/export?unit={there}", f"{PATH}/settings/{there}"):
            assert call("GET", path)[0] == 403, role
        own = office.audience.effort(office.company.operator, here).own.version
        assert call("PUT", f"{PATH}/settings/{here}", {"version": own})[0] == writes, role
        assert call("PUT", f"{PATH}/settings/{there}", {})[0] == 403, role


def test_what_is_not_there_is_not_found(lead: Api) -> None:
    for path in (f"{PATH}?unit=unit_nowhere", f"{PATH}/account_nowhere", f"{PATH}/settings/unit_nowhere"):
        assert lead("GET", path)[0] == 404


def test_effort_is_set_and_inherited(office: Office, lead: Api) -> None:
    root, warsaw = (f"{PATH}/settings/{u.unit_id}" for u in (office.company.root, office.company.warsaw))
    status, kept = lead("PUT", root, {"post_minutes": 90})
    assert (status, kept["own"]["version"], kept["holds"]["post_minutes"]) == (200, 1, 90)
    status, found = lead("GET", warsaw)
    assert (found["own"]["post_minutes"], found["holds"]["post_minutes"]) == (None, 90)
    assert set(found["explained"]) == set(found["holds"])
    assert lead("PUT", root, {"post_minutes": 60})[0] == 409


def test_what_is_asked_for_wrongly_is_refused_before_anything_is_read(office: Office, lead: Api) -> None:
    status, refused = lead("GET", f"{PATH}?weeks=3&units=a")
    assert (status, [problem["field"] for problem in refused["problems"]]) == (400, ["units", "weeks"])
    status, refused = lead("PUT", f"{PATH}/settings/{office.company.root.unit_id}", {"post_minutes": 0})
    assert (status, [problem["field"] for problem in refused["problems"]]) == (400, ["post_minutes"])
