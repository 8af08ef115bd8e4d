"""What platforms tell, in our words, brought to the inbox as the ingest worker brings it."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.accounts.model import Account
from chalicelib.core.database import decode_item
from chalicelib.core.errors import Conflict
from chalicelib.core.history import SYSTEM, By, Row, Way
from chalicelib.inbox.model import Conversation, Message, conversation_id
from chalicelib.inbox.rules import Rule
from chalicelib.inbox.service import Inbox
from chalicelib.inbox.settings import Own, RuleBook
from chalicelib.org.model import Actor, Kind, Language, Unit, operator
from chalicelib.org.roles import Role
from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind
from tests.fakes.box import Box

BY_PLATFORM = By(SYSTEM, Way.PLATFORM)
ANNA = Author("anna-1", "anna", "Anna Nowak", "https://social.test/@anna")
BEHNAM = Author("behnam-2", "behnam", "بهنام رضایی")
CIARA = Author("ciara-3", "ciara", "Ciara O’Neill")


def said(at: datetime, external_id: str = "m1", **more: Any) -> InboundEvent:
    """A comment of Anna's in her own thread, unless told otherwise."""
    fields: dict[str, Any] = {
        "platform": "mastodon",
        "kind": InboundKind.COMMENT,
        "key": external_id,
        "account": "ours",
        "happened_at": at,
        "external_id": external_id,
        "author": ANNA,
        "thread": "t1",
        "post_id": "post-1",
        "text": f"What about {external_id}?",
        "language": "en",
        "url": f"https://social.test/{external_id}",
    }
    return InboundEvent(**{**fields, **more})


def answered(at: datetime, external_id: str = "a1", **more: Any) -> InboundEvent:
    """An answer of ours that was given on the platform itself."""
    ours = {"author": Author("ours", "zorza"), "own": True, "text": "Here you are."}
    return said(at, external_id, **{**ours, **more})


def deleted(at: datetime, external_id: str = "m1", **more: Any) -> InboundEvent:
    kind = InboundKind.CONTENT_DELETED
    return InboundEvent("mastodon", kind, f"del-{external_id}", "ours", at, external_id, **more)


@dataclass
class Letterbox:
    """A box, two accounts in two districts, and a responder in each."""

    box: Box
    units: tuple[Unit, Unit]
    accounts: tuple[Account, Account]
    responders: tuple[Actor, Actor]
    names: Any = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def open(cls, box: Box) -> "Letterbox":
        org, admin = box.services.org, operator("test", box.now)
        north, south = (org.add_unit(admin, n, Kind.DISTRICT, box.unit_id) for n in ("North", "South"))
        accounts = (box.account("north", unit_id=north.unit_id), box.account("south", unit_id=south.unit_id))
        made = cls(box, (north, south), accounts, (box.lead, box.lead))
        made.responders = (made.person(Role.RESPONDER, north), made.person(Role.RESPONDER, south))
        return made

    @property
    def inbox(self) -> Inbox:
        return self.box.services.inbox

    @property
    def now(self) -> datetime:
        return self.box.now

    def person(self, role: Role, unit: Unit | None = None, account: Account | None = None) -> Actor:
        org, admin, n = self.box.services.org, operator("test", self.box.now), next(self.names)
        person = org.add_person(admin, f"Person {n}", f"p{n}@zorza.test", "Europe/Warsaw", Language.ENGLISH)
        unit_id = unit.unit_id if unit else account.unit_id if account else self.box.unit_id
        org.grant(admin, person.person_id, role, unit_id, account.account_id if account else None)
        return Actor(person.person_id, person.name, org.grants_of(person.person_id))

    def ago(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)

    def take(
        self, *events: InboundEvent, account: Account | None = None, received_at: datetime | None = None
    ) -> None:
        """One change for each event, tried again as the ingest worker does."""
        kernel = self.box.services.kernel
        for event in events:
            for _ in range(3):
                change = kernel.change(BY_PLATFORM)
                at = received_at or self.now
                self.inbox.take(change, event, account or self.accounts[0], at, False)
                try:
                    kernel.commit(change)
                except Conflict:
                    continue
                break

    def rule(self, *rules: Rule) -> None:
        """What the whole company's rules are from now on."""
        settings, company = self.box.services.inbox_settings, self.box.unit_id
        version = settings.read(self.box.lead, company).version
        settings.save(self.box.lead, company, Own(rules=RuleBook(rules)), version)

    def id_of(self, thread: str, account: Account | None = None) -> str:
        return conversation_id((account or self.accounts[0]).account_id, thread)

    def conversation(self, thread: str = "t1", account: Account | None = None) -> Conversation:
        return self.inbox.store.get(self.id_of(thread, account))

    def messages(self, conversation: Conversation) -> list[Message]:
        """Oldest first."""
        return list(reversed(self.inbox.messages(conversation, 200)[0]))

    def history(self, conversation: Conversation) -> list[Row]:
        return self.box.services.history.of(f"conversation#{conversation.conversation_id}")

    def dump(self) -> list[dict[str, Any]]:
        """The inbox table without what says how often and when rows were written."""
        rows = [_plain(i) for i in self._rows() if not i["pk"].startswith(("numbers#", "settings#"))]
        return sorted(rows, key=lambda r: (r["pk"], r["sk"]))

    def numbers(self) -> dict[tuple[str, str], int]:
        """What came in and what waits, as it is counted, shards added up; the rest is the clocks' own."""
        sums: Counter[tuple[str, str]] = Counter()
        for item in self._rows():
            if item["pk"].startswith("numbers#"):
                place = f"{item['pk']} {item['sk'].rpartition('#')[0]}"
                sums.update({(place, name): n for name, n in item.items() if isinstance(n, int)})
        counted = ("volume_", "backlog")
        return {at: n for at, n in sums.items() if n and at[1].startswith(counted)}

    def _rows(self) -> Iterator[dict[str, Any]]:
        scan = self.box.stage.dynamodb.get_paginator("scan")
        for page in scan.paginate(TableName=self.box.stage.settings.table("inbox")):
            yield from map(decode_item, page["Items"])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        left_out = {"version", "received_at", "created_at", "swept_at"}
        return {k: _plain(v) for k, v in value.items() if k not in left_out}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value
