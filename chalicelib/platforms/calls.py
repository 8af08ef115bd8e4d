"""Sends an adapter's requests and sorts whatever comes back by the adapter's own table of refusals.

A safe call that fails has written nothing, whatever the answer was. An unsafe one has written nothing only
when the request was not sent or the answer is a documented refusal; everything else is unknown.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.core.http import AddressRefused, HttpClient, HttpError, Request, Response
from chalicelib.platforms.errors import AdapterError, OutcomeUnknown, RateLimited, Rejected, Unavailable

ANY = ""
"""In a table of refusals: every error name of that status."""

Refusals = Mapping[tuple[int, str], tuple[type[AdapterError], str]]
"""Status and error name to the class it means and what to tell people; `{}` is the network's own words."""

ReadError = Callable[[Mapping[str, Any]], tuple[str, str]]
"""Name and message of an error's JSON; the name is empty when the JSON is no documented error."""

_WAIT_FOR = timedelta(minutes=5)
_WAIT_LEAST = timedelta(seconds=2)
_WAIT_MOST = timedelta(days=1)


class Calls:
    def __init__(
        self, http: HttpClient, clock: Clock, network: str, refusals: Refusals, read_error: ReadError
    ) -> None:
        self._http = http
        self._clock = clock
        self._network = network
        self._refusals = refusals
        self._read_error = read_error

    def safe(self, request: Request, successes: Collection[int] = (200,)) -> tuple[int, Any]:
        """Status and JSON of a call that can be repeated. Raises any AdapterError but OutcomeUnknown."""
        try:
            response = self._http.send(request)
        except HttpError as error:
            raise self._not_called(error) from None
        answer = response.json()
        if response.status in successes and isinstance(answer, dict | list):
            return response.status, answer
        refused = self.refusal(response)
        if refused is None or isinstance(refused, OutcomeUnknown):
            refused = Unavailable(f"{self._network} answered {response.status}; nothing was written.")
        raise refused

    def unsafe(self, request: Request) -> Any:
        """JSON of the one call that cannot be taken back, which answered 200. Raises any AdapterError."""
        try:
            response = self._http.send(request)
        except HttpError as error:
            if error.sent:
                raise OutcomeUnknown(f"{self._network} gave no whole answer; the post may exist.") from None
            raise self._not_called(error) from None
        refused = self.refusal(response)
        if refused is not None:
            raise refused
        if response.status != 200:
            raise self.unclear(response.status)
        return response.json()

    def unclear(self, status: int) -> OutcomeUnknown:
        """What an answer is that is neither a documented success nor a documented refusal."""
        return OutcomeUnknown(f"{self._network} answered {status} without saying whether the post was made.")

    def refusal(self, response: Response) -> AdapterError | None:
        """The documented refusal that an answer is, or None; 429 is one in any form."""
        if response.status == 429:
            return RateLimited(self._until(response))
        answer = response.json()
        name, message = self._read_error(answer) if isinstance(answer, dict) else ("", "")
        if not name:
            return None
        meaning = self._refusals.get((response.status, name)) or self._refusals.get((response.status, ANY))
        if meaning is None:
            return None
        kind, words = meaning
        return kind(words.replace("{}", plain(message).rstrip(".")))

    def _not_called(self, error: HttpError) -> AdapterError:
        if isinstance(error, AddressRefused):
            return Rejected("The server's address is not one that may be called; correct it in the account.")
        return Unavailable(f"{self._network} could not be reached; nothing was written.")

    def _until(self, response: Response) -> datetime:
        now = self._clock.now()
        until = (
            self._http.retry_at(response)
            or _time(response.headers.get("RateLimit-Reset", ""))
            or _time(response.headers.get("X-RateLimit-Reset", ""))
            or now + _WAIT_FOR
        )
        return min(max(until, now + _WAIT_LEAST), now + _WAIT_MOST)


def plain(text: object) -> str:
    """A network's own words, on one line and short enough to show."""
    if not isinstance(text, str):
        return ""
    return re.sub(r"[\s\x00-\x1f\x7f\ud800-\udfff]+", " ", text).strip()[:200]


def web_address(value: object) -> str:
    """A link that a browser may open, or nothing: a server can name any scheme."""
    return value if isinstance(value, str) and re.fullmatch(r"https?://[^\s<>\"]{1,2000}", value) else ""


def time_of(value: object) -> datetime | None:
    """An ISO 8601 time or day as an instant, None when it is neither; a day begins at midnight UTC."""
    return _time(value) if isinstance(value, str) and "-" in value else None


def _time(text: str) -> datetime | None:
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
