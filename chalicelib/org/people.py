"""People: they join, change, go away and leave; a change is refused if whoever makes it has just left.

Marking somebody as left is one transaction: their tokens, links and grants stop with it, because each use
of one reads that person's row, or puts a condition on it into its own transaction (`active_check`).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chalicelib.core.database import Write
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, Problem
from chalicelib.core.expressions import where
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.org import store as rows
from chalicelib.org.model import Actor, Language, Person, Reach, Status
from chalicelib.org.roles import Right


class People:
    """Persons; units, roles and tokens are for `Org`, which builds on this."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._store = rows.Store(kernel.database)

    def active_check(self, person_id: str) -> Write:
        """A write that refuses its whole transaction if the person has left.

        DynamoDB takes one action per row: never join it to a change that writes the same person.
        """
        return Write(
            "ConditionCheck",
            rows.TABLE,
            rows.person_key(person_id),
            when=where("attribute_exists(pk) AND NOT status = :left", left=Status.LEFT),
            otherwise=NotAllowed(f"{person_id} is not among the people here any more; nothing was changed"),
        )

    def begin(self, actor: Actor, here: Iterable[str | None] = (), writes: str | None = None) -> Change:
        """A change by `actor`, refused at the commit if they or one of `here` has left.

        `writes` is the person whose row the change itself writes, with a condition of its own.
        """
        change = self._kernel.change(actor.by)
        checked = {p for p in here if p} | ({actor.person_id} if actor.is_person else set())
        for person_id in sorted(checked - {writes}):
            change.add(self.active_check(person_id))
        return change

    def person(self, person_id: str) -> Person:
        """Raises NotFound."""
        return self._store.person(person_id)

    def of_email(self, email: str) -> Person | None:
        """Whoever has this address now."""
        return self._store.holder_of(email)

    def people(self, limit: int, after: str = "") -> tuple[list[Person], str | None]:
        """A page of people by name, those who left included, and where the next page starts."""
        return self._store.people(limit, after)

    def add_person(self, actor: Actor, name: str, email: str, zone: str, language: str) -> Person:
        """Raises Conflict if somebody has that e-mail address."""
        actor.require_on(Right.PEOPLE_WRITE)
        change = self.begin(actor)
        person = Person(new_id("person", change.now), name, email, zone, Language(language), change.now)
        rows.put_person(change, person)
        change.record(f"person#{person.person_id}", "added")
        self._kernel.commit(change)
        return person

    def change_person(self, actor: Actor, person_id: str, **changes: Any) -> Person:
        """Change name, zone, language (one's own, or with people.write) or e-mail (with people.write only).

        Approval mails go to the address, so nobody moves their own. Naming it, even the same one again, says
        that mail arrives there: what was known of failures is forgotten. Raises Conflict if it is taken.
        """
        if actor.person_id != person_id or "email" in changes:
            actor.require_on(Right.PEOPLE_WRITE)
        before = self._here(person_id)
        after = replace(before, **changes)
        failed_before = "email" in changes and before.reach.failed_at is not None
        is_new_reach = after.email != before.email or failed_before
        if is_new_reach:
            after = replace(after, reach=Reach(since=self._kernel.clock.now()))
        if after == before:
            return before
        change = self.begin(actor, writes=person_id)
        if is_new_reach:
            change.emit("ReachChanged", person_id)
        if rows.email_key(after.email) != rows.email_key(before.email):
            change.delete(rows.TABLE, rows.email_key(before.email))
            rows.claim_email(change, after)
        after = rows.save_person(change, before, after)
        difference = rows.difference(before, after)
        what = "changed" if difference["after"] else "address confirmed"
        change.record(f"person#{person_id}", what, **difference)
        self._kernel.commit(change)
        return after

    def set_away(self, actor: Actor, person_id: str, deputy_id: str, until: date | None) -> Person:
        """From now to the end of `until` (None: until they return) the deputy stands in."""
        self._require_self_or(actor, person_id, Right.PEOPLE_WRITE)
        before, now = self._here(person_id), self._kernel.clock.now()
        problems = []
        if until is not None and until < before.today(now):
            problems.append(Problem("until", f"{until} is over; give the last day away, today or later"))
        if deputy_id == person_id:
            problems.append(Problem("deputy_id", "nobody stands in for themselves; name somebody else"))
        elif self._stand_in(deputy_id, now, {person_id}) is None:
            message = "they have left, or are away without anybody who stands in; name somebody who is here"
            problems.append(Problem("deputy_id", message))
        if problems:
            raise InvalidInput(problems)
        change = self.begin(actor, [deputy_id], writes=person_id)
        away = replace(before, status=Status.AWAY, deputy_id=deputy_id, away_until=until)
        after = rows.save_person(change, before, away)
        change.record(f"person#{person_id}", "went away", **rows.difference(before, after))
        self._kernel.commit(change)
        return after

    def return_from_away(self, actor: Actor, person_id: str) -> Person:
        """Raises Conflict if they are not away."""
        self._require_self_or(actor, person_id, Right.PEOPLE_WRITE)
        before = self._here(person_id)
        if before.status != Status.AWAY:
            raise Conflict(f"{before.name} is not away")
        change = self.begin(actor, writes=person_id)
        back = replace(before, status=Status.ACTIVE, deputy_id=None, away_until=None)
        after = rows.save_person(change, before, back)
        change.record(f"person#{person_id}", "came back")
        self._kernel.commit(change)
        return after

    def mark_left(self, actor: Actor, person_id: str, why: str | None = None) -> Person:
        """They have left: nothing of theirs works from this commit on, and their address is free again.

        Raises Conflict for the last lead, and for somebody who left before.
        """
        actor.require_on(Right.PEOPLE_WRITE)
        before = self._here(person_id)
        change = self.begin(actor, writes=person_id)
        left = replace(before, status=Status.LEFT, left_at=change.now, deputy_id=None, away_until=None)
        after = rows.save_person(change, before, left)
        change.delete(rows.TABLE, rows.email_key(before.email))
        rows.drop_lead(change, person_id)
        change.emit("PersonLeft", person_id)
        change.record(f"person#{person_id}", "left", why)
        self._kernel.commit(change)
        return after

    def stand_in(self, person_id: str, now: datetime) -> Person | None:
        """The person themselves while they are here, else whoever stands in, through any number of deputies.

        None if the line ends with somebody who left, or runs in a circle.
        """
        return self._stand_in(person_id, now, set())

    def _here(self, person_id: str) -> Person:
        person = self._store.person(person_id)
        if person.status == Status.LEFT:
            raise Conflict(f"{person.name} has left")
        return person

    def _stand_in(self, person_id: str, now: datetime, seen: set[str]) -> Person | None:
        while person_id not in seen:
            seen.add(person_id)
            person = self._store.find_person(person_id)
            if person is None or person.status == Status.LEFT:
                return None
            if not person.is_away(now):
                return person
            person_id = person.deputy_id or person_id
        return None

    def _require_self_or(self, actor: Actor, person_id: str, right: Right) -> None:
        if actor.person_id != person_id:
            actor.require_on(right)
