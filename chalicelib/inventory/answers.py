"""What a link's holder answers: each answer is one transaction, about one account as they saw it.

The record, its history, the question and the part's counters change together or not at all. The same answer
twice is one; an answer about what has changed since is none, and the page shows what is there now.
"""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.accounts.model import Account, AccountClass, AccountStatus
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, Problem
from chalicelib.core.history import By, Way
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.links import Link, Links
from chalicelib.core.words import mark
from chalicelib.inventory import store as rows
from chalicelib.inventory.asking import NOT_ASKED, tell
from chalicelib.inventory.cover import Units, is_asked_for, those_above, units_of, whom
from chalicelib.inventory.model import (
    Answer,
    Part,
    PartState,
    Question,
    Round,
    asked_for,
    proof_of,
    settled,
    shown_of,
)
from chalicelib.inventory.people import Named, People
from chalicelib.inventory.store import Store
from chalicelib.org.line import managers
from chalicelib.org.model import Actor, Person, Status, Unit
from chalicelib.org.roles import Right
from chalicelib.org.service import Org

PURPOSE = "inventory"
NOT_OURS, NOT_MINE = "not_ours", "not_mine"  # beside the id of a unit: whose it is instead
_TRIES = 3  # of an answer that somebody else's overtook

_OWNER_LEFT = mark("Whoever looked after it is not here any more. Name somebody who is.")
_HELD = mark("We hold its credentials, so it is ours. Say whose it is, or that you do not know.")
_WHOSE = mark("Say whose it is instead.")
_SAME_UNIT = mark("That is your own unit. Name another one, or leave it as it is.")


Made = tuple[Answer, Iterable[str]]
"""An answer, and who must still be here when it is committed."""


class Outcome(StrEnum):
    """What became of what somebody pressed."""

    DONE = "done"
    STALE = "stale"  # it is not as the page showed it
    GONE = "gone"  # it is not on the list any more
    SHUT = "shut"  # the part is finished, or the round closed


@dataclass(frozen=True)
class Sitting:
    """What a link leads to: its person, the round, and the parts that are theirs to answer."""

    link: Link
    person: Person
    round_: Round
    parts: tuple[Part, ...]
    units: Units

    @property
    def is_finished(self) -> bool:
        return all(part.state == PartState.FINISHED for part in self.parts)

    def part(self, unit_id: str) -> Part | None:
        return next((part for part in self.parts if part.unit_id == unit_id), None)


@dataclass(frozen=True)
class About:
    """Which account an answer is about: the part's unit, the account, and what was shown of it."""

    unit_id: str
    account_id: str
    seen: str


@dataclass(frozen=True)
class Correction:
    owner: Named
    backup: Named
    purpose: str
    audience: str
    contact: str


class Answers:
    def __init__(self, kernel: Kernel, org: Org, accounts: Accounts, links: Links, people: People) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._links = links
        self._people = people
        self._store = Store(kernel.database)

    # What a link leads to

    def find(self, token: str) -> Sitting | None:
        """What a link leads to; None for one that leads nowhere, whatever the reason. Changes nothing."""
        link, now = self._links.find(token, PURPOSE), self._kernel.clock.now()
        if link is None or link.expires_at <= now:
            return None
        round_, person = self._store.find_round(link.subject), self._people.find(link.person_id)
        if round_ is None or person is None or person.status == Status.LEFT:
            return None
        units = units_of(self._org)
        grants = self._org.grants_of(person.person_id)
        actor = Actor(person.person_id, person.name, grants, Way.LINK)
        asked = [p for p in self._store.parts(round_.round_id) if person.person_id in p.asked_ids]
        parts = tuple(p for p in asked if p.unit_id in units and self._may(actor, p, units))
        return Sitting(link, person, round_, parts, units) if parts else None

    def questions(self, sitting: Sitting) -> list[tuple[Part, Question]]:
        """Every question of the parts, in an order that stays."""
        found = [(part, question) for part in sitting.parts for question in self._store.questions(part)]
        order = {unit_id: place for place, unit_id in enumerate(sitting.units)}
        return sorted(found, key=lambda both: (order[both[0].unit_id], both[1].account_id))

    def question(self, sitting: Sitting, unit_id: str, account_id: str) -> Question | None:
        """The question about an account, if it is theirs to answer."""
        part = sitting.part(unit_id)
        return self._store.question(part.round_id, unit_id, account_id) if part else None

    # Answers

    def confirm(self, sitting: Sitting, about: About) -> Outcome:
        """The record is right. Raises InvalidInput if its owner is not here any more."""

        def made(change: Change, part: Part, account: Account) -> Made:
            if not self._people.is_here(account.owner_id):
                raise InvalidInput([Problem("owner", _OWNER_LEFT)])
            self._accounts.confirm(change, account, sitting.person.person_id)
            return Answer.CONFIRMED, (account.owner_id,)

        return self._answer(sitting, about, proof_of("confirm", about.seen), made)

    def correct(
        self, sitting: Sitting, about: About, said: Correction, found: Iterable[Problem] = ()
    ) -> Outcome:
        """The record is right once it says this. Raises InvalidInput with every problem, `found` too."""

        def made(change: Change, part: Part, account: Account) -> Made:
            problems = list(found)
            owner = self._people.named("owner", said.owner, problems)
            backup = self._people.named("backup", said.backup, problems, is_needed=False)
            if owner and owner == backup:
                problems.append(Problem("backup", mark("The backup is somebody else than the owner.")))
            if problems:
                raise InvalidInput(problems)
            changes = {
                "owner_id": owner, "backup_id": backup or None, "purpose": said.purpose,
                "audience": said.audience, "contact": said.contact,
            }  # fmt: skip
            differs = any(getattr(account, name) != value for name, value in changes.items())
            self._accounts.confirm(change, account, sitting.person.person_id, **changes)
            return Answer.CORRECTED if differs else Answer.CONFIRMED, (owner, backup)

        return self._answer(sitting, about, proof_of("correct", about.seen, said), made)

    def disown(
        self, sitting: Sitting, about: About, whose: str, why: str, found: Iterable[Problem] = ()
    ) -> Outcome:
        """It is nobody's of ours (a candidate then), another unit's, or of somebody they do not know.

        In the last case it goes to the unit above. Raises InvalidInput with every problem, those `found` too.
        """

        def made(change: Change, part: Part, account: Account) -> Made:
            problems = list(found)
            to = None if whose == NOT_OURS else self._other_unit(sitting, part, whose, problems)
            if whose == NOT_OURS and account.status != AccountStatus.LISTED:
                problems.append(Problem("whose", _HELD))
            if problems:
                raise InvalidInput(problems)
            if to is None:
                return self._give_up(change, sitting, account, why)
            return self._hand_on(change, sitting, account, to, why)

        return self._answer(sitting, about, proof_of("disown", about.seen, whose, why), made)

    def finish(self, sitting: Sitting) -> None:
        """Nothing more is coming for these parts. The link is spent by it; `reopen` takes it back."""
        parts = [part for part in sitting.parts if part.state != PartState.FINISHED and not part.closed_at]
        for part in parts if sitting.round_.is_open else ():
            change = self._begin(sitting)
            rows.finish(change, part, sitting.person.person_id)
            change.record(sitting.round_.subject, "unit finished", unit=part.unit_id, left=part.left)
            if part is parts[-1] and sitting.link.spent_at is None:
                change.add(self._links.spend(sitting.link, "finished", change.now))
            self._commit_or_not(change)

    def reopen(self, sitting: Sitting) -> None:
        """Something is to be answered after all."""
        for part in sitting.parts if sitting.round_.is_open else ():
            if part.state == PartState.FINISHED:
                change = self._begin(sitting)
                rows.reopen(change, part)
                change.record(sitting.round_.subject, "unit reopened", unit=part.unit_id)
                self._commit_or_not(change)

    def _answer(
        self,
        sitting: Sitting,
        about: About,
        proof: str,
        made: Callable[[Change, Part, Account], Made],
    ) -> Outcome:
        for _ in range(_TRIES):
            part = self._store.part(sitting.round_.round_id, about.unit_id)
            question = self.question(sitting, about.unit_id, about.account_id)
            if part is None or question is None:
                return Outcome.GONE
            if question.proof == proof:
                return Outcome.DONE
            if not sitting.round_.is_open or part.closed_at or part.state == PartState.FINISHED:
                return Outcome.SHUT
            account = self._accounts.find(about.account_id)
            change = self._begin(sitting)
            here = is_asked_for(account, sitting.units, sitting.round_, about.unit_id)
            if account is None or not here:
                if question.answer is not None:
                    return Outcome.GONE
                answer, proof, outcome = Answer.GONE, "", Outcome.GONE
                change.record(f"account#{about.account_id}", NOT_ASKED, round=part.round_id)
            elif shown_of(account) != about.seen:
                return Outcome.STALE
            else:
                given, people = made(change, part, account)
                answer, outcome = settled(question.answer, given), Outcome.DONE
                for person_id in sorted({*people} - {"", sitting.person.person_id}):
                    change.add(self._org.active_check(person_id))
            by_id = sitting.person.person_id
            after = replace(question, answer=answer, proof=proof, by_id=by_id, at=change.now)
            rows.answer(change, part, question, after)
            try:
                self._kernel.commit(change)
            except (Conflict, NotAllowed):  # somebody was quicker, or has just left: look again
                continue
            return outcome
        return Outcome.STALE

    def _give_up(self, change: Change, sitting: Sitting, account: Account, why: str) -> Made:
        root_id = next(iter(sitting.units))
        self._accounts.amend(
            change, account, what="disowned", why=why or None, account_class=AccountClass.CANDIDATE,
            unit_id=root_id, owner_id="", backup_id=None,
        )  # fmt: skip
        change.emit("AccountDisowned", account.account_id)
        return Answer.DISOWNED, ()

    def _other_unit(self, sitting: Sitting, part: Part, whose: str, problems: list[Problem]) -> Unit | None:
        own = sitting.units[part.unit_id]
        to = sitting.units.get((own.parent_id or "") if whose == NOT_MINE else whose)
        if to is None:
            problems.append(Problem("whose", _WHOSE))
        elif asked_for(to.path, sitting.round_.unit_ids) == part.unit_id:
            problems.append(Problem("whose", _SAME_UNIT))
        return to

    def _hand_on(self, change: Change, sitting: Sitting, account: Account, to: Unit, why: str) -> Made:
        """The account goes to another unit, whose managers are told and asked about it."""
        heirs = managers(self._org, to.unit_id, change.now)
        changes: dict[str, str] = {"unit_id": to.unit_id}
        unfit = account.owner_id == sitting.person.person_id or not self._people.is_here(account.owner_id)
        if heirs and unfit:
            changes["owner_id"] = heirs[0].person_id
        self._accounts.amend(change, account, what="handed on", why=why or None, **changes)
        round_id = sitting.round_.round_id
        for heir in heirs:
            if heir.person_id != sitting.person.person_id:
                tell(change, round_id, heir.person_id, "moved", account=account.account_id)
        asked = asked_for(to.path, sitting.round_.unit_ids)
        there = self._store.part(round_id, asked) if asked else None
        if there is not None and there.closed_at is None:
            before = self._store.question(round_id, there.unit_id, account.account_id)
            if before is None or before.answer is not None:
                rows.settle(change, there, before, Question(account.account_id))
        return Answer.DISOWNED, (changes.get("owner_id", ""),)

    def _begin(self, sitting: Sitting) -> Change:
        change = self._kernel.change(By(sitting.person.person_id, Way.LINK))
        change.add(self._org.active_check(sitting.person.person_id))
        return change

    def _commit_or_not(self, change: Change) -> None:
        """Somebody else who said the same first is no harm: the page shows how it stands."""
        with contextlib.suppress(Conflict, NotAllowed):
            self._kernel.commit(change)

    def _may(self, actor: Actor, part: Part, units: Units) -> bool:
        """Whether they manage the unit or stand in for somebody who does, now."""
        unit, now = units[part.unit_id], self._kernel.clock.now()
        if actor.may(Right.REGISTER_WRITE, unit.path):
            return True
        first = whom(self._org, unit, now)
        above = those_above(self._org, unit, tuple(p.person_id for p in first), now)
        return actor.person_id in {p.person_id for p in (*first, *(above if part.escalated_at else ()))}
