"""Numbers as people ask for them: of a unit and all below it, an account or a person, over some days."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.accounts.service import Accounts
from chalicelib.core.clock import Clock
from chalicelib.inbox.numbers import Numbers, Scope
from chalicelib.inbox.store import InboxStore
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org

Totals = Counter[str]


@dataclass(frozen=True)
class Asked:
    """Of what: an account, or a person, or a unit; neither is everything that the asker may see.

    With a unit, a person's numbers are those in it and below it. Days are those of each unit's own zone.
    """

    first: date
    last: date
    unit_id: str | None = None
    account_id: str | None = None
    person_id: str | None = None


@dataclass(frozen=True)
class Oldest:
    conversation_id: str
    waits_since: datetime
    waits_for: timedelta


@dataclass(frozen=True)
class Report:
    """Totals over all, by day, by hour of the day and by unit; backlog and oldest are as of now."""

    asked: Asked
    totals: Totals
    days: Mapping[str, Totals]
    hours: Mapping[int, Totals]
    units: Mapping[str, Totals]
    backlog: int
    oldest: Oldest | None


class Reports:
    def __init__(
        self, numbers: Numbers, store: InboxStore, org: Org, accounts: Callable[[], Accounts], clock: Clock
    ) -> None:
        self._numbers = numbers
        self._store = store
        self._org = org
        self._accounts = accounts
        self._clock = clock

    def of(self, actor: Actor, asked: Asked) -> Report:
        """Sums of counters, without a look at any message. Raises NotFound, and NotAllowed."""
        scopes, may_see = self._scopes(actor, asked)
        every_day = range((asked.last - asked.first).days + 1)
        days = {str(asked.first + timedelta(days=n)): Totals() for n in every_day}
        hours = {hour: Totals() for hour in range(24)}
        totals, units = Totals(), dict[str, Totals]()
        backlog = 0
        for scope in scopes:
            for day, unit_id, hour, metrics in self._numbers.rows(scope, asked.first, asked.last):
                if may_see(unit_id):
                    for sums in (totals, days[day], hours[hour], units.setdefault(unit_id, Totals())):
                        sums.update(metrics)
            backlog += sum(n for unit_id, n in self._numbers.backlog(scope).items() if may_see(unit_id))
        return Report(asked, totals, days, hours, units, backlog, self._oldest(scopes, may_see))

    def _scopes(self, actor: Actor, asked: Asked) -> tuple[list[Scope], Callable[[str], bool]]:
        """Which counters to sum, and of which units."""
        if asked.account_id is not None:
            account = self._accounts().get(asked.account_id)
            actor.require_on(Right.INBOX_READ, self._org.unit(account.unit_id).path, account.account_id)
            return [("account", account.account_id)], lambda unit_id: True
        if asked.unit_id is not None:
            actor.require_on(Right.INBOX_READ, self._org.unit(asked.unit_id).path)
        seen = {
            unit.unit_id
            for unit in self._org.units()
            if asked.unit_id in (None, *unit.path) and actor.may(Right.INBOX_READ, unit.path)
        }
        if asked.person_id is not None:
            person = self._org.person(asked.person_id)
            is_own = person.person_id == actor.person_id and asked.unit_id is None
            return [("person", person.person_id)], lambda unit_id: is_own or unit_id in seen
        return [("unit", unit_id) for unit_id in sorted(seen)], lambda unit_id: unit_id in seen

    def _oldest(self, scopes: Iterable[Scope], may_see: Callable[[str], bool]) -> Oldest | None:
        """Of the conversations that are due first, the one that has waited longest."""
        due_first = [c for scope in scopes if (c := self._numbers.first_due(scope)) is not None]
        waits = [
            (c.unanswered_since or c.at, c.conversation_id)
            for c in self._store.get_many(due_first).values()
            if c.is_to_do and may_see(c.unit_id)
        ]
        if not waits:
            return None
        since, conversation_id = min(waits)
        return Oldest(conversation_id, since, self._clock.now() - since)
