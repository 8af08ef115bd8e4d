"""What a Mastodon server keeps: statuses, media and notifications, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

VISIBILITIES = ("public", "unlisted", "private", "direct")
SHOWN_TO_ALL = ("public", "unlisted")


@dataclass(frozen=True)
class Media:
    """An uploaded file; `status_id` is None until a status carries it."""

    id: int
    account_id: int
    status_id: int | None
    mime: str
    size: int
    width: int
    height: int
    description: str
    focus: tuple[float, float]
    ready_at: datetime

    @property
    def kind(self) -> str:
        """Mastodon's media type: `image` or `video`."""
        return self.mime.partition("/")[0]


@dataclass(frozen=True)
class Status:
    """A published post."""

    id: int
    account_id: int
    text: str
    spoiler_text: str
    sensitive: bool
    visibility: str
    language: str
    in_reply_to_id: int | None
    in_reply_to_account_id: int | None
    created_at: datetime


@dataclass(frozen=True)
class Draft:
    """A status as its author sent it, already validated."""

    text: str
    spoiler_text: str
    sensitive: bool
    visibility: str
    language: str
    in_reply_to: Status | None
    media_ids: tuple[int, ...]
    notify: frozenset[int]


@dataclass(frozen=True)
class Notification:
    """Somebody mentioned or answered `account_id` in a status."""

    id: int
    account_id: int
    status_id: int
    created_at: datetime


@dataclass(frozen=True)
class Window:
    """A page of a list, as clients ask for it (docs.joinmastodon.org/api/guidelines/#pagination)."""

    limit: int
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
