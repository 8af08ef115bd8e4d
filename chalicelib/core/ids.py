"""Ids that sort by creation, are URL-safe, and carry the noun they name: `post_01j9...`."""

import os
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: no i, l, o, u
_TIME_CHARS = 10
_RANDOM_CHARS = 16


def new_id(noun: str, now: datetime) -> str:
    """A new id for `noun`: 48 bits of milliseconds, then 80 random bits (the layout of ULID)."""
    millis = (now - _EPOCH) // timedelta(milliseconds=1)
    return f"{noun}_{_encode(millis, _TIME_CHARS)}{_encode(int.from_bytes(os.urandom(10)), _RANDOM_CHARS)}"


def _encode(value: int, length: int) -> str:
    chars = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        chars.append(_ALPHABET[digit])
    return "".join(reversed(chars))
