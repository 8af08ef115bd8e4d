"""The document says what the routes take and give, and keeps apart what only shares its name."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from chalicelib.core.endpoint import REGISTRY
from chalicelib.openapi import components, document

MADE = json.loads(json.dumps(document()))
OPERATIONS = {
    operation["operationId"]: operation
    for methods in MADE["paths"].values()
    for operation in methods.values()
}


def model(name: str, module: str, **fields: Any) -> Any:
    return type(name, (BaseModel,), {"__module__": module, "__annotations__": fields})


def component(schema: dict[str, str]) -> Any:
    return MADE["components"]["schemas"][schema["$ref"].removeprefix("#/components/schemas/")]


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_route_is_described_with_its_own_models_and_with_no_other_of_their_name(name: str) -> None:
    operation, known = OPERATIONS[name], REGISTRY[name]
    if known.body:
        schema = component(operation["requestBody"]["content"]["application/json"]["schema"])
        assert set(schema["properties"]) == set(known.body().model_fields)
    if known.answers:
        schema = component(operation["responses"]["2XX"]["content"]["application/json"]["schema"])
        assert set(schema["properties"]) == set(known.answers().model_fields)
    asked = [p["name"] for p in operation["parameters"] if p["in"] == "query"]
    fields = known.query().model_fields if known.query else {}
    assert asked == [field.alias or own for own, field in fields.items()]


def test_two_models_of_one_name_are_two_schemas_wherever_they_stand() -> None:
    one, two = model("Why", "chalicelib.inbox.forms", a=int), model("Why", "chalicelib.org.forms", b=int)
    outer = model("Outer", "chalicelib.org.views", inner=model("Why", "chalicelib.org.views", c=int))
    names, schemas = components([one, two, outer])
    assert len(set(names.values())) == 3
    assert {tuple(schema["properties"]) for schema in schemas.values()} == {
        ("a",),
        ("b",),
        ("c",),
        ("inner",),
    }
    assert list(schemas[names[one]]["properties"]) == ["a"]
    assert list(schemas[names[two]]["properties"]) == ["b"]
    assert "inbox" in names[one]
    assert "org" in names[two]
    assert names[outer] == "Outer"
    assert components([outer, two, one])[0] == names


def test_a_model_of_a_name_of_its_own_is_called_by_it_and_described_once() -> None:
    one = model("Why", "chalicelib.inbox.forms", a=int)
    names, schemas = components([one, one])
    assert (names, list(schemas)) == ({one: "Why"}, ["Why"])


def test_a_parameter_says_what_it_takes_and_what_holds_without_it() -> None:
    asked = {p["name"]: p for p in OPERATIONS["list_inbox"]["parameters"]}
    assert asked["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert asked["cursor"]["schema"] == {"type": "string"}
    assert component(asked["state"]["schema"])["enum"][0] == "open"
    assert asked["group"]["schema"]["enum"] == ["todo", "waiting", "done", "ignored"]
    assert asked["assignee"]["description"] == "A person's id, or `me`."
    assert not any(p["required"] for p in asked.values())
    days = {p["name"]: p["schema"] for p in OPERATIONS["show_inbox_numbers"]["parameters"]}
    assert days["from"] == days["to"] == {"type": "string", "format": "date"}


def test_what_a_query_is_read_by_is_no_schema_of_its_own() -> None:
    schemas = MADE["components"]["schemas"]
    assert not {known.query().__name__ for known in REGISTRY.values() if known.query} & set(schemas)
