"""A JSON body from a stranger: strict, shallow enough to walk, and nothing but an object."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.platform_changes.sources.reader import ChangedShape


def json_object(body: bytes) -> Mapping[str, Any]:
    """The object. Raises ChangedShape for what is cut off, nested too deep, no JSON, or holds a NaN."""
    if body[:200].lstrip().startswith(b"<"):
        raise ChangedShape("It is a web page or XML, and no JSON.")
    try:
        value = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ChangedShape("It is no whole and proper JSON.") from None
    if not isinstance(value, dict):
        raise ChangedShape("It is JSON, but no object.")
    return value


def objects(value: Any) -> list[Mapping[str, Any]]:
    """Those elements of a list that are objects; nothing where it is no list."""
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def words(value: Any) -> str:
    return value if isinstance(value, str) else ""


def moment(value: Any) -> datetime | None:
    """An instant as RFC 3339 writes it, in UTC; None for what is none or has no zone."""
    try:
        read = datetime.fromisoformat(words(value))
        return read.astimezone(UTC) if read.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number")
