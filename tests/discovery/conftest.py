"""A company with channels, networks that find what a test puts there, and a web of pages and pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts import store as rows
from chalicelib.accounts.model import Account, AccountClass
from chalicelib.accounts.service import Accounts
from chalicelib.core.expressions import where
from chalicelib.core.http import Request, Response
from chalicelib.core.kernel import Change
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Handler, Worker
from chalicelib.discovery.appkeys import AppKeys
from chalicelib.discovery.asking import Asking
from chalicelib.discovery.candidates import Candidates
from chalicelib.discovery.gallery import Galleries
from chalicelib.discovery.looks import Looks
from chalicelib.discovery.model import Candidate, State
from chalicelib.discovery.page import TriagePage
from chalicelib.discovery.plan import Plan
from chalicelib.discovery.settings import DiscoverySettings, Settings
from chalicelib.discovery.triage import Triage
from chalicelib.org.model import Actor, Language, Person, operator
from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from chalicelib.platforms.port import AccountRef, Profile
from chalicelib.subscriptions import SUBSCRIPTIONS
from tests.fakes.stage import Stage
from tests.fakes.transport import FakeTransport, client, reply
from tests.org.company import Company

MASTODON = "https://mastodon.social"


def profile(handle: str, name: str = "", **more: Any) -> Profile:
    return Profile(
        **{
            "external_id": f"id-{handle}", "handle": handle, "display_name": name, "url": f"https://x.test/{handle}",
            "followers": 12, "last_post_at": None, "status": "active", **more,
        }
    )  # fmt: skip


@dataclass
class Network:
    """A network's search and profiles: what is found by which words; an exception is raised."""

    found: dict[str, Sequence[Profile] | Exception] = field(default_factory=dict)
    profiles: dict[str, Profile | Exception] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    read_with: list[Mapping[str, str]] = field(default_factory=list)

    def search(self, words: str, server: str, credentials: Mapping[str, str]) -> Sequence[Profile]:
        self.asked.append((words, server))
        found = self.found.get(words, ())
        if isinstance(found, Exception):
            raise found
        return found

    def profile(self, account: AccountRef) -> Profile:
        self.read_with.append(account.credentials)
        found = self.profiles.get(account.handle)
        if found is None or isinstance(found, Exception):
            from chalicelib.platforms.errors import Rejected

            raise found or Rejected("there is no such profile")
        return found

    def activity(self, account: AccountRef) -> Any:
        raise AssertionError("a scan asks for no activity")


class Web:
    """Pages and pictures by their address; whatever is not there is 404."""

    def __init__(self) -> None:
        self.answers: dict[str, Response | Exception] = {}
        self.transport = FakeTransport(lambda request: self.answers.get(request.url, reply(404)))

    def put(self, url: str, body: bytes, kind: str = "text/html", status: int = 200, **headers: str) -> None:
        self.answers[url] = reply(status, headers={"Content-Type": kind, **headers}, body=body)

    @property
    def requests(self) -> list[Request]:
        return self.transport.requests


class Register(Accounts):
    def unlist(self, change: Change, account: Account, why: str) -> None:
        """Take an account off the register with a change: it, its address and its profile."""
        seen = where("version = :v", v=account.version)
        change.delete(rows.TABLE, rows.account_key(account.account_id), seen)
        change.delete(rows.TABLE, rows.address_of(account))
        if account.external_id:
            change.delete(rows.TABLE, rows.profile_of(account))
        change.record(f"account#{account.account_id}", "taken off the register", why)


class Postbox(Mailer):
    """Keeps what is sent."""

    def __init__(self, sent: list[Mail]) -> None:
        self._sent = sent

    def send(self, mail: Mail) -> str:
        self._sent.append(mail)
        return str(len(self._sent))


@dataclass
class Office:
    """The services of discovery over one stage, built as wiring builds them."""

    company: Company
    web: Web = field(default_factory=Web)
    networks: dict[str, Network] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stage = self.stage
        subscriptions = {**SUBSCRIPTIONS, "ImpostorFound": (), "AccountConnected": ()}
        self.stage = stage = replace(stage, subscriptions=subscriptions)
        kernel = stage.kernel
        org = self.company.org = Org(kernel)
        self._in_english(self.company.lead)
        http = client(stage.clock, self.web.transport)

        def no_adapter(name: str) -> Any:
            raise AssertionError("discovery signs in nowhere")

        self.accounts = Register(kernel, org, stage.secrets, no_adapter, stage.settings)
        self.settings = DiscoverySettings(kernel, org)
        self.galleries = Galleries(self.accounts, self.settings, stage.clock)
        self.candidates = Candidates(kernel, self.accounts, self.settings)
        self.triage = Triage(kernel, org, self.accounts, self.candidates)
        self.keys = AppKeys(stage.secrets, stage.settings)
        self.plan = Plan(kernel, self.accounts, self.settings, self.keys)
        self.looks = Looks(
            kernel, self.accounts, self.candidates, self.galleries, self.keys, http,
            self.networks.get, self.networks.get,
        )  # fmt: skip
        self.mails: list[Mail] = []
        self.asking = Asking(
            kernel, org, self.accounts, self.candidates, stage.links, Postbox(self.mails), stage.settings
        )
        self.page = TriagePage(self.asking, self.triage, org, self.accounts, stage.settings)
        self.chores: dict[str, Handler] = {
            "plan_scan": self.plan.plan,
            "scan_source": self.looks.look,
            "mail_triage": self.asking.mail_triage,
            "confirm_account": lambda claim: None,
        }

    @property
    def stage(self) -> Stage:
        return self.company.stage

    @stage.setter
    def stage(self, stage: Stage) -> None:
        self.company.stage = stage

    @property
    def lead(self) -> Actor:
        return self.company.actor(self.company.lead)

    @property
    def admin(self) -> Actor:
        return operator("test", self.stage.clock.now())

    def manager(self) -> Actor:
        """The district manager of Warsaw."""
        person = self.company.person("Kierowniczka", (Role.DISTRICT_MANAGER, self.company.warsaw))
        return self.company.actor(self._in_english(person))

    def _in_english(self, person: Person) -> Person:
        """The person, who reads English: what pages and mails say is what stands in the sources."""
        return self.company.org.change_person(self.admin, person.person_id, language=Language.ENGLISH)

    def account(self, handle: str, name: str, platform: str = "mastodon", **fields: Any) -> Account:
        server = MASTODON if platform == "mastodon" else ""
        return self.accounts.note(
            self.admin.by, platform, server, handle,
            **{
                "account_class": AccountClass.OFFICIAL, "unit_id": self.company.warsaw.unit_id,
                "owner_id": self.company.lead.person_id, "display_name": name, **fields,
            },
        )  # fmt: skip

    def set(self, **given: Any) -> Settings:
        return self.settings.save(self.lead, replace(self.settings.read(self.lead), **given))

    def found(self, state: State = State.NEW) -> list[Candidate]:
        """The candidates of a state, the likeliest first."""
        page, _ = self.triage.page(self.admin, 200, "", state)
        return sorted(page, key=lambda c: -c.score)

    def run_due(self) -> list[str]:
        """Run what is due now on the chores lane; the outcomes."""
        worker = Worker(self.stage.kernel, Lane.CHORES, self.chores)
        due = self.stage.due(Lane.CHORES, self.stage.clock.now())
        return [worker.run(entry_id) for entry_id, _ in due]

    def run_for(self, hours: float) -> list[str]:
        """Let the clock run from due time to due time, for so long."""
        outcomes = []
        until = self.stage.clock.now() + timedelta(hours=hours)
        while ahead := [at for _, at in self.stage.due(Lane.CHORES, until)]:
            self.stage.clock.set(max(min(ahead), self.stage.clock.now()))
            outcomes += self.run_due()
        self.stage.clock.set(until)
        return outcomes

    def scan(self, hours: float = 24) -> list[str]:
        """A whole weekly scan."""
        self.plan.begin()
        return self.run_for(hours)

    def history(self, subject: str) -> list[str]:
        return [row.what for row in self.stage.history.of(subject)]


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(Company.create(stage))
