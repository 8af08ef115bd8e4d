"""Every route of the app with every role, with hostile requests, and against its own description."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import app
from chalicelib.core.clock import FixedClock
from chalicelib.core.endpoint import REGISTRY
from chalicelib.core.paging import cursor_of, listing_of
from chalicelib.openapi import document
from chalicelib.org.model import Person, operator
from chalicelib.org.roles import ROLE_RIGHTS, Right, Role
from tests.conftest import NOON, TEMPLATE
from tests.fakes.box import Box
from tests.fakes.stage import Stage
from tests.publishing.api import FORM, Desk, gateway

ROUTES = [
    (path, method, entry.view_function.__name__)
    for path, methods in sorted(app.app.routes.items())
    for method, entry in sorted(methods.items())
]
OURS = [route for route in ROUTES if route[2] in REGISTRY]
OPEN = {
    ("/", "GET"),
    ("/openapi.json", "GET"),
    *((f"/{page}/{{token}}", method) for page in "acdkpqr" for method in ("GET", "HEAD", "POST")),
    *((page, method) for page in ("/registry", "/registry.json", "/report") for method in ("GET", "HEAD")),
    *((f"/b/{{token}}{page}", method) for page in ("", "/feed.xml") for method in ("GET", "HEAD")),
    ("/report", "POST"),
    *((f"/webhooks/{{platform}}{app}", method) for app in ("", "/{app}") for method in ("GET", "POST")),
}


@pytest.fixture(scope="module")
def desk(moto_cloud: None) -> Iterator[Desk]:
    """One desk for the module: nothing here changes what another test looks at."""
    box = Box.open(Stage.create("r" + uuid.uuid4().hex[:9], TEMPLATE, FixedClock(NOON)))
    with Desk.open(box) as opened:
        yield opened


@pytest.fixture(scope="module")
def people(desk: Desk) -> dict[Role, Person]:
    return {role: desk.person(role, role) for role in Role}


@pytest.fixture(scope="module")
def leaver(desk: Desk) -> str:
    """The token of somebody who could do everything until they left."""
    person = desk.person("Byly", Role.LEAD)
    token = desk.token(person)
    desk.box.services.org.mark_left(operator("test", desk.box.now), person.person_id)
    return token


def call(path: str, method: str, token: str | None, values: dict[str, str] | None = None, **more: Any) -> Any:
    names = {name: (values or {}).get(name, f"{name}_none") for name in re.findall(r"{(\w+)}", path)}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return gateway(method, path, names, **{**more, "headers": {**headers, **more.get("headers", {})}})


def test_every_route_asks_for_a_right_or_is_meant_to_be_open() -> None:
    assert {(path, method) for path, method, name in ROUTES if name not in REGISTRY} == OPEN
    assert all(isinstance(REGISTRY[name].right, Right) or REGISTRY[name].right is None for _, _, name in OURS)
    # Without a right of its own: what everybody may do for themselves; the service looks whose it is.
    anybody = {name for _, _, name in OURS if REGISTRY[name].right is None}
    assert anybody == {
        "show_me", "change_person", "set_person_away", "return_person", "list_tokens", "revoke_token",
    }  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_past_exactly_the_doors_that_its_rights_open(
    desk: Desk, people: dict[Role, Person], role: Role
) -> None:
    token = desk.token(people[role])
    for path, method, name in OURS:
        right = REGISTRY[name].right
        own = {"person_id": people[role].person_id} if right is None else {}
        status, _, answer = call(path, method, token, own)
        lacks = status == 403 and "this needs the right" in answer["message"]
        allowed = right is None or right in ROLE_RIGHTS[role]
        assert lacks != allowed, (method, path, status, answer)
        assert status not in (401, 500), (method, path, answer)


def test_nobody_without_a_working_token_gets_past_any_door(desk: Desk, leaver: str) -> None:
    for token in (None, leaver, "sb_" + "A" * 43):
        for path, method, _ in OURS:
            status, headers, answer = call(path, method, token)
            assert (status, answer["error"]) == (401, "not_signed_in"), (method, path)
            assert headers["Cache-Control"] == "no-store"


def test_what_is_open_shows_no_more_than_it_must(desk: Desk) -> None:
    for path, method in OPEN:
        status, _, body = call(path, method, None, headers=FORM if method == "POST" else {})
        gone = dict.fromkeys("abcdkpqr", 410)
        expected = {**gone, "webhooks": 404, "report": 400 if method == "POST" else 200}.get(
            path.split("/")[1], 200
        )
        assert status == expected, (path, method)
        assert "zorza.test" not in str(body)


# The description


def test_the_openapi_document_is_valid_and_names_every_route_with_its_body() -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    made = json.loads(json.dumps(document()))
    OpenAPIV31SpecValidator(made).validate()
    described = {(path, method.upper()) for path, methods in made["paths"].items() for method in methods}
    assert described == {(path, method) for path, method, _ in OURS}
    assert all(path.startswith("/v1/") for path, _ in described)
    for path, method, name in OURS:
        operation, known = made["paths"][path][method.lower()], REGISTRY[name]
        assert ("requestBody" in operation) == (known.body is not None), name
        if known.body is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            model = made["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert set(model["properties"]) == set(known.body().model_fields), name
            assert model["additionalProperties"] is False, name
        assert operation["summary"], name
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), name
        assert any(p["name"] == "Idempotency-Key" for p in operation["parameters"]) == known.idempotent, name


def test_every_answer_of_the_main_path_is_as_described(desk: Desk) -> None:
    """What the API gives back has the shape that the document promises."""
    from jsonschema import Draft202012Validator

    made = json.loads(json.dumps(document()))
    box = desk.box
    account = box.account("opisane")
    author = desk.api(box.author)
    _, media = author("POST", "/v1/media", {"name": "a.png", "mime": "image/png"})
    _, post = author("POST", "/v1/posts", desk.body([account], in_=600))
    at = f"/v1/posts/{post['post_id']}"
    seen = [("/v1/media", "post", media), ("/v1/posts", "post", post)]
    seen += [
        ("/v1/posts/{post_id}", "get", author("GET", at)[1]),
        ("/v1/posts", "get", author("GET", "/v1/posts")[1]),
    ]
    seen += [("/v1/posts/{post_id}/preview", "get", author("GET", f"{at}/preview")[1])]
    seen += [("/v1/posts/{post_id}/submit", "post", author("POST", f"{at}/submit")[1])]
    seen += [("/v1/posts/{post_id}/history", "get", author("GET", f"{at}/history")[1])]
    lead = desk.api(box.lead)
    hold = {"scope": "account", "value": account.account_id, "reason": "x"}
    _, made_hold = lead("POST", "/v1/holds", hold)
    seen += [("/v1/holds", "post", made_hold), ("/v1/holds", "get", lead("GET", "/v1/holds")[1])]
    hold_id = made_hold["hold_id"]
    seen += [("/v1/holds/{hold_id}", "get", lead("GET", f"/v1/holds/{hold_id}")[1])]
    seen += [("/v1/holds/{hold_id}/lift", "post", lead("POST", f"/v1/holds/{hold_id}/lift", {"why": "x"})[1])]
    for path, method, answer in seen:
        schema = made["paths"][path][method]["responses"]["2XX"]["content"]["application/json"]["schema"]
        assert schema != {"type": "object"}, path
        Draft202012Validator({**schema, "components": made["components"]}).validate(answer)
    assert {r["what"] for r in seen[6][2]["history"]} == {"drafted", "submitted"}
    assert [r["state"] for r in seen[6][2]["approvals"]] == ["open"]


# Hostile requests

IDS = st.one_of(
    st.text(min_size=1, max_size=40),
    st.sampled_from(["ż", "a/b", "..", "post#x", "x" * 200, "x" * 201, "y" * 3000, "\x00", "%00", "ا" * 900]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30)
    | st.sampled_from(["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "media_x", 10**40]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def bodies(name: str) -> st.SearchStrategy[bytes]:
    """Bodies with the fields that the route knows, and anything in them; and what is no JSON at all."""
    model = REGISTRY[name].body
    fields = list(model().model_fields) if model else ["x"]
    made = st.dictionaries(st.sampled_from(fields), VALUES, max_size=len(fields))
    odd = [b"", b"[", b"null", b"[]", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff\xfe", b"[" * 90_000]
    return made.map(lambda body: json.dumps(body).encode()) | st.sampled_from(odd) | st.binary(max_size=30)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    path, method, name = draw(st.sampled_from(OURS))
    names = re.findall(r"{(\w+)}", path)
    asked = REGISTRY[name].query
    known = [f.alias or n for n, f in asked().model_fields.items()] if asked else []
    query = draw(st.dictionaries(
        st.sampled_from(known or ["x"]) | st.text(max_size=3),
        st.lists(IDS, min_size=1, max_size=2), max_size=3,
    ))  # fmt: skip
    key = draw(st.none() | st.sampled_from(["k", "", "ż", "x" * 201, "a\nb", "\x00"]) | st.text(max_size=20))
    return {
        "path": path,
        "method": method,
        "values": {n: draw(IDS) for n in names},
        "query": query or None,
        "headers": {"Idempotency-Key": key} if key is not None else {},
        "body": draw(bodies(name)),
    }


def listing(start: str) -> dict[str, Any]:
    """Posts, from where a cursor says that this very listing goes on."""
    cursor = cursor_of(listing_of("list_posts", {}, {}), start)
    return {
        "path": "/v1/posts", "method": "GET", "values": {}, "query": {"cursor": [cursor]},
        "headers": {}, "body": b"",
    }  # fmt: skip


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=requests())
@example(made=listing("x"))
@example(made=listing("#" * 1024))
def test_no_request_is_answered_with_a_500_and_every_error_says_what_and_why(
    desk: Desk, made: dict[str, Any]
) -> None:
    token = desk.token(desk.box.lead)
    status, headers, answer = call(token=token, **made)
    assert status < 500, answer
    kept = ("text/csv",) if made["path"].endswith("/export") and status == 200 else ()
    assert headers["Content-Type"].startswith(("application/json", *kept))
    if status >= 400:
        assert set(answer) <= {"error", "message", "problems"}
        assert re.fullmatch(r"[a-z_]+", answer["error"])
        assert answer["message"]
        for problem in answer.get("problems", []):
            assert set(problem) <= {"field", "message", "over"}
            assert problem["message"]


@pytest.mark.parametrize("value", ["x" * 201, "y" * 3000, "ż", "ا" * 900, "a b", "post#x", "x/y", "\x00", ""])
def test_an_id_that_no_id_can_be_is_not_found(desk: Desk, value: str) -> None:
    token = desk.token(desk.box.lead)
    for path, method, name in OURS:
        for parameter in re.findall(r"{(\w+)}", path):
            status, _, answer = call(path, method, token, {parameter: value})
            assert (status, answer["error"]) == (404, "not_found"), (method, path, name)
