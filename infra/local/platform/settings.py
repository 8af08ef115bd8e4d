"""What can be set while the local platform runs, and what it counts; both last until it stops."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

DEFAULT_RATE_LIMIT = 10_000
DEFAULT_SESSION_LIMIT = 30
RATE_WINDOW = timedelta(minutes=5)


@dataclass
class Settings:
    """`rate_limit` is calls, `session_limit` Bluesky sign-ins, of one account in five minutes.

    Mastodon uploads are ready after `processing_seconds`.
    """

    rate_limit: int = DEFAULT_RATE_LIMIT
    session_limit: int = DEFAULT_SESSION_LIMIT
    processing_seconds: float = 0.0


@dataclass(frozen=True)
class Allowance:
    """What is left of an account's calls, and when it is full again."""

    limit: int
    remaining: int
    resets_at: datetime
    exceeded: bool


class RateLimiter:
    """Counts calls in windows of five minutes.

    They are aligned to the clock as Mastodon's, or begin `at_first_call` as Bluesky's.
    """

    def __init__(self, at_first_call: bool) -> None:
        self._lock = threading.Lock()
        self._at_first_call = at_first_call
        self._windows: dict[str, tuple[datetime, int]] = {}

    def take(self, who: str, limit: int, now: datetime) -> Allowance:
        """Count one call."""
        with self._lock:
            starts_at, used = self._windows.get(who, (now, 0))
            if used == 0 or now >= starts_at + RATE_WINDOW:
                starts_at, used = now if self._at_first_call else _aligned(now), 0
            self._windows[who] = starts_at, used + 1
        return Allowance(limit, max(0, limit - used - 1), starts_at + RATE_WINDOW, used + 1 > limit)


def _aligned(now: datetime) -> datetime:
    seconds = RATE_WINDOW.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, now.tzinfo)


class Stats:
    """How often each route was called and a post was sent again, since the start or the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._replays = 0

    def count_call(self, route: str) -> None:
        """A request arrived on a route such as `POST /api/v1/statuses`."""
        with self._lock:
            self._calls[route] += 1

    def count_replay(self) -> None:
        """A post that exists was sent again under its key and made no second one."""
        with self._lock:
            self._replays += 1

    def reset(self) -> None:
        """Count from nothing again."""
        with self._lock:
            self._calls.clear()
            self._replays = 0

    def read(self) -> tuple[dict[str, int], int]:
        """Calls by route, and replays."""
        with self._lock:
            return dict(sorted(self._calls.items())), self._replays
