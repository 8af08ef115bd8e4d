"""What every route has in common, through the real app and its real routes."""

import base64
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import app
from chalicelib import wiring
from chalicelib.core.endpoint import HEADERS, MAX_BODY_BYTES, MAX_PROBLEMS
from chalicelib.org.model import Language, operator
from tests.core.conftest import Lines
from tests.fakes.stage import Stage

TEXT = "a text nobody may read"


class Api:
    """Calls the Lambda's handler with API Gateway's events, so that any body at all can be sent."""

    def __init__(self, services: wiring.Services, token: str, root: str) -> None:
        self.services = services
        self.token = token
        self.root = root

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        route: str | None = None,
        parameters: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        is_base64: bool = False,
        **headers: str,
    ) -> tuple[int, Any]:
        """The status and the JSON answered; bytes travel as base64, as binary bodies do."""
        sent = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        event = {
            "requestContext": {"httpMethod": method, "resourcePath": route or path, "requestId": "request-7"},
            "headers": {k: v for k, v in sent.items() if v},
            "multiValueQueryStringParameters": {k: [v] for k, v in (query or {}).items()} or None,
            "pathParameters": parameters,
            "stageVariables": None,
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": is_base64 or isinstance(body, bytes),
        }
        answer = app.app(event, SimpleNamespace(aws_request_id="request-7"))
        self.headers = answer["headers"]
        self.text = answer["body"]
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None

    def add_unit(self, body: Any, **headers: str) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        return self("POST", "/v1/units", raw, None, None, None, False, **headers)

    def unit(self, name: str) -> dict[str, str]:
        return {"name": name, "kind": "district", "parent_id": self.root}


@pytest.fixture
def api(stage: Stage) -> Iterator[Api]:
    cloud = SimpleNamespace(
        dynamodb=stage.dynamodb, sqs=stage.sqs, ssm=stage.ssm, s3=stage.s3, sesv2=stage.ses
    )
    services = wiring.Services(cloud, stage.clock, of_stage=stage.settings.stage)
    admin = operator("test", stage.clock.now())
    lead = services.org.first_lead("Zorza", "Zofia", "z@example.org", "Europe/Warsaw", Language.POLISH, admin)
    token, _ = services.org.issue_token(admin, lead.person_id, "test")
    (root,) = services.org.units()
    wiring.use(services)
    yield Api(services, token, root.unit_id)
    wiring.use(None)


# Problems


def test_every_problem_is_reported_at_once_under_its_field(api: Api) -> None:
    status, answer = api.add_unit({"name": "", "kind": "galaxy", "goals": ["a", 3], "surprise": 1})

    assert status == 400
    assert answer["error"] == "invalid_input"
    assert {p["field"] for p in answer["problems"]} >= {"name", "kind", "parent_id", "goals.1", "surprise"}
    assert answer["message"] == f"{len(answer['problems'])} problems in what was sent."
    assert all(p["message"] for p in answer["problems"])


DEEP = 100_000
HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b"   ",
    "not json": b"hello",
    "half": b'{"name": "x"',
    "a text": b'"x"',
    "null": b"null",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep in a field": b'{"name": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "NaN": b'{"name": NaN, "kind": "district", "parent_id": "x"}',
    "Infinity": b'{"name": "x", "kind": "district", "parent_id": "x", "goals": [-Infinity]}',
    "half a pair": rb'{"name": "\ud800", "kind": "district", "parent_id": "x"}',
    "half a pair as a name": rb'{"\udfff": "x"}',
    "bad UTF-8": b'{"name": "\xff\xfe", "kind": "district", "parent_id": "x"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a number of 5,000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "a huge exponent": b'{"name": 1e999999}',
    "a name twice": b'{"name": "a", "name": "b", "kind": "district", "parent_id": "x"}',
    "NUL": b'{"name": "a\\u0000b", "kind": "district", "parent_id": "x"}',
    "a BOM": b'\xef\xbb\xbf{"name": "x"}',
    "a surprise": b'{"__class__": "os.system", "__proto__": {"a": 1}}',
    "ten megabytes": b'{"name": "' + b"x" * 10_000_000 + b'"}',
    "as long as may be": b'{"name": "' + b"x" * (MAX_BODY_BYTES - 13) + b'"}',
}


@pytest.mark.parametrize("as_text", [False, True], ids=["base64", "text"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_the_callers_problem_and_never_ours(api: Api, name: str, as_text: bool) -> None:
    raw = HOSTILE[name]
    body = raw.decode("utf-8", "surrogateescape") if as_text else raw

    status, answer = api.add_unit(body)

    assert 400 <= status < 500, answer
    assert status == (413 if len(raw) > MAX_BODY_BYTES else 400)
    assert len(api.text.encode("utf-8", "surrogatepass")) < 100_000
    assert len(api.services.org.units()) == 1


def test_a_body_that_only_says_it_is_base64_is_refused(api: Api) -> None:
    assert api("POST", "/v1/units", "{}%", is_base64=True)[0] == 400


def test_a_hundred_thousand_problems_are_not_an_answer_too_large_to_send(api: Api) -> None:
    body = "{" + ",".join(f'"k{n}":1' for n in range(90_000)) + "}"

    status, answer = api.add_unit(body)

    assert status == 400
    assert len(answer["problems"]) == MAX_PROBLEMS + 1
    assert answer["problems"][-1]["message"].endswith("problems more")
    assert len(api.text) < 100_000


def test_a_name_sent_twice_is_named_at_any_depth(api: Api) -> None:
    body = '{"name": "a", "kind": "district", "parent_id": "x", "goals": ["g"], "goals": ["h"]}'

    status, answer = api.add_unit(body)

    assert (status, answer["problems"]) == (
        400, [{"field": "goals", "message": "comes twice in the same object; send it once"}],
    )  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_at_all_is_a_500(api: Api, body: bytes) -> None:
    status, answer = api.add_unit(body)
    assert status == 400, answer


@pytest.mark.parametrize("name", ["x" * 300, "a#b", "\ud800", " ", "ż", "..", "%00", "a/b"])
def test_a_path_that_names_nothing_is_not_found(api: Api, name: str) -> None:
    status, _ = api("GET", f"/v1/units/{name}", None, "/v1/units/{unit_id}", {"unit_id": name})
    assert status == 404


# What an address is asked


def test_every_problem_of_a_query_is_reported_at_once_under_its_name(api: Api) -> None:
    status, answer = api("GET", "/v1/people", query={"limit": "0", "cursor": "x", "nmae": "Ola"})

    assert (status, answer["error"]) == (400, "invalid_input")
    assert {p["field"] for p in answer["problems"]} == {"limit", "cursor", "nmae"}
    (strange,) = [p["message"] for p in answer["problems"] if p["field"] == "nmae"]
    assert strange == "this address does not take it; it takes limit, cursor"


def test_problems_of_query_and_body_are_reported_at_once(api: Api) -> None:
    status, answer = api("POST", "/v1/units", "{}", query={"dry_run": "true"})

    assert status == 400
    assert {p["field"] for p in answer["problems"]} == {"dry_run", "name", "kind", "parent_id"}
    assert len(api.services.org.units()) == 1


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.dictionaries(st.sampled_from(["limit", "cursor", "\ud800"]) | st.text(), st.text(), min_size=1)
)
@example(query={"\ud800": "\udfff"})
@example(query={"cursor": "\udfff"})
@example(query={"x" * 100_000: ""})
def test_no_query_at_all_is_a_500(api: Api, query: dict[str, str]) -> None:
    status, _ = api("GET", "/v1/people", query=query)

    assert status == 400 or (status == 200 and query.keys() <= {"limit", "cursor"})
    assert len(api.text.encode()) < 100_000


# Who asks


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic abc", "bearer sb_" + "x" * 43, "Bearer \ud800", "Bearer " + "x" * 10**5],
)
def test_no_token_or_one_that_does_not_work_is_401_and_says_what_to_do(api: Api, header: str) -> None:
    status, answer = api("GET", "/v1/me", authorization=header)

    assert (status, answer["error"]) == (401, "not_signed_in")
    assert answer["message"]


def test_every_answer_carries_the_headers_that_keep_it_to_itself(api: Api) -> None:
    for path, expected in (("/v1/me", 200), ("/v1/units", 200), ("/", 200)):
        status, _ = api("GET", path)
        assert status == expected
        assert HEADERS.items() <= api.headers.items()
        assert api.headers["Content-Type"] == "application/json; charset=utf-8"


# What Chalice answers before any of our views runs


def test_a_method_that_no_route_takes_is_refused_in_the_shape_of_every_error(api: Api) -> None:
    status, answer = api("DELETE", "/v1/units")

    assert (status, answer["error"]) == (405, "method_not_allowed")
    assert set(answer) == {"error", "message"}
    assert "GET, POST" in answer["message"]
    assert api.headers["Allow"] == "GET, POST"
    assert HEADERS.items() <= api.headers.items()
    assert api.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("path", ["/v1/units", "/a/{token}"])
def test_a_content_type_that_no_route_takes_is_refused_in_the_same_shape(api: Api, path: str) -> None:
    status, answer = api("POST", path, "<x/>", path, {"token": "x"}, content_type="application/xml")

    assert (status, answer["error"]) == (415, "unsupported_media_type")
    assert "application/json" in answer["message"]
    assert "application/xml" not in api.text
    assert HEADERS.items() <= api.headers.items()


# Idempotency-Key


def names(api: Api) -> list[str]:
    return sorted(unit.name for unit in api.services.org.units())


def test_a_retry_with_the_same_key_gets_the_first_answer_and_makes_nothing_twice(api: Api) -> None:
    first = api.add_unit(api.unit("Łódź"), idempotency_key="k1")
    second = api.add_unit(api.unit("Łódź"), idempotency_key="k1")

    assert first == second
    assert first[0] == 201
    assert names(api) == ["Zorza", "Łódź"]


def test_the_same_key_with_another_body_is_a_conflict(api: Api) -> None:
    api.add_unit(api.unit("Łódź"), idempotency_key="k1")

    status, answer = api.add_unit(api.unit("Kraków"), idempotency_key="k1")

    assert (status, answer["error"]) == (409, "conflict")
    assert "Idempotency-Key" in answer["message"]
    assert names(api) == ["Zorza", "Łódź"]


def test_the_same_key_on_another_address_is_a_conflict_too(api: Api) -> None:
    _, one = api("POST", "/v1/people", json.dumps(person("a@example.org")))
    _, two = api("POST", "/v1/people", json.dumps(person("b@example.org")))

    def grant(person_id: str) -> tuple[int, Any]:
        path, route = f"/v1/people/{person_id}/grants", "/v1/people/{person_id}/grants"
        body = json.dumps({"role": "author", "unit_id": api.root})
        return api("POST", path, body, route, {"person_id": person_id}, idempotency_key="k")

    assert grant(one["person_id"])[0] == 201
    assert grant(two["person_id"])[0] == 409
    assert api.services.org.grants_of(two["person_id"]) == ()


def person(email: str) -> dict[str, str]:
    return {"name": "Anna", "email": email, "zone": "Europe/Warsaw", "language": "pl"}


def test_keys_of_two_people_do_not_meet(api: Api) -> None:
    api.add_unit(api.unit("Łódź"), idempotency_key="k1")
    admin = operator("test", api.services.clock.now())
    lead = next(p for p in api.services.org.people(10, "")[0])
    other = api.services.org.add_person(admin, "Ewa", "e@example.org", "UTC", Language.ENGLISH)
    from chalicelib.org.roles import Role

    api.services.org.grant(admin, other.person_id, Role.LEAD, api.root)
    api.token, _ = api.services.org.issue_token(admin, other.person_id, "test")
    assert lead.person_id != other.person_id

    assert api.add_unit(api.unit("Kraków"), idempotency_key="k1")[0] == 201
    assert names(api) == ["Kraków", "Zorza", "Łódź"]


@pytest.mark.parametrize("key", ["ż", "a\tb", "x" * 201, "\x7f"])
def test_a_key_that_cannot_be_one_is_refused(api: Api, key: str) -> None:
    status, answer = api.add_unit(api.unit("Łódź"), idempotency_key=key)

    assert status == 400
    assert answer["problems"][0]["field"] == "Idempotency-Key"
    assert names(api) == ["Zorza"]


# What is logged


def test_neither_token_nor_text_nor_key_reaches_the_log(api: Api, lines: Lines) -> None:
    api.add_unit(api.unit(TEXT), idempotency_key="my-own-key")
    api.add_unit({**api.unit(TEXT), "kind": TEXT})
    api("GET", "/v1/me", authorization=f"Bearer sb_{'x' * 43}")
    api("GET", "/v1/people", query={"cursor": TEXT})

    assert [line["message"] for line in lines.read] == ["refused"] * 3
    for part in (TEXT, api.token, "x" * 43, "my-own-key", "z@example.org"):
        assert part not in lines.text


def test_what_breaks_on_our_side_is_a_number_for_ops_and_no_detail(api: Api, lines: Lines) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise ValueError(TEXT)

    api.services.__dict__["org"] = Broken()

    status, answer = api("GET", "/v1/me")

    assert (status, answer["error"]) == (500, "unexpected")
    assert "request-7" in answer["message"]
    assert TEXT not in api.text + lines.text
    (line,) = lines.read
    assert (line["message"], line["correlation_id"], line["exception_name"]) == (
        "unexpected",
        "request-7",
        "ValueError",
    )
