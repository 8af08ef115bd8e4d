"""A company whose accounts publish and are heard, week after week."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.accounts.service import Accounts
from chalicelib.accounts.store import TABLE, account_item
from chalicelib.analytics.audience import Assessment
from chalicelib.analytics.service import Audience
from chalicelib.analytics.store import Store
from chalicelib.analytics.weeks import Weeks, week_of
from chalicelib.core.history import BY_JOB
from chalicelib.core.ids import new_id
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Worker
from chalicelib.inbox.numbers import Numbers
from chalicelib.inbox.settings import InboxSettings
from chalicelib.org.model import Unit
from chalicelib.publishing.model import Variant, VariantState
from chalicelib.publishing.store import PostStore
from chalicelib.publishing.variants import Variants
from tests.fakes.stage import Stage
from tests.org.company import Company

WEEK = timedelta(days=7)


@dataclass
class Office:
    """The rooms of analytics over a company, and what happens on its accounts."""

    company: Company
    accounts: Accounts = field(init=False)
    numbers: Numbers = field(init=False)
    posts: PostStore = field(init=False)
    weeks: Weeks = field(init=False)
    audience: Audience = field(init=False)

    def __post_init__(self) -> None:
        stage, org = self.stage, self.company.org

        def no_adapter(name: str) -> Any:
            raise AssertionError("nobody is called to look at numbers")

        self.accounts = Accounts(stage.kernel, org, stage.secrets, no_adapter, stage.settings)
        self.numbers = Numbers(stage.database, InboxSettings(stage.kernel, org, lambda: self.accounts))
        self.posts = PostStore(stage.database)
        self.weeks = Weeks(stage.kernel, self.accounts, self.numbers, Variants(stage.kernel, self.posts))
        self.audience = Audience(stage.kernel, org, self.accounts)

    @property
    def stage(self) -> Stage:
        return self.company.stage

    @property
    def now(self) -> datetime:
        return self.stage.clock.now()

    def account(self, handle: str, unit: Unit | None = None, **more: Any) -> Account:
        """A connected account of ours, with 1,000 followers."""
        fields: dict[str, Any] = {
            "account_id": new_id("account", self.now),
            "platform": "mastodon",
            "server": "https://social.example",
            "handle": handle,
            "display_name": handle,
            "external_id": f"id-{handle}",
            "url": f"https://social.example/@{handle}",
            "followers": 1000,
            "api_version": None,
            "unit_id": (unit or self.company.warsaw).unit_id,
            "owner_id": self.company.lead.person_id,
            "backup_id": None,
            "purpose": "",
            "audience": "",
            "credentials_path": "",
            "credentials_at": self.now,
            "created_at": self.now,
            "status": AccountStatus.ACTIVE,
            **more,
        }
        return self.save(Account(**fields))

    def save(self, account: Account) -> Account:
        change = self.stage.kernel.change(BY_JOB)
        change.put(TABLE, account_item(account))
        change.record(f"account#{account.account_id}", "saved")
        self.stage.kernel.commit(change)
        return account

    def publish(self, account: Account, post_id: str, at: datetime | None = None) -> None:
        """Let a variant that went out now, or at that time, be known as published, and its chore run."""
        variant = Variant(
            post_id, account.account_id, account.platform, account.unit_id, "r", VariantState.PUBLISHED,
            self.now, self.now, published_at=at or self.now,
        )  # fmt: skip
        change = self.stage.kernel.change(BY_JOB)
        self.posts.save_variant(change, variant, None)
        change.chore("count_published", variant.variant_id)
        change.record(f"post#{post_id}", "published")
        self.stage.kernel.commit(change)
        assert self.work() == ["done"]

    def work(self) -> list[str]:
        worker = Worker(self.stage.kernel, Lane.CHORES, {"count_published": self.weeks.count_published})
        due = self.stage.due(Lane.CHORES, self.now)
        return [worker.run(entry_id) for entry_id, _ in due]

    def hear(self, account: Account, **counts: int) -> None:
        """Let people write, react or share now."""
        change = self.stage.kernel.change(BY_JOB)
        self.numbers.count(change, account.unit_id, account.account_id, self.now, None, **counts)
        change.record(f"account#{account.account_id}", "heard")
        self.stage.kernel.commit(change)

    def pass_week(self) -> dict[str, int]:
        """To the same hour a week later, when the job runs."""
        self.stage.clock.advance(days=7)
        return self.weeks.sample()

    def live(self, weeks: int, **volume: tuple[Account, int]) -> None:
        """So many weeks in which each account posts once and hears so many messages."""
        store = Store(self.stage.database)
        for week in range(weeks):
            change = self.stage.kernel.change(BY_JOB)
            for account, messages in volume.values():
                store.add_post(account.account_id, week_of(self.now.date()), f"post_{week}")
                heard = {"volume": messages, "reactions": messages}
                self.numbers.count(change, account.unit_id, account.account_id, self.now, None, **heard)
            change.record("company", "heard")
            if change.writes:
                self.stage.kernel.commit(change)
            self.pass_week()

    def ranking(self, unit_id: str | None = None, platform: str | None = None) -> list[Assessment]:
        return self.audience.ranking(self.company.operator, unit_id, platform, 8)


@pytest.fixture
def office(stage: Stage) -> Office:
    stage.subscriptions = {}
    return Office(Company.create(stage))
