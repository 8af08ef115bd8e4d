"""What an account costs in hours: minutes for each kind of work, as each unit sets them.

The defaults are our assumption, not a measurement; a unit that knows better sets its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

DEFAULTS: Mapping[str, int] = {"post_minutes": 45, "answer_minutes": 6, "upkeep_minutes": 30}
EXPLAINED: Mapping[str, str] = {
    "post_minutes": "to write, illustrate, have approved and check one post on one account",
    "answer_minutes": "to read one conversation, find the answer and write it",
    "upkeep_minutes": "a week, whether or not anything is posted: profile, access, numbers, meetings",
}


@dataclass(frozen=True)
class Own:
    """What a unit sets itself, in minutes; None is left to the units above."""

    post_minutes: int | None = None
    answer_minutes: int | None = None
    upkeep_minutes: int | None = None
    version: int = 0


@dataclass(frozen=True)
class Effort:
    """What holds in a unit, in minutes."""

    post_minutes: int = DEFAULTS["post_minutes"]
    answer_minutes: int = DEFAULTS["answer_minutes"]
    upkeep_minutes: int = DEFAULTS["upkeep_minutes"]

    def hours(self, posts: int, answered: int, weeks: int) -> float:
        minutes = posts * self.post_minutes + answered * self.answer_minutes + weeks * self.upkeep_minutes
        return minutes / 60


def effort_of(line: Iterable[Own]) -> Effort:
    """What holds where a line of units leads from the company down; the nearest that sets a number wins."""
    minutes = dict(DEFAULTS)
    for own in line:
        minutes |= {f.name: n for f in fields(Effort) if (n := getattr(own, f.name)) is not None}
    return Effort(**minutes)
