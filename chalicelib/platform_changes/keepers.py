"""Who keeps the register of changes, and is told what must not wait."""

from datetime import datetime

from chalicelib.org.model import Person
from chalicelib.org.roles import Right, roles_with
from chalicelib.org.service import Org


def keepers(org: Org, now: datetime) -> list[Person]:
    """Everybody who may write to the register for the whole company, or whoever stands in for them."""
    company = next(unit for unit in org.units() if unit.parent_id is None)
    holders = [p for role in roles_with(Right.CHANGES_WRITE) for p in org.holders(role, company.unit_id)]
    found = (org.stand_in(holder.person_id, now) for holder in holders)
    return list({person.person_id: person for person in found if person is not None}.values())
