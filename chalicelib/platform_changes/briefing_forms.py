"""What the API takes about briefings and the radar."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chalicelib.core.listings import Day
from chalicelib.platform_changes.briefing_weeks import monday_of
from chalicelib.platform_changes.radar_model import Decision, Judged, Level


def _week(text: str) -> str:
    if text:
        monday_of(text)
    return text


def _address(text: str) -> str:
    if text and not text.startswith(("https://", "http://")):
        raise ValueError("must be an address like https://example.org")
    return text


Platform = Annotated[str, Field(pattern=r"^[a-z]{0,32}$")]
Text = Annotated[str, Field(max_length=2000)]


class BriefingQuery(BaseModel):
    """Without a week, what there is to tell now since the latest briefing."""

    week: Annotated[str, Field(max_length=8), AfterValidator(_week)] = ""
    platform: Platform = ""


class JudgedForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    level: Level = Level.UNKNOWN
    words: Text = ""

    def judged(self) -> Judged:
        return Judged(self.level, self.words)


class NewProspect(BaseModel):
    """`review_on` may be null only where the decision is final; a refusal says why."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
    url: Annotated[str, Field(max_length=500), AfterValidator(_address)] = ""
    what: Text = ""
    audience: JudgedForm = JudgedForm()
    policy: JudgedForm = JudgedForm()
    effort: JudgedForm = JudgedForm()
    risk: JudgedForm = JudgedForm()
    decision: Decision = Decision.WATCH
    why: Text = ""
    review_on: Day | None = None
    owner_id: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]

    def fields(self) -> dict[str, str | date | Judged | Decision | None]:
        """What of a Prospect a person fills in."""
        judged = {n: getattr(self, n).judged() for n in ("audience", "policy", "effort", "risk")}
        return {**{n: getattr(self, n) for n in NewProspect.model_fields}, **judged}


class JudgedProspect(NewProspect):
    """`version` is that of the evaluation as it was read."""

    version: Annotated[int, Field(ge=1)]
