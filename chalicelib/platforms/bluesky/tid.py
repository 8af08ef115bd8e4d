"""Record keys: the TID that a post gets before anybody is called, so that asking twice writes once."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tid(now: datetime, key: str) -> str:
    """The TID of a variant: the same for the same millisecond and key (https://atproto.com/specs/tid).

    The microseconds below the millisecond and the clock id come from the key, so that two variants planned in
    the same millisecond differ (but for one in a million, and then the second does not overwrite the first).
    """
    below = int.from_bytes(sha256(key.encode()).digest()[:8])
    micros = (now - _EPOCH) // timedelta(milliseconds=1) * 1000 + below % 1000
    value = (micros & (1 << 53) - 1) << 10 | (below // 1000) % 1024
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(60, -1, -5))
