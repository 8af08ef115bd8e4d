"""The tables of the local platform's SQLite file, and how their rows become values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from infra.local.platform.model import Account, Media, Notification, Status

Row = tuple[Any, ...]

TABLES = """
create table if not exists accounts (
    id integer primary key, username text not null unique collate nocase, display_name text not null,
    note text not null, access_token text not null unique, created_at text not null);
create table if not exists statuses (
    id integer primary key, account_id integer not null, text text not null, spoiler_text text not null,
    sensitive integer not null, visibility text not null, language text not null, in_reply_to_id integer,
    in_reply_to_account_id integer, created_at text not null, deleted_at text);
create index if not exists statuses_of_account on statuses (account_id, id);
create index if not exists replies on statuses (in_reply_to_id) where in_reply_to_id is not null;
create table if not exists media (
    id integer primary key, account_id integer not null, status_id integer, position integer,
    mime text not null, size integer not null, width integer not null,
    height integer not null, description text not null,
    focus text not null, ready_at text not null);
create index if not exists media_of_status on media (status_id);
create table if not exists idempotency (
    account_id integer not null, key text not null, status_id integer not null, at text not null,
    primary key (account_id, key));
create table if not exists notifications (
    id integer primary key autoincrement, account_id integer not null, status_id integer not null,
    created_at text not null);
create index if not exists notifications_of_account on notifications (account_id, id);
"""
EMPTY = (
    "delete from accounts; delete from statuses; delete from media; delete from idempotency;"
    " delete from notifications;"
)
ACCOUNTS = "select id, username, display_name, note, access_token, created_at from accounts "
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


def to_time(text: str) -> datetime:
    """A stored time, aware and in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def to_account(row: Row) -> Account:
    """A row of ACCOUNTS."""
    return Account(*[*row[:-1], to_time(row[-1])])


def to_status(row: Row) -> Status:
    """A row of STATUSES."""
    return Status(*[*row[:4], bool(row[4]), *row[5:-1], to_time(row[-1])])


def to_media(row: Row) -> Media:
    """A row of MEDIA."""
    return Media(*[*row[:-2], tuple(json.loads(row[-2])), to_time(row[-1])])


def to_notification(row: Row) -> Notification:
    """A row of NOTIFICATIONS."""
    return Notification(*[*row[:-1], to_time(row[-1])])
