"""What the API takes about silent accounts."""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chalicelib.core.listings import Paging
from chalicelib.dormancy import model
from chalicelib.dormancy.reviews import MOST_WORDS, Decided

_LONGEST = 3650  # days


def _day_of_year(text: str) -> str:
    """`MM-DD`, a day that some year has."""
    if re.fullmatch(r"[0-9]{2}-[0-9]{2}", text, re.ASCII):
        try:
            date.fromisoformat(f"2024-{text}")
        except ValueError:
            pass
        else:
            return text
    raise ValueError("must be a month and a day like 07-01")


Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
Words = Annotated[str, Field(max_length=MOST_WORDS)]
DayOfYear = Annotated[str, AfterValidator(_day_of_year)]
Platform = Annotated[str, Field(pattern=r"^[a-z]{1,32}$")]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ThresholdForm(Form):
    """Days of silence."""

    quiet: Annotated[int, Field(ge=1, le=_LONGEST)] = model.QUIET_FOR
    dormant: Annotated[int, Field(ge=2, le=_LONGEST)] = model.DORMANT_FOR

    @model_validator(mode="after")
    def _in_order(self) -> "ThresholdForm":
        if self.quiet >= self.dormant:
            raise ValueError("an account is quiet before it is dormant: quiet must be the smaller number")
        return self

    def threshold(self) -> model.Threshold:
        return model.Threshold(self.quiet, self.dormant)


class SeasonForm(Form):
    starts: DayOfYear
    ends: DayOfYear
    why: Words = ""


class NewStandard(Form):
    """What is null is left to the units above; `version` is that of the standard as it was read."""

    threshold: ThresholdForm | None = None
    by_platform: Annotated[dict[Platform, ThresholdForm], Field(max_length=20)] = {}
    seasons: Annotated[list[SeasonForm], Field(max_length=20)] | None = None
    version: Annotated[int, Field(ge=0)] = 0

    def standard(self) -> model.Standard:
        seasons = None
        if self.seasons is not None:
            seasons = tuple(model.Season(s.starts, s.ends, s.why) for s in self.seasons)
        return model.Standard(
            self.threshold.threshold() if self.threshold else None,
            {name: form.threshold() for name, form in self.by_platform.items()},
            seasons,
            self.version,
        )


class PauseForm(Form):
    starts_on: date
    ends_on: date
    why: Words = ""

    @model_validator(mode="after")
    def _in_order(self) -> "PauseForm":
        if self.ends_on < self.starts_on:
            raise ValueError("a pause ends on the day it starts, or later")
        return self


class NewPauses(Form):
    """All pauses of the account; `version` is that of the pauses as they were read."""

    pauses: Annotated[list[PauseForm], Field(max_length=20)]
    version: Annotated[int, Field(ge=0)] = 0

    def values(self) -> tuple[model.Pause, ...]:
        return tuple(model.Pause(p.starts_on, p.ends_on, p.why) for p in self.pauses)


class Decision(Form):
    """`plan_on` goes with keep, `to_id` with hand_over, `into_id` with merge."""

    choice: model.Choice
    why: Words = ""
    plan_on: date | None = None
    to_id: Id | None = None
    into_id: Id | None = None

    def decided(self) -> Decided:
        return Decided(self.choice, self.why, self.plan_on, self.to_id, self.into_id)


class Proof(Form):
    proof: Annotated[str, Field(min_length=1, max_length=MOST_WORDS)]


class SilentQuery(Paging):
    """Which accounts are asked for, by what their last reads say."""

    sign: model.Sign = model.Sign.DORMANT


class ReviewsQuery(Paging):
    stage: model.Stage = model.Stage.OWNER
