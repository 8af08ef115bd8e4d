"""The `platform_changes` table as the register uses it: what stands under which key, and every read.

pk                   sk                   listing (lpk / lsk)
change#<id>          change               changes#open, changes#ended / <seen at>#<Place>
platform#<name>      turn                 -                     its version: one change at a time is recorded
platform#<name>      <change id>          -                     which changes there are, strongly consistent
finding#<platform>   <source>#<digest>    -                     the change that a finding became, or joined
source#<key>         state                -                     what the last look said
source#<key>         own                  -                     what the company sets of a source
rules                <rule id>            -                     the company's own rules
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import Expression, where
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.platform_changes.model import PlatformChange, SourceState
from chalicelib.platform_changes.rules import Rule

TABLE = "platform_changes"
MEANWHILE = "somebody else changed this just now; look again and repeat your change"
_TIME_CHARS = len("change_") + 10  # of an id: what sorts by its time


@dataclass(frozen=True)
class Place:
    """What a listing's key says of a change, without a read of it."""

    platform: str
    kind: str
    status: str
    touches: str
    change_id: str


@dataclass(frozen=True)
class OwnSource:
    """What the company sets of a source; empty and None as the application knows it."""

    url: str = ""
    is_off: bool = False
    every_minutes: int | None = None
    version: int = 0


# Writes that join a change


def put_new(change: Change, found: PlatformChange) -> PlatformChange:
    saved = replace(found, version=1)
    change.put(TABLE, _item(saved), where("attribute_not_exists(pk)"))
    change.put(TABLE, {"pk": f"platform#{found.platform}", "sk": found.change_id})
    return saved


def save(change: Change, before: PlatformChange, after: PlatformChange) -> PlatformChange:
    """The change as saved. The commit raises Conflict if it was changed since `before` was read."""
    saved = replace(after, version=before.version + 1)
    change.put(TABLE, _item(saved), where("version = :seen", seen=before.version), Conflict(MEANWHILE))
    return saved


def take_turn(change: Change, platform: str, seen: int) -> None:
    """Let nobody else record a change of this platform meanwhile: then the commit raises Conflict."""
    item = {"pk": f"platform#{platform}", "sk": "turn", "version": seen + 1}
    change.put(TABLE, item, _unchanged(seen), Conflict(MEANWHILE))


def put_finding(change: Change, platform: str, source: str, key: str, change_id: str) -> None:
    """Say which change a finding became. The commit raises Conflict if it became one already."""
    item = {**_finding(platform, source, key), "change_id": change_id}
    change.put(TABLE, item, where("attribute_not_exists(pk)"), Conflict(MEANWHILE))


def save_state(change: Change, before: SourceState, after: SourceState) -> None:
    """The commit raises Conflict if another look at the source came between."""
    change.put(TABLE, _state_item(before, after), _unchanged(before.version), Conflict(MEANWHILE))


def save_own(change: Change, key: str, own: OwnSource) -> OwnSource:
    """What is set of a source; the commit raises Conflict unless `own.version` is the latest."""
    saved = replace(own, version=own.version + 1)
    item = {**to_item(saved), "pk": f"source#{key}", "sk": "own"}
    change.put(TABLE, item, _unchanged(own.version), Conflict(MEANWHILE))
    return saved


def put_rule(change: Change, rule: Rule) -> None:
    item = {**to_item(rule), "pk": "rules", "sk": rule.rule_id}
    change.put(TABLE, item, where("attribute_not_exists(pk)"))


def drop_rule(change: Change, rule_id: str) -> None:
    """The commit raises NotFound if there is no such rule any more."""
    gone = NotFound(f"there is no rule {rule_id} of the company's own")
    change.delete(TABLE, {"pk": "rules", "sk": rule_id}, where("attribute_exists(pk)"), gone)


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    # Changes

    def find(self, change_id: str) -> PlatformChange | None:
        item = self._database.get(TABLE, _key(change_id))
        return from_item(PlatformChange, item) if item else None

    def get(self, change_id: str) -> PlatformChange:
        """Raises NotFound."""
        found = self.find(change_id)
        if found is None:
            raise NotFound(f"there is no platform change {change_id}")
        return found

    def get_many(self, change_ids: Iterable[str]) -> list[PlatformChange]:
        """Those that exist, in the order of the ids."""
        ids = list(change_ids)
        items = self._database.get_many(TABLE, [_key(change_id) for change_id in ids])
        found = {item["change_id"]: from_item(PlatformChange, item) for item in items}
        return [found[change_id] for change_id in ids if change_id in found]

    def of_finding(self, platform: str, source: str, key: str) -> str | None:
        """The change that a finding became, or joined."""
        item = self._database.get(TABLE, _finding(platform, source, key))
        return item["change_id"] if item else None

    def turn(self, platform: str) -> int:
        """The version that `take_turn` has to see."""
        item = self._database.get(TABLE, {"pk": f"platform#{platform}", "sk": "turn"})
        return item["version"] if item else 0

    def of_platform(self, platform: str, since: datetime) -> list[PlatformChange]:
        """Every change of a platform that was recorded since, the latest first; strongly consistent."""
        first = new_id("change", since)[:_TIME_CHARS]
        # "turn" sorts behind every id of a change.
        key = where("pk = :p AND sk BETWEEN :a AND :z", p=f"platform#{platform}", a=first, z="change_~")
        ids = [item["sk"] for item in self._database.query_all(TABLE, key)]
        return self.get_many(reversed(ids))

    def places(
        self, is_open: bool, before: str = "", since: datetime | None = None
    ) -> Iterator[tuple[str, Place]]:
        """(sort key, what it says) of each change in a listing, the latest first, from `before` on."""
        listing, low = _listing(is_open), to_text(since) if since else " "
        key = where("lpk = :l AND lsk BETWEEN :a AND :z", l=listing, a=low, z=before or "~")
        after: Item | None = None
        while True:
            page = self._database.query(TABLE, key, index="listing", after=after, forward=False)
            for item in page.items:
                if item["lsk"] != before:
                    yield item["lsk"], Place(*item["lsk"].split("#")[1:])
            after = page.after
            if after is None:
                return

    # Sources

    def state(self, key: str) -> SourceState:
        """What the last look at a source said; an empty one before the first."""
        item = self._database.get(TABLE, _state(key))
        return from_item(SourceState, item) if item else SourceState(key)

    def states(self, keys: Iterable[str]) -> dict[str, SourceState]:
        """Of those that were looked at, by key."""
        items = self._database.get_many(TABLE, [_state(key) for key in keys])
        return {item["key"]: from_item(SourceState, item) for item in items}

    def put_state(self, before: SourceState, after: SourceState) -> None:
        """Note a look that found nothing new. Raises ConditionFailed if another look came between."""
        self._database.put(TABLE, _state_item(before, after), _unchanged(before.version))

    def own(self, keys: Iterable[str]) -> dict[str, OwnSource]:
        """What the company sets, by key of the source."""
        items = self._database.get_many(TABLE, [{"pk": f"source#{key}", "sk": "own"} for key in keys])
        return {item["pk"].removeprefix("source#"): from_item(OwnSource, item) for item in items}

    # Rules

    def rules(self) -> list[Rule]:
        """The company's own, the latest first: it is what somebody has said last."""
        items = self._database.query_all(TABLE, where("pk = :p", p="rules"))
        return [from_item(Rule, item) for item in items][::-1]


def _listing(is_open: bool) -> str:
    return "changes#open" if is_open else "changes#ended"


def _item(change: PlatformChange) -> Item:
    touches = "touching" if change.touching else "-"
    place = (change.platform, change.kind, change.status, touches, change.change_id)
    lsk = "#".join((to_text(change.seen_at), *place))
    return {**to_item(change), **_key(change.change_id), "lpk": _listing(change.is_open), "lsk": lsk}


def _state_item(before: SourceState, after: SourceState) -> Item:
    return {**to_item(replace(after, version=before.version + 1)), **_state(after.key)}


def _key(change_id: str) -> Item:
    return {"pk": f"change#{change_id}", "sk": "change"}


def _state(key: str) -> Item:
    return {"pk": f"source#{key}", "sk": "state"}


def _finding(platform: str, source: str, key: str) -> Item:
    # A finding's key is whatever its source says, and a sort key has 1,024 bytes.
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return {"pk": f"finding#{platform}", "sk": f"{source}#{digest}"}


def _unchanged(seen: int) -> Expression:
    return where("version = :seen", seen=seen) if seen else where("attribute_not_exists(pk)")
