"""Planting many profiles in one call, each as old and as busy as a story needs it.

A profile is an account as `POST /_local/accounts` takes it, and may say when it last posted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.local.platform.accounts import Account, Accounts, Wanted
from infra.local.platform.database import Database

PROFILES_MOST = 2_000
PLANTED_TEXT = "Hello from {}."
Plant = Callable[[Account, str, datetime], None]
"""Makes one public post of an account, as if at that time."""


@dataclass(frozen=True)
class Profile:
    """An account, and when the newest of its planted posts was made; `post` is its text."""

    wanted: Wanted
    last_post_at: datetime | None
    post: str


class Seeding:
    """Plants profiles; `plants` makes posts on each network."""

    def __init__(self, db: Database, accounts: Accounts, plants: dict[str, Plant]) -> None:
        self._db = db
        self._accounts = accounts
        self._plants = plants

    def plant(self, profiles: list[Profile]) -> list[Account]:
        """All of them or none. Raises as Accounts.save."""
        with self._db.change():
            return [self._plant(profile) for profile in profiles]

    def _plant(self, profile: Profile) -> Account:
        account, _ = self._accounts.save(profile.wanted)
        if profile.last_post_at:
            text = profile.post or PLANTED_TEXT.format(account.display_name)
            self._plants[account.network](account, text, profile.last_post_at)
        return account


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time with its zone, or None for None. Raises ValueError for anything else."""
    if value is None:
        return None
    at = datetime.fromisoformat(value) if isinstance(value, str) else None
    if at is None or at.tzinfo is None:
        raise ValueError(value)
    return at
