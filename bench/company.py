"""Where the bench works: a one-machine stack of its own, a second stage without functions, and a company.

The stage `local` is deployed as always. The stage `bench` has tables and queues but no functions, so that
what is measured there is only what the bench does itself.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.accounts.model import Account
from chalicelib.approvals.model import Request
from chalicelib.core.clock import Clock
from chalicelib.core.cloud import AwsClock, Cloud
from chalicelib.core.ids import new_id
from chalicelib.org.model import Actor, operator
from chalicelib.org.roles import Role
from chalicelib.publishing.model import Post, PostState
from chalicelib.wiring import Services
from infra.deploy import DATA_TEMPLATE
from infra.local.api import fetch_json
from infra.local.stack import MAIL_FROM, PORTS, REGION, ROOT_CREDENTIALS, Machine, Stack

BENCH_STAGE = "bench"
FIRST_PORT = 4690  # apart from the developer's own stack, which may be up; SIGNALBOX_BENCH_PORT_BASE moves it


@contextmanager
def stack_for_bench(folder: Path) -> Iterator[Stack]:
    """An empty one-machine stack in a folder of its own, stopped and gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    base = os.environ.get("SIGNALBOX_BENCH_PORT_BASE", str(FIRST_PORT))
    kept = {name: value for name, value in os.environ.items() if name not in PORTS}
    machine = Machine(folder, {**kept, "SIGNALBOX_PORT_BASE": base})
    try:
        stack, _ = machine.up(sample_company=False)
        poll_as_networks_allow(stack)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        os.environ.update(aws_environment(stack))
        yield stack
    finally:
        machine.down()
        shutil.rmtree(folder, ignore_errors=True)


def poll_as_networks_allow(stack: Stack) -> None:
    """Accounts are polled once a minute, as in production, and not at the one-machine stack's haste."""
    name = f"/signalbox/{stack.stage}/settings/poll_seconds"
    stack.client("ssm").put_parameter(Name=name, Value="-", Type="String", Overwrite=True)


def aws_environment(stack: Stack) -> dict[str, str]:
    """What a process needs to reach the stack's AWS as root."""
    key, secret = ROOT_CREDENTIALS
    return {
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }


def make_bench_stage(stack: Stack) -> None:
    """The stateful half of a second stage, from the same template."""
    cloudformation = stack.client("cloudformation")
    parameters = {
        "Stage": BENCH_STAGE,
        "PublicUrl": stack.api_url,
        "MailFrom": MAIL_FROM,
        "AllowedHosts": stack.platform_url.removeprefix("http://"),
    }
    name = f"signalbox-{BENCH_STAGE}-data"
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=DATA_TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


@dataclass
class Company:
    """A small company in one stage: a lead, an author, an approver, and accounts on the local platform."""

    stack: Stack
    services: Services
    cloud: Cloud
    lead: Actor
    author: Actor
    approver: Actor
    unit_id: str
    accounts: list[Account]

    @classmethod
    def found(cls, stack: Stack, stage: str, accounts: int = 0) -> "Company":
        """Make it, with that many Mastodon accounts."""
        clock = AwsClock()
        cloud = Cloud(clock)
        services = Services(cloud, clock, of_stage=stage)
        org = services.org
        admin = operator("bench", services.clock.now())
        first = org.first_lead("Zorza", "Maja Orłowska", "maja@zorza.example", "Europe/Warsaw", "en", admin)
        (unit,) = org.units()

        def join(name: str, email: str, role: Role) -> Actor:
            person = org.add_person(admin, name, email, "Europe/Warsaw", "pl")
            org.grant(admin, person.person_id, role, unit.unit_id)
            return Actor(person.person_id, person.name, org.grants_of(person.person_id))

        lead = Actor(first.person_id, first.name, org.grants_of(first.person_id))
        author = join("Zofia Śliwińska", "zofia@zorza.example", Role.AUTHOR)
        approver = join("Agnieszka Kowalczyk", "agnieszka@zorza.example", Role.APPROVER)
        company = cls(stack, services, cloud, lead, author, approver, unit.unit_id, [])
        company.add_accounts(accounts)
        return company

    def add_accounts(self, count: int) -> None:
        """That many Mastodon accounts more."""
        first, stage = len(self.accounts), self.services.settings.stage
        self.accounts += [self._account(f"{stage}_{first + n:03d}") for n in range(count)]

    def at(self, clock: Clock) -> "Company":
        """The same company as seen at another time, through clients of its own."""
        cloud = Cloud(AwsClock(clock))
        return replace(
            self, cloud=cloud, services=Services(cloud, clock, of_stage=self.services.settings.stage)
        )

    def token(self, actor: Actor) -> str:
        """An API token of this person."""
        text, _ = self.services.org.issue_token(self.lead, actor.person_id, "bench", timedelta(days=1))
        return text

    def _account(self, username: str) -> Account:
        made = fetch_json(f"{self.stack.platform_url}/_local/accounts", {"username": username})
        return self.services.accounts.add(
            self.lead,
            {
                "platform": "mastodon",
                "server": self.stack.platform_url,
                "handle": username,
                "unit_id": self.unit_id,
                "owner_id": self.lead.person_id,
                "credentials": {"access_token": made["access_token"]},
            },
        )

    def draft(
        self, accounts: list[Account], text: str, publish_at: datetime, tags: tuple[str, ...] = ()
    ) -> Post:
        return self.services.posts.draft(self.author, draft_fields(accounts, text, publish_at, tags))

    def signed(
        self, accounts: list[Account], text: str, publish_at: datetime, tags: tuple[str, ...] = ()
    ) -> Post:
        """A post signed off past the mails, by what the deciding transaction does, and so scheduled."""
        post = self.draft(accounts, text, publish_at, tags)
        kernel, store = self.services.kernel, self.services.post_store
        change = kernel.change(self.author.by)
        store.save_post(change, replace(post, state=PostState.IN_REVIEW))
        change.record(f"post#{post.post_id}", "submitted")
        kernel.commit(change)
        change = kernel.change(self.approver.by)
        request = Request(
            new_id("request", change.now), f"post#{post.post_id}", post.revision, self.author.person_id,
            frozenset(), change.now, publish_at, (),
        )  # fmt: skip
        self.services.post_subject.granted(change, request)
        change.record(request.subject, "approved")
        kernel.commit(change)
        return self.services.posts.get(post.post_id)


def draft_fields(
    accounts: list[Account], text: str, publish_at: datetime, tags: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "title": text[:60],
        "text": text,
        "language": "pl",
        "media": [],
        "targets": [account.account_id for account in accounts],
        "overrides": {},
        "publish_at": publish_at,
        "zone": "Europe/Warsaw",
        "tags": list(tags),
        "late": {"action": "publish", "grace_minutes": 30},
    }


def drop_tables(stack: Stack) -> None:
    """Forget the tables of both stages, so that stopping the stack need not write them down."""
    dynamodb = stack.client("dynamodb")
    for name in dynamodb.list_tables()["TableNames"]:
        with suppress(dynamodb.exceptions.ResourceNotFoundException):
            dynamodb.delete_table(TableName=name)
