"""A company with two districts, and accounts over the networks in memory."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, cast

import pytest

from chalicelib.accounts.confirm_page import ConfirmPage
from chalicelib.accounts.confirmations import Confirmations
from chalicelib.accounts.exchange import Exchange
from chalicelib.accounts.model import Account, AccountClass
from chalicelib.accounts.service import Accounts
from chalicelib.accounts.sessions import NoSessions
from chalicelib.core.clock import from_text
from chalicelib.core.kernel import Kernel
from chalicelib.core.mail import Mailer
from chalicelib.core.secrets import Secrets
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Handler, Worker
from chalicelib.org.model import Actor, Language, Person
from chalicelib.org.roles import Role
from chalicelib.platforms import registry
from chalicelib.platforms.port import Adapter, Profile
from chalicelib.subscriptions import SUBSCRIPTIONS
from tests.fakes.networks import MASTODON, Networks
from tests.fakes.postbox import Postbox
from tests.fakes.stage import Stage
from tests.fakes.transport import FakeTransport, client
from tests.org.company import Company


@dataclass
class Letterbox(Postbox):
    """A postbox that knows the links in its mails."""

    def token(self, person: Person) -> str:
        """That of the latest link they got."""
        mail = [mail for mail in self.sent if mail.to == person.email][-1]
        (token,) = re.findall(r"https://signalbox\.test/k/([A-Za-z0-9_-]{43})", mail.text)
        return str(token)


@dataclass
class Desk:
    """Who works with accounts here: the service, what it calls, and the fields of a new account."""

    company: Company
    networks: Networks
    service: Accounts = field(init=False)
    exchange: Exchange = field(init=False)
    postbox: Letterbox = field(default_factory=Letterbox)
    confirmations: Confirmations = field(init=False)
    page: ConfirmPage = field(init=False)
    owner: Person = field(init=False)
    manager: Person = field(init=False)

    def __post_init__(self) -> None:
        stage, org = self.company.stage, self.company.org
        self.service = self.service_on(stage.kernel)
        self.exchange = Exchange(stage.kernel, org, self.service)
        mailer = cast(Mailer, self.postbox)
        self.confirmations = Confirmations(
            stage.kernel,
            org,
            self.service,
            stage.links,
            mailer,
            stage.settings,
        )
        self.page = ConfirmPage(self.confirmations, stage.settings)
        english = {"language": Language.ENGLISH}
        self.owner = self.company.person("Owidiusz")
        self.manager = self.company.person("Marzena", (Role.DISTRICT_MANAGER, self.company.warsaw))
        self.owner = org.change_person(self.admin, self.owner.person_id, **english)
        self.manager = org.change_person(self.admin, self.manager.person_id, **english)

    @property
    def stage(self) -> Stage:
        return self.company.stage

    @property
    def admin(self) -> Actor:
        return self.company.operator

    def service_on(self, kernel: Kernel, secrets: Secrets | None = None) -> Accounts:
        http = client(self.stage.clock, FakeTransport(self.networks))

        @cache
        def adapters(name: str) -> Adapter:
            return registry.adapter(name, http, self.stage.clock, NoSessions())

        return Accounts(
            kernel, self.company.org, secrets or self.stage.secrets, adapters, self.stage.settings
        )

    def fields(self, handle: str, **more: Any) -> dict[str, Any]:
        return {
            "platform": "mastodon",
            "server": MASTODON,
            "handle": handle,
            "unit_id": self.company.warsaw.unit_id,
            "owner_id": self.company.lead.person_id,
            "backup_id": None,
            "purpose": "aktualności",
            "audience": "klienci",
            "credentials": {"access_token": f"token-{handle.removeprefix('@')}"},
            **more,
        }

    def add(self, handle: str, **more: Any) -> Account:
        return self.service.add(self.admin, self.fields(handle, **more))

    @property
    def now(self) -> datetime:
        return self.stage.clock.now()

    def listed(
        self, handle: str, account_class: AccountClass = AccountClass.OFFICIAL, **more: Any
    ) -> Account:
        """An account without credentials, on the first network."""
        fields = {"unit_id": self.company.warsaw.unit_id, "owner_id": self.owner.person_id, **more}
        return self.service.note(
            self.admin.by, "mastodon", MASTODON, handle, account_class=account_class, **fields
        )

    def amend(self, account: Account, **changes: Any) -> Account:
        """Amend what the account is now, and commit."""
        change = self.stage.kernel.change(self.admin.by)
        after = self.service.amend(change, self.service.get(account.account_id), **changes)
        if change.writes:
            self.stage.kernel.commit(change)
        return after

    def confirm(self, account: Account, person: Person) -> Account:
        change = self.stage.kernel.change(self.admin.by)
        after = self.service.confirm(change, self.service.get(account.account_id), person.person_id)
        self.stage.kernel.commit(change)
        return after

    def entry(self, account: Account) -> datetime | None:
        """When the account's confirmation is next looked at; None if its entry is off the timetable."""
        row = self.stage.database.get("timetable", {"entry_id": f"confirm_account#{account.account_id}"})
        return from_text(row["due_at"]) if row and "due_shard" in row else None

    def work(self, service: Accounts | None = None) -> list[str]:
        """Run the chores that are due; how each ended."""
        handlers: dict[str, Handler] = {
            "forget_credentials": (service or self.service).forget_credentials,
            "confirm_account": self.confirmations.confirm_account,
            "tell_under_review": self.confirmations.tell_under_review,
        }
        worker = Worker(self.stage.kernel, Lane.CHORES, handlers)
        due = self.stage.due(Lane.CHORES, self.stage.clock.now())
        return [worker.run(entry_id) for entry_id, _ in due]

    def secret_names(self) -> list[str]:
        """Every parameter of the stage but its settings."""
        pages = self.stage.ssm.get_paginator("describe_parameters").paginate()
        names = [p["Name"] for page in pages for p in page["Parameters"]]
        own = f"/signalbox/{self.stage.settings.stage}/"
        return [n for n in names if n.startswith(own) and not n.startswith(f"{own}settings/")]


@pytest.fixture
def desk(stage: Stage) -> Desk:
    # What a connected account starts is tested in tests/webhooks.
    told = {"AccountConnected": (), "AccountUnderReview": ("tell_under_review",)}
    stage.subscriptions = {**SUBSCRIPTIONS, **told}
    return Desk(Company.create(stage), Networks(stage.clock))


def profile(handle: str, external_id: str = "", **more: Any) -> Profile:
    """What a network says of an account."""
    said = {
        "external_id": external_id or f"id-{handle}", "handle": handle, "display_name": handle.title(),
        "url": f"{MASTODON}/@{handle}", "followers": 7, "last_post_at": None, "status": "active",
    }  # fmt: skip
    return Profile(**{**said, **more})
