"""The register over the API: listed, added, corrected, remembered; its sources and rules; the page."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.org.model import Person
from chalicelib.platform_changes.model import SourceKind
from chalicelib.platform_changes.source_settings import Sources
from chalicelib.wiring import Services
from tests.org.api import Api, serving
from tests.platform_changes.conftest import Office
from tests.platform_changes.test_tracker import Watch, source

PATH = "/v1/platform-changes"
TWEETS = ["POST /2/tweets"]


@pytest.fixture
def client(office: Office) -> Iterator[Client]:
    stage = office.stage
    cloud = SimpleNamespace(
        dynamodb=stage.dynamodb, sqs=stage.sqs, ssm=stage.ssm, s3=stage.s3, sesv2=stage.ses
    )
    services = Services(cloud, stage.clock, None, stage.settings.stage)
    catalogue = {"x_feed": source("x_feed"), "x_status": source("x_status", SourceKind.STATUS)}
    services.__dict__.update(
        changes=office.changes,
        change_rules=office.rulebook,
        change_sources=Sources(office.kernel, office.org, catalogue),
        change_page=office.page,
    )
    with serving(services) as client:
        yield client


def as_person(client: Client, office: Office, person: Person) -> Api:
    text, _ = office.org.issue_token(office.operator, person.person_id, "dla testów")
    return Api(client, text)


@pytest.fixture
def ops(client: Client, office: Office) -> Api:
    return as_person(client, office, office.ops)


@pytest.fixture
def author(client: Client, office: Office) -> Api:
    return as_person(client, office, office.author)


def test_a_change_from_being_added_to_being_done(office: Office, ops: Api, author: Api) -> None:
    office.account()
    body = {"platform": "x", "title": "Scopes", "text": "It is required now.", "operations": TWEETS}
    status, made = ops("POST", PATH, {**body, "effective_on": "2027-05-01", "url": "https://x.example/1"})
    assert (status, made["kind"], made["touching"]) == (
        201, "breaking", {"surfaces": ["publish a post"], "accounts": 1, "units": 1},
    )  # fmt: skip
    one = f"{PATH}/{made['change_id']}"
    plan = {"status": "planned", "owner_id": office.author.person_id, "due_on": "2027-01-10"}
    status, answer = ops("PATCH", one, {"version": made["version"], **plan})
    assert (status, answer["change"]["status"], answer["rule"]) == (200, "planned", None)
    assert "done" in answer["change"]["may_become"]
    assert ops("PATCH", one, {"version": made["version"], "status": "done"})[0] == 409
    status, noted = ops("POST", f"{one}/notes", {"text": " Zapytałem. "})
    assert (status, noted["notes"][0]["text"]) == (201, "Zapytałem.")
    status, answer = ops("PATCH", one, {"version": noted["version"], "status": "done"})
    assert status == 200
    status, shown = author("GET", one)
    assert status == 200
    assert shown["change"] == answer["change"]
    assert {row["what"] for row in shown["history"]} == {
        "found",
        "became planned",
        "note added",
        "became done",
    }


def test_lists_are_filtered_and_paged(office: Office, author: Api) -> None:
    office.account()
    for n in range(3):
        office.stage.clock.advance(minutes=1)
        office.found(f"Thing {n} was removed", operations=(f"GET /2/things{n}",))
    office.breaking()
    office.found("New polls", platform="linkedin")
    status, page = author("GET", f"{PATH}?platform=x&limit=3")
    _, rest = author("GET", f"{PATH}?platform=x&limit=3&cursor={page['cursor']}")
    assert (status, rest["cursor"], len({c["change_id"] for c in page["changes"] + rest["changes"]})) == (
        200,
        None,
        4,
    )
    assert [c["title"] for c in author("GET", f"{PATH}?touching=true")[1]["changes"]] == [
        "POST /2/tweets requires a new scope"
    ]
    assert [c["platform"] for c in author("GET", f"{PATH}?kind=new")[1]["changes"]] == ["linkedin"]
    assert author("GET", f"{PATH}?open=false")[1]["changes"] == []
    assert author("GET", f"{PATH}?status=done")[1]["changes"] == []


def test_a_correction_with_remember_is_a_rule_from_then_on(office: Office, ops: Api, author: Api) -> None:
    made = office.breaking()
    one = f"{PATH}/{made.change_id}"
    correction = {
        "version": made.version, "kind": "policy", "status": "not_ours", "remember": True,
        "words": ["new scope"], "why": "Ops has all scopes.",
    }  # fmt: skip
    status, answer = ops("PATCH", one, correction)
    assert (status, answer["change"]["kind"], answer["rule"]["ours"], answer["rule"]["platform"]) == (
        200, "policy", False, "x",
    )  # fmt: skip
    listed = author("GET", f"{PATH}/rules")[1]["rules"]
    assert listed[0] == answer["rule"]
    assert [rule["rule_id"] for rule in listed[1:3]] == ["ads_only", "not_an_api"]
    following = office.found("A new scope for reading lists is required", source="x_docs")
    assert following is not None
    assert (following.kind, following.status) == ("policy", "not_ours")
    assert ops("DELETE", f"{PATH}/rules/{answer['rule']['rule_id']}")[0] == 204
    assert ops("DELETE", f"{PATH}/rules/{answer['rule']['rule_id']}")[0] == 404
    after = office.found("Another new scope is required for collections", source="x_third")
    assert after is not None
    assert after.kind == "breaking"


def test_a_rule_is_made_by_hand(ops: Api) -> None:
    status, rule = ops(
        "POST", f"{PATH}/rules", {"ours": False, "words": ["instant game*"], "platform": "facebook"}
    )
    assert (status, rule["kind"], rule["ours"], rule["platform"]) == (201, None, False, "facebook")


def test_sources_are_listed_with_what_is_wrong_and_set(office: Office, ops: Api, author: Api) -> None:
    status, listed = author("GET", f"{PATH}/sources")
    assert (status, [s["key"] for s in listed["sources"]]) == (200, ["x_feed", "x_status"])
    assert (listed["sources"][0]["looked_at"], listed["sources"][0]["wrong"]) == (None, "")
    watch = Watch(office, {"x_feed": source("x_feed")}, {"x_feed": "!"})
    watch.look("x_feed")
    failing = author("GET", f"{PATH}/sources")[1]["sources"][0]
    assert (failing["wrong"], failing["failing_since"]) == (
        "A page came where a feed was.",
        "2026-11-23T12:00:00Z",
    )
    one = f"{PATH}/sources/x_feed"
    body = {"version": 0, "url": "https://elsewhere.example/feed", "every_minutes": 60}
    status, kept = ops("PUT", one, body)
    assert (status, kept["url"], kept["known"], kept["every_minutes"], kept["version"], kept["wrong"]) == (
        200, body["url"], "company", 60, 1, "",
    )  # fmt: skip
    assert ops("PUT", one, body)[0] == 409
    status, off = ops("PUT", one, {"version": 1, "off": True})
    assert (status, off["off"], off["url"]) == (200, True, "https://docs.example/x_feed")
    assert author("PUT", one, {"version": 2})[0] == 403
    assert ops("PUT", f"{PATH}/sources/nothing", {"version": 0})[0] == 404


@pytest.mark.parametrize(("method", "path", "body", "fields"), [
    ("POST", PATH, {}, {"platform", "title"}),
    ("POST", PATH, {"platform": "X!", "title": "a\nb", "url": "javascript:1", "kind": "nice",
                    "effective_on": "soon", "more": 1},
     {"platform", "title", "url", "kind", "effective_on", "more"}),
    ("POST", PATH, {"platform": "friendster", "title": "x"}, {"platform"}),
    ("POST", PATH, {"platform": "x", "title": "x", "touching": ["flying"], "owner_id": "person_0"},
     {"touching", "owner_id"}),
    ("PATCH", "one", {}, {"version"}),
    ("PATCH", "one", {"version": 1}, {"body"}),
    ("PATCH", "one", {"version": 1, "status": "nice", "due_on": "x", "kind": "y"},
     {"status", "due_on", "kind"}),
    ("PATCH", "one", {"version": 1, "kind": "new", "words": ["scope"]}, {"body"}),
    ("PATCH", "one", {"version": 1, "kind": "new", "remember": True}, {"words"}),
    ("PATCH", "one", {"version": 1, "kind": "new", "remember": True, "words": ["nowhere"]}, {"words"}),
    ("PATCH", "one", {"version": 1, "status": "planned"}, {"status"}),
    ("PATCH", "one", {"version": 1, "due_on": "2020-01-01", "touching": ["flying"], "owner_id": "person_0"},
     {"due_on", "touching", "owner_id"}),
    ("POST", "one/notes", {"text": "  "}, {"text"}),
    ("POST", f"{PATH}/rules", {}, {"body"}),
    ("POST", f"{PATH}/rules", {"kind": "new", "words": ["..."]}, {"words.0"}),
    ("POST", f"{PATH}/rules", {"kind": "nice", "ours": 7, "words": ["a\nb"]}, {"kind", "ours", "words.0"}),
    ("PUT", f"{PATH}/sources/x_feed", {"url": "ftp://plain.example", "every_minutes": 1},
     {"version", "url", "every_minutes"}),
    ("GET", f"{PATH}?touching=maybe&limit=0&kind=nice&more=1", None, {"touching", "limit", "kind", "more"}),
    ("GET", f"{PATH}?cursor=abc", None, {"cursor"}),
])  # fmt: skip
def test_everything_that_is_wrong_is_said_at_once(
    office: Office, ops: Api, method: str, path: str, body: Any, fields: set[str]
) -> None:
    made = office.breaking()
    before = office.everything()
    status, answer = ops(method, path.replace("one", f"{PATH}/{made.change_id}"), body)
    assert (status, {p["field"] for p in answer["problems"]}) == (400, fields), answer
    assert office.everything() == before


def test_a_second_post_with_the_same_key_adds_nothing(office: Office, ops: Api) -> None:
    body = {"platform": "x", "title": "Gossip"}
    first, again = (ops("POST", PATH, body, **{"Idempotency-Key": "raz"}) for _ in range(2))
    assert first == again
    assert len(office.everything()) == 1


def test_who_may_only_read_changes_nothing(office: Office, author: Api) -> None:
    made = office.breaking()
    one = f"{PATH}/{made.change_id}"
    for method, path, body in (
        ("POST", PATH, {"platform": "x", "title": "x"}), ("PATCH", one, {"version": 1, "kind": "new"}),
        ("POST", f"{one}/notes", {"text": "x"}), ("POST", f"{PATH}/rules", {"kind": "new", "words": ["xy"]}),
        ("DELETE", f"{PATH}/rules/stops", None), ("PUT", f"{PATH}/sources/x_feed", {"version": 0}),
    ):  # fmt: skip
        assert author(method, path, body)[0] == 403, (method, path)
    assert office.get(made) == made
    assert author("GET", f"{PATH}/change_none")[0] == 404


def test_the_page_is_served_with_its_headers(office: Office, client: Client) -> None:
    office.account()
    made = office.breaking()
    token = office.token(office.ops)
    got = client.http.get(f"/p/{token}", headers={"Accept-Language": "en"})
    assert (got.status_code, got.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert office.get(made) == made
    due_on = (office.now + timedelta(days=9)).date()
    body = f"move=planned&due_on={due_on}&seen={made.version}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.http.post(f"/p/{token}", headers=form, body=body.encode()).status_code == 200
    assert office.get(made).due_on == due_on
    assert client.http.get(f"/p/{'A' * 43}", headers={}).status_code == 410
