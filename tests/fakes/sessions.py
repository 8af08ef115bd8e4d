"""A session store in memory; counts its writes, so that a test can see how often somebody logged in."""

from typing import Any


class MemorySessions:
    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.writes = 0

    def get(self, account_id: str) -> dict[str, Any] | None:
        return dict(self.kept[account_id]) if account_id in self.kept else None

    def put(self, account_id: str, session: dict[str, Any]) -> None:
        self.writes += 1
        self.kept[account_id] = dict(session)
