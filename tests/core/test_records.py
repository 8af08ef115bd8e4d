"""Records survive a round trip through DynamoDB's typed form, whatever is in them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.database import decode_item, encode, encode_item
from chalicelib.core.records import from_item, to_item
from tests.fakes.stage import Stage


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True)
class Inner:
    name: str
    on: date | None
    tags: frozenset[str]


@dataclass(frozen=True)
class Outer:
    text: str
    count: int
    is_on: bool
    at: datetime
    colour: Colour
    inner: Inner
    maybe: str | None
    many: tuple[Inner, ...]
    tags: frozenset[str]
    times: dict[str, datetime]
    later: datetime | None = None
    words: tuple[str, ...] = ()
    note: dict[str, str] = field(default_factory=dict)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FIRST, LAST = datetime(1970, 1, 1), datetime(2999, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
instants = st.datetimes(FIRST, LAST, timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
inners = st.builds(Inner, texts, st.none() | st.dates(), st.frozensets(texts.filter(bool), max_size=3))
outers = st.builds(
    Outer,
    text=texts,
    count=st.integers(-(10**38) + 1, 10**38 - 1),
    is_on=st.booleans(),
    at=instants,
    colour=st.sampled_from(Colour),
    inner=inners,
    maybe=st.none() | texts,
    many=st.lists(inners, max_size=3).map(tuple),
    tags=st.frozensets(texts.filter(bool), max_size=3),
    times=st.dictionaries(texts.filter(bool), instants, max_size=3),
    later=st.none() | instants,
    words=st.lists(texts, max_size=3).map(tuple),
    note=st.dictionaries(texts.filter(bool), texts, max_size=3),
)


@given(outers)
def test_a_record_comes_back_as_it_was(record: Outer) -> None:
    assert from_item(Outer, decode_item(encode_item(to_item(record)))) == record


def test_a_record_comes_back_from_the_database_as_it_was(stage: Stage) -> None:
    record = Outer(
        "Żółć, سلام 🇵🇱", -3, False, stage.clock.now(), Colour.GREEN, Inner("", None, frozenset()), None,
        (Inner("a", date(2026, 2, 28), frozenset({"x"})),), frozenset(), {"a": stage.clock.now()},
    )  # fmt: skip
    stage.database.put("posts", {"pk": "a", "sk": "b", **to_item(record)})

    assert from_item(Outer, stage.database.get("posts", {"pk": "a", "sk": "b"}) or {}) == record


def test_a_row_of_an_older_version_takes_the_defaults() -> None:
    @dataclass(frozen=True)
    class Newer:
        name: str
        added: int = 7

    assert from_item(Newer, {"name": "a"}) == Newer("a", 7)


def test_a_row_of_a_newer_version_is_read_without_what_is_not_known() -> None:
    assert from_item(Inner, {"name": "a", "surprise": [1]}) == Inner("a", None, frozenset())


def test_a_field_that_must_be_there_is_named_when_it_is_not() -> None:
    with pytest.raises(KeyError, match=r"Inner\.name"):
        from_item(Inner, {})


@pytest.mark.parametrize("value", [1.5, b"x", 10**38, -(10**38), [1.5], {"a": b"x"}, [set()], object()])
def test_what_would_not_come_back_the_same_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encode(value)
