"""Who hears of a case: its owner, then the manager of its unit, then the lead."""

from collections.abc import Iterable
from datetime import datetime

from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from chalicelib.takedowns.model import Case, Rung


class Ladder:
    def __init__(self, org: Org) -> None:
        self._org = org

    def people(self, case: Case, rungs: Iterable[Rung], now: datetime) -> list[str]:
        """Whoever stands on these rungs now, or in for them; where nobody does, on the next one up."""
        path = self._org.unit(case.unit_id).path
        found: list[str] = []
        last = Rung.OWNER
        for last in rungs:
            found += self._on(last, case.owner_id, path, now)
        every = list(Rung)
        for higher in every[every.index(last) + 1 :]:
            found = found or self._on(higher, case.owner_id, path, now)
        return list(dict.fromkeys(found))

    def owner_for(self, preferred: Iterable[str], unit_id: str, now: datetime) -> str:
        """The first of these who is here, or else of the unit's managers and leads; empty if nobody is."""
        here = self._here(preferred, now)
        path = self._org.unit(unit_id).path
        for rung in (Rung.MANAGER, Rung.LEAD):
            here = here or self._on(rung, "", path, now)
        return here[0] if here else ""

    def _on(self, rung: Rung, owner_id: str, path: tuple[str, ...], now: datetime) -> list[str]:
        match rung:
            case Rung.OWNER:
                return self._here([owner_id], now)
            case Rung.MANAGER:
                named = (self._org.unit(unit_id).lead_id for unit_id in reversed(path[1:]))
                holding = self._nearest(Role.DISTRICT_MANAGER, path)
                return self._here(holding or [p for p in named if p][:1], now)
            case Rung.LEAD:
                return self._here(self._nearest(Role.LEAD, path), now)

    def _nearest(self, role: Role, path: tuple[str, ...]) -> list[str]:
        """Who holds the role on the unit, or on the nearest one above it where anybody does."""
        for unit_id in reversed(path):
            if holders := self._org.holders(role, unit_id):
                return [person.person_id for person in holders]
        return []

    def _here(self, person_ids: Iterable[str], now: datetime) -> list[str]:
        """The people, or whoever stands in for them."""
        standing = (self._org.stand_in(person_id, now) for person_id in person_ids if person_id)
        return [person.person_id for person in standing if person is not None]
