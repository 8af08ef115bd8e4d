"""A company with two districts, and accounts over the networks in memory."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.accounts.sessions import NoSessions
from chalicelib.core.kernel import Kernel
from chalicelib.core.secrets import Secrets
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Worker
from chalicelib.org.model import Actor
from chalicelib.platforms import registry
from chalicelib.platforms.port import Adapter
from chalicelib.subscriptions import SUBSCRIPTIONS
from tests.fakes.networks import MASTODON, Networks
from tests.fakes.stage import Stage
from tests.fakes.transport import FakeTransport, client
from tests.org.company import Company


@dataclass
class Desk:
    """Who works with accounts here: the service, what it calls, and the fields of a new account."""

    company: Company
    networks: Networks
    service: Accounts = field(init=False)

    def __post_init__(self) -> None:
        self.service = self.service_on(self.company.stage.kernel)

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

    def work(self, service: Accounts | None = None) -> list[str]:
        """Run the chores that are due; how each ended."""
        handlers = {"forget_credentials": (service or self.service).forget_credentials}
        worker = Worker(self.stage.kernel, Lane.CHORES, handlers)
        due = list(self.stage.kernel.timetable.due(Lane.CHORES, self.stage.clock.now()))
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
    stage.subscriptions = {**SUBSCRIPTIONS, "AccountConnected": ()}
    return Desk(Company.create(stage), Networks(stage.clock))
