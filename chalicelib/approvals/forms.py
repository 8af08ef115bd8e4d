"""What the API takes and shows of approval policies and requests."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chalicelib.approvals.model import OnSilence, Policy, Request, Stage
from chalicelib.approvals.policies import UnitPolicy
from chalicelib.org.model import one_line
from chalicelib.org.roles import Role

Hours = Annotated[int, Field(ge=1, le=30 * 24)]
Quorum = Literal["any", "all"] | Annotated[int, Field(ge=1, le=20)]
Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]


class NewStage(BaseModel):
    """Who must sign, by name or by a role in the unit's line; times are in hours."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=60), AfterValidator(one_line)]
    people: Annotated[list[Id], Field(max_length=20)] = []
    role: Role | None = None
    quorum: Quorum = "any"
    within_for: Hours = 72
    remind_after: Hours = 24
    on_silence: OnSilence = OnSilence.ESCALATE

    @classmethod
    def of(cls, stage: Stage) -> "NewStage":
        quorum: Literal["any", "all"] | int = "any"
        if stage.quorum == "all":
            quorum = "all"
        elif stage.quorum != "any":
            quorum = int(stage.quorum)
        return cls(
            name=stage.name,
            people=list(stage.people),
            role=stage.role,
            quorum=quorum,
            within_for=stage.within_for,
            remind_after=stage.remind_after,
            on_silence=stage.on_silence,
        )


class NewPolicy(BaseModel):
    """A unit's stages in order, on top of those of the units above; null switches are as above."""

    model_config = ConfigDict(extra="forbid")

    stages: Annotated[list[NewStage], Field(min_length=1, max_length=10)]
    code: bool | None = None
    late_approval: bool | None = None

    def policy(self) -> Policy:
        stages = (
            Stage(**{**s.model_dump(), "people": tuple(s.people), "quorum": str(s.quorum)})
            for s in self.stages
        )
        return Policy(tuple(stages), self.code, self.late_approval)

    @classmethod
    def of(cls, policy: Policy) -> "NewPolicy":
        stages = [NewStage.of(s) for s in policy.stages]
        return cls(stages=stages, code=policy.code, late_approval=policy.late_approval)


class UnitPolicyView(BaseModel):
    """A unit's own policy, null where it has none, and what holds there."""

    unit_id: str
    own: NewPolicy | None
    effective: NewPolicy

    @classmethod
    def of(cls, kept: UnitPolicy) -> "UnitPolicyView":
        own = NewPolicy.of(kept.own) if kept.own else None
        return cls(unit_id=kept.unit_id, own=own, effective=NewPolicy.of(kept.effective))


class StageView(BaseModel):
    name: str
    seats: list[str]
    needed: int
    asked: list[str]


class DecisionView(BaseModel):
    person_id: str
    verdict: str
    stage: str
    words: str
    at: datetime


class RequestView(BaseModel):
    """An approval request; `stage` is the one it stands in, or ended in."""

    request_id: str
    subject: str
    revision: str
    state: str
    stage: str
    stages: list[StageView]
    decisions: list[DecisionView]
    asked_by: str
    opened_at: datetime
    expires_at: datetime
    settled_at: datetime | None
    why: str | None

    @classmethod
    def of(cls, request: Request) -> "RequestView":
        return cls(
            request_id=request.request_id,
            subject=request.subject,
            revision=request.revision,
            state=request.state,
            stage=request.current.name,
            stages=[
                StageView(
                    name=s.name,
                    seats=list(s.seats),
                    needed=s.needed,
                    asked=list(dict.fromkeys(a.person_id for a in s.asks)),
                )
                for s in request.stages
            ],
            decisions=[
                DecisionView(
                    person_id=d.person_id,
                    verdict=d.verdict,
                    stage=request.stages[d.stage].name,
                    words=d.words,
                    at=d.at,
                )
                for d in request.decisions
            ],
            asked_by=request.asked_by,
            opened_at=request.opened_at,
            expires_at=request.expires_at,
            settled_at=request.settled_at,
            why=request.why,
        )
