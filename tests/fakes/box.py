"""The whole box over moto: real services, a clock that is a value, and networks in memory."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from chalicelib.accounts.model import Account
from chalicelib.approvals.model import Request
from chalicelib.core.http import HttpClient
from chalicelib.core.ids import new_id
from chalicelib.core.timetable import Lane
from chalicelib.org.model import Actor, Language, operator
from chalicelib.org.roles import Role
from chalicelib.publishing.model import Post, PostState, Variant
from chalicelib.wiring import Services
from tests.fakes.networks import BLUESKY, MASTODON, Networks
from tests.fakes.stage import Stage
from tests.fakes.transport import PUBLIC_ADDRESS, FakeTransport


@dataclass
class Box:
    """Services with a small company: a lead, an author, two approvers, and accounts made by `account`."""

    stage: Stage
    services: Services
    networks: Networks
    lead: Actor
    author: Actor
    approvers: tuple[Actor, Actor]
    unit_id: str

    @classmethod
    def open(cls, stage: Stage) -> "Box":
        networks = Networks(stage.clock)
        http = HttpClient(
            stage.clock, resolver=lambda host, port: [PUBLIC_ADDRESS], transport=FakeTransport(networks)
        )
        cloud = SimpleNamespace(
            dynamodb=stage.dynamodb, sqs=stage.sqs, ssm=stage.ssm, s3=stage.s3, sesv2=stage.ses
        )
        services = Services(cloud, stage.clock, http, stage.settings.stage)
        return cls(stage, services, networks, *_company(services, stage.clock.now()))

    @property
    def now(self) -> datetime:
        return self.stage.clock.now()

    def account(self, handle: str, platform: str = "mastodon", unit_id: str = "") -> Account:
        """An account that publishes to the networks in memory."""
        credentials = (
            {"access_token": f"token-{handle}"}
            if platform == "mastodon"
            else {"identifier": handle, "password": "app-password"}
        )
        return self.services.accounts.add(
            self.lead,
            {
                "platform": platform,
                "server": MASTODON if platform == "mastodon" else BLUESKY,
                "handle": handle,
                "unit_id": unit_id or self.unit_id,
                "owner_id": self.lead.person_id,
                "backup_id": None,
                "purpose": "news",
                "audience": "customers",
                "credentials": credentials,
            },
        )

    def fields(self, targets: list[Account], text: str, publish_at: datetime, **more: Any) -> dict[str, Any]:
        return {
            "title": f"Post {text[:20]}",
            "text": text,
            "language": "pl",
            "media": [],
            "targets": [a.account_id for a in targets],
            "overrides": {},
            "publish_at": publish_at,
            "zone": "Europe/Warsaw",
            "tags": [],
            "late": {"action": "publish", "grace_minutes": 30},
            **more,
        }

    def draft(self, targets: list[Account], text: str = "Dzień dobry!", in_: float = 60, **more: Any) -> Post:
        publish_at = self.now + timedelta(seconds=in_)
        return self.services.posts.draft(self.author, self.fields(targets, text, publish_at, **more))

    def signed(
        self, targets: list[Account], text: str = "Dzień dobry!", in_: float = 60, **more: Any
    ) -> Post:
        """A post that its approvers have signed off, its variants on the timetable."""
        post = self.draft(targets, text, in_, **more)
        return self.sign(post)

    def sign(self, post: Post) -> Post:
        """Sign a draft off, past the mails: straight to what the deciding transaction does."""
        kernel, store = self.services.kernel, self.services.post_store
        change = kernel.change(self.author.by)
        store.save_post(change, replace(post, state=PostState.IN_REVIEW))
        change.record(f"post#{post.post_id}", "submitted")
        kernel.commit(change)
        change = kernel.change(self.approvers[0].by)
        request = Request(
            new_id("request", self.now), f"post#{post.post_id}", post.revision, self.author.person_id,
            frozenset(), self.now, self.now + timedelta(days=1), (),
        )  # fmt: skip
        self.services.post_subject.granted(change, request)
        change.record(request.subject, "approved")
        kernel.commit(change)
        return self.services.posts.get(post.post_id)

    def variant(self, post: Post, place: int = 0) -> Variant:
        found = self.services.post_store.variant(f"{post.post_id}~{post.targets[place]}")
        assert found is not None
        return found

    def states(self, post: Post) -> list[str]:
        return [str(v.state) for v in self.services.posts.variants(post)]

    def run_due(self, lane: Lane = Lane.PUBLISH) -> list[str]:
        """Run what is due now on one lane, once; the outcomes."""
        worker = self.services.publish_worker if lane == Lane.PUBLISH else self.services.chores_worker
        return [worker.run(entry_id) for entry_id, _ in self._due(lane, self.now)]

    def _due(self, lane: Lane, until: datetime) -> list[tuple[str, datetime]]:
        """What is due, without polls and checks of accounts: they come again for ever."""
        due = self.stage.due(lane, until)
        return [(e, at) for e, at in due if not e.startswith(("poll#", "watch#"))]

    def run_until_quiet(self, hours: float = 3, step_seconds: float = 20) -> None:
        """Let every worker run, moving the clock from due time to due time, for so long."""
        until = self.now + timedelta(hours=hours)
        while True:
            for lane in Lane:
                self.run_due(lane)
            ahead = [at for lane in Lane for _, at in self._due(lane, until)]
            if not ahead:
                return
            self.stage.clock.set(max(min(ahead), self.now + timedelta(milliseconds=1)))

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The requests to the database meanwhile, by operation."""
        asked: list[str] = []

        def count(model: Any, **_: Any) -> None:
            asked.append(model.name)

        events = self.stage.dynamodb.meta.events
        events.register("before-call.dynamodb", count)
        try:
            yield asked
        finally:
            events.unregister("before-call.dynamodb", count)

    def mails(self) -> list[Any]:
        """What SES was given, oldest first, as parsed mails."""
        import email
        from email import policy

        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.sesv2.models import sesv2_backends

        backend = sesv2_backends[DEFAULT_ACCOUNT_ID][self.stage.ses.meta.region_name]
        sent = getattr(backend.core_backend, "sent_messages", [])
        return [
            email.message_from_string(m.raw_data, policy=policy.default)
            for m in sent
            if hasattr(m, "raw_data")
        ]

    def dump(self) -> dict[str, str]:
        """Every row of every table, as text: what must not change when nothing may."""
        tables = ("timetable", "history", "links", "org", "accounts", "approvals", "posts", "holds")
        rows = {}
        for table in tables:
            pages = self.stage.dynamodb.get_paginator("scan").paginate(
                TableName=self.stage.settings.table(table)
            )
            items = [json.dumps(i, sort_keys=True) for page in pages for i in page["Items"]]
            rows[table] = "\n".join(sorted(items))
        return rows


def _company(services: Services, now: datetime) -> tuple[Actor, Actor, tuple[Actor, Actor], str]:
    org = services.org
    admin = operator("test", now)
    lead_person = org.first_lead(
        "Zorza", "Maja Orłowska", "maja@zorza.test", "Europe/Warsaw", Language.ENGLISH, admin
    )
    (unit,) = org.units()

    def join(name: str, email: str, zone: str, language: Language, role: Role) -> Actor:
        person = org.add_person(admin, name, email, zone, language)
        org.grant(admin, person.person_id, role, unit.unit_id)
        return Actor(person.person_id, person.name, org.grants_of(person.person_id))

    lead = Actor(lead_person.person_id, lead_person.name, org.grants_of(lead_person.person_id))
    author = join("Zofia Śliwińska", "zofia@zorza.test", "Europe/Warsaw", Language.POLISH, Role.AUTHOR)
    first = join(
        "Agnieszka Kowalczyk", "agnieszka@zorza.test", "Europe/Warsaw", Language.ENGLISH, Role.APPROVER
    )
    second = join("شیرین کریمی", "shirin@zorza.test", "Asia/Tehran", Language.PERSIAN, Role.APPROVER)
    return lead, author, (first, second), unit.unit_id
