"""The `analytics` table: what stands under which key.

pk week#<its Monday>   sk <account id>   posts (a set of ids) and what the week's sample counted; 400 days
pk effort#<unit id>    sk effort         what a unit says its work takes
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.analytics.effort import Own
from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item

TABLE = "analytics"
KEPT_FOR = timedelta(days=400)


@dataclass(frozen=True)
class Week:
    """One account in one week, as its sample found it; `posts` are those that went out from here."""

    account_id: str
    platform: str
    unit_id: str
    handle: str
    volume: int
    answered: int
    reactions: int
    shares: int
    followers: int | None
    sampled_at: datetime
    posts: frozenset[str]


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add_post(self, account_id: str, monday: date, post_id: str) -> None:
        """Count a post; once, however often it is said."""
        update = where("SET swept_at = :s ADD posts :p", s=_swept_at(monday), p={post_id})
        self._database.update(TABLE, _week(monday, account_id), update)

    def save_sample(self, monday: date, week: Week) -> None:
        """Write what a sample found; the posts of the week are counted by themselves and stay."""
        values = {name: value for name, value in to_item(week).items() if name != "posts"}
        values["swept_at"] = _swept_at(monday)
        text = "SET " + ", ".join(f"{name} = :{name}" for name in values)
        self._database.update(TABLE, _week(monday, week.account_id), where(text, **values))

    def weeks(self, monday: date) -> list[Week]:
        """Every account that was sampled in a week."""
        found = self._database.query_all(TABLE, where("pk = :p", p=f"week#{monday}"))
        return [from_item(Week, item) for item in found if "sampled_at" in item]

    def efforts(self, unit_ids: Iterable[str]) -> dict[str, Own]:
        """What units set themselves; those that set nothing are left out."""
        found = self._database.get_many(TABLE, [_effort(unit_id) for unit_id in set(unit_ids)])
        return {item["pk"].partition("#")[2]: from_item(Own, item) for item in found}

    def save_effort(self, change: Change, unit_id: str, own: Own) -> None:
        """The commit raises Conflict unless `own.version` is the latest."""
        seen = own.version
        when = where("version = :v", v=seen) if seen else where("attribute_not_exists(pk)")
        meanwhile = Conflict("somebody else changed this just now; look again and repeat your change")
        change.put(TABLE, {**to_item(own), **_effort(unit_id), "version": seen + 1}, when, meanwhile)


def _week(monday: date, account_id: str) -> Item:
    return {"pk": f"week#{monday}", "sk": account_id}


def _effort(unit_id: str) -> Item:
    return {"pk": f"effort#{unit_id}", "sk": "effort"}


def _swept_at(monday: date) -> int:
    return int((datetime.combine(monday, time(), UTC) + KEPT_FOR).timestamp())
