"""The tables of the local platform's SQLite file: accounts first, then each network's, then its news."""

from __future__ import annotations

TABLES = """
create table if not exists accounts (
    id integer primary key, username text not null unique collate nocase, display_name text not null,
    note text not null, access_token text not null unique, created_at text not null);
create table if not exists looks (
    account_id integer primary key, avatar text not null, website text not null, followers integer not null,
    verified integer not null, state text not null);

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

create table if not exists repos (
    account_id integer primary key, did text not null unique, password text not null, state text not null,
    rev text not null, posts_created integer not null);
create table if not exists refresh_tokens (
    id text primary key, account_id integer not null, next_id text, expires_at text not null);
create table if not exists records (
    id integer primary key autoincrement, account_id integer not null, collection text not null,
    rkey text not null, cid text not null, value text not null, answers text, indexed_at text not null,
    unique (account_id, collection, rkey));
create index if not exists records_that_answer on records (answers) where answers is not null;
create table if not exists blobs (
    account_id integer not null, cid text not null, mime text not null, uploaded_at text not null,
    primary key (account_id, cid));
create table if not exists blob_uses (
    account_id integer not null, cid text not null, record_id integer not null,
    primary key (account_id, cid, record_id));
create table if not exists notices (
    id integer primary key autoincrement, account_id integer not null, record_id integer not null,
    reason text not null, subject text, at text not null);
create index if not exists notices_of_account on notices (account_id, id);

create table if not exists announcements (
    id integer primary key autoincrement, title text not null, text text not null, at text not null);
create table if not exists incidents (
    id integer primary key autoincrement, name text not null, impact text not null, components text not null,
    began_at text not null, updated_at text not null, over_at text);
"""
_NAMES = (
    "accounts",
    "looks",
    "statuses",
    "media",
    "idempotency",
    "notifications",
    "repos",
    "refresh_tokens",
    "records",
    "blobs",
    "blob_uses",
    "notices",
    "announcements",
    "incidents",
)
EMPTY = " ".join(f"delete from {name};" for name in _NAMES)  # nosec B608
NEWEST_ID = (
    "select max(id) from (select 0 as id union select max(id) from accounts"
    " union select max(id) from statuses union select max(id) from media)"
)
