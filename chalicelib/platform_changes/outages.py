"""Outages: when a platform's work pauses, and when it goes on.

One begins with a major incident of a status page, or when a person says so; incidents that overlap are one
outage. It ends when no incident of it is major any more, when a person lets work go on, or a day after the
last look that saw it: a status page that breaks stops nothing for ever. accounts/outages.py keeps what waits.

In the table `platform_changes`: pk outage#<id>, sk outage, listed under `outages` by its id.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from chalicelib.accounts.outages import Pause, Pauses, PausesMoved, read_pauses
from chalicelib.core.database import Item, TransactionRefused, Write
from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.records import from_item, to_item
from chalicelib.core.timetable import Claim
from chalicelib.core.words import mark, one_line
from chalicelib.core.work import Later
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platform_changes.model import Source
from chalicelib.platform_changes.sources.status import Incident
from chalicelib.platforms import registry

TABLE = "platform_changes"
MAJOR = frozenset({"major", "critical"})
SEEN_FOR = timedelta(hours=24)  # so long after the last look that saw it, an outage stands
BY_HAND = "person"  # the source of what somebody declared
_LONGEST_TITLE, _LONGEST_URL = 200, 500
_MOST_INCIDENTS = 20  # of one look, and of what is over
_TRIES = 6

IT_IS_OVER = mark("the platform says that it is over, or not major any more")
NOT_SEEN = mark("nobody has seen it for a day, so work goes on; if it still stands, declare it again")

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """One incident of an outage; `key` is its source's and its own, or BY_HAND for what a person declared."""

    key: str
    title: str
    url: str
    began_at: datetime
    seen_at: datetime
    over_at: datetime | None = None

    @property
    def source(self) -> str:
        return self.key.partition("#")[0]


@dataclass(frozen=True)
class Outage:
    """`let_go` are incidents that a person let work go on in spite of: they begin no other outage."""

    outage_id: str
    platform: str
    title: str
    url: str
    began_at: datetime
    parts: tuple[Part, ...]
    by_id: str = ""
    ended_at: datetime | None = None
    ended_why: str = ""
    ended_by: str = ""
    let_go: tuple[str, ...] = ()
    version: int = 0

    @property
    def is_on(self) -> bool:
        return self.ended_at is None

    @property
    def open_parts(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.over_at is None)

    @property
    def until_at(self) -> datetime:
        """When it is over if nobody sees it again, or was."""
        return self.ended_at or max(part.seen_at for part in self.open_parts) + SEEN_FOR


class Outages:
    def __init__(self, kernel: Kernel, org: Org) -> None:
        self._kernel = kernel
        self._org = org

    # What is known

    def get(self, outage_id: str) -> Outage:
        """Raises NotFound."""
        item = self._kernel.database.get(TABLE, _key(outage_id))
        if item is None:
            raise NotFound(f"there is no outage {outage_id}")
        return from_item(Outage, item)

    def page(self, limit: int, after: str = "") -> tuple[list[Outage], str | None]:
        """Outages, the latest first, and where the next page starts."""
        start = {**_key(after), "lpk": "outages", "lsk": after} if after else None
        database = self._kernel.database
        page = database.query(
            TABLE, where("lpk = :l", l="outages"), index="listing", limit=limit, after=start, forward=False
        )
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in page.items]
        found = [from_item(Outage, item) for item in database.get_many(TABLE, keys)]
        found.sort(key=lambda outage: outage.outage_id, reverse=True)
        return found, page.after["lsk"] if page.after else None

    def since(self, moment: datetime) -> list[Outage]:
        """Those that stood at a moment or began after it, the latest first."""
        return [o for o in self._all() if o.ended_at is None or o.ended_at > moment]

    def _all(self) -> Iterator[Outage]:
        after: str | None = ""
        while after is not None:
            found, after = self.page(100, after)
            yield from found

    # What begins and ends them

    def heard(self, source: Source, incidents: Sequence[Incident]) -> None:
        """What a status page says at a look, whether or not it is as before: an incident that it does not
        name any more is over. Raises Conflict when others keep changing the platform's outage.
        """
        named = {f"{source.key}#{i.key}": i for i in incidents if not i.is_over}
        _again(lambda: self._hear(source, named))

    def declare(self, actor: Actor, platform: str, title: str, url: str = "") -> Outage:
        """A person says that a platform has an outage, or that it still has one: it stands for a day, or
        until a status page that has seen it, too, says that it is over.

        Needs changes.write on the company. Raises InvalidInput for a platform that we do not publish to.
        """
        actor.require_on(Right.CHANGES_WRITE)
        if platform not in registry.names():
            known = ", ".join(registry.names())
            raise InvalidInput([Problem("platform", f"is not one that we publish to; choose one of {known}")])
        return _again(lambda: self._declare(actor, platform, title, url))

    def lift(self, actor: Actor, outage_id: str, why: str) -> Outage:
        """Let the platform's work go on in spite of the outage; its incidents do not begin it again.

        Needs changes.write on the company. Raises NotFound, and Conflict for one that has ended.
        """
        actor.require_on(Right.CHANGES_WRITE)

        def lifted() -> Outage:
            outage = self.get(outage_id)
            if not outage.is_on:
                raise Conflict("this outage has ended; nothing waits for it")
            change = self._org.begin(actor)
            let_go = tuple({*outage.let_go, *(part.key for part in outage.open_parts)} - {BY_HAND})
            return self._end(change, replace(outage, let_go=tuple(sorted(let_go))), why, actor.person_id)

        return _again(lifted)

    def end_unseen(self, claim: Claim) -> bool:
        """End an outage that nobody has seen for a day. Raises Later while it is seen."""
        outage = self.get(claim.entry.ref)
        change = self._kernel.change(BY_JOB)
        if not outage.is_on:
            return False
        if outage.until_at > change.now:
            raise Later(outage.until_at)
        change.add(self._kernel.timetable.finish(claim, change.now))
        self._end(change, outage, NOT_SEEN)
        return True

    def _hear(self, source: Source, named: Mapping[str, Incident]) -> None:
        pauses, now = read_pauses(self._kernel.database), self._kernel.clock.now()
        latest = self._latest(pauses, source.platform)
        others = latest.let_go if latest else ()
        let_go = tuple(key for key in others if key in named or not key.startswith(f"{source.key}#"))
        major = [key for key, i in named.items() if i.impact in MAJOR and key not in let_go]
        fresh = [_part(key, named[key], source, now) for key in major[:_MOST_INCIDENTS]]
        if latest is None or not latest.is_on:
            if fresh:
                change = self._kernel.change(BY_JOB)
                first = fresh[0]
                outage = Outage(
                    new_id("outage", now), source.platform, first.title, first.url, now, tuple(fresh),
                    let_go=let_go,
                )  # fmt: skip
                self._begin(change, pauses, outage)
            return
        known = {part.key for part in latest.parts}
        joined = [part for part in fresh if part.key not in known]
        parts = [_seen(part, major, source, now, is_confirmed=bool(fresh)) for part in latest.parts]
        after = replace(latest, parts=_kept([*parts, *joined]), let_go=let_go)
        change = self._kernel.change(BY_JOB)
        if not after.open_parts:
            self._end(change, after, IT_IS_OVER)
        elif [p.key for p in after.open_parts] != [p.key for p in latest.open_parts]:
            self._go_on(change, pauses, after)
        elif any(part.source == source.key for part in after.open_parts):
            self._see_again(pauses, after)

    def _declare(self, actor: Actor, platform: str, title: str, url: str) -> Outage:
        pauses, change = read_pauses(self._kernel.database), self._org.begin(actor)
        latest, now = self._latest(pauses, platform), change.now
        part = Part(BY_HAND, title, url, now, now)
        if latest is None or not latest.is_on:
            let_go = latest.let_go if latest else ()
            outage = Outage(
                new_id("outage", now), platform, title, url, now, (part,), actor.person_id, let_go=let_go
            )
            return self._begin(change, pauses, outage)
        others = tuple(p for p in latest.parts if p.key != BY_HAND)
        parts = (*others, part)
        if latest.parts[0].key == BY_HAND:  # whoever was first stays first
            parts = (part, *others)
        return self._go_on(change, pauses, replace(latest, parts=parts))

    # How it is written

    def _begin(self, change: Change, pauses: Pauses, outage: Outage) -> Outage:
        change.record(f"outage#{outage.outage_id}", "outage began", outage.title, platform=outage.platform)
        change.chore("end_outage", outage.outage_id, due_at=outage.until_at, key=outage.outage_id)
        change.emit("OutageBegan", outage.outage_id)
        return self._commit(change, pauses, outage)

    def _go_on(self, change: Change, pauses: Pauses, outage: Outage) -> Outage:
        incidents = [part.key for part in outage.open_parts]
        change.record(f"outage#{outage.outage_id}", "outage goes on", incidents=incidents)
        return self._commit(change, pauses, outage)

    def _end(self, change: Change, outage: Outage, why: str, by_id: str = "") -> Outage:
        pauses, now = read_pauses(self._kernel.database), change.now
        parts = tuple(replace(part, over_at=part.over_at or now) for part in outage.parts)
        ended = replace(outage, parts=parts, ended_at=now, ended_why=why, ended_by=by_id)
        change.record(f"outage#{outage.outage_id}", "outage ended", why, platform=outage.platform)
        change.emit("OutageEnded", outage.outage_id)
        return self._commit(change, pauses, ended)

    def _see_again(self, pauses: Pauses, outage: Outage) -> None:
        """Only the time is new: no change, and so no line of history for each look."""
        try:
            self._kernel.database.transact(self._writes(pauses, outage))
        except TransactionRefused as refusal:
            raise _moved() from refusal

    def _commit(self, change: Change, pauses: Pauses, outage: Outage) -> Outage:
        for write in self._writes(pauses, outage):
            change.add(write)
        self._kernel.commit(change)
        return replace(outage, version=outage.version + 1)

    def _writes(self, pauses: Pauses, outage: Outage) -> list[Write]:
        """The outage, and the pause that it is: both as they were read, or neither."""
        seen = where("attribute_not_exists(pk)")
        if outage.version:
            seen = where("version = :v", v=outage.version)
        item = to_item(replace(outage, version=outage.version + 1))
        listed = {**_key(outage.outage_id), "lpk": "outages", "lsk": outage.outage_id}
        pause = Pause(outage.outage_id, outage.title, outage.url, outage.began_at, outage.until_at)
        return [
            pauses.write(outage.platform, pause),
            Write("Put", TABLE, {**item, **listed}, when=seen, otherwise=_moved()),
        ]

    def _latest(self, pauses: Pauses, platform: str) -> Outage | None:
        pause = pauses.by_platform.get(platform)
        return self.get(pause.outage_id) if pause is not None else None


def _again(make: Callable[[], T]) -> T:
    """Do it again while others change the same outage. Raises Conflict if they keep doing so."""
    for _ in range(_TRIES - 1):
        try:
            return make()
        except PausesMoved:
            continue
    return make()


def _part(key: str, incident: Incident, source: Source, now: datetime) -> Part:
    """What is kept of an incident; its words and address are a stranger's."""
    url = incident.url
    if not url.startswith(("https://", "http://")) or len(url) > _LONGEST_URL:
        url = source.page_url
    title = one_line(incident.title)[:_LONGEST_TITLE]
    return Part(key, title, url, min(incident.began_at, now), now)


def _seen(part: Part, said: Iterable[str], source: Source, now: datetime, is_confirmed: bool) -> Part:
    """The part after a look at a source; what a person declared ends with what a page says, once one does."""
    if part.source == source.key and part.key in said:
        return replace(part, seen_at=now, over_at=None)
    ends = part.source == source.key or part.seen_at + SEEN_FOR <= now
    if ends or (part.key == BY_HAND and is_confirmed):
        return replace(part, over_at=part.over_at or now)
    return part


def _kept(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The first, whatever is open, and the latest of what is over: a page may name new ones at each look."""
    over = [part.key for part in parts[1:] if part.over_at is not None]
    dropped = set(over[:-_MOST_INCIDENTS])
    return tuple(part for part in parts if part.key not in dropped)


def _key(outage_id: str) -> Item:
    return {"pk": f"outage#{outage_id}", "sk": "outage"}


def _moved() -> PausesMoved:
    return PausesMoved("this outage went on or ended just now; look again")
