"""Whatever is changed in a log or in evidence later shows."""

import copy
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.records import from_item, to_item
from chalicelib.takedowns.chain import broken_at, canonical, hash_of, sha256
from chalicelib.takedowns.model import Evidence, EvidenceKind, State, Step
from tests.conftest import NOON
from tests.takedowns.desk import Desk


def chain_of(texts: list[str]) -> list[Evidence]:
    rows: list[Evidence] = []
    for place, text in enumerate(texts, 1):
        head = rows[-1].chain if rows else ""
        at = NOON + timedelta(microseconds=1, minutes=place)
        row = Evidence("case_1", place, EvidenceKind.NOTE, sha256(text), at, "person_1", head, text)
        rows.append(replace(row, chain=hash_of(row)))
    return rows


texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=6)


@given(texts)
def test_a_chain_bears_out_its_head_after_it_was_stored(written: list[str]) -> None:
    rows = [from_item(Evidence, to_item(row)) for row in chain_of(written)]
    assert broken_at(rows, rows[-1].chain, len(rows)) is None


@given(texts, st.data())
def test_any_change_of_any_field_shows(written: list[str], data: st.DataObject) -> None:
    rows = chain_of(written)
    head = rows[-1].chain
    at = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from([f.name for f in fields(Evidence)]))
    rows[at] = replace(rows[at], **{name: _other(getattr(rows[at], name))})
    assert broken_at(rows, head, len(rows)) is not None


@given(texts, st.data())
def test_a_row_that_is_dropped_or_swapped_or_added_shows(written: list[str], data: st.DataObject) -> None:
    rows = chain_of(written)
    head, whole = rows[-1].chain, len(rows)
    at = data.draw(st.integers(0, whole - 1))
    dropped = rows[:at] + rows[at + 1 :]
    assert broken_at(dropped, head, whole) is not None
    assert broken_at([*rows, rows[-1]], head, whole) is not None
    if at:
        swapped = copy.copy(rows)
        swapped[at - 1], swapped[at] = swapped[at], swapped[at - 1]
        assert broken_at(swapped, head, whole) is not None


def test_a_row_that_is_forged_with_its_hash_shows_in_the_head() -> None:
    rows = chain_of(["a", "b"])
    forged = replace(rows[1], text="c", sha256=sha256("c"))
    assert broken_at([rows[0], replace(forged, chain=hash_of(forged))], rows[1].chain, 2) == 3


def test_the_same_facts_have_one_spelling() -> None:
    assert canonical({"ż": 1, "a": {"c": None, "b": [1]}}) == '{"a":{"b":[1],"c":null},"ż":1}'


def test_a_row_changed_in_the_table_shows_on_the_case(desk: Desk) -> None:
    case = desk.submitted()
    assert desk.room.intact(desk.takedowns.store.whole(case.case_id)).is_whole
    table = desk.stage.settings.table("takedowns")
    desk.stage.dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": f"case#{case.case_id}"}, "sk": {"S": "step#00002"}},
        UpdateExpression="SET #r = :r",
        ExpressionAttributeNames={"#r": "reference"},
        ExpressionAttributeValues={":r": {"S": "R-9"}},
    )
    desk.stage.dynamodb.delete_item(
        TableName=table, Key={"pk": {"S": f"case#{case.case_id}"}, "sk": {"S": "evidence#00001"}}
    )
    intact = desk.room.intact(desk.takedowns.store.whole(case.case_id))
    assert (intact.log, intact.evidence) == (2, 1)


def test_log_and_evidence_are_hashed_with_all_they_hold() -> None:
    assert {f.name for f in fields(Step)} >= {"to", "at", "by_id", "way", "reference", "why", "previous"}
    step = Step("case_1", 1, State.OPENED, NOON, "person_1", "api", "R-1", "why", "")
    assert all(hash_of(replace(step, **{f.name: _other(getattr(step, f.name))})) != hash_of(step)
               for f in fields(Step) if f.name != "chain")  # fmt: skip


def _other(value: Any) -> Any:
    match value:
        case EvidenceKind():
            return EvidenceKind.LINK
        case State():
            return State.CLOSED
        case str():
            return value + "x"
        case int():
            return value + 1
        case datetime():
            return value + timedelta(seconds=1)
    return 7
