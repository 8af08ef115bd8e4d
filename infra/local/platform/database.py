"""Everything the local platform remembers, in one SQLite file and a folder of media.

One connection behind one lock: fifty clients at once take turns instead of meeting "database is locked".
Nothing here is precious, so it trades safety in a power cut for speed (synchronous=OFF).
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.platform import tables

Row = tuple[Any, ...]


class Database:
    """The platform's memory; every change is one transaction, and any thread may ask."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._files = folder / "media"
        self._files.mkdir(parents=True, exist_ok=True)
        self.now = now
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "platform.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=off")
        self._db.executescript(f"begin; {tables.TABLES} commit;")
        self._last_id = int(self.rows(tables.NEWEST_ID)[0][0])

    def close(self) -> None:
        """Write everything out."""
        with self._lock:
            self._db.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction, undone when its body raises; inside of another one, a part of that."""
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("begin immediate")
            try:
                yield self._db
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Hold every other change back, so that "seen this before?" and "publish" are one step."""
        with self._lock:
            yield

    def rows(self, sql: str, *values: object) -> list[Row]:
        """What a query finds."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def next_id(self) -> int:
        """Milliseconds above, sequence below, as Mastodon's ids; sorts by time and never repeats."""
        with self._lock:
            self._last_id = max(self._last_id + 1, int(self.now().timestamp() * 1000) << 16)
            return self._last_id

    def stamp(self) -> str:
        """The present instant as it is stored."""
        return self.now().isoformat(timespec="milliseconds")

    def file(self, name: str) -> Path:
        """Where an upload's bytes are."""
        return self._files / name

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._db.executescript(f"begin; {tables.EMPTY} commit;")
            shutil.rmtree(self._files)
            self._files.mkdir()


def to_time(text: str) -> datetime:
    """A stored time, aware and in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
