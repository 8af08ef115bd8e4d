"""Pages of the inbox: everything once, in order, and as little read for many conversations as for few."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.database import encode_item
from chalicelib.core.errors import NotFound
from chalicelib.inbox import facts
from chalicelib.inbox.access import Wanted
from chalicelib.inbox.model import Conversation, State
from chalicelib.org.model import Actor
from chalicelib.org.roles import Role
from tests.fakes.aws_faults import AwsFaults
from tests.inbox.letters import BEHNAM, Letterbox, answered, said


def pages(letterbox: Letterbox, actor: Actor, wanted: Wanted, limit: int) -> list[list[Conversation]]:
    found, after = [], ""
    while True:
        page, cursor = letterbox.inbox.page(actor, wanted, limit, after)
        found.append(page)
        if cursor is None:
            return found
        after = cursor


def test_pages_over_several_units_have_each_conversation_once_by_what_is_due_first(
    letterbox: Letterbox,
) -> None:
    for n in range(9):
        letterbox.take(
            said(letterbox.ago(100 - 7 * n), f"m{n}", thread=f"t{n}"), account=letterbox.accounts[n % 2]
        )
    found = pages(letterbox, letterbox.box.lead, Wanted(), 4)
    assert [c.thread for page in found for c in page] == [f"t{n}" for n in range(9)]
    north = pages(letterbox, letterbox.responders[0], Wanted(), 2)
    assert [c.thread for page in north for c in page] == [f"t{n}" for n in range(0, 9, 2)]


def test_who_holds_a_unit_and_an_account_of_it_sees_each_conversation_once(letterbox: Letterbox) -> None:
    org, (person, _) = letterbox.box.services.org, letterbox.responders
    unit_id, account_id = letterbox.units[0].unit_id, letterbox.accounts[0].account_id
    org.grant(letterbox.box.lead, person.person_id, Role.RESPONDER, unit_id, account_id)
    twice = Actor(person.person_id, person.name, org.grants_of(person.person_id))
    letterbox.take(said(letterbox.ago(9)), said(letterbox.ago(8), "n1", thread="t2"))
    found = pages(letterbox, twice, Wanted(), 10)
    assert [c.thread for page in found for c in page] == ["t1", "t2"]


def test_what_is_over_comes_latest_first(letterbox: Letterbox) -> None:
    for n in range(5):
        thread = {"thread": f"t{n}"}
        letterbox.take(
            said(letterbox.ago(100 - n), f"m{n}", **thread),
            answered(letterbox.ago(50 - n), f"a{n}", **thread),
        )
    done = pages(letterbox, letterbox.box.lead, Wanted(group="done"), 2)
    assert [c.thread for page in done for c in page] == ["t4", "t3", "t2", "t1", "t0"]
    assert letterbox.inbox.page(letterbox.box.lead, Wanted(), 50) == ([], None)


def test_filters_let_by_what_they_name(letterbox: Letterbox) -> None:
    actor, south = letterbox.responders
    letterbox.take(said(letterbox.ago(9)), said(letterbox.ago(8), "n1", thread="t2", author=BEHNAM))
    letterbox.take(said(letterbox.ago(7), "s1", thread="t3"), account=letterbox.accounts[1])
    moves = letterbox.inbox.moves
    moves.assign(actor, letterbox.id_of("t1"), actor.person_id)
    moves.tag(actor, letterbox.id_of("t2"), ["press"])
    moves.wait(actor, letterbox.id_of("t2"), "customer", "x")

    def threads(who: Actor, **wanted: Any) -> list[str]:
        return [c.thread for c in letterbox.inbox.page(who, Wanted(**wanted), 50)[0]]

    lead = letterbox.box.lead
    assert threads(lead) == ["t1", "t3"]
    assert threads(lead, state=State.ASSIGNED) == ["t1"]
    assert threads(lead, assignee_id=actor.person_id) == ["t1"]
    assert threads(south, assignee_id=actor.person_id) == []
    assert threads(lead, unit_id=letterbox.units[1].unit_id) == ["t3"]
    assert threads(lead, unit_id=letterbox.box.unit_id) == ["t1", "t3"]
    assert threads(lead, account_id=letterbox.accounts[0].account_id) == ["t1"]
    assert threads(lead, group="waiting", tag="press") == ["t2"]
    assert threads(lead, group="waiting", tag="other") == []
    assert threads(lead, kind="message") == []
    assert threads(actor, unit_id=letterbox.units[1].unit_id) == []
    with pytest.raises(NotFound):
        threads(lead, unit_id="unit_none")


def test_messages_come_page_by_page_newest_first(letterbox: Letterbox) -> None:
    letterbox.take(*(said(letterbox.ago(60 - n), f"m{n}") for n in range(7)))
    conversation, found = letterbox.conversation(), []
    before: str | None = ""
    while before is not None:
        page, before = letterbox.inbox.messages(conversation, 3, before)
        found.append([m.external_id for m in page])
    assert found == [["m6", "m5", "m4"], ["m3", "m2", "m1"], ["m0"]]


# As much read for a thousand as for a hundred


def filled(letterbox: Letterbox, number: int) -> None:
    """So many conversations to do, put there as they would be after many events."""
    letterbox.take(said(letterbox.ago(9000)))
    stage, model = letterbox.box.stage, letterbox.conversation()
    key = {"pk": f"conv#{model.conversation_id}", "sk": "conv"}
    item = stage.database.get("inbox", key)
    assert item is not None
    for n in range(number):
        at = facts.stored_time(letterbox.ago(9000) + timedelta(seconds=n))
        made = {**item, "pk": f"conv#k{n:032}", "conversation_id": f"k{n:032}"}
        made["lsk"] = f"{at.isoformat()}#k{n:032}"
        table = stage.settings.table("inbox")
        stage.dynamodb.put_item(TableName=table, Item=encode_item(made))


def read(letterbox: Letterbox, wanted: Wanted) -> tuple[int, int, int]:
    """Pages, calls and rows asked for, of the first three pages."""
    faults, after = AwsFaults(letterbox.box.stage.dynamodb), ""
    with faults.plan():
        for _ in range(3):
            page, cursor = letterbox.inbox.page(letterbox.box.lead, wanted, 20, after)
            assert len(page) == (20 if wanted.tag is None else 0)
            after = cursor or ""
        rows = 0
        for call, request in zip(faults.calls, faults.requests, strict=True):
            if call == "Query":
                rows += request.get("Limit", 0)
            else:
                rows += sum(len(of["Keys"]) for of in request.get("RequestItems", {}).values())
        return 3, len(faults.calls), rows


def test_a_page_reads_as_much_of_a_hundred_conversations_as_of_a_thousand(letterbox: Letterbox) -> None:
    filled(letterbox, 100)
    few = read(letterbox, Wanted())
    filled(letterbox, 1000)
    assert read(letterbox, Wanted()) == few
    assert few[2] <= 400


def test_a_filter_that_lets_nothing_by_ends_its_page_after_so_many(letterbox: Letterbox) -> None:
    filled(letterbox, 1000)
    page, cursor = letterbox.inbox.page(letterbox.box.lead, Wanted(tag="none"), 50)
    assert page == []
    assert cursor is not None


def test_an_event_reads_as_much_in_a_long_conversation_as_in_a_short_one(letterbox: Letterbox) -> None:
    def cost(event: Any) -> list[str]:
        faults = AwsFaults(letterbox.box.stage.dynamodb)
        with faults.plan():
            letterbox.take(event)
            return list(faults.calls)

    letterbox.take(said(letterbox.ago(100)))
    short = cost(said(letterbox.ago(99), "m2")), cost(answered(letterbox.ago(98), "a1"))
    letterbox.take(*(said(letterbox.ago(90 - n), f"n{n}") for n in range(40)))
    assert (cost(said(letterbox.ago(9), "m3")), cost(answered(letterbox.ago(8), "a2"))) == short
    assert short[0].count("GetItem") + short[0].count("Query") <= 3
    assert replace(letterbox.conversation(), version=0).messages == 45
