"""When two names of a call mean the same one, however its documentation, a specification or we write it."""

import re
from functools import lru_cache

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "hook"})  # hook: what we are sent
_VERSION = re.compile(r"v?\d+(?:\.\d+)*")
_PARAMETER = re.compile(r"\{[^/]*\}|:[a-z]\w*|<[^/]*>")
_DOORS = frozenset({"api", "rest", "xrpc"})  # what stands before a path and names nothing


def is_same_operation(one: str, other: str) -> bool:
    """Whether both may name one call: of a method, a version and a parameter each may say nothing.

    "POST /2/tweets", "/tweets" and "POST https://host.example/v2/tweets" are the same, "/1.1/tweets" is not
    the same as "/2/tweets".
    """
    method, version, path = _parts(one)
    other_method, other_version, other_path = _parts(other)
    return (
        bool(path)
        and path == other_path
        and (not method or not other_method or method == other_method)
        and (not version or not other_version or version == other_version)
    )


@lru_cache(maxsize=4096)
def _parts(operation: str) -> tuple[str, str, tuple[str, ...]]:
    """Method, version and path; the path's parameters have no names."""
    method, _, rest = operation.strip().partition(" ")
    if method.lower() not in _METHODS:
        method, rest = "", operation.strip()
    path_alone = re.sub(r"^https?://[^/]*|[?#].*", "", rest.strip().lower())
    segments = [segment for segment in path_alone.split("/") if segment]
    version = ""
    while segments and (segments[0] in _DOORS or (_VERSION.fullmatch(segments[0]) and not version)):
        first = segments.pop(0)
        version = version or (first.removeprefix("v") if first not in _DOORS else "")
    if segments[:1] == ["me"]:
        segments[0] = "{}"  # whoever asks, where another would have an id
    named = tuple("{}" if _PARAMETER.fullmatch(segment) else segment for segment in segments)
    return method.lower(), version, named
