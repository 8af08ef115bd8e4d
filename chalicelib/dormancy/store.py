"""The `dormancy` table: what stands under which key.

pk                  sk                  listing (lpk / lsk)
standard#<unit id>  standard            -                                 what a unit expects
account#<id>        pauses              -                                 planned pauses
account#<id>        watch               sign#<sign> / <unit id>#<id>      what reads said last; none if active
account#<id>        review#<opened at>  reviews#<stage> / <unit id>#<id>  the latest counts
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Item, Read
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import Expression, where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.dormancy.model import Pause, Review, Sign, Stage, Standard

TABLE = "dormancy"
T = TypeVar("T")
_MEANWHILE = Conflict("somebody else changed this just now; look again and repeat your change")


@dataclass(frozen=True)
class Watch:
    """What the last reads say of an account, since when, and what has been told of it."""

    account_id: str
    unit_id: str
    sign: Sign
    since: datetime
    told_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True)
class Pauses:
    pauses: tuple[Pause, ...] = ()
    version: int = 0


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    # Reading

    def standards(self, unit_path: Iterable[str]) -> list[Standard]:
        """What each unit of a path sets, from the company down; an empty one for a unit that sets nothing."""
        keys = [_standard(unit_id) for unit_id in unit_path]
        found = {item["pk"]: item for item in self._database.get_many(TABLE, keys)}
        return [from_item(Standard, found[k["pk"]]) if k["pk"] in found else Standard() for k in keys]

    def pauses(self, account_id: str) -> Pauses:
        return self._database.read(_read(_account(account_id, "pauses"), Pauses)) or Pauses()

    def watched(self, account_id: str) -> tuple[Pauses, Watch | None]:
        """An account's pauses and what its last reads said, in one request."""
        pauses, watch = self._database.read_together(
            _read(_account(account_id, "pauses"), Pauses), _read(_account(account_id, "watch"), Watch)
        )
        return pauses or Pauses(), watch

    def watches(self, sign: Sign, limit: int, after: str = "") -> tuple[list[Watch], str | None]:
        """A page of the accounts with a sign, by unit, and where the next starts."""
        return self._listed(f"sign#{sign}", Watch, limit, after)

    def review(self, account_id: str) -> Review | None:
        """The latest review of an account."""
        key = where("pk = :p AND begins_with(sk, :r)", p=f"account#{account_id}", r="review#")
        items = self._database.query(TABLE, key, limit=1, forward=False).items
        return from_item(Review, items[0]) if items else None

    def reviews(self, stage: Stage, limit: int, after: str = "") -> tuple[list[Review], str | None]:
        """A page of the reviews at a stage, by unit, and where the next starts."""
        return self._listed(f"reviews#{stage}", Review, limit, after)

    def _listed(self, lpk: str, kind: type[T], limit: int, after: str) -> tuple[list[T], str | None]:
        key = where("lpk = :l AND lsk > :a", l=lpk, a=after or " ")
        found = self._database.query(TABLE, key, index="listing", limit=limit + 1).items
        page = found[:limit]
        items = self._database.get_many(TABLE, [{"pk": i["pk"], "sk": i["sk"]} for i in page])
        by_key = {(i["pk"], i["sk"]): i for i in items}
        rows = [by_key[i["pk"], i["sk"]] for i in page if (i["pk"], i["sk"]) in by_key]
        return [from_item(kind, row) for row in rows], page[-1]["lsk"] if len(found) > limit else None

    # Writes that join a change

    def save_standard(self, change: Change, unit_id: str, standard: Standard, seen: int) -> None:
        """The commit raises Conflict unless `seen` is the latest version."""
        item = {**to_item(standard), **_standard(unit_id), "version": seen + 1}
        change.put(TABLE, item, _unchanged(seen), _MEANWHILE)

    def save_pauses(self, change: Change, account_id: str, pauses: tuple[Pause, ...], seen: int) -> None:
        """The commit raises Conflict unless `seen` is the latest version."""
        item = {**to_item(Pauses(pauses, seen + 1)), **_account(account_id, "pauses")}
        change.put(TABLE, item, _unchanged(seen), _MEANWHILE)

    def save_watch(self, change: Change, watch: Watch, before: Watch | None) -> None:
        seen = before.version if before else 0
        item = {**to_item(watch), **_account(watch.account_id, "watch"), "version": seen + 1}
        if watch.sign != Sign.ACTIVE:  # there are many, and nobody asks for a list of them
            item |= {"lpk": f"sign#{watch.sign}", "lsk": f"{watch.unit_id}#{watch.account_id}"}
        change.put(TABLE, item, _unchanged(seen), _MEANWHILE)

    def save_review(self, change: Change, review: Review, before: Review | None) -> None:
        """The commit raises Conflict when somebody else's change of the review came between."""
        key = _account(review.account_id, f"review#{to_text(review.opened_at)}")
        item = {**to_item(review), **key}
        if review.stage != Stage.CLOSED:
            item |= {"lpk": f"reviews#{review.stage}", "lsk": f"{review.unit_id}#{review.account_id}"}
        seen = before.version if before else 0
        change.put(TABLE, item, _unchanged(seen), _MEANWHILE)


def _unchanged(seen: int) -> Expression:
    return where("version = :seen", seen=seen) if seen else where("attribute_not_exists(pk)")


def _standard(unit_id: str) -> Item:
    return {"pk": f"standard#{unit_id}", "sk": "standard"}


def _account(account_id: str, sk: str) -> Item:
    return {"pk": f"account#{account_id}", "sk": sk}


def _read(key: Item, kind: type[T]) -> Read[T | None]:
    return Read(TABLE, key, lambda item: from_item(kind, item) if item else None)
