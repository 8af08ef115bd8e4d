"""How the rows of Mastodon's tables become values."""

from __future__ import annotations

import json

from infra.local.platform.database import Row, to_time
from infra.local.platform.mastodon.model import Media, Notification, Status

STATUSES = (
    "select id, account_id, text, spoiler_text, sensitive, visibility, language, in_reply_to_id,"
    " in_reply_to_account_id, created_at from statuses where deleted_at is null and "
)
MEDIA = (
    "select id, account_id, status_id, mime, size, width, height, description, focus, ready_at"
    " from media where "
)
NOTIFICATIONS = (
    "select id, account_id, status_id, created_at from notifications"
    " where status_id in (select id from statuses where deleted_at is null) and "
)
SHOWN_TO_ALL = "visibility in ('public', 'unlisted')"


def to_status(row: Row) -> Status:
    """A row of STATUSES."""
    return Status(*[*row[:4], bool(row[4]), *row[5:-1], to_time(row[-1])])


def to_media(row: Row) -> Media:
    """A row of MEDIA."""
    return Media(*[*row[:-2], tuple(json.loads(row[-2])), to_time(row[-1])])


def to_notification(row: Row) -> Notification:
    """A row of NOTIFICATIONS."""
    return Notification(*[*row[:-1], to_time(row[-1])])
