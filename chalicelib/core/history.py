"""The audit log: one append-only row for every change, in the change's own transaction.

Readable by subject (the table), by person and by day (indexes). Rows hold ids and reasons, never texts of
posts or messages, and no code path updates or deletes one.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from chalicelib.core.clock import from_text, to_text
from chalicelib.core.database import Database, Item
from chalicelib.core.expressions import where

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
    """Reads of the audit log, newest last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, subject: str) -> list[Row]:
        """Everything that happened to one subject, oldest first."""
        return [_row(i) for i in self._database.query_all("history", where("subject = :s", s=subject))]

    def by_person(self, person_id: str, limit: int = 100) -> list[Row]:
        """The latest things a person did, newest first."""
        key = where("person_id = :p", p=person_id)
        page = self._database.query("history", key, index="by_person", limit=limit, forward=False)
        return [_row(i) for i in page.items]

    def on_day(self, day: date) -> list[Row]:
        """Everything that happened on one UTC day, oldest first."""
        items: list[Item] = []
        for shard in range(DAY_SHARDS):
            key = where("day = :d", d=f"{day.isoformat()}#{shard}")
            items += self._database.query_all("history", key, index="by_day")
        return [_row(i) for i in sorted(items, key=lambda i: i["at_id"])]


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
