"""Who may be named as an account's owner or backup: by choice among a unit's people, or by e-mail."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.core.errors import NotFound, Problem
from chalicelib.core.words import mark
from chalicelib.org.model import Person, Status, Unit
from chalicelib.org.roles import Role
from chalicelib.org.service import Org

_WORK_WITH_ACCOUNTS = (Role.DISTRICT_MANAGER, Role.AUTHOR, Role.RESPONDER)

_NOBODY_THERE = mark("Nobody here has this e-mail address. Check it, or choose somebody from the list.")
NOT_HERE = mark("They are not here any more. Name somebody who is.")
_NEEDED = mark("Name whoever looks after it.")


@dataclass(frozen=True)
class Named:
    """How somebody is named: `email` counts, where there is one."""

    person_id: str = ""
    email: str = ""


class People:
    """`by_email` finds whoever has an address now."""

    def __init__(self, org: Org, by_email: Callable[[str], Person | None]) -> None:
        self._org = org
        self._by_email = by_email

    def find(self, person_id: str) -> Person | None:
        try:
            return self._org.person(person_id)
        except NotFound:
            return None

    def is_here(self, person_id: str) -> bool:
        person = self.find(person_id) if person_id else None
        return person is not None and person.status != Status.LEFT

    def name(self, person_id: str | None) -> str:
        """A person's name; empty for nobody."""
        person = self.find(person_id) if person_id else None
        return person.name if person else ""

    def named(self, field: str, said: Named, problems: list[Problem], is_needed: bool = True) -> str:
        """The id of whoever is named, or an empty one; what is wrong with it joins the problems."""
        if not said.email and not said.person_id:
            if is_needed:
                problems.append(Problem(field, _NEEDED))
            return ""
        person = self._by_email(said.email) if said.email else self.find(said.person_id)
        if person is None:
            problems.append(Problem(field, _NOBODY_THERE))
        elif person.status == Status.LEFT:
            problems.append(Problem(field, NOT_HERE))
        return person.person_id if person else ""

    def of(self, units: list[Unit], *also: str | None) -> list[Person]:
        """Whoever works with accounts in one of these units, and these people, by name; who left is not."""
        found = {
            p.person_id: p
            for u in units
            for r in _WORK_WITH_ACCOUNTS
            for p in self._org.holders(r, u.unit_id)
        }
        for person_id in also:
            person = self.find(person_id) if person_id else None
            if person is not None and person.status != Status.LEFT:
                found[person.person_id] = person
        return sorted(found.values(), key=lambda p: (p.name, p.person_id))
