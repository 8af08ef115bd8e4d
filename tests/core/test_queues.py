import json

from chalicelib.core.queues import MAX_DELAY_FOR
from tests.core.test_work import Sent
from tests.fakes.stage import Stage


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
