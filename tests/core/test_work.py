"""One worker and one entry: waiting out the second, giving back, failing, parking."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from chalicelib.core.clock import FixedClock
from chalicelib.core.errors import Busy, Conflict, SignalboxError
from chalicelib.core.kernel import Kernel
from chalicelib.core.queues import Queues
from chalicelib.core.timetable import MAX_FAILURES, Claim, Entry, Lane
from chalicelib.core.work import LEASE_FOR, Handler, Later, Worker
from tests.fakes.aws_faults import AwsFaults, Died, Fault
from tests.fakes.stage import Stage


class Sent:
    """An SQS client that writes down what it was given."""

    def __init__(self) -> None:
        self.wakes: list[tuple[str, int]] = []

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803 - botocore's names
        return {"QueueUrl": QueueName}

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.wakes += [(e["MessageBody"], e["DelaySeconds"]) for e in Entries]
        return {"Successful": Entries}


def worker(stage: Stage, sent: Any, handler: Handler, kind: str = "publish") -> Worker:
    kernel = Kernel(stage.database, Queues(sent, stage.settings), stage.clock, {})
    return Worker(kernel, Lane.PUBLISH, {kind: handler})


def add(stage: Stage, due_in: float = 0) -> None:
    entry = Entry("e", Lane.PUBLISH, "publish", "ref", stage.clock.now() + timedelta(seconds=due_in))
    stage.database.transact([stage.kernel.timetable.add(entry)])


@pytest.fixture
def sent() -> Sent:
    return Sent()


def test_an_entry_is_worked_on_and_finished(stage: Stage, sent: Sent) -> None:
    seen: list[Claim] = []
    add(stage)

    assert worker(stage, sent, seen.append).run("e") == "done"

    assert [c.entry.ref for c in seen] == ["ref"]
    assert stage.kernel.timetable.get("e").done_at == stage.clock.now()
    assert worker(stage, sent, seen.append).run("e") == "gone"
    assert len(seen) == 1


def test_the_rest_of_the_second_is_waited_out(stage: Stage, sent: Sent) -> None:
    started = []
    due_at = stage.clock.now() + timedelta(seconds=0.8)
    add(stage, due_in=0.8)

    assert worker(stage, sent, lambda claim: started.append(stage.clock.now())).run("e") == "done"

    assert started == [due_at]


def test_a_clock_that_is_set_back_during_the_wait_does_not_lose_the_wake_up(stage: Stage, sent: Sent) -> None:
    class Corrected(FixedClock):
        """Loses a second the first time anybody sleeps: an answer of AWS corrected it."""

        is_corrected = False

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if not self.is_corrected:
                self.is_corrected = True
                self.advance(seconds=-1)

    add(stage, due_in=0.5)
    clock = Corrected(stage.clock.now())
    kernel = Kernel(stage.database, Queues(sent, stage.settings), clock, {})

    assert Worker(kernel, Lane.PUBLISH, {"publish": lambda claim: None}).run("e") == "done"


def test_a_wake_up_that_is_far_too_early_is_sent_again_only_if_no_tick_will_come_first(
    stage: Stage, sent: Sent
) -> None:
    add(stage, due_in=40.7)
    assert worker(stage, sent, lambda claim: None).run("e") == "early"
    assert sent.wakes == [('{"entry": "e"}', 40)]

    add(stage, due_in=30 * 86400)
    assert worker(stage, sent, lambda claim: None).run("e") == "early"
    assert len(sent.wakes) == 1, "a message must not go round for a month"


def test_later_is_not_a_failure(stage: Stage, sent: Sent) -> None:
    def later(claim: Claim) -> None:
        raise Later(stage.clock.now() + timedelta(seconds=20), {"place": "3"})

    add(stage)
    assert worker(stage, sent, later).run("e") == "later"

    entry = stage.kernel.timetable.get("e")
    assert (entry.failures, entry.crashes, entry.args) == (0, 0, {"place": "3"})
    assert sent.wakes == [('{"entry": "e"}', 20)]


def test_a_failure_backs_off_and_wakes_a_worker_at_its_time(stage: Stage, sent: Sent) -> None:
    def fail(claim: Claim) -> None:
        raise SignalboxError("the platform is away")

    add(stage)
    assert worker(stage, sent, fail).run("e") == "failed"

    entry = stage.kernel.timetable.get("e")
    assert (entry.failures, entry.last_error) == (1, "the platform is away")
    assert [(body, 4 <= delay <= 10) for body, delay in sent.wakes] == [('{"entry": "e"}', True)]


def test_what_an_unexpected_error_says_is_kept_out_of_the_entry(stage: Stage, sent: Sent) -> None:
    def fail(claim: Claim) -> None:
        raise ValueError("sb_" + "s" * 43)

    add(stage)
    worker(stage, sent, fail).run("e")

    assert stage.kernel.timetable.get("e").last_error == "ValueError"


def test_an_entry_that_always_fails_is_parked(stage: Stage, sent: Sent) -> None:
    def fail(claim: Claim) -> None:
        raise RuntimeError

    add(stage)
    outcomes = []
    for _ in range(MAX_FAILURES + 1):
        outcomes.append(worker(stage, sent, fail).run("e"))
        stage.clock.advance(hours=1)

    assert outcomes == ["failed"] * (MAX_FAILURES - 1) + ["parked", "gone"]


def test_an_entry_that_kills_every_worker_is_parked_before_it_kills_the_next(
    stage: Stage, sent: Sent
) -> None:
    died = 0

    def die(claim: Claim) -> None:
        nonlocal died
        died += 1
        raise Died

    add(stage)
    for _ in range(MAX_FAILURES):
        with pytest.raises(Died):
            worker(stage, sent, die).run("e")
        stage.clock.advance(seconds=LEASE_FOR.total_seconds())

    assert worker(stage, sent, die).run("e") == "parked"
    assert died == MAX_FAILURES
    (entry,) = stage.kernel.timetable.parked()
    assert entry.last_error == "its workers died, again and again"


def test_a_kind_that_nobody_handles_is_parked_with_its_name(stage: Stage, sent: Sent) -> None:
    add(stage)
    for _ in range(MAX_FAILURES):
        worker(stage, sent, lambda claim: None, kind="another").run("e")
        stage.clock.advance(hours=1)

    (entry,) = stage.kernel.timetable.parked()
    assert entry.last_error == "nothing handles entries of the kind publish"


def test_a_lost_claim_is_somebody_elses_success(stage: Stage, sent: Sent) -> None:
    def lose(claim: Claim) -> None:
        stage.clock.advance(seconds=LEASE_FOR.total_seconds())
        assert worker(stage, sent, lambda other: None).run("e") == "done"
        raise Conflict("the claim was lost to another worker")

    add(stage)

    assert worker(stage, sent, lose).run("e") == "taken"
    assert stage.kernel.timetable.get("e").failures == 0


@pytest.mark.parametrize("how", ["later", "failed", "early"])
def test_a_queue_that_is_away_harms_nothing(stage: Stage, how: str) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            raise OSError("SQS is away")

    def handler(claim: Claim) -> None:
        if how == "later":
            raise Later(stage.clock.now())
        raise RuntimeError

    add(stage, due_in=30 if how == "early" else 0)

    assert worker(stage, Down(), handler).run("e") == how
    due = stage.kernel.timetable.due(Lane.PUBLISH, stage.clock.now() + timedelta(seconds=30))
    assert [entry_id for entry_id, _ in due] == ["e"]


def test_a_finish_whose_answer_was_lost_is_done(shaky: Stage, faults: AwsFaults, sent: Sent) -> None:
    for remembers in (True, False):
        faults.remembers = remembers
        add(shaky)
        with faults.plan({2: Fault.LOST_ANSWER}):
            assert worker(shaky, sent, lambda claim: None).run("e") == "done"
            assert faults.calls == ["UpdateItem", "TransactWriteItems", "TransactWriteItems"]
        assert shaky.kernel.timetable.get("e").done_at is not None


def test_matrix_row_2_a_message_delivered_again_and_again_has_one_effect(stage: Stage, sent: Sent) -> None:
    effects: list[Claim] = []
    add(stage)
    run = worker(stage, sent, effects.append).run

    outcomes = [run("e") for _ in range(5)]
    stage.clock.advance(hours=5)
    outcomes += [run("e") for _ in range(3)]

    assert outcomes == ["done"] + ["gone"] * 7
    assert len(effects) == 1


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.CONFLICT, Fault.LOST_REQUEST, Fault.LOST_ANSWER])
@pytest.mark.parametrize("length", [1, 9])
def test_matrix_row_7_whatever_the_database_does_the_work_resumes(
    shaky: Stage, faults: AwsFaults, sent: Sent, fault: Fault, length: int
) -> None:
    """From each of a worker's calls on: once, and for longer than botocore has patience."""
    for first in range(1, 5):
        effects: list[Claim] = []
        add(shaky)
        run = worker(shaky, sent, effects.append).run
        with faults.plan(dict.fromkeys(range(first, first + length), fault)):
            try:
                run("e")
            except (Busy, BotoCoreError):
                assert length == 9, "one fault is got over at once"
        shaky.clock.advance(seconds=LEASE_FOR.total_seconds())
        run("e")

        assert shaky.kernel.timetable.get("e").done_at is not None
        # A chore runs at least once; what must happen at most once carries a marker (publishing).
        assert 1 <= len(effects) <= (1 if length == 1 else 2)
