"""The daily look: who is read how often, and what follows."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import AccountClass
from chalicelib.core.history import BY_JOB
from chalicelib.dormancy.model import Pause, Sign, Stage, Standard, Threshold
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected, Unavailable
from tests.dormancy.conftest import DAY, DORMANT, OFFICIAL, Watch


def test_each_account_is_read_once_a_day_by_one_call(watch: Watch) -> None:
    handles = [f"konto{n}" for n in range(12)]
    for handle in handles:
        watch.account(handle, 3)
    watch.days(3)
    # The first look reads the whole profile, as nothing is known yet.
    assert set(watch.network.calls) == set(handles)
    assert set(watch.network.calls.values()) == {3}


def test_reads_are_spread_over_the_day(watch: Watch) -> None:
    for n in range(40):
        watch.account(f"konto{n}", 3)
    assert watch.reads.enqueue() == {"enqueued": 40}
    loads = []
    for _ in range(12):
        before = watch.network.calls.total()
        watch.desk.stage.clock.advance(hours=2)
        watch.work()
        loads.append(watch.network.calls.total() - before)
    # Each account has its own moment of the day, by its id, which is random: chance stays within these.
    assert sum(loads) == 40
    assert max(loads) <= 20
    assert sum(load > 0 for load in loads) >= 5


def test_the_job_run_twice_reads_nothing_twice(watch: Watch) -> None:
    watch.account("konto", 3)
    assert watch.reads.enqueue() == {"enqueued": 1}
    assert watch.reads.enqueue() == {"enqueued": 0}
    watch.days()
    assert watch.network.calls["konto"] == 1


def test_what_is_not_ours_or_is_retired_is_not_read(watch: Watch) -> None:
    watch.account("kandydat", 400, account_class=AccountClass.CANDIDATE)
    watch.account("emeryt", 400, account_class=AccountClass.RETIRED)
    watch.days(2)
    assert not watch.network.calls


def test_a_dormant_account_opens_one_review_and_asks_its_owner(watch: Watch) -> None:
    account = watch.account("cisza", 120)
    watch.days(5)
    assert watch.now_is(account).account_class == DORMANT
    assert watch.review(account).stage == Stage.OWNER
    assert watch.desk.postbox.subjects(watch.desk.owner) == ["Dormant: cisza on Mastodon"]
    assert "It has been silent for 12" in watch.desk.postbox.sent[-1].text


def test_a_dormant_account_that_posts_is_official_again_and_its_review_ends(watch: Watch) -> None:
    account = watch.account("cisza", 120)
    watch.days(2)
    watch.network.last["cisza"] = watch.now
    watch.days(1)
    assert watch.now_is(account).account_class == OFFICIAL
    assert watch.review(account).stage == Stage.CLOSED
    watch.days(10)
    assert len(watch.desk.postbox.subjects(watch.desk.owner)) == 1
    assert not watch.desk.postbox.subjects(watch.desk.manager)


def test_an_owner_hears_once_that_an_account_became_quiet(watch: Watch) -> None:
    watch.account("cicho", 28)
    watch.days(6)
    assert watch.desk.postbox.subjects(watch.desk.owner) == ["Quiet: cicho on Mastodon"]


@pytest.mark.parametrize(
    "wrong",
    [
        AuthExpired("Mastodon no longer takes the token."),
        Rejected("There is no such profile."),
        Unavailable("Mastodon is down."),
    ],
)
def test_an_account_that_cannot_be_read_is_unreadable_and_not_dormant(
    watch: Watch, wrong: AdapterError
) -> None:
    account = watch.account("zagadka", 400)
    watch.network.wrong["zagadka"] = wrong
    watch.days(3)
    now = watch.now_is(account)
    assert now.account_class == OFFICIAL
    assert now.unreadable_since is not None
    assert now.unreadable_why == wrong.message
    found, _ = watch.service.silent(watch.desk.admin, Sign.UNREADABLE, 10)
    assert [one.account_id for one in found] == [account.account_id]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (Rejected("This server shows profiles only to people who have an account there."), "active"),
        (AuthExpired("The server no longer takes the token."), "credentials_refused"),
    ],
)
def test_only_credentials_that_are_refused_are_marked_as_refused(
    watch: Watch, wrong: AdapterError, status: str
) -> None:
    account = watch.desk.add("zorza")
    watch.network.wrong["zorza"] = wrong
    watch.days()
    assert (watch.now_is(account).status, watch.now_is(account).unreadable_why) == (status, wrong.message)


def test_an_unreadable_account_is_told_of_after_days_and_tried_again(watch: Watch) -> None:
    account = watch.account("zagadka", 2)
    watch.network.wrong["zagadka"] = Rejected("There is no such profile.")
    watch.days(2)
    assert not watch.desk.postbox.sent
    watch.days(6)
    assert watch.desk.postbox.subjects(watch.desk.owner) == ["Not readable: zagadka on Mastodon"]
    assert "There is no such profile." in watch.desk.postbox.sent[-1].text
    del watch.network.wrong["zagadka"]
    watch.days(1)
    assert watch.now_is(account).unreadable_since is None
    assert watch.service.silent(watch.desk.admin, Sign.UNREADABLE, 10)[0] == []


def test_a_suspended_account_is_said_to_be_and_not_called_dormant(watch: Watch) -> None:
    account = watch.account("zawieszone", 400)
    watch.network.wrong["zawieszone"] = "suspended"
    watch.days(1)
    assert watch.now_is(account).account_class == OFFICIAL
    assert watch.now_is(account).unreadable_why == "its network says that it is suspended"


def test_a_network_that_asks_to_wait_is_asked_at_its_time_and_not_before(watch: Watch) -> None:
    account = watch.account("tlok", 3)
    watch.network.wrong["tlok"] = RateLimited(watch.now + DAY - timedelta(minutes=30))
    watch.reads.enqueue()
    for _ in range(23):
        watch.desk.stage.clock.advance(hours=1)
        watch.work()
    assert watch.network.calls["tlok"] == 1
    assert watch.now_is(account).unreadable_since is None
    del watch.network.wrong["tlok"]
    watch.desk.stage.clock.advance(minutes=31)
    watch.work()
    assert watch.network.calls["tlok"] == 2


def test_a_planned_pause_and_a_units_own_standard_are_respected(watch: Watch) -> None:
    paused, slow = watch.account("przerwa", 120), watch.account("powoli", 120)
    other = watch.account("zwykle", 120, unit_id=watch.desk.company.tehran.unit_id)
    today = watch.now.date()
    pause = Pause(today - 100 * DAY, today + 30 * DAY, "remont")
    watch.reviews.pause(watch.desk.admin, paused.account_id, (pause,), 0)
    standard = Standard(Threshold(200, 300))
    watch.standards.set(watch.desk.admin, watch.desk.company.warsaw.unit_id, standard)
    watch.days(1)
    assert [watch.now_is(a).account_class for a in (paused, slow, other)] == [OFFICIAL, OFFICIAL, DORMANT]


def test_reads_of_tables_go_with_the_accounts_and_not_with_what_happened(watch: Watch) -> None:
    accounts = [watch.account(f"konto{n}", 3) for n in range(5)]
    watch.days(2)
    asked, read = Counter[str](), list[str]()

    def count(model: Any, params: dict[str, Any], **_: Any) -> None:
        asked[model.name] += 1
        read.extend(
            [str(params["body"])] if model.name in ("Query", "Scan", "GetItem", "BatchGetItem") else []
        )

    def day() -> Counter[str]:
        asked.clear()
        watch.days(1)
        return asked.copy()

    stage = watch.desk.stage
    stage.dynamodb.meta.events.register("before-call.dynamodb", count)
    first = day()
    for account in accounts:
        change = stage.kernel.change(BY_JOB)
        for n in range(50):
            change.record(f"account#{account.account_id}", "looked at", n=n)
        stage.kernel.commit(change)
    assert day() == first
    stage.dynamodb.meta.events.unregister("before-call.dynamodb", count)
    entries = stage.dynamodb.scan(TableName=stage.settings.table("dormancy"))["Items"]
    assert entries == []  # an account in use leaves no row here
    assert read
    assert not [body for body in read if stage.settings.table("history") in body]
