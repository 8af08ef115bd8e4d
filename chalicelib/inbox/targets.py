"""How soon a kind of conversation is to be answered, and who hears of it when it is not.

Both are set per unit: of the targets each value comes from the nearest unit up the path that gives it, and
the ladder as a whole. Times are seconds of the unit's business time.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.inbox.model import ClockKind
from chalicelib.platforms.inbound import CONVERSATIONAL

USUAL_FOR = 24 * 3600
STEP_FOR = 3600
KINDS = tuple(sorted(str(kind) for kind in CONVERSATIONAL))


@dataclass(frozen=True)
class Targets:
    """Seconds by `<kind of conversation>.<kind of clock>`; what is not there takes a day."""

    seconds: dict[str, int] = field(default_factory=dict)

    def of(self, kind: str, clock: ClockKind) -> int:
        return self.seconds.get(f"{kind}.{clock}", USUAL_FOR)


class Rung(StrEnum):
    """Whom a step of the ladder reaches."""

    ASSIGNEE = "assignee"
    TEAM = "team"
    DISTRICT_MANAGER = "district_manager"
    LEAD = "lead"


@dataclass(frozen=True)
class Step:
    """Who is told, and how long after the step before it (of the first: after the breach)."""

    who: Rung
    after_for: int = STEP_FOR


@dataclass(frozen=True)
class Ladder:
    """The steps that follow a breach while nobody answers."""

    steps: tuple[Step, ...] = tuple(Step(rung) for rung in Rung)
