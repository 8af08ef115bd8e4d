"""The calls, fields and versions that a text names, and the kind of change that it says it is."""

import re
from collections.abc import Iterable

from chalicelib.platform_changes.model import Kind

_MOST_CHARS = 20_000
_MOST_NAMED = 40
_OPERATION = re.compile(
    r"\b(GET|POST|PUT|PATCH|DELETE)[`\s]{1,3}(?:https?://[\w.-]{1,100})?(/[\w{}:.()/-]{1,200})", re.ASCII
)
_CODE = re.compile(r"`([^`]{1,200})`")
_NAME = re.compile(r"[a-zA-Z][\w]{1,60}(?:\.[a-zA-Z][\w]{0,60}){0,5}", re.ASCII)
_BARE = re.compile(r"\b[a-z][a-z0-9]{0,30}(?:_[a-z0-9]{1,30}){1,6}\b", re.ASCII)
VERSION = re.compile(
    r"(?<![\w./-])(v\d{1,3}\.\d{1,2}|20[2-9]\d(?:0[1-9]|1[0-2])(?:\.\d{2})?)(?![\w-]|\.\d)", re.ASCII
)
_SAYS = (
    (Kind.BREAKING, re.compile(r"\bbreaking\b|\bremov(?:ed|als?)\b|\bsunset", re.IGNORECASE)),
    (Kind.DEPRECATION, re.compile(r"\bdeprecat", re.IGNORECASE)),
)


def operations(text: str) -> tuple[str, ...]:
    """The calls that a text names, as "POST /2/tweets"."""
    return _each(f"{m[1]} {m[2].rstrip('.:-/')}" for m in _OPERATION.finditer(text[:_MOST_CHARS]))


def fields(text: str) -> tuple[str, ...]:
    """The names that a text sets as code, or writes with underscores."""
    text = text[:_MOST_CHARS]
    coded = (m[1] for m in _CODE.finditer(text))
    return _each([*(name for name in coded if _NAME.fullmatch(name)), *_BARE.findall(text)])


def versions(text: str) -> tuple[str, ...]:
    """The API versions that a text names: "v26.0", "202505"."""
    return _each(VERSION.findall(text[:_MOST_CHARS]))


def said_kind(label: str) -> Kind | None:
    """The kind that a heading or a category names; None when it names none."""
    return next((kind for kind, pattern in _SAYS if pattern.search(label[:300])), None)


def _each(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))[:_MOST_NAMED]
