"""OpenAPI 3.1, made from the routes and the pydantic models that check them, so that it cannot be wrong."""

import re
from functools import cache
from typing import Any

from chalicelib.core.endpoint import REGISTRY, Endpoint

_SCHEMAS = "#/components/schemas/"
_ERROR = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string"},
        "message": {"type": "string", "description": "What happened and what to do, for a person."},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_STATUSES = {
    "400": "What was sent has problems; all of them are listed.",
    "401": "The token does not work.",
    "403": "Known, but not allowed.",
    "404": "There is no such thing, or it is not yours to see.",
    "409": "Somebody was first, or the state does not allow it.",
    "413": "Too large.",
    "502": "A platform refused.",
    "503": "Not now: the same call may work in a moment.",
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key gives the first call's answer again, for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


@cache
def document() -> dict[str, Any]:
    """The whole document; made once per process."""
    import app

    routes = [
        (path, method, REGISTRY[entry.view_function.__name__])
        for path, methods in sorted(app.app.routes.items())
        for method, entry in sorted(methods.items())
        if entry.view_function.__name__ in REGISTRY
    ]
    given = [get() for *_, known in routes for get in (known.body, known.query, known.answers) if get]
    names, schemas = components(given)
    for name in {names[known.body()] for _, method, known in routes if method == "PATCH"}:
        for field in schemas[name]["properties"].values():
            field.pop("default", None)  # what is not sent stays as it is, whatever the model's own default
    paths: dict[str, Any] = {}
    for path, method, known in routes:
        paths.setdefault(path, {})[method.lower()] = _operation(known, path, names, schemas)
    for name in {names[known.query()] for *_, known in routes if known.query}:
        del schemas[name]  # each of its fields is a parameter
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Signalbox",
            "version": "1",
            "description": "The operating system for a social media team.",
        },
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Error": _ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def components(models: list[Any]) -> tuple[dict[Any, str], dict[str, Any]]:
    """The name of each model's schema, and the schemas by name, those of models inside models too.

    A schema is called as its class or, where two rooms have a class of one name, as both with their modules.
    """
    from pydantic.json_schema import models_json_schema

    references, made = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)], ref_template=f"{_SCHEMAS}{{model}}"
    )
    names = {model: found["$ref"].removeprefix(_SCHEMAS) for (model, _), found in references.items()}
    return names, made.get("$defs", {})


def _operation(known: Endpoint, path: str, names: dict[Any, str], schemas: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if known.query:
        parameters += _parameters(schemas[names[known.query()]])
    if known.idempotent:
        parameters.append(_IDEMPOTENCY_KEY)
    schema = {"$ref": _SCHEMAS + names[known.answers()]} if known.answers else {"type": "object"}
    answer = {"description": "Done.", "content": {"application/json": {"schema": schema}}}
    error = {"application/json": {"schema": {"$ref": f"{_SCHEMAS}Error"}}}
    operation: dict[str, Any] = {
        "operationId": known.name,
        "summary": known.summary,
        "parameters": parameters,
        "responses": {
            "2XX": answer,
            **{status: {"description": words, "content": error} for status, words in _STATUSES.items()},
        },
    }
    if known.body:
        body = {"application/json": {"schema": {"$ref": _SCHEMAS + names[known.body()]}}}
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _parameters(query: dict[str, Any]) -> list[dict[str, Any]]:
    """A query model's fields as parameters. One that is left out is null to us, which nobody can send."""
    found = []
    for name, field in query["properties"].items():
        left = {key: value for key, value in field.items() if key not in ("anyOf", "title", "description")}
        kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
        schema = {**left, **(kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})}
        if schema.get("default") in (None, ""):
            schema.pop("default", None)
        about = {"description": field["description"]} if "description" in field else {}
        required = name in query.get("required", ())
        found.append({"name": name, "in": "query", "required": required, **about, "schema": schema})
    return found
