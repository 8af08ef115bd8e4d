"""A test finds nothing of the tests before it, and a stage says of its timetable what our code says."""

from datetime import timedelta

import pytest

from chalicelib.core.timetable import Entry, Lane
from tests.fakes.box import Box
from tests.fakes.stage import Stage

TURNS = ["first", "second", "third"]
GONE: list[str] = []
"""The names of the stages that the turns before had."""


@pytest.mark.parametrize("turn", TURNS)
def test_what_a_test_leaves_behind_is_not_there_for_the_next(stage: Stage, turn: str) -> None:
    names = [
        *stage.dynamodb.list_tables()["TableNames"],
        *stage.sqs.list_queues()["QueueUrls"],
        *(bucket["Name"] for bucket in stage.s3.list_buckets()["Buckets"]),
        *(p["Name"] for p in stage.ssm.describe_parameters(MaxResults=50)["Parameters"]),
    ]
    assert {kind for kind in ("-org", "-inbound", "-media-", "/settings/") if kind in " ".join(names)} == {
        "-org", "-inbound", "-media-", "/settings/",
    }  # fmt: skip
    assert [name for name in names for gone in GONE if gone in name] == []
    table, bucket = stage.settings.table("org"), stage.settings.media_bucket
    assert stage.dynamodb.scan(TableName=table)["Items"] == []
    assert stage.wakes("inbound") == []
    assert "Contents" not in stage.s3.list_objects_v2(Bucket=bucket)
    assert [mail["Subject"] for mail in Box.open(stage).mails() if mail["Subject"] in TURNS] == []

    url = stage.sqs.get_queue_url(QueueName=stage.settings.queue("inbound"))["QueueUrl"]
    stage.dynamodb.put_item(TableName=table, Item={"pk": {"S": turn}, "sk": {"S": turn}})
    stage.sqs.send_message(QueueUrl=url, MessageBody=turn)
    stage.s3.put_object(Bucket=bucket, Key=turn, Body=b"left")
    stage.secrets.put(stage.settings.secret_path("webhooks", "x", turn), {"secret": turn})
    raw = f"From: signalbox@company.test\r\nTo: a@company.test\r\nSubject: {turn}\r\n\r\nleft".encode()
    stage.ses.send_email(
        FromEmailAddress="signalbox@company.test",
        Destination={"ToAddresses": ["a@company.test"]},
        Content={"Raw": {"Data": raw}},
    )
    GONE.append(stage.settings.stage)


def test_a_stage_says_of_its_timetable_what_the_timetable_says(stage: Stage) -> None:
    timetable, now = stage.kernel.timetable, stage.clock.now()
    for n in range(40):
        lane = Lane.PUBLISH if n % 3 else Lane.CHORES
        entry = Entry(f"kind#{n}", lane, "kind", str(n), now + timedelta(seconds=n % 7))
        stage.database.transact([timetable.add(entry)])
    stage.database.transact([timetable.cancel("kind#1", now)])
    for lane in Lane:
        for seconds in (-1, 0, 3, 60):
            until = now + timedelta(seconds=seconds)
            assert stage.due(lane, until) == list(timetable.due(lane, until))
    assert len(stage.due(Lane.PUBLISH, now + timedelta(minutes=1))) == 25
