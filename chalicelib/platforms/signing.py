"""What every webhook scheme shares: HMACs compared as bytes in constant time, and JSON that cannot harm us.

Signatures are made over the bytes that came, never over JSON that was read and written again.
"""

import base64
import hmac
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from chalicelib.core.errors import InvalidInput, Problem

MAX_DIGITS = 38
"""The longest whole number that the database can hold; no platform's id is longer."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def hmac_hex(key: bytes, message: bytes, digest: str = "sha256") -> bytes:
    """The HMAC in lower-case hex digits (RFC 2104)."""
    return hmac.digest(key, message, digest).hex().encode()


def hmac_base64(key: bytes, message: bytes, digest: str = "sha256") -> bytes:
    """The HMAC in padded standard base64 (RFC 4648 section 4)."""
    return base64.b64encode(hmac.digest(key, message, digest))


def matches(expected: bytes, given: str) -> bool:
    """Whether they are the same, in constant time; what is not ASCII never is."""
    return given.isascii() and hmac.compare_digest(expected, given.encode("ascii"))


def any_key(keys: Iterable[bytes], sign: Callable[[bytes], bytes], given: str) -> bool:
    """Whether `given` is what `sign` makes of one of the live keys.

    All keys are tried, so the time does not say which one matched. An empty key proves nothing: never True.
    """
    found = False
    for key in keys:
        found |= bool(key) and matches(sign(key), given)
    return found


def json_object(raw: bytes, max_depth: int = 64) -> dict[str, Any]:
    """The JSON object of a body, safe to keep, to send on and to write again.

    Raises InvalidInput for what is not UTF-8, not JSON or not an object, for nesting over `max_depth`, NaN
    and infinite numbers, whole numbers over MAX_DIGITS, halves of surrogate pairs, and a name that comes
    twice in one object (RFC 8259 section 4 leaves open which one counts).
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_short,
        )
    except UnicodeDecodeError:
        raise _refused("is not text in UTF-8") from None
    except RecursionError:
        raise _refused(f"is nested deeper than {max_depth} levels") from None
    except ValueError:
        raise _refused("is not JSON") from None
    if not isinstance(value, dict):
        raise _refused("is not a JSON object")
    if raw.count(b"[") + raw.count(b"{") > max_depth and _is_deeper(value, max_depth):
        raise _refused(f"is nested deeper than {max_depth} levels")
    if b"\\ud" in raw or b"\\uD" in raw:
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise _refused("holds half a surrogate pair, which is not text") from None
    return value


def text_of(value: Any) -> str:
    """A text or a whole number as text, "" for None: platforms write ids both ways. Raises TypeError."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"a text was expected, not {type(value).__name__}")


def object_of(value: Any) -> Mapping[str, Any]:
    """A JSON object, empty for None. Raises TypeError."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise TypeError(f"an object was expected, not {type(value).__name__}")


def list_of(value: Any) -> Sequence[Any]:
    """A JSON array, empty for None. Raises TypeError."""
    if value is None:
        return ()
    if isinstance(value, list):
        return value
    raise TypeError(f"an array was expected, not {type(value).__name__}")


def fingerprint(*parts: Any) -> str:
    """The same text for the same JSON values, in whatever order their names come, and for no others.

    It is the key of an event that its platform gave none.
    """
    plain = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return sha256(plain.encode("ascii")).hexdigest()


def when_seconds(value: Any) -> datetime:
    """The instant of Unix seconds, a number or its text. Raises ValueError, TypeError."""
    return _after_epoch(_number(value), timedelta(seconds=1))


def when_millis(value: Any) -> datetime:
    """The instant of Unix milliseconds, a number or its text. Raises ValueError, TypeError."""
    return _after_epoch(_number(value), timedelta(milliseconds=1))


def when_iso(value: Any) -> datetime:
    """The instant of an ISO 8601 time with a zone (`Z`, `+00:00`, `+0000`). Raises ValueError, TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"a time was expected, not {type(value).__name__}")
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time outside of the calendar") from None


def _number(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError("a whole number was expected")


def _after_epoch(units: int, unit: timedelta) -> datetime:
    try:
        return _EPOCH + units * unit
    except OverflowError:
        raise ValueError("a time outside of the calendar") from None


def _refused(why: str) -> InvalidInput:
    return InvalidInput([Problem("body", why)])


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _refused("has a name that comes twice in the same object")
    return found


def _no_number(name: str) -> Any:
    raise _refused(f"{name} is not a number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _refused("holds a number that is too large")
    return number


def _short(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _refused(f"holds a whole number of more than {MAX_DIGITS} digits")
    return int(digits)


def _is_deeper(value: Any, levels: int) -> bool:
    layer = [value]
    while layer:
        if levels == 0:
            return any(isinstance(item, dict | list) for item in layer)
        inner: list[Any] = []
        for item in layer:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        layer, levels = inner, levels - 1
    return False
