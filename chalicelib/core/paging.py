"""Cursor paging: the cursor is the last key, opaque to the caller and bound to the listing it came from."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from chalicelib.core.errors import InvalidInput, Problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def cursor_of(listing: str, after: dict[str, Any] | None) -> str | None:
    """The text a caller sends back to go on; None at the end."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([listing, after]).encode()).decode().rstrip("=")


def read_paging(listing: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any] | None]:
    """(limit, key to start after) from `limit` and `cursor`. Raises InvalidInput."""
    problems = []
    limit = DEFAULT_LIMIT
    text = query.get("limit", str(DEFAULT_LIMIT))
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT:
        limit = int(text)
    else:
        problems.append(Problem("limit", f"must be a whole number from 1 to {MAX_LIMIT}"))
    after = None
    cursor = query.get("cursor")
    if cursor:
        after = _decoded(listing, cursor)
        if after is None:
            problems.append(Problem("cursor", "is not one that this listing gave out; start without it"))
    if problems:
        raise InvalidInput(problems)
    return limit, after


def _decoded(listing: str, cursor: str) -> dict[str, Any] | None:
    try:
        made_for, after = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError):
        return None
    if made_for != listing or not isinstance(after, dict) or not after:
        return None
    return after if all(_may_be_key(v) for v in after.values()) else None


def _may_be_key(value: Any) -> bool:
    """Whether DynamoDB would take the value as a sort key: 1 to 1,024 bytes of UTF-8."""
    if not isinstance(value, str):
        return False
    try:
        return 0 < len(value.encode()) <= 1024
    except UnicodeEncodeError:
        return False
