"""The tick: reads what is due, all of it and nothing else; two at once or none for a while do no harm."""

from datetime import timedelta
from typing import Any

from chalicelib.core.dispatch import HORIZON_FOR, Dispatcher
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.queues import Queues
from chalicelib.core.timetable import Entry, Lane
from chalicelib.core.work import Worker
from tests.core.test_work import Sent
from tests.fakes.stage import Stage


def kernel_of(stage: Stage, sent: Any) -> Kernel:
    return Kernel(stage.database, Queues(sent, stage.settings), stage.clock, {})


def add(stage: Stage, entry_id: str, due_in: timedelta, lane: Lane = Lane.PUBLISH) -> None:
    entry = Entry(entry_id, lane, "publish", "ref", stage.clock.now() + due_in)
    stage.database.transact([stage.kernel.timetable.add(entry)])


def read(stage: Stage) -> tuple[int, int]:
    """(calls, items read) of one tick."""
    counts: list[int] = []

    def count(parsed: dict[str, Any], **_: Any) -> None:
        counts.append(parsed["ScannedCount"])

    stage.dynamodb.meta.events.register("after-call.dynamodb.Query", count)
    Dispatcher(kernel_of(stage, Sent())).dispatch()
    stage.dynamodb.meta.events.unregister("after-call.dynamodb.Query", count)
    return len(counts), sum(counts)


def test_each_entry_is_sent_to_its_lane_with_the_delay_to_its_second(stage: Stage) -> None:
    sent = Sent()
    add(stage, "now", timedelta())
    add(stage, "soon", timedelta(seconds=59.9))
    add(stage, "overdue", timedelta(hours=-3), Lane.CHORES)
    add(stage, "tomorrow", timedelta(days=1))

    assert Dispatcher(kernel_of(stage, sent)).dispatch() == {"publish": 2, "chores": 1}

    assert sorted(sent.wakes) == [
        ('{"entry": "now"}', 0),
        ('{"entry": "overdue"}', 0),
        ('{"entry": "soon"}', 59),
    ]


def test_an_idle_tick_costs_the_same_whatever_is_queued(stage: Stage) -> None:
    empty = read(stage)
    for n in range(150):
        add(stage, f"e{n}", HORIZON_FOR + timedelta(seconds=1 + n))

    assert read(stage) == empty == (18, 0)


def test_a_tick_reads_what_is_due_and_nothing_else(stage: Stage) -> None:
    for n in range(40):
        add(stage, f"e{n}", timedelta(seconds=10 * n))

    assert read(stage)[1] == sum(1 for n in range(40) if 10 * n <= HORIZON_FOR.total_seconds())


def test_matrix_row_3_ticks_that_overlap_or_are_missed_do_each_entry_once(stage: Stage) -> None:
    sent = Sent()
    kernel = kernel_of(stage, sent)
    done: list[str] = []
    worker = Worker(kernel, Lane.PUBLISH, {"publish": lambda claim: done.append(claim.entry.entry_id)})
    for n in range(25):
        add(stage, f"e{n}", timedelta(minutes=n))
    stage.clock.advance(minutes=20)  # no tick for 20 minutes

    Dispatcher(kernel).dispatch()
    Dispatcher(kernel).dispatch()
    assert len(sent.wakes) == 44
    for body, _ in list(sent.wakes):
        worker.run(body.removeprefix('{"entry": "').removesuffix('"}'))

    assert sorted(done) == sorted(f"e{n}" for n in range(21))


def test_matrix_row_14_a_message_that_was_never_sent_is_found_by_the_tick(stage: Stage) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            raise OSError("SQS is away")

    kernel = kernel_of(stage, Down())
    change = kernel.change(BY_JOB)
    change.schedule(Entry("e", Lane.PUBLISH, "publish", "ref", stage.clock.now()))
    change.record("post#1", "scheduled")
    kernel.commit(change)
    sent = Sent()

    Dispatcher(kernel_of(stage, sent)).dispatch()

    assert sent.wakes == [('{"entry": "e"}', 0)]
