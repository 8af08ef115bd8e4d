"""Rounds as the API has them: started, reminded, closed, and how far each unit is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict, InvalidInput, Problem
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.inventory import store as rows
from chalicelib.inventory.cover import units_of
from chalicelib.inventory.model import (
    ESCALATED_AT,
    REMINDED_AT,
    REMINDED_BEFORE,
    Part,
    PartState,
    Round,
    RoundState,
    asked_for,
    at_on,
    closes_at,
)
from chalicelib.org.model import Actor, Kind, Unit
from chalicelib.org.roles import Right, Role
from chalicelib.org.service import Org

OPEN = "open_inventory"
REMIND = "remind_inventory"
ESCALATE = "escalate_inventory"
CLOSE = "close_inventory"
SETTLE = "settle_inventory"
LONGEST_FOR = timedelta(days=180)
_AGAIN_AFTER = timedelta(hours=1)  # between two reminders that a person asks for


class Rounds:
    def __init__(self, kernel: Kernel, org: Org, accounts: Accounts) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self.store = rows.Store(kernel.database)

    # What the lead does

    def start(self, actor: Actor, fields: Mapping[str, Any]) -> Round:
        """Start a round, from forms.NewRound's fields; the mails go out by a chore.

        Without units, every district and department that has a manager is asked or, if none has, every unit
        directly below the company. Raises NotAllowed, and InvalidInput with every problem.
        """
        tree = self._org.units()
        actor.require_on(Right.REGISTER_WRITE, tree[0].path)
        unit_ids = tuple(dict.fromkeys(fields.get("unit_ids") or self._usual(tree)))
        zone = self._org.person(actor.person_id).zone if actor.is_person else "UTC"
        today = self._kernel.clock.now()
        problems = _problems(fields["due_on"], today.date(), unit_ids, {unit.unit_id for unit in tree})
        if problems:
            raise InvalidInput(problems)
        change = self._org.begin(actor)
        given = fields.get("reminders")
        round_ = Round(
            round_id=new_id("round", change.now),
            name=fields["name"],
            due_on=fields["due_on"],
            zone=zone,
            reminders=tuple(sorted(set(REMINDED_BEFORE if given is None else given), reverse=True)),
            unit_ids=unit_ids,
            outside=self._outside(tree, unit_ids),
            started_by=actor.person_id,
            started_at=change.now,
            closes_at=closes_at(fields["due_on"], zone),
        )
        rows.save_round(change, round_, None)
        change.chore(OPEN, round_.round_id, key=round_.round_id)
        for entry in _entries(round_):
            if entry.due_at > change.now:
                change.schedule(entry)
        change.record(round_.subject, "started", units=len(unit_ids), due_on=round_.due_on.isoformat())
        self._kernel.commit(change)
        return round_

    def remind(self, actor: Actor, round_id: str) -> Round:
        """Remind everybody who has not finished, now. Raises Conflict for a round that is closed, or one
        whose people were reminded within the hour.
        """
        round_ = self._to_change(actor, round_id)
        now = self._kernel.clock.now()
        if round_.reminded_at is not None and now - round_.reminded_at < _AGAIN_AFTER:
            raise Conflict("they were reminded less than an hour ago; give them time to answer")
        change = self._org.begin(actor)
        after = replace(round_, reminded_at=change.now)
        rows.save_round(change, after, round_)
        change.chore(REMIND, round_id, what=f"asked {change.change_id}")
        change.record(round_.subject, "reminders sent")
        self._kernel.commit(change)
        return replace(after, version=round_.version + 1)

    def close(self, actor: Actor, round_id: str) -> Round:
        """End a round before its time. Raises Conflict if it is closed."""
        round_ = self._to_change(actor, round_id)
        change = self._org.begin(actor)
        closed = self.close_in(change, round_, actor.by, "closed early")
        change.unschedule(f"{CLOSE}#{round_id}")
        self._kernel.commit(change)
        return closed

    # By the timetable

    def close_by_itself(self, claim: Claim) -> bool | None:
        """The chore at the end of a round."""
        round_ = self.store.find_round(claim.entry.ref)
        if round_ is None or not round_.is_open:
            return None
        change = self._kernel.change(BY_JOB)
        self.close_in(change, round_, change.by, "its time was over")
        change.add(self._kernel.timetable.finish(claim, change.now))
        self._kernel.commit(change)
        return True

    def close_in(self, change: Change, round_: Round, by: By, why: str) -> Round:
        """Add to a change that the round is closed; its parts are closed, and its report sent, by a chore."""
        after = replace(round_, state=RoundState.CLOSED, closed_at=change.now, closed_by=by.person_id)
        rows.save_round(change, after, round_)
        change.chore(SETTLE, round_.round_id, key=round_.round_id)
        for entry in _entries(round_):
            if entry.kind != CLOSE and entry.due_at > change.now:
                change.unschedule(entry.entry_id)
        change.record(round_.subject, "closed", why)
        return replace(after, version=round_.version + 1)

    # Reading

    def visible_parts(self, actor: Actor, round_id: str) -> list[tuple[Part, Unit]]:
        """The parts of a round that the actor may see, by the tree of units. Raises NotFound."""
        self.store.round(round_id)
        found = self.in_order(self.store.parts(round_id))
        return [(part, unit) for part, unit in found if actor.may(Right.REGISTER_READ, unit.path)]

    def in_order(self, parts: list[Part]) -> list[tuple[Part, Unit]]:
        """Parts with their units, by the tree of units."""
        units = units_of(self._org)
        order = {unit_id: place for place, unit_id in enumerate(units)}
        found = [(part, units[part.unit_id]) for part in parts if part.unit_id in units]
        return sorted(found, key=lambda both: order[both[0].unit_id])

    def _to_change(self, actor: Actor, round_id: str) -> Round:
        actor.require_on(Right.REGISTER_WRITE, self._org.units()[0].path)
        round_ = self.store.round(round_id)
        if not round_.is_open:
            raise Conflict("this round is closed; start another one")
        return round_

    def _usual(self, tree: list[Unit]) -> list[str]:
        asked = (Kind.DISTRICT, Kind.DEPARTMENT)
        managed = [u for u in tree if u.kind in asked and self._org.holders(Role.DISTRICT_MANAGER, u.unit_id)]
        below = [u for u in tree if len(u.path) == 2]
        return [unit.unit_id for unit in managed or below or tree]

    def _outside(self, tree: list[Unit], unit_ids: tuple[str, ...]) -> int:
        """How many accounts of ours nobody is asked about."""
        paths = {unit.unit_id: unit.path for unit in tree}
        ours = self._accounts.everyone()
        return sum(1 for a in ours if asked_for(paths.get(a.unit_id, ()), unit_ids) is None)


def is_done(parts: list[Part]) -> bool:
    """Whether everybody has finished."""
    return all(part.state == PartState.FINISHED for part in parts)


def _entries(round_: Round) -> list[Entry]:
    """What the timetable does for a round, each with its own id."""
    ref, zone = round_.round_id, round_.zone
    reminders = [
        Entry(
            f"{REMIND}#{ref}#{days}", Lane.CHORES, REMIND, ref,
            at_on(round_.due_on - timedelta(days=days), REMINDED_AT, zone), args={"what": f"due {days}"},
        )
        for days in round_.reminders
    ]  # fmt: skip
    ends_at = at_on(round_.due_on, ESCALATED_AT, zone)
    return [
        *reminders,
        Entry(f"{ESCALATE}#{ref}", Lane.CHORES, ESCALATE, ref, ends_at),
        Entry(f"{CLOSE}#{ref}", Lane.CHORES, CLOSE, ref, round_.closes_at),
    ]


def _problems(due_on: date, today: date, unit_ids: tuple[str, ...], known: set[str]) -> list[Problem]:
    problems = []
    if not today < due_on <= today + LONGEST_FOR:
        problems.append(Problem("due_on", f"must be a day of the next {LONGEST_FOR.days} days"))
    problems += [Problem("unit_ids", f"there is no unit {u}") for u in unit_ids if u not in known]
    return problems
