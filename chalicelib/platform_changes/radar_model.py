"""New platforms on the radar: what they are, how they were judged, what was decided, when that is looked at
again.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chalicelib.core.words import mark


class Level(StrEnum):
    UNKNOWN = "unknown"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Decision(StrEnum):
    WATCH = "watch"
    TRY = "try"
    JOIN = "join"
    REFUSE = "refuse"


DECISIONS = {
    Decision.WATCH: mark("we watch it"),
    Decision.TRY: mark("we try it out"),
    Decision.JOIN: mark("we join"),
    Decision.REFUSE: mark("it is not for us"),
}
UNDECIDED = frozenset({Decision.WATCH, Decision.TRY})
"""The decisions that have a day on which they are looked at again."""


@dataclass(frozen=True)
class Judged:
    """One question of the evaluation: how much of it there is, and in words."""

    level: Level = Level.UNKNOWN
    words: str = ""


@dataclass(frozen=True)
class Prospect:
    """A platform that we are not on.

    `audience`: how many of ours are there; `policy`: how well its rules and its handling of data go with
    ours; `effort`: what being there takes; `risk`: what may go wrong.
    """

    prospect_id: str
    name: str
    url: str
    what: str
    audience: Judged
    policy: Judged
    effort: Judged
    risk: Judged
    decision: Decision
    why: str
    review_on: date | None
    owner_id: str
    added_at: datetime
    judged_at: datetime
    judged_by: str
    version: int = 1
