"""A company with accounts on two networks, and the register of what changes there: real services over moto,
web sites in memory, no SES.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.accounts import store as account_rows
from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.history import BY_JOB
from chalicelib.core.ids import new_id
from chalicelib.core.link_page import Page
from chalicelib.core.objects import Objects
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Handler, Worker
from chalicelib.org.model import Actor, Kind, Language, Person, Unit, operator
from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from chalicelib.platform_changes.changes import TELL, WARN, Changes
from chalicelib.platform_changes.model import Finding, PlatformChange
from chalicelib.platform_changes.page import ChangePage
from chalicelib.platform_changes.rulebook import Rulebook
from chalicelib.platform_changes.store import Store
from chalicelib.platform_changes.tellings import ChangeTellings
from chalicelib.platforms import registry
from chalicelib.platforms.surfaces import Surface
from tests.fakes.postbox import Postbox
from tests.fakes.stage import Stage

LINK = re.compile(r"https://signalbox\.test/p/([A-Za-z0-9_-]{43})")
SURFACES: dict[str, tuple[Surface, ...]] = {
    "x": (
        Surface("publish a post", "publish", "POST", "/2/tweets", frozenset({"text", "media.media_ids"})),
        Surface("read a profile", "read", "GET", "/2/users/{id}", frozenset({"user.fields"})),
        Surface("webhook", "subscription", "POST", "/2/webhooks/replay"),
    ),
    "linkedin": (
        Surface(
            "publish a post", "publish", "POST", "/rest/posts", frozenset({"commentary", "LinkedIn-Version"})
        ),
        Surface(
            "upload a picture", "publish", "POST", "/rest/images", frozenset({"initializeUploadRequest"})
        ),
    ),
}
VERSIONS = {"linkedin": "202511"}


@dataclass
class Office:
    """`lead` leads the company, `ops` keeps it running, `author` only reads here."""

    stage: Stage
    org: Org
    operator: Actor
    root: Unit
    district: Unit
    lead: Person
    ops: Person
    author: Person
    surfaces: Callable[[str], Sequence[Surface]] = registry.surfaces
    postbox: Postbox = field(default_factory=Postbox)
    handlers: dict[str, Handler] = field(default_factory=dict)

    @classmethod
    def create(
        cls, stage: Stage, surfaces: Callable[[str], Sequence[Surface]] = registry.surfaces
    ) -> "Office":
        org = Org(stage.kernel)
        admin = operator("ops", stage.clock.now())
        lead = org.first_lead("Zorza", "Lena Lis", "lena@example.org", "Europe/Warsaw", "en", admin)
        (root,) = org.units()
        district = org.add_unit(admin, "Łódź", Kind.DISTRICT, root.unit_id)
        people = []
        for name, role, unit in (("Omid Ops", Role.OPS, root), ("Ada Autorka", Role.AUTHOR, district)):
            email = f"{name.split()[0].lower()}@example.org"
            person = org.add_person(admin, name, email, "Europe/Warsaw", Language.ENGLISH)
            org.grant(admin, person.person_id, role, unit.unit_id)
            people.append(person)
        ops, author = people
        return cls(stage, org, admin, root, district, lead, ops, author, surfaces)

    def __post_init__(self) -> None:
        kernel, settings = self.stage.kernel, self.stage.settings
        self.kernel = kernel
        self.accounts = Accounts(kernel, self.org, self.stage.secrets, no_adapter, settings)
        self.changes = Changes(kernel, self.org, self.accounts, self.surfaces, VERSIONS.get)
        self.rulebook = Rulebook(kernel, self.org)
        self.store = Store(kernel.database)
        self.objects = Objects(self.stage.s3, settings.media_bucket)
        mailer: Any = self.postbox
        self.tellings = ChangeTellings(kernel, self.org, self.stage.links, self.changes, mailer, settings)
        self.page = ChangePage(kernel, self.org, self.stage.links, self.changes, settings)
        self.handlers |= {TELL: self.tellings.tell_change, WARN: self.tellings.warn_of_change}

    @property
    def now(self) -> datetime:
        return self.stage.clock.now()

    def actor(self, person: Person) -> Actor:
        return Actor(person.person_id, person.name, self.org.grants_of(person.person_id))

    def account(self, platform: str = "x", handle: str = "zorza", **more: Any) -> Account:
        """An account of ours on a network, in the register."""
        fields: dict[str, Any] = {
            "account_id": new_id("account", self.now),
            "platform": platform,
            "server": "https://social.example",
            "handle": handle,
            "display_name": "Zorza",
            "external_id": f"id-{platform}-{handle}",
            "url": f"https://social.example/{handle}",
            "followers": 12,
            "api_version": None,
            "unit_id": self.district.unit_id,
            "owner_id": self.author.person_id,
            "backup_id": None,
            "purpose": "",
            "audience": "",
            "credentials_path": "",
            "credentials_at": self.now,
            "created_at": self.now,
            **more,
        }
        account = Account(**fields)
        change = self.kernel.change(BY_JOB)
        change.put(account_rows.TABLE, account_rows.account_item(account))
        change.record(f"account#{account.account_id}", "listed")
        self.kernel.commit(change)
        return account

    def found(
        self,
        title: str,
        text: str = "",
        platform: str = "x",
        source: str = "x_changelog",
        key: str = "",
        **more: Any,
    ) -> PlatformChange | None:
        """What becomes of a finding with this title."""
        finding = Finding(key or title, title, text, **more)
        return self.changes.record(platform, finding, source, "https://docs.example/changelog", BY_JOB)

    def breaking(self, **more: Any) -> PlatformChange:
        """A change that breaks how we publish there, in half a year."""
        finding: dict[str, Any] = {
            "title": "POST /2/tweets requires a new scope",
            "text": "Calls without it will be rejected.",
            "operations": ("POST /2/tweets",),
            "effective_on": (self.now + timedelta(days=180)).date(),
            **more,
        }
        made = self.found(**finding)
        assert made is not None
        return made

    def get(self, change: PlatformChange) -> PlatformChange:
        return self.changes.get(change.change_id)

    def everything(self) -> list[PlatformChange]:
        """Every record, read from the table and not from a listing."""
        return sorted(
            (c for p in SURFACES for c in self.store.of_platform(p, self.now - timedelta(days=900))),
            key=lambda c: c.change_id,
        )

    def work(self) -> list[str]:
        """Run the chores that are due, and what they bring about; how each ended."""
        worker = Worker(self.kernel, Lane.CHORES, self.handlers)
        outcomes: list[str] = []
        while due := [e for e, _ in self.kernel.timetable.due(Lane.CHORES, self.now)]:
            outcomes += [worker.run(entry_id) for entry_id in due]
        return outcomes

    def pass_time(self, **lasts: float) -> None:
        """Let time pass, an entry of the timetable at a time."""
        until = self.now + timedelta(**lasts)
        while True:
            self.work()
            ahead = [at for _, at in self.kernel.timetable.due(Lane.CHORES, until)]
            if not ahead:
                break
            self.stage.clock.set(max(min(ahead), self.now + timedelta(milliseconds=1)))
        self.stage.clock.set(until)

    def quiet(self) -> None:
        """Let what is due run, and forget the mails."""
        self.work()
        self.postbox.sent.clear()

    def entries(self) -> dict[str, datetime]:
        """What stands on the timetable, and when it is due."""
        return dict(self.kernel.timetable.due(Lane.CHORES, self.now + timedelta(days=3650)))

    def token(self, person: Person) -> str:
        """Of the latest link they got."""
        self.work()
        found: list[str] = LINK.findall(self.postbox.to(person)[-1].text)
        return found[-1]

    def press(self, token: str, **fields: str) -> Page:
        """What a browser sends: the page's hidden fields and a button."""
        hidden = dict(re.findall(r'name="(seen)" value="([^"]*)"', self.page.show(token, "en").html))
        return self.page.act(token, urlencode({**hidden, **fields}).encode(), "en")

    def history(self, change: PlatformChange) -> list[str]:
        return [row.what for row in self.stage.history.of(f"platform_change#{change.change_id}")]

    def dump(self) -> str:
        """Every row of the tables that a page could change."""
        client, found = self.stage.dynamodb, []
        for table in ("platform_changes", "history", "links", "timetable", "accounts", "org"):
            items = client.scan(TableName=self.stage.settings.table(table))["Items"]
            found += sorted(json.dumps(i, sort_keys=True) for i in items)
        return "\n".join(found)


def few(platform: str) -> Sequence[Surface]:
    return SURFACES.get(platform, ())


def no_adapter(name: str) -> Any:
    raise AssertionError("nobody connects an account here")


@pytest.fixture
def office(stage: Stage) -> Office:
    """An office whose code makes few calls, so that a test can name each."""
    return Office.create(stage, few)
