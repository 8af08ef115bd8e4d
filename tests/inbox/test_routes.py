"""The inbox over HTTP, as its document describes it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.history import SYSTEM
from chalicelib.openapi import document
from chalicelib.org.roles import Role
from tests.inbox.letters import Letterbox, answered, deleted, said
from tests.publishing.api import Desk


@pytest.fixture
def desk(letterbox: Letterbox) -> Iterator[Desk]:
    with Desk.open(letterbox.box) as opened:
        yield opened


def described(path: str, method: str, answer: Any) -> None:
    """Check an answer against the document."""
    from jsonschema import Draft202012Validator

    made = json.loads(json.dumps(document()))
    schema = made["paths"][path][method]["responses"]["2XX"]["content"]["application/json"]["schema"]
    assert schema != {"type": "object"}
    Draft202012Validator({**schema, "components": made["components"]}).validate(answer)


BODIES: list[tuple[str, Any]] = [
    ("assign", {"assignee_id": "me"}),
    ("unassign", {}),
    ("tag", {"tags": ["press", "Press"]}),
    ("untag", {"tags": ["press"]}),
    ("priority", {"priority": "high"}),
    ("note", {"text": "only for us"}),
    ("claim", {}),
    ("release", None),
    ("wait", {"on": "colleague", "why": "legal looks at it"}),
    ("escalate", {"why": "a threat"}),
    ("close", {}),
    ("reopen", {"why": "not yet"}),
    ("ignore", {"why": "a bot"}),
]


def test_every_move_answers_as_described(letterbox: Letterbox, desk: Desk) -> None:
    letterbox.take(said(letterbox.ago(9)), said(letterbox.ago(8), "n1", thread="t2"))
    api, one = desk.api(letterbox.responders[0]), letterbox.id_of("t1")
    for move, body in [*BODIES, ("merge", {"other_id": letterbox.id_of("t2")})]:
        status, answer = api("POST", f"/v1/inbox/{one}/{move}", body)
        assert status == (201 if move == "note" else 200), (move, answer)
        described(f"/v1/inbox/{{conversation_id}}/{move}", "post", answer)


def test_a_conversation_shows_its_messages_notes_clocks_and_who_is_writing(
    letterbox: Letterbox, desk: Desk
) -> None:
    letterbox.take(said(letterbox.ago(9), text="سلام", language="fa"), said(letterbox.ago(3), "m2", url=""))
    api, path = desk.api(letterbox.responders[0]), f"/v1/inbox/{letterbox.id_of('t1')}"
    api("POST", f"{path}/claim", {})
    api("POST", f"{path}/note", {"text": "I know her"})
    status, shown = api("GET", path)
    assert status == 200
    described("/v1/inbox/{conversation_id}", "get", shown)
    assert [m["external_id"] for m in shown["messages"]] == ["m2", "m1"]
    assert shown["messages"][1]["right_to_left"] is True
    assert shown["url"] == "https://social.test/m1"
    assert [n["text"] for n in shown["notes"]] == ["I know her"]
    assert shown["conversation"]["writing"]["person_id"] == letterbox.responders[0].person_id
    assert shown["conversation"]["clocks"][0]["due_at"]
    assert shown["conversation"]["may_become"]["closed"] == "nothing is left to do"
    status, first = api("GET", f"{path}?limit=1")
    status, second = api("GET", f"{path}?limit=1&cursor={first['cursor']}")
    assert [m["external_id"] for m in second["messages"]] == ["m1"]
    assert second["cursor"] is None


def test_what_happened_to_a_conversation_is_told_page_by_page(letterbox: Letterbox, desk: Desk) -> None:
    letterbox.take(said(letterbox.ago(9)))
    api, path = desk.api(letterbox.responders[0]), f"/v1/inbox/{letterbox.id_of('t1')}"
    for move, body in (("assign", {"assignee_id": "me"}), ("close", {"why": "she said thanks"})):
        letterbox.box.stage.clock.advance(seconds=1)
        api("POST", f"{path}/{move}", body)
    status, first = api("GET", f"{path}/history?limit=2")
    assert status == 200
    described("/v1/inbox/{conversation_id}/history", "get", first)
    _, second = api("GET", f"{path}/history?limit=2&cursor={first['cursor']}")
    told = first["history"] + second["history"]
    kept = letterbox.history(letterbox.conversation())
    assert [(r["what"], r["why"]) for r in told] == [(r.what, r.why) for r in kept]
    assert ("closed", "she said thanks") in {(r["what"], r["why"]) for r in told}
    assert {r["person_id"] for r in told} == {SYSTEM, letterbox.responders[0].person_id}
    assert second["cursor"] is None
    assert api("GET", f"{path}?cursor={first['cursor']}")[0] == 400


def test_the_history_of_two_that_were_merged_is_one_by_either_name(letterbox: Letterbox, desk: Desk) -> None:
    letterbox.take(said(letterbox.ago(9)), said(letterbox.ago(8), "n1", thread="t2"))
    api, one, two = desk.api(letterbox.responders[0]), letterbox.id_of("t1"), letterbox.id_of("t2")
    letterbox.box.stage.clock.advance(seconds=1)
    api("POST", f"/v1/inbox/{two}/tag", {"tags": ["press"]})
    api("POST", f"/v1/inbox/{one}/merge", {"other_id": two})
    _, told = api("GET", f"/v1/inbox/{one}/history")
    assert {r["subject"] for r in told["history"]} == {f"conversation#{one}", f"conversation#{two}"}
    assert {"tagged", "merged", "merged into another"} <= {r["what"] for r in told["history"]}
    assert [r["at"] for r in told["history"]] == sorted(r["at"] for r in told["history"])
    assert api("GET", f"/v1/inbox/{two}/history")[1]["history"] == told["history"]


def test_the_inbox_is_listed_page_by_page_and_filtered(letterbox: Letterbox, desk: Desk) -> None:
    letterbox.take(*(said(letterbox.ago(60 - n), f"m{n}", thread=f"t{n}") for n in range(3)))
    api = desk.api(letterbox.responders[0])
    status, first = api("GET", "/v1/inbox?limit=2")
    assert status == 200
    described("/v1/inbox", "get", first)
    _, second = api("GET", f"/v1/inbox?limit=2&cursor={first['cursor']}")
    ids = [c["conversation_id"] for page in (first, second) for c in page["conversations"]]
    assert ids == [letterbox.id_of(f"t{n}") for n in range(3)]
    api("POST", f"/v1/inbox/{ids[0]}/assign", {"assignee_id": "me"})
    _, mine = api("GET", "/v1/inbox?assignee=me&state=assigned")
    assert [c["conversation_id"] for c in mine["conversations"]] == ids[:1]
    _, none = desk.api(letterbox.responders[1])("GET", "/v1/inbox")
    assert none == {"conversations": [], "cursor": None}


def test_all_problems_of_a_query_are_told_at_once(letterbox: Letterbox, desk: Desk) -> None:
    api = desk.api(letterbox.responders[0])
    status, answer = api("GET", "/v1/inbox?state=sleepy&kind=letter&limit=0&cursor=x&unit=%23")
    assert status == 400
    assert {p["field"] for p in answer["problems"]} == {"state", "kind", "limit", "cursor", "unit"}
    status, answer = api("GET", "/v1/inbox?state=closed&group=todo&asignee=me&limit=x")
    assert (status, {p["field"] for p in answer["problems"]}) == (400, {"group", "asignee", "limit"})


def test_a_cursor_of_another_listing_leads_nowhere(letterbox: Letterbox, desk: Desk) -> None:
    letterbox.take(*(said(letterbox.ago(60 - n), f"m{n}", thread=f"t{n % 2}") for n in range(4)))
    api = desk.api(letterbox.responders[0])
    _, page = api("GET", "/v1/inbox?limit=1")
    for filters in ("group=done", "tag=press", "assignee=me"):
        assert api("GET", f"/v1/inbox?{filters}&cursor={page['cursor']}")[0] == 400
    assert api("GET", f"/v1/inbox/{letterbox.id_of('t1')}?cursor={page['cursor']}")[0] == 400


def test_all_problems_of_a_bulk_are_told_at_once(letterbox: Letterbox, desk: Desk) -> None:
    api = desk.api(letterbox.responders[0])
    body = {"conversation_ids": ["a", "a"], "move": "wait", "tags": ["x"]}
    status, answer = api("POST", "/v1/inbox/bulk", body)
    assert status == 400
    for words in ("on: wait needs it", "why: wait needs it", "tags: wait does not take it", "twice"):
        assert words in answer["problems"][0]["message"]
    many = {"conversation_ids": [f"k{n}" for n in range(51)], "move": "close"}
    assert api("POST", "/v1/inbox/bulk", many)[0] == 400


@pytest.mark.parametrize(
    ("move", "more"),
    [
        ("assign", {"assignee_id": "me"}),
        ("tag", {"tags": ["x"]}),
        ("priority", {"priority": "low"}),
        ("escalate", {"why": "x"}),
        ("close", {}),
    ],
)
def test_a_bulk_says_of_each_conversation_how_it_fared(
    letterbox: Letterbox, desk: Desk, move: str, more: Any
) -> None:
    letterbox.take(said(letterbox.ago(9)), said(letterbox.ago(8), "n1", thread="t2"))
    letterbox.take(said(letterbox.ago(8), "s1"), account=letterbox.accounts[1])
    theirs = letterbox.id_of("t1", letterbox.accounts[1])
    ids = [letterbox.id_of("t1"), theirs, letterbox.id_of("t2")]
    api = desk.api(letterbox.responders[0])
    status, answer = api("POST", "/v1/inbox/bulk", {"conversation_ids": ids, "move": move, **more})
    assert status == 200
    described("/v1/inbox/bulk", "post", answer)
    assert [(r["done"], r["error"]) for r in answer["results"]] == [
        (True, None), (False, "not_found"), (True, None),
    ]  # fmt: skip


def test_the_same_note_sent_twice_with_its_key_is_one_note(letterbox: Letterbox, desk: Desk) -> None:
    letterbox.take(said(letterbox.ago(9)))
    api, path = desk.api(letterbox.responders[0]), f"/v1/inbox/{letterbox.id_of('t1')}"
    sent = [api("POST", f"{path}/note", {"text": "x"}, **{"Idempotency-Key": "n1"}) for _ in range(2)]
    assert sent[0] == sent[1]
    assert len(api("GET", path)[1]["notes"]) == 1


@pytest.mark.parametrize("role", Role)
def test_a_role_of_another_unit_sees_and_moves_nothing(letterbox: Letterbox, desk: Desk, role: Role) -> None:
    letterbox.take(said(letterbox.ago(9)))
    api, one = desk.api(letterbox.person(role, letterbox.units[1])), letterbox.id_of("t1")
    status, listed = api("GET", "/v1/inbox")
    assert (status, listed.get("conversations", [])) in ((200, []), (403, []))
    for shown in ("", "/history"):
        assert api("GET", f"/v1/inbox/{one}{shown}")[0] in (403, 404)
    for move, body in BODIES:
        assert api("POST", f"/v1/inbox/{one}/{move}", body)[0] in (403, 404), move


def test_no_answer_shows_what_the_customer_deleted(letterbox: Letterbox, desk: Desk) -> None:
    letterbox.take(
        said(letterbox.ago(9), text="my secret"), answered(letterbox.ago(5)), deleted(letterbox.ago(1))
    )
    api = desk.api(letterbox.responders[0])
    answers = [api("GET", f"/v1/inbox/{letterbox.id_of('t1')}"), api("GET", "/v1/inbox?group=done")]
    assert "secret" not in str(answers)
    assert "Nowak" not in str(answers)
    (customers,) = [m for m in answers[0][1]["messages"] if not m["own"]]
    assert customers["deleted_at"] == (letterbox.now - timedelta(minutes=1)).isoformat().replace(
        "+00:00", "Z"
    )
