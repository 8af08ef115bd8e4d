"""Who hears of a clock, and the mail: whose message, on which platform, how old, where, and what to do next.

No word of the customer's is in it. A mail may come twice after a crash; a step of a clock is counted once.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.clock import from_text
from chalicelib.core.errors import NotFound, SignalboxError
from chalicelib.core.kernel import Kernel
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.pages import Templates
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark, one_line
from chalicelib.core.work import Later
from chalicelib.inbox.clocks import BREACH, FOUR_FIFTHS, HALF, clock_of
from chalicelib.inbox.model import ClockKind, ClockState, Conversation
from chalicelib.inbox.settings import InboxSettings
from chalicelib.inbox.store import InboxStore
from chalicelib.inbox.targets import Rung
from chalicelib.org.model import Person
from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from chalicelib.platforms.inbound import Author

TEMPLATES = Templates(Path(__file__).parent / "templates")
RETRY_FOR = timedelta(seconds=30)
TOLD_AT_ONCE_FOR = timedelta(seconds=45)  # half of a worker's time
_LONGEST_NAME = 60  # in a subject
_SUBJECTS = {
    HALF: mark("Half of the time is over: %(who)s on %(platform)s"),
    FOUR_FIFTHS: mark("Soon too late: %(who)s on %(platform)s"),
    BREACH: mark("Too late: %(who)s on %(platform)s"),
}
_ESCALATED = mark("Still waiting, passed up: %(who)s on %(platform)s")
_WAITS = {
    ClockKind.FIRST_ANSWER: mark("%(who)s waits for our first answer on %(platform)s."),
    ClockKind.NEXT_ANSWER: mark("%(who)s waits for our next answer on %(platform)s."),
    ClockKind.RESOLUTION: mark("The conversation with %(who)s on %(platform)s is not settled."),
}


class UnitLine:
    """Whom a step reaches by the unit's own ladder. The on-call rota, once there is one, takes its place."""

    def __init__(self, org: Org, settings: InboxSettings) -> None:
        self._org = org
        self._settings = settings

    def people(self, conversation: Conversation, step: int, now: datetime) -> list[str]:
        """Warnings reach who has it, or the team; the breach their lead and district manager, too."""
        path = self._org.unit(conversation.unit_id).path
        if step < BREACH:
            return self._first_of(Rung.ASSIGNEE, conversation, path, now)
        if step > BREACH:
            who = self._settings.of(conversation.unit_id).ladder.steps[step - BREACH - 1].who
            return self._first_of(who, conversation, path, now)
        units = map(self._org.unit, reversed(path))
        unit_lead = next((found for u in units if (found := self._here([u.lead_id], now))), [])
        manager = self._here(self._rung(Rung.DISTRICT_MANAGER, conversation, path), now)
        assignee = self._here([conversation.assignee_id], now)
        return list(dict.fromkeys([*assignee, *unit_lead, *manager])) or self._first_of(
            Rung.TEAM, conversation, path, now
        )

    def _first_of(
        self, rung: Rung, conversation: Conversation, path: tuple[str, ...], now: datetime
    ) -> list[str]:
        """Whoever is on this rung or, where nobody is, on the next one up."""
        rungs = list(Rung)
        for who in rungs[rungs.index(rung) :]:
            found = self._here(self._rung(who, conversation, path), now)
            if found:
                return found
        return []

    def _rung(self, who: Rung, conversation: Conversation, path: tuple[str, ...]) -> Iterable[str | None]:
        match who:
            case Rung.ASSIGNEE:
                return [conversation.assignee_id]
            case Rung.TEAM:
                return [
                    *self._holding(Role.RESPONDER, conversation.account_id),
                    *self._nearest(Role.RESPONDER, path),
                ]
            case Rung.DISTRICT_MANAGER:
                return self._nearest(Role.DISTRICT_MANAGER, path)
            case Rung.LEAD:
                return self._nearest(Role.LEAD, path)

    def _nearest(self, role: Role, path: tuple[str, ...]) -> list[str]:
        """Who holds the role on the unit, or on the nearest one above it where anybody does."""
        return next((found for unit_id in reversed(path) if (found := self._holding(role, unit_id))), [])

    def _holding(self, role: Role, on: str) -> list[str]:
        return [person.person_id for person in self._org.holders(role, on)]

    def _here(self, person_ids: Iterable[str | None], now: datetime) -> list[str]:
        """The people, or whoever stands in for them; without doubles."""
        standing = (self._org.stand_in(p, now) for p in dict.fromkeys(person_ids) if p)
        return list(dict.fromkeys(person.person_id for person in standing if person is not None))


class Tellings:
    def __init__(
        self,
        kernel: Kernel,
        store: InboxStore,
        org: Org,
        accounts: Accounts,
        mailer: Mailer,
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._org = org
        self._accounts = accounts
        self._mailer = mailer
        self._settings = settings

    def tell_clock(self, claim: Claim) -> None:
        """One mail to each person about the step, unless the clock has ended, stopped or come further since.

        Raises Later when some could not be mailed, the error itself when nobody could.
        """
        args = claim.entry.args
        conversation = self._store.find(claim.entry.ref)
        clock = clock_of(conversation, ClockKind(args["clock"]))
        if conversation is None or clock is None or clock.ended_at is not None or clock.running_since is None:
            return
        if clock.started_at != from_text(args["started_at"]) or clock.step != int(args["step"]):
            return
        url = self._url(conversation)
        self._tell_each(claim, lambda person: self._mail(person, conversation, clock, url))

    def _tell_each(self, claim: Claim, send: Callable[[Person], None]) -> None:
        args, started = claim.entry.args, self._kernel.clock.now()
        told = set(filter(None, args.get("told", "").split(",")))
        newly, failure, wait_for = set(), None, None
        for person in self._people(set(args["people"].split(",")) - told):
            if self._kernel.clock.now() - started > TOLD_AT_ONCE_FOR:
                wait_for = timedelta(0)
                break
            try:
                send(person)
                newly.add(person.person_id)
            except SignalboxError as error:
                failure, wait_for = error, RETRY_FOR
        if failure is not None and not newly:
            raise failure
        if wait_for is not None:
            args = {**args, "told": ",".join(sorted(told | newly))}
            raise Later(self._kernel.clock.now() + wait_for, args)

    def _mail(self, person: Person, conversation: Conversation, clock: ClockState, url: str) -> None:
        words, now = Words(person.language), self._kernel.clock.now()
        account = self._accounts.get(conversation.account_id)
        named = {"who": name_of(conversation.customer), "platform": conversation.platform}
        subject = words.say(_SUBJECTS.get(clock.step, _ESCALATED), **named)
        values = {
            "subject": subject,
            "company": one_line(self._settings.company),
            "waits": _WAITS[clock.kind],
            "named": named,
            "age": age(words, now - clock.started_at),
            "since": words.moment(clock.started_at, person.zone),
            "due": words.moment(clock.due_at, person.zone) if clock.due_at else "",
            "is_over": clock.step >= BREACH,
            "is_mine": person.person_id == conversation.assignee_id,
            "assignee": one_line(self._name(conversation.assignee_id)),
            "channel": one_line(f"{account.handle} ({account.platform})"),
            "url": url,
            "conversation_id": conversation.conversation_id,
        }
        text = TEMPLATES.text("clock.txt", words, **values)
        html = TEMPLATES.html("clock.html", words, **values)
        self._mailer.send(Mail(person.email, subject, text, html))

    def _url(self, conversation: Conversation) -> str:
        """Where the customer's latest message is; where they are, if no message has an address."""
        messages, _ = self._store.messages(conversation, 20)
        found = (m.url for m in messages if not m.own and m.url and m.deleted_at is None)
        url = next(found, "") or conversation.customer.url
        return url if url.startswith(("https://", "http://")) else ""

    def _people(self, person_ids: Iterable[str]) -> Iterator[Person]:
        for person_id in sorted(filter(None, person_ids)):
            try:
                yield self._org.person(person_id)
            except NotFound:
                continue

    def _name(self, person_id: str | None) -> str:
        found = next(self._people([person_id]), None) if person_id else None
        return found.name if found else ""


def name_of(customer: Author) -> str:
    """A customer in a subject: their handle, else their name, on one line and not too long."""
    who = one_line(f"@{customer.handle.removeprefix('@')}" if customer.handle else customer.name) or "?"
    return who if len(who) <= _LONGEST_NAME else who[: _LONGEST_NAME - 1] + "…"


def told_mail(
    person: Person,
    account: Account,
    conversation_id: str,
    said: tuple[str, str, str],
    named: dict[str, str],
    reason: str,
    company: str,
) -> Mail:
    """A mail of a subject, what happened, its reason and what to do, in the person's language."""
    words = Words(person.language)
    subject, what, to_do = said
    line = words.say(subject, **named)
    values = {
        "subject": line,
        "company": one_line(company),
        "what": what,
        "to_do": to_do,
        "named": named,
        "reason": one_line(words.template(reason)) if reason else "",
        "channel": one_line(f"{account.handle} ({account.platform})"),
        "conversation_id": conversation_id,
    }
    text = TEMPLATES.text("told.txt", words, **values)
    return Mail(person.email, line, text, TEMPLATES.html("told.html", words, **values))


def age(words: Words, waited_for: timedelta) -> str:
    """How long somebody has waited, in the greatest unit that has two of it."""
    minutes = max(0, waited_for // timedelta(minutes=1))
    if minutes < 120:
        return words.say_n("%(n)s minute", "%(n)s minutes", minutes)
    if minutes < 2880:
        return words.say_n("%(n)s hour", "%(n)s hours", minutes // 60)
    return words.say_n("%(n)s day", "%(n)s days", minutes // 1440)
