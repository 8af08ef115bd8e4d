"""`Idempotency-Key`: a retry gets the first answer, and a call that died does not block the key for a day."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.errors import Busy, Conflict, NotAllowed
from chalicelib.core.idempotency import CALL_FOR, Idempotency
from tests.fakes.aws_faults import AwsFaults, Died, Fault
from tests.fakes.stage import Stage


class Made:
    """What an endpoint makes, counted."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, Any]:
        self.times += 1
        return {"body": {"id": self.times, "name": "Żółć"}, "status": 201, "headers": {}}


@pytest.fixture
def idempotency(stage: Stage) -> Idempotency:
    return Idempotency(stage.dynamodb, stage.settings)


def raising(error: BaseException) -> Callable[[], dict[str, Any]]:
    def make() -> dict[str, Any]:
        raise error

    return make


def test_the_same_key_and_body_give_the_first_answer_again(idempotency: Idempotency) -> None:
    make = Made()

    answers = [idempotency.once("k", "body", make) for _ in range(3)]

    assert answers == [{"body": {"id": 1, "name": "Żółć"}, "status": 201, "headers": {}}] * 3
    assert make.times == 1


def test_another_key_is_another_call(idempotency: Idempotency) -> None:
    make = Made()
    assert idempotency.once("k", "body", make) != idempotency.once("l", "body", make)


def test_the_same_key_with_another_body_is_a_conflict(idempotency: Idempotency) -> None:
    make = Made()
    idempotency.once("k", "body", make)

    with pytest.raises(Conflict, match="used for something else"):
        idempotency.once("k", "another body", make)
    assert make.times == 1


def test_a_second_call_while_the_first_one_runs_is_told_to_ask_again(idempotency: Idempotency) -> None:
    def make() -> dict[str, Any]:
        with pytest.raises(Conflict, match="still running"):
            idempotency.once("k", "body", Made())
        return {"body": 1}

    assert idempotency.once("k", "body", make) == {"body": 1}


def test_a_refusal_is_not_kept(idempotency: Idempotency) -> None:
    with pytest.raises(NotAllowed):
        idempotency.once("k", "body", raising(NotAllowed("no")))

    assert idempotency.once("k", "body", Made())["status"] == 201


def test_a_call_that_died_blocks_its_key_no_longer_than_a_call_can_run(
    stage: Stage, idempotency: Idempotency
) -> None:
    before = time.time() * 1000
    with pytest.raises(Died):
        idempotency.once("k", "body", raising(Died()))

    (row,) = stage.dynamodb.scan(TableName=stage.settings.table("idempotency"))["Items"]
    assert row["status"] == {"S": "INPROGRESS"}
    assert before + CALL_FOR - 1 <= int(row["in_progress_expiration"]["N"]) <= time.time() * 1000 + CALL_FOR

    # The half minute passes.
    stage.dynamodb.update_item(
        TableName=stage.settings.table("idempotency"), Key={"id": row["id"]},
        UpdateExpression="SET in_progress_expiration = :n", ExpressionAttributeValues={":n": {"N": "1"}},
    )  # fmt: skip
    assert idempotency.once("k", "body", Made())["status"] == 201


def test_a_key_is_not_stored_as_it_was_sent(stage: Stage, idempotency: Idempotency) -> None:
    idempotency.once("person_a#draft_post#my-secret-key", "the body's text", Made())

    rows = str(stage.dynamodb.scan(TableName=stage.settings.table("idempotency"))["Items"])
    assert "my-secret-key" not in rows
    assert "the body's text" not in rows


def test_a_long_answer_is_kept_small(stage: Stage, idempotency: Idempotency) -> None:
    variants = [{"variant_id": f"post_01m84509hv~account_{n}", "state": "draft"} for n in range(100)]
    answer = {"body": {"variants": variants}, "status": 201, "headers": {}}
    assert [idempotency.once("k", "body", lambda: answer) for _ in range(2)] == [answer] * 2

    (row,) = stage.dynamodb.scan(TableName=stage.settings.table("idempotency"))["Items"]
    assert len(row["data"]["S"]) < 1024 < len(str(answer))


def test_a_database_that_refuses_is_busy(stage: Stage, faults: AwsFaults) -> None:
    idempotency = Idempotency(faults.client, stage.settings)
    make = Made()
    with faults.plan(dict.fromkeys(range(1, 99), Fault.THROTTLED)), pytest.raises(Busy):
        idempotency.once("k", "body", make)
    assert make.times == 0
