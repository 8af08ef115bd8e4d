"""Saying what a candidate is: ours, a duplicate, a fan, an impostor, unrelated. One transaction for each.

Whoever comes second sees who decided. What is decided stands in the register in the same change.
"""

from dataclasses import dataclass, replace
from typing import Any

from chalicelib.accounts.model import Account, AccountClass, RogueKind
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.kernel import Change, Kernel
from chalicelib.discovery import store as rows
from chalicelib.discovery.candidates import Candidates
from chalicelib.discovery.model import CLAIMED, Candidate, State
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org


@dataclass(frozen=True)
class Verdict:
    """What a candidate is said to be. `same_as` is which account a duplicate repeats.

    A claimed account goes to `unit_id` and `owner_id`; without them to the unit of the one that it resembles,
    and to whoever decides.
    """

    state: State
    same_as: str | None = None
    unit_id: str | None = None
    owner_id: str | None = None
    why: str | None = None


class Triage:
    def __init__(self, kernel: Kernel, org: Org, accounts: Accounts, candidates: Candidates) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._candidates = candidates

    def read(self, actor: Actor, candidate_id: str) -> Candidate:
        """Raises NotFound or NotAllowed."""
        found = self._candidates.store.get(candidate_id)
        actor.require_on(Right.REGISTER_READ, self._org.unit(found.unit_id).path)
        return found

    def page(
        self, actor: Actor, limit: int, after: str, state: State, unit_id: str | None = None
    ) -> tuple[list[Candidate], str | None]:
        """A page of the candidates of a state that one may read, by unit, the likeliest of each first."""
        paths = {unit.unit_id: unit.path for unit in self._org.units()}
        if unit_id is not None and unit_id not in paths:
            raise NotFound(f"there is no unit {unit_id}")
        places = [
            place
            for place in self._candidates.store.places(state)
            if place.text > after
            and (unit_id is None or unit_id in paths.get(place.unit_id, ()))
            and actor.may(Right.REGISTER_READ, paths.get(place.unit_id, ()))
        ]
        found = self._candidates.store.get_many(place.candidate_id for place in places[:limit])
        shown = [found[p.candidate_id] for p in places[:limit] if p.candidate_id in found]
        return shown, places[limit - 1].text if len(places) > limit else None

    def decide(self, actor: Actor, candidate_id: str, verdict: Verdict) -> Candidate:
        """Say what a candidate is; the same verdict again changes nothing, and `new` takes one back.

        Raises InvalidInput, NotFound, NotAllowed, and Conflict when somebody has said something else.
        """
        before = self._candidates.store.get(candidate_id)
        actor.require_on(Right.REGISTER_WRITE, self._org.unit(before.unit_id).path)
        if before.state == verdict.state and verdict.same_as in (None, before.same_as):
            return before
        if State.NEW not in (before.state, verdict.state):
            raise Conflict(f"{self.decider(before)} has said already that it is {before.state}")
        change = self._org.begin(actor, {verdict.owner_id})
        if verdict.state == State.NEW:
            after = self._taken_back(change, before)
        else:
            account = self._decided_in(change, actor, before, verdict)
            after = replace(
                before,
                state=verdict.state,
                decided_at=change.now,
                decided_by=actor.person_id,
                same_as=account.same_as if account else None,
                account_id=account.account_id if account else "",
            )
        after = rows.save(change, before, after)
        what = f"decided: {verdict.state}"
        change.record(f"candidate#{candidate_id}", what, verdict.why, account=before.account_id)
        self._kernel.commit(change)
        return after

    def current(self, candidate_id: str) -> Candidate:
        """The candidate as it stands now. Raises NotFound."""
        return self._candidates.store.get(candidate_id)

    def decider(self, candidate: Candidate) -> str:
        """The name of whoever decided."""
        try:
            return self._org.person(candidate.decided_by).name
        except NotFound:
            return "somebody"

    def _decided_in(self, change: Change, actor: Actor, found: Candidate, verdict: Verdict) -> Account | None:
        """The register's row after a verdict; None where it is taken off the register."""
        account = self._accounts.find(found.account_id)
        if account is None or account.account_class != AccountClass.CANDIDATE:
            raise Conflict("the register has another word on it already; look there")
        if verdict.state == State.UNRELATED:
            self._accounts.unlist(change, account, verdict.why or "it has nothing to do with us")
            return None
        if verdict.state in CLAIMED:
            return self._claimed_in(change, actor, found, account, verdict)
        kind = RogueKind.IMPOSTOR if verdict.state == State.IMPOSTOR else RogueKind.FAN
        rogue = self._accounts.amend(
            change, account, what=f"found to be {kind}", why=verdict.why, unit_id=found.unit_id,
            account_class=AccountClass.ROGUE, rogue_kind=kind,
        )  # fmt: skip
        if verdict.state == State.IMPOSTOR:
            like = found.like_id or ""
            change.emit("ImpostorFound", rogue.account_id, candidate=found.candidate_id, original_id=like)
        return rogue

    def _claimed_in(
        self, change: Change, actor: Actor, found: Candidate, account: Account, verdict: Verdict
    ) -> Account:
        unit = self._org.unit(verdict.unit_id or found.unit_id)
        actor.require_on(Right.REGISTER_WRITE, unit.path)
        owner_id = verdict.owner_id or actor.person_id
        self._org.person(owner_id)
        to: dict[str, Any] = {"unit_id": unit.unit_id, "owner_id": owner_id}
        what = "claimed"
        if verdict.state == State.OFFICIAL:
            to["account_class"] = AccountClass.OFFICIAL
        else:
            other = self._accounts.find(verdict.same_as or found.like_id or "")
            if other is None or not other.is_ours:
                raise InvalidInput([Problem("same_as", "name the account of ours that it is a duplicate of")])
            to |= {"account_class": AccountClass.DUPLICATE, "same_as": other.account_id}
            what = "claimed as a duplicate"
        return self._accounts.amend(change, account, what=what, why=verdict.why, **to)

    def _taken_back(self, change: Change, before: Candidate) -> Candidate:
        if before.state in CLAIMED:
            raise Conflict("it is one of our accounts now; change what it is in the register")
        return self._candidates.reopened_in(change, before)
