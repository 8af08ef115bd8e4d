"""Chained hashes: each row of a case's log and of its evidence carries the hash of all that came before.

Whoever changes, drops or swaps a row later would have to change every row behind it, and the head that the
case itself keeps; an export carries all of them, so that a copy made earlier shows it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from chalicelib.core.records import to_item

_NOT_HASHED = ("chain",)


class Linked(Protocol):
    """A row of a chain: its place from 1, the head before it, and its own hash."""

    @property
    def place(self) -> int: ...
    @property
    def previous(self) -> str: ...
    @property
    def chain(self) -> str: ...


def canonical(facts: Mapping[str, Any]) -> str:
    """One spelling for the same facts: JSON with sorted names, without spaces, in UTF-8 (cf. RFC 8785)."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def hash_of(row: Linked) -> str:
    """The row's own hash: over everything in it, the head before it included."""
    return sha256(canonical({k: v for k, v in to_item(row).items() if k not in _NOT_HASHED}))


def broken_at(rows: Iterable[Linked], head: str, length: int) -> int | None:
    """The first place where the rows do not bear out the head that the case keeps; None if they all do."""
    before, place = "", 0
    for row in rows:
        place += 1
        if row.place != place or row.previous != before or row.chain != hash_of(row):
            return place
        before = row.chain
    return None if (place, before) == (length, head) else place + 1
