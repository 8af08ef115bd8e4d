"""What the readers of Meta's networks share: the access, the node that is asked for, the newest of its posts.

https://developers.facebook.com/docs/graph-api/guides/field-expansion: an edge can be asked for as a field,
with a limit, and is left out of the answer when it is empty.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.platforms.calls import time_of
from chalicelib.platforms.errors import AuthExpired, Rejected
from chalicelib.platforms.port import AccountRef
from chalicelib.platforms.reading import past

_ID = re.compile(r"[0-9]{1,25}", re.ASCII)


def node_of(account: AccountRef) -> str:
    """The account's own node: `me`, which is whom the token is of, before its number is known.

    Raises AuthExpired without a token, Rejected for an id that is not Meta's number.
    """
    if not account.credentials.get("access_token"):
        raise AuthExpired("There is no access token for this account; connect it again.")
    if not account.external_id:
        return "me"
    if not _ID.fullmatch(account.external_id):
        raise Rejected("Meta cannot be asked: the account's external id must be Meta's number for it.")
    return account.external_id


def id_of(value: object) -> str:
    """Meta's number for something, empty for anything else; some answers have it without quotes."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if _ID.fullmatch(text) else ""


def items_of(edge: object) -> Sequence[dict[str, Any]]:
    """What an edge lists; nothing when it was left out. Raises ValueError for what is no edge."""
    if edge is None:
        return ()
    data = edge.get("data") if isinstance(edge, dict) else None
    if not isinstance(data, list):
        raise ValueError("an edge without its items")
    return [each for each in data if isinstance(each, dict)]


def newest(items: Sequence[dict[str, Any]], field: str, now: datetime) -> datetime | None:
    """When the newest was made; None only when there are none. Raises ValueError when none says it."""
    times = [at for item in items if (at := past(time_of(item.get(field)), now))]
    if items and not times:
        raise ValueError("posts without a time")
    return max(times, default=None)
