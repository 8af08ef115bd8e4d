"""Which accounts a unit is asked about, and who is asked for it."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.inventory.model import Round, asked_for
from chalicelib.org.line import leads, managers
from chalicelib.org.model import Person, Unit
from chalicelib.org.service import Org

Units = Mapping[str, Unit]


def units_of(org: Org) -> dict[str, Unit]:
    """Every unit by its id."""
    return {unit.unit_id: unit for unit in org.units()}


def is_asked_for(account: Account | None, units: Units, round_: Round, unit_id: str) -> bool:
    """Whether the account is ours now, and on this unit's list."""
    if account is None or not account.is_ours or account.unit_id not in units:
        return False
    return asked_for(units[account.unit_id].path, round_.unit_ids) == unit_id


def lists(accounts: Accounts, units: Units, unit_ids: tuple[str, ...]) -> dict[str, list[str]]:
    """The accounts that each of the units is asked about, by id."""
    found: dict[str, list[str]] = {unit_id: [] for unit_id in unit_ids}
    for account in accounts.in_units(unit_ids):
        asked = asked_for(units[account.unit_id].path, unit_ids) if account.unit_id in units else None
        if asked is not None:
            found[asked].append(account.account_id)
    return found


def whom(org: Org, unit: Unit, now: datetime) -> list[Person]:
    """Whoever is asked for a unit: its managers, or the next above whose address works."""
    for above in reversed(unit.path):
        found = _reachable(managers(org, above, now))
        if found:
            return found
    return leads(org, unit.unit_id, now)


def those_above(org: Org, unit: Unit, asked_ids: tuple[str, ...], now: datetime) -> list[Person]:
    """The next above a unit who are not asked for it yet; nobody, if all are."""
    for above in reversed(unit.path[:-1] or unit.path):
        found = [p for p in _reachable(managers(org, above, now)) if p.person_id not in asked_ids]
        if found:
            return found
    return [p for p in _reachable(leads(org, unit.unit_id, now)) if p.person_id not in asked_ids]


def _reachable(people: list[Person]) -> list[Person]:
    return [person for person in people if person.reach.unreachable_at is None]
