"""The only place that reads the time, and the only form a time takes when it is stored.

Stored times are ISO 8601 in UTC with milliseconds and a final `Z`, so that they sort as text.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class FixedClock:
    """A clock that stands still until it is told to move; sleeping moves it."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def sleep(self, seconds: float) -> None:
        self._at += timedelta(seconds=max(0.0, seconds))

    def advance(self, **timedelta_parts: float) -> datetime:
        self._at += timedelta(**timedelta_parts)
        return self._at

    def set(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)


def to_text(at: datetime) -> str:
    """The stored form of an instant; microseconds are cut, never rounded up into the future.

    Raises ValueError for a time without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def from_text(text: str) -> datetime:
    """The instant that `to_text` stored."""
    return datetime.fromisoformat(text)
