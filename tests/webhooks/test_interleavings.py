"""Signed deliveries through the door, the queue and the ingest worker, in any order, number and company.

Whatever happens on the way, the inbox is the one that each event once, in order, would have left.
"""

import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.accounts.model import Account
from tests.fakes.box import Box
from tests.fakes.stage import Stage
from tests.org.api import serving
from tests.webhooks.conftest import FakeInbox, Porch, delivery

PEOPLE = {"501": "Zofia", "502": "بهنام"}
POISON = ["not json", "{}", '{"v":9}', '{"v":1,"platform":"facebook"}', "[" * 50_000]
pages = itertools.count(1)


@pytest.fixture
def door(stage: Stage) -> Iterator[Porch]:
    """The door with the real inbox behind it."""
    box = Box.open(stage)
    with serving(box.services) as client:
        porch = Porch(box, client, FakeInbox(), 0)
        porch.secret("facebook")
        yield porch


@st.composite
def happenings(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Changes of a page's feed in the order in which they happen: comments, answers, edits, removals."""
    told: list[dict[str, Any]] = []
    comments: list[dict[str, Any]] = []
    for n in range(1, draw(st.integers(2, 7))):
        what = draw(st.sampled_from(["new", "new", "answer", "more", "edit", "remove"]))
        if what == "new" or not comments:
            who = draw(st.sampled_from(list(PEOPLE)))
            comments.append(_comment(n, who, "POST"))
            told.append(comments[-1])
            continue
        about = draw(st.sampled_from(comments))
        if what in ("answer", "more"):
            who = "PAGE" if what == "answer" else about["from"]["id"]
            told.append(_comment(n, who, about["comment_id"]))
        elif what == "edit":
            told.append({**about, "verb": "edited", "message": f"better {n}", "edited_time": _second(n)})
        else:
            told.append({**about, "verb": "remove"})
    return told


def _comment(n: int, who: str, parent: str) -> dict[str, Any]:
    return {
        "item": "comment",
        "verb": "add",
        "comment_id": f"POST_{n}",
        "post_id": "POST",
        "parent_id": parent,
        "created_time": _second(n),
        "from": {"id": who, "name": PEOPLE.get(who, "Zorza")},
        "message": f"message {n} 🌞",
    }


def _second(n: int) -> int:
    return 1_795_000_000 + n * 60


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=happenings(), data=st.data())
def test_any_order_number_and_company_leaves_the_inbox_of_each_event_once_in_order(
    door: Porch, told: list[dict[str, Any]], data: st.DataObject
) -> None:
    first, second = (_page(door) for _ in range(2))
    for change in told:
        _deliver(door, first, [change])
        door.ingest()

    repeated = data.draw(st.permutations([c for c in told for _ in range(data.draw(st.integers(1, 2)))]))
    while repeated:
        size = data.draw(st.integers(1, 4))
        _deliver(door, second, repeated[:size])
        repeated = repeated[size:]
    bodies = data.draw(
        st.permutations(door.queued() + data.draw(st.lists(st.sampled_from(POISON), max_size=2)))
    )
    died = data.draw(st.integers(0, len(bodies)))
    for n, body in enumerate(bodies[:died]):  # these come again: their worker died before it deleted them
        _take(door, body, lost_answer=data.draw(st.booleans()) and n % 2 == 0)
    door.stage.clock.advance(seconds=data.draw(st.integers(0, 90)))
    for body in bodies:
        _take(door, body)

    assert _seen(door, second) == _seen(door, first)


def test_the_comparison_would_see_a_lost_and_a_doubled_message(door: Porch) -> None:
    first, second = (_page(door) for _ in range(2))
    for page, numbers in ((first, (1, 2)), (second, (1,))):
        for n in numbers:
            _deliver(door, page, [_comment(n, "501", "POST")])
    door.ingest()
    assert len(_seen(door, first)) == 2
    assert _seen(door, first) != _seen(door, second)


def _page(door: Porch) -> Account:
    number = f"77{next(pages):08d}"
    return door.account(external_id=number, handle=f"page{number}")


def _deliver(door: Porch, page: Account, changes: list[dict[str, Any]]) -> None:
    """As Meta sends it: several changes to a delivery, signed."""
    here = json.loads(
        json.dumps(changes)
        .replace("POST", f"{page.external_id}_7")
        .replace('"PAGE"', f'"{page.external_id}"')
    )
    body = delivery(*({"field": "feed", "value": value} for value in here), page=page.external_id)
    assert door.page(body).status_code == 200


def _take(door: Porch, body: str, lost_answer: bool = False) -> None:
    """One message; a poisoned one raises and stays, and a commit whose answer is lost raises too."""
    events = door.stage.dynamodb.meta.events

    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="dynamodb")

    if lost_answer:
        events.register("after-call.dynamodb.TransactWriteItems", lose)
    try:
        with suppress(Exception):
            door.box.services.ingest.take(body)
    finally:
        if lost_answer:
            events.unregister("after-call.dynamodb.TransactWriteItems", lose)


def _seen(door: Porch, page: Account) -> list[dict[str, Any]]:
    """What a reader sees of a page's conversations, by nothing that differs between two pages."""
    inbox, found = door.box.services.inbox, []
    for item in door.rows("inbox", "conv#"):
        if item["sk"] != "conv" or item.get("account_id") != page.account_id:
            continue
        c = inbox.store.get(item["pk"].partition("#")[2])
        messages, _ = inbox.messages(c, 200)
        found.append(
            {
                "thread": c.thread.replace(page.external_id, ""),
                "state": str(c.state),
                "customer": c.customer,
                "times": [c.first_customer_at, c.last_customer_at, c.last_own_at, c.unanswered_since],
                "clocks": sorted((str(k.kind), k.started_at, k.due_at, k.ended_at) for k in c.clocks),
                "messages": [
                    (
                        m.external_id.replace(page.external_id, ""),
                        m.own,
                        m.text,
                        m.at,
                        m.edited_at,
                        m.deleted_at,
                    )
                    for m in messages
                ],
            }
        )
    return sorted(found, key=lambda c: str(c["thread"]))


def test_a_delivery_that_comes_days_late_is_taken_like_any_other(door: Porch) -> None:
    page = _page(door)
    _deliver(door, page, [_comment(1, "501", "POST")])
    door.stage.clock.advance(seconds=timedelta(days=6).total_seconds())
    assert door.ingest() == ["done"]
    assert door.ingest() == []
    (seen,) = _seen(door, page)
    assert seen["messages"][0][2] == "message 1 🌞"
