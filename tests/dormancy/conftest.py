"""Accounts on networks that say when each last posted, and the daily look at them."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest

from chalicelib.accounts.model import Account, AccountClass
from chalicelib.core.link_page import Page
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Handler, Worker
from chalicelib.dormancy.model import Review
from chalicelib.dormancy.page import ReviewPage
from chalicelib.dormancy.reads import Reads
from chalicelib.dormancy.reviews import Reviews
from chalicelib.dormancy.service import Dormancy
from chalicelib.dormancy.standards import Standards
from chalicelib.dormancy.tellings import Tellings
from chalicelib.org.model import Person
from chalicelib.platforms.errors import AdapterError
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, Reading, ReadTraits
from chalicelib.subscriptions import SUBSCRIPTIONS
from tests.accounts.conftest import Desk, profile
from tests.conftest import NOON
from tests.fakes.networks import Networks
from tests.fakes.stage import Stage
from tests.org.company import Company

DAY = timedelta(days=1)


@dataclass
class FakeReader:
    """A network that says of each handle when it last posted, or what is wrong; it counts the calls."""

    last: dict[str, datetime | None] = field(default_factory=dict)
    wrong: dict[str, AdapterError | str] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def profile(self, account: AccountRef) -> Profile:
        said = self.activity(account)
        return profile(account.handle, last_post_at=said.last_post_at, status=said.status)

    def activity(self, account: AccountRef) -> Activity:
        self.calls[account.handle] += 1
        wrong = self.wrong.get(account.handle, "active")
        if isinstance(wrong, AdapterError):
            raise wrong
        return Activity(self.last.get(account.handle), 7, wrong)


@dataclass
class Watch:
    """The rooms of dormancy over a desk of accounts."""

    desk: Desk
    network: FakeReader = field(default_factory=FakeReader)

    def __post_init__(self) -> None:
        stage, org, accounts = self.desk.stage, self.desk.company.org, self.desk.service
        kernel = stage.kernel
        self.reviews = Reviews(kernel, org, accounts)
        self.service = Dormancy(kernel, org, accounts, self.reviews)
        self.standards = Standards(kernel, org)
        self.reads = Reads(
            kernel, org, accounts, stage.secrets, stage.settings,
            self.reader, lambda name: ReadTraits(name, name, "", True, (Rate("reads", 9, DAY),)),
            self.reviews,
        )  # fmt: skip
        self.tellings = Tellings(
            kernel, org, accounts, self.reviews, stage.links, self.desk.postbox, stage.settings  # type: ignore[arg-type]
        )  # fmt: skip
        self.page = ReviewPage(kernel, org, accounts, self.reviews, stage.links, stage.settings)

    def reader(self, name: str) -> Reading | None:
        return self.network

    def account(self, handle: str, silent_for: int | None, **more: object) -> Account:
        """An account of ours that last posted so many days ago; None: it never did."""
        self.network.last[handle] = None if silent_for is None else self.now - silent_for * DAY
        return self.desk.listed(handle, **more)  # type: ignore[arg-type]

    @property
    def now(self) -> datetime:
        return self.desk.now

    def days(self, count: int = 1) -> None:
        """Let days pass: the job each morning, and then all that is due until the next."""
        for _ in range(count):
            self.reads.enqueue()
            for _ in range(2):
                self.desk.stage.clock.advance(hours=12)
                self.work()

    def work(self) -> list[str]:
        handlers: dict[str, Handler] = {
            "read_account": self.reads.read_account,
            "pass_review_up": self.reviews.pass_up,
            "ask_review": self.tellings.ask_review,
            "tell_retiring": self.tellings.tell_retiring,
            "tell_quiet": self.tellings.tell_quiet,
            "tell_unreadable": self.tellings.tell_unreadable,
            "forget_credentials": self.desk.service.forget_credentials,
            "confirm_account": lambda claim: None,
        }
        worker = Worker(self.desk.stage.kernel, Lane.CHORES, handlers)
        ended = []
        for _ in range(3):  # a read has chores, and those their own
            due = self.desk.stage.due(Lane.CHORES, self.now)
            ended += [worker.run(entry_id) for entry_id, _ in due]
        return ended

    def now_is(self, account: Account) -> Account:
        return self.desk.service.get(account.account_id)

    def review(self, account: Account) -> Review:
        return self.reviews.current(account.account_id)

    def token(self, person: Person) -> str:
        """That of the latest link they got."""
        mails = [m for m in self.desk.postbox.sent if m.to == person.email and "/d/" in m.text]
        (token,) = re.findall(r"https://signalbox\.test/d/([A-Za-z0-9_-]{43})", mails[-1].text)
        return str(token)

    def press(self, person: Person, **fields: str) -> Page:
        return self.page.send(self.token(person), urlencode(fields).encode(), "en")


@pytest.fixture
def watch(stage: Stage) -> Watch:
    silent = ("AccountConnected", "AccountUnderReview", "CredentialsRefused")
    stage.subscriptions = {**SUBSCRIPTIONS, **dict.fromkeys(silent, ())}
    assert stage.clock.now() == NOON
    return Watch(Desk(Company.create(stage), Networks(stage.clock)))


OFFICIAL, DORMANT, RETIRED = AccountClass.OFFICIAL, AccountClass.DORMANT, AccountClass.RETIRED
