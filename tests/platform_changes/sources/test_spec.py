"""Specifications into operations, and what changed between two of them."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.model import Finding, Kind, SourceKind
from chalicelib.platform_changes.sources.reader import ChangedShape, reader
from tests.platform_changes.sources.kit import looks, source

SPEC = source(SourceKind.SPEC)
OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"version": "2.1"},
    "paths": {
        "/2/posts": {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PostCreate"}}}
                },
                "responses": {
                    "201": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Post"}}}
                    },
                    "400": {"content": {"application/json": {"schema": {"properties": {"gone": {}}}}}},
                },
            }
        },
        "/2/posts/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "parameters": [
                    {"$ref": "#/components/parameters/Expansions"},
                    {"name": "limit", "in": "query", "schema": {"type": "integer"}},
                ],
                "responses": {
                    "200": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Post"}}}
                    }
                },
            },
        },
    },
    "components": {
        "parameters": {
            "Expansions": {
                "name": "expansions",
                "in": "query",
                "schema": {"type": "array", "items": {"type": "string", "enum": ["author_id", "pinned_id"]}},
            }
        },
        "schemas": {
            "PostCreate": {
                "type": "object",
                "required": ["text"],
                "properties": {
                    "text": {"type": "string"},
                    "reply": {"type": "object", "properties": {"to_id": {"type": "string"}}},
                },
            },
            "Post": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "text": {"type": ["string", "null"], "description": "what it says"},
                    "author": {"$ref": "#/components/schemas/User"},
                    "quoted": {"$ref": "#/components/schemas/Post"},
                },
            },
            "User": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "post": {"$ref": "#/x/Post"}},
            },
            "Lonely": {"type": "object", "properties": {"never": {"type": "string"}}},
        },
    },
}
SCHEMAS = ("components", "schemas")
BOTH = ("GET /2/posts/{id}", "POST /2/posts")


def changed(*path: Any, to: Any = None, of: dict[str, Any] = OPENAPI) -> dict[str, Any]:
    """The specification with another value at a path, or with none."""
    document = copy.deepcopy(of)
    at: Any = document
    for step in path[:-1]:
        at = at[step]
    if to is None:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return document


def diff(after: dict[str, Any], before: dict[str, Any] = OPENAPI, **options: str) -> list[Finding]:
    return looks(source(SourceKind.SPEC, **options), json.dumps(before), json.dumps(after))


def test_the_first_look_only_learns() -> None:
    assert looks(SPEC, json.dumps(OPENAPI)) == []


def test_an_operation_that_is_gone_breaks() -> None:
    (found,) = diff(changed("paths", "/2/posts/{id}", "get"))
    assert (found.hint, found.operations) == (Kind.BREAKING, ("GET /2/posts/{id}",))


def test_an_operation_that_is_new_is_new() -> None:
    (found,) = diff(changed("paths", "/2/polls", to={"get": {"responses": {}}}))
    assert (found.hint, found.operations) == (Kind.NEW, ("GET /2/polls",))


def test_a_deprecated_operation_is_a_deprecation() -> None:
    (found,) = diff(changed("paths", "/2/posts", "post", "deprecated", to=True))
    assert (found.hint, found.operations, found.fields) == (Kind.DEPRECATION, ("POST /2/posts",), ())


def test_a_field_that_is_gone_from_a_shared_schema_is_one_finding_with_every_operation() -> None:
    (found,) = diff(changed(*SCHEMAS, "User", "properties", "name"))
    assert found.hint is Kind.BREAKING
    assert set(found.operations) == set(BOTH)
    assert {"name", "author.name"} <= set(found.fields)


def test_a_new_field_in_an_answer_is_new() -> None:
    (found,) = diff(changed(*SCHEMAS, "User", "properties", "verified", to={"type": "boolean"}))
    assert (found.hint, "verified" in found.fields) == (Kind.NEW, True)


def test_a_field_that_is_required_now_breaks_where_it_is_taken_and_not_where_it_is_answered() -> None:
    (taken,) = diff(changed(*SCHEMAS, "PostCreate", "required", to=["text", "reply"]))
    assert (taken.hint, taken.operations, taken.fields) == (Kind.BREAKING, ("POST /2/posts",), ("reply",))
    assert diff(changed(*SCHEMAS, "Post", "required", to=["id"])) == []


def test_a_new_field_breaks_only_when_it_is_required() -> None:
    with_tag = changed(*SCHEMAS, "PostCreate", "properties", "tag", to={"type": "string"})
    (optional,) = diff(with_tag)
    (required,) = diff(changed(*SCHEMAS, "PostCreate", "required", to=["text", "tag"], of=with_tag))
    assert (optional.hint, required.hint) == (Kind.NEW, Kind.BREAKING)


def test_a_field_of_another_type_breaks() -> None:
    (found,) = diff(changed(*SCHEMAS, "Post", "properties", "id", "type", to="integer"))
    assert (found.hint, set(found.operations)) == (Kind.BREAKING, set(BOTH))


def test_a_deprecated_field_is_a_deprecation() -> None:
    (found,) = diff(changed(*SCHEMAS, "PostCreate", "properties", "reply", "deprecated", to=True))
    assert (found.hint, found.fields) == (Kind.DEPRECATION, ("reply",))


def test_a_value_that_may_no_longer_be_sent_breaks() -> None:
    values = ("components", "parameters", "Expansions", "schema", "items", "enum")
    (found,) = diff(changed(*values, to=["author_id"]))
    assert (found.hint, found.fields) == (Kind.BREAKING, ("pinned_id",))
    (more,) = diff(changed(*values, to=["author_id", "pinned_id", "poll.id"]))
    assert (more.hint, more.fields) == (Kind.NEW, ("poll.id",))


def test_several_fields_of_one_operation_are_one_finding() -> None:
    document = changed(*SCHEMAS, "PostCreate", "properties", "reply")
    document = changed(*SCHEMAS, "PostCreate", "properties", "poll", to={"type": "object"}, of=document)
    document = changed("paths", "/2/posts/{id}", "parameters", 0, "name", to="post_id", of=document)
    (found,) = diff(document)
    assert (found.hint, set(found.fields)) == (Kind.BREAKING, {"reply", "poll"})


@pytest.mark.parametrize(
    "noise",
    [
        changed("info", "version", to="2.2"),
        changed(*SCHEMAS, "Post", "properties", "text", "description", to="its words"),
        changed(*SCHEMAS, "Post", "properties", "text", "type", to="string"),
        changed(*SCHEMAS, "Post", "properties", "id", to={"type": "string", "format": "snowflake"}),
        changed(*SCHEMAS, "Lonely"),
        changed(*SCHEMAS, "Lonely", "properties", "never", "type", to="integer"),
        changed("paths", "/2/posts", "post", "responses", "400"),
        changed("paths", "/2/posts", "post", "x-added", to=[1]),
    ],
)
def test_what_nobody_who_calls_would_notice_is_no_finding(noise: dict[str, Any]) -> None:
    assert diff(noise) == []


def test_another_name_of_a_parameter_in_a_path_is_no_finding() -> None:
    item = OPENAPI["paths"]["/2/posts/{id}"]
    renamed = {**item, "parameters": [{**item["parameters"][0], "name": "post_id"}]}
    document = changed("paths", "/2/posts/{id}")
    assert diff(changed("paths", "/2/posts/{post_id}", to=renamed, of=document)) == []


def test_a_schema_that_is_renamed_inlined_or_split_is_no_finding() -> None:
    renamed = json.loads(json.dumps(OPENAPI).replace("/User", "/Person").replace('"User"', '"Person"'))
    assert diff(renamed) == []
    inlined = changed(
        *SCHEMAS, "PostCreate", "properties", "reply", to={"$ref": "#/components/schemas/Reply"}
    )
    inlined["components"]["schemas"]["Reply"] = {
        "type": "object",
        "properties": {"to_id": {"type": "string"}},
    }
    assert diff(inlined) == []
    whole = OPENAPI["components"]["schemas"]["Post"]
    split = changed(*SCHEMAS, "Post", to={"allOf": [{"$ref": "#/components/schemas/Base"}]})
    split["components"]["schemas"]["Base"] = whole
    assert diff(split) == []


def test_an_alternative_asks_nothing_of_those_who_use_another() -> None:
    alternatives = [
        {"type": "object", "required": ["poll_id"], "properties": {"poll_id": {"type": "string"}}},
        {"$ref": "#/components/schemas/Card"},
    ]
    document = changed(*SCHEMAS, "PostCreate", "properties", "reply", "oneOf", to=alternatives)
    document["components"]["schemas"]["Card"] = {
        "required": ["uri"],
        "properties": {"uri": {"type": "string"}},
    }
    (found,) = diff(document)
    assert (found.hint, {"poll_id", "uri"} <= set(found.fields)) == (Kind.NEW, True)


def test_a_specification_that_was_cut_down_is_one_finding() -> None:
    many = changed("paths", to={f"/2/call{n}": {"get": {"responses": {}}} for n in range(50)})
    few = changed("paths", to={f"/2/call{n}": {"get": {"responses": {}}} for n in range(5)})
    (found,) = diff(few, many)
    assert (found.hint, len(found.operations)) == (Kind.BREAKING, 45)


def test_swagger_2_is_read_as_openapi_is() -> None:
    swagger = {
        "swagger": "2.0",
        "paths": {
            "/pins": {
                "post": {
                    "parameters": [{"in": "body", "name": "b", "schema": {"$ref": "#/definitions/Pin"}}],
                    "responses": {"200": {"schema": {"$ref": "#/definitions/Pin"}}},
                }
            }
        },
        "definitions": {"Pin": {"type": "object", "properties": {"title": {"type": "string"}, "link": {}}}},
    }
    (found,) = diff(changed("definitions", "Pin", "properties", "title", of=swagger), swagger)
    assert (found.hint, found.operations, found.fields) == (Kind.BREAKING, ("POST /pins",), ("title",))


DISCOVERY: dict[str, Any] = {
    "kind": "discovery#restDescription",
    "revision": "20261104",
    "resources": {
        "videos": {
            "methods": {
                "insert": {
                    "httpMethod": "POST",
                    "path": "planted/v3/videos",
                    "parameters": {"part": {"type": "string", "location": "query", "required": True}},
                    "request": {"$ref": "Video"},
                    "response": {"$ref": "Video"},
                }
            },
            "resources": {
                "captions": {"methods": {"list": {"httpMethod": "GET", "path": "planted/v3/captions"}}}
            },
        }
    },
    "schemas": {
        "Video": {"id": "Video", "type": "object", "properties": {"etag": {"type": "string"}, "id": {}}}
    },
}


def test_a_discovery_document_is_read_with_what_stands_deeper() -> None:
    assert diff(changed("revision", to="20261111", of=DISCOVERY), DISCOVERY) == []
    document = changed("resources", "videos", "resources", of=DISCOVERY)
    gone, field = sorted(
        diff(changed("schemas", "Video", "properties", "etag", of=document), DISCOVERY, prefix="/planted"),
        key=lambda found: found.operations,
    )
    assert (gone.hint, gone.operations) == (Kind.BREAKING, ("GET /v3/captions",))
    assert (field.hint, field.operations, field.fields) == (Kind.BREAKING, ("POST /v3/videos",), ("etag",))


def test_a_snapshot_keeps_no_schema_that_no_operation_reaches() -> None:
    snapshot = reader(SourceKind.SPEC).read(SPEC, json.dumps(OPENAPI).encode(), "")
    assert set(snapshot["schemas"]) == {"Post", "PostCreate", "User"}
    assert len(json.dumps(snapshot)) < len(json.dumps(OPENAPI))


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><p>Moved",
        b"{}",
        b'{"paths": {}}',
        b'{"paths": {"/a": {"get": 7}}}',
        b'{"paths": ' * 50_000,
        json.dumps(OPENAPI).encode()[:-3],
        b'{"paths": {"/a": {"get": {"x": Infinity}}}}',
        b"\x80\x81",
    ],
)
def test_what_is_no_specification_is_a_changed_shape(body: bytes) -> None:
    with pytest.raises(ChangedShape):
        reader(SourceKind.SPEC).read(SPEC, body, "application/json")


def test_a_specification_that_would_never_end_is_refused_and_cycles_are_cut() -> None:
    wide = {f"f{n}": {"type": "object", "properties": {f"g{m}": {} for m in range(500)}} for n in range(500)}
    with pytest.raises(ChangedShape, match="more than"):
        looks(SPEC, json.dumps(changed(*SCHEMAS, "Post", "properties", to=wide)))
    tangle: dict[str, Any] = {
        f"S{n}": {"type": "object", "properties": {f"p{m}": {"$ref": f"#/s/S{m}"} for m in range(30)}}
        for n in range(30)
    }
    tangle["Post"] = tangle["PostCreate"] = tangle["S0"]
    more = copy.deepcopy(tangle)
    more["S29"]["properties"]["new"] = {"type": "string"}
    found = diff(changed(*SCHEMAS, to=more), changed(*SCHEMAS, to=tangle))
    assert [finding.hint for finding in found] == [Kind.NEW]


_NAMES = (
    *("$ref", "properties", "items", "allOf", "oneOf", "type", "enum", "required", "a", "schema", "content"),
    *("application/json", "parameters", "name", "in", "responses", "200", "requestBody"),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_NAMES),
            inner | st.sampled_from(["#/components/schemas/A", "array", "body"]),
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_JSON, _JSON, _JSON)
def test_any_json_in_the_place_of_parts_breaks_nothing(operation: Any, schema: Any, other: Any) -> None:
    def document(inner: Any) -> str:
        request = {"content": {"application/json": {"schema": inner}}}
        paths = {"/a": {"get": operation, "post": {"requestBody": request}}, "/b": other}
        return json.dumps({"paths": paths, "components": {"schemas": {"A": schema, "B": inner}}})

    for body in (document(schema), document(other)):
        assert looks(SPEC, body, body) == []
    looks(SPEC, document(schema), document(other))


def test_a_value_that_is_no_longer_answered_breaks_nobody() -> None:
    lang = ("components", "schemas", "Post", "properties", "lang")
    both = changed(*lang, to={"type": "string", "enum": ["en", "pl"]})
    assert diff(changed(*lang, to={"type": "string", "enum": ["en"]}), both) == []


def test_a_schema_inside_itself_is_written_out_once() -> None:
    (found,) = diff(changed(*SCHEMAS, "Post", "properties", "id"))
    assert set(found.fields) == {"id"}
