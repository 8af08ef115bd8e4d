"""What the API takes about our audience."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from chalicelib.analytics import audience, effort
from chalicelib.core.listings import Paging

MOST_WEEKS, USUAL_WEEKS = 52, 8


def _weeks(value: Any) -> int:
    """pydantic alone would take ` 7`, `7.0` and `1_0` too."""
    text = str(value)
    if text.isascii() and text.isdigit() and audience.LEAST_WEEKS <= int(text[:4]) <= MOST_WEEKS:
        return int(text[:4])
    raise ValueError(f"must be a whole number from {audience.LEAST_WEEKS} to {MOST_WEEKS}")


Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
Platform = Annotated[str, Field(pattern=r"^[a-z]{1,32}$")]
Weeks = Annotated[
    int, BeforeValidator(_weeks), Field(description="Whole weeks; the last is the latest that is over.")
]


class OneQuery(BaseModel):
    weeks: Weeks = USUAL_WEEKS


class ExportQuery(OneQuery):
    unit: Id | None = Field(None, description="And all below it; without it all that you may read.")
    platform: Platform | None = None


class AudienceQuery(Paging):
    unit: Id | None = Field(None, description="And all below it; without it all that you may read.")
    platform: Platform | None = None
    weeks: Weeks = USUAL_WEEKS


class NewEffort(BaseModel):
    """In minutes; what is null is left to the units above. `version` is that of the effort as it was read."""

    model_config = ConfigDict(extra="forbid")

    post_minutes: Annotated[int, Field(ge=1, le=2400)] | None = None
    answer_minutes: Annotated[int, Field(ge=0, le=480)] | None = None
    upkeep_minutes: Annotated[int, Field(ge=0, le=2400)] | None = None
    version: Annotated[int, Field(ge=0)] = 0

    def own(self) -> effort.Own:
        return effort.Own(**self.model_dump())
