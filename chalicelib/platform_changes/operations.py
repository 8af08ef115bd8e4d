"""When two names of a call mean the same one, however its documentation, a specification or we write it."""

import re
from functools import lru_cache

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "hook"})  # hook: what we are sent
_VERSION = re.compile(r"v?\d+(?:\.\d+)*")
_PARAMETER = re.compile(r"\{[^/]*\}|:[a-z]\w*|<[^/]*>")
_SERVED = re.compile(r"v\d+(?:\.\d+)*")  # a version behind the name of a service: /calendar/v3/events
_DOORS = frozenset({"api", "rest", "xrpc"})  # what stands before a path and names nothing
_VERBS = {
    "list": "get",
    "get": "get",
    "insert": "post",
    "update": "put",
    "patch": "patch",
    "delete": "delete",
}
_METHOD_OF = re.compile(r"([a-z]\w*)\.(" + "|".join(_VERBS) + ")")


def is_same_operation(one: str, other: str) -> bool:
    """Whether both may name one call: of a method, a service, a version and a parameter each may say nothing.

    "POST /2/tweets", "/tweets" and "POST https://host.example/v2/tweets" are the same, "/1.1/tweets" is not
    the same as "/2/tweets". "events.list" is "GET /calendar/v3/events", as discovery documents have it.
    """
    *said, path = _parts(one)
    *other_said, other_path = _parts(other)
    agree = all(not a or not b or a == b for a, b in zip(said, other_said, strict=True))
    return bool(path) and path == other_path and agree


def without_its_id(operation: str) -> str:
    """A call of one thing as texts also write it: "GET /users" for "GET /users/{id}"; empty for others."""
    fixed, _, last = operation.rpartition("/")
    return fixed if _PARAMETER.fullmatch(last) and fixed.count("/") else ""


@lru_cache(maxsize=4096)
def _parts(operation: str) -> tuple[str, str, str, tuple[str, ...]]:
    """Method, service, version and path; the path's parameters have no names."""
    method, _, rest = operation.strip().partition(" ")
    if method.lower() not in _METHODS:
        method, rest = "", operation.strip()
    if not method and (called := _METHOD_OF.fullmatch(rest.strip("`").lower())):
        return _VERBS[called[2]], "", "", (called[1],)
    path_alone = re.sub(r"^https?://[^/]*|[?#].*", "", rest.strip().lower())
    segments = [segment for segment in path_alone.split("/") if segment]
    service = version = ""
    if len(segments) > 2 and segments[0] not in _DOORS and _SERVED.fullmatch(segments[1]):
        service = segments.pop(0)
    while segments and (segments[0] in _DOORS or (_VERSION.fullmatch(segments[0]) and not version)):
        first = segments.pop(0)
        version = version or (first.removeprefix("v") if first not in _DOORS else "")
    if segments[:1] == ["me"]:
        segments[0] = "{}"  # whoever asks, where another would have an id
    named = tuple("{}" if _PARAMETER.fullmatch(segment) else segment for segment in segments)
    return method.lower(), service, version, named
