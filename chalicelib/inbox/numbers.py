"""How much comes in and how soon it is answered: counters that change with what they count.

pk numbers#unit#<id>      sk <day>#<unit>#<shard>   one attribute for each metric and hour: volume_09
pk numbers#account#<id>   sk <day>#<unit>#<shard>   the same; days and hours are those of the unit's zone
pk numbers#person#<id>    sk <day>#<unit>#<shard>   what the person answered, or had when it was late
any of the three          sk now#<unit>#<shard>     backlog

Every change adds to one shard of a row, so that busy units do not wait for each other; additions commute, and
they are part of the change's transaction, so what happens once counts once.
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime

from chalicelib.core.database import Database, Item, Write
from chalicelib.core.expressions import Expression, where
from chalicelib.core.history import SYSTEM
from chalicelib.core.kernel import Change
from chalicelib.inbox.clocks import clock_of, ended, is_late
from chalicelib.inbox.model import ClockKind, ClockState, Conversation
from chalicelib.inbox.settings import InboxSettings
from chalicelib.inbox.store import TABLE

SHARDS = 8
BACKLOG = "backlog"
METRICS = (
    "volume", "reactions", "shares", "answered", "in_time", "breached", "resolved", "resolved_in_time",
)  # fmt: skip
_LISTINGS = {"unit": "listing", "account": "by_account", "person": "by_assignee"}
Tally = Counter[tuple[str, datetime]]
Scope = tuple[str, str]
"""What numbers are of: unit, account or person, and its id."""


class Numbers:
    def __init__(self, database: Database, settings: InboxSettings) -> None:
        self._database = database
        self._settings = settings

    # Counting

    def count(
        self,
        change: Change,
        unit_id: str,
        account_id: str,
        at: datetime,
        person_id: str | None = None,
        **deltas: int,
    ) -> None:
        """Add to the metrics of a unit, an account and a person, in the hour of `at` where the unit is.

        May be called any number of times for one change. Raises KeyError for a metric that is not one.
        """
        unknown = set(deltas) - set(METRICS)
        if unknown:
            raise KeyError(f"no metrics: {sorted(unknown)}; backlog and clocks are counted by `follow`")
        hour, day = self._hour(unit_id, at)
        added = {f"{metric}_{hour:02d}": n for metric, n in deltas.items() if n}
        for scope in _scopes(unit_id, account_id, person_id) if added else ():
            _add(change, scope, day, unit_id, added)

    def follow(self, change: Change, before: Conversation | None, after: Conversation) -> None:
        """Count what a change of a conversation means: its clocks' ends and breaches, and the backlog.

        First answers follow from the facts alone: whatever was counted for other facts is taken back.
        """
        writer = before.writer(change.now) if before is not None else None
        actor = None if change.by.person_id == SYSTEM else change.by.person_id
        answerer = actor or writer or after.assignee_id
        for (metric, at), n in _tally_of_change(before, after).items():
            person_id = after.assignee_id if metric == "breached" else answerer
            self.count(change, after.unit_id, after.account_id, at, person_id, **{metric: n})
        waits: Counter[tuple[Scope, str]] = Counter()
        for conversation, n in ((before, -1), (after, 1)):
            if conversation is not None and conversation.is_to_do:
                unit_id = conversation.unit_id
                for scope in _scopes(unit_id, conversation.account_id, conversation.assignee_id):
                    waits[scope, unit_id] += n
        for (scope, unit_id), n in waits.items():
            if n:
                _add(change, scope, "now", unit_id, {BACKLOG: n})

    def _hour(self, unit_id: str, at: datetime) -> tuple[int, str]:
        from zoneinfo import ZoneInfo

        there = at.astimezone(ZoneInfo(self._settings.of(unit_id).calendar.zone))
        return there.hour, there.date().isoformat()

    # Reading

    def rows(
        self, scope: Scope, first: date, last: date
    ) -> Iterator[tuple[str, str, int, Mapping[str, int]]]:
        """(day, unit, hour, metrics) of a scope from day to day; the same hour may come several times."""
        between = where("pk = :p AND sk BETWEEN :f AND :l", p=_pk(scope), f=str(first), l=f"{last}~")
        for item in self._database.query_all(TABLE, between):
            day, unit_id, _ = item["sk"].split("#")
            hours: dict[int, dict[str, int]] = {}
            for name, n in item.items():
                metric, _, hour = name.rpartition("_")
                if metric in METRICS:
                    hours.setdefault(int(hour), {})[metric] = n
            yield from ((day, unit_id, hour, metrics) for hour, metrics in hours.items())

    def backlog(self, scope: Scope) -> Counter[str]:
        """How many conversations wait for somebody here now, by unit."""
        now: Counter[str] = Counter()
        key = where("pk = :p AND begins_with(sk, :n)", p=_pk(scope), n="now#")
        for item in self._database.query_all(TABLE, key):
            now[item["sk"].split("#")[1]] += item[BACKLOG]
        return now

    def first_due(self, scope: Scope) -> str | None:
        """The id of the conversation that stands first among those to do: the one that is due first."""
        kind, named = scope
        name = {"unit": "lpk", "account": "apk", "person": "wpk"}[kind]
        key = where(f"{name} = :p", p=f"{kind}#{named}#todo")
        page = self._database.query(TABLE, key, index=_LISTINGS[kind], limit=1)
        return page.items[0]["pk"].partition("#")[2] if page.items else None


def _tally_of_change(before: Conversation | None, after: Conversation) -> Tally:
    """(metric, when) that a change adds or takes back."""
    tally: Tally = Counter()
    for kind in ClockKind:
        old, new = clock_of(before, kind), clock_of(after, kind)
        if old == new:
            continue
        tally.update(_tally(new, after))
        if old is None:
            continue
        goes_on = new is not None and (kind == ClockKind.FIRST_ANSWER or new.started_at == old.started_at)
        if goes_on:
            tally.subtract(_tally(old, before))
        elif old.ended_at is None and after.last_own_at is not None and after.last_own_at >= old.started_at:
            tally.update(_tally(ended(old, after.last_own_at), after, is_answered=True))
            tally.subtract(_tally(old, before))
    return tally


def _tally(clock: ClockState | None, conversation: Conversation | None, is_answered: bool = False) -> Tally:
    """What one clock adds up to by itself."""
    tally: Tally = Counter()
    if clock is None or conversation is None:
        return tally
    is_resolution = clock.kind == ClockKind.RESOLUTION
    if clock.breached_at is not None and not is_resolution:
        tally["breached", clock.breached_at] += 1
    if clock.kind == ClockKind.FIRST_ANSWER:
        is_answered = conversation.first_answered_at is not None
    is_over = is_answered or (is_resolution and conversation.merged_into is None)
    if clock.ended_at is not None and is_over:
        tally["resolved" if is_resolution else "answered", clock.ended_at] += 1
        if not is_late(clock):
            tally["resolved_in_time" if is_resolution else "in_time", clock.ended_at] += 1
    return tally


def _add(change: Change, scope: Scope, day: str, unit_id: str, added: Mapping[str, int]) -> None:
    """Add to a row; a transaction takes each row once, so what the change adds there already is added up."""
    key: Item = {"pk": _pk(scope), "sk": f"{day}#{unit_id}#{zlib.crc32(change.change_id.encode()) % SHARDS}"}
    for n, write in enumerate(change.writes):
        if write.table == TABLE and write.item_or_key == key and write.update is not None:
            sums = Counter({name[1:]: value for name, value in write.update.values.items()})
            sums.update(added)
            change.writes[n] = replace(write, update=_addition(sums))
            return
    change.add(Write("Update", TABLE, key, update=_addition(added)))


def _addition(sums: Mapping[str, int]) -> Expression:
    return where("ADD " + ", ".join(f"{name} :{name}" for name in sorted(sums)), **sums)


def _scopes(unit_id: str, account_id: str, person_id: str | None) -> list[Scope]:
    scopes = [("unit", unit_id), ("account", account_id)]
    return [*scopes, ("person", person_id)] if person_id else scopes


def _pk(scope: Scope) -> str:
    return "numbers#" + "#".join(scope)
