"""A small company of people with Polish and Persian names, built through the service as the API builds it."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.core.database import Database, Write
from chalicelib.core.errors import SignalboxError
from chalicelib.core.history import Row
from chalicelib.core.kernel import Kernel
from chalicelib.org.model import Actor, Kind, Language, Person, Unit, operator
from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from tests.fakes.stage import Stage


@dataclass
class Company:
    """A company, a region with two districts, and `lead`, who holds the role lead on the company."""

    stage: Stage
    org: Org
    operator: Actor
    lead: Person
    root: Unit
    region: Unit
    warsaw: Unit
    tehran: Unit

    @classmethod
    def create(cls, stage: Stage) -> "Company":
        org = Org(stage.kernel)
        admin = operator("arn:aws:iam::123456789012:user/żaneta", stage.clock.now())
        lead = org.first_lead(
            "Żółta Łódź", "Zofia Wiśniewska", "zofia@example.org", "Europe/Warsaw", "pl", admin
        )
        (root,) = org.units()
        region = org.add_unit(admin, "Śródziemie", Kind.REGION, root.unit_id)
        warsaw = org.add_unit(admin, "Dzielnica Łazienki", Kind.DISTRICT, region.unit_id)
        tehran = org.add_unit(admin, "منطقهٔ تهران", Kind.DISTRICT, region.unit_id)
        return cls(stage, org, admin, lead, root, region, warsaw, tehran)

    def person(self, name: str, *held: tuple[Role, Unit]) -> Person:
        """A new person with these roles."""
        email = f"p{len(name)}.{abs(hash(name))}@example.org"
        person = self.org.add_person(self.operator, name, email, "Asia/Tehran", Language.PERSIAN)
        for role, unit in held:
            self.org.grant(self.operator, person.person_id, role, unit.unit_id)
        return person

    def actor(self, person: Person) -> Actor:
        """The person, signed in with a token of their own."""
        return self.org.identify(self.token(person))

    def token(self, person: Person) -> str:
        text, _ = self.org.issue_token(self.operator, person.person_id, "dla testów")
        return text

    def everything_stored(self) -> str:
        """All rows of all tables of the stage, as text."""
        prefix = f"signalbox-{self.stage.settings.stage}-"
        client = self.stage.dynamodb
        pages = client.get_paginator("list_tables").paginate()
        tables = [t for page in pages for t in page["TableNames"] if t.startswith(prefix)]
        return "\n".join(str(client.scan(TableName=t)["Items"]) for t in tables)

    def history(self, subject: str) -> list[str]:
        """What happened to a subject, by the alphabet: rows of one moment have no order."""
        return sorted(row.what for row in self.stage.history.of(subject))

    def row(self, subject: str, what: str) -> Row:
        """The one row that says `what` of a subject."""
        (row,) = [row for row in self.stage.history.of(subject) if row.what == what]
        return row


def hasty_kernel(stage: Stage, meanwhile: Callable[[], object]) -> Kernel:
    """A kernel before whose first commit something else happens: the slower of two who race."""
    pending = [meanwhile]

    class Interrupted(Database):
        def transact(self, writes: list[Write]) -> None:
            if pending:
                pending.pop()()
            super().transact(writes)

    database = Interrupted(stage.dynamodb, stage.settings, sleep=lambda seconds: None)
    return Kernel(database, stage.queues, stage.clock, stage.subscriptions)


def outcome(call: Callable[[], object]) -> str:
    """What a call ended with: `ok`, or the code of its error."""
    try:
        call()
    except SignalboxError as error:
        return error.code
    return "ok"


def in_the_middle(company: Company, meanwhile: Callable[[], object]) -> Org:
    """An Org that somebody else is quicker than: what they do happens right before its next commit."""
    return Org(hasty_kernel(company.stage, meanwhile))
