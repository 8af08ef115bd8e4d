"""The audit log: readable by subject, person and day; append-only, by code and by policy."""

import ast
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.core.history import DAY_SHARDS, By, Row, Way
from tests.fakes.stage import Stage

ROOT = Path(__file__).parents[2]
POLICIES = sorted((ROOT / ".chalice" / "policies").glob("*.json"))


def record(stage: Stage, subject: str, what: str, person: str = "person_a", rows: int = 1) -> None:
    change = stage.kernel.change(By(person, Way.LINK))
    for n in range(rows):
        change.record(subject, f"{what} {n}" if rows > 1 else what, why="because", n=n)
    stage.kernel.commit(change)


def test_history_is_read_by_subject_by_person_and_by_day(stage: Stage) -> None:
    day = stage.clock.now().date()
    record(stage, "post#1", "drafted")
    stage.clock.advance(minutes=1)
    record(stage, "post#2", "drafted", "person_b")
    stage.clock.advance(days=1)
    record(stage, "post#1", "approved", "person_b")

    assert [(r.what, r.person_id) for r in stage.history.of("post#1")] == [
        ("drafted", "person_a"), ("approved", "person_b"),
    ]  # fmt: skip
    assert [r.subject for r in stage.history.by_person("person_b", 9)[0]] == ["post#1", "post#2"]
    assert [r.subject for r in stage.history.on_day(day, 9)[0]] == ["post#1", "post#2"]
    assert [r.what for r in stage.history.on_day(day + timedelta(days=1), 9)[0]] == ["approved"]
    row = stage.history.of("post#2")[0]
    assert (row.way, row.why, row.details) == (Way.LINK, "because", {"n": 0})


def test_rows_of_one_change_stay_in_their_order(stage: Stage) -> None:
    record(stage, "post#1", "step", rows=25)

    assert [r.what for r in stage.history.of("post#1")] == [f"step {n}" for n in range(25)]
    day, nothing_more = stage.history.on_day(stage.clock.now().date(), 25)
    assert [r.what for r in day] == [f"step {n}" for n in range(25)]
    assert nothing_more is None


@pytest.mark.parametrize("limit", [1, 2, 7, 23, 24, 100])
def test_pages_hold_every_row_once_and_in_order(stage: Stage, limit: int) -> None:
    """A day is in four parts of its index, and a page is merged from all of them."""
    for n in range(8):
        record(stage, "post#1", f"change {n}", rows=3)
        stage.clock.advance(milliseconds=n % 3)
    every = [r.what for r in stage.history.of("post#1")]
    today = stage.clock.now().date()

    assert len(set(every)) == 24
    assert all_pages(lambda after: stage.history.page_of("post#1", limit, after), limit) == every
    assert all_pages(lambda after: stage.history.on_day(today, limit, after), limit) == every
    assert all_pages(lambda after: stage.history.by_person("person_a", limit, after), limit) == every[::-1]


def all_pages(page: Callable[[str], tuple[list[Row], str | None]], limit: int) -> list[str]:
    found, after = [], ""
    while True:
        rows, next_after = page(after)
        found += [r.what for r in rows]
        if next_after is None:
            assert 0 < len(rows) <= limit
            return found
        assert len(rows) == limit
        after = next_after


def test_a_page_is_whole_although_a_query_ends_after_a_megabyte(stage: Stage) -> None:
    for n in range(4):
        change = stage.kernel.change(By("person_a", Way.API))
        change.record("post#1", f"change {n}", why="x" * 390_000)
        stage.kernel.commit(change)

    first, after = stage.history.page_of("post#1", 3)
    last, nothing_more = stage.history.page_of("post#1", 3, after or "")

    assert [len(first), len(last), nothing_more] == [3, 1, None]


def test_a_busy_day_is_spread_over_every_shard_of_its_index(stage: Stage) -> None:
    for n in range(60):
        record(stage, f"post#{n}", "drafted")

    answer = stage.dynamodb.scan(TableName=stage.settings.table("history"))
    days = [item["day"]["S"] for item in answer["Items"]]

    counts = [days.count(f"{stage.clock.now().date()}#{shard}") for shard in range(DAY_SHARDS)]
    assert sum(counts) == 60
    assert min(counts) >= 1, "ids are random: an empty shard has a chance of one in eight millions"


def test_no_code_updates_or_deletes_a_row() -> None:
    """`history` is named only where rows are put (kernel.py) and read (history.py, kernel's own proof)."""
    found = []
    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                named = [a for a in node.args if isinstance(a, ast.Constant) and a.value == "history"]
                if named:
                    found.append((path.name, ast.unparse(node.func), ast.unparse(node.args[0])))
    assert {(file, call) for file, call, _ in found if call != "resource"} == {
        ("history.py", "self._database.query"),
        ("history.py", "self._database.query_all"),
        ("kernel.py", "self.database.get"),
        ("kernel.py", "Write"),
    }
    assert [first for _, call, first in found if call == "Write"] == ["'Put'"]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: path.stem)
def test_no_function_may_update_or_delete_a_row(policy: Path) -> None:
    for statement in json.loads(policy.read_text())["Statement"]:
        resources = statement["Resource"]
        resources = [resources] if isinstance(resources, str) else resources
        if statement["Effect"] == "Allow" and any(
            r.endswith(("-history", "signalbox-*", "*")) for r in resources
        ):
            history = [r for r in resources if "table/" in r and r.endswith(("-history", "-*"))]
            if history:
                assert set(statement["Action"]) <= {
                    "dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query",
                }  # fmt: skip


def test_a_row_is_never_written_over(stage: Stage) -> None:
    """Its key holds the change's own random id: two changes of one millisecond are two rows."""
    record(stage, "post#1", "first")
    record(stage, "post#1", "second")

    assert sorted(r.what for r in stage.history.of("post#1")) == ["first", "second"]
