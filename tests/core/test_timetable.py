"""What one claim, one release and one requeue do; all of it at once is in test_timetable_stateful.py."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.core.database import ConditionFailed
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.history import BY_JOB
from chalicelib.core.timetable import MAX_FAILURES, Claim, Entry, Lane, NotClaimed, Timetable, back_off
from tests.fakes.aws_faults import AwsFaults, Fault
from tests.fakes.stage import Stage

LEASE = timedelta(seconds=120)


def add(stage: Stage, entry_id: str = "publish#1", lane: Lane = Lane.PUBLISH, due_in: float = 0) -> Entry:
    entry = Entry(entry_id, lane, "publish", "1", stage.clock.now() + timedelta(seconds=due_in))
    stage.database.transact([stage.kernel.timetable.add(entry)])
    return entry


def claim(stage: Stage, entry_id: str = "publish#1") -> Claim:
    made = Timetable(stage.database).claim(entry_id, stage.clock.now(), LEASE)
    assert isinstance(made, Claim)
    return made


def due_ids(stage: Stage, lane: Lane = Lane.PUBLISH) -> list[str]:
    return [entry_id for entry_id, _ in stage.kernel.timetable.due(lane, stage.clock.now())]


def test_the_second_of_two_claims_is_told_that_it_is_taken(stage: Stage) -> None:
    add(stage)
    claim(stage)

    taken = stage.kernel.timetable.claim("publish#1", stage.clock.now(), LEASE)
    assert taken == NotClaimed("taken", stage.clock.now() + LEASE)


def test_a_claim_before_its_time_is_told_when(stage: Stage) -> None:
    entry = add(stage, due_in=30)

    assert stage.kernel.timetable.claim("publish#1", stage.clock.now(), LEASE) == NotClaimed(
        "early", entry.due_at
    )


def test_what_is_done_cancelled_parked_or_was_never_there_is_gone(stage: Stage) -> None:
    timetable, now = stage.kernel.timetable, stage.clock.now()
    for entry_id in ("done", "cancelled", "parked"):
        add(stage, entry_id)
    stage.database.transact([timetable.finish(claim(stage, "done"), now)])
    stage.database.transact([timetable.cancel("cancelled", now)])
    timetable.park(claim(stage, "parked"), "x", now)

    for entry_id in ("done", "cancelled", "parked", "never"):
        assert timetable.claim(entry_id, now, LEASE) == NotClaimed("gone")
    assert due_ids(stage) == []


def test_a_dead_workers_entry_is_due_again_when_its_lease_ends(stage: Stage) -> None:
    add(stage)
    dead = claim(stage)
    stage.clock.advance(seconds=119)
    assert due_ids(stage) == []
    stage.clock.advance(seconds=1)

    assert due_ids(stage) == ["publish#1"]
    second = claim(stage)
    assert (second.entry.fence, second.entry.crashes) == (2, 1)
    too_late: tuple[Callable[[], object], ...] = (
        lambda: stage.kernel.timetable.release(dead, stage.clock.now()),
        lambda: stage.kernel.timetable.retry(dead, "x", stage.clock.now()),
        lambda: stage.kernel.timetable.park(dead, "x", stage.clock.now()),
    )
    for late in too_late:
        with pytest.raises(ConditionFailed):
            late()
    change = stage.kernel.change(BY_JOB)
    change.add(stage.kernel.timetable.finish(dead, change.now))
    change.record("x", "finished")
    with pytest.raises(Conflict, match="lost to another worker"):
        stage.kernel.commit(change)


def test_a_claim_whose_answer_was_lost_is_known_as_ones_own(shaky: Stage, faults: AwsFaults) -> None:
    add(shaky)
    with faults.plan({1: Fault.LOST_ANSWER}):
        made = claim(shaky)

        assert faults.calls == ["UpdateItem", "UpdateItem"]
    assert made.entry.fence == 1
    assert made.lease_until == shaky.clock.now() + LEASE


def test_a_claim_lost_to_a_rival_between_two_tries_is_taken(shaky: Stage, faults: AwsFaults) -> None:
    add(shaky)
    with faults.plan({1: Fault.LOST_REQUEST}, {2: lambda: claim(shaky)}):
        lost = shaky.kernel.timetable.claim("publish#1", shaky.clock.now(), LEASE)
        assert isinstance(lost, NotClaimed)
        assert lost.why == "taken"


@pytest.mark.parametrize("how", ["release", "retry", "park"])
def test_giving_back_is_recognised_when_its_answer_was_lost(
    shaky: Stage, faults: AwsFaults, how: str
) -> None:
    add(shaky)
    timetable, now = shaky.kernel.timetable, shaky.clock.now()
    mine = claim(shaky)
    with faults.plan({1: Fault.LOST_ANSWER}):
        if how == "release":
            timetable.release(mine, now)
        elif how == "retry":
            assert timetable.retry(mine, "x", now) is not None
        else:
            timetable.park(mine, "x", now)
    assert timetable.get("publish#1").owner is None
    assert [e.entry_id for e in timetable.parked()] == (["publish#1"] if how == "park" else [])


def test_giving_back_is_refused_when_it_was_cancelled_meanwhile(shaky: Stage) -> None:
    add(shaky)
    mine = claim(shaky)
    shaky.database.transact([shaky.kernel.timetable.cancel("publish#1", shaky.clock.now())])

    with pytest.raises(ConditionFailed):
        shaky.kernel.timetable.retry(mine, "x", shaky.clock.now())
    assert due_ids(shaky) == []


def test_an_entry_added_anew_under_a_worker_takes_the_claim_away(stage: Stage) -> None:
    add(stage)
    old = claim(stage)
    add(stage)

    with pytest.raises(ConditionFailed):
        stage.kernel.timetable.release(old, stage.clock.now())
    assert due_ids(stage) == ["publish#1"]


def test_too_many_failures_park_the_entry_and_a_requeue_gives_it_a_clean_slate(stage: Stage) -> None:
    add(stage)
    timetable = stage.kernel.timetable
    for n in range(1, MAX_FAILURES + 1):
        due_at = timetable.retry(claim(stage), f"failure {n}", stage.clock.now())
        assert (due_at is None) == (n == MAX_FAILURES)
        stage.clock.set(due_at or stage.clock.now())
    (parked,) = timetable.parked()
    assert (parked.last_error, parked.failures, timetable.count_parked()) == (f"failure {MAX_FAILURES}", 8, 1)

    stage.database.transact([timetable.requeue("publish#1", stage.clock.now())])

    entry = claim(stage).entry
    assert (entry.failures, entry.crashes, entry.parked_at, entry.last_error) == (0, 0, None, "failure 8")
    assert entry.fence == MAX_FAILURES + 1, "the fence grows for ever"


def test_only_what_is_parked_is_requeued(stage: Stage) -> None:
    add(stage)
    change = stage.kernel.change(BY_JOB)
    change.add(stage.kernel.timetable.requeue("publish#1", change.now))
    change.record("x", "requeued")

    with pytest.raises(Conflict, match="publish#1 is not parked"):
        stage.kernel.commit(change)
    with pytest.raises(NotFound, match="there is no entry nothing"):
        stage.kernel.timetable.requeue("nothing", stage.clock.now())


def test_cancelling_what_was_never_scheduled_leaves_nothing_to_run(stage: Stage) -> None:
    stage.database.transact([stage.kernel.timetable.cancel("never", stage.clock.now())])

    assert due_ids(stage) == []
    with pytest.raises(NotFound):
        stage.kernel.timetable.get("never")


def test_what_is_read_as_due_is_only_what_is_due(stage: Stage) -> None:
    for n in range(30):
        add(stage, f"e{n}", Lane.PUBLISH if n % 2 else Lane.CHORES, due_in=n - 10)

    assert sorted(due_ids(stage)) == sorted(f"e{n}" for n in range(11) if n % 2)
    assert sorted(due_ids(stage, Lane.CHORES)) == sorted(f"e{n}" for n in range(11) if not n % 2)


def test_back_off_doubles_to_an_hour_and_has_jitter() -> None:
    seconds = [[back_off(n).total_seconds() for _ in range(50)] for n in range(1, 12)]

    for n, found in enumerate(seconds):
        longest = min(3600, 10 * 2**n)
        assert longest / 2 <= min(found) < max(found) <= longest


def test_a_lease_that_has_ended_begins_nothing(stage: Stage) -> None:
    """Though nobody else has claimed it: Lambda may be about to give it away."""
    add(stage)
    mine = claim(stage)
    for passed, is_mine in ((119, True), (1, False)):
        stage.clock.advance(seconds=passed)
        change = stage.kernel.change(BY_JOB)
        change.add(stage.kernel.timetable.still_mine(mine, change.now))
        change.record("post#1", "begun")
        if is_mine:
            stage.kernel.commit(change)
        else:
            with pytest.raises(Conflict, match="lost to another worker"):
                stage.kernel.commit(change)


def test_an_entry_may_be_claimed_shortly_before_its_time_and_says_when_it_starts(stage: Stage) -> None:
    entry = add(stage, due_in=1)
    timetable, ahead_for = stage.kernel.timetable, timedelta(seconds=1.5)

    made = timetable.claim("publish#1", stage.clock.now(), LEASE, ahead_for)
    assert isinstance(made, Claim)
    assert made.entry.starts_at == entry.due_at


def test_a_claim_ahead_of_time_takes_nothing_from_a_worker_whose_lease_still_counts(stage: Stage) -> None:
    add(stage)
    held = claim(stage)
    stage.clock.advance(seconds=119)
    timetable, ahead_for = stage.kernel.timetable, timedelta(seconds=1.5)

    refused = timetable.claim("publish#1", stage.clock.now(), LEASE, ahead_for)
    assert refused == NotClaimed("taken", held.lease_until)
    stage.clock.advance(seconds=1)
    assert isinstance(timetable.claim("publish#1", stage.clock.now(), LEASE, ahead_for), Claim)
