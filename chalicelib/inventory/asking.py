"""The chores of a round: parts opened, people asked and reminded, those above called in, parts closed.

Each can be repeated after a crash: a part is opened once, a question put once; a mail may come twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim
from chalicelib.inventory import store as rows
from chalicelib.inventory.cover import Units, is_asked_for, lists, those_above, units_of, whom
from chalicelib.inventory.model import Answer, Part, PartState, Question, Round
from chalicelib.inventory.rounds import Rounds, is_done
from chalicelib.inventory.store import PER_CHANGE, Store
from chalicelib.org.line import leads
from chalicelib.org.model import Status
from chalicelib.org.service import Org

TELL = "tell_inventory"
NOT_ASKED = "not asked about any more"
_MAILS_PER_CHANGE = 40


class Asking:
    def __init__(self, kernel: Kernel, org: Org, accounts: Accounts, rounds: Rounds) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._rounds = rounds
        self._store = Store(kernel.database)

    def open_round(self, claim: Claim) -> None:
        """Open a part for each unit, then have everybody asked by one mail each."""
        round_ = self._store.find_round(claim.entry.ref)
        if round_ is None or not round_.is_open or round_.asked_at is not None:
            return
        units = units_of(self._org)
        there = {part.unit_id: part for part in self._store.parts(round_.round_id)}
        for unit_id, account_ids in lists(self._accounts, units, round_.unit_ids).items():
            part = there.get(unit_id) or self._open_part(round_, unit_id, units)
            self._take_in(part, account_ids, self._store.questions(part))
        asked = _people(self._store.parts(round_.round_id))
        self._tell(round_, asked, "asked")
        change = self._kernel.change(BY_JOB)
        rows.save_round(change, replace(round_, asked_at=change.now), round_)
        change.record(round_.subject, "everybody asked", people=len(asked))
        self._kernel.commit(change)

    def remind(self, claim: Claim) -> None:
        """Bring every part that is not finished up to date, and remind whoever is asked for one."""
        round_ = self._current(claim)
        if round_ is None:
            return
        parts = self._refresh(round_)
        self._tell(round_, _people(parts), claim.entry.args["what"])

    def escalate(self, claim: Claim) -> bool | None:
        """On the due date: whoever is above hears which units are not finished, and may answer for them.

        A round that everybody has finished ends now.
        """
        round_ = self._current(claim)
        if round_ is None:
            return None
        if is_done(self._store.parts(round_.round_id)):
            change = self._kernel.change(BY_JOB)
            self._rounds.close_in(change, round_, BY_JOB, "everybody has finished")
            change.add(self._kernel.timetable.finish(claim, change.now))
            self._kernel.commit(change)
            return True
        units, called = units_of(self._org), dict[str, None]()
        for part in self._refresh(round_):
            if part.unit_id in units and part.escalated_at is None:
                called |= self._call_in(round_, part, units)
        self._tell(round_, called, "escalated")
        return None

    def settle(self, claim: Claim) -> None:
        """Close the parts of a closed round, and have its report sent to the leads."""
        round_ = self._store.find_round(claim.entry.ref)
        if round_ is None or round_.is_open:
            return
        units = units_of(self._org)
        for part in self._store.parts(round_.round_id):
            if part.closed_at is None:
                self._settle_gone(round_, part, self._store.questions(part), units)
                self._close_part(round_, part.unit_id)
        now = self._kernel.clock.now()
        root_id = next(iter(units))
        self._tell(round_, [person.person_id for person in leads(self._org, root_id, now)], "report")

    def check_reach(self, claim: Claim) -> None:
        """Somebody left, or what mails to them do has changed: where they are asked in vain, the next is."""
        person = self._org.person(claim.entry.ref)
        if person.status != Status.LEFT and person.reach.unreachable_at is None:
            return
        for round_ in self._open_rounds():
            parts = [p for p in self._store.parts(round_.round_id) if person.person_id in p.asked_ids]
            units, new = units_of(self._org), dict[str, None]()
            for part in parts:
                if part.unit_id in units and part.state != PartState.FINISHED:
                    after = self._pass_on(round_, part, units)
                    new |= dict.fromkeys(p for p in after.asked_ids if p not in part.asked_ids)
            self._tell(round_, new, "asked")

    # Parts

    def _open_part(self, round_: Round, unit_id: str, units: Units) -> Part:
        change = self._kernel.change(BY_JOB)
        people = whom(self._org, units[unit_id], change.now)
        part = Part(round_.round_id, unit_id, tuple(p.person_id for p in people), change.now)
        rows.open_part(change, part)
        change.record(round_.subject, "unit asked", unit=unit_id, people=list(part.asked_ids))
        self._kernel.commit(change)
        return part

    def _take_in(self, part: Part, account_ids: Iterable[str], questions: Iterable[Question]) -> None:
        """Ask about each account that there is no question about yet."""
        asked = {question.account_id for question in questions}
        new = [account_id for account_id in account_ids if account_id not in asked]
        for first in range(0, len(new), PER_CHANGE):
            some = new[first : first + PER_CHANGE]
            change = self._kernel.change(BY_JOB)
            rows.take_in(change, part, some)
            change.record(
                f"inventory#{part.round_id}", "accounts asked about", unit=part.unit_id, n=len(some)
            )
            self._kernel.commit(change)

    def _refresh(self, round_: Round) -> list[Part]:
        """The parts that are not finished, with who is asked now, and about what is on their lists now."""
        units = units_of(self._org)
        here = lists(self._accounts, units, round_.unit_ids)
        for part in self._store.parts(round_.round_id):
            if part.state == PartState.FINISHED or part.closed_at is not None or part.unit_id not in units:
                continue
            questions = self._store.questions(part)
            self._take_in(part, here.get(part.unit_id, ()), questions)
            self._settle_gone(round_, part, questions, units)
            self._pass_on(round_, part, units)
        return [p for p in self._store.parts(round_.round_id) if p.state != PartState.FINISHED]

    def _settle_gone(self, round_: Round, part: Part, questions: Iterable[Question], units: Units) -> None:
        """What nobody answered and is not on the unit's list any more needs no answer."""
        left = [question for question in questions if question.answer is None]
        accounts = self._accounts.get_many(question.account_id for question in left)
        for question in left:
            if is_asked_for(accounts.get(question.account_id), units, round_, part.unit_id):
                continue
            change = self._kernel.change(BY_JOB)
            gone = replace(question, answer=Answer.GONE, at=change.now)
            rows.settle(change, part, question, gone)
            change.record(f"account#{question.account_id}", NOT_ASKED, round=round_.round_id)
            self._kernel.commit(change)

    def _pass_on(self, round_: Round, part: Part, units: Units) -> Part:
        """The part with whoever is to be asked now: those above stay in once they were called."""
        now = self._kernel.clock.now()
        people = whom(self._org, units[part.unit_id], now)
        if part.escalated_at is not None:
            first = tuple(person.person_id for person in people)
            people = [*people, *those_above(self._org, units[part.unit_id], first, now)]
        asked_ids = tuple(person.person_id for person in people)
        if set(asked_ids) == set(part.asked_ids):
            return part
        return self._save_asked(round_, part, asked_ids, None)

    def _call_in(self, round_: Round, part: Part, units: Units) -> dict[str, None]:
        """Ask those above a unit too; who they are."""
        now = self._kernel.clock.now()
        above = [p.person_id for p in those_above(self._org, units[part.unit_id], part.asked_ids, now)]
        self._save_asked(round_, part, (*part.asked_ids, *above), now)
        return dict.fromkeys(above)

    def _save_asked(
        self, round_: Round, part: Part, asked_ids: tuple[str, ...], escalated_at: datetime | None
    ) -> Part:
        change = self._kernel.change(BY_JOB)
        rows.pass_on(change, part, asked_ids, escalated_at)
        what = "those above asked" if escalated_at else "others asked"
        change.record(round_.subject, what, unit=part.unit_id, people=list(asked_ids))
        self._kernel.commit(change)
        return replace(part, asked_ids=asked_ids, escalated_at=escalated_at or part.escalated_at)

    def _close_part(self, round_: Round, unit_id: str) -> None:
        part = self._store.part(round_.round_id, unit_id)
        assert part is not None, "parts are never deleted"
        change = self._kernel.change(BY_JOB)
        rows.close_part(change, part)
        change.record(round_.subject, "unit closed", unit=unit_id, left=part.left)
        self._kernel.commit(change)

    # Whom to tell

    def _tell(self, round_: Round, person_ids: Iterable[str], what: str) -> None:
        """Mail each of them once about this; the same again after a crash is the same entries again."""
        people: Sequence[str] = list(person_ids)
        for first in range(0, len(people), _MAILS_PER_CHANGE):
            change = self._kernel.change(BY_JOB)
            some = people[first : first + _MAILS_PER_CHANGE]
            for person_id in some:
                tell(change, round_.round_id, person_id, what)
            change.record(round_.subject, "mails put on the timetable", about=what, people=len(some))
            self._kernel.commit(change)

    def _current(self, claim: Claim) -> Round | None:
        """The round, while it is open and everybody has been asked."""
        round_ = self._store.find_round(claim.entry.ref)
        if round_ is None or not round_.is_open:
            return None
        if round_.asked_at is None:
            raise Conflict("the round is still being opened")
        return round_

    def _open_rounds(self) -> list[Round]:
        found, after = self._store.rounds(100)
        while after:
            more, after = self._store.rounds(100, after)
            found += more
        return [round_ for round_ in found if round_.is_open]


def tell(change: Change, round_id: str, person_id: str, what: str, **about: str) -> None:
    """Have somebody told something about a round, once for each `what`."""
    key = "#".join((round_id, person_id, what, *about.values()))
    change.chore(TELL, round_id, None, key, what=what, person=person_id, **about)


def _people(parts: Iterable[Part]) -> dict[str, None]:
    """Everybody who is asked for one of these parts and has not finished it, each once."""
    waiting = [part for part in parts if part.state != PartState.FINISHED]
    return dict.fromkeys(person_id for part in waiting for person_id in part.asked_ids)
