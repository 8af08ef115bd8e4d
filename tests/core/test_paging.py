import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.core.errors import InvalidInput
from chalicelib.core.expressions import where
from chalicelib.core.paging import DEFAULT_LIMIT, MAX_LIMIT, cursor_of, read_paging
from tests.fakes.aws_faults import AwsFaults
from tests.fakes.stage import Stage

KEYS = st.dictionaries(
    st.text(min_size=1), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
)


def forged(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@given(KEYS.filter(bool))
def test_a_cursor_leads_back_to_its_key(after: dict[str, str]) -> None:
    assert read_paging("posts", {"cursor": cursor_of("posts", after) or ""}) == (DEFAULT_LIMIT, after)


def test_the_last_page_has_no_cursor() -> None:
    assert cursor_of("posts", None) is None


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
@example("[" * 100_000)
@example(base64.urlsafe_b64encode(b"[" * 100_000).decode())
@example(base64.urlsafe_b64encode(b'["posts",{"pk":' + b"9" * 5000 + b"}]").decode())
@example(forged(["people", {"pk": "x"}]))
@example(forged(["posts", {"pk": 1}]))
@example(forged(["posts", {"pk": {"a": "b"}}]))
@example(forged(["posts", {"pk": ""}]))
@example(forged(["posts", {"pk": "\ud800"}]))
@example(forged(["posts", {"pk": "x" * 2000}]))
@example(forged(["posts", {}]))
@example(forged(["posts", None]))
@example(forged({"posts": 1, "b": 2}))
@example(forged("ab"))
@example(forged(7))
def test_a_cursor_that_no_listing_gave_out_is_refused_in_words(cursor: str) -> None:
    if cursor:
        with pytest.raises(InvalidInput, match="cursor: "):
            read_paging("posts", {"cursor": cursor})


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "", " 1", "٣", "1" * 5000, "0000019999", "1e2"])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(InvalidInput, match=f"limit: must be a whole number from 1 to {MAX_LIMIT}"):
        read_paging("posts", {"limit": limit})


def test_both_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_paging("posts", {"limit": "x", "cursor": "y"})
    assert [p.field for p in caught.value.problems] == ["limit", "cursor"]


def test_a_cursor_that_the_database_refuses_is_the_callers_problem(stage: Stage, faults: AwsFaults) -> None:
    client = faults.client

    def refuse(**_: object) -> tuple[object, dict[str, object]]:
        error = {"Code": "ValidationException", "Message": "The provided starting key is invalid"}
        return type("Answer", (), {"status_code": 400, "headers": {}}), {"Error": error}

    client.meta.events.register("before-call.dynamodb.Query", refuse)
    database = type(stage.database)(client, stage.settings)

    with pytest.raises(InvalidInput, match="cursor: leads nowhere"):
        database.query("posts", where("pk = :p", p="a"), after={"foo": "bar"})
