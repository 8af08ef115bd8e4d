"""A profile that changed on its platform is read again, once for many changes, and the register follows."""

from datetime import timedelta

import pytest

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Worker
from chalicelib.platforms.errors import AuthExpired, RateLimited, Unavailable
from chalicelib.platforms.inbound import InboundKind
from chalicelib.platforms.port import AccountRef, Activity, Profile
from chalicelib.webhooks.profiles import READ_AFTER, Profiles
from tests.webhooks.conftest import PAGE, Porch
from tests.webhooks.test_ingest import event, told


class FakeReading:
    """A platform that says what it is told to say."""

    def __init__(self) -> None:
        self.says: Profile | Exception = Profile(
            PAGE, "zorza", "Zorza Lampy", "https://facebook.test/zorza", 7, None, "active"
        )
        self.reads: list[str] = []

    def profile(self, account: AccountRef) -> Profile:
        self.reads.append(account.account_id)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def activity(self, account: AccountRef) -> Activity:
        raise AssertionError("nobody asked for that")


@pytest.fixture
def network() -> FakeReading:
    return FakeReading()


@pytest.fixture
def worker(porch: Porch, network: FakeReading) -> Worker:
    services = porch.box.services
    profiles = Profiles(services.kernel, services.accounts, lambda name: network)
    return Worker(services.kernel, Lane.CHORES, {"read_profile": profiles.read})


@pytest.fixture
def account(porch: Porch) -> Account:
    return porch.account()


def changed(porch: Porch, key: str, field: str = "name") -> None:
    assert told(porch, event(porch, InboundKind.PROFILE_CHANGED, key, details={"field": field})) == ["done"]


def run(porch: Porch, worker: Worker, account: Account) -> str:
    porch.stage.clock.advance(seconds=READ_AFTER.total_seconds())
    return str(worker.run(f"read_profile#{account.account_id}"))


def test_a_changed_profile_is_read_once_for_many_changes_and_is_in_the_register(
    porch: Porch, network: FakeReading, worker: Worker, account: Account
) -> None:
    for field in ("name", "picture", "phone"):
        changed(porch, field, field)
    assert network.reads == []
    assert run(porch, worker, account) == "done"
    assert network.reads == [account.account_id]
    after = porch.box.services.accounts.get(account.account_id)
    assert (after.display_name, after.followers) == ("Zorza Lampy", 7)
    rows = [r.what for r in porch.stage.history.of(f"account#{account.account_id}")]
    assert rows.count("changed on the platform") == 3


def test_a_lease_of_a_subscription_is_no_change_of_the_profile(porch: Porch, account: Account) -> None:
    said = {"field": "subscription", "state": "live", "topic": "t"}
    assert told(porch, event(porch, InboundKind.PROFILE_CHANGED, details=said)) == ["done"]
    due = porch.stage.clock.now() + timedelta(days=2)
    entries = [e for e, _ in porch.box.services.kernel.timetable.due(Lane.CHORES, due)]
    assert not [e for e in entries if e.startswith("read_profile#")]


def test_an_account_that_may_not_be_read_is_marked_unreadable_and_is_not_stopped(
    porch: Porch, network: FakeReading, worker: Worker, account: Account
) -> None:
    network.says = AuthExpired("It lacks a permission.")
    changed(porch, "k1")
    assert run(porch, worker, account) == "done"
    after = porch.box.services.accounts.get(account.account_id)
    assert (after.status, after.unreadable_why) == (AccountStatus.ACTIVE, "It lacks a permission.")


@pytest.mark.parametrize("outcome", ["later", "failed"])
def test_a_platform_that_is_busy_is_asked_again(
    porch: Porch, network: FakeReading, worker: Worker, account: Account, outcome: str
) -> None:
    said = network.says
    until = porch.stage.clock.now() + timedelta(minutes=30)
    network.says = RateLimited(until) if outcome == "later" else Unavailable("it is down")
    changed(porch, "k1")
    assert run(porch, worker, account) == outcome
    network.says = said
    porch.stage.clock.advance(hours=1)
    assert run(porch, worker, account) == "done"
    assert porch.box.services.accounts.get(account.account_id).display_name == "Zorza Lampy"
