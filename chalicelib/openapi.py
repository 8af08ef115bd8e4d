"""OpenAPI 3.1, made from the routes and the pydantic models that check them, so that it cannot be wrong."""

import re
from functools import cache
from typing import Any

from chalicelib.core.endpoint import REGISTRY

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

    models: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    partial: set[str] = set()
    for path, methods in sorted(app.app.routes.items()):
        for method, entry in sorted(methods.items()):
            known = REGISTRY.get(entry.view_function.__name__)
            if known is not None:
                paths.setdefault(path, {})[method.lower()] = _operation(known, path, method, models)
                partial |= {known.body().__name__} if method == "PATCH" else set()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Signalbox",
            "version": "1",
            "description": "The operating system for a social media team.",
        },
        "paths": paths,
        "components": {
            "schemas": {**_schemas(models, partial), "Error": _ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(known: Any, path: str, method: str, models: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if known.idempotent:
        parameters.append(_IDEMPOTENCY_KEY)
    schema = _reference(known.answers, models) if known.answers else {"type": "object"}
    answer = {"description": "Done.", "content": {"application/json": {"schema": schema}}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
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
        body = {"application/json": {"schema": _reference(known.body, models)}}
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _reference(model_of: Any, models: dict[str, Any]) -> dict[str, str]:
    model = model_of()
    models[model.__name__] = model
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schemas(models: dict[str, Any], partial: set[str]) -> dict[str, Any]:
    from pydantic.json_schema import models_json_schema

    _, made = models_json_schema(
        [(model, "validation") for model in models.values()], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = made.get("$defs", {})
    for name in partial:  # what is not sent stays as it is, whatever the model's own default
        for field in schemas[name]["properties"].values():
            field.pop("default", None)
    return schemas
