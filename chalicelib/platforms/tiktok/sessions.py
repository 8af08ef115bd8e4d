"""A TikTok account's tokens, kept and renewed: access is for 24 hours, a renewal changes both.

That one may be the only one that still works, and nobody but a person can sign in: it is kept before anything
else. https://developers.tiktok.com/doc/oauth-user-access-token-management and /oauth-error-handling.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any, Self
from urllib.parse import urlencode

from chalicelib.core.clock import Clock, to_text
from chalicelib.core.http import HttpClient, Request, Response
from chalicelib.platforms.asking import Asking, bounded
from chalicelib.platforms.calls import plain, time_of
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import AccountRef, SessionStore
from chalicelib.platforms.reading import count

_RENEWING = ("refresh_token", "client_key", "client_secret")
_LEFT_FOR = timedelta(minutes=5)  # what a call has at least
_LONGEST_FOR = timedelta(days=365)
_CALL_FOR = timedelta(seconds=15)
_LIMITED_FOR = timedelta(minutes=1)
_TRIES = 3  # to store what cannot be had again
_NOT_RENEWED = "TikTok does not renew this account's access any more; connect it again."
_APP = "TikTok does not take the client_key and client_secret in this account's credentials; correct them."
_REFUSED = "TikTok refused to renew this account's access: {}."
# The documentation names the errors and not their statuses.
_REFUSALS: Mapping[str, tuple[type[AdapterError], str]] = {
    "access_denied": (AuthExpired, _NOT_RENEWED),
    "invalid_grant": (AuthExpired, _NOT_RENEWED),
    "invalid_client": (AuthExpired, _APP),
    "unauthorized_client": (AuthExpired, _APP),
    "invalid_request": (Rejected, _REFUSED),
    "unsupported_grant_type": (Rejected, _REFUSED),
}
_TOKEN = re.compile(r"[\x21-\x7e]{1,1500}", re.ASCII)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """The tokens as they are stored; `made_from` is a digest of the credentials that they began with.

    `expires_at` is empty where nobody has said it. `rotates` has the store read them anew each time.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: str
    made_from: str
    rotates: str = "yes"

    @classmethod
    def from_stored(cls, stored: dict[str, str] | None) -> Self | None:
        try:
            return cls(**stored) if stored else None
        except TypeError:  # stored by another version
            return None


class Sessions:
    def __init__(self, http: HttpClient, clock: Clock, store: SessionStore) -> None:
        self._http = http
        self._clock = clock
        self._store = store
        self._asking = Asking(http, "TikTok", self._sort)
        self._unstored: dict[str, Session] = {}

    def token(self, account: AccountRef) -> str:
        """An access token that is good for minutes more; that of the credentials where none can be renewed.

        Raises AuthExpired, RateLimited, Rejected or Unavailable.
        """
        session = self._session(account)
        if session is not None:
            return (session if self._lasts(session) else self._renewed(account, session)).access
        token = account.credentials.get("access_token", "")
        if not token:
            raise AuthExpired("There is no access token for this TikTok account; connect it again.")
        return token

    def instead_of(self, account: AccountRef, refused: str) -> str:
        """Another access token than the one that TikTok refused, or "" where none can be had. Raises as
        `token` does.
        """
        session = self._session(account)
        if session is None:
            return ""
        return (session if session.access != refused else self._renewed(account, session)).access

    def _session(self, account: AccountRef) -> Session | None:
        """What is stored, begun with the credentials where nothing is.

        None where they cannot be renewed; and where the store keeps nothing, as when credentials are tried
        out: renewing them there would lose the refresh token.
        """
        if not all(account.credentials.get(name) for name in _RENEWING):
            return None
        unstored = self._unstored.get(account.account_id)
        if unstored is not None and unstored.made_from == _digest(account):
            self._keep(account, unstored)
        stored = self._stored(account)
        if stored is None:
            given = account.credentials
            first = Session(given.get("access_token", ""), given["refresh_token"], "", _digest(account))
            self._store.put(account.account_id, asdict(first))
            stored = self._stored(account)
        return stored

    def _stored(self, account: AccountRef) -> Session | None:
        session = Session.from_stored(self._store.get(account.account_id))
        return session if session is not None and session.made_from == _digest(account) else None

    def _lasts(self, session: Session) -> bool:
        expires_at = time_of(session.expires_at)
        is_over = expires_at is not None and expires_at <= self._clock.now() + _LEFT_FOR
        return bool(session.access) and not is_over

    def _renewed(self, account: AccountRef, session: Session) -> Session:
        given = {name: account.credentials[name] for name in ("client_key", "client_secret")}
        form = {**given, "grant_type": "refresh_token", "refresh_token": session.refresh}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url = f"{account.server.rstrip('/')}/v2/oauth/token/"
        try:
            answer = self._asking.ask(Request("POST", url, headers, urlencode(form).encode(), _CALL_FOR))
        except AuthExpired:
            newer = self._stored(account)
            if newer is not None and newer.refresh != session.refresh and self._lasts(newer):
                return newer  # another worker was first
            raise
        access, refresh = _token(answer, "access_token"), _token(answer, "refresh_token")
        lasts_for = timedelta(seconds=count(answer.get("expires_in")) or 0)
        ends_at = to_text(self._clock.now() + min(lasts_for, _LONGEST_FOR)) if lasts_for else ""
        renewed = Session(access, refresh or session.refresh, ends_at, session.made_from)
        self._keep(account, renewed)
        if not access:
            raise self._asking.unclear()
        return renewed

    def _keep(self, account: AccountRef, session: Session) -> None:
        """Store what is the only copy; while that fails, this worker has it, and tries again at each call."""
        self._unstored[account.account_id] = session
        for _ in range(_TRIES):
            try:
                self._store.put(account.account_id, asdict(session))
            except Exception as error:
                # Its kind alone: its words may have the tokens.
                log.error("new tokens cannot be stored", extra={"error": type(error).__name__})
            else:
                del self._unstored[account.account_id]
                return
        raise Unavailable("TikTok's new access to this account could not be stored; it is tried again later.")

    def _sort(self, response: Response) -> AdapterError | None:
        """A refusal has an `error` that is a text, and its `error_description`."""
        if response.status == 429:
            now = self._clock.now()
            return RateLimited(bounded(self._http.retry_at(response) or now + _LIMITED_FOR, now))
        answer = response.json()
        error = answer.get("error") if isinstance(answer, dict) else None
        if not error:
            return None
        if not isinstance(error, str) or error not in _REFUSALS:
            return self._asking.unclear(response.status)
        kind, sentence = _REFUSALS[error]
        return kind(sentence.replace("{}", plain(answer.get("error_description")).rstrip(".")))


def _token(answer: Mapping[str, Any], name: str) -> str:
    token = answer.get(name)
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else ""


def _digest(account: AccountRef) -> str:
    given = [account.credentials.get(name, "") for name in ("access_token", *_RENEWING)]
    return sha256("\n".join(given).encode()).hexdigest()
