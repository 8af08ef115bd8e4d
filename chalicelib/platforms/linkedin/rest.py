"""Calls to LinkedIn's versioned API, and the one table that sorts its refusals.

https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling: a refusal is JSON with
`status`, `code` and `message`. Limits are counted by the day of UTC.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request, Response
from chalicelib.platforms.asking import Asking, bounded, refusal
from chalicelib.platforms.calls import ANY, Refusals
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.linkedin.configuration import PROTOCOL, VERSION
from chalicelib.platforms.port import AccountRef

_CALL_FOR = timedelta(seconds=15)
_ANSWER_BYTES = 8 * 2**20  # a page of notifications carries as many whole posts
_VERSION = re.compile(r"20[0-9]{4}", re.ASCII)
_UPDATE = "LinkedIn does not serve the API version that is asked for; a newer one must be configured."


class NoSuchThing(Rejected):
    """What was asked for is not there."""


REFUSALS: Refusals = {
    (400, "VERSION_MISSING"): (VersionGone, _UPDATE),
    (400, ANY): (Rejected, "LinkedIn refused the request: {}."),
    (401, ANY): (AuthExpired, "LinkedIn no longer accepts this account's access; connect it again."),
    (403, ANY): (
        AuthExpired,
        "LinkedIn says that the member may not do this for the page: {}. It needs an administrator's access.",
    ),
    (404, ANY): (NoSuchThing, "LinkedIn does not know what was asked for: {}."),
    (409, ANY): (Unavailable, "LinkedIn is busy with the same thing; it is asked again later."),
    (422, ANY): (Rejected, "LinkedIn refused the request: {}."),
    (426, ANY): (VersionGone, _UPDATE),
}


class Rest:
    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._asking = Asking(http, "LinkedIn", self._sort)

    def ask(
        self, account: AccountRef, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The JSON of an answer, empty for one without a body.

        Raises NoSuchThing for a 404, any AdapterError but OutcomeUnknown and NotReady.
        """
        version = account.credentials.get("api_version", "") or VERSION
        if not _VERSION.fullmatch(version):
            raise VersionGone("The account's api_version must be a year and a month, as 202609; correct it.")
        headers = {
            "Authorization": f"Bearer {account.credentials.get('access_token', '')}",
            "LinkedIn-Version": version,
            "X-Restli-Protocol-Version": PROTOCOL,
        }
        content = b""
        if body is not None:
            headers["Content-Type"], content = "application/json", json.dumps(body).encode()
        url = account.server.rstrip("/") + path
        return self._asking.ask(Request(method, url, headers, content, _CALL_FOR, _ANSWER_BYTES))

    def unclear(self) -> Unavailable:
        return self._asking.unclear()

    def _sort(self, response: Response) -> AdapterError | None:
        if response.status == 429:
            now = self._clock.now()
            midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
            return RateLimited(bounded(self._http.retry_at(response) or midnight, now))
        answer = response.json()
        if response.status < 400 or not isinstance(answer, dict):
            return None
        message = answer.get("message")
        if not isinstance(message, str) and "serviceErrorCode" not in answer:
            return None
        code = answer.get("code")
        return refusal(REFUSALS, response.status, code if isinstance(code, str) else ANY, message)
