"""The accounts of a unit by what comes back for their work, for whoever may read the register there.

A report reads one row for each account and week, whatever was posted or said in them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.accounts.service import Accounts
from chalicelib.analytics.audience import Assessment, Facts, Trouble, assess, ranked
from chalicelib.analytics.effort import Effort, Own, effort_of
from chalicelib.analytics.store import Store, Week
from chalicelib.analytics.weeks import last_week
from chalicelib.core.errors import Conflict, TooLarge
from chalicelib.core.kernel import Kernel
from chalicelib.core.records import to_item
from chalicelib.org.model import Actor, Unit
from chalicelib.org.roles import Right
from chalicelib.org.service import Org

MOST_EXPORTED = 5000


@dataclass(frozen=True)
class UnitEffort:
    """What a unit sets itself, and what holds there with the units above it."""

    unit_id: str
    own: Own
    holds: Effort


class Audience:
    def __init__(self, kernel: Kernel, org: Org, accounts: Accounts) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._store = Store(kernel.database)

    # The report

    def ranking(
        self, actor: Actor, unit_id: str | None, platform: str | None, weeks: int
    ) -> list[Assessment]:
        """The accounts that we stand by in a unit and below it, without a unit all that the actor may read.

        Raises NotFound and NotAllowed.
        """
        units = {unit.unit_id: unit for unit in self._org.units()}
        if unit_id is not None:
            actor.require_on(Right.REGISTER_READ, self._org.unit(unit_id).path)
        given = self._accounts.in_units([unit_id]) if unit_id else self._accounts.everyone()
        listed = [
            account
            for account in given
            if account.is_standing
            and actor.may(Right.REGISTER_READ, units[account.unit_id].path, account.account_id)
        ]
        wanted = {a.account_id for a in listed if platform is None or a.platform == platform}
        return ranked(one for one in self._assessed(listed, units, weeks) if one.facts.account_id in wanted)

    def page(
        self,
        actor: Actor,
        limit: int,
        after: str = "",
        unit_id: str | None = None,
        platform: str | None = None,
        weeks: int = 8,
    ) -> tuple[list[Assessment], str | None]:
        """A page of `ranking`, and where the next starts."""
        left = [one for one in self.ranking(actor, unit_id, platform, weeks) if one.place > after]
        return left[:limit], left[limit - 1].place if len(left) > limit else None

    def export(self, actor: Actor, unit_id: str | None, platform: str | None, weeks: int) -> list[Assessment]:
        """All of `ranking`. Raises TooLarge when it is too long for one answer."""
        found = self.ranking(actor, unit_id, platform, weeks)
        if len(found) > MOST_EXPORTED:
            raise TooLarge(f"there are more than {MOST_EXPORTED} accounts; ask for a unit or a platform")
        return found

    def of(self, actor: Actor, account_id: str, weeks: int) -> Assessment:
        """One account, ranked in its unit. Raises NotFound, NotAllowed, and Conflict for one not ours."""
        account = self._accounts.recorded(actor, account_id)
        if not account.is_standing:
            raise Conflict(f"{account.handle} is {account.account_class}; only what we stand by is assessed")
        units = {unit.unit_id: unit for unit in self._org.units()}
        beside = [
            other
            for other in self._accounts.in_units([account.unit_id])
            if other.unit_id == account.unit_id and other.is_standing
        ]
        ids = {other.account_id for other in beside}
        found = ranked(a for a in self._assessed(beside, units, weeks) if a.facts.account_id in ids)
        return next(one for one in found if one.facts.account_id == account_id)

    def _assessed(self, listed: list[Account], units: Mapping[str, Unit], weeks: int) -> list[Assessment]:
        """The listed accounts, and all that they are compared with."""
        latest = last_week(self._kernel.clock.now())
        mondays = [latest - timedelta(days=7 * n) for n in reversed(range(weeks))]
        rows: dict[str, list[Week]] = defaultdict(list)
        heard_on: dict[str, date] = {}
        for monday in mondays:
            for week in self._store.weeks(monday):
                rows[week.account_id].append(week)
                heard_on[week.account_id] = monday
        # A sample may still be on its way; who missed two was not heard meanwhile, and starts anew.
        rows = {i: found for i, found in rows.items() if heard_on[i] >= latest - timedelta(days=7)}
        efforts = self._efforts(units)
        facts = {i: _counted(found, efforts[found[-1].unit_id]) for i, found in rows.items()}
        began_at = datetime.combine(mondays[0], time(), UTC)
        for account in listed:
            facts[account.account_id] = _known(facts.get(account.account_id), account, began_at)
        return assess(facts.values())

    # What the work takes

    def effort(self, actor: Actor, unit_id: str) -> UnitEffort:
        """Raises NotFound and NotAllowed."""
        path = self._org.unit(unit_id).path
        actor.require_on(Right.REGISTER_READ, path)
        own = self._store.efforts(path)
        return UnitEffort(unit_id, own.get(unit_id, Own()), effort_of(own.get(u, Own()) for u in path))

    def set_effort(self, actor: Actor, unit_id: str, own: Own) -> UnitEffort:
        """Replace what the unit sets, read as `own.version`. Raises NotFound, NotAllowed, Conflict."""
        actor.require_on(Right.REGISTER_WRITE, self._org.unit(unit_id).path)
        change = self._org.begin(actor)
        self._store.save_effort(change, unit_id, own)
        change.record(f"unit#{unit_id}", "effort set", **to_item(own))
        self._kernel.commit(change)
        return self.effort(actor, unit_id)

    def _efforts(self, units: Mapping[str, Unit]) -> dict[str, Effort]:
        """What holds in each unit, in one read of them all."""
        own = self._store.efforts(units)
        return {u: effort_of(own[above] for above in unit.path if above in own) for u, unit in units.items()}


def _counted(rows: list[Week], effort: Effort) -> Facts:
    """The sums of an account's weeks, in their order; where it is and its name are the latest ones."""
    last = rows[-1]
    posts, answered = sum(len(row.posts) for row in rows), sum(row.answered for row in rows)
    return Facts(
        last.account_id,
        last.platform,
        last.unit_id,
        last.handle,
        weeks=len(rows),
        posts=posts,
        answered=answered,
        response=sum(row.volume for row in rows),
        reach=sum(row.reactions + row.shares for row in rows),
        followers=last.followers,
        followers_before=rows[0].followers,
        hours=effort.hours(posts, answered, len(rows)),
    )


def _known(counted: Facts | None, account: Account, began_at: datetime) -> Facts:
    """What was counted, if anything, and what the register says of the account now."""
    facts = counted or Facts(account.account_id, account.platform, account.unit_id, account.handle)
    trouble = None
    if account.status == AccountStatus.LISTED:
        trouble = Trouble.NOT_CONNECTED
    elif not account.is_usable or account.unreadable_since is not None:
        trouble = Trouble.CANNOT_BE_READ
    is_in_use = account.last_post_at is not None and account.last_post_at >= began_at
    return replace(facts, trouble=trouble, is_posted_past_us=is_in_use)
