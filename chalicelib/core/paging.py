"""Cursor paging: the cursor is the last key, opaque to the caller and bound to the listing it came from."""

import base64
import hashlib
import json
from collections.abc import Mapping


def listing_of(name: str, path: Mapping[str, str], query: Mapping[str, str]) -> str:
    """What names one listing: an endpoint, what its path names, and the filters it was asked with."""
    filters = {key: value for key, value in query.items() if key not in ("limit", "cursor")}
    said = json.dumps([name, dict(path), filters], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def cursor_of(listing: str, start: str | None) -> str | None:
    """The text a caller sends back for the page that starts there; None at the end."""
    if not start:
        return None
    return base64.urlsafe_b64encode(json.dumps([listing, start]).encode()).decode().rstrip("=")


def start_of(listing: str, cursor: str) -> str | None:
    """Where the page starts that a cursor leads to; None for what this listing did not give out."""
    try:
        said = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        return None
    match said:
        case [made_for, str(start)] if made_for == listing and _may_be_key(start):
            return start
    return None


def _may_be_key(text: str) -> bool:
    """Whether DynamoDB would take the text as a sort key: 1 to 1,024 bytes of UTF-8."""
    try:
        return 0 < len(text.encode()) <= 1024
    except UnicodeEncodeError:
        return False
