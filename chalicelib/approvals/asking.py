"""Who is asked and when: the first mail, reminders, deputies, up the tree, and the end.

One timetable entry per request, `ask_approvers#<request id>`, carries a stage to its last hour:

    ask ------> everybody asked and not yet mailed gets a link of their own
    remind ---> who has not answered gets another; who has gone away meanwhile is stood in for
    silence --> the stage's time is over: remind on, ask the next person up the tree, or expire

Whoever no mail reaches (org/bounces.py) is not waited for: others are asked, and the author is told, as soon
as that is known. A mail that is merely delayed has until hours before the end.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.approvals import store as rows
from chalicelib.approvals.codes import Codes
from chalicelib.approvals.mails import Mails
from chalicelib.approvals.model import Ask, OnSilence, Request, State, Subject, asking_also
from chalicelib.approvals.policies import Policies
from chalicelib.core import log as metrics
from chalicelib.core.clock import from_text, to_text
from chalicelib.core.errors import SignalboxError
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.links import Links
from chalicelib.core.mail import Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org

PURPOSE = "approve"
_KIND = "ask_approvers"
_AT_ONCE = 25  # links minted in one transaction
_RETRY_FOR = timedelta(seconds=30)
_IN_TIME_FOR = timedelta(hours=4)  # what others need to look and decide, when a delayed mail has not come


class Asking:
    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        links: Links,
        mailer: Mailer,
        settings: Settings,
        subject_of: Callable[[str], Subject],
        policies: Policies,
        codes: Codes,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._links = links
        self._mailer = mailer
        self._settings = settings
        self._subject_of = subject_of
        self._policies = policies
        self._codes = codes
        self._store = rows.Store(kernel.database)
        self._mails = Mails(settings, kernel.clock)

    # Parts of other changes

    def open_stage(self, change: Change, request: Request) -> Request:
        """The request with its current stage's people asked; the entry that mails them joins the change."""
        request = asking_also(request, self._seated(request, change.now))
        while request.current.reach() < request.current.needed:
            higher = self._higher(request, change.now)
            if higher is None:
                break
            request = asking_also(request, [higher])
        change.schedule(self._entry(request, change.now, "ask"))
        return request

    def stop(self, change: Change, request: Request) -> None:
        change.unschedule(f"{_KIND}#{request.request_id}")

    def tell_author(self, change: Change, request: Request) -> None:
        """Have whoever asked mailed how it ended."""
        change.chore("tell_author", request.request_id, key=request.request_id)

    # Chores

    def ask_approvers(self, claim: Claim) -> bool | None:
        request, args = self._store.request(claim.entry.ref), claim.entry.args
        if request.state != State.OPEN or str(request.stage) != args["stage"]:
            return None
        now = self._kernel.clock.now()
        if now >= request.expires_at:
            return self._expire(claim, request)
        if args["step"] == "silence":
            return self._silence(claim, request, now)
        if args["step"] == "remind":
            missing = self._seated(request, now)
            if missing:
                return self._ask_more(
                    request, missing, self._entry(request, now, "remind", until=args["until"])
                )
        self._mail_all(claim, request)
        if args["step"] == "also":
            return None
        raise self._next(request, now, from_text(args["until"]))

    def check_reach(self, claim: Claim) -> None:
        """Mails to somebody fail, or have a new address to go to: see to every request that waits for them.

        Raises Later for what only matters shortly before a request's end.
        """
        now, person = self._kernel.clock.now(), self._org.person(claim.entry.ref)
        ahead = []
        for request in self._store.asked_of(person.person_id):
            ends_at = min(request.expires_at, request.publish_at or request.expires_at)
            if ends_at <= now or not request.waits_for(person.person_id):
                continue
            is_passed = person.person_id in request.unreached
            if person.reach.failed_at is None and is_passed:
                self._ask_again(request, person.person_id)
            elif person.reach.failed_at is not None and not is_passed:
                look_at = now if person.reach.unreachable_at else ends_at - _IN_TIME_FOR
                if look_at <= now:
                    self._ask_past(request, person.person_id)
                else:
                    ahead.append(look_at)
        if ahead:
            raise Later(min(ahead))

    def _ask_past(self, request: Request, person_id: str) -> None:
        """Tell whoever asked, and ask up the tree as after silence until enough people are in reach."""
        change = self._kernel.change(BY_JOB)
        after = replace(request, unreached=request.unreached | {person_id})
        more: list[Ask] = []
        while request.current.on_silence == OnSilence.ESCALATE and not after.is_in_reach():
            higher = self._higher(after, change.now)
            if higher is None:
                break
            more.append(higher)
            after = asking_also(after, [higher])
        rows.put_next(change, request, after)
        self._mail_also(change, after, person_id, [a.person_id for a in more])
        to = sorted(a.person_id for a in more)
        change.record(
            request.subject, "approver not reached", request=request.request_id, person=person_id, to=to
        )
        change.chore("tell_unreached", request.request_id, person_id=person_id)
        self._kernel.commit(change)
        metrics.count("unreached")

    def _ask_again(self, request: Request, person_id: str) -> None:
        change = self._kernel.change(BY_JOB)
        rows.put_next(change, request, replace(request, unreached=request.unreached - {person_id}))
        self._mail_also(change, request, person_id, [person_id])
        change.record(request.subject, "approver asked again", request=request.request_id, person=person_id)
        self._kernel.commit(change)

    def _mail_also(self, change: Change, request: Request, instead_of: str, people: list[str]) -> None:
        """Have these people mailed now, beside the stage's own entry: it may be amid its mails."""
        if people:
            entry = self._entry(request, change.now, "also")
            only = {**entry.args, "only": ",".join(people)}
            change.schedule(replace(entry, entry_id=f"{entry.entry_id}#{instead_of}", args=only))

    def tell_unreached(self, claim: Claim) -> None:
        """Mail whoever asked that somebody may not know of it, and on whom it depends now."""
        request = self._store.request(claim.entry.ref)
        author = self._org.person(request.asked_by)
        if request.state != State.OPEN or author.status == Status.LEFT:
            return
        preview = self._subject_of(request.subject).preview(request.subject, request.revision)
        who = self._org.person(claim.entry.args["person_id"]).name
        able = [self._org.person(p).name for p in request.able()] if request.is_in_reach() else []
        self._mailer.send(self._mails.unreached(author, preview, who, able))

    def _silence(self, claim: Claim, request: Request, now: datetime) -> bool | None:
        stage = request.current
        if stage.on_silence == OnSilence.EXPIRE:
            return self._expire(claim, request)
        until = now + timedelta(hours=stage.within_for)
        if stage.on_silence == OnSilence.REMIND:
            self._mail_all(claim, request)
            raise self._next(request, now, until)
        more = self._seated(request, now)
        if not more:
            higher = self._higher(request, now)
            if higher is None:
                return self._expire(claim, request)
            more = [higher]
        mailed = ",".join(sorted({a.person_id for a in request.current.asks}))
        return self._ask_more(request, more, self._entry(request, now, "ask", mailed=mailed))

    def _ask_more(self, request: Request, more: list[Ask], entry: Entry) -> bool:
        """Ask further people, in one change with the entry that mails them; it takes the place of our own."""
        change = self._kernel.change(BY_JOB)
        rows.put_next(change, request, asking_also(request, more))
        change.schedule(entry)
        change.record(
            request.subject, "escalated", request=request.request_id, to=sorted({a.person_id for a in more})
        )
        self._kernel.commit(change)
        return True

    def _expire(self, claim: Claim, request: Request) -> bool:
        change = self._kernel.change(BY_JOB)
        after = replace(request, state=State.EXPIRED, settled_at=change.now)
        after = rows.put_next(change, request, after)
        change.add(self._kernel.timetable.finish(claim, change.now))
        change.record(
            request.subject, "approval expired", request=request.request_id, stage=request.current.name
        )
        self._subject_of(request.subject).declined(change, after, State.EXPIRED, "", "")
        self.tell_author(change, after)
        self._kernel.commit(change)
        return True

    def mail_code(self, claim: Claim) -> None:
        request, person = (
            self._store.request(claim.entry.ref),
            self._org.person(claim.entry.args["person_id"]),
        )
        if request.state == State.OPEN and person.status != Status.LEFT:
            code = self._codes.make(request, person.person_id)
            preview = self._subject_of(request.subject).preview(request.subject, request.revision)
            self._mailer.send(self._mails.code(person, preview, code))

    def mail_outcome(self, claim: Claim) -> None:
        request = self._store.request(claim.entry.ref)
        author = self._org.person(request.asked_by)
        if author.status == Status.LEFT:
            return
        preview = self._subject_of(request.subject).preview(request.subject, request.revision)
        last = request.decisions[-1] if request.decisions and request.state != State.EXPIRED else None
        by_name = self._org.person(last.person_id).name if last else ""
        self._mailer.send(self._mails.outcome(author, request, preview, by_name, last.words if last else ""))

    # Mailing

    def _mail_all(self, claim: Claim, request: Request) -> None:
        """Mail a fresh link to everybody who was asked in this stage and has not answered.

        Raises Later, keeping who was mailed, when some could not be; the error itself when none could.
        """
        args = claim.entry.args
        mailed = set(filter(None, args.get("mailed", "").split(",")))
        answered = {d.person_id for d in request.decisions if d.stage == request.stage}
        only = args["only"].split(",") if "only" in args else None
        waiting = only or dict.fromkeys(a.person_id for a in request.current.asks)
        people = [self._org.person(p) for p in waiting if p not in mailed | answered]
        preview = self._subject_of(request.subject).preview(request.subject, request.revision)
        failure: SignalboxError | None = None
        newly: set[str] = set()
        for start in range(0, len(people), _AT_ONCE):
            part = [p for p in people[start : start + _AT_ONCE] if p.status != Status.LEFT]
            for person, token in self._mint(request, part):
                url = f"{self._settings.public_url}/a/{token}"
                reminds = args["step"] not in ("ask", "also")
                try:
                    self._mailer.send(
                        self._mails.ask(person, request, preview, url, reminds, self._for(request, person))
                    )
                    newly.add(person.person_id)
                except SignalboxError as error:
                    failure = error
        if failure is not None and newly:
            again_at = self._kernel.clock.now() + _RETRY_FOR
            raise Later(again_at, {**args, "mailed": ",".join(sorted(mailed | newly))})
        if failure is not None:
            raise failure

    def _mint(self, request: Request, people: list[Person]) -> list[tuple[Person, str]]:
        gone = {p.person_id for p in people if p.reach.unreachable_at is not None} - request.unreached
        people = [p for p in people if p.reach.unreachable_at is None or p.person_id in gone]
        if not people:
            return []
        change = self._kernel.change(BY_JOB)
        minted = []
        for person in people:
            rows.put_asked(change, request, person.person_id)
            if person.person_id in gone:
                change.chore("check_reach", person.person_id)
                continue
            token, write = self._links.mint(
                PURPOSE, request.request_id, person.person_id, request.revision, request.expires_at
            )
            change.add(write)
            minted.append((person, token))
        to = [p.person_id for p, _ in minted]
        details: dict[str, Any] = {"request": request.request_id, "to": to}
        if gone:
            details["unreachable"] = sorted(gone)
        change.record(request.subject, "approval asked for", **details)
        self._kernel.commit(change)
        return minted

    def _for(self, request: Request, person: Person) -> str:
        """The name of whoever this person was asked instead of; empty if they were asked for themselves."""
        seats = [a.seat for a in request.current.asks if a.person_id == person.person_id]
        if None in seats or person.person_id in seats:
            return ""
        return self._org.person(str(seats[0])).name

    # Who and when

    def _seated(self, request: Request, now: datetime) -> list[Ask]:
        """For each seat of the current stage whoever fills it now, if they are not yet asked."""
        asked = set(request.current.asks)
        found = []
        for seat in request.current.seats:
            here = self._org.stand_in(seat, now)
            if here is not None and here.person_id not in request.excluded:
                found.append(Ask(here.person_id, seat))
        return [a for a in found if a not in asked]

    def _higher(self, request: Request, now: datetime) -> Ask | None:
        """The nearest lead up the tree who was not asked yet, or whoever stands in for them."""
        for unit in self._policies.line(request.current.unit_id):
            lead = self._org.stand_in(unit.lead_id, now) if unit.lead_id else None
            if lead is None or lead.person_id in request.excluded:
                continue
            if not request.current.asked(lead.person_id):
                return Ask(lead.person_id)
        return None

    def _entry(self, request: Request, now: datetime, step: str, mailed: str = "", until: str = "") -> Entry:
        until = until or to_text(now + timedelta(hours=request.current.within_for))
        args = {"stage": str(request.stage), "step": step, "until": until, "mailed": mailed}
        return Entry(f"{_KIND}#{request.request_id}", Lane.CHORES, _KIND, request.request_id, now, args)

    def _next(self, request: Request, now: datetime, until: datetime) -> Later:
        """The next step of the stage: a reminder, the end of its time, or of the request's."""
        remind_at = now + timedelta(hours=request.current.remind_after)
        step, at = ("remind", remind_at) if remind_at < until else ("silence", until)
        args = {"stage": str(request.stage), "step": step, "until": to_text(until), "mailed": ""}
        return Later(min(at, request.expires_at), args)
