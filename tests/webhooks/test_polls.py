"""Polls: each account in its own second, nothing skipped by a crash, platforms' wishes respected."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account, AccountClass, AccountStatus
from chalicelib.core.errors import Busy
from chalicelib.core.timetable import Lane
from chalicelib.platforms.errors import AuthExpired, RateLimited, Unavailable
from chalicelib.platforms.inbound import Polled
from chalicelib.platforms.port import AccountRef
from chalicelib.webhooks.envelope import unwrap
from chalicelib.webhooks.rounds import next_at
from tests.webhooks.conftest import Porch


class FakePolling:
    """A platform with numbered events, two to a page; the cursor is the last number that was given."""

    def __init__(self) -> None:
        self.events = 0
        self.calls: list[str] = []
        self.error: Exception | None = None

    def poll(self, account: AccountRef, cursor: str) -> Polled:
        self.calls.append(cursor)
        if self.error is not None:
            raise self.error
        if not cursor:
            return Polled((), str(self.events))
        first = int(cursor)
        last = min(first + 2, self.events)
        pieces = tuple({"n": n} for n in range(first + 1, last + 1))
        return Polled(pieces, str(last), last < self.events)


@pytest.fixture
def network(porch: Porch) -> FakePolling:
    fake = FakePolling()
    porch.box.services.polls._polling = lambda name: fake
    return fake


@pytest.fixture
def account(porch: Porch) -> Account:
    made = porch.box.account("zorza")
    porch.box.run_due(Lane.CHORES)
    return made


def turn(porch: Porch, account: Account) -> str:
    """Move on to the account's next poll and run it."""
    entry = porch.box.services.kernel.timetable.get(f"poll#{account.account_id}")
    porch.stage.clock.set(max(entry.due_at, porch.stage.clock.now()))
    return str(porch.box.services.chores_worker.run(entry.entry_id))


def numbers(porch: Porch) -> list[int]:
    return [unwrap(body).piece["n"] for body in porch.queued()]


def test_a_connected_account_of_a_polled_platform_is_polled_from_now_on(
    porch: Porch, network: FakePolling, account: Account
) -> None:
    network.events = 40
    assert turn(porch, account) == "later"
    assert numbers(porch) == [], "no history"
    network.events = 43
    assert turn(porch, account) == "later"
    bodies = porch.queued()
    assert [unwrap(b).piece["n"] for b in bodies] == [41, 42, 43], "page after page at once"
    assert {(unwrap(b).form, unwrap(b).app) for b in bodies} == {("poll", account.account_id)}
    assert network.calls == ["", "40", "42"]


def test_a_stage_may_have_its_accounts_polled_more_often_than_their_network_allows(
    porch: Porch, network: FakePolling
) -> None:
    services = porch.box.services
    services.settings = replace(services.settings, poll_every=timedelta(seconds=15))
    account = porch.box.account("zorza")
    porch.box.run_due(Lane.CHORES)
    turns = []
    for _ in range(3):
        turn(porch, account)
        turns.append(porch.stage.clock.now())
    assert turns[2] - turns[1] == turns[1] - turns[0] == timedelta(seconds=15)
    assert services.polled_every("facebook") is None


def test_a_crash_between_the_queue_and_the_cursor_repeats_and_never_skips(
    porch: Porch, network: FakePolling, account: Account
) -> None:
    turn(porch, account)
    database: Any = porch.box.services.kernel.database
    real, dying = database.put, [True, False, False]

    def put(*args: Any, **kwargs: Any) -> None:
        if dying.pop(0):
            raise RuntimeError("the worker is gone")
        real(*args, **kwargs)

    network.events = 3
    database.put = put
    assert turn(porch, account) == "failed"
    assert turn(porch, account) == "done", "written anew, with a clean slate"
    assert numbers(porch) == [1, 2, 1, 2, 3]
    assert porch.box.services.kernel.timetable.get(f"poll#{account.account_id}").failures == 0


def test_a_queue_that_refuses_keeps_the_cursor_where_it_was(
    porch: Porch, network: FakePolling, account: Account
) -> None:
    turn(porch, account)
    network.events = 1
    queues: Any = porch.box.services.kernel.queues
    real = queues.send

    def refuse(queue: str, bodies: Any) -> int:
        raise Busy("not now")

    queues.send = refuse
    assert turn(porch, account) == "failed"
    queues.send = real
    turn(porch, account)
    assert numbers(porch) == [1]


def test_a_platform_that_asks_for_quiet_gets_it(porch: Porch, network: FakePolling, account: Account) -> None:
    until = porch.stage.clock.now() + timedelta(minutes=30)
    network.error = RateLimited(until)
    assert turn(porch, account) == "later"
    assert porch.box.services.accounts.get(account.account_id).quiet_until == until
    assert porch.box.services.kernel.timetable.get(f"poll#{account.account_id}").due_at == until


def test_refused_credentials_end_the_polls_and_new_ones_begin_them_again(
    porch: Porch, network: FakePolling, account: Account
) -> None:
    network.error = AuthExpired("revoked")
    assert turn(porch, account) == "done"
    accounts = porch.box.services.accounts
    assert accounts.get(account.account_id).status == AccountStatus.CREDENTIALS_REFUSED
    network.error = None
    accounts.replace_credentials(porch.box.lead, account.account_id, {"access_token": "token-zorza"})
    porch.box.run_due(Lane.CHORES)
    assert turn(porch, account) == "later"


def test_an_account_that_we_do_not_stand_by_is_not_polled_until_we_do(
    porch: Porch, network: FakePolling, account: Account
) -> None:
    other = porch.box.account("inna")
    porch.box.run_due(Lane.CHORES)
    amend(porch, account, account_class=AccountClass.DUPLICATE, same_as=other.account_id)
    network.calls.clear()
    assert turn(porch, account) == "done"
    assert network.calls == []
    assert porch.box.services.rounds.ensure() == {"put_back": 0}
    amend(porch, account, account_class=AccountClass.OFFICIAL)
    porch.box.run_due(Lane.CHORES)
    assert turn(porch, account) == "later"
    assert network.calls != []


def amend(porch: Porch, account: Account, **changes: Any) -> None:
    services = porch.box.services
    change = services.kernel.change(porch.box.lead.by)
    services.accounts.amend(change, services.accounts.get(account.account_id), **changes)
    services.kernel.commit(change)


def test_a_platform_that_is_away_is_asked_again_for_as_long_as_it_takes(
    porch: Porch, network: FakePolling, account: Account
) -> None:
    network.error = Unavailable("it is down")
    for _ in range(30):
        assert turn(porch, account) == "later"
    network.error = None
    assert turn(porch, account) == "later"
    assert porch.box.services.kernel.timetable.get(f"poll#{account.account_id}").args == {}


def test_a_worker_that_was_thought_dead_does_not_set_the_cursor_back(
    porch: Porch, network: FakePolling, account: Account
) -> None:
    turn(porch, account)
    fake: Any = network
    network.events, polls = 2, porch.box.services.polls
    real: Callable[..., Polled] = network.poll

    def slow(ref: AccountRef, cursor: str) -> Polled:
        fake.poll = real
        polls._fetch(network, account, porch.stage.clock.now())  # another worker, meanwhile
        network.events = 2
        return Polled(({"n": 1},), "1", True)

    fake.poll = slow
    turn(porch, account)
    (row,) = porch.rows("inbound", "cursor#")
    assert row["cursor"] == "2"


def test_accounts_are_spread_over_the_interval_and_each_keeps_its_second(porch: Porch) -> None:
    now, every = porch.stage.clock.now(), timedelta(minutes=1)
    seconds = [next_at(f"account_{n}", every, now).second for n in range(600)]
    assert max(seconds.count(s) for s in range(60)) < 30
    for n in range(50):
        at = next_at(f"account_{n}", every, now)
        assert now < at <= now + every
        assert next_at(f"account_{n}", every, at) == at + every
        assert next_at(f"account_{n}", every, at - timedelta(milliseconds=1)) == at


def test_the_daily_job_puts_back_what_fell_off_the_timetable(porch: Porch, account: Account) -> None:
    kernel, rounds = porch.box.services.kernel, porch.box.services.rounds
    retired = porch.box.account("dawna")
    porch.box.services.accounts.change(porch.box.lead, retired.account_id, {"status": AccountStatus.RETIRED})
    heard_only = porch.account("linkedin", "urn:li:organization:7")
    assert rounds.ensure() == {"put_back": 1}, "the LinkedIn account's check; its chore has not run"
    kernel.database.transact([kernel.timetable.cancel(f"poll#{account.account_id}", kernel.clock.now())])
    assert rounds.ensure() == {"put_back": 1}
    assert rounds.ensure() == {"put_back": 0}
    due = {e for e, _ in kernel.timetable.due(Lane.CHORES, porch.stage.clock.now() + timedelta(days=2))}
    assert {f"poll#{account.account_id}", f"watch#{heard_only.account_id}"} <= due
    assert not any(retired.account_id in e for e in due if e.startswith(("poll#", "watch#")))
