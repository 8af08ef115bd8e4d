"""Requests for approval: opened and voided inside the subject's own change, looked at and decided by a link.

A decision is one transaction: the link is spent, the person has not left, the request moves on, the subject
hears of it, history says so. Whoever loses a race looks again and sees what the winner did.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from chalicelib.approvals import store as rows
from chalicelib.approvals.asking import PURPOSE, Asking
from chalicelib.approvals.codes import Codes
from chalicelib.approvals.model import (
    REQUEST_LIVES_FOR,
    Decision,
    Request,
    State,
    Subject,
    Verdict,
    decided,
)
from chalicelib.approvals.policies import Policies
from chalicelib.approvals.view import DEAD, Seen, View
from chalicelib.core.database import Write
from chalicelib.core.errors import Busy, Conflict, InvalidInput, NotAllowed, NotFound, Problem
from chalicelib.core.history import By, Way
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.links import Link, Links
from chalicelib.core.mail import Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.org.model import Actor, Person, Status
from chalicelib.org.roles import Right
from chalicelib.org.service import Org

MAX_WORDS = 2000  # characters of a comment
_ROUNDS = 8  # decisions that may overtake ours before we give up
_BY_PAGE = "#page"  # marks a link as spent by its page's form, which can show its proof again
_PAST = {Verdict.APPROVE: "approved", Verdict.ASK_CHANGES: "changes asked for", Verdict.REJECT: "rejected"}


class Approvals:
    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        links: Links,
        mailer: Mailer,
        settings: Settings,
        subject_of: Callable[[str], Subject],
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._links = links
        self._subject_of = subject_of
        self._store = rows.Store(kernel.database)
        self._codes = Codes(kernel)
        self.policies = Policies(kernel, org)
        self._asking = Asking(kernel, org, links, mailer, settings, subject_of, self.policies, self._codes)

    # Chores

    def ask_approvers(self, claim: Claim) -> bool | None:
        """Mail, remind, escalate or expire: whatever the open stage is due for."""
        return self._asking.ask_approvers(claim)

    def mail_code(self, claim: Claim) -> None:
        """Mail a new six-digit code to whoever asked for one."""
        self._asking.mail_code(claim)

    def tell_author(self, claim: Claim) -> None:
        """Mail whoever asked how a request ended that was not granted."""
        self._asking.mail_outcome(claim)

    def check_reach(self, claim: Claim) -> None:
        """See to the requests that wait for somebody whom no mail reaches, or reaches again."""
        self._asking.check_reach(claim)

    def tell_unreached(self, claim: Claim) -> None:
        """Mail whoever asked that an approver may not know of it."""
        self._asking.tell_unreached(claim)

    # For the subject's owner

    def open(
        self,
        change: Change,
        subject: str,
        revision: str,
        unit_ids: Iterable[str],
        asked_by: str,
        contributors: frozenset[str],
        publish_at: datetime | None,
    ) -> Request:
        """Add a new request to the caller's change, which records the history.

        Raises InvalidInput when a stage has too few approvers: nobody approves what they worked on.
        """
        excluded = contributors | {asked_by}
        stages, policy = self.policies.for_request(unit_ids, excluded)
        ends_at = change.now + REQUEST_LIVES_FOR
        if publish_at is not None and publish_at > change.now and not policy.late_approval:
            ends_at = min(ends_at, publish_at)
        request = Request(
            request_id=new_id("request", change.now),
            subject=subject,
            revision=revision,
            asked_by=asked_by,
            excluded=excluded,
            opened_at=change.now,
            expires_at=ends_at,
            stages=stages,
            publish_at=publish_at,
            code=bool(policy.code),
        )
        request = self._asking.open_stage(change, request)
        if request.current.reach() < request.current.needed:
            message = f"the stage '{request.current.name}' has too few people who are here or have a deputy"
            raise InvalidInput([Problem("approval", f"{message}; ask a lead to name somebody in its policy")])
        rows.put_new(change, request)
        return request

    def void(self, change: Change, request_id: str, why: str) -> None:
        """Add to the caller's change that an open request no longer counts; settled ones stay as they are."""
        request = self._store.request(request_id)
        if request.state == State.OPEN:
            after = replace(request, state=State.VOID, settled_at=change.now, why=why)
            rows.put_next(change, request, after)
            self._asking.stop(change, request)

    def get(self, request_id: str) -> Request:
        """Raises NotFound."""
        return self._store.request(request_id)

    def read(self, actor: Actor, request_id: str) -> Request:
        """For whoever asked or was asked, and whoever may read posts of a unit that it concerns.

        Raises NotFound, NotAllowed.
        """
        request = self._store.request(request_id)
        if actor.person_id != request.asked_by and not any(s.asked(actor.person_id) for s in request.stages):
            paths = [self._org.unit(u).path for u in dict.fromkeys(s.unit_id for s in request.stages)]
            if not any(actor.may(Right.POSTS_READ, path) for path in paths):
                actor.require_on(Right.POSTS_READ, paths[0])
        return request

    def of_subject(self, subject: str) -> list[Request]:
        """Every request about a subject, oldest first."""
        return self._store.of_subject(subject)

    # For the holder of a link

    def look(self, token: str) -> View:
        """What the link's page shows; never writes."""
        found = self._find(token)
        if found is None or found[0].spent_at is not None:
            return DEAD
        return self._view(*found)

    def decide(
        self, token: str, verdict: Verdict, words: str, code: str | None = None, proof: str = ""
    ) -> View:
        """Decide by a link, in one transaction, and say how things stand after it.

        `proof` is what the page's form carried: with it, posting again shows the outcome to whoever saw the
        page while the link worked, and to nobody else. Raises InvalidInput for missing or too many words,
        Busy when the database keeps refusing.
        """
        words = words.strip()
        for _ in range(_ROUNDS):
            found = self._find(token)
            if found is None:
                return DEAD
            link, request, person = found
            if link.spent_at is not None:
                return self._again(link, request, person, proof)
            view = self._view(link, request, person)
            if view.seen != Seen.OPEN:
                return view
            _check_words(verdict, words)
            by = By(person.person_id, Way.LINK)
            used_up = None
            if request.code:
                checked = self._codes.check(request, by, code) if code else None
                if checked is None:
                    return replace(view, seen=Seen.CODE_WANTED, code_sent=self._codes.ask(request, by))
                if isinstance(checked, int):
                    return replace(view, seen=Seen.CODE_WRONG, tries_left=checked)
                used_up = checked
            decision = Decision(person.person_id, verdict, request.stage, words, self._kernel.clock.now())
            outcome = str(verdict) + (_BY_PAGE if proof == view.proof else "")
            try:
                after = self._commit(
                    by, request, decision, person, self._links.spend(link, outcome, decision.at), used_up
                )
            except (Conflict, NotAllowed):
                continue  # somebody was faster, or they have just left: look again
            return replace(view, seen=Seen.DECIDED, request=after, names=self._names(after))
        raise Busy("many people decided at the same moment; try again")

    def _commit(
        self,
        by: By,
        request: Request,
        decision: Decision,
        person: Person,
        spent: Write,
        used_up: Write | None,
    ) -> Request:
        change = self._kernel.change(by)
        change.add(spent)
        change.add(self._org.active_check(person.person_id))
        if used_up is not None:
            change.add(used_up)
        after = decided(request, decision)
        if after.state != State.OPEN:
            self._asking.stop(change, request)
        elif after.stage != request.stage:
            after = self._asking.open_stage(change, after)
        after = rows.put_next(change, request, after)
        change.record(
            request.subject, _PAST[decision.verdict], request=request.request_id, stage=request.current.name,
            revision=request.revision[:12], state=str(after.state),
        )  # fmt: skip
        if after.state == State.GRANTED:
            self._subject_of(request.subject).granted(change, after)
        elif after.state != State.OPEN:
            self._subject_of(request.subject).declined(
                change, after, after.state, person.name, decision.words
            )
            self._asking.tell_author(change, after)
        self._kernel.commit(change)
        return after

    def _find(self, token: str) -> tuple[Link, Request, Person] | None:
        """The link, unless it is unknown, expired, for something else, or its person may not decide."""
        link = self._links.find(token, PURPOSE)
        if link is None or link.expires_at <= self._kernel.clock.now():
            return None
        try:
            request, person = self._store.request(link.subject), self._org.person(link.person_id)
        except NotFound:
            return None
        if person.status == Status.LEFT or person.person_id in request.excluded:
            return None
        return link, request, person

    def _view(self, link: Link, request: Request, person: Person) -> View:
        preview = self._subject_of(request.subject).preview(request.subject, request.revision)
        view = View(Seen.OPEN, person, request, preview, _proof(link), self._names(request))
        if request.state == State.VOID or preview.current_revision != link.revision:
            newer = self._store.of_subject(request.subject)[-1:]
            latest = next((r for r in newer if r.request_id > request.request_id), None)
            again = latest is not None and any(s.asked(person.person_id) for s in latest.stages)
            return replace(view, seen=Seen.STALE, newer=latest, asked_again=again)
        if request.decision_of(person.person_id) is not None:
            return replace(view, seen=Seen.ALREADY)
        if request.state != State.OPEN or not request.current.asked(person.person_id):
            return replace(view, seen=Seen.SETTLED)
        return view

    def _again(self, link: Link, request: Request, person: Person, proof: str) -> View:
        """A spent link, posted again: its outcome for whoever spent it, nothing for anybody else."""
        own = hmac.compare_digest(proof.encode(), _proof(link).encode())
        if not own and (link.outcome or "").endswith(_BY_PAGE):
            return DEAD
        preview = self._subject_of(request.subject).preview(request.subject, request.revision)
        return View(Seen.ALREADY, person, request, preview, _proof(link), self._names(request))

    def _names(self, request: Request) -> dict[str, str]:
        return {p: self._org.person(p).name for p in {d.person_id for d in request.decisions}}


def _check_words(verdict: Verdict, words: str) -> None:
    if len(words) > MAX_WORDS:
        raise InvalidInput([Problem("words", f"use at most {MAX_WORDS} characters; these are {len(words)}")])
    if not words and verdict != Verdict.APPROVE:
        raise InvalidInput([Problem("words", "say what should change, or why not; the author reads it")])


def _proof(link: Link) -> str:
    """What a page's form carries: it takes the link's token and what only its working page could tell."""
    return hashlib.sha256(f"{link.token_hash}#{link.subject}#{link.person_id}".encode()).hexdigest()[:32]
