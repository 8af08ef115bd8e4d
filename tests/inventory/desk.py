"""A company in the middle of an inventory: real services over moto, and a postbox where SES stands."""

import html
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.accounts.model import Account, AccountClass, AccountStatus
from chalicelib.accounts.service import Accounts
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.link_page import Page
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Worker
from chalicelib.inventory.adding import Adding
from chalicelib.inventory.answers import Answers, Sitting
from chalicelib.inventory.asking import TELL, Asking
from chalicelib.inventory.model import Part, Round, counter
from chalicelib.inventory.page import RoundPage
from chalicelib.inventory.people import People
from chalicelib.inventory.report import Reports
from chalicelib.inventory.rounds import CLOSE, ESCALATE, OPEN, REMIND, SETTLE, Rounds
from chalicelib.inventory.tellings import RoundTellings
from chalicelib.org.model import Actor, Kind, Language, Person, Reach, Unit
from chalicelib.org.roles import Role
from chalicelib.org.store import Store as OrgStore
from chalicelib.org.store import save_person
from chalicelib.subscriptions import SUBSCRIPTIONS
from tests.fakes.postbox import Postbox
from tests.fakes.stage import Stage
from tests.org.company import Company

SERVER = "https://social.example"
LINK = re.compile(r"https://signalbox\.test/r/([A-Za-z0-9_-]{43})")
TABLES = ("inventory", "history", "links", "timetable", "accounts", "org")


def recognise(text: str) -> tuple[str, str, str] | None:
    """Profiles of one server, as wiring's recogniser knows those of ten networks."""
    found = re.fullmatch(r"https://social\.example/@([a-z0-9_]+)", text)
    return ("mastodon", SERVER, found[1]) if found else None


@dataclass
class Desk:
    """Warsaw has `manager`, Tehran `other`; `team` is in Warsaw, and `owner` works there."""

    company: Company
    manager: Person
    other: Person
    owner: Person
    team: Unit
    postbox: Postbox = field(default_factory=Postbox)

    @classmethod
    def create(cls, stage: Stage) -> "Desk":
        told = {"AccountDisowned": (), "AccountConnected": (), "ReachChanged": ("check_inventory_reach",)}
        stage.subscriptions = {**SUBSCRIPTIONS, **told}
        company = Company.create(stage)
        team = company.org.add_unit(company.operator, "Zespół", Kind.TEAM, company.warsaw.unit_id)
        made = []
        for name, role, unit in (
            ("Marzena Mąka", Role.DISTRICT_MANAGER, company.warsaw),
            ("هومن", Role.DISTRICT_MANAGER, company.tehran),
            ("Olga Ość", Role.AUTHOR, company.warsaw),
        ):
            person = company.person(name, (role, unit))
            fields = {"language": Language.ENGLISH, "zone": "Europe/Warsaw"}
            made.append(company.org.change_person(company.operator, person.person_id, **fields))
        manager, other, owner = made
        return cls(company, manager, other, owner, team)

    def __post_init__(self) -> None:
        self.kernel = self.stage.kernel
        self.accounts = self.accounts_on(self.kernel)
        people = People(self.org, OrgStore(self.kernel.database).holder_of)
        self.rounds = Rounds(self.kernel, self.org, self.accounts)
        self.asking = Asking(self.kernel, self.org, self.accounts, self.rounds)
        self.answers = Answers(self.kernel, self.org, self.accounts, self.stage.links, people)
        self.adding = Adding(self.kernel, self.org, self.accounts, people, recognise)
        self.reports = Reports(self.accounts, people, self.rounds)
        mailer: Any = self.postbox
        self.tellings = RoundTellings(
            self.kernel, self.org, self.accounts, self.stage.links, people, self.reports, mailer,
            self.stage.settings,
        )  # fmt: skip
        self.page = RoundPage(
            self.kernel, self.accounts, self.answers, self.adding, people, self.stage.settings
        )

    @property
    def stage(self) -> Stage:
        return self.company.stage

    @property
    def org(self) -> Any:
        return self.company.org

    @property
    def lead(self) -> Actor:
        return self.actor(self.company.lead)

    @property
    def services(self) -> dict[str, Any]:
        """What the routes ask the object graph for."""
        return {
            "inventory": self.rounds,
            "inventory_reports": self.reports,
            "inventory_page": self.page,
            "settings": self.stage.settings,
        }

    def accounts_on(self, kernel: Kernel) -> Accounts:
        def no_adapter(name: str) -> Any:
            raise AssertionError("a round has no credentials")

        return Accounts(kernel, self.org, self.stage.secrets, no_adapter, self.stage.settings)

    def actor(self, person: Person) -> Actor:
        return Actor(person.person_id, person.name, self.org.grants_of(person.person_id))

    def account(self, handle: str, unit: Any = None, **more: Any) -> Account:
        """An account of Warsaw, unless told otherwise."""
        fields = {"account_class": AccountClass.OFFICIAL, "owner_id": self.owner.person_id, **more}
        unit_id = (unit or self.company.warsaw).unit_id
        return self.accounts.note(BY_JOB, "mastodon", SERVER, handle, unit_id=unit_id, **fields)

    def connected(self, handle: str) -> Account:
        """One whose credentials we hold."""
        return self.amend(self.account(handle), status=AccountStatus.ACTIVE, credentials_path="accounts/x")

    def amend(self, account: Account, **changes: Any) -> Account:
        """What somebody else changes meanwhile."""
        self.stage.clock.advance(seconds=1)
        change, before = self.kernel.change(BY_JOB), self.now(account)
        after = self.accounts.amend(change, before, **changes)
        if after != before:
            self.kernel.commit(change)
        return after

    def now(self, account: Account) -> Account:
        return self.accounts.get(account.account_id)

    # Rounds

    def start(self, **more: Any) -> Round:
        """A round of three weeks, and its first mails sent."""
        due_on = self.stage.clock.now().date() + timedelta(days=21)
        round_ = self.rounds.start(self.lead, {"name": "Autumn", "due_on": due_on, **more})
        self.work()
        return self.round(round_)

    def round(self, round_: Round) -> Round:
        return self.rounds.store.round(round_.round_id)

    def part(self, round_: Round, unit: Unit | None = None) -> Part:
        found = self.rounds.store.part(round_.round_id, (unit or self.company.warsaw).unit_id)
        assert found is not None
        return found

    def counts(self, round_: Round, unit: Unit | None = None) -> dict[str, int]:
        """The counters of a part that are not zero."""
        part = self.part(round_, unit)
        names = ("left", "confirmed", "corrected", "added", "disowned", "gone")
        return {name: n for name in names if (n := getattr(part, name))}

    def recount(self, round_: Round, unit: Unit | None = None) -> dict[str, int]:
        """The same, from the questions."""
        questions = self.rounds.store.questions(self.part(round_, unit))
        return dict(Counter(counter(question.answer) for question in questions))

    # The timetable

    def handlers(self) -> dict[str, Any]:
        return {
            OPEN: self.asking.open_round,
            REMIND: self.asking.remind,
            ESCALATE: self.asking.escalate,
            CLOSE: self.rounds.close_by_itself,
            SETTLE: self.asking.settle,
            TELL: self.tellings.tell,
            "check_inventory_reach": self.asking.check_reach,
            "confirm_account": lambda claim: None,
        }

    def work(self) -> list[str]:
        """Run the chores that are due, and what they bring about; how each ended."""
        worker = Worker(self.kernel, Lane.CHORES, self.handlers())
        outcomes: list[str] = []
        while due := [e for e, _ in self.stage.due(Lane.CHORES, self.stage.clock.now())]:
            outcomes += [worker.run(entry_id) for entry_id in due]
        return outcomes

    def pass_to(self, day: date, hour: int = 20) -> None:
        """Let time pass until an hour (UTC) of a day, an entry of the timetable at a time."""
        until = self.stage.clock.now().replace(year=day.year, month=day.month, day=day.day, hour=hour)
        while True:
            self.work()
            ahead = [at for _, at in self.stage.due(Lane.CHORES, until)]
            if not ahead:
                break
            self.stage.clock.set(max(min(ahead), self.stage.clock.now() + timedelta(milliseconds=1)))
        self.stage.clock.set(until)

    # The page

    def token(self, person: Person) -> str:
        """That of the latest link they got."""
        return str(LINK.findall(" ".join(mail.text for mail in self.postbox.to(person)))[-1])

    def sitting(self, person: Person) -> Sitting:
        found = self.answers.find(self.token(person))
        assert found is not None
        return found

    def show(self, person: Person, **query: str) -> Page:
        return self.page.show(self.token(person), query, "en")

    def press(self, person: Person, do: str, account: Any = None, **fields: str) -> Page:
        """What a browser sends from the page as it is now: the hidden fields of an account, and a button."""
        token = self.token(person)
        shown = self.page.show(token, self.query(account), "en").html if account else ""
        return self.send(token, hidden(shown) | {"do": do} | fields)

    def query(self, account: Account, unit: Unit | None = None) -> dict[str, str]:
        """The address of an account's own page."""
        return {"u": (unit or self.company.warsaw).unit_id, "a": account.account_id}

    def send(self, token: str, fields: dict[str, str]) -> Page:
        return self.page.act(token, urlencode(fields).encode(), {}, "en")

    def dump(self) -> str:
        """Every row of every table that a page could change."""
        client, found = self.stage.dynamodb, []
        for table in TABLES:
            items = client.scan(TableName=self.stage.settings.table(table))["Items"]
            found += sorted(json.dumps(i, sort_keys=True) for i in items)
        return "\n".join(found)

    def leaves(self, person: Person) -> None:
        """They leave, and the rounds hear of it."""
        self.org.mark_left(self.company.operator, person.person_id)
        change = self.stage.kernel.change(BY_JOB)
        change.chore("check_inventory_reach", person.person_id)
        change.record(f"person#{person.person_id}", "rounds told")
        self.stage.kernel.commit(change)

    def unreachable(self, person: Person) -> None:
        """Mails to them bounce."""
        now = self.stage.clock.now()
        change = self.stage.kernel.change(BY_JOB)
        before = self.org.person(person.person_id)
        save_person(change, before, replace(before, reach=Reach(unreachable_at=now, why="bounced")))
        change.emit("ReachChanged", person.person_id)
        change.record(f"person#{person.person_id}", "cannot be reached")
        self.stage.kernel.commit(change)


def hidden(page: str) -> dict[str, str]:
    """The fields of the first form that names an account, as a browser would send them untouched."""
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    form = next((f for f in forms if 'name="account"' in f), "")
    inputs = re.findall(r'<input[^>]*? name="(\w+)"[^>]*? value="([^"]*)"', form)
    chosen = re.findall(r'<select[^>]*? name="(\w+)".*?</select>', form, re.DOTALL)
    found = {name: html.unescape(value) for name, value in inputs}
    for name in chosen:
        select = re.search(rf'<select[^>]*? name="{name}".*?</select>', form, re.DOTALL)
        value = re.search(r'<option value="([^"]*)" selected', select[0]) if select else None
        found[name] = value[1] if value else ""
    return found


def visible(page: Page) -> str:
    """The text of a page without its marks."""
    text = re.sub(r"<style>.*?</style>", "", page.html, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
