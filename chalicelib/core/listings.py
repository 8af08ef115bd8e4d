"""What the lists of the API take and show alike: paging, days, rows of history.

Made of pydantic, so forms and views import it, and routes do not.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationInfo

from chalicelib.core.history import Row
from chalicelib.core.paging import start_of

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def _whole(value: Any) -> int:
    """pydantic alone would take ` 7`, `7.0` and `1_0` too."""
    text = str(value)
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise ValueError(f"must be a whole number from 1 to {MAX_LIMIT}")


def _day(value: Any) -> date:
    """pydantic alone would take seconds since 1970 too."""
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        day = date.min
    if not 2000 <= day.year <= 9000:
        raise ValueError("must be a date like 2026-11-23")
    return day


def _start(cursor: str, info: ValidationInfo) -> str:
    start = start_of(str(info.context), cursor) if cursor else ""
    if start is None:
        raise ValueError("is not one that this listing gave out; start without it")
    return start


Day = Annotated[date, BeforeValidator(_day)]


class Paging(BaseModel):
    """Which page of a list is asked for; `start` is what the cursor says, and empty for the first page.

    The listing that a cursor must come from is the validation's context.
    """

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT), BeforeValidator(_whole)] = DEFAULT_LIMIT
    start: Annotated[str, AfterValidator(_start)] = Field(
        "", alias="cursor", description="The page before gave it out; send it with the same filters."
    )


class HistoryRow(BaseModel):
    """Who did what, when, why and by which way."""

    subject: str
    at: datetime
    person_id: str
    way: str
    what: str
    why: str | None
    details: dict[str, Any]

    @classmethod
    def of(cls, row: Row) -> "HistoryRow":
        return cls.model_validate(row, from_attributes=True)


class HistoryPage(BaseModel):
    history: list[HistoryRow]
    cursor: str | None

    @classmethod
    def of(cls, rows: Iterable[Row], cursor: str | None) -> "HistoryPage":
        return cls(history=[HistoryRow.of(row) for row in rows], cursor=cursor)
