"""What is wrapped is unwrapped the same, and nothing else is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platforms.inbound import Signed
from chalicelib.webhooks.envelope import Wrapped, unwrap, wrap
from tests.conftest import NOON

leaves = st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text()
pieces = st.dictionaries(
    st.text(), st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)


@given(pieces, st.booleans(), st.sampled_from(["", "x" * 250_000]))
def test_a_piece_comes_out_as_it_went_in(piece: dict[str, Any], stale: bool, padding: str) -> None:
    piece = {**piece, "padding": padding}
    body = wrap("facebook", "default", NOON, Signed("sha256", stale), piece)
    assert len(body.encode()) < 250_000
    assert unwrap(body) == Wrapped("facebook", "default", NOON, "sha256", stale, piece)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_other_text_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="no inbound event"):
        unwrap(text)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "null", "[]", "7", '{"v":1}', '{"v":1,"z":7}', '{"v":1,"z":"x"}']
)
def test_hostile_texts_are_refused_too(text: str) -> None:
    with pytest.raises(ValueError, match="no inbound event"):
        unwrap(text)
