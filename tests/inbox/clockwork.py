"""An inbox over moto with clocks that run: customers write, we answer, people decide, time passes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.accounts.model import Account
from chalicelib.core.history import SYSTEM, By, Way
from chalicelib.core.timetable import Lane
from chalicelib.inbox.model import ClockKind, ClockState, Conversation, conversation_id
from chalicelib.inbox.service import Inbox
from chalicelib.inbox.settings import Own
from chalicelib.org.model import Actor, Kind, Language, Person, operator
from chalicelib.org.roles import Role
from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind
from tests.fakes.box import Box
from tests.fakes.stage import Stage

BY_PLATFORM = By(SYSTEM, Way.PLATFORM)


@dataclass
class Clockwork:
    """A company with a district in it, an account of the district's, and somebody who answers there."""

    box: Box
    inbox: Inbox
    account: Account
    district_id: str
    responder: Actor
    manager: Actor
    said: int = 0
    people: dict[str, Person] = field(default_factory=dict)

    @classmethod
    def open(cls, stage: Stage) -> "Clockwork":
        box = Box.open(stage)
        services, admin = box.services, operator("test", box.now)
        district = services.org.add_unit(admin, "Dzielnica Łazienki", Kind.DISTRICT, box.unit_id)
        inbox = Inbox(
            services.kernel, services.org, services.accounts, services.inbox_clocks, services.inbox_rules,
            services.inbox_numbers,
        )  # fmt: skip
        account = box.account("zorza", unit_id=district.unit_id)
        nobody = Actor("", "", ())
        made = cls(box, inbox, account, district.unit_id, nobody, nobody)
        made.responder = made.join("Paweł", Role.RESPONDER, Language.POLISH)
        made.manager = made.join("Darya", Role.DISTRICT_MANAGER, Language.PERSIAN)
        return made

    def join(self, name: str, role: Role, language: Language = Language.ENGLISH, unit_id: str = "") -> Actor:
        org, admin = self.box.services.org, operator("test", self.box.now)
        email = f"colleague{len(self.people)}@zorza.test"
        person = org.add_person(admin, name, email, "Europe/Warsaw", language)
        org.grant(admin, person.person_id, role, unit_id or self.district_id)
        self.people[person.person_id] = person
        return Actor(person.person_id, name, org.grants_of(person.person_id))

    @property
    def now(self) -> datetime:
        return self.box.now

    def set(self, own: Own, unit_id: str = "") -> None:
        """Give the district (or a unit) these settings."""
        settings, unit_id = self.box.services.inbox_settings, unit_id or self.district_id
        version = settings.read(self.box.lead, unit_id).version
        settings.save(self.box.lead, unit_id, own, version)

    def event(self, thread: str = "t", own: bool = False, **more: Any) -> InboundEvent:
        self.said += 1
        values: dict[str, Any] = {
            "happened_at": self.now, "external_id": f"m{self.said}", "url": f"https://social.test/m{self.said}",
            "author": Author("a1", "ala.kot", "Ala Kot"), "text": "Kiedy otwieracie?", "language": "pl",
            "kind": InboundKind.COMMENT,
        } | more  # fmt: skip
        return InboundEvent(
            "mastodon", values.pop("kind"), f"key{self.said}", self.account.external_id, own=own,
            thread=thread, **values,
        )  # fmt: skip

    def take(self, event: InboundEvent) -> None:
        kernel = self.box.services.kernel
        change = kernel.change(BY_PLATFORM)
        self.inbox.take(change, event, self.account, self.now, stale=False)
        kernel.commit(change)

    def says(self, thread: str = "t", **more: Any) -> Conversation:
        """A customer writes, or we do (`own`)."""
        self.take(self.event(thread, **more))
        return self.conversation(thread)

    def conversation(self, thread: str = "t") -> Conversation:
        found = self.inbox.store.find(self.id(thread))
        assert found is not None
        return found

    def id(self, thread: str = "t") -> str:
        return conversation_id(self.account.account_id, thread)

    def clock(self, kind: ClockKind, thread: str = "t") -> ClockState | None:
        return next((c for c in self.conversation(thread).clocks if c.kind == kind), None)

    def passes(self, **parts: float) -> None:
        """Time passes at a jump, and then whatever is due by then is done."""
        self.box.stage.clock.advance(**parts)
        while self.box.run_due(Lane.CHORES):
            self.box.stage.clock.advance(milliseconds=1)

    def runs(self, hours: float) -> None:
        """Time passes, and everything is done at its time."""
        until = self.now + timedelta(hours=hours)
        self.box.run_until_quiet(hours)
        self.box.stage.clock.set(until)

    def rung(self, thread: str = "t") -> list[tuple[str, str, int]]:
        """(clock, since, step) of each telling, oldest first."""
        rows = self.box.services.history.of(f"conversation#{self.id(thread)}")
        return [
            (r.details["clock"], r.details["since"], r.details["step"])
            for r in rows
            if r.what == "clock rang"
        ]

    def mails(self, thread: str = "t") -> list[Any]:
        """The mails about a conversation, oldest first; moto's SES is every stage's."""
        return [m for m in self.box.mails() if self.id(thread) in text_of(m)]


def text_of(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())
