"""What stands around every job and worker: log lines, metrics, and a batch of which some fail."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import log as logs
from chalicelib.core.entry import BatchFailed, job, record_worker, worker
from chalicelib.core.timetable import Entry, Lane
from chalicelib.core.work import Worker
from tests.core.conftest import Lines
from tests.fakes.stage import Stage


class Event:
    """An SQS event as Chalice hands it on."""

    def __init__(self, *bodies: str) -> None:
        self.context = type("Context", (), {"aws_request_id": "request-1"})()
        self._records = [
            {"messageId": f"m{n}", "receiptHandle": f"h{n}", "body": body} for n, body in enumerate(bodies)
        ]

    def to_dict(self) -> dict[str, Any]:
        return {"Records": self._records}


def wake(entry_id: str) -> str:
    return json.dumps({"entry": entry_id})


POISON = [
    "not json", "", "null", "[]", "7", "{}", '{"entry": null}', '{"entry": ""}', '{"entry": 7}',
    '{"entry": ["e"]}', "[" * 100_000, '"entry"', '{"entry": {"version": 9}}', "x" * 262_144,
]  # fmt: skip


@pytest.mark.parametrize("poison", POISON, ids=[p[:20] for p in POISON])
def test_matrix_row_11_a_poison_message_fails_alone(poison: str, lines: Lines) -> None:
    ran: list[str] = []
    deleted: list[tuple[str, list[str]]] = []

    @worker("publish", parallel=4, delete=lambda lane, handles: deleted.append((lane, handles)))
    def work(entry_ids: list[str]) -> Callable[[str], str]:
        def run(entry_id: str) -> str:
            ran.append(entry_id)
            return "done"

        return run

    bodies = [wake(f"e{n}") for n in range(9)]
    with pytest.raises(BatchFailed, match="1 of 10 messages could not be handled"):
        work(Event(*bodies[:4], poison, *bodies[4:]))

    assert sorted(ran) == [f"e{n}" for n in range(9)]
    assert deleted == [("publish", ["h0", "h1", "h2", "h3", "h5", "h6", "h7", "h8", "h9"])]
    told = [line for line in lines.read if line["message"] == "a message is not a wake-up call"]
    assert [line["message_id"] for line in told] == ["m4"]
    assert poison not in lines.text or len(poison) < 3


def test_an_entry_that_raises_goes_back_and_the_others_do_not() -> None:
    deleted: list[str] = []

    @worker("publish", parallel=10, delete=lambda lane, handles: deleted.extend(handles))
    def work(entry_ids: list[str]) -> Callable[[str], str]:
        def run(entry_id: str) -> str:
            if entry_id == "e1":
                raise OSError("the network is away")
            return "done"

        return run

    with pytest.raises(BatchFailed):
        work(Event(wake("e0"), wake("e1"), wake("e2")))
    assert deleted == ["h0", "h2"]


def test_a_record_that_cannot_be_taken_stays_whole_and_the_others_are_deleted(lines: Lines) -> None:
    deleted: list[tuple[str, list[str]]] = []

    @record_worker("inbound", parallel=2, delete=lambda queue, handles: deleted.append((queue, handles)))
    def work() -> Callable[[str], str]:
        def take(body: str) -> str:
            return str(json.loads(body))

        return take

    with pytest.raises(BatchFailed, match="2 of 4"):
        work(Event("1", "not json", "2", ""))

    assert deleted == [("inbound", ["h0", "h2"])]
    assert sorted(x["message_id"] for x in lines.read if x["level"] == "ERROR") == ["m1", "m3"]


def test_records_that_are_all_taken_are_left_for_lambda_to_delete() -> None:
    @record_worker("inbound", delete=lambda queue, handles: pytest.fail("nothing is to be deleted here"))
    def work() -> Callable[[str], str]:
        return lambda body: "taken"

    assert work(Event("a", "b")) == {"taken": 2}


def test_a_batch_without_failures_deletes_nothing_itself_and_sums_up() -> None:
    @worker("publish", delete=lambda lane, handles: pytest.fail("Lambda deletes a batch that succeeded"))
    def work(entry_ids: list[str]) -> Callable[[str], str]:
        return {"e0": "done", "e1": "gone", "e2": "done"}.__getitem__

    assert work(Event(wake("e0"), wake("e1"), wake("e2"))) == {"done": 2, "gone": 1}


Making = Callable[[Callable[[str], str], int], Callable[..., dict[str, int]]]


def by_entry(run: Callable[[str], str], parallel: int) -> Callable[..., dict[str, int]]:
    @worker("publish", parallel, delete=lambda lane, handles: pytest.fail("nothing is to be deleted here"))
    def work(entry_ids: list[str]) -> Callable[[str], str]:
        return run if entry_ids else pytest.fail("there was nothing to prepare")

    return work


def by_record(run: Callable[[str], str], parallel: int) -> Callable[..., dict[str, int]]:
    @record_worker("inbound", parallel, lambda queue, handles: pytest.fail("nothing is to be deleted here"))
    def work() -> Callable[[str], str]:
        return run

    return work


BOTH = pytest.mark.parametrize("making", [by_entry, by_record])


@BOTH
def test_messages_of_a_batch_run_side_by_side(making: Making) -> None:
    from threading import Barrier

    meet = Barrier(10, timeout=20)
    work = making(lambda said: str(meet.wait() >= 0), 10)

    assert work(Event(*(wake(f"e{n}") for n in range(10)))) == {"True": 10}


@BOTH
def test_of_a_batch_in_which_all_fail_nothing_is_deleted_and_its_metrics_are_not_lost(
    making: Making, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(said: str) -> str:
        logs.count("tried")
        raise OSError("the database is away")

    with pytest.raises(BatchFailed, match="2 of 2 messages"):
        making(run, 1)(Event(wake("e0"), wake("e1")))

    assert lines.read[-1]["outcomes"] == {"raised": 2}
    assert '"tried":' in capsys.readouterr().out


def test_a_worker_has_one_line_at_its_start_and_one_at_its_end(lines: Lines) -> None:
    @worker("publish")
    def publish_posts(entry_ids: list[str]) -> Callable[[str], str]:
        return lambda entry_id: "done"

    publish_posts(Event(wake("e0")))

    start, end = lines.read
    assert (start["message"], start["worker"], start["messages"]) == ("worker starts", "publish_posts", 1)
    assert (end["message"], end["worker"], end["outcomes"]) == ("worker ends", "publish_posts", {"done": 1})
    assert {start["correlation_id"], end["correlation_id"]} == {"request-1"}


def test_a_worker_that_cannot_even_prepare_says_that_it_ended(lines: Lines) -> None:
    @worker("publish", delete=lambda lane, handles: pytest.fail("nothing was done"))
    def publish_posts(entry_ids: list[str]) -> Callable[[str], str]:
        raise OSError("SSM is away")

    with pytest.raises(OSError, match="SSM"):
        publish_posts(Event(wake("e0")))
    assert [line["message"] for line in lines.read] == ["worker starts", "worker ends"]


def test_a_job_has_one_line_at_its_start_and_one_at_its_end(lines: Lines) -> None:
    @job
    def dispatch_due() -> dict[str, int]:
        return {"publish": 3}

    assert dispatch_due(Event()) == {"publish": 3}

    start, end = lines.read
    assert (start["message"], start["job"]) == ("job starts", "dispatch_due")
    assert (end["message"], end["job"], end["outcome"], end["summary"]) == (
        "job ends", "dispatch_due", "done", {"publish": 3},
    )  # fmt: skip
    assert end["took_for"] >= 0
    assert {start["correlation_id"], end["correlation_id"]} == {"request-1"}


def test_a_job_that_fails_says_that_it_ended_and_its_metrics_are_not_lost(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    @job
    def dispatch_due() -> dict[str, int]:
        logs.count("ticks")
        raise OSError("the database is away")

    with pytest.raises(OSError, match="the database"):
        dispatch_due(Event())

    assert [(line["message"], line.get("outcome")) for line in lines.read] == [
        ("job starts", None), ("job ends", "failed"),
    ]  # fmt: skip
    assert '"ticks":' in capsys.readouterr().out


def test_a_job_runs_without_a_lambda_context() -> None:
    assert job(lambda: {"a": 1})(None) == {"a": 1}


# Through the real queue, its redrive and its dead letters


def receive(stage: Stage, queue: str) -> list[dict[str, Any]]:
    url = stage.sqs.get_queue_url(QueueName=stage.settings.queue(queue))["QueueUrl"]
    got = stage.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return list(got.get("Messages", []))


def test_matrix_rows_11_and_13_poison_ends_in_the_dead_letters_and_two_redrives_have_no_second_effect(
    stage: Stage,
) -> None:
    effects: list[str] = []
    entry_worker = Worker(
        stage.kernel, Lane.PUBLISH, {"publish": lambda claim: effects.append(claim.entry.entry_id)}
    )

    @worker("publish", parallel=1, delete=stage.queues.delete)
    def publish_posts(entry_ids: list[str]) -> Callable[[str], str]:
        return entry_worker.run

    for n in range(9):
        entry = Entry(f"e{n}", Lane.PUBLISH, "publish", "ref", stage.clock.now() + timedelta(seconds=-n))
        stage.database.transact([stage.kernel.timetable.add(entry)])
    url = stage.sqs.get_queue_url(QueueName=stage.settings.queue("publish"))["QueueUrl"]
    stage.sqs.send_message(QueueUrl=url, MessageBody="poison")
    stage.queues.wake("publish", [(f"e{n}", 0) for n in range(9)])

    def deliver(messages: list[dict[str, Any]]) -> None:
        event = Event()
        event._records = [
            {"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "body": m["Body"]}
            for m in messages
        ]
        try:
            publish_posts(event)
        except BatchFailed:
            return
        stage.queues.delete("publish", [m["ReceiptHandle"] for m in messages])

    first = receive(stage, "publish")
    while messages := receive(stage, "publish"):
        deliver(messages)

    assert sorted(effects) == [f"e{n}" for n in range(9)]
    dead = receive(stage, "publish-dlq")
    assert [m["Body"] for m in dead] == ["poison"]
    for _ in range(2):  # a redrive brings everything again, what was done long ago too
        deliver([*first, *dead])
    assert len(effects) == 9
    assert logging.getLogger("chalicelib").handlers
