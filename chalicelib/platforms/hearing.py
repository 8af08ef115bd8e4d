"""An HTTP client that listens: what the answers of one network say of changes to come.

It looks once the answer is there, and the answer is given whatever becomes of the looking: a post may stand
behind it.
"""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request, Response
from chalicelib.platforms.signals import Signal, SignalKind
from chalicelib.platforms.surfaces import Signs, Surface, called

OnSignal = Callable[[Signal], None]
"""Told each signal once; whatever it raises is logged and forgotten."""

_NAME = re.compile(r"[A-Za-z0-9_$@-][A-Za-z0-9_.$@:-]{0,79}", re.ASCII)
_SIGNALS_MOST = 100  # of one day: a server that names another field in each answer must not fill a table
_FIELDS_MOST = 5  # of one answer
_BYTES_MOST = 262_144
_FIELDS_EVERY = timedelta(minutes=1)  # how often the fields of one call's answers are looked at
_UPGRADE, _GONE = 426, 410

log = logging.getLogger(__name__)


class Hearing(HttpClient):
    """Sends by another client. Each distinct signal is told once in a day of UTC, by this object."""

    def __init__(
        self, http: HttpClient, clock: Clock, platform: str, signs: Signs, on_signal: OnSignal
    ) -> None:
        self._http = http
        self._clock = clock
        self._platform = platform
        self._signs = signs
        self._on_signal = on_signal
        self._day = date.min
        self._told: set[Signal] = set()
        self._looked: dict[str, datetime] = {}

    def send(self, request: Request) -> Response:
        """As HttpClient.send, and nothing besides."""
        response = self._http.send(request)
        try:
            self._listen(request, response)
        except Exception as error:  # its words may hold what the network sent
            log.warning(
                "an answer was not listened to",
                extra={"platform": self._platform, "why": type(error).__name__},
            )
        return response

    def _listen(self, request: Request, response: Response) -> None:
        now = self._clock.now()
        today = now.astimezone(UTC).date()
        if today != self._day:
            self._day, self._told = today, set()
        surfaces = called(self._signs.surfaces, request.method, urlsplit(request.url).path)
        if not surfaces:
            return
        for signal in self._heard(surfaces, response, now):
            if signal not in self._told and len(self._told) < _SIGNALS_MOST:
                self._told.add(signal)  # before it is told: what fails once is not tried with every answer
                self._on_signal(signal)

    def _heard(self, surfaces: tuple[Surface, ...], response: Response, now: datetime) -> Iterator[Signal]:
        about = surfaces[0].operation
        for header, what in (("Deprecation", SignalKind.DEPRECATED), ("Sunset", SignalKind.SUNSET)):
            value = response.headers.get(header, "").strip()
            if value and value.lower() not in ("false", "?0"):
                on = _day_of(value)
                yield Signal(self._platform, what, about, on.isoformat() if on else "", on)
        yield from self._limit(surfaces, response)
        error = self._error(response)
        ended = response.status == _UPGRADE or (response.status == _GONE and "{" not in about)
        if ended or error in self._signs.version_errors:
            yield Signal(self._platform, SignalKind.VERSION_GONE, about, f"{response.status} {error}".strip())
        elif error and response.status < 500 and error not in self._signs.errors:
            yield Signal(self._platform, SignalKind.UNKNOWN_ERROR, about, f"{response.status} {error}")
        elif not error and 200 <= response.status < 300 and all(surface.answers for surface in surfaces):
            yield from self._fields(surfaces, response, now)

    def _limit(self, surfaces: tuple[Surface, ...], response: Response) -> Iterator[Signal]:
        most = [surface.most for surface in surfaces if surface.most]
        said = re.match(r"[1-9][0-9]{0,8}(?![0-9])", response.headers.get(self._signs.limit_header, ""))
        if most and said and int(said[0]) < min(most):
            detail = f"{said[0]} of {min(most)}"
            yield Signal(self._platform, SignalKind.SMALLER_LIMIT, surfaces[0].operation, detail)

    def _error(self, response: Response) -> str:
        """The name of the error that an answer is; empty for a success and for what is no name."""
        answer = _object(response) if self._signs.error_name and self._can_be_error(response) else None
        name = self._signs.error_name(answer) if self._signs.error_name and answer else ""
        return name if _NAME.fullmatch(name) else ""

    def _can_be_error(self, response: Response) -> bool:
        return response.status >= 400 or b'"error' in response.body[:100]  # some come with a 200

    def _fields(self, surfaces: tuple[Surface, ...], response: Response, now: datetime) -> Iterator[Signal]:
        about = surfaces[0].operation
        if now - self._looked.get(about, now - _FIELDS_EVERY) < _FIELDS_EVERY:
            return
        self._looked[about] = now
        known = {field for surface in surfaces for field in surface.answers}
        unknown = sorted(field for field in set(_object(response) or ()) - known if _NAME.fullmatch(field))
        for field in unknown[:_FIELDS_MOST]:
            yield Signal(self._platform, SignalKind.UNKNOWN_FIELD, about, field)


def _object(response: Response) -> dict[str, Any] | None:
    if len(response.body) > _BYTES_MOST:
        return None
    answer = response.json()
    return answer if isinstance(answer, dict) else None


def _day_of(value: str) -> date | None:
    """The day of `@1688169599` (RFC 9745) or of an HTTP date; None for any other word."""
    try:
        if re.fullmatch(r"@[0-9]{1,11}", value, re.ASCII):
            return datetime.fromtimestamp(int(value[1:]), UTC).date()
        return parsedate_to_datetime(value[:100]).date()
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
