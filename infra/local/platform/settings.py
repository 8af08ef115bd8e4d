"""What can be set while the local platform runs, and what it counts; both last until it stops."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

DEFAULT_RATE_LIMIT = 10_000
RATE_WINDOW = timedelta(minutes=5)


@dataclass
class Settings:
    """`rate_limit` is calls per account in five minutes; uploads are ready after `processing_seconds`."""

    rate_limit: int = DEFAULT_RATE_LIMIT
    processing_seconds: float = 0.0


@dataclass(frozen=True)
class Allowance:
    """What is left of an account's calls, and when it is full again."""

    limit: int
    remaining: int
    resets_at: datetime
    exceeded: bool


class RateLimiter:
    """Counts calls in fixed windows of five minutes, aligned to the clock as Mastodon's are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window: datetime | None = None
        self._used: Counter[str] = Counter()

    def take(self, who: str, limit: int, now: datetime) -> Allowance:
        """Count one call."""
        seconds = RATE_WINDOW.total_seconds()
        window = datetime.fromtimestamp(now.timestamp() // seconds * seconds, now.tzinfo)
        with self._lock:
            if window != self._window:
                self._window = window
                self._used.clear()
            self._used[who] += 1
            used = self._used[who]
        return Allowance(limit, max(0, limit - used), window + RATE_WINDOW, used > limit)


class Stats:
    """How often each route was called and how often a key was replayed, since the start or the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._replays = 0

    def count_call(self, route: str) -> None:
        """A request arrived on a route such as `POST /api/v1/statuses`."""
        with self._lock:
            self._calls[route] += 1

    def count_replay(self) -> None:
        """An Idempotency-Key was answered with its first post."""
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
