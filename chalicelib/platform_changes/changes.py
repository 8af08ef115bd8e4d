"""The register of what changes at the platforms: found, joined, corrected, planned, done.

Every change of a record is one transaction with its history, the mails it causes, and its next mark of the
countdown. Records of one platform are made one after the other, so that two sources that tell of the same
thing at the same moment make one record.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Busy, Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.history import By, Way
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Entry, Lane
from chalicelib.org.model import Actor, Person
from chalicelib.org.model import Status as PersonStatus
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platform_changes import countdown
from chalicelib.platform_changes import recording as records
from chalicelib.platform_changes import store as rows
from chalicelib.platform_changes.keepers import keepers
from chalicelib.platform_changes.model import Finding, Kind, Note, PlatformChange, Status, Touching
from chalicelib.platform_changes.rules import Rule, judged
from chalicelib.platform_changes.same import is_same
from chalicelib.platform_changes.sources.server import host_of, server_of
from chalicelib.platform_changes.touching import Mine, Said, names_a_call_of_ours, of_surfaces, touched
from chalicelib.platforms.surfaces import Surface

TELL = "tell_change"
WARN = "warn_of_change"
BY_HAND = "person"
"""The source of what somebody added."""
MOST_NOTES = 100
MOST_TOLD = 40  # people at once: a transaction has an end
_TRIES = 8
_LOOKED_BACK_FOR = timedelta(days=400)  # a version's end is told of a year ahead


@dataclass(frozen=True)
class Wanted:
    """Which changes are asked for; None is any. `touching` True: those that concern calls of ours."""

    is_open: bool = True
    platform: str | None = None
    kind: str | None = None
    status: str | None = None
    touching: bool | None = None


class Changes:
    """`surfaces` gives the calls that our code makes to a platform, `version_of` the API version in use there
    unless an account has its own.
    """

    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        accounts: Accounts,
        surfaces: Callable[[str], Sequence[Surface]],
        version_of: Callable[[str], str | None],
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._surfaces = surfaces
        self._version_of = version_of
        self.store = rows.Store(kernel.database)

    # Reading

    def get(self, change_id: str) -> PlatformChange:
        """Raises NotFound."""
        return self.store.get(change_id)

    def page(self, wanted: Wanted, limit: int, before: str = "") -> tuple[list[PlatformChange], str | None]:
        """A page of open changes, or of ended ones, the latest first, and where the next starts."""
        places = [found for found, _ in zip(self._fitting(wanted, before), range(limit + 1), strict=False)]
        found = self.store.get_many(place.change_id for _, place in places[:limit])
        return found, places[limit - 1][0] if len(places) > limit else None

    def since(self, moment: datetime) -> list[PlatformChange]:
        """Every change that was first seen since, open or ended, the latest first."""
        ids = [p.change_id for ours in (True, False) for _, p in self.store.places(ours, since=moment)]
        return sorted(self.store.get_many(ids), key=lambda change: change.seen_at, reverse=True)

    def open(self) -> list[PlatformChange]:
        """Every change that is not done and not put aside, the latest first."""
        return self.store.get_many(place.change_id for _, place in self.store.places(is_open=True))

    def _fitting(self, wanted: Wanted, before: str) -> Iterator[tuple[str, rows.Place]]:
        for lsk, place in self.store.places(wanted.is_open, before):
            if (
                wanted.platform in (None, place.platform)
                and wanted.kind in (None, place.kind)
                and wanted.status in (None, place.status)
                and wanted.touching in (None, place.touches == "touching")
            ):
                yield lsk, place

    # Found

    def record(
        self, platform: str, finding: Finding, source_key: str, url: str, by: By
    ) -> PlatformChange | None:
        """The change that a finding begins or joins; None if the finding was recorded before.

        `url` is the source's, for a finding without its own. Raises Busy when others keep recording changes
        of the same platform.
        """
        return self._recorded(platform, finding, source_key, url, by, {})

    def _recorded(
        self,
        platform: str,
        finding: Finding,
        source_key: str,
        url: str,
        by: By,
        corrections: Mapping[str, Any],
    ) -> PlatformChange | None:
        """Raises as `record` and `correct` do."""
        finding = records.plain(finding)
        here = {by.person_id} if by.way == Way.API else set()
        here |= {owner_id} if (owner_id := corrections.get("owner_id")) else set()
        for _ in range(_TRIES):
            turn = self.store.turn(platform)  # read first: whatever is recorded after this refuses the commit
            if self.store.of_finding(platform, source_key, finding.key) is not None:
                return None
            change = self._kernel.change(by)
            for person_id in sorted(here):
                change.add(self._org.active_check(person_id))
            rows.take_turn(change, platform, turn)
            made = self._record(change, platform, finding, source_key, url, corrections)
            try:
                self._kernel.commit(change)
            except Conflict:
                continue  # another change was recorded meanwhile, or somebody corrected the one that we join
            return made
        raise Busy(f"many changes of {platform} are being recorded; try again in a moment")

    def _record(
        self,
        change: Change,
        platform: str,
        finding: Finding,
        source_key: str,
        url: str,
        corrections: Mapping[str, Any],
    ) -> PlatformChange:
        verdict = judged(finding, platform, self.store.rules())
        if not verdict.is_ours and names_a_call_of_ours(records.said_of(finding), self._surfaces(platform)):
            verdict = replace(verdict, is_ours=True)
        seen = records.sighting_of(finding, source_key, url, change.now)
        known = self.store.of_platform(platform, change.now - _LOOKED_BACK_FOR)
        before = next((c for c in known if is_same(c, finding, verdict.kind, source_key, change.now)), None)
        mine = self._mine(platform, server_of(source_key))
        if before is None:
            change_id = new_id("change", change.now)
            touching = self._touching(platform, records.said_of(finding), verdict.kind, mine)
            after = records.started(change_id, platform, finding, verdict, touching, seen)
            change.record(f"platform_change#{change_id}", "found", source=source_key, kind=str(after.kind))
            after = self._corrected_in(change, after, corrections)
            after = rows.put_new(change, self._told(change, None, after))
        else:
            after = records.joined(before, finding, verdict, seen)
            touching = self._touching(platform, records.said_of(finding), after.kind, mine)
            after = records.with_touching(before, after, touching)
            why = {"source": source_key, "status": str(after.status)}
            change.record(f"platform_change#{after.change_id}", "seen again", **why)
            self._say_moved(change, before, after)
            after = self._corrected_in(change, after, corrections)
            after = rows.save(change, before, self._told(change, before, after))
        rows.put_finding(change, platform, source_key, finding.key, after.change_id)
        return after

    def add(
        self, actor: Actor, platform: str, finding: Finding, corrections: Mapping[str, Any]
    ) -> PlatformChange:
        """What somebody knows of, with their own word on its kind. Raises NotAllowed, and InvalidInput for
        surfaces that there are not. One that is known already gets a sighting more.
        """
        actor.require_on(Right.CHANGES_WRITE)
        self.check(platform, corrections)
        made = self._recorded(platform, finding, BY_HAND, finding.url, actor.by, corrections)
        assert made is not None, "what somebody adds has a key of its own"
        return made

    # Corrected

    def correct(
        self,
        actor: Actor,
        change_id: str,
        version: int,
        corrections: Mapping[str, Any],
        rule: Rule | None = None,
    ) -> PlatformChange:
        """Change what a person knows better, and keep a rule that says so from now on.

        `corrections` may have kind, status, touching (names of surfaces), effective_on, due_on, owner_id and
        title. Raises NotFound, NotAllowed, InvalidInput with every problem, and Conflict.
        """
        actor.require_on(Right.CHANGES_WRITE)
        before = self.store.get(change_id)
        change = self._org.begin(actor, {corrections.get("owner_id")})
        after = self.correct_in(change, before, version, corrections)
        if rule is not None:
            rows.put_rule(change, rule)
            change.record("platform_changes", "rule made", rule=rule.rule_id, from_change=change_id)
        self._kernel.commit(change)
        return after

    def correct_in(
        self, change: Change, before: PlatformChange, version: int, corrections: Mapping[str, Any]
    ) -> PlatformChange:
        """Add corrections to a change of the kernel's. Raises as `correct` does, but for rights."""
        self.check(before.platform, corrections)
        after = self._told(change, before, self._corrected_in(change, before, corrections))
        return rows.save(change, replace(before, version=version), after)

    def _corrected_in(
        self, change: Change, before: PlatformChange, corrections: Mapping[str, Any]
    ) -> PlatformChange:
        """The change with corrections that were checked, and the row of history that says so."""
        if not corrections:
            return before
        fields = {**corrections}
        to = Status(fields.pop("status", before.status))
        if "kind" in fields:
            fields |= {"kind": Kind(fields["kind"]), "classified_by": change.by.person_id}
        if "touching" in fields:
            touching = self._of_surfaces(before.platform, fields["touching"])
            fields |= {"touching": touching, "touching_by": change.by.person_id}
        after = replace(before, **fields)
        if "effective_on" in fields:
            after = replace(after, dated_by=change.by.person_id)
        # The mails of a countdown are about one day: another day begins it anew.
        if (after.effective_on, after.due_on) != (before.effective_on, before.due_on):
            after = replace(after, warned=())
        if to != before.status or (to == Status.PLANNED and {"due_on", "owner_id"} & fields.keys()):
            after = after.moved(to)
        if after.status == Status.PLANNED and not (after.owner_id and after.due_on):
            message = "a plan has somebody who does it, and a day: give owner_id and due_on"
            raise InvalidInput([Problem("status", message)])
        what = f"became {after.status}" if after.status != before.status else "corrected"
        change.record(f"platform_change#{after.change_id}", what, fields=sorted(corrections))
        return after

    def _say_moved(self, change: Change, before: PlatformChange, after: PlatformChange) -> None:
        if before.effective_on is not None and after.effective_on not in (before.effective_on, None):
            days = {"from": str(before.effective_on), "to": str(after.effective_on)}
            change.record(f"platform_change#{after.change_id}", "moved to another day", **days)

    def note(self, actor: Actor, change_id: str, text: str) -> PlatformChange:
        """Add a note. Raises NotFound, NotAllowed, and InvalidInput when there are too many."""
        actor.require_on(Right.CHANGES_WRITE)
        before = self.store.get(change_id)
        if len(before.notes) >= MOST_NOTES:
            raise InvalidInput([Problem("text", f"a change has {MOST_NOTES} notes at most")])
        change = self._org.begin(actor)
        after = replace(before, notes=(*before.notes, Note(actor.person_id, change.now, text)))
        saved = rows.save(change, before, after)
        change.record(f"platform_change#{change_id}", "note added")
        self._kernel.commit(change)
        return saved

    def check(self, platform: str, corrections: Mapping[str, Any]) -> None:
        """Raises InvalidInput with everything that is wrong with corrections of a platform's change."""
        problems = []
        owner_id, now = corrections.get("owner_id"), self._kernel.clock.now()
        if owner_id and self._here(owner_id) is None:
            message = f"{owner_id} is not among the people here; name somebody who is"
            problems.append(Problem("owner_id", message))
        due_on = corrections.get("due_on")
        if due_on is not None and due_on < now.date():
            problems.append(Problem("due_on", f"{due_on} has passed; give a day to come"))
        try:
            self._of_surfaces(platform, corrections.get("touching") or ())
        except KeyError as unknown:
            known = ", ".join(sorted({surface.name for surface in self._surfaces(platform)}))
            message = f"{unknown.args[0]}: no call of ours there has this name; there are: {known or 'none'}"
            problems.append(Problem("touching", message))
        if problems:
            raise InvalidInput(problems)

    # Told

    def told_next(
        self, change: Change, before: PlatformChange, mark: int, is_told_elsewhere: bool = False
    ) -> bool:
        """Tell of a mark of the countdown in a change; whether that puts the next one on the timetable.

        `is_told_elsewhere`: the keepers of the register get another mail of this day; only its owner is told.
        """
        owner = self._org.stand_in(before.owner_id, change.now) if before.owner_id else None
        told = keepers(self._org, change.now)
        if is_told_elsewhere and owner is not None and owner.person_id in {p.person_id for p in told}:
            owner = None
        people = [] if mark == countdown.DUE or is_told_elsewhere else told
        everybody = {p.person_id: p for p in (*people, *([owner] if owner else []))}
        self._tell(change, before, f"mark{mark}", list(everybody.values()))
        after = replace(before, warned=countdown.told_by(before, change.now.date()))
        saved = rows.save(change, before, after)
        self._count_down(change, None, saved)
        change.record(f"platform_change#{saved.change_id}", "people warned", mark=mark, people=len(everybody))
        return countdown.next_mark(saved, change.now.date()) is not None

    def _told(self, change: Change, before: PlatformChange | None, after: PlatformChange) -> PlatformChange:
        """Add the mails about what cannot wait, and the next mark; the change as it then is.

        They are sent once when it becomes known, and once more if it is seen again when its day has come.
        """
        was_told = before is not None and is_told_at_once(before)
        if was_told and before is not None and len(after.sightings) > len(before.sightings):
            was_told = not countdown.has_come(after, change.now.date()) or countdown.ENDED in after.warned
        if is_told_at_once(after) and not was_told:
            self._tell(change, after, "urgent", keepers(self._org, change.now))
            after = replace(after, warned=countdown.told_by(after, change.now.date()))
        self._count_down(change, before, after)
        return after

    def _tell(self, change: Change, about: PlatformChange, what: str, people: Sequence[Person]) -> None:
        for person in people[:MOST_TOLD]:
            key = f"{about.change_id}#{what}#{person.person_id}#{change.change_id}"
            change.chore(TELL, about.change_id, key=key, what=what, person=person.person_id)

    def _count_down(self, change: Change, before: PlatformChange | None, after: PlatformChange) -> None:
        """Keep the one entry of a change where its next mark is."""
        today = change.now.date()
        next_at = countdown.next_mark(after, today)
        if next_at is not None:
            entry_id, due_at = f"{WARN}#{after.change_id}", max(change.now, next_at[0])
            change.schedule(Entry(entry_id, Lane.CHORES, WARN, after.change_id, due_at))
        elif before is not None and countdown.next_mark(before, today) is not None:
            change.unschedule(f"{WARN}#{after.change_id}")

    # What it touches

    def _touching(self, platform: str, said: Said, kind: Kind, mine: Sequence[Mine]) -> Touching:
        return touched(said, kind, self._surfaces(platform), mine)

    def _of_surfaces(self, platform: str, names: Sequence[str]) -> Touching:
        return of_surfaces(names, self._surfaces(platform), self._mine(platform)) if names else Touching()

    def _mine(self, platform: str, server: str = "") -> list[Mine]:
        """Our accounts there; those of one server alone, where only that one has said something."""
        usual = self._version_of(platform) or ""
        accounts = [a for a in self._accounts.everyone() if a.platform == platform]
        if server:
            accounts = [a for a in accounts if host_of(a.server) == server]
        return [Mine(account.unit_id, account.api_version or usual) for account in accounts]

    def _here(self, person_id: str) -> Person | None:
        try:
            person = self._org.person(person_id)
        except NotFound:
            return None
        return person if person.status != PersonStatus.LEFT else None


def is_told_at_once(change: PlatformChange) -> bool:
    """Urgent, and some account of ours stands behind what it touches."""
    return change.is_urgent and change.touching.accounts > 0
