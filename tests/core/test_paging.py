import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.core.errors import InvalidInput
from chalicelib.core.expressions import where
from chalicelib.core.paging import cursor_of, listing_of, start_of
from tests.fakes.aws_faults import AwsFaults
from tests.fakes.stage import Stage

LISTING = listing_of("list_posts", {}, {})


def forged(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_a_cursor_leads_back_to_where_it_came_from(start: str) -> None:
    assert start_of(LISTING, cursor_of(LISTING, start) or "") == start


def test_the_last_page_has_no_cursor() -> None:
    assert cursor_of(LISTING, None) is None


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
@example("\ud800")
@example("[" * 100_000)
@example(base64.urlsafe_b64encode(b"[" * 100_000).decode())
@example(base64.urlsafe_b64encode(f'["{LISTING}",'.encode() + b"9" * 5000 + b"]").decode())
@example(forged([listing_of("list_people", {}, {}), "x"]))
@example(forged([listing_of("list_posts", {"unit_id": "x"}, {}), "x"]))
@example(forged([listing_of("list_posts", {}, {"state": "draft"}), "x"]))
@example(forged([LISTING, 1]))
@example(forged([LISTING, {"a": "b"}]))
@example(forged([LISTING, ""]))
@example(forged([LISTING, "\ud800"]))
@example(forged([LISTING, "x" * 2000]))
@example(forged([LISTING, None]))
@example(forged({LISTING: 1, "b": 2}))
@example(forged("ab"))
@example(forged(7))
def test_a_cursor_that_the_listing_did_not_give_out_leads_nowhere(cursor: str) -> None:
    assert start_of(LISTING, cursor) is None


def test_a_listing_is_the_same_on_every_page_of_it_and_no_other() -> None:
    filters = {"state": "draft", "unit": "u"}
    pages = [{**filters, "limit": "5"}, {"unit": "u", "state": "draft", "cursor": "x"}]
    assert len({listing_of("list_posts", {}, page) for page in pages}) == 1
    others = [("list_posts", {}, {"state": "draft"}), ("list_posts", {"unit": "u"}, {"state": "draft"})]
    assert len({listing_of("list_posts", {}, filters), *(listing_of(*other) for other in others)}) == 3


def test_a_cursor_that_the_database_refuses_is_the_callers_problem(stage: Stage, faults: AwsFaults) -> None:
    client = faults.client

    def refuse(**_: object) -> tuple[object, dict[str, object]]:
        error = {"Code": "ValidationException", "Message": "The provided starting key is invalid"}
        return type("Answer", (), {"status_code": 400, "headers": {}}), {"Error": error}

    client.meta.events.register("before-call.dynamodb.Query", refuse)
    database = type(stage.database)(client, stage.settings)

    with pytest.raises(InvalidInput, match="cursor: leads nowhere"):
        database.query("posts", where("pk = :p", p="a"), after={"foo": "bar"})
