"""Calls to Meta's Graph API, and how its refusals are sorted: by the code in the body, not by the status.

https://developers.facebook.com/docs/graph-api/guides/error-handling and the overview of rate limiting. The
token goes into a header, and never into an address as in Meta's examples.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request, Response
from chalicelib.platforms.asking import Asking, bounded
from chalicelib.platforms.calls import plain
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.meta.configuration import GRAPH_VERSION, GRAPH_VERSION_ENDS_ON, LIMIT_FOR
from chalicelib.platforms.port import AccountRef
from chalicelib.platforms.signing import hmac_hex

_CALL_FOR = timedelta(seconds=15)
_ANSWER_BYTES = 8 * 2**20  # a page of posts with their comments, which strangers wrote
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]", re.ASCII)
_TRANSIENT = frozenset({1, 2})
_LIMITS = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_OF_THE_APP = 4
_TOKEN = frozenset({102, 190})
# Of the codes for a token. Meta's own words are not shown for them: they can repeat the token.
_WHY: Mapping[int, str] = {
    458: "the app was removed from the account",
    459: "the person who connected it must log in to Facebook and do what is asked there",
    460: "the password was changed",
    463: "it has expired",
    464: "the person who connected it must confirm their Facebook account",
    492: "the person who connected it has no role on the page any more",
}
_PERMISSION = frozenset({10, *range(200, 300)})
_BLOCKED = 368
CODES = _TRANSIENT | _LIMITS | _TOKEN | _PERMISSION | {_BLOCKED}
"""Every code of an error that is sorted here."""

log = logging.getLogger(__name__)


class NotPermitted(AuthExpired):
    """The token works, but not for this."""


class Graph:
    """`version` is asked for where the account's credentials have no `api_version`; Threads has its own."""

    def __init__(
        self,
        http: HttpClient,
        clock: Clock,
        version: str = GRAPH_VERSION,
        version_ends_on: date | None = GRAPH_VERSION_ENDS_ON,
    ) -> None:
        self._clock = clock
        self._asking = Asking(http, "Meta", self._sort)
        self._version = version
        self._version_ends_on = version_ends_on

    def get(self, account: AccountRef, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """One object, or one page of a list. Raises as `items` does."""
        return self._ask(account, "GET", path, {**params, **_proof(account)})

    def unclear(self) -> Unavailable:
        """What an answer is that has not got what was asked for."""
        return self._asking.unclear()

    def items(
        self, account: AccountRef, path: str, params: Mapping[str, str], most: int
    ) -> Iterator[Mapping[str, Any]]:
        """A list's items, called for page by page. Raises any AdapterError but OutcomeUnknown and NotReady.

        The addresses of next pages that Meta gives are not followed: they hold the token.
        """
        asked = {**params, **_proof(account)}
        while True:
            answer = self._ask(account, "GET", path, asked)
            data = answer.get("data")
            if not isinstance(data, list):
                raise self._asking.unclear()
            yield from [each for each in data if isinstance(each, dict)][:most]
            most -= len(data)
            after = next_of(answer)
            if not after or not data or most <= 0:
                return
            asked["after"] = after

    def post(self, account: AccountRef, path: str, params: Mapping[str, str]) -> None:
        """A change that can be made twice. Raises as `items` does; Unavailable unless Meta confirms it."""
        if self._ask(account, "POST", path, {**params, **_proof(account)}).get("success") is not True:
            raise self._asking.unclear()

    def _ask(self, account: AccountRef, method: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        version = account.credentials.get("api_version", "")
        ends_on = self._version_ends_on
        if not version and ends_on is not None and self._clock.now().date() >= ends_on:
            log.warning("the version of the Graph API has ended", extra={"version": self._version})
        if version and not _VERSION.fullmatch(version):
            raise VersionGone("The account's api_version must be written as v25.0; correct it there.")
        url = f"{account.server.rstrip('/')}/{version or self._version}/{path}"
        headers = {"Authorization": f"Bearer {account.credentials.get('access_token', '')}"}
        body = b""
        if method == "POST":
            headers["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(params).encode()
        elif params:
            url += f"?{urlencode(params)}"
        return self._asking.ask(Request(method, url, headers, body, _CALL_FOR, _ANSWER_BYTES))

    def _sort(self, response: Response) -> AdapterError | None:
        answer = response.json()
        error = answer.get("error") if isinstance(answer, dict) else None
        if not isinstance(error, dict):
            return RateLimited(self._until(response)) if response.status == 429 else None
        code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
        words = plain(error.get("error_user_msg")) or plain(error.get("message"))
        words = words.rstrip(".") or "no reason given"
        if code in _LIMITS or response.status == 429:
            return RateLimited(self._until(response), whole_app=code == _OF_THE_APP)
        if code in _TOKEN:
            why = f": {_WHY[subcode]}" if subcode in _WHY else ""
            return AuthExpired(f"Meta no longer accepts this account's access{why}; connect it again.")
        if code in _PERMISSION:
            return NotPermitted(f"Meta misses a permission: {words}. Connect the account again with it.")
        if code == _BLOCKED:
            return AuthExpired(f"Meta blocks this account for now: {words}. Its owner must see to it.")
        if code in _TRANSIENT or error.get("is_transient") is True or response.status >= 500:
            return Unavailable(f"Meta could not answer ({code}); it is asked again later.")
        return Rejected(f"Meta refused the request ({code}): {words}.")

    def _until(self, response: Response) -> datetime:
        """No answer of Meta's has a `Retry-After`; the usage by business use case says minutes, if any does.

        `X-App-Usage` says only how much of the hour's calls is used.
        """
        now = self._clock.now()
        minutes = _minutes(response.headers.get("X-Business-Use-Case-Usage", ""))
        return bounded(now + (timedelta(minutes=minutes) if minutes else LIMIT_FOR), now)


def next_of(page: Mapping[str, Any]) -> str:
    """The cursor of the page after this one; empty when it is the last."""
    paging = page.get("paging")
    cursors = paging.get("cursors") if isinstance(paging, dict) and "next" in paging else None
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return after if isinstance(after, str) else ""


def _proof(account: AccountRef) -> dict[str, str]:
    """`appsecret_proof`, which an app can demand; made where the credentials have the `app_secret`."""
    secret = account.credentials.get("app_secret", "")
    token = account.credentials.get("access_token", "")
    return {"appsecret_proof": hmac_hex(secret.encode(), token.encode()).decode()} if secret else {}


def _minutes(header: str) -> int:
    """The longest `estimated_time_to_regain_access` of any use case; 0 where there is none."""
    try:
        usage = json.loads(header)
        uses = [use for each in usage.values() for use in each]
        return max(_number(use.get("estimated_time_to_regain_access")) for use in uses)
    except (ValueError, AttributeError, TypeError, RecursionError):
        return 0


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 10**9 else 0
