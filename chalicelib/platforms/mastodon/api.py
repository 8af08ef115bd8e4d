"""Calls to a Mastodon server, and the one table that sorts its refusals.

https://docs.joinmastodon.org/client/intro/ and /entities/Error/: a refusal is JSON with an `error` sentence.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request, multipart
from chalicelib.platforms.calls import ANY, Calls, Refusals
from chalicelib.platforms.errors import AuthExpired, OutcomeUnknown, Rejected, Unavailable, VersionGone
from chalicelib.platforms.port import AccountRef

_CALL_FOR = timedelta(seconds=15)
_UPLOAD_FOR = timedelta(seconds=60)
_UNFINISHED = "unfinished media"
_NO_SCOPE = "outside the authorized scopes"  # https://docs.joinmastodon.org/api/oauth-scopes/


class MediaUnfinished(Unavailable):
    """The server has not finished the media of this status."""


class LacksScope(AuthExpired):
    """The token was made without a permission that this call needs; it may be good for others."""


class NoSuchThing(Rejected):
    """What was asked for is not there."""


UNDOCUMENTED = "The Mastodon server answered in a form that it does not document; nothing was written."

REFUSALS: Refusals = {
    (401, ANY): (
        AuthExpired,
        "The Mastodon server no longer accepts this account's access; connect it again.",
    ),
    (403, _NO_SCOPE): (
        LacksScope,
        "The Mastodon server does not let this account's access token do that: {}. Make one that may.",
    ),
    (403, ANY): (
        AuthExpired,
        "The Mastodon server does not let this account post: {}. Its owner must see to it.",
    ),
    (404, ANY): (NoSuchThing, "The Mastodon server does not know what the post refers to: {}."),
    (410, ANY): (VersionGone, "The Mastodon server has removed a call that Signalbox needs."),
    (413, ANY): (Rejected, "The Mastodon server says that a file is too large."),
    (422, _UNFINISHED): (MediaUnfinished, "The Mastodon server is still processing the media."),
    (422, ANY): (Rejected, "The Mastodon server refused the post: {}."),
}


class Api:
    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._calls = Calls(http, clock, "The Mastodon server", REFUSALS, _read_error)

    def get(
        self,
        account: AccountRef,
        path: str,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        successes: Collection[int] = (200,),
        signed: bool = True,
        max_bytes: int = 1_048_576,
    ) -> tuple[int, Any]:
        """Status and JSON. Raises any AdapterError but OutcomeUnknown."""
        query = f"?{urlencode(params)}" if params else ""
        headers = _bearer(account) if signed else {}
        request = Request(
            "GET", _url(account, path) + query, headers, deadline_for=_CALL_FOR, max_bytes=max_bytes
        )
        return self._calls.safe(request, successes)

    def upload(self, account: AccountRef, content: bytes, mime: str, alt: str) -> tuple[int, Any]:
        """Status and JSON of `POST /api/v2/media`. Raises any AdapterError but OutcomeUnknown."""
        fields = {"description": alt} if alt else {}
        name = f"file.{mime.partition('/')[2]}"
        content_type, body = multipart(fields, {"file": (name, content, mime)})
        headers = _bearer(account) | {"Content-Type": content_type}
        request = Request("POST", _url(account, "/api/v2/media"), headers, body, deadline_for=_UPLOAD_FOR)
        return self._calls.safe(request, (200, 202))

    def write(
        self, account: AccountRef, path: str, key: str, data: Mapping[str, Any], within: timedelta
    ) -> Any:
        """What the one call that cannot be taken back answered with 200. Raises any AdapterError."""
        headers = _bearer(account) | {"Content-Type": "application/json", "Idempotency-Key": key}
        body = json.dumps(data).encode()
        return self._calls.unsafe(Request("POST", _url(account, path), headers, body, deadline_for=within))

    def unclear(self) -> OutcomeUnknown:
        return self._calls.unclear(200)


def _read_error(answer: Mapping[str, Any]) -> tuple[str, str]:
    message = answer.get("error")
    if not isinstance(message, str) or not message:
        return "", ""
    known = {"not finished processing": _UNFINISHED, _NO_SCOPE: _NO_SCOPE}
    return next((name for words, name in known.items() if words in message), message), message


def _url(account: AccountRef, path: str) -> str:
    return account.server.rstrip("/") + path


def _bearer(account: AccountRef) -> dict[str, str]:
    token = account.credentials.get("access_token", "")
    if not token:
        raise AuthExpired("There is no access token for this Mastodon account; connect it again.")
    return {"Authorization": f"Bearer {token}"}
