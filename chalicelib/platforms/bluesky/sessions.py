"""Sessions with Bluesky, kept and renewed: an account may sign in 30 times in 5 minutes and 300 times a day.

Each step is tried once and falls through to the next, so that two workers that race to renew cannot loop.
"""

import json
from base64 import urlsafe_b64decode
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Self

from chalicelib.core.clock import Clock, to_text
from chalicelib.platforms.bluesky.xrpc import RENEWED, UNDOCUMENTED, SessionEnded, Xrpc
from chalicelib.platforms.calls import time_of
from chalicelib.platforms.errors import AuthExpired, Unavailable
from chalicelib.platforms.port import AccountRef, SessionStore

# What `prepare` leaves `publish` at least; an access token lives for two hours.
_LEFT_FOR = timedelta(minutes=5)
_UNREADABLE_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Session:
    """One session as it is stored. `made_from` is a digest of the credentials that opened it."""

    did: str
    handle: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: str
    made_from: str

    @classmethod
    def from_stored(cls, stored: dict[str, str] | None) -> Self | None:
        try:
            return cls(**stored) if stored else None
        except TypeError:  # stored by another version: sign in again
            return None


class Sessions:
    def __init__(self, xrpc: Xrpc, clock: Clock, store: SessionStore) -> None:
        self._xrpc = xrpc
        self._clock = clock
        self._store = store

    def ready(self, account: AccountRef) -> Session:
        """A session good for minutes more: the stored one, else a renewed one, else a new one.

        Raises AuthExpired, RateLimited, Rejected, Unavailable or VersionGone.
        """
        stored = self._stored(account)
        if stored and self._lasts(stored, _LEFT_FOR):
            return stored
        if stored:
            try:
                return self._open(account, self._xrpc.post(account.server, _REFRESH, stored.refresh))
            except (SessionEnded, AuthExpired):
                newer = self._stored(account)
                if newer and newer != stored and self._lasts(newer, _LEFT_FOR):
                    return newer  # another worker was first
        return self._open(account, self._xrpc.post(account.server, _CREATE, data=_sign_in(account)))

    def current(self, account: AccountRef) -> Session:
        """The stored session, without calling anybody. Raises Unavailable when it has ended."""
        stored = self._stored(account)
        if stored is None or not self._lasts(stored, timedelta(0)):
            raise Unavailable(RENEWED)
        return stored

    def drop(self, account: AccountRef, ended: Session) -> None:
        """Forget an access token that the server refused, unless somebody has renewed it already."""
        if self._stored(account) == ended:
            self._store.put(account.account_id, asdict(ended) | {"access": ""})

    def _stored(self, account: AccountRef) -> Session | None:
        session = Session.from_stored(self._store.get(account.account_id))
        if session is None or session.made_from != _digest(account):
            return None
        return session

    def _lasts(self, session: Session, for_: timedelta) -> bool:
        expires_at = time_of(session.expires_at)
        return bool(session.access) and expires_at is not None and self._clock.now() + for_ < expires_at

    def _open(self, account: AccountRef, answer: dict[str, object]) -> Session:
        values = [answer.get(name) for name in ("did", "handle", "accessJwt", "refreshJwt")]
        did, handle, access, refresh = (value if isinstance(value, str) else "" for value in values)
        if not (did and access and refresh):
            raise Unavailable(UNDOCUMENTED)
        if account.external_id and did != account.external_id:
            raise AuthExpired("These credentials belong to another Bluesky account; connect the right one.")
        expires_at = to_text(_expiry(access) or self._clock.now() + _UNREADABLE_FOR)
        session = Session(did, handle, access, refresh, expires_at, _digest(account))
        self._store.put(account.account_id, asdict(session))
        return session


_CREATE = "com.atproto.server.createSession"
_REFRESH = "com.atproto.server.refreshSession"


def _sign_in(account: AccountRef) -> dict[str, str]:
    password = account.credentials.get("password", "")
    if not password:
        raise AuthExpired("There is no app password for this Bluesky account; connect it again.")
    return {"identifier": account.external_id or account.handle, "password": password}


def _digest(account: AccountRef) -> str:
    return sha256(account.credentials.get("password", "").encode()).hexdigest()


def _expiry(token: str) -> datetime | None:
    """The `exp` of a JWT, read without checking its signature: it is our own token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, OSError, RecursionError):
        return None
