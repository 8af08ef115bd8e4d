"""What the API takes about inventory rounds."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chalicelib.core.listings import Day, Paging
from chalicelib.inventory.model import MOST_BEFORE
from chalicelib.org.model import one_line

Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
DaysBefore = Annotated[int, Field(ge=0, le=MOST_BEFORE, strict=True)]


class NewRound(BaseModel):
    """`reminders` are days before `due_on`; without units, every district and department with a manager is
    asked or, if none has one, every unit directly below the company.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=100), AfterValidator(one_line)]
    due_on: Day
    reminders: Annotated[list[DaysBefore], Field(max_length=10)] | None = None
    unit_ids: Annotated[list[Id], Field(max_length=500)] = []


class RoundsQuery(Paging):
    """Which page of the rounds, the latest first."""

    model_config = ConfigDict(extra="forbid")
