"""How many cases are open, how old they are, and how they end, by platform and unit: counters.

What a case counts for is a function of the case alone; a change adds the difference, in its own transaction.
So the counters always equal a recount, a report reads a row for each unit and platform, and no case.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.core.database import Database
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.takedowns.model import Case, State
from chalicelib.takedowns.store import TABLE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PK = "numbers"


def tally(case: Case | None) -> Counter[str]:
    """What a case counts for: `open` with the sum of opening times (seconds since 1970), or how it ended,
    removals with the sum of the seconds that they took.
    """
    counts: Counter[str] = Counter()
    if case is None:
        return counts
    counts["opened"] = 1
    if case.ended_at is None:
        counts["open"] = 1
        counts["open_since"] = (case.opened_at - _EPOCH) // timedelta(seconds=1)
        return counts
    counts[str(case.outcome)] = 1
    if case.outcome == State.REMOVED:
        counts["removed_for"] = (case.ended_at - case.opened_at) // timedelta(seconds=1)
    return counts


def follow(change: Change, before: Case | None, after: Case) -> None:
    """Add what a change of a case means to the counters. A case keeps its unit and platform."""
    added = tally(after)
    added.subtract(tally(before))
    added = Counter({name: n for name, n in added.items() if n})
    if added:
        text = "ADD " + ", ".join(f"{name} :{name}" for name in sorted(added))
        key = {"pk": _PK, "sk": f"{after.unit_id}#{after.platform}"}
        change.update(TABLE, key, where(text, **added))


@dataclass(frozen=True)
class Numbers:
    """`open_for` is the mean age of what is open now, `removed_for` the mean time to a removal.

    `success` is removed to all that the platform decided; what we withdrew is no decision of its.
    """

    opened: int
    open: int
    removed: int
    refused: int
    withdrawn: int
    open_for: timedelta | None
    removed_for: timedelta | None
    success: float | None

    @classmethod
    def of(cls, counts: Counter[str], now: datetime) -> "Numbers":
        is_open, removed, refused = counts["open"], counts["removed"], counts["refused"]
        age = (now - _EPOCH) / timedelta(seconds=1)
        return cls(
            opened=counts["opened"],
            open=is_open,
            removed=removed,
            refused=refused,
            withdrawn=counts["withdrawn"],
            open_for=timedelta(seconds=age - counts["open_since"] / is_open) if is_open else None,
            removed_for=timedelta(seconds=counts["removed_for"] / removed) if removed else None,
            success=removed / (removed + refused) if removed + refused else None,
        )


def read(database: Database, may_see: Callable[[str], bool]) -> dict[tuple[str, str], Counter[str]]:
    """The counters of every unit that may be seen, by unit and platform."""
    found = {}
    for item in database.query_all(TABLE, where("pk = :p", p=_PK)):
        unit_id, platform = item["sk"].split("#")
        if may_see(unit_id):
            found[unit_id, platform] = Counter({k: n for k, n in item.items() if k not in ("pk", "sk")})
    return found
