"""Whom something about a unit goes to, by the line above it."""

from datetime import datetime

from chalicelib.org.model import Person
from chalicelib.org.roles import Role
from chalicelib.org.service import Org


def managers(org: Org, unit_id: str, now: datetime) -> list[Person]:
    """The district managers of the unit, or of the nearest above it that has any; the leads, if none has.

    Whoever stands in for those who are away; those who have left are nobody.
    """
    return _nearest(org, Role.DISTRICT_MANAGER, unit_id, now) or leads(org, unit_id, now)


def leads(org: Org, unit_id: str, now: datetime) -> list[Person]:
    """The leads of the unit, or of the nearest above it that has any."""
    return _nearest(org, Role.LEAD, unit_id, now)


def _nearest(org: Org, role: Role, unit_id: str, now: datetime) -> list[Person]:
    for above in reversed(org.unit(unit_id).path):
        here = [org.stand_in(holder.person_id, now) for holder in org.holders(role, above)]
        found = {person.person_id: person for person in here if person is not None}
        if found:
            return list(found.values())
    return []
