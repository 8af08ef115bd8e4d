"""The briefing and the radar over the API, and the page and the feed as API Gateway calls them."""

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import feedparser
import pytest
from chalice.test import Client

from chalicelib.org.model import Person
from chalicelib.org.roles import Role
from chalicelib.wiring import Services
from tests.fakes.stage import Stage
from tests.org.api import Api, serving
from tests.org.company import Company
from tests.platform_changes.briefing_desk import WEEK, Desk

BRIEFING, RADAR = "/v1/platform-changes/briefing", "/v1/platform-changes/radar"


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(Company.create(stage))


@pytest.fixture
def client(desk: Desk) -> Iterator[Client]:
    stage = desk.stage
    cloud = SimpleNamespace(
        dynamodb=stage.dynamodb, sqs=stage.sqs, ssm=stage.ssm, s3=stage.s3, sesv2=stage.ses
    )
    services = Services(cloud, stage.clock, None, stage.settings.stage)
    given = {"briefings": desk.briefings, "briefing_page": desk.page, "radar": desk.radar}
    services.__dict__.update(given)
    with serving(services) as client:
        yield client


def as_person(client: Client, desk: Desk, person: Person) -> Api:
    return Api(client, desk.company.token(person))


def evaluation(desk: Desk, **more: Any) -> dict[str, Any]:
    return {
        "name": "Flip",
        "audience": {"level": "high", "words": "Two thirds of our pupils."},
        "review_on": "2026-12-07",
        "owner_id": desk.ola.person_id,
        **more,
    }


def test_a_week_as_it_was_written_and_what_there_is_to_tell_now(desk: Desk, client: Client) -> None:
    desk.change("Version 202512 is sunset", effective_on=date(2026, 12, 15))
    desk.monday()
    desk.change("Of Bluesky", platform="bluesky")
    desk.stage.clock.advance(seconds=1)
    ops = as_person(client, desk, desk.ola)
    status, shown = ops("GET", f"{BRIEFING}?week={WEEK}")
    assert status == 200
    assert shown["minute"][0] == "1 change at our platforms concerns us this week."
    (task,) = shown["tasks"]
    assert (task["work"], task["on"], task["platform"]) == ("change", "2026-12-15", "LinkedIn")
    assert (shown["changed"][0]["abilities"], shown["changed"][0]["accounts"]) == (["publish"], 12)
    assert [t["title"] for t in ops("GET", BRIEFING)[1]["changed"]] == ["Of Bluesky"]
    now = ops("GET", f"{BRIEFING}?platform=linkedin")[1]
    assert (now["platform"], now["changed"], len(now["tasks"])) == ("linkedin", [], 1)
    assert "۱" in as_person(client, desk, desk.hooman)("GET", f"{BRIEFING}?week={WEEK}")[1]["minute"][0]


def test_a_week_that_is_none_and_one_that_was_not_written(desk: Desk, client: Client) -> None:
    ops = as_person(client, desk, desk.ola)
    assert ops("GET", f"{BRIEFING}?week=2026-W48")[0] == 404
    status, told = ops("GET", f"{BRIEFING}?week=2026-W60&platform=Big!")
    assert (status, {problem["field"] for problem in told["problems"]}) == (400, {"week", "platform"})


def test_a_platform_on_the_radar_from_its_first_day_to_its_last(desk: Desk, client: Client) -> None:
    ops = as_person(client, desk, desk.ola)
    status, added = ops("POST", RADAR, evaluation(desk))
    assert (status, added["decision"], added["audience"]["level"]) == (201, "watch", "high")
    path = f"{RADAR}/{added['prospect_id']}"
    assert ops("GET", path) == (200, added)
    changed = evaluation(desk, decision="refuse", why="Too young.", review_on=None, version=1)
    status, judged = ops("PUT", path, changed)
    assert (status, judged["decision"], judged["version"]) == (200, "refuse", 2)
    assert ops("PUT", path, changed)[0] == 409
    assert ops("GET", RADAR) == (200, {"prospects": [judged]})
    assert ops("DELETE", path) == (204, None)
    assert ops("GET", path)[0] == 404


def test_every_problem_of_an_evaluation_comes_back_at_once(desk: Desk, client: Client) -> None:
    wrong = {
        "name": "a\nb",
        "url": "javascript:1",
        "risk": {"level": "huge"},
        "review_on": 7,
        "owner_id": "a b",
        "more": 1,
    }
    status, told = as_person(client, desk, desk.ola)("POST", RADAR, wrong)
    fields = {problem["field"].partition(".")[0] for problem in told["problems"]}
    assert (status, fields) == (400, set(wrong))


def test_every_role_reads_and_only_lead_and_ops_judge(desk: Desk, client: Client) -> None:
    for role in Role:
        api = as_person(client, desk, desk.person(f"Ktoś {role}", role, "en"))
        assert api("GET", BRIEFING)[0] == 200, role
        assert api("GET", RADAR)[0] == 200, role
        expected = 201 if role in (Role.LEAD, Role.OPS) else 403
        assert api("POST", RADAR, evaluation(desk))[0] == expected, role
    outside = as_person(client, desk, desk.company.person("Nikt"))
    assert outside("GET", BRIEFING)[0] == 403


def test_the_page_and_the_feed_are_served_to_get_and_head_alone(desk: Desk, client: Client) -> None:
    desk.change("Version 202512 is sunset")
    desk.monday()
    path = f"/b/{desk.token(desk.ola)}"
    page = client.http.get(path)
    assert (page.status_code, b"Version 202512 is sunset" in page.body) == (200, True)
    assert client.http.request("HEAD", path).status_code == 200
    feed = client.http.get(f"{path}/feed.xml")
    assert feed.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert feedparser.parse(feed.body).bozo is False
    assert client.http.get(f"/b/{'x' * 43}/feed.xml").status_code == 410
    assert client.http.post(path, body=b"a=1").status_code == 405
