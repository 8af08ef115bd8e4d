from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.ids import new_id

_ZONE = st.just(UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=_ZONE)  # noqa: DTZ001


@given(INSTANTS, st.integers(1, 10**12))
def test_ids_sort_by_creation(at: datetime, millis: int) -> None:
    later = at + timedelta(milliseconds=millis)
    assert new_id("post", at)[:15] < new_id("post", later)[:15]


@given(INSTANTS)
def test_an_id_is_its_noun_and_26_url_safe_characters(at: datetime) -> None:
    noun, _, rest = new_id("post", at).partition("_")
    assert noun == "post"
    assert len(rest) == 26
    assert set(rest) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_ids_of_the_same_millisecond_differ() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert len({new_id("c", at) for _ in range(10_000)}) == 10_000
