"""Record keys are valid, sort by time and belong to one variant."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platforms.bluesky.tid import tid
from tests.platforms.support import NOW

TIMES = st.timedeltas(timedelta(0), timedelta(days=365 * 230)).map(datetime(1970, 1, 1, tzinfo=UTC).__add__)


@given(TIMES, st.text())
def test_a_tid_has_the_form_of_the_specification(now: datetime, key: str) -> None:
    assert re.fullmatch(r"[234567a-j][234567a-z]{12}", tid(now, key))


@given(TIMES, st.timedeltas(timedelta(milliseconds=1), timedelta(days=365)), st.text(), st.text())
def test_a_later_tid_sorts_later(now: datetime, later_for: timedelta, key: str, other: str) -> None:
    assert tid(now, key) < tid(now + later_for, other)


@given(st.text())
def test_a_tid_is_the_same_for_the_same_variant_and_millisecond(key: str) -> None:
    assert tid(NOW, key) == tid(NOW + timedelta(microseconds=999), key)


def test_variants_of_one_millisecond_get_keys_of_their_own() -> None:
    assert len({tid(NOW, f"variant_{number}") for number in range(100)}) == 100


def test_a_tid_carries_its_time() -> None:
    alphabet = "234567abcdefghijklmnopqrstuvwxyz"
    value = 0
    for char in tid(NOW, "variant_1"):
        value = value * 32 + alphabet.index(char)
    assert (value >> 10) // 1000 == int(NOW.timestamp() * 1000)
