"""One request to the local platform, with the time it came at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from werkzeug.wrappers import Request

LARGEST_ID = 2**63 - 1


@dataclass
class Call:
    """A request and what every answer to it needs."""

    request: Request
    now: datetime

    @property
    def base_url(self) -> str:
        """This server's own address as the client called it, without a closing slash."""
        return self.request.host_url.rstrip("/")

    @property
    def domain(self) -> str:
        """The host and port of that address."""
        return self.base_url.partition("://")[2]


def as_id(value: str) -> int | None:
    """A number that can be a row's id, or None."""
    if value.isascii() and value.isdecimal() and len(value) <= 19 and int(value) <= LARGEST_ID:
        return int(value)
    return None
