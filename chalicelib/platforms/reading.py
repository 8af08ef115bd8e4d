"""What readers of profiles share: what a network says of an account is believed within bounds only.

Strangers wrote it; what is not of the right kind, or too large to be true, is as if it had not been said.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.platforms.calls import web_address
from chalicelib.platforms.port import AccountRef

_COUNT_MOST = 10**11
_WORDS_MOST = 2_000
_LINK_MOST = 300
_LINKS_MOST = 20
_AHEAD_FOR = timedelta(days=1)  # how far a network's clock may be ahead of ours
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f\ud800-\udfff]+")


def count(value: object) -> int | None:
    """A whole number from zero up, which some networks write as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _COUNT_MOST else None


def words(value: object, most: int = _WORDS_MOST) -> str:
    """A text on one line, at most so many characters; empty for what is none."""
    return _BLANKS.sub(" ", value[: 2 * most]).strip()[:most].rstrip() if isinstance(value, str) else ""


def link(value: object) -> str:
    """An address that a browser may open and a table can hold, or nothing."""
    address = web_address(value)
    return "" if _BLANKS.search(address) else address


def links(values: Iterable[object]) -> tuple[str, ...]:
    """What stands in a profile's fields for links, each once, as it is written there."""
    written = (words(value, _LINK_MOST) for value in values)
    return tuple(dict.fromkeys(text for text in written if text))[:_LINKS_MOST]


def past(at: datetime | None, now: datetime) -> datetime | None:
    """A time that can have been; None for one that is still to come."""
    return at if at is not None and at <= now + _AHEAD_FOR else None


def is_renamed(account: AccountRef, handle: str) -> bool:
    """Whether the profile goes by another handle than the one we know."""
    known = account.handle.removeprefix("@").casefold()
    return bool(known and handle) and known != handle.removeprefix("@").casefold()
