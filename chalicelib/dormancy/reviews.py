"""What is decided about a dormant account: asked by mail, decided by its page or the API, and carried out.

The owner has a week, then the managers of the unit, then the leads, each week anew. Keeping and handing over
end the review; merging and retiring begin a checklist, and the account is retired once each step has a proof.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.accounts.model import STANDING, Account, AccountClass
from chalicelib.accounts.service import Accounts
from chalicelib.core.clock import to_text
from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.dormancy.model import ASKED, REVIEW_FOR, Choice, Done, Pause, Review, Stage, Step
from chalicelib.dormancy.store import Store
from chalicelib.org.line import leads, managers
from chalicelib.org.model import Actor, Person
from chalicelib.org.roles import Right, Role
from chalicelib.org.service import Org

_OWNERS = (Role.DISTRICT_MANAGER, Role.AUTHOR, Role.RESPONDER)  # whose work is with accounts
LONGEST_PLAN_FOR = timedelta(days=366)
MOST_WORDS = 500


@dataclass(frozen=True)
class Decided:
    """What somebody decides: `plan_on` goes with keep, `to_id` with hand over, `into_id` with merge."""

    choice: Choice
    why: str = ""
    plan_on: date | None = None
    to_id: str | None = None
    into_id: str | None = None


class Reviews:
    def __init__(self, kernel: Kernel, org: Org, accounts: Accounts) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._store = Store(kernel.database)

    # Opened and closed by what reads say

    def open(self, change: Change, account: Account, silent_since: datetime) -> None:
        """Add to a change that the account is dormant and that its owner is asked; not twice."""
        before = self._store.review(account.account_id)
        if before is not None and before.stage != Stage.CLOSED:
            return
        if account.account_class == AccountClass.OFFICIAL:
            self._accounts.amend(change, account, account_class=AccountClass.DORMANT)
        owner = self._org.stand_in(account.owner_id, change.now)
        stage = Stage.OWNER if owner else Stage.MANAGER
        asked = [owner] if owner else managers(self._org, account.unit_id, change.now)
        review = Review(
            account.account_id, account.unit_id, change.now, silent_since, stage,
            tuple(p.person_id for p in asked), change.now,
        )  # fmt: skip
        self._store.save_review(change, review, None)
        change.record(_subject(review), "review opened", asked=list(review.asked_ids))
        self._ask(change, review)

    def in_use_again(self, change: Change, account: Account) -> None:
        """Add to a change that a dormant account has posted: it is official again, and its review ends."""
        self._accounts.amend(change, account, account_class=AccountClass.OFFICIAL)
        review = self._store.review(account.account_id)
        if review is not None and review.stage in ASKED:
            self._close(change, review, "it is in use again")

    def pass_up(self, claim: Claim) -> bool | None:
        """The chore of a week later: whoever is next is asked."""
        review = self._store.review(claim.entry.ref)
        if review is None or not review.is_open or to_text(review.asked_at) != claim.entry.args["asked_at"]:
            return None
        change = self._kernel.change(BY_JOB)
        is_owner = review.stage == Stage.OWNER
        people = (managers if is_owner else leads)(self._org, review.unit_id, change.now)
        after = review.passed_up((person.person_id for person in people), change.now)
        self._store.save_review(change, after, review)
        change.record(
            _subject(review), "review passed up", "nobody decided in a week", asked=list(after.asked_ids)
        )
        self._ask(change, after)
        change.add(self._kernel.timetable.finish(claim, change.now))
        self._kernel.commit(change)
        return True

    # Decisions

    def decide(self, actor: Actor, account_id: str, decided: Decided) -> Review:
        """Decide a review through the API. Raises NotFound, NotAllowed, InvalidInput, Conflict."""
        account = self._accounts.get(account_id)
        actor.require_on(Right.REGISTER_WRITE, self._org.unit(account.unit_id).path, account_id)
        change = self._org.begin(actor, {decided.to_id})
        after = self.decide_in(change, self.current(account_id), decided, actor.person_id)
        self._kernel.commit(change)
        return after

    def decide_in(self, change: Change, review: Review, decided: Decided, by_id: str) -> Review:
        """Add a decision and what follows from it to a change. Raises InvalidInput with every problem, and
        Conflict for a review that is decided.
        """
        if not review.is_open:
            raise Conflict("this review is decided already; look at what was decided")
        account = self._accounts.get(review.account_id)
        problems = self._problems(account, decided, change.now)
        if problems:
            raise InvalidInput(problems)
        after = replace(
            review, choice=decided.choice, why=decided.why, plan_on=decided.plan_on, to_id=decided.to_id,
            into_id=decided.into_id, decided_by=by_id, decided_at=change.now, version=review.version + 1,
        )  # fmt: skip
        match decided.choice:
            case Choice.KEEP:
                assert decided.plan_on is not None
                self._plan(change, account, decided.plan_on, decided.why)
                after = replace(after, stage=Stage.CLOSED, closed_at=change.now)
            case Choice.HAND_OVER:
                self._accounts.amend(change, account, owner_id=decided.to_id, why="handed over: dormant")
                after = replace(
                    after, stage=Stage.OWNER, asked_ids=(str(decided.to_id),), asked_at=change.now
                )
                self._ask(change, after)
            case Choice.MERGE | Choice.RETIRE:
                if decided.into_id:
                    self._accounts.amend(
                        change, account, account_class=AccountClass.DUPLICATE, same_as=decided.into_id
                    )
                after = replace(after, stage=Stage.RETIRING, asked_ids=(account.owner_id,))
                change.chore("tell_retiring", review.account_id, key=_review_id(after))
        if after.stage != Stage.OWNER:
            change.unschedule(_pass_up_id(review))
        self._store.save_review(change, after, review)
        change.record(_subject(review), f"decided: {decided.choice}", decided.why or None)
        return after

    def prove(self, actor: Actor, account_id: str, step: Step, proof: str) -> Review:
        """Prove a step of a retirement through the API. Raises as `prove_in` does, and NotAllowed."""
        account = self._accounts.get(account_id)
        actor.require_on(Right.REGISTER_WRITE, self._org.unit(account.unit_id).path, account_id)
        change = self._org.begin(actor)
        after = self.prove_in(change, self.current(account_id), step, proof, actor.person_id)
        self._kernel.commit(change)
        return after

    def prove_in(self, change: Change, review: Review, step: Step, proof: str, by_id: str) -> Review:
        """Add a proof to a change; with the last one the account is retired, and its secrets are deleted.

        Raises InvalidInput without a proof, and Conflict where there is nothing left to prove.
        """
        said = proof.strip()[:MOST_WORDS]
        if not said:
            message = "say what proves it: an address, a ticket's number, the name of who confirmed it"
            raise InvalidInput([Problem("proof", message)])
        if review.stage != Stage.RETIRING:
            raise Conflict("this account is not being retired")
        if step not in review.left:
            raise Conflict("this step is proven already")
        done = (*review.done, Done(step, said, by_id, change.now))
        after = replace(review, done=done, version=review.version + 1)
        change.record(_subject(review), f"retiring: {step} done", said)
        if not after.left:
            account = self._accounts.get(review.account_id)
            self._accounts.amend(change, account, account_class=AccountClass.RETIRED)
            after = replace(after, stage=Stage.CLOSED, closed_at=change.now)
        self._store.save_review(change, after, review)
        return after

    # Pauses

    def pause(self, actor: Actor, account_id: str, pauses: tuple[Pause, ...], version: int) -> None:
        """Replace the planned pauses of an account. Raises NotFound, NotAllowed, Conflict."""
        account = self._accounts.get(account_id)
        actor.require_on(Right.REGISTER_WRITE, self._org.unit(account.unit_id).path, account_id)
        change = self._org.begin(actor)
        self._store.save_pauses(change, account_id, pauses, version)
        change.record(f"account#{account_id}", "pauses planned", until=_latest(pauses))
        self._kernel.commit(change)

    # Reading

    def current(self, account_id: str) -> Review:
        """The latest review of an account. Raises NotFound."""
        review = self._store.review(account_id)
        if review is None:
            raise NotFound("there is no review of this account: it was never found dormant")
        return review

    def asked(self, review: Review, now: datetime) -> list[Person]:
        """Whoever has the review now, or stands in for them."""
        found = (self._org.stand_in(person_id, now) for person_id in review.asked_ids)
        return [person for person in found if person is not None]

    def candidates(self, account: Account) -> tuple[list[Person], list[Account]]:
        """Who else may own the account, and which others of its unit's it may be merged into."""
        unit = self._org.unit(account.unit_id)
        holders: Mapping[str, Person] = {
            p.person_id: p
            for role in _OWNERS
            for unit_id in unit.path
            for p in self._org.holders(role, unit_id)
        }
        others = [
            a
            for a in self._accounts.in_units([account.unit_id])
            if a.account_class in STANDING and a.account_id != account.account_id
        ]
        people = [p for p in holders.values() if p.person_id != account.owner_id]
        return sorted(people, key=lambda p: p.name), sorted(others, key=lambda a: (a.platform, a.handle))

    def _problems(self, account: Account, decided: Decided, now: datetime) -> list[Problem]:
        match decided.choice:
            case Choice.KEEP:
                if decided.plan_on is None:
                    return [Problem("plan_on", "say by when it posts again")]
                if not now.date() < decided.plan_on <= (now + LONGEST_PLAN_FOR).date():
                    return [Problem("plan_on", "must be a day of the year to come")]
            case Choice.HAND_OVER:
                if not decided.to_id or decided.to_id == account.owner_id:
                    return [Problem("to_id", "name somebody else, who takes it over")]
                problem = self._accounts.person_problem(decided.to_id)
                return [Problem("to_id", problem)] if problem else []
            case Choice.MERGE:
                other = self._accounts.find(decided.into_id) if decided.into_id else None
                if other is None or other.account_id == account.account_id or not other.is_standing:
                    return [Problem("into_id", "name the account of ours that takes over its followers")]
        return []

    def _plan(self, change: Change, account: Account, plan_on: date, why: str) -> None:
        """Keep and plan: until that day its silence is a planned pause, and then it is looked at anew."""
        held = self._store.pauses(account.account_id)
        began_on = (account.last_post_at or account.created_at).date()
        pauses = (*held.pauses, Pause(began_on, plan_on, why or "kept, with a plan"))
        self._store.save_pauses(change, account.account_id, pauses[-20:], held.version)
        self._accounts.amend(change, account, account_class=AccountClass.OFFICIAL, why="kept, with a plan")

    def _ask(self, change: Change, review: Review) -> None:
        """Mail whoever has it, and have it passed up in a week."""
        asked_at = to_text(review.asked_at)
        entry_id = f"{_review_id(review)}#{asked_at}"
        change.chore("ask_review", review.account_id, key=entry_id, asked_at=asked_at)
        due_at = review.asked_at + REVIEW_FOR
        args = {"asked_at": asked_at}
        change.schedule(Entry(entry_id, Lane.CHORES, "pass_review_up", review.account_id, due_at, args=args))

    def _close(self, change: Change, review: Review, why: str) -> None:
        closed = replace(review, stage=Stage.CLOSED, closed_at=change.now, version=review.version + 1)
        self._store.save_review(change, closed, review)
        change.unschedule(_pass_up_id(review))
        change.record(_subject(review), "review closed", why)


def _subject(review: Review) -> str:
    return f"account#{review.account_id}"


def _review_id(review: Review) -> str:
    return f"{review.account_id}#{to_text(review.opened_at)}"


def _pass_up_id(review: Review) -> str:
    return f"pass_review_up#{_review_id(review)}"


def _latest(pauses: Iterable[Pause]) -> str | None:
    return max((pause.ends_on.isoformat() for pause in pauses), default=None)
