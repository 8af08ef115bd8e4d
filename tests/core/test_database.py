"""Conditions that say who lost, transactions that try again, and botocore's own retries under them."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from chalicelib.core.database import ConditionFailed, Item, Read, TransactionRefused, Write
from chalicelib.core.errors import Busy
from chalicelib.core.expressions import where
from tests.fakes.aws_faults import AwsFaults, Fault
from tests.fakes.stage import Stage

KEY = {"pk": "a", "sk": "b"}


def put(**more: Any) -> Write:
    return Write("Put", "posts", {**KEY, **more}, when=where("attribute_not_exists(pk)"))


def add_one() -> Write:
    return Write("Update", "posts", KEY, update=where("ADD times :one", one=1))


def test_a_failed_condition_shows_what_stood_in_the_way(stage: Stage) -> None:
    stage.database.put("posts", {**KEY, "state": "held"})

    with pytest.raises(ConditionFailed) as caught:
        stage.database.update("posts", KEY, where("SET x = :x", x=1), where("state = :s", s="draft"))

    assert caught.value.old == {**KEY, "state": "held"}


def test_a_refused_transaction_says_which_writes_and_what_stood_there(stage: Stage) -> None:
    stage.database.put("posts", {**KEY, "n": 1})

    with pytest.raises(TransactionRefused) as caught:
        stage.database.transact([Write("Put", "posts", {"pk": "other", "sk": "x"}), put(n=2)])

    assert caught.value.failures == [(1, {**KEY, "n": 1})]
    assert stage.database.get("posts", {"pk": "other", "sk": "x"}) is None


def test_what_is_none_or_an_empty_set_is_not_stored(stage: Stage) -> None:
    stage.database.put(
        "posts", {**KEY, "gone": None, "none": frozenset(), "deep": {"none": set(), "is": False}}
    )

    assert stage.database.get("posts", KEY) == {**KEY, "deep": {"is": False}}


def test_any_number_of_keys_is_read_and_each_once(stage: Stage) -> None:
    keys = [{"pk": f"p{n}", "sk": "x"} for n in range(230)]
    for key in keys[:225]:
        stage.database.put("posts", key)

    found = stage.database.get_many("posts", [*keys, *keys[:50]])

    assert sorted(f["pk"] for f in found) == sorted(k["pk"] for k in keys[:225])


def test_rows_of_several_tables_are_read_together_in_the_order_asked_for(stage: Stage) -> None:
    stage.database.put("posts", {**KEY, "n": 1})
    stage.database.put("holds", {**KEY, "n": 2})
    stage.database.put("timetable", {"entry_id": "e", "n": 3})

    def n_of(item: Item | None) -> int:
        return item["n"] if item else 0

    wanted = [("timetable", {"entry_id": "e"}), ("posts", {"pk": "none", "sk": "b"}), ("holds", KEY)]
    reads = [Read(table, key, n_of) for table, key in [*wanted, ("posts", KEY), ("holds", KEY)]]

    assert stage.database.read_together(*reads) == [3, 0, 2, 1, 2]
    assert [stage.database.read(read) for read in reads] == [3, 0, 2, 1, 2]


def test_a_query_goes_on_to_its_last_page(stage: Stage) -> None:
    for n in range(40):
        stage.database.put(
            "posts", {"pk": "p", "sk": f"{n:02d}", "text": "x" * 40_000}
        )  # more than a page's 1 MB

    found = list(stage.database.query_all("posts", where("pk = :p", p="p")))

    assert [f["sk"] for f in found] == [f"{n:02d}" for n in range(40)]


# What botocore and the network do


def test_a_transaction_whose_answer_was_lost_is_applied_once(shaky: Stage, faults: AwsFaults) -> None:
    with faults.plan({1: Fault.LOST_ANSWER, 2: Fault.BROKEN}):
        shaky.database.transact([add_one()])

        assert len(faults.calls) == 3
        assert len({r["ClientRequestToken"] for r in faults.requests}) == 1
    assert (shaky.database.get("posts", KEY) or {})["times"] == 1


def test_a_transaction_that_broke_beyond_botocores_patience_is_asked_again_under_the_same_token(
    shaky: Stage, faults: AwsFaults
) -> None:
    with faults.plan(dict.fromkeys(range(1, 6), Fault.BROKEN)):
        shaky.database.transact([add_one()])

        assert len({r["ClientRequestToken"] for r in faults.requests}) == 1
    assert (shaky.database.get("posts", KEY) or {})["times"] == 1


def test_a_cancelled_transaction_is_asked_again_under_a_new_token(shaky: Stage, faults: AwsFaults) -> None:
    with faults.plan({1: Fault.CONFLICT, 2: Fault.THROTTLED}):
        shaky.database.transact([add_one()])

        assert len({r["ClientRequestToken"] for r in faults.requests}) == 3


def test_a_conflict_is_waited_out_with_jitter_and_then_called_busy(shaky: Stage, faults: AwsFaults) -> None:
    before = shaky.clock.now()
    with faults.plan(dict.fromkeys(range(1, 99), Fault.CONFLICT)):
        with pytest.raises(Busy, match="try again in a moment"):
            shaky.database.transact([add_one()])

        assert len(faults.calls) == 8
    assert 0 < (shaky.clock.now() - before).total_seconds() < 4
    assert shaky.database.get("posts", KEY) is None


def test_jitter_differs_from_one_attempt_to_the_next(shaky: Stage, faults: AwsFaults) -> None:
    waited = set()
    for _ in range(5):
        before = shaky.clock.now()
        with faults.plan({1: Fault.CONFLICT}):
            shaky.database.transact([add_one()])
        waited.add(shaky.clock.now() - before)
    assert len(waited) > 1


@pytest.mark.parametrize("call", ["update", "put"])
def test_a_single_write_waits_for_a_transaction_on_its_item(
    shaky: Stage, faults: AwsFaults, call: str
) -> None:
    with faults.plan({1: Fault.CONFLICT, 2: Fault.CONFLICT}):
        if call == "update":
            shaky.database.update("posts", KEY, where("SET x = :x", x=1))
        else:
            shaky.database.put("posts", {**KEY, "x": 1})

        assert len(faults.calls) == 3
    assert (shaky.database.get("posts", KEY) or {})["x"] == 1


@pytest.mark.parametrize("call", ["get", "get_many", "query", "put", "update", "transact"])
def test_a_throttle_that_outlasts_every_retry_is_busy_and_not_a_bug(
    shaky: Stage, faults: AwsFaults, call: str
) -> None:
    database = shaky.database
    calls: dict[str, Any] = {
        "get": lambda: database.get("posts", KEY),
        "get_many": lambda: database.get_many("posts", [KEY]),
        "query": lambda: database.query("posts", where("pk = :p", p="a")),
        "put": lambda: database.put("posts", KEY),
        "update": lambda: database.update("posts", KEY, where("SET x = :x", x=1)),
        "transact": lambda: database.transact([add_one()]),
    }
    with faults.plan(dict.fromkeys(range(1, 99), Fault.THROTTLED)), pytest.raises(Busy):
        calls[call]()


def test_botocore_itself_gets_past_a_throttle(shaky: Stage, faults: AwsFaults) -> None:
    faults.fast = False  # its real waits too
    with faults.plan({1: Fault.THROTTLED}):
        assert shaky.database.get("posts", KEY) is None
        assert faults.calls == ["GetItem", "GetItem"]


def test_a_network_that_stays_away_is_told_as_it_is(shaky: Stage, faults: AwsFaults) -> None:
    with faults.plan(dict.fromkeys(range(1, 99), Fault.LOST_ANSWER)), pytest.raises(ReadTimeoutError):
        shaky.database.transact([add_one()])
