"""Briefings: written each Monday morning where the company is and kept as written, or made now on request.

The chore writes a week once, and puts the next week on the timetable in the same transaction.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from chalicelib.platform_changes import briefing_weeks as weeks
from chalicelib.platform_changes.briefing_model import Briefing, Down, Ending, OnRadar, Silent, Told
from chalicelib.platform_changes.briefing_store import BriefingStore
from chalicelib.platform_changes.model import WARNED_BEFORE, Kind, PlatformChange, Source, SourceState

WRITE = "write_briefing"
MAIL = "mail_briefing"
_MOST = 60  # changes of one kind in a briefing: a row has 400 KB, and nobody reads more
_LONGEST_TITLE, _LONGEST_TEXT = 200, 600
_CATCHES_UP_FOR = timedelta(days=35)  # what passed while nothing was written
_URGENCY = {kind: place for place, kind in enumerate(Kind)}


class VersionInUse(Protocol):
    """What a briefing needs of a line of the version register."""

    @property
    def platform(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def ends_on(self) -> date | None: ...
    @property
    def newest(self) -> str | None: ...
    @property
    def accounts(self) -> int: ...
    @property
    def units(self) -> int: ...
    @property
    def set_in(self) -> str | None: ...


class Outage(Protocol):
    @property
    def platform(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def began_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class Inputs:
    """What other rooms know; `ability` says what a platform's surface is needed for, empty if unknown."""

    changes_since: Callable[[datetime], Iterable[PlatformChange]]
    open_changes: Callable[[], Iterable[PlatformChange]]
    versions: Callable[[], Iterable[VersionInUse]]
    outages_since: Callable[[datetime], Iterable[Outage]]
    failing: Callable[[], Iterable[SourceState]]
    source: Callable[[str], Source | None]
    ability: Callable[[str, str], str]


class Briefings:
    def __init__(self, kernel: Kernel, org: Org, inputs: Inputs) -> None:
        self._kernel = kernel
        self._org = org
        self._inputs = inputs
        self._store = BriefingStore(kernel.database)

    # On the timetable

    def ensure(self) -> dict[str, int]:
        """Put the next briefing on the timetable if it is not there, and one that got lost on the way."""
        zone, change = self._zone(), self._kernel.change(BY_JOB)
        latest = weeks.latest(change.now, zone)
        wanted = [weeks.after(latest)]
        if self._store.kept(1) and self._store.find(latest) is None:
            wanted.append(latest)
        for week in wanted:
            if not self._is_planned(week):
                self._plan(change, week, zone)
        if change.entries:
            change.record("briefings", "planned", weeks=[entry.ref for entry in change.entries])
            self._kernel.commit(change)
        return {"planned": len(change.entries)}

    def write(self, claim: Claim) -> None:
        """Write a week's briefing and have it mailed; again, it changes nothing.

        Raises Later if it is not Monday morning yet: the company may have moved to another zone.
        """
        week, zone, now = claim.entry.ref, self._zone(), self._kernel.clock.now()
        until = weeks.written_at(week, zone)
        if now < until:
            raise Later(until)
        if self._store.find(week) is not None:
            return
        last = next(iter(self._store.kept(1, week)), None)
        is_next = last is not None and until - _CATCHES_UP_FOR <= last.until < until
        since = last.until if last and is_next else weeks.written_at(weeks.before(week), zone)
        change = self._kernel.change(BY_JOB)
        self._store.put_new(change, self._made(week, since, until, zone))
        change.chore(MAIL, week, key=week)
        self._plan(change, weeks.after(week), zone)
        change.record(f"briefing#{week}", "written")
        with contextlib.suppress(Conflict):  # another worker has just written it
            self._kernel.commit(change)

    def _plan(self, change: Change, week: str, zone: str) -> None:
        change.chore(WRITE, week, weeks.written_at(week, zone), week)

    def _is_planned(self, week: str) -> bool:
        """Whether it is on the timetable, parked, or was there and is done."""
        try:
            self._kernel.timetable.get(f"{WRITE}#{week}")
        except NotFound:
            return False
        return True

    # Reading

    def of(self, week: str = "", platform: str = "") -> Briefing:
        """A week's as it was written, or what there is to tell now since the latest. Raises NotFound."""
        found = self._store.find(week) if week else self._now()
        if found is None:
            raise NotFound(f"there is no briefing of {week}; the first is written on a Monday at 07:00")
        return found.about(platform) if platform else found

    def kept(self, limit: int, before: str = "~") -> list[Briefing]:
        """The latest that come before a week, the latest first."""
        return self._store.kept(limit, before)

    def _now(self) -> Briefing:
        zone, now = self._zone(), self._kernel.clock.now()
        week = weeks.latest(now, zone)
        last = self._store.find(week)
        since = last.until if last else weeks.written_at(week, zone)
        return self._made(weeks.after(week), since, now, zone)

    # Writing

    def _made(self, week: str, since: datetime, until: datetime, zone: str) -> Briefing:
        from zoneinfo import ZoneInfo

        now = self._kernel.clock.now()
        on = until.astimezone(ZoneInfo(zone)).date()
        inputs = self._inputs
        changed = [c for c in _no_outages(inputs.changes_since(since)) if since <= c.seen_at < until]
        changed.sort(key=_importance)
        asking = [c for c in _no_outages(inputs.open_changes()) if c.touching or c.owner_id or c.due_on]
        asking = [c for c in asking if c.seen_at < until]
        asking.sort(key=lambda c: (c.due_on or c.effective_on or date.max, _importance(c)))
        warned_on = on + max(WARNED_BEFORE)
        return Briefing(
            week=week,
            since=since,
            until=until,
            written_at=now,
            on=on,
            zone=zone,
            changed=tuple(self._told(change) for change in changed[:_MOST]),
            open=tuple(self._told(change) for change in asking[:_MOST]),
            left_out=max(0, len(changed) - _MOST) + max(0, len(asking) - _MOST),
            versions=tuple(
                Ending(v.platform, v.version, v.ends_on, v.accounts, v.units, v.newest or "", v.set_in or "")
                for v in sorted(inputs.versions(), key=lambda v: v.ends_on or date.max)
                if v.accounts and v.ends_on is not None and v.ends_on <= warned_on
            ),
            outages=tuple(
                Down(o.platform, o.title[:_LONGEST_TITLE], o.began_at, o.ended_at)
                for o in inputs.outages_since(since)
                if o.began_at < until
            ),
            silent=tuple(self._silent(now)),
            radar=self._on_radar(since, on),
        )

    def _told(self, change: PlatformChange) -> Told:
        abilities = (self._inputs.ability(change.platform, name) for name in change.touching.surfaces)
        return Told(
            change_id=change.change_id,
            platform=change.platform,
            kind=change.kind,
            title=change.title[:_LONGEST_TITLE],
            text=change.text[:_LONGEST_TEXT],
            url=next((seen.url for seen in change.sightings if seen.url), ""),
            status=change.status,
            seen_at=change.seen_at,
            effective_on=change.effective_on,
            due_on=change.due_on,
            touches=bool(change.touching),
            abilities=tuple(sorted({ability for ability in abilities if ability})),
            accounts=change.touching.accounts,
            units=change.touching.units,
            versions=change.versions,
            owner=self._name(change.owner_id),
        )

    def _silent(self, now: datetime) -> Iterator[Silent]:
        """The sources that fail for longer than their patience."""
        for state in self._inputs.failing():
            source, since = self._inputs.source(state.key), state.failing_since
            if source is not None and since is not None and now - since >= source.patience_for:
                url = source.page_url or source.url
                yield Silent(source.key, source.platform, source.name, url, since, state.failing_why)

    def _on_radar(self, since: datetime, on: date) -> tuple[OnRadar, ...]:
        """What was judged since, and what is to be looked at again before the briefing after the next."""
        return tuple(
            OnRadar(
                p.prospect_id, p.name, p.url, p.what, p.decision, p.why, p.review_on, self._name(p.owner_id)
            )
            for p in self._store.prospects()
            if p.judged_at >= since or (p.review_on is not None and p.review_on <= on + 2 * weeks.WEEK)
        )

    def _name(self, person_id: str) -> str:
        try:
            return self._org.person(person_id).name if person_id else ""
        except NotFound:
            return ""

    def _zone(self) -> str:
        """Where the company's own lead lives, or the first of its leads."""
        company = self._org.units()[0]
        leads = [company.lead_id] if company.lead_id else []
        leads += [person.person_id for person in self._org.holders(Role.LEAD, company.unit_id)]
        return self._org.person(leads[0]).zone if leads else "UTC"


def _no_outages(changes: Iterable[PlatformChange]) -> Iterable[PlatformChange]:
    return (change for change in changes if change.kind != Kind.OUTAGE)  # they have a part of their own


def _importance(change: PlatformChange) -> tuple[bool, int, date]:
    return not change.touching, _URGENCY[change.kind], change.effective_on or date.max
