"""A small office around the real services: people who ask, decide, go away and leave; no SES."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.approvals.model import Policy, Request
from chalicelib.approvals.model import Stage as PolicyStage
from chalicelib.approvals.page import ApprovalPage
from chalicelib.approvals.service import Approvals
from chalicelib.core.history import By, Way
from chalicelib.core.kernel import Kernel
from chalicelib.core.link_page import Page
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Worker
from chalicelib.org.model import Actor, Kind, Language, Person, Unit, operator
from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from tests.fakes.postbox import Postbox
from tests.fakes.stage import Stage
from tests.fakes.subject import FakeSubject

LINK = re.compile(r"https://signalbox\.test/a/([A-Za-z0-9_-]{43})")


@dataclass
class Office:
    stage: Stage
    org: Org
    operator: Actor
    root: Unit
    district: Unit
    lead: Person
    ada: Person
    postbox: Postbox
    subject: FakeSubject
    kernel: Kernel
    approvals: Approvals
    opened: int = 0

    @classmethod
    def create(cls, stage: Stage, kernel: Kernel | None = None) -> "Office":
        kernel = kernel or stage.kernel
        org = Org(stage.kernel)
        admin = operator("ops", stage.clock.now())
        lead = org.first_lead("Tramwaje", "Lena Lis", "lena@example.org", "Europe/Warsaw", "en", admin)
        (root,) = org.units()
        district = org.add_unit(admin, "Warszawa", Kind.DISTRICT, root.unit_id)
        ada = org.add_person(admin, "Ada", "ada@example.org", "Europe/London", Language.ENGLISH)
        subject = FakeSubject.of(stage, stage.clock.now() + timedelta(days=1))
        postbox: Any = Postbox()
        approvals = Approvals(kernel, org, stage.links, postbox, stage.settings, lambda _: subject)
        return cls(stage, org, admin, root, district, lead, ada, postbox, subject, kernel, approvals)

    def person(
        self, name: str, *roles: Role, language: Language = Language.ENGLISH, unit: Unit | None = None
    ) -> Person:
        email = f"{name.split()[0].lower()}@example.org"
        person = self.org.add_person(self.operator, name, email, "Europe/Warsaw", language)
        for role in roles:
            self.org.grant(self.operator, person.person_id, role, (unit or self.district).unit_id)
        return person

    def policy(self, *stages: PolicyStage, unit: Unit | None = None, **switches: bool) -> None:
        self.approvals.policies.set(
            self.operator, (unit or self.district).unit_id, Policy(stages, **switches)
        )

    def stage_of(self, *people: Person, name: str = "Sign-off", **more: Any) -> PolicyStage:
        return PolicyStage(name, tuple(p.person_id for p in people), **more)

    def open(
        self, contributors: tuple[Person, ...] = (), unit: Unit | None = None, subject: str = ""
    ) -> Request:
        """A request by Ada for the subject's current revision."""
        self.opened += 1
        change = self.kernel.change(By(self.ada.person_id, Way.API))
        request = self.approvals.open(
            change,
            subject or f"post#{self.opened}",
            self.subject.current,
            [(unit or self.district).unit_id],
            self.ada.person_id,
            frozenset(p.person_id for p in contributors),
            self.subject.shown.publish_at,
        )
        change.record(request.subject, "submitted")
        self.kernel.commit(change)
        return request

    def void(self, request: Request, why: str = "edited") -> None:
        change = self.kernel.change(By(self.ada.person_id, Way.API))
        self.approvals.void(change, request.request_id, why)
        change.record(request.subject, "edited")
        self.kernel.commit(change)

    def work(self) -> list[str]:
        """Run the chores that are due; how each ended."""
        chores = {
            "ask_approvers": self.approvals.ask_approvers,
            "mail_code": self.approvals.mail_code,
            "tell_author": self.approvals.tell_author,
            "check_reach": self.approvals.check_reach,
            "tell_unreached": self.approvals.tell_unreached,
        }
        worker = Worker(self.kernel, Lane.CHORES, chores)
        due = [e for e, _ in self.stage.due(Lane.CHORES, self.stage.clock.now())]
        return [worker.run(entry_id) for entry_id in due]

    def work_for(self, hours: float) -> None:
        """Let time pass, with the chores run at each hour of it."""
        for _ in range(int(hours)):
            self.stage.clock.advance(hours=1)
            while self.work():
                pass

    def asked(self, **more: Any) -> Request:
        """An open request whose approvers have their mails."""
        request = self.open(**more)
        self.work()
        return request

    def tokens(self, person: Person) -> list[str]:
        """The tokens of the links that were mailed to somebody, oldest first."""
        return [t for m in self.postbox.to(person) for t in LINK.findall(m.text)]

    def token(self, person: Person) -> str:
        return self.tokens(person)[-1]

    @property
    def page(self) -> ApprovalPage:
        return ApprovalPage(self.approvals, self.stage.settings, self.stage.clock)

    def get(self, token: str) -> Page:
        return self.page.show(token, "en")

    def post(self, token: str, **fields: str) -> Page:
        return self.page.decide(token, urlencode(fields).encode(), "en")

    def press(self, token: str, verdict: str, words: str = "", **fields: str) -> Page:
        """What a browser sends: the page's hidden fields and a button."""
        hidden = dict(re.findall(r'name="(proof)" value="([^"]*)"', self.get(token).html))
        return self.post(token, verdict=verdict, words=words, **{**hidden, **fields})

    def away(self, person: Person, deputy: Person) -> None:
        self.org.set_away(self.operator, person.person_id, deputy.person_id, None)

    def leave(self, person: Person) -> None:
        self.org.mark_left(self.operator, person.person_id)

    def state(self, request: Request) -> str:
        return str(self.approvals.get(request.request_id).state)

    def dump(self) -> dict[str, list[Any]]:
        """Every row of every table."""
        prefix = f"signalbox-{self.stage.settings.stage}-"
        client = self.stage.dynamodb
        names = [t for p in client.get_paginator("list_tables").paginate() for t in p["TableNames"]]
        return {n: sorted(client.scan(TableName=n)["Items"], key=str) for n in names if n.startswith(prefix)}
