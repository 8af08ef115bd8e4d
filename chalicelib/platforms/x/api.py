"""Calls to X's webhooks with the app-only bearer token, and the tables that sort all of X's refusals.

https://docs.x.com/x-api/fundamentals/response-codes-and-errors: a refusal is a problem of RFC 7807, or a list
of errors; the webhook calls name their own reasons in its words.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request, Response
from chalicelib.platforms.asking import Asking, bounded, refusal
from chalicelib.platforms.calls import ANY, Refusals, plain
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    OutOfCredit,
    RateLimited,
    Rejected,
    Unavailable,
)
from chalicelib.platforms.port import AccountRef
from chalicelib.platforms.x.configuration import LIMIT_FOR, PAGE_OF, PAGES_MOST

_CALL_FOR = timedelta(seconds=15)  # a PUT or POST of a webhook answers after X has asked our door
_ANSWER_BYTES = 2**20

REFUSALS: Refusals = {
    (400, ANY): (Rejected, "X refused the request: {}."),
    (401, ANY): (AuthExpired, "X does not accept the access that it was asked with; give it a new one."),
    (402, ANY): (OutOfCredit, "X's credit for this app is used up; buy more in X's developer console."),
    (403, "client-forbidden"): (AuthExpired, "X does not let this app do that: {}."),
    (403, "credits"): (OutOfCredit, "X's credit for this app is used up; buy more in X's developer console."),
    (403, "unsupported-authentication"): (
        AuthExpired,
        "X does not let an app alone ask for this; it needs the access of an account of yours too.",
    ),
    (403, ANY): (Rejected, "X does not allow it: {}. The account's owner may have to authorise the app."),
    (404, ANY): (Rejected, "X does not know what was asked for: {}."),
    (409, ANY): (Unavailable, "X is busy with the same thing; it is asked again later."),
}
REFUSED_CHECK = "X's check of our address failed; see whether it answers and has the app's consumer secret."
_OUT_OF_USE = (OutOfCredit, "X's usage cap for this app is reached; raise it in X's developer console.")
# Reasons whose status X does not document.
REASONS: Mapping[str, tuple[type[AdapterError], str]] = {
    "usage-capped": _OUT_OF_USE,
    "CrcValidationFailed": (Rejected, REFUSED_CHECK),
    "DuplicateUrlFailed": (Unavailable, "X has a webhook for our address already; it is looked for again."),
    "ReplayConflictError": (Unavailable, "X is still replaying for this webhook; it is asked again later."),
    "WebhookLimitExceeded": (Rejected, "X allows this app no further webhook; delete one that is not used."),
}
_REASON = re.compile("|".join(REASONS))


class Api:
    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._asking = Asking(http, "X", self.sort)

    def items(self, account: AccountRef, path: str) -> list[Mapping[str, Any]]:
        """A short list. Raises any AdapterError but OutcomeUnknown and NotReady, as all calls here do."""
        return self._data(self._ask(account, "GET", path))

    def pages(self, account: AccountRef, path: str) -> Iterator[Mapping[str, Any]]:
        """A long list, called for page by page while somebody goes on reading."""
        params = {"max_results": str(PAGE_OF)}
        for _ in range(PAGES_MOST):
            answer = self._ask(account, "GET", f"{path}?{urlencode(params)}")
            yield from self._data(answer)
            meta = answer.get("meta")
            token = meta.get("next_token") if isinstance(meta, dict) else None
            if not isinstance(token, str) or not token:
                return
            params["pagination_token"] = token
        raise self._asking.unclear()

    def change(
        self, account: AccountRef, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """What a PUT or POST answers as its `data`."""
        data = self._ask(account, method, path, body).get("data")
        return data if isinstance(data, dict) else {}

    def _ask(
        self, account: AccountRef, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {account.credentials.get('bearer_token', '')}"}
        content = b""
        if body is not None:
            headers["Content-Type"], content = "application/json", json.dumps(body).encode()
        url = account.server.rstrip("/") + path
        return self._asking.ask(Request(method, url, headers, content, _CALL_FOR, _ANSWER_BYTES))

    def _data(self, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        data = answer.get("data", [])  # an empty list is left out by some calls
        if not isinstance(data, list):
            raise self._asking.unclear()
        return [each for each in data if isinstance(each, dict)]

    def sort(self, response: Response) -> AdapterError | None:
        """The documented refusal that an answer is.

        A 200 without data is one too when it holds errors; X gives those the status of the call.
        """
        answer = response.json()
        name, words = said(answer) if isinstance(answer, dict) else ("", "")
        refused = name != "" and (response.status >= 400 or "data" not in answer)
        if refused and name in REASONS:
            kind, sentence = REASONS[name]
            return kind(sentence)
        if response.status == 429:
            return RateLimited(self._until(response), whole_app=True)
        return refusal(REFUSALS, max(response.status, 400), name, words) if refused else None

    def _until(self, response: Response) -> datetime:
        """`x-rate-limit-reset` is in Unix seconds."""
        now = self._clock.now()
        reset = response.headers.get("x-rate-limit-reset", "")
        if re.fullmatch(r"[0-9]{1,11}", reset):
            return bounded(datetime.fromtimestamp(int(reset), UTC), now)
        return bounded(self._http.retry_at(response) or now + LIMIT_FOR, now)


def said(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Name and words of a problem; the name is empty where the JSON is none."""
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    problem = answer if "title" in answer or "type" in answer else first
    name = plain(problem.get("type")).rpartition("/")[2] or plain(problem.get("title"))
    told = [first.get("message"), first.get("detail"), problem.get("detail"), problem.get("title")]
    words = next((plain(text) for text in told if plain(text)), "")
    reason = _REASON.search(" ".join([name, plain(first.get("reason")), *map(plain, told)]))
    return reason[0] if reason else name or ("error" if first else ""), words
