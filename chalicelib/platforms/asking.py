"""Calls that can be repeated, to networks whose answers take more than a status and a name to sort.

Meta puts errors into a 200, LinkedIn answers with no body at all, and each says in its own way when a limit
ends; `Calls` is for the others. What such a call lists of an outage becomes pieces by the way of a delivery.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.errors import InvalidInput
from chalicelib.core.http import AddressRefused, HttpClient, HttpError, Request, Response
from chalicelib.platforms.calls import ANY, Refusals, plain
from chalicelib.platforms.errors import AdapterError, Rejected, Unavailable
from chalicelib.platforms.inbound import Delivery, Piece, Receiving

Sort = Callable[[Response], AdapterError | None]
"""The documented refusal that an answer is, or None; an answer in 2xx may be one too."""

_WAIT_LEAST = timedelta(seconds=2)
_WAIT_MOST = timedelta(days=1)

log = logging.getLogger(__name__)


class Asking:
    def __init__(self, http: HttpClient, network: str, sort: Sort) -> None:
        self._http = http
        self._network = network
        self._sort = sort

    def ask(self, request: Request) -> dict[str, Any]:
        """The JSON object of an answer in 2xx, empty where it has no body.

        Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        try:
            response = self._http.send(request)
        except AddressRefused:
            raise Rejected(
                "The server's address is not one that may be called; correct it in the account."
            ) from None
        except HttpError:
            raise Unavailable(f"{self._network} could not be reached; it is asked again later.") from None
        refused = self._sort(response)
        if refused is not None:
            raise refused
        answer = response.json() if response.body else {}
        if 200 <= response.status < 300 and isinstance(answer, dict):
            return answer
        raise self.unclear(response.status)

    def unclear(self, status: int = 200) -> Unavailable:
        """What an answer is that is neither of use nor a documented refusal."""
        return Unavailable(
            f"{self._network} gave an answer ({status}) that is of no use; it is asked again later."
        )


def refusal(refusals: Refusals, status: int, name: str, words: object) -> AdapterError | None:
    """What a table says of a status and an error's name, with the network's own words."""
    meaning = refusals.get((status, name)) or refusals.get((status, ANY))
    if meaning is None:
        return None
    kind, sentence = meaning
    return kind(sentence.replace("{}", plain(words).rstrip(".")))


def bounded(until: datetime, now: datetime) -> datetime:
    """A time to wait for that a network named, which must be neither past nor days away."""
    return min(max(until, now + _WAIT_LEAST), now + _WAIT_MOST)


def pieces_of(scheme: Receiving, bodies: Iterable[Mapping[str, Any]], received_at: datetime) -> list[Piece]:
    """What the scheme makes of bodies as its webhook would have brought them; what it refuses is left out."""
    found: list[Piece] = []
    for body in bodies:
        try:
            found += scheme.split(Delivery("", {}, {}, json.dumps(body).encode("ascii"), received_at))
        except InvalidInput:
            log.warning("a missed event cannot be read", extra={"platform": scheme.platform})
    return found
