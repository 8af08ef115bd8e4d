"""Getting a document from the open web: public https addresses only, few redirects, never too much.

Every hop is checked by core/http.py as if we had chosen it ourselves.
"""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urljoin

from chalicelib.core.errors import SignalboxError
from chalicelib.core.http import HttpClient, HttpError, Request, Response

_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)


class NotFetched(SignalboxError):
    """There was no answer that we could use; the message says why, and shows no query."""

    status = 502
    code = "not_fetched"


def fetch(
    http: HttpClient,
    url: str,
    accept: str,
    max_bytes: int,
    deadline_for: timedelta = timedelta(seconds=8),
    known: Mapping[str, str] | None = None,
) -> Response:
    """The answer with status 200, and the address that gave it, at most three redirects away.

    `known` are the headers that ask whether what we have is still so (RFC 9110 section 13.1); with them, the
    answer may have status 304 instead. Each hop has `deadline_for`. Raises NotFetched.
    """
    headers = {"Accept": accept, **(known or {})}
    wanted = (200, 304) if known else (200,)
    for _ in range(_MOST_REDIRECTS + 1):
        request = Request("GET", url, headers, deadline_for=deadline_for, max_bytes=max_bytes)
        try:
            answer = http.send(request)
        except HttpError as error:
            raise NotFetched(error.message) from error
        if answer.status in wanted:
            return answer
        place = answer.headers.get("Location", "")
        if answer.status not in _REDIRECTS or not place:
            raise NotFetched(f"{request!r} was answered with {answer.status}.")
        try:
            url = urljoin(url, place)
        except ValueError as error:
            raise NotFetched(f"{request!r} leads to an address that is none.") from error
    raise NotFetched(f"{request!r} and what it led to only led on.")
