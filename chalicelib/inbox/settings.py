"""What each unit sets for its inbox, and what holds there with the units above it.

pk settings#<unit>   sk targets | calendar | escalation | rules | replies    what the unit sets itself
pk settings#<unit>   sk version                                              counts its changes
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.accounts.service import Accounts
from chalicelib.core.database import Item
from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Kernel
from chalicelib.core.records import from_item, to_item
from chalicelib.inbox.calendar import Calendar, NeverOpen
from chalicelib.inbox.reply_model import ReplyPolicy
from chalicelib.inbox.rules import Rule
from chalicelib.inbox.store import TABLE
from chalicelib.inbox.targets import Ladder, Targets
from chalicelib.org.model import Actor, Status
from chalicelib.org.roles import Right
from chalicelib.org.service import Org

KEPT_FOR = timedelta(seconds=30)  # in memory: a change holds everywhere after so long
_BYTES_OF_RULES = 350_000  # DynamoDB takes an item of 400 kB


@dataclass(frozen=True)
class RuleBook:
    """A unit's own rules, in their order."""

    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Own:
    """What a unit sets itself; None where it leaves it to the units above."""

    targets: Targets | None = None
    calendar: Calendar | None = None
    escalation: Ladder | None = None
    rules: RuleBook | None = None
    replies: ReplyPolicy | None = None


@dataclass(frozen=True)
class Settled:
    """What holds in a unit."""

    targets: Targets = field(default_factory=Targets)
    calendar: Calendar = field(default_factory=Calendar)
    ladder: Ladder = field(default_factory=Ladder)
    rules: tuple[Rule, ...] = ()
    replies: ReplyPolicy = field(default_factory=ReplyPolicy)


@dataclass(frozen=True)
class UnitSettings:
    unit_id: str
    own: Own
    holds: Settled
    version: int


_SECTIONS: dict[str, type] = {
    "targets": Targets, "calendar": Calendar, "escalation": Ladder, "rules": RuleBook,
    "replies": ReplyPolicy,
}  # fmt: skip


class InboxSettings:
    def __init__(self, kernel: Kernel, org: Org, accounts: Callable[[], Accounts]) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._held: dict[str, tuple[datetime, Settled]] = {}

    def of(self, unit_id: str) -> Settled:
        """What holds in the unit, at most KEPT_FOR old. Raises NotFound for a unit that is not there."""
        return self._kept(unit_id, lambda: self._org.unit(unit_id).path)

    def of_path(self, unit_path: tuple[str, ...]) -> Settled:
        """The same for a caller who has the unit's path."""
        return self._kept(unit_path[-1], lambda: unit_path)

    def read(self, actor: Actor, unit_id: str) -> UnitSettings:
        """What the unit sets, and what holds there now. Raises NotFound."""
        path = self._org.unit(unit_id).path
        actor.require_on(Right.INBOX_MANAGE, path)
        own, versions = self._own(path)
        return UnitSettings(unit_id, own[-1], _settled(own), versions[-1])

    def save(self, actor: Actor, unit_id: str, own: Own, version: int) -> UnitSettings:
        """Replace all that the unit sets; running clocks keep the targets that they began with.

        Raises InvalidInput with everything that cannot work, and Conflict unless `version` is the latest.
        """
        path = self._org.unit(unit_id).path
        actor.require_on(Right.INBOX_MANAGE, path)
        problems = self._problems(own, path)
        if problems:
            raise InvalidInput(problems)
        change = self._org.begin(actor)
        meanwhile = Conflict("these settings have been changed since you read them; read them again")
        change.put(
            TABLE,
            {**_key(unit_id, "version"), "version": version + 1},
            where("version = :v", v=version) if version else where("attribute_not_exists(pk)"),
            meanwhile,
        )
        for section in _SECTIONS:
            value = getattr(own, section)
            if value is None:
                change.delete(TABLE, _key(unit_id, section))
            else:
                change.put(TABLE, {**to_item(value), **_key(unit_id, section)})
        own_set = to_item(own)
        rules = own_set.pop("rules", None)
        names = [rule["name"] for rule in rules["rules"]] if rules else None
        change.record(f"unit#{unit_id}", "inbox settings set", version=version + 1, **own_set, rules=names)
        self._kernel.commit(change)
        self._held.clear()
        return self.read(actor, unit_id)

    def _kept(self, unit_id: str, path: Callable[[], tuple[str, ...]]) -> Settled:
        now = self._kernel.clock.now()
        until, settled = self._held.get(unit_id, (now, None))
        if settled is None or not until - KEPT_FOR <= now < until:
            settled = _settled(self._own(path())[0])
            self._held[unit_id] = (now + KEPT_FOR, settled)
        return settled

    def _own(self, path: tuple[str, ...]) -> tuple[list[Own], list[int]]:
        """What each unit of the path sets itself, root first, and the versions; one read."""
        keys = [_key(unit_id, sk) for unit_id in path for sk in (*_SECTIONS, "version")]
        found: dict[str, dict[str, Any]] = {}
        for item in self._kernel.database.get_many(TABLE, keys):
            found.setdefault(item["pk"], {})[item["sk"]] = item
        rows = [found.get(_key(unit_id, "")["pk"], {}) for unit_id in path]
        own = [Own(**{s: from_item(c, row[s]) for s, c in _SECTIONS.items() if s in row}) for row in rows]
        return own, [row["version"]["version"] if "version" in row else 0 for row in rows]

    def _problems(self, own: Own, path: tuple[str, ...]) -> list[Problem]:
        problems = []
        if own.calendar is not None:
            try:
                own.calendar.check(self._kernel.clock.now())
            except NeverOpen as error:
                problems.append(Problem("calendar", error.message))
        rules = own.rules.rules if own.rules else ()
        if len(repr(rules).encode("utf-8", "surrogatepass")) > _BYTES_OF_RULES:
            problems.append(Problem("rules", "are too long together; shorten or share some keywords"))
        for n, rule in enumerate(rules):
            at = f"rules.{n}"
            if rule.then.assignee_id is not None:
                problems += self._person_problems(f"{at}.then.assignee_id", rule.then.assignee_id, path)
            for account_id in rule.when.account_ids:
                problems += self._account_problems(f"{at}.when.account_ids", account_id, path)
        return problems

    def _person_problems(self, at: str, person_id: str, path: tuple[str, ...]) -> list[Problem]:
        try:
            person = self._org.person(person_id)
        except NotFound as error:
            return [Problem(at, error.message)]
        if person.status == Status.LEFT:
            return [Problem(at, f"{person.name} has left; name somebody else")]
        actor = Actor(person_id, person.name, self._org.grants_of(person_id))
        if not any(actor.may(Right.INBOX_WRITE, path, g.account_id) for g in actor.grants):
            return [Problem(at, f"{person.name} may not answer here; grant them the role responder first")]
        return []

    def _account_problems(self, at: str, account_id: str, path: tuple[str, ...]) -> list[Problem]:
        account = self._accounts().find(account_id)
        if account is None or path[-1] not in self._org.unit(account.unit_id).path:
            return [Problem(at, f"there is no account {account_id} in this unit or below it")]
        return []


def _settled(own: Iterable[Own]) -> Settled:
    """What several units, root first, set together: the nearest wins, and its rules come first."""
    given = list(own)
    seconds: dict[str, int] = {}
    rules: list[Rule] = []
    for one in given:
        seconds.update(one.targets.seconds if one.targets else {})
    for one in reversed(given):
        rules += one.rules.rules if one.rules else ()
    calendar = next((o.calendar for o in reversed(given) if o.calendar is not None), Calendar())
    ladder = next((o.escalation for o in reversed(given) if o.escalation is not None), Ladder())
    replies = next((o.replies for o in reversed(given) if o.replies is not None), ReplyPolicy())
    return Settled(Targets(seconds), calendar, ladder, tuple(rules), replies)


def _key(unit_id: str, section: str) -> Item:
    return {"pk": f"settings#{unit_id}", "sk": section}
