"""Holds: a lever that stops what it covers, from the commit on.

The active holds stand in a gate of 16 identical rows. A begin reads one row, by its variant's hash, and its
transaction checks that the row's epoch is still the one it read; setting or lifting a hold moves all 16
epochs in one transaction. So a begin that commits after a hold is impossible, and a storm of begins does not
queue on one row.
"""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Item, Read
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.records import from_item, to_item
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.publishing.model import Post, Variant, VariantState
from chalicelib.publishing.store import PostStore

UnitPath = Callable[[str], tuple[str, ...]]
Turn = Callable[[dict[str, str]], dict[str, str]]

GATE_SHARDS = 16
COUNTED_AT_ONCE_FOR = timedelta(seconds=45)  # half of a worker's time
ALREADY_OUT_FOR = timedelta(hours=24)  # a receipt lists what went out so recently
_TRIES = 5


@dataclass(frozen=True)
class Hold:
    """A hold on `all`, or on a unit, account, platform or tag (`value`)."""

    hold_id: str
    scope: str
    value: str
    reason: str
    by_id: str
    at: datetime
    state: str = "active"  # or lifted
    counted: bool = False  # the receipt is complete
    lifted_at: datetime | None = None

    @property
    def key(self) -> str:
        return "all" if self.scope == "all" else f"{self.scope}:{self.value}"


@dataclass(frozen=True)
class Gate:
    """What a begin saw: the epoch it must still find at its commit, and the active holds."""

    shard: int
    epoch: int
    holds: dict[str, str]

    def stopping(self, keys: Iterable[str], released_from: Iterable[str]) -> str | None:
        """The id of an active hold that covers one of the keys and was not released for this variant."""
        covered, released = set(keys), set(released_from)
        for hold_id, key in sorted(self.holds.items()):
            if key in covered and hold_id not in released:
                return hold_id
        return None


class GateMoved(Conflict):
    """A hold was set or lifted between a begin's look and its commit; look again."""


def hold_keys(platform: str, account_id: str, unit_path: Iterable[str], tags: Iterable[str]) -> set[str]:
    """Every hold key that covers a variant of this account, in these units, with these tags."""
    keys = {"all", f"platform:{platform}", f"account:{account_id}"}
    return keys | {f"unit:{u}" for u in unit_path} | {f"tag:{t}" for t in tags}


def gate_read(variant_id: str) -> Read[Gate]:
    """The gate's row for this variant, to be read together with other rows."""
    shard = zlib.crc32(variant_id.encode()) % GATE_SHARDS

    def made(item: Item | None) -> Gate:
        row = item or {}
        return Gate(shard, row.get("epoch", 0), row.get("holds", {}))

    return Read("holds", _gate(shard), made)


def read_gate(database: Database, variant_id: str) -> Gate:
    """The gate's row for this variant, strongly consistent."""
    return database.read(gate_read(variant_id))


def check_gate(change: Change, gate: Gate) -> None:
    """Refuse the change if a hold was set or lifted since the gate was read."""
    when = where("epoch = :e", e=gate.epoch) if gate.epoch else where("attribute_not_exists(epoch)")
    change.check("holds", _gate(gate.shard), when, GateMoved("a hold was set or lifted just now"))


class Holds:
    def __init__(self, kernel: Kernel, store: PostStore) -> None:
        self._kernel = kernel
        self._store = store

    def set(self, by: By, scope: str, value: str, reason: str) -> Hold:
        """Stop everything in scope; when this returns, no begin in scope can commit any more.

        Its receipt is filled by the `count_hold` chore, started by the same transaction.
        """
        now = self._kernel.clock.now()
        hold = Hold(new_id("hold", now), scope, value if scope != "all" else "", reason, by.person_id, now)
        for _ in range(_TRIES):
            change = self._kernel.change(by)
            change.put("holds", _item(hold), where("attribute_not_exists(pk)"))
            self._turn_gate(change, lambda holds: holds | {hold.hold_id: hold.key})
            change.record(f"hold#{hold.hold_id}", "hold set", why=reason, scope=hold.key)
            change.chore("count_hold", hold.hold_id, key=hold.hold_id)
            try:
                self._kernel.commit(change)
            except GateMoved:
                continue
            return hold
        raise Conflict("other holds are being set right now; try again")

    def lift(self, by: By, hold_id: str, why: str) -> Hold:
        """The hold stops nothing new; what it stopped stays held until a person releases each variant."""
        for _ in range(_TRIES):
            hold = self.get(hold_id)
            if hold.state == "lifted":
                return hold
            lifted = replace(hold, state="lifted", lifted_at=self._kernel.clock.now())
            change = self._kernel.change(by)
            change.put("holds", _item(lifted), where("state = :a", a="active"))
            self._turn_gate(change, lambda holds: {k: v for k, v in holds.items() if k != hold_id})
            change.record(f"hold#{hold_id}", "hold lifted", why=why)
            try:
                self._kernel.commit(change)
            except GateMoved:
                continue
            return lifted
        raise Conflict("other holds are being set right now; try again")

    def get(self, hold_id: str) -> Hold:
        """Raises NotFound."""
        item = self._kernel.database.get("holds", {"pk": f"hold#{hold_id}", "sk": "hold"})
        if item is None:
            raise NotFound(f"there is no hold {hold_id}")
        return from_item(Hold, item)

    def all(self, limit: int = 100) -> list[Hold]:
        """The latest holds, newest first, active and lifted."""
        database = self._kernel.database
        page = database.query(
            "holds", where("lpk = :l", l="holds"), index="listing", limit=limit, forward=False
        )
        keys = [{"pk": i["pk"], "sk": i["sk"]} for i in page.items]
        found = [from_item(Hold, i) for i in database.get_many("holds", keys)]
        return sorted(found, key=lambda h: h.hold_id, reverse=True)

    def receipt(self, hold_id: str) -> list[Item]:
        """What the hold met: {variant_id, outcome: stopped | in_flight | already_out, url, at}."""
        key = where("pk = :p AND begins_with(sk, :v)", p=f"hold#{hold_id}", v="variant#")
        found = self._kernel.database.query_all("holds", key)
        wanted = ("variant_id", "post_id", "account_id", "outcome", "url", "at")
        return [{k: i.get(k) for k in wanted} for i in found]

    def count(self, claim: Claim, unit_path: UnitPath) -> None:
        """The `count_hold` chore: stop every waiting variant in scope, and list what was too late.

        Safe to run twice: a line is written once, by the variant's id. Raises Later when there is more than
        fits into one run; what was stopped is no longer open, so the next run goes on where this one ended.
        """
        hold = self.get(claim.entry.ref)
        if hold.counted:
            return
        started = self._kernel.clock.now()
        path_of = cache(unit_path)
        posts: dict[str, Post] = {}

        def covers(variant: Variant) -> bool:
            if variant.post_id not in posts:
                posts[variant.post_id] = self._store.post(variant.post_id)
            tags = posts[variant.post_id].tags
            keys = hold_keys(variant.platform, variant.account_id, path_of(variant.unit_id), tags)
            return hold.key in keys

        for variant in self._store.in_group("open"):
            if covers(variant):
                self._stop(hold, variant)
            if self._kernel.clock.now() - started > COUNTED_AT_ONCE_FOR:
                raise Later(self._kernel.clock.now())
        for variant in self._store.in_group("published", hold.at - ALREADY_OUT_FOR):
            if covers(variant):
                was_out = variant.published_at is not None and variant.published_at <= hold.at
                self._list_only(hold, variant, "already_out" if was_out else "in_flight")
        change = self._kernel.change(BY_JOB)
        change.update(
            "holds", {"pk": f"hold#{hold.hold_id}", "sk": "hold"}, where("SET counted = :t", t=True)
        )
        subject = f"hold#{hold.hold_id}"
        change.record(subject, "receipt complete")
        change.chore("tell_outcome", subject, key=subject, until=to_text(change.now))
        self._kernel.commit(change)

    def _stop(self, hold: Hold, variant: Variant) -> None:
        if variant.state == VariantState.PUBLISHING:
            self._list_only(hold, variant, "in_flight")
            return
        if variant.state != VariantState.SCHEDULED or hold.state != "active":
            return
        change = self._kernel.change(BY_JOB)
        held = variant.moved(VariantState.HELD, change.now, reason=hold.reason, hold_id=hold.hold_id)
        self._store.save_variant(change, held, variant)
        change.unschedule(variant.entry_id)
        change.put("holds", receipt_line(hold.hold_id, held, "stopped", change.now))
        change.record(f"post#{variant.post_id}", "held", why=hold.reason, account=variant.account_id)
        try:
            self._kernel.commit(change)
        except Conflict:
            # It moved meanwhile: begun before the hold (in flight or out), or stopped by its own worker.
            current = self._store.variant(variant.variant_id)
            if current is not None and current.state in (VariantState.PUBLISHING, VariantState.PUBLISHED):
                outcome = "in_flight" if current.state == VariantState.PUBLISHING else "already_out"
                self._list_only(hold, current, outcome)

    def _list_only(self, hold: Hold, variant: Variant, outcome: str) -> None:
        self._kernel.database.put(
            "holds", receipt_line(hold.hold_id, variant, outcome, self._kernel.clock.now())
        )

    def _turn_gate(self, change: Change, turn: Turn) -> None:
        rows = {i["sk"]: i for i in self._kernel.database.get_many("holds", map(_gate, range(GATE_SHARDS)))}
        for shard in range(GATE_SHARDS):
            row = rows.get(_gate(shard)["sk"], {})
            epoch = row.get("epoch", 0)
            when = where("epoch = :seen", seen=epoch) if epoch else where("attribute_not_exists(epoch)")
            item = {**_gate(shard), "epoch": epoch + 1, "holds": turn(row.get("holds", {}))}
            change.put("holds", item, when, GateMoved("another hold was set or lifted just now"))


def _gate(shard: int) -> Item:
    return {"pk": "gate", "sk": f"gate#{shard:02d}"}


def _item(hold: Hold) -> Item:
    return {
        **to_item(hold), "pk": f"hold#{hold.hold_id}", "sk": "hold", "lpk": "holds", "lsk": hold.hold_id,
    }  # fmt: skip


def receipt_line(hold_id: str, variant: Variant, outcome: str, now: datetime) -> Item:
    """One line of a hold's receipt; `outcome` is stopped, in_flight or already_out."""
    return {
        "pk": f"hold#{hold_id}",
        "sk": f"variant#{variant.variant_id}",
        "variant_id": variant.variant_id,
        "post_id": variant.post_id,
        "account_id": variant.account_id,
        "outcome": outcome,
        "url": variant.url,
        "at": to_text(now),
    }
