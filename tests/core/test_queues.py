import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import Busy
from chalicelib.core.queues import MAX_BATCH_BYTES, MAX_DELAY_FOR, Queues
from chalicelib.core.settings import Settings
from tests.core.test_work import Sent
from tests.fakes.stage import Stage

SETTINGS = Settings("test", "https://signalbox.test", "signalbox@company.test", "media")


class Sqs:
    """Takes records, all of them or all but the last of each call."""

    def __init__(self, refuses: bool = False) -> None:
        self.calls: list[list[str]] = []
        self._refuses = refuses

    def get_queue_url(self, **asked: str) -> dict[str, str]:
        return {"QueueUrl": asked["QueueName"]}

    def send_message_batch(self, **asked: Any) -> dict[str, Any]:
        entries = asked["Entries"]
        self.calls.append([entry["MessageBody"] for entry in entries])
        return {"Successful": entries[: len(entries) - self._refuses]}


def test_any_number_of_wake_ups_goes_out_ten_to_a_call(stage: Stage) -> None:
    assert stage.queues.wake("publish", [(f"e{n}", 0) for n in range(25)]) == 25

    assert sorted(stage.wakes("publish")) == sorted(json.dumps({"entry": f"e{n}"}) for n in range(25))
    assert stage.wakes("chores") == []


def test_a_delay_stays_within_what_sqs_accepts(stage: Stage) -> None:
    sent = Sent()
    type(stage.queues)(sent, stage.settings).wake("publish", [("past", -5), ("far", 10**6)])

    assert [delay for _, delay in sent.wakes] == [0, MAX_DELAY_FOR]


def test_deleted_messages_do_not_come_back(stage: Stage) -> None:
    stage.queues.wake("chores", [(f"e{n}", 0) for n in range(12)])
    url = stage.sqs.get_queue_url(QueueName=stage.settings.queue("chores"))["QueueUrl"]
    handles: list[str] = []
    while len(handles) < 12:
        got = stage.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        handles += [m["ReceiptHandle"] for m in got]

    stage.queues.delete("chores", handles)

    attributes = stage.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


@given(st.lists(st.sampled_from([1, 1000, 30_000, 100_000, MAX_BATCH_BYTES]), max_size=40))
def test_records_go_out_in_order_in_calls_that_sqs_takes(sizes: list[int]) -> None:
    sqs = Sqs()
    bodies = [chr(97 + n % 26) * size for n, size in enumerate(sizes)]

    assert Queues(sqs, SETTINGS).send("inbound", bodies) == len(sqs.calls)

    assert [body for call in sqs.calls for body in call] == bodies
    assert all(len(call) <= 10 and sum(map(len, call)) <= MAX_BATCH_BYTES for call in sqs.calls)
    assert len(sqs.calls) <= len(sizes) // 10 + sum(sizes) // (MAX_BATCH_BYTES // 2) + 1


def test_ten_small_records_are_one_call() -> None:
    sqs = Sqs()
    assert Queues(sqs, SETTINGS).send("inbound", ["سلام"] * 10) == 1


def test_a_record_that_sqs_did_not_take_is_an_error_and_not_a_loss() -> None:
    with pytest.raises(Busy):
        Queues(Sqs(refuses=True), SETTINGS).send("inbound", ["a", "b"])


def test_a_record_is_weighed_in_bytes_and_refused_when_no_call_can_hold_it() -> None:
    with pytest.raises(ValueError, match="256000"):
        Queues(Sqs(), SETTINGS).send("inbound", ["ż" * (MAX_BATCH_BYTES // 2 + 1)])
