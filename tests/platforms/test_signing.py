"""HMACs against public vectors, and JSON that must be refused before anything keeps it."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import InvalidInput
from chalicelib.platforms.signing import (
    MAX_DIGITS,
    any_key,
    fingerprint,
    hmac_base64,
    hmac_hex,
    json_object,
    list_of,
    matches,
    object_of,
    text_of,
    when_iso,
    when_millis,
    when_seconds,
)


def test_the_vector_of_the_form_that_github_and_meta_share() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    signed = hmac_hex(b"It's a Secret to Everybody", b"Hello, World!")
    assert signed == b"757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_the_vectors_of_convoy() -> None:
    """https://github.com/frain-dev/convoy pkg/verifier/verifier_test.go"""
    message = b"Test Payload Body"
    assert hmac_hex(b"Convoy", message) == b"d7a154547e7c35e31c4c820e20237650939c3d34dae136e30a7757ca61abb4cf"
    long = hmac_hex(b"Convoy", message, "sha512")
    assert (long[:8], long[-6:], len(long)) == (b"83306382", b"1fee2d", 128)
    assert base64.b64decode(hmac_base64(b"Convoy", message)).hex().encode() == hmac_hex(b"Convoy", message)


def test_the_vector_of_standard_webhooks() -> None:
    """https://github.com/standard-webhooks/standard-webhooks spec/standard-webhooks.md"""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    message = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert hmac_base64(key, message) == b"g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("given", ["", "ab", "abcd", "ABC", "abc ", "abé", "ab\ud800", "abс"])
def test_only_the_same_bytes_match(given: str) -> None:
    assert matches(b"abc", "abc")
    assert not matches(b"abc", given)


def test_every_live_key_is_tried_and_an_empty_one_proves_nothing() -> None:
    tried = []

    def sign(key: bytes) -> bytes:
        tried.append(key)
        return b"signed by " + key

    assert any_key([b"new", b"old"], sign, "signed by new")
    assert tried == [b"new", b"old"]
    assert any_key([b"new", b"old"], sign, "signed by old")
    assert not any_key([b"new", b"old"], sign, "signed by ")
    assert not any_key([b""], sign, "signed by ")
    assert not any_key([], sign, "signed by ")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"nul", "not JSON"),
        (b"{}x", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"\xff{}", "UTF-8"),
        ("{}".encode("utf-16"), "UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":Infinity}', "Infinity"),
        (b'{"a":-Infinity}', "Infinity"),
        (b'{"a":1e400}', "too large"),
        (b'{"a":' + b"1" * (MAX_DIGITS + 1) + b"}", "digits"),
        (b'{"a":' + b"1" * 100_000 + b"}", "digits"),
        (b'{"a":"\\ud83d"}', "surrogate"),
        (b'{"a":"\\uDE00"}', "surrogate"),
        (b'{"\\ud83d":1}', "surrogate"),
        (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
        (b'{"a":1,"a":2}', "twice"),
        (b'{"b":{"a":1,"\\u0061":2}}', "twice"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b'{"a":' * 64 + b"[]" + b"}" * 64, "nested"),
    ],
    ids=lambda given: repr(given[:24]),
)
def test_json_that_could_harm_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        json_object(raw)


def test_json_as_platforms_write_it_is_read() -> None:
    assert json_object(b'{"a":"\\ud83d\\ude00 \\u00e4","b":[1.5e3,-7,null,true]}') == {
        "a": "😀 ä",
        "b": [1500.0, -7, None, True],
    }
    assert json_object(b'{"a":' * 64 + b"1" + b"}" * 64)
    wide = b'{"b":[' + b"[]," * 100 + b'0],"a":' + b'{"a":' * 63 + b"1" + b"}" * 64
    assert len(json_object(wide)["b"]) == 101
    with pytest.raises(InvalidInput, match="nested"):
        json_object(wide.replace(b'"a":1', b'"a":[]'))
    many = {"a": [{"text": "{[" * 50} for _ in range(1000)]}
    assert json_object(json.dumps(many).encode()) == many


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=5), st.booleans())
def test_all_honest_json_is_read_and_can_be_written_again(body: dict[str, Any], escaped: bool) -> None:
    found = json_object(json.dumps(body, ensure_ascii=escaped).encode())
    assert found == body
    assert json_object(json.dumps(found, ensure_ascii=False).encode("utf-8")) == body


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_the_refusal(raw: bytes) -> None:
    try:
        found = json_object(raw)
    except InvalidInput:
        return
    assert isinstance(found, dict)


def test_values_are_what_they_must_be() -> None:
    assert (text_of("a"), text_of(7), text_of(None)) == ("a", "7", "")
    assert (object_of(None), object_of({"a": 1})) == ({}, {"a": 1})
    assert (list(list_of(None)), list(list_of([1]))) == ([], [1])
    wrong: list[tuple[Callable[[Any], Any], list[Any]]] = [
        (text_of, [True, 1.5, {}, []]),
        (object_of, ["a", 1, [], False]),
        (list_of, ["a", 1, {}, False]),
    ]
    for read, values in wrong:
        for value in values:
            with pytest.raises(TypeError):
                read(value)


def test_a_fingerprint_is_of_the_values_not_of_their_order() -> None:
    assert fingerprint({"a": 1, "b": "é"}) == fingerprint({"b": "é", "a": 1})
    assert fingerprint("a", "b") != fingerprint("ab") != fingerprint("a,b")
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"}) != fingerprint([{"a": "1"}])
    assert fingerprint({"a": 1}) == fingerprint({"a": 1}) != fingerprint({"a": True})


def test_times_are_aware() -> None:
    then = datetime(2026, 7, 24, 21, 23, 23, tzinfo=UTC)
    assert when_seconds(1784928203) == when_seconds("1784928203") == then
    assert when_millis("1784928203373") == then + timedelta(milliseconds=373)
    assert when_iso("2026-07-24T21:23:23+0000") == when_iso("2026-07-24T21:23:23.000Z") == then
    assert when_iso("2026-07-24T23:23:23+02:00") == then


@pytest.mark.parametrize("wrong", [None, True, 1.5, "", "-1", "1e9", "١٢", "9" * 40, [], 10**30, -(10**30)])
def test_what_is_no_time_is_refused(wrong: Any) -> None:
    for read in (when_seconds, when_millis):
        with pytest.raises((ValueError, TypeError)):
            read(wrong)


@pytest.mark.parametrize("wrong", [None, 7, "", "soon", "2026-07-24T21:23:23", "0001-01-01T00:00:00+23:00"])
def test_what_is_no_written_time_is_refused(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        when_iso(wrong)
