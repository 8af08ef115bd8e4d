"""Specifications (OpenAPI 3, Swagger 2, Google's discovery documents) as operations with their fields.

What an operation takes and answers is kept with it; what it refers to is kept once, as a schema by its name,
so that a snapshot is a fraction of its document. Headers, formats and descriptions are not compared.
`options`: `prefix`, with what every path begins that no documentation writes.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib.platform_changes.model import Finding, Source
from chalicelib.platform_changes.sources.json_body import json_object, mapping, objects, words
from chalicelib.platform_changes.sources.reader import ChangedShape, Snapshot
from chalicelib.platform_changes.sources.spec_diff import findings, references

_METHODS = ("get", "put", "post", "delete", "patch")
_MOST_FIELDS = 200_000
_MOST_DEPTH = 5
_MOST_HOPS = 5
_MOST_VALUES = 200


class SpecReader:
    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        document = json_object(body)
        spec = _Spec(document, (source.options or {}).get("prefix", ""))
        if isinstance(document.get("paths"), dict):
            spec.read_paths()
        elif isinstance(document.get("resources"), dict) or isinstance(document.get("methods"), dict):
            spec.read_resources()
        else:
            raise ChangedShape("It is JSON, but neither OpenAPI nor a discovery document.")
        if not spec.operations:
            raise ChangedShape("It is a specification without a single operation.")
        return spec.snapshot()

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        return [] if before is None else findings(source, before, after)


class _Spec:
    def __init__(self, document: Mapping[str, Any], prefix: str) -> None:
        self._document = document
        self._prefix = prefix
        self._count = 0
        self.operations: dict[str, dict[str, Any]] = {}
        components = mapping(document.get("components"))
        self._named = {
            "schemas": mapping(components.get("schemas"))
            or mapping(document.get("definitions"))
            or mapping(document.get("schemas")),
            "parameters": mapping(components.get("parameters")) or mapping(document.get("parameters")),
            "responses": mapping(components.get("responses")) or mapping(document.get("responses")),
            "requestBodies": mapping(components.get("requestBodies")),
        }

    def snapshot(self) -> Snapshot:
        """The operations, and of the schemas those that an operation reaches."""
        info = mapping(self._document.get("info"))
        schemas: dict[str, dict[str, str]] = {}
        waiting = [
            name
            for operation in self.operations.values()
            for side in ("takes", "answers")
            for name in references(operation[side])
        ]
        while waiting:
            name = waiting.pop()
            if name not in schemas:
                schemas[name] = self._fields(self._named["schemas"].get(name))
                waiting += references(schemas[name])
        return {
            "revision": words(info.get("version") or self._document.get("revision"))[:100],
            "operations": self.operations,
            "schemas": schemas,
        }

    def read_paths(self) -> None:
        for path, item in self._document["paths"].items():
            shared = objects(mapping(item).get("parameters"))
            for method in _METHODS:
                operation = mapping(item).get(method)
                if not isinstance(operation, dict):
                    continue
                takes: dict[str, str] = {}
                for parameter in [*shared, *objects(operation.get("parameters"))]:
                    self._parameter(self._resolved(parameter, "parameters"), takes)
                request = self._resolved(mapping(operation.get("requestBody")), "requestBodies")
                takes |= self._fields(_content(request))
                answers: dict[str, str] = {}
                for status, response in mapping(operation.get("responses")).items():
                    if str(status).startswith("2"):
                        said = self._resolved(mapping(response), "responses")
                        answers |= self._fields(_content(said) or said.get("schema"))
                self._add(method.upper(), path, takes, answers, operation.get("deprecated") is True)

    def read_resources(self) -> None:
        waiting: list[Mapping[str, Any]] = [self._document]
        while waiting:
            resource = waiting.pop()
            waiting += [mapping(inner) for inner in mapping(resource.get("resources")).values()]
            for method in map(mapping, mapping(resource.get("methods")).values()):
                takes: dict[str, str] = {}
                for name, parameter in mapping(method.get("parameters")).items():
                    self._parameter({**mapping(parameter), "name": name}, takes)
                takes |= self._fields(mapping(method.get("request")))
                answers = self._fields(mapping(method.get("response")))
                path = words(method.get("flatPath")) or words(method.get("path"))
                verb, is_old = words(method.get("httpMethod")).upper()[:10], method.get("deprecated") is True
                self._add(verb, "/" + path.lstrip("/"), takes, answers, is_old)

    def _add(
        self, method: str, path: str, takes: dict[str, str], answers: dict[str, str], deprecated: bool
    ) -> None:
        name = f"{method} {path[:300].removeprefix(self._prefix)}"
        self.operations[name] = {"takes": takes, "answers": answers, "deprecated": deprecated}

    def _parameter(self, parameter: Mapping[str, Any], takes: dict[str, str]) -> None:
        name = words(parameter.get("name"))[:200]
        place = parameter.get("in") or parameter.get("location")
        schema = mapping(parameter.get("schema")) or _content(parameter) or parameter
        if place == "body":  # Swagger 2
            takes |= self._fields(schema)
        elif name and place not in ("header", "path"):  # the path's own stand in the operation's name
            is_old = parameter.get("deprecated") is True
            self._field({**schema, "deprecated": is_old}, name, parameter.get("required") is True, takes, 0)

    def _resolved(self, value: Mapping[str, Any], among: str) -> Mapping[str, Any]:
        for _ in range(_MOST_HOPS):
            name = _ref_of(value)
            if not name:
                return value
            value = mapping(self._named[among].get(name))
        return {}

    def _fields(self, schema: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        self._object(mapping(schema), "", found, 0)
        return found

    def _object(
        self, schema: Mapping[str, Any], within: str, found: dict[str, str], depth: int, loose: bool = False
    ) -> None:
        """Adds what a schema holds to `found`: "a.b" to its sign, "a.b=v" for each value that it may have.

        `loose`: it is one of several alternatives, so that nothing in it is required of everybody.
        """
        self._count += 1
        if self._count > _MOST_FIELDS:
            raise ChangedShape(f"It is a specification with more than {_MOST_FIELDS} fields.")
        if depth > _MOST_DEPTH:
            return
        if _ref_of(schema):
            found[within or "$"] = _sign(schema)
            return
        if not within:
            found["$"] = _sign(schema)
        self._values(schema, within or "$", found)
        required = schema.get("required")
        for name, inner in mapping(schema.get("properties")).items():
            path = f"{within}.{name[:200]}" if within else name[:200]
            needed = not loose and isinstance(required, list) and name in required
            self._field(mapping(inner), path, needed, found, depth)
        items = mapping(schema.get("items"))
        if items and not _ref_of(items):
            self._object(items, within or "$", found, depth + 1)
        for several in ("allOf", "oneOf", "anyOf"):
            parts = [part for part in objects(schema.get(several))[:100] if part.get("type") != "null"]
            one_of_many = several != "allOf" and len(parts) > 1
            for part in parts:
                if name := _ref_of(part):
                    found[f"{within or '$'}{'|' if one_of_many else '~'}{name}"] = _sign(part)
                else:
                    self._object(part, within or "$", found, depth + 1, loose or one_of_many)

    def _field(
        self, schema: Mapping[str, Any], path: str, required: bool, found: dict[str, str], depth: int
    ) -> None:
        is_old = schema.get("deprecated") is True
        found[path] = _sign(schema) + ("!" if required else "") + ("~" if is_old else "")
        if not _ref_of(schema):
            self._object(schema, path, found, depth + 1)

    def _values(self, schema: Mapping[str, Any], path: str, found: dict[str, str]) -> None:
        values = schema.get("enum")
        for value in (values if isinstance(values, list) else [])[:_MOST_VALUES]:
            if isinstance(value, str):
                self._count += 1
                found[f"{path}={value[:100]}"] = "value"


def _content(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a body: as JSON where there is a choice."""
    content = mapping(message.get("content"))
    media = content.get("application/json") or next(iter(content.values()), None)
    return mapping(mapping(media).get("schema"))


def _sign(schema: Mapping[str, Any]) -> str:
    """A type without format, and without the null that OpenAPI 3.1 lists beside it; a reference as →Name."""
    if name := _ref_of(schema):
        return f"\u2192{name}"
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "")
    if kind == "array":
        return f"[{_sign(mapping(schema.get('items')))}]"[:250]
    return words(kind)[:30] or ("object" if schema.get("properties") else "")


def _ref_of(schema: Mapping[str, Any]) -> str:
    return words(schema.get("$ref")).rpartition("/")[2][:200]
