"""Polls an account's notifications: back from the newest to where the last poll began, and a little further.

Lexicons app.bsky.notification.listNotifications and com.atproto.sync.getRepoStatus. The list is sorted by the
earlier of a record's own `createdAt` and its indexing, which it calls `indexedAt` (packages/bsky of
https://github.com/bluesky-social/atproto): what is indexed late stands below what a poll has seen already.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from chalicelib.core.clock import Clock, from_text, to_text
from chalicelib.platforms.bluesky.sessions import Sessions
from chalicelib.platforms.bluesky.xrpc import UNDOCUMENTED, SessionEnded, Xrpc
from chalicelib.platforms.calls import time_of
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Unavailable
from chalicelib.platforms.inbound import Piece, Polled
from chalicelib.platforms.port import AccountRef

_PAGE = "100"
_PAGES_MOST = 10
# How much older than the newest a record may claim to be and is still found. One that claims more stands
# where nobody looks, in Bluesky's own app too.
_OVERLAP_FOR = timedelta(hours=1)
_SEEN_MOST = 500
_STATUS_EVERY = timedelta(minutes=10)
# Of other people's affairs: posts of those whom we follow, and contacts who have joined.
_NOT_OURS = frozenset({"subscribed-post", "contact-match", "starterpack-joined"})


@dataclass(frozen=True)
class _Mark:
    """Everything from `floor` on is to be delivered, but for the `seen`, newest first, which are."""

    floor: str
    seen: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Place:
    """Where a poll goes on.

    `back` is the server's own cursor when a poll stopped before it came down to `mark`: the next one goes on
    there, and `top` is the mark that counts once it has. `status` was the repository's at `checked_at`.
    """

    mark: _Mark
    checked_at: str
    status: str = "active"
    back: str = ""
    top: _Mark | None = None

    @classmethod
    def of(cls, cursor: str) -> Self:
        kept = json.loads(cursor)
        return cls(**kept | {"mark": _mark(kept["mark"]), "top": kept["top"] and _mark(kept["top"])})

    def as_cursor(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


def _mark(kept: dict[str, Any]) -> _Mark:
    return _Mark(kept["floor"], tuple(kept["seen"]))


@dataclass(frozen=True)
class _Found:
    at: datetime
    digest: str
    told: dict[str, Any]


class Notifications:
    def __init__(self, xrpc: Xrpc, clock: Clock, sessions: Sessions) -> None:
        self._xrpc = xrpc
        self._clock = clock
        self._sessions = sessions

    def poll(self, account: AccountRef, cursor: str) -> Polled:
        """As `Polling.poll` says. What was read before a failure is given; the failure comes next time."""
        now = self._clock.now()
        if not cursor:
            return Polled((), _Place(_Mark(to_text(now)), to_text(now)).as_cursor())
        place = _Place.of(cursor)
        if now - from_text(place.checked_at) >= _STATUS_EVERY:
            place, restricted = self._checked(account, place)
            if restricted:
                return Polled((restricted,), place.as_cursor())
        try:
            found, back = self._walk(account, place)
        except AuthExpired:
            # How a taken down account answers; the reason is public, and worth more than "connect it again".
            place, restricted = self._checked(account, place)
            if not restricted:
                raise
            return Polled((restricted,), place.as_cursor())
        seen = frozenset(place.mark.seen)
        fresh = [one for one in found if one.digest not in seen and one.told["reason"] not in _NOT_OURS]
        pieces = [{"account": account.external_id, "notification": one.told} for one in fresh]
        return Polled(tuple(reversed(pieces)), self._next(place, found, back).as_cursor(), bool(back))

    def _walk(self, account: AccountRef, place: _Place) -> tuple[list[_Found], str]:
        """What stands above the floor, newest first, and the server's cursor when there is more of it."""
        floor, back = from_text(place.mark.floor), place.back
        found: dict[str, _Found] = {}
        for _ in range(_PAGES_MOST):
            try:
                page, older = self._page(account, back)
            except AdapterError:
                if not found:
                    raise
                return _newest_first(found), back
            found |= {one.digest: one for one in page if one.at >= floor}
            if not older or older == back or (page and page[-1].at < floor):
                return _newest_first(found), ""
            back = older
        return _newest_first(found), back

    def _page(self, account: AccountRef, back: str) -> tuple[list[_Found], str]:
        session = self._sessions.ready(account)
        # `priority` false: an account may have chosen to be told of people it follows only, and customers are
        # not among them.
        params = {"limit": _PAGE, "priority": "false"} | ({"cursor": back} if back else {})
        try:
            answer = self._xrpc.get(
                account.server, "app.bsky.notification.listNotifications", session.access, **params
            )
        except SessionEnded:
            self._sessions.drop(account, session)
            raise
        listed, older = answer.get("notifications"), answer.get("cursor")
        if not isinstance(listed, list):
            raise Unavailable(UNDOCUMENTED)
        return [_found(told) for told in listed], older if isinstance(older, str) else ""

    def _next(self, place: _Place, found: list[_Found], back: str) -> _Place:
        """The place after a walk: its mark when the floor was reached, else the way that is left to it."""
        top = place.top
        if top is None:
            # A time ahead of ours would hide everything until then.
            newest = min(found[0].at, self._clock.now()) if found else from_text(place.mark.floor)
            top = _Mark(max(place.mark.floor, to_text(newest - _OVERLAP_FOR)))
        above = [one for one in found if to_text(one.at) >= top.floor]
        room = _SEEN_MOST - len(top.seen)
        if len(above) > room > 0:
            top = replace(top, floor=to_text(above[room - 1].at))
        top = replace(top, seen=(*top.seen, *(one.digest for one in above[:room])))
        return replace(place, back=back, top=top) if back else replace(place, mark=top, back="", top=None)

    def _checked(self, account: AccountRef, place: _Place) -> tuple[_Place, Piece | None]:
        """The place with the repository's status, and a piece when it is not active any more."""
        try:
            answer = self._xrpc.get(account.server, "com.atproto.sync.getRepoStatus", did=account.external_id)
        except RateLimited:
            raise
        except AdapterError:
            return place, None
        if not isinstance(answer.get("active"), bool):
            return place, None
        status = "active" if answer["active"] else str(answer.get("status", ""))
        now = replace(place, checked_at=to_text(self._clock.now()), status=status)
        if status in ("active", place.status):
            return now, None
        # `since` makes the event's key: the same when this poll is repeated, another when it happens again.
        told = {"repo": dict(answer), "at": now.checked_at, "since": place.checked_at}
        return now, {"account": account.external_id, **told}


def _found(told: Any) -> _Found:
    """Raises Unavailable for what cannot be put in order."""
    at = time_of(told.get("indexedAt")) if isinstance(told, dict) else None
    if at is None or not all(isinstance(told.get(name), str) for name in ("uri", "cid", "reason")):
        raise Unavailable(UNDOCUMENTED)
    digest = sha256(f"{told['reason']} {told['uri']} {told['cid']}".encode()).hexdigest()[:16]
    return _Found(at, digest, told)


def _newest_first(found: dict[str, _Found]) -> list[_Found]:
    return sorted(found.values(), key=lambda one: one.at, reverse=True)
