"""What the API takes and shows of a unit's inbox settings; times are in minutes, hours on the wall clock."""

from datetime import date
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from chalicelib.core.records import from_item, to_item
from chalicelib.inbox.calendar import DAY, Calendar, Shift
from chalicelib.inbox.model import ClockKind, Priority
from chalicelib.inbox.reply_model import Approval, ReplyPolicy
from chalicelib.inbox.rules import Actions, Conditions, Rule, folded
from chalicelib.inbox.settings import Own, RuleBook, Settled, UnitSettings
from chalicelib.inbox.targets import KINDS, STEP_FOR, Ladder, Rung, Step, Targets
from chalicelib.org.model import one_line

Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
Minutes = Annotated[int, Field(ge=5, le=90 * DAY)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Word = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(one_line)]
Tag = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\W_][\w-]*$")]
Language = Annotated[str, BeforeValidator(lambda v: v.lower() if isinstance(v, str) else v),
                     Field(pattern=r"^[a-z]{2,3}$")]  # fmt: skip
Version = Annotated[int, Field(ge=0, le=10**9)]
_WEEK = 7 * DAY


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KindTargets(_Form):
    """Minutes of business time; null takes what the units above say, and a day where none says anything."""

    first_answer: Minutes | None = None
    next_answer: Minutes | None = None
    resolution: Minutes | None = None


class TargetsForm(_Form):
    comment: KindTargets = KindTargets()
    mention: KindTargets = KindTargets()
    message: KindTargets = KindTargets()

    def targets(self) -> Targets:
        given = self.model_dump(exclude_none=True)
        seconds = {f"{kind}.{c}": n * 60 for kind, clocks in given.items() for c, n in clocks.items()}
        return Targets(seconds)

    @classmethod
    def of(cls, targets: Targets, every: bool = False) -> "TargetsForm":
        """What is given or, with `every`, what holds."""
        return cls(**{
            kind: KindTargets(**{
                str(clock): targets.of(kind, clock) // 60
                for clock in ClockKind
                if every or f"{kind}.{clock}" in targets.seconds
            })
            for kind in KINDS
        })  # fmt: skip


class Hours(_Form):
    """Work on some weekdays: "09:00" to "17:00"; what closes at or before its opening ends the next day."""

    days: Annotated[list[Day], Field(min_length=1, max_length=7)]
    opens: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    closes: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]

    def shifts(self) -> list[Shift]:
        opens, closes = _minutes(self.opens), _minutes(self.closes)
        closes += DAY if closes <= opens else 0
        return [Shift(DAYS.index(day), opens, closes) for day in dict.fromkeys(self.days)]


class CalendarForm(_Form):
    """When a unit works, in an IANA time zone; a shift is of the day it starts on, on holidays none does."""

    zone: Annotated[str, Field(max_length=64)]
    hours: Annotated[list[Hours], Field(min_length=1, max_length=50)]
    holidays: Annotated[list[date], Field(max_length=400)] = []

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError("is no time zone; give an IANA name like 'Europe/Warsaw'")
        return zone

    @field_validator("hours")
    @classmethod
    def _apart(cls, hours: list[Hours]) -> list[Hours]:
        spans = sorted((s.day * DAY + s.opens, s.day * DAY + s.closes) for h in hours for s in h.shifts())
        ahead = [*spans[1:], (spans[0][0] + _WEEK, spans[0][1] + _WEEK)]
        for (_, closes), (opens, _) in zip(spans, ahead, strict=True):
            if closes > opens:
                day, minutes = divmod(opens % _WEEK, DAY)
                raise ValueError(f"two shifts overlap on {DAYS[day]} at {_text(minutes)}; make one of them")
        return hours

    def calendar(self) -> Calendar:
        shifts = tuple(shift for hours in self.hours for shift in hours.shifts())
        return Calendar(self.zone, shifts, tuple(sorted(set(self.holidays))))

    @classmethod
    def of(cls, calendar: Calendar) -> "CalendarForm":
        days: dict[tuple[int, int], list[Day]] = {}
        for shift in calendar.shifts:
            days.setdefault((shift.opens, shift.closes), []).append(DAYS[shift.day])
        hours = [Hours(days=d, opens=_text(o), closes=_text(c)) for (o, c), d in sorted(days.items())]
        return cls(zone=calendar.zone, hours=hours, holidays=list(calendar.holidays))


class StepForm(_Form):
    """Who is told, and how many minutes of business time after the step before (the first: the breach)."""

    who: Rung
    after_minutes: Annotated[int, Field(ge=1, le=30 * DAY)] = STEP_FOR // 60

    @classmethod
    def of(cls, step: Step) -> "StepForm":
        return cls(who=step.who, after_minutes=step.after_for // 60)


class ConditionsForm(_Form):
    account_ids: Annotated[list[Id], Field(max_length=50)] = []
    platforms: Annotated[list[Id], Field(max_length=20)] = []
    kinds: Annotated[list[Literal["comment", "mention", "message"]], Field(max_length=3)] = []
    languages: Annotated[list[Language], Field(max_length=20)] = []
    authors: Annotated[list[Word], Field(max_length=200)] = []
    keywords: Annotated[list[Word], Field(max_length=200)] = []
    every_keyword: bool = False
    whole_words: bool = True

    @field_validator("keywords")
    @classmethod
    def _sayable(cls, keywords: list[str]) -> list[str]:
        empty = [k for k in keywords if not folded(k)]
        if empty:
            raise ValueError(f"'{empty[0]}' has nothing that a text could be searched for")
        return keywords


class ActionsForm(_Form):
    """`sample_every`: of what is ignored, one in so many stays with the tag spam_sample; 0 keeps none."""

    tags: Annotated[list[Tag], Field(max_length=10)] = []
    assignee_id: Id | None = None
    priority: Priority | None = None
    ignore: bool = False
    sample_every: Annotated[int, Field(ge=0, le=10_000)] = 20
    crisis: bool = False


class RuleForm(_Form):
    """All conditions that are given must hold, and of each its any; then all actions are taken."""

    name: Annotated[str, Field(max_length=80), AfterValidator(one_line)]
    when: ConditionsForm
    then: ActionsForm

    @model_validator(mode="after")
    def _does_something(self) -> "RuleForm":
        given = self.when.model_dump(exclude={"every_keyword", "whole_words"})
        if not any(given.values()):
            raise ValueError("this rule has no condition and would hold for everything; give one")
        if not any(self.then.model_dump(exclude={"sample_every"}).values()):
            raise ValueError("this rule does nothing; give it an action")
        if self.then.ignore and self.then.crisis:
            raise ValueError("this rule would ignore what may be a crisis; choose one")
        return self

    def rule(self) -> Rule:
        when, then = self.when.model_dump(), self.then.model_dump()
        return Rule(self.name, from_item(Conditions, when), from_item(Actions, then))

    @classmethod
    def of(cls, rule: Rule) -> "RuleForm":
        return cls(
            name=rule.name,
            when=ConditionsForm.model_validate(to_item(rule.when)),
            then=ActionsForm.model_validate(to_item(rule.then)),
        )


class RepliesForm(_Form):
    """Which answers need approval first: none, new ones (not word for word a saved one), or all."""

    approval: Approval


class NewInboxSettings(_Form):
    """All that a unit sets itself; null leaves it to the units above. `version` is the one that was read."""

    version: Version = 0
    targets: TargetsForm | None = None
    calendar: CalendarForm | None = None
    escalation: Annotated[list[StepForm], Field(max_length=12)] | None = None
    rules: Annotated[list[RuleForm], Field(max_length=100)] | None = None
    replies: RepliesForm | None = None

    @field_validator("rules")
    @classmethod
    def _named_apart(cls, rules: list[RuleForm] | None) -> list[RuleForm] | None:
        names = [rule.name for rule in rules or []]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"there are two rules '{twice}'; name them apart")
        return rules

    def own(self) -> Own:
        steps = [Step(s.who, s.after_minutes * 60) for s in self.escalation or []]
        return Own(
            self.targets.targets() if self.targets else None,
            self.calendar.calendar() if self.calendar else None,
            Ladder(tuple(steps)) if self.escalation is not None else None,
            RuleBook(tuple(r.rule() for r in self.rules)) if self.rules is not None else None,
            ReplyPolicy(self.replies.approval) if self.replies else None,
        )

    @classmethod
    def of(cls, own: Own, version: int) -> "NewInboxSettings":
        return cls(
            version=version,
            targets=TargetsForm.of(own.targets) if own.targets else None,
            calendar=CalendarForm.of(own.calendar) if own.calendar else None,
            escalation=[StepForm.of(s) for s in own.escalation.steps] if own.escalation else None,
            rules=[RuleForm.of(r) for r in own.rules.rules] if own.rules else None,
            replies=RepliesForm(approval=own.replies.approval) if own.replies else None,
        )


class InEffectOut(BaseModel):
    """What holds in the unit, with the units above it; the unit's own rules come first."""

    targets: TargetsForm
    calendar: CalendarForm
    escalation: list[StepForm]
    rules: list[RuleForm]
    replies: RepliesForm

    @classmethod
    def of(cls, settled: Settled) -> "InEffectOut":
        return cls(
            targets=TargetsForm.of(settled.targets, every=True),
            calendar=CalendarForm.of(settled.calendar),
            escalation=[StepForm.of(s) for s in settled.ladder.steps],
            rules=[RuleForm.of(r) for r in settled.rules],
            replies=RepliesForm(approval=settled.replies.approval),
        )


class InboxSettingsOut(BaseModel):
    unit_id: str
    own: NewInboxSettings
    holds: InEffectOut

    @classmethod
    def of(cls, kept: UnitSettings) -> "InboxSettingsOut":
        own = NewInboxSettings.of(kept.own, kept.version)
        return cls(unit_id=kept.unit_id, own=own, holds=InEffectOut.of(kept.holds))


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _text(minutes: int) -> str:
    hours, rest = divmod(minutes if minutes <= DAY else minutes - DAY, 60)
    return f"{hours:02d}:{rest:02d}"
