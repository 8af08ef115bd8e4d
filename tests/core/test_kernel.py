"""One change, one transaction, its history, its nudge; and a commit that recognises itself."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.errors import Busy, Conflict, NotAllowed
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB, By, Way
from chalicelib.core.kernel import Change, Kernel, delay_until
from chalicelib.core.queues import Queues
from chalicelib.core.timetable import Entry, Lane
from tests.fakes.aws_faults import AwsFaults, Fault
from tests.fakes.stage import Stage

POST = {"pk": "post#1", "sk": "post"}
ZOFIA = By("person_zofia", Way.API)


def change_of(stage: Stage, **more: Any) -> Change:
    """A change that makes a post, if there is none yet."""
    change = stage.kernel.change(ZOFIA)
    change.put(
        "posts", {**POST, **more}, when=where("attribute_not_exists(pk)"), otherwise=Conflict("it is there")
    )
    change.record("post#1", "drafted")
    return change


def test_a_change_is_its_item_its_history_and_its_entries_or_nothing(stage: Stage) -> None:
    change = change_of(stage)
    change.chore("remind", "post#1", due_at=stage.clock.now() + timedelta(hours=1), key="post#1", who="x")
    stage.kernel.commit(change)

    assert stage.database.get("posts", POST) == POST
    (row,) = stage.history.of("post#1")
    assert (row.person_id, row.way, row.what, row.at) == (
        ZOFIA.person_id,
        Way.API,
        "drafted",
        stage.clock.now(),
    )
    assert stage.kernel.timetable.get("remind#post#1").args == {"who": "x"}

    second = change_of(stage)
    second.chore("breach", "post#1", key="post#1")
    with pytest.raises(Conflict, match="it is there"):
        stage.kernel.commit(second)
    assert len(stage.history.of("post#1")) == 1
    assert stage.database.get("timetable", {"entry_id": "breach#post#1"}) is None


def test_a_change_without_history_is_refused(stage: Stage) -> None:
    change = stage.kernel.change(ZOFIA)
    change.put("posts", POST)

    with pytest.raises(ValueError, match="without a history row"):
        stage.kernel.commit(change)

    assert stage.database.get("posts", POST) is None


def test_a_change_of_a_hundred_writes_goes_through_and_one_more_is_refused(stage: Stage) -> None:
    for count, is_fine in ((99, True), (100, False)):
        change = stage.kernel.change(ZOFIA)
        for n in range(count):
            change.put("posts", {"pk": f"{count}#{n}", "sk": "x"})
        change.record("post#1", "drafted")
        if is_fine:
            stage.kernel.commit(change)
        else:
            with pytest.raises(ValueError, match="101 writes in one change"):
                stage.kernel.commit(change)
    assert stage.database.get("posts", {"pk": "99#98", "sk": "x"})
    assert stage.database.get("posts", {"pk": "100#0", "sk": "x"}) is None


def test_the_first_write_that_failed_says_why(stage: Stage) -> None:
    change = stage.kernel.change(ZOFIA)
    change.put(
        "posts", {"pk": "fine", "sk": "x"}, when=where("attribute_not_exists(pk)"), otherwise=Busy("no")
    )
    change.check("posts", POST, where("attribute_exists(pk)"), otherwise=NotAllowed("there is no such post"))
    change.check("posts", {"pk": "b", "sk": "b"}, where("attribute_exists(pk)"), otherwise=Conflict("second"))
    change.record("post#1", "drafted")

    with pytest.raises(NotAllowed, match="there is no such post"):
        stage.kernel.commit(change)


def test_a_condition_without_words_of_its_own_is_a_conflict(stage: Stage) -> None:
    change = stage.kernel.change(ZOFIA)
    change.delete("posts", POST, when=where("attribute_exists(pk)"))
    change.record("post#1", "deleted")

    with pytest.raises(Conflict, match="somebody else changed this first"):
        stage.kernel.commit(change)


def test_a_commit_that_meets_its_own_writes_counts_as_done(shaky: Stage, faults: AwsFaults) -> None:
    faults.remembers = False  # a token is good for ten minutes only
    with faults.plan({1: Fault.LOST_ANSWER}):
        shaky.kernel.commit(change_of(shaky, n=1))
        assert faults.calls == ["TransactWriteItems", "TransactWriteItems", "GetItem"]

    assert [row.what for row in shaky.history.of("post#1")] == ["drafted"]


def test_a_rivals_commit_is_not_taken_for_ones_own(shaky: Stage, faults: AwsFaults) -> None:
    change = change_of(shaky, n=1)

    with (
        faults.plan({1: Fault.LOST_REQUEST}, {2: lambda: shaky.kernel.commit(change_of(shaky, n=2))}),
        pytest.raises(Conflict, match="it is there"),
    ):
        shaky.kernel.commit(change)

    assert (shaky.database.get("posts", POST) or {})["n"] == 2
    assert len(shaky.history.of("post#1")) == 1


# The nudge


def schedule(stage: Stage, kernel: Kernel, due_in: timedelta) -> Entry:
    change = kernel.change(BY_JOB)
    entry = Entry(f"e#{due_in}", Lane.PUBLISH, "publish", "v", stage.clock.now() + due_in)
    change.schedule(entry)
    change.record("post#1", "scheduled")
    kernel.commit(change)
    return entry


def test_work_due_before_the_next_tick_is_nudged_and_later_work_is_not(stage: Stage) -> None:
    schedule(stage, stage.kernel, timedelta(hours=1))
    schedule(stage, stage.kernel, timedelta(seconds=-10))

    assert stage.wakes("publish") == ['{"entry": "e#-1 day, 23:59:50"}']
    assert stage.wakes("chores") == []


def test_a_nudge_that_fails_harms_nothing(stage: Stage) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            raise OSError("SQS is away")

    kernel = Kernel(stage.database, Queues(Down(), stage.settings), stage.clock, {})

    entry = schedule(stage, kernel, timedelta(seconds=5))

    assert [e for e, _ in kernel.timetable.due(Lane.PUBLISH, entry.due_at)] == [entry.entry_id]


def test_a_nudge_is_never_after_the_second_it_is_for(stage: Stage) -> None:
    now = stage.clock.now()
    assert delay_until(now + timedelta(seconds=9, milliseconds=999), now) == 9
    assert delay_until(now - timedelta(hours=1), now) == 0


# Events


def test_an_event_puts_its_chores_into_the_same_transaction(stage: Stage) -> None:
    kernel = Kernel(stage.database, stage.queues, stage.clock, {"PostPublished": ("tell", "count")})
    change = kernel.change(ZOFIA)
    change.record("post#1", "published")
    change.emit("PostPublished", "post#1", url="u")
    change.emit("PostPublished", "post#2", url="v")

    kernel.commit(change)

    due = [kernel.timetable.get(e) for e, _ in kernel.timetable.due(Lane.CHORES, stage.clock.now())]
    assert sorted((e.kind, e.ref, e.args["url"]) for e in due) == [
        ("count", "post#1", "u"), ("count", "post#2", "v"), ("tell", "post#1", "u"), ("tell", "post#2", "v"),
    ]  # fmt: skip


def test_an_event_nobody_has_written_down_is_refused(stage: Stage) -> None:
    with pytest.raises(KeyError, match="Surprise"):
        stage.kernel.change(ZOFIA).emit("Surprise", "x")
