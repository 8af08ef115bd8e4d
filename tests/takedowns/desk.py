"""A desk where takedown cases are worked on: real services over moto, a network in memory, no SES."""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.accounts import store as account_rows
from chalicelib.accounts.model import Account, AccountClass, AccountStatus, RogueKind
from chalicelib.core.history import BY_JOB
from chalicelib.core.ids import new_id
from chalicelib.core.link_page import Page
from chalicelib.core.objects import Objects
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Worker
from chalicelib.org.model import Actor, Kind, Language, Person, Unit, operator
from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from chalicelib.platforms.port import AccountRef, Activity, Profile
from chalicelib.takedowns.chasing import Chasing
from chalicelib.takedowns.evidence import EvidenceRoom
from chalicelib.takedowns.ladder import Ladder
from chalicelib.takedowns.looks import Looks
from chalicelib.takedowns.model import Case, State
from chalicelib.takedowns.page import CasePage
from chalicelib.takedowns.service import CAPTURE, CHASE, RECHECK, TELL, Takedowns
from chalicelib.takedowns.settings import TakedownSettings
from chalicelib.takedowns.tellings import CaseTellings
from tests.fakes.postbox import Postbox
from tests.fakes.stage import Stage

LINK = re.compile(r"https://signalbox\.test/c/([A-Za-z0-9_-]{43})")


@dataclass
class Network:
    """A network whose profiles anybody can read; `profiles` by handle, `fails` is raised instead."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    fails: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def profile(self, account: AccountRef) -> Profile:
        self.asked.append((account.handle, account.external_id))
        if self.fails is not None:
            raise self.fails
        found = self.profiles.get(account.handle)
        if found is None or account.external_id not in ("", found.external_id):
            return Profile(account.external_id, account.handle, "", "", None, None, "not found")
        return found

    def activity(self, account: AccountRef) -> Activity:
        raise AssertionError("a case only looks at profiles")


@dataclass
class Desk:
    """A company with one district; `lead` leads the company, `manager` the district, `owner` owns cases."""

    stage: Stage
    org: Org
    operator: Actor
    root: Unit
    district: Unit
    lead: Person
    manager: Person
    owner: Person
    postbox: Postbox = field(default_factory=Postbox)
    network: Network = field(default_factory=Network)
    writes_no_mails: bool = False

    @classmethod
    def create(cls, stage: Stage) -> "Desk":
        org = Org(stage.kernel)
        admin = operator("ops", stage.clock.now())
        lead = org.first_lead("Zorza", "Lena Lis", "lena@example.org", "Europe/Warsaw", "pl", admin)
        (root,) = org.units()
        district = org.add_unit(admin, "Łódź", Kind.DISTRICT, root.unit_id)
        people = []
        for name, role, language in (
            ("Marek Mąka", Role.DISTRICT_MANAGER, Language.POLISH),
            ("Olga Ość", Role.AUTHOR, Language.ENGLISH),
        ):
            email = f"{name.split()[0].lower()}@example.org"
            person = org.add_person(admin, name, email, "Europe/Warsaw", language)
            org.grant(admin, person.person_id, role, district.unit_id)
            people.append(person)
        manager, owner = people
        return cls(stage, org, admin, root, district, lead, manager, owner)

    def __post_init__(self) -> None:
        kernel, settings = self.stage.kernel, self.stage.settings
        self.kernel = kernel
        self.accounts = _accounts(self.stage, self.org)
        self.own = TakedownSettings(kernel, self.org)
        self.takedowns = Takedowns(kernel, self.org, self.accounts, settings, self.own)
        self.looks = Looks(lambda name: self.network, self.stage.secrets, settings)
        self.room = EvidenceRoom(
            kernel,
            self.org,
            self.accounts,
            self.takedowns,
            Objects(self.stage.s3, settings.media_bucket),
            self.looks,
        )
        self.chasing = Chasing(kernel, self.accounts, self.takedowns, Ladder(self.org), self.looks)
        mailer: Any = self.postbox
        self.tellings = CaseTellings(
            kernel, self.org, self.stage.links, self.takedowns.store, mailer, settings
        )
        self.page = CasePage(kernel, self.org, self.stage.links, self.takedowns, self.room, settings)

    @property
    def services(self) -> dict[str, Any]:
        """What the routes ask the object graph for, by name."""
        return {
            "takedowns": self.takedowns,
            "takedown_settings": self.own,
            "takedown_evidence": self.room,
            "case_page": self.page,
        }

    def actor(self, person: Person) -> Actor:
        return Actor(person.person_id, person.name, self.org.grants_of(person.person_id))

    def person(self, name: str, role: Role = Role.AUTHOR, unit: Unit | None = None) -> Person:
        email = f"{name.split()[0].lower()}@example.org"
        person = self.org.add_person(self.operator, name, email, "Europe/Warsaw", Language.ENGLISH)
        self.org.grant(self.operator, person.person_id, role, (unit or self.district).unit_id)
        return person

    def account(self, handle: str = "zorza_pomoc", platform: str = "bluesky", **more: Any) -> Account:
        """An account of the register: a rogue one, unless told otherwise."""
        now = self.stage.clock.now()
        fields: dict[str, Any] = {
            "account_id": new_id("account", now),
            "platform": platform,
            "server": "https://social.example",
            "handle": handle,
            "display_name": "Zorza Pomoc",
            "external_id": f"id-{handle}",
            "url": f"https://social.example/{handle}",
            "followers": 12,
            "api_version": None,
            "unit_id": self.district.unit_id,
            "owner_id": "",
            "backup_id": None,
            "purpose": "",
            "audience": "",
            "credentials_path": "",
            "credentials_at": now,
            "created_at": now,
            "status": AccountStatus.LISTED,
            "account_class": AccountClass.ROGUE,
            "rogue_kind": RogueKind.IMPOSTOR,
            **more,
        }
        account = Account(**fields)
        change = self.kernel.change(BY_JOB)
        change.put(account_rows.TABLE, account_rows.account_item(account))
        change.record(f"account#{account.account_id}", "listed")
        self.kernel.commit(change)
        return account

    def official(self, handle: str = "zorza") -> Account:
        return self.account(
            handle, account_class=AccountClass.OFFICIAL, owner_id=self.owner.person_id, rogue_kind=None
        )

    def on_network(self, account: Account, status: str = "active", external_id: str = "") -> None:
        """Let the network have the profile."""
        self.network.profiles[account.handle] = Profile(
            external_id or account.external_id,
            account.handle,
            account.display_name,
            account.url,
            12,
            None,
            status,
        )

    def open(self, account: Account | None = None, **more: Any) -> Case:
        """A case that the manager opens, and the owner has."""
        account = account or self.account()
        fields = {
            "account_id": account.account_id,
            "kind": "impersonation",
            "harm": "medium",
            "why": "It asks our customers for their card numbers.",
            "owner_id": self.owner.person_id,
            **more,
        }
        return self.takedowns.open(self.actor(self.manager), fields)

    def step(self, case: Case, to: State | str, reference: str = "", why: str = "because") -> Case:
        """The manager says what has happened."""
        self.stage.clock.advance(minutes=1)  # rows of one moment have no order
        now = self.case(case)
        return self.takedowns.step(
            self.actor(self.manager), now.case_id, now.version, State(to), reference, why
        )

    def submitted(self, **more: Any) -> Case:
        """A case that was handed in."""
        return self.step(self.open(**more), "submitted", "R-1")

    def removed(self, **more: Any) -> Case:
        """A case that ended well."""
        return self.step(self.submitted(**more), "removed")

    def case(self, case: Case) -> Case:
        return self.takedowns.store.get(case.case_id)

    def handlers(self) -> dict[str, Any]:
        return {
            CHASE: self.chasing.chase_case,
            RECHECK: self.chasing.recheck_case,
            CAPTURE: self.chasing.capture_profile,
            TELL: (lambda claim: None) if self.writes_no_mails else self.tellings.tell_case,
            "open_case_for_impostor": self.chasing.open_case_for_impostor,
        }

    def work(self) -> list[str]:
        """Run the chores that are due, and what they bring about; how each ended."""
        worker = Worker(self.kernel, Lane.CHORES, self.handlers())
        outcomes: list[str] = []
        while due := [e for e, _ in self.stage.due(Lane.CHORES, self.stage.clock.now())]:
            outcomes += [worker.run(entry_id) for entry_id in due]
        return outcomes

    def pass_time(self, **lasts: float) -> None:
        """Let time pass, an entry of the timetable at a time."""
        until = self.stage.clock.now() + timedelta(**lasts)
        while True:
            self.work()
            ahead = [at for _, at in self.stage.due(Lane.CHORES, until)]
            if not ahead:
                break
            self.stage.clock.set(max(min(ahead), self.stage.clock.now() + timedelta(milliseconds=1)))
        self.stage.clock.set(until)

    def quiet(self) -> None:
        """Let what is due run, and forget the mails."""
        self.work()
        self.postbox.sent.clear()

    def unschedule(self, case: Case) -> None:
        """Take a case off the timetable."""
        change = self.kernel.change(BY_JOB)
        for kind in self.entries(case):
            change.unschedule(f"{kind}#{case.case_id}")
        change.record(f"case#{case.case_id}", "taken off the timetable")
        self.kernel.commit(change)

    def entries(self, case: Case) -> set[str]:
        """Which of a case's two chores stand on the timetable."""
        far = self.stage.clock.now() + timedelta(days=3650)
        ids = {e for e, _ in self.stage.due(Lane.CHORES, far)}
        return {e.partition("#")[0] for e in ids if e.endswith(f"#{case.case_id}")}

    def token(self, person: Person) -> str:
        self.work()
        found: list[str] = LINK.findall(self.postbox.to(person)[-1].text)
        return found[-1]

    def token_of_case(self, case: Case, person: Person) -> str:
        """A link to a case's page, as a mail would carry it."""
        change = self.kernel.change(BY_JOB)
        ends_at = change.now + timedelta(days=90)
        token, write = self.stage.links.mint("case", case.case_id, person.person_id, "", ends_at)
        change.add(write)
        change.record(f"case#{case.case_id}", "link sent", to=person.person_id)
        self.kernel.commit(change)
        return token

    def press(self, token: str, **fields: str) -> Page:
        """What a browser sends: the page's hidden fields and a button."""
        hidden = dict(re.findall(r'name="(seen)" value="([^"]*)"', self.page.show(token, "en").html))
        return self.page.act(token, urlencode({**hidden, **fields}).encode(), "en")

    def history(self, case: Case) -> list[str]:
        return [row.what for row in self.stage.history.of(f"case#{case.case_id}")]

    def dump(self) -> str:
        """Every row of the tables that a page could change."""
        client, found = self.stage.dynamodb, []
        for table in ("takedowns", "history", "links", "timetable", "accounts", "org"):
            items = client.scan(TableName=self.stage.settings.table(table))["Items"]
            found += sorted(json.dumps(i, sort_keys=True) for i in items)
        return "\n".join(found)


def _accounts(stage: Stage, org: Org) -> Any:
    from chalicelib.accounts.service import Accounts

    def no_adapter(name: str) -> Any:
        raise AssertionError("a case has no credentials")

    return Accounts(stage.kernel, org, stage.secrets, no_adapter, stage.settings)
