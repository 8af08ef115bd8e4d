"""What a round brought, unit by unit: how many answers of which kind, and what nobody answered."""

from dataclasses import dataclass

from chalicelib.accounts.directory import network_name
from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.inventory.model import Answer, Part, Question, Round
from chalicelib.inventory.people import People
from chalicelib.inventory.rounds import Rounds
from chalicelib.org.model import Actor, Unit


@dataclass(frozen=True)
class Told:
    """One account with its answer; None is none."""

    account_id: str
    platform: str
    handle: str
    answer: Answer | None
    by_id: str


@dataclass(frozen=True)
class UnitReport:
    part: Part
    unit: Unit
    managers: tuple[str, ...]
    accounts: tuple[Told, ...]

    @property
    def unanswered(self) -> tuple[Told, ...]:
        return tuple(told for told in self.accounts if told.answer is None)


@dataclass(frozen=True)
class Report:
    round_: Round
    units: tuple[UnitReport, ...]

    def total(self, name: str) -> int:
        """The sum of one counter over all units."""
        return sum(getattr(one.part, name) for one in self.units)


class Reports:
    def __init__(self, accounts: Accounts, people: People, rounds: Rounds) -> None:
        self._accounts = accounts
        self._people = people
        self._rounds = rounds
        self._store = rounds.store

    def of(self, actor: Actor, round_id: str) -> Report:
        """What the actor may see of a round, now or at its end. Raises NotFound."""
        parts = self._rounds.visible_parts(actor, round_id)
        return self._made(self._store.round(round_id), parts)

    def whole(self, round_: Round) -> Report:
        """All of a round."""
        return self._made(round_, self._rounds.in_order(self._store.parts(round_.round_id)))

    def _made(self, round_: Round, parts: list[tuple[Part, Unit]]) -> Report:
        return Report(round_, tuple(self._unit(part, unit) for part, unit in parts))

    def _unit(self, part: Part, unit: Unit) -> UnitReport:
        questions = self._store.questions(part)
        accounts = self._accounts.get_many(question.account_id for question in questions)
        told = [_told(q, accounts[q.account_id]) for q in questions if q.account_id in accounts]
        names = tuple(name for p in part.asked_ids if (name := self._people.name(p)))
        return UnitReport(part, unit, names, tuple(told))


def _told(question: Question, account: Account) -> Told:
    name = network_name(account.platform)
    return Told(question.account_id, name, account.handle, question.answer, question.by_id)
