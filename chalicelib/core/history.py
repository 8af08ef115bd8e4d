"""The audit log: one append-only row for every change, in the change's own transaction.

Readable by subject (the table), by person and by day (indexes). Rows hold ids and reasons, never texts of
posts or messages, and no code path updates or deletes one.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from chalicelib.core.clock import from_text, to_text
from chalicelib.core.database import Database, Item
from chalicelib.core.expressions import Expression, where

DAY_SHARDS = 4  # a busy day's rows are spread, so that no index partition is hot
SYSTEM = "system"


class Way(StrEnum):
    """By which way a change came in."""

    API = "api"
    LINK = "link"
    JOB = "job"
    ADMIN = "admin"
    PLATFORM = "platform"


@dataclass(frozen=True)
class By:
    """Who makes a change and by which way; `SYSTEM` where no person does."""

    person_id: str
    way: Way


BY_JOB = By(SYSTEM, Way.JOB)


@dataclass(frozen=True)
class Row:
    """One line of history: who, what (past tense), when, why, by which way."""

    subject: str
    at: datetime
    person_id: str
    way: Way
    what: str
    why: str | None
    details: Mapping[str, Any]


def row_item(
    subject: str, by: By, what: str, why: str | None, details: Mapping[str, Any], now: datetime, row_id: str
) -> Item:
    """The stored row. `row_id` is unique to the row, and spreads the day's index."""
    at = to_text(now)
    return {
        "subject": subject,
        "at_id": f"{at}#{row_id}",
        # Rows that no person made stay out of the index by person: all of them there would be one hot key.
        "person_id": None if by.person_id == SYSTEM else by.person_id,
        "day": f"{at[:10]}#{zlib.crc32(row_id.encode()) % DAY_SHARDS}",
        "way": str(by.way),
        "what": what,
        "why": why,
        "details": dict(details) or None,
    }


class History:
    """Reads of the audit log.

    A page comes with where the next one starts, or None: an `at_id`, which no two rows share.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, subject: str) -> list[Row]:
        """Everything that happened to one subject, oldest first."""
        return [_row(i) for i in self._database.query_all("history", where("subject = :s", s=subject))]

    def page_of(
        self, subject: str, limit: int, after: str = "", also: Iterable[str] = ()
    ) -> tuple[list[Row], str | None]:
        """A page of what happened to one subject, and to those that became one with it, oldest first."""
        return self._page("subject", [subject, *also], None, limit, after)

    def by_person(self, person_id: str, limit: int, after: str = "") -> tuple[list[Row], str | None]:
        """A page of what a person did, newest first."""
        return self._page("person_id", [person_id], "by_person", limit, after, forward=False)

    def on_day(self, day: date, limit: int, after: str = "") -> tuple[list[Row], str | None]:
        """A page of what happened on one UTC day, oldest first."""
        shards = [f"{day.isoformat()}#{shard}" for shard in range(DAY_SHARDS)]
        return self._page("day", shards, "by_day", limit, after)

    def _page(
        self, name: str, values: list[str], index: str | None, limit: int, after: str, forward: bool = True
    ) -> tuple[list[Row], str | None]:
        """The first rows of all keys, merged; one more is read, to see whether it is the last page."""
        items: list[Item] = []
        for value in values:
            key = where(f"{name} = :v", v=value)
            if after:
                key = where(f"{name} = :v AND at_id {'>' if forward else '<'} :a", v=value, a=after)
            items += self._first(key, index, limit + 1, forward)
        items.sort(key=lambda i: i["at_id"], reverse=not forward)
        rows = [_row(i) for i in items[:limit]]
        return rows, items[limit - 1]["at_id"] if len(items) > limit else None

    def _first(self, key: Expression, index: str | None, limit: int, forward: bool) -> list[Item]:
        """So many items and not fewer, if they are there: a query ends after 1 MB, wherever that is."""
        items: list[Item] = []
        after: Item | None = None
        while True:
            page = self._database.query(
                "history", key, index=index, limit=limit - len(items), after=after, forward=forward
            )
            items += page.items
            after = page.after
            if after is None or len(items) == limit:
                return items


def _row(item: Item) -> Row:
    return Row(
        subject=item["subject"],
        at=from_text(item["at_id"].split("#")[0]),
        person_id=item.get("person_id", SYSTEM),
        way=Way(item["way"]),
        what=item["what"],
        why=item.get("why"),
        details=item.get("details") or {},
    )
