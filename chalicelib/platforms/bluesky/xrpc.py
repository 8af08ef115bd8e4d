"""Calls to a Bluesky server (PDS), and the one table that sorts its refusals.

XRPC: https://atproto.com/specs/xrpc. The error names were read off a running PDS.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request
from chalicelib.platforms.calls import ANY, Calls, Refusals
from chalicelib.platforms.errors import AuthExpired, OutcomeUnknown, Rejected, Unavailable, VersionGone

_CALL_FOR = timedelta(seconds=15)
_UPLOAD_FOR = timedelta(seconds=60)
# A page of a hundred notifications carries as many whole records, which strangers wrote.
_ANSWER_BYTES = 8 * 2**20


class SessionEnded(Unavailable):
    """The access token no longer works; another one may."""


class NoSuchRecord(Rejected):
    """What `getRecord` says of a key that nothing stands under."""


UNDOCUMENTED = "Bluesky answered in a form that it does not document; nothing was written."
RENEWED = "The session with Bluesky has ended; the next attempt starts a new one."
_RECONNECT = "Bluesky does not accept this account's password; connect the account with a new app password."
_ASK_BLUESKY = "Bluesky has {}; its owner must write to Bluesky's support."
_NO_SUCH_CALL = "The account's server does not know the calls that Bluesky servers have; check its address."

REFUSALS: Refusals = {
    (400, "ExpiredToken"): (SessionEnded, RENEWED),
    (400, "InvalidToken"): (SessionEnded, RENEWED),
    (401, "ExpiredToken"): (SessionEnded, RENEWED),
    (401, "InvalidToken"): (SessionEnded, RENEWED),
    (401, "AuthMissing"): (SessionEnded, RENEWED),
    (401, "AuthFactorTokenRequired"): (
        AuthExpired,
        "Bluesky asks for a code by e-mail; connect the account with an app password instead.",
    ),
    (401, "AccountTakedown"): (AuthExpired, _ASK_BLUESKY.format("taken this account down")),
    (401, "AccountSuspended"): (AuthExpired, _ASK_BLUESKY.format("suspended this account")),
    (401, "AccountDeactivated"): (AuthExpired, "The account is deactivated; activate it in Bluesky."),
    (401, ANY): (AuthExpired, _RECONNECT),
    (403, ANY): (AuthExpired, "Bluesky does not allow this account to post; connect it again."),
    # Another record stands under our key: this post of another attempt, or not. Only looking can tell.
    (400, "InvalidSwap"): (OutcomeUnknown, "Bluesky has a record under this post's key already."),
    # Blobs that no record refers to are dropped within minutes; the next `prepare` uploads them again.
    (400, "BlobNotFound"): (Unavailable, "Bluesky dropped the pictures; they are uploaded again."),
    (400, "RecordNotFound"): (NoSuchRecord, "{}"),
    (400, ANY): (Rejected, "Bluesky refused the post: {}."),
    (413, ANY): (Rejected, "Bluesky says that a picture is too large."),
    (404, ANY): (VersionGone, _NO_SUCH_CALL),
    (501, ANY): (VersionGone, _NO_SUCH_CALL),
}


class Xrpc:
    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._calls = Calls(http, clock, "Bluesky", REFUSALS, _read_error)

    def get(self, server: str, name: str, token: str | None = None, **params: str) -> dict[str, Any]:
        """A query's answer. Raises any AdapterError but OutcomeUnknown."""
        query = f"?{urlencode(params)}" if params else ""
        url = _url(server, name) + query
        return self._safe(
            Request("GET", url, _bearer(token), deadline_for=_CALL_FOR, max_bytes=_ANSWER_BYTES)
        )

    def post(
        self, server: str, name: str, token: str | None = None, data: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The answer to a call that can be repeated. Raises any AdapterError but OutcomeUnknown."""
        return self._safe(_posting(server, name, token, data, _CALL_FOR))

    def upload(self, server: str, token: str, content: bytes, mime: str) -> dict[str, Any]:
        """The answer to `com.atproto.repo.uploadBlob`. Raises any AdapterError but OutcomeUnknown."""
        url = _url(server, "com.atproto.repo.uploadBlob")
        headers = _bearer(token) | {"Content-Type": mime}
        return self._safe(Request("POST", url, headers, content, deadline_for=_UPLOAD_FOR))

    def write(self, server: str, name: str, token: str, data: Mapping[str, Any], within: timedelta) -> Any:
        """What the one call that cannot be taken back answered with 200. Raises any AdapterError."""
        return self._calls.unsafe(_posting(server, name, token, data, within))

    def unclear(self) -> OutcomeUnknown:
        return self._calls.unclear(200)

    def _safe(self, request: Request) -> dict[str, Any]:
        _, answer = self._calls.safe(request)
        if not isinstance(answer, dict):
            raise Unavailable(UNDOCUMENTED)
        return answer


def _read_error(answer: Mapping[str, Any]) -> tuple[str, str]:
    name, message = answer.get("error"), answer.get("message")
    if not isinstance(name, str):
        return "", ""
    message = message if isinstance(message, str) else name
    # Older servers have no error name of its own for this.
    return "RecordNotFound" if message.startswith("Could not locate record") else name, message


def _url(server: str, name: str) -> str:
    return f"{server.rstrip('/')}/xrpc/{name}"


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _posting(
    server: str, name: str, token: str | None, data: Mapping[str, Any] | None, within: timedelta
) -> Request:
    if data is None:
        return Request("POST", _url(server, name), _bearer(token), deadline_for=within)
    headers = _bearer(token) | {"Content-Type": "application/json"}
    return Request("POST", _url(server, name), headers, json.dumps(data).encode(), deadline_for=within)
