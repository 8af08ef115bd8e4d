"""Polls an account's notifications, forward from the last one, so that none is missed and few come twice.

https://docs.joinmastodon.org/methods/notifications/. Edits and deletions of messages that we have are out of
a poll's reach: a server notifies of neither. An administrator's webhook tells of edits, nothing of deletions.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self

from chalicelib.core.clock import Clock
from chalicelib.platforms.calls import time_of
from chalicelib.platforms.errors import AdapterError, AuthExpired, Unavailable
from chalicelib.platforms.inbound import Polled
from chalicelib.platforms.mastodon.api import UNDOCUMENTED, Api, LacksScope
from chalicelib.platforms.port import AccountRef

_PAGE = 30  # the most that servers before 4.1 give, so a shorter page is the last one on every server
_PAGE_BYTES = 8 * 2**20
_PAGES_MOST = 5
# A server gives an id before the row can be seen, so a lower id may appear after a higher one. The cursor
# stays behind what is younger than this, and remembers which of it was delivered.
_SETTLES_FOR = timedelta(minutes=1)
_SEEN_MOST = 60
_NO_SCOPE = (
    "The access token of this Mastodon account lacks the scope read:notifications, without which mentions "
    "and answers cannot be read. Add that scope to the application on the server, make a new token, and "
    "replace the account's credentials with it."
)
# Of other people's affairs: posts of those whom we follow, polls that ended, a moderator's work list.
_NOT_OURS = ("status", "poll", "admin.sign_up", "admin.report")


@dataclass(frozen=True)
class _Place:
    """`after`: every notification up to this id is delivered; `seen`: later ones that are, too."""

    after: str
    seen: tuple[str, ...] = ()

    @classmethod
    def of(cls, cursor: str) -> Self:
        kept = json.loads(cursor)
        return cls(kept["after"], tuple(kept["seen"]))

    def as_cursor(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


class Notifications:
    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def poll(self, account: AccountRef, cursor: str) -> Polled:
        """As `Polling.poll` says. What was read before a failure is given; the failure comes next time."""
        if not cursor:
            newest = self._page(account, {"limit": "1"})
            return Polled((), _Place(_id(newest[0]) if newest else "0").as_cursor())
        place = _Place.of(cursor)
        found, more = self._newer(account, place)
        fresh = [told for told in found if _id(told) not in place.seen]
        pieces = tuple({"account": account.external_id, "notification": told} for told in fresh)
        return Polled(pieces, self._next(place, found).as_cursor(), more)

    def _newer(self, account: AccountRef, place: _Place) -> tuple[list[dict[str, Any]], bool]:
        """What is newer than the place, oldest first, and whether there is more of it."""
        found: dict[str, dict[str, Any]] = {}
        after = place.after
        for _ in range(_PAGES_MOST):
            try:
                page = self._page(account, {"min_id": after, "limit": str(_PAGE)})
            except AdapterError:
                if not found:
                    raise
                return _in_order(found), True
            known = len(found)
            found |= {_id(told): told for told in page if _order(_id(told)) > _order(after)}
            if len(page) < _PAGE or len(found) == known:
                return _in_order(found), False
            after = max(found, key=_order)
        return _in_order(found), True

    def _page(self, account: AccountRef, params: Mapping[str, str]) -> list[dict[str, Any]]:
        # Without `include_filtered` a server keeps to itself what the account's policy filters, which may be
        # all private mentions by strangers (https://docs.joinmastodon.org/entities/NotificationPolicy/).
        asked = [
            *params.items(),
            ("include_filtered", "true"),
            *(("exclude_types[]", kind) for kind in _NOT_OURS),
        ]
        try:
            _, page = self._api.get(account, "/api/v1/notifications", asked, max_bytes=_PAGE_BYTES)
        except LacksScope:
            raise AuthExpired(_NO_SCOPE) from None
        if not isinstance(page, list) or not all(isinstance(told, dict) and _id(told) for told in page):
            raise Unavailable(UNDOCUMENTED)
        return page

    def _next(self, place: _Place, found: list[dict[str, Any]]) -> _Place:
        after, young_at = place.after, self._clock.now() - _SETTLES_FOR
        for index, told in enumerate(found):
            made_at = time_of(told.get("created_at"))
            if made_at is not None and made_at > young_at and len(found) - index <= _SEEN_MOST:
                break
            after = _id(told)
        delivered = {*place.seen, *(_id(told) for told in found)}
        return _Place(after, tuple(sorted((i for i in delivered if _order(i) > _order(after)), key=_order)))


def _id(told: Mapping[str, Any]) -> str:
    value = told.get("id")
    return (
        value if isinstance(value, str) and value.isascii() and value.isalnum() and len(value) <= 64 else ""
    )


def _order(told_id: str) -> tuple[int, str]:
    """Ids are numbers as texts: the longer one is the later one."""
    return len(told_id), told_id


def _in_order(found: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [found[told_id] for told_id in sorted(found, key=_order)]
