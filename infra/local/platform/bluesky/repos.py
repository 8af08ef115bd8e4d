"""Bluesky's records, uploads and notifications in the platform's database.

A record's cid is its content: the same record under the same key again is no change, as on a real server.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from infra.local.platform.accounts import Account
from infra.local.platform.bluesky.lexicon import FACET, POST, is_blob
from infra.local.platform.bluesky.names import blob_cid, record_cid, tid
from infra.local.platform.database import Database, Row, to_time
from infra.local.serving.answers import timestamp

UNUSED_BLOB_KEPT_FOR = timedelta(minutes=5)
ANY: Literal["any"] = "any"
_RECORDS = (
    "select r.id, did, collection, rkey, cid, value, indexed_at"
    " from records r join repos on repos.account_id = r.account_id where "
)


class KeyTakenError(ValueError):
    """A record stands under the key already."""


class SwapError(ValueError):
    """The record is not the one that the writer took it for; `cid` is what it is, None when there is none."""

    def __init__(self, cid: str | None) -> None:
        super().__init__(cid)
        self.cid = cid


class UnknownBlobError(LookupError):
    """The record refers to an upload that is not there, or not any more."""


@dataclass(frozen=True)
class Record:
    """One record of a repo; `id` tells the order in which records came."""

    id: int
    did: str
    collection: str
    rkey: str
    cid: str
    value: dict[str, Any] = field(repr=False)
    indexed_at: datetime

    @property
    def uri(self) -> str:
        """Its AT URI."""
        return f"at://{self.did}/{self.collection}/{self.rkey}"

    @property
    def answered(self) -> str | None:
        """The AT URI of the post that this one replies to."""
        return self.value["reply"]["parent"]["uri"] if "reply" in self.value else None


@dataclass(frozen=True)
class Notice:
    """Somebody mentioned or answered the account in a record; `subject` is the answered post's URI."""

    id: int
    record: Record
    reason: str
    subject: str | None
    at: datetime


class Repos:
    """What Bluesky accounts wrote and uploaded, and whom they told."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._last_micros = 0

    def put(
        self,
        account: Account,
        collection: str,
        rkey: str,
        value: dict[str, Any],
        *,
        swap: str | Literal["any"] | None = ANY,
        create: bool = False,
    ) -> tuple[Record, bool]:
        """Write a record; False when it stood there already, byte for byte.

        `swap` is the cid that the record must replace, None when there must be none; `create` refuses a used
        key. Raises KeyTakenError, SwapError or UnknownBlobError.
        """
        cid = record_cid(value)
        with self._db.change() as db:
            known = self.record(account.did, collection, rkey)
            if known and create:
                raise KeyTakenError
            if known and known.cid == cid:
                return known, False
            if swap != ANY and swap != (known.cid if known else None):
                raise SwapError(known.cid if known else None)
            record_id = self._write(db, account, collection, rkey, cid, value)
            self._use_blobs(db, account, record_id, value)
            if known is None and collection == POST:
                db.execute(
                    "update repos set posts_created = posts_created + 1 where account_id = ?", (account.id,)
                )
                self._notify(db, account, record_id, value)
            self._commit(db, account.id)
            written = self.record(account.did, collection, rkey)
        if written is None:
            raise LookupError(rkey)
        return written, True

    def plant(self, account: Account, text: str, at: datetime) -> None:
        """A post as if made and indexed at that time."""
        stamp = timestamp(at)
        value = {"$type": POST, "text": text, "createdAt": stamp}
        with self._db.change() as db:
            record, _ = self.put(account, POST, tid(int(at.timestamp() * 1_000_000)), value)
            db.execute(
                "update records set indexed_at = ? where id = ?",
                (at.astimezone(UTC).isoformat(timespec="milliseconds"), record.id),
            )

    def _write(
        self,
        db: sqlite3.Connection,
        account: Account,
        collection: str,
        rkey: str,
        cid: str,
        value: dict[str, Any],
    ) -> int:
        answers = value["reply"]["parent"]["uri"] if collection == POST and "reply" in value else None
        found = db.execute(
            "insert into records (account_id, collection, rkey, cid, value, answers, indexed_at)"
            " values (?, ?, ?, ?, ?, ?, ?) on conflict (account_id, collection, rkey) do update"
            " set cid = excluded.cid, value = excluded.value, answers = excluded.answers returning id",
            (account.id, collection, rkey, cid, json.dumps(value), answers, self._db.stamp()),
        )
        return int(found.fetchone()[0])

    def _use_blobs(self, db: sqlite3.Connection, account: Account, record_id: int, value: object) -> None:
        before = self._blobs_of(record_id)
        db.execute("delete from blob_uses where record_id = ?", (record_id,))
        for cid in set(_blobs_in(value)):
            if self.blob(account.id, cid) is None:
                raise UnknownBlobError(cid)
            db.execute("insert into blob_uses values (?, ?, ?)", (account.id, cid, record_id))
        self._drop_unused(db, account.id, before)

    def _blobs_of(self, record_id: int) -> list[str]:
        return [row[0] for row in self._db.rows("select cid from blob_uses where record_id = ?", record_id)]

    def _drop_unused(self, db: sqlite3.Connection, account_id: int, cids: list[str]) -> None:
        for cid in cids:
            db.execute(
                "delete from blobs where account_id = ? and cid = ? and not exists"
                " (select 1 from blob_uses u where u.account_id = blobs.account_id and u.cid = blobs.cid)",
                (account_id, cid),
            )

    def _notify(self, db: sqlite3.Connection, author: Account, record_id: int, value: dict[str, Any]) -> None:
        """Tell each account once: those mentioned, then those whose posts this one answers."""
        reply = value.get("reply", {})
        told: list[tuple[str, str, str | None]] = [(did, "mention", None) for did in _mentioned_in(value)]
        for part in ("parent", "root"):
            uri = reply[part]["uri"] if part in reply else ""
            told.append((uri.removeprefix("at://").partition("/")[0], "reply", uri))
        seen = {author.did}
        for did, reason, subject in told:
            if did not in seen:
                seen.add(did)
                db.execute(
                    "insert into notices (account_id, record_id, reason, subject, at)"
                    " select account_id, ?, ?, ?, ? from repos where did = ?",
                    (record_id, reason, subject, self._db.stamp(), did),
                )

    def delete(self, account: Account, collection: str, rkey: str) -> bool:
        """Take a record away, with the uploads that only it used; False when there is none."""
        with self._db.change() as db:
            known = self.record(account.did, collection, rkey)
            if known is None:
                return False
            uploads = self._blobs_of(known.id)
            for table, column in (("records", "id"), ("blob_uses", "record_id"), ("notices", "record_id")):
                db.execute(f"delete from {table} where {column} = ?", (known.id,))  # nosec B608
            self._drop_unused(db, account.id, uploads)
            self._commit(db, account.id)
            return True

    def _commit(self, db: sqlite3.Connection, account_id: int) -> None:
        db.execute("update repos set rev = ? where account_id = ?", (self.next_tid(), account_id))

    def next_tid(self) -> str:
        """A TID of now that was never given before."""
        with self._db.one_at_a_time():
            self._last_micros = max(self._last_micros + 1, int(self._db.now().timestamp() * 1_000_000))
            return tid(self._last_micros)

    def rev(self, account_id: int) -> str:
        """The TID of a repo's last change, or nothing."""
        return str(self._db.rows("select rev from repos where account_id = ?", account_id)[0][0])

    def record(self, did: str, collection: str, rkey: str) -> Record | None:
        """The record under a key."""
        found = self._db.rows(_RECORDS + "did = ? and collection = ? and rkey = ?", did, collection, rkey)
        return _record(found[0]) if found else None

    def at(self, uri: str) -> Record | None:
        """The record of an AT URI."""
        parts = uri.removeprefix("at://").split("/")
        return self.record(*parts) if len(parts) == 3 else None

    def records(
        self, did: str, collection: str, limit: int, cursor: str = "", *, oldest_first: bool = False
    ) -> list[Record]:
        """Records by key, newest first, after the one that `cursor` names."""
        order, sign = ("asc", ">") if oldest_first else ("desc", "<")
        after = f" and rkey {sign} ?" if cursor else ""
        found = self._db.rows(
            _RECORDS + f"did = ? and collection = ?{after} order by rkey {order} limit ?",
            *(did, collection, *([cursor] if cursor else []), limit),
        )
        return [_record(row) for row in found]

    def feed(
        self, did: str, limit: int, cursor: str = "", *, indexed_before: datetime | None = None
    ) -> list[Record]:
        """An account's posts as an AppView lists them: in the order they came, newest first."""
        found = self._db.rows(
            _RECORDS
            + "did = ? and collection = ? and r.id < ? and indexed_at <= ? order by r.id desc limit ?",
            *(did, POST, int(cursor) if cursor else 2**62),
            indexed_before.isoformat(timespec="milliseconds") if indexed_before else "9",
            limit,
        )
        return [_record(row) for row in found]

    def replies_to(self, uri: str) -> list[Record]:
        """Answers to a post, oldest first."""
        return [_record(row) for row in self._db.rows(_RECORDS + "answers = ? order by r.id", uri)]

    def posts_with_text(self, text: str) -> list[Record]:
        """Posts that hold a text anywhere, whatever the case of its Latin letters, newest first."""
        condition = "collection = ? and instr(lower(value), lower(?)) order by r.id desc"
        return [_record(row) for row in self._db.rows(_RECORDS + condition, POST, json.dumps(text)[1:-1])]

    def activity(self, account_id: int) -> tuple[int, datetime | None]:
        """How many posts an account has, and when the newest came."""
        count, last = self._db.rows(
            "select count(*), max(indexed_at) from records where account_id = ? and collection = ?",
            *(account_id, POST),
        )[0]
        return count, to_time(last) if last else None

    def created_by_username(self) -> dict[str, int]:
        """Posts ever created per account, deleted ones included."""
        return dict(
            self._db.rows(
                "select username, posts_created from repos join accounts on id = account_id"
                " where posts_created > 0 order by username"
            )
        )

    def save_blob(self, account: Account, data: bytes, mime: str) -> str:
        """Keep an upload until UNUSED_BLOB_KEPT_FOR has passed or a record uses it; returns its cid."""
        cid = blob_cid(data)
        with self._db.change() as db:
            self.file(account.id, cid).write_bytes(data)
            db.execute(
                "insert or replace into blobs values (?, ?, ?, ?)", (account.id, cid, mime, self._db.stamp())
            )
        return cid

    def blob(self, account_id: int, cid: str, *, used: bool = False) -> str | None:
        """The media type of an upload that is still kept, or that a record uses."""
        oldest = (self._db.now() - UNUSED_BLOB_KEPT_FOR).isoformat(timespec="milliseconds")
        found = self._db.rows(
            "select mime from blobs b where account_id = ? and cid = ? and (uploaded_at > ? or exists"
            " (select 1 from blob_uses u where u.account_id = b.account_id and u.cid = b.cid))",
            *(account_id, cid, "9" if used else oldest),
        )
        return found[0][0] if found else None

    def file(self, account_id: int, cid: str) -> Path:
        """Where an upload's bytes are."""
        return self._db.file(f"{account_id}-{cid}")

    def notices_of(self, account_id: int, limit: int, cursor: str = "") -> list[Notice]:
        """Who mentioned or answered an account, newest first."""
        found = self._db.rows(
            "select n.id, n.reason, n.subject, n.at, r.id, did, collection, rkey, cid, value, indexed_at"
            " from notices n join records r on r.id = n.record_id"
            " join repos on repos.account_id = r.account_id"
            " where n.account_id = ? and n.id < ? order by n.id desc limit ?",
            *(account_id, int(cursor) if cursor else 2**62, limit),
        )
        return [Notice(row[0], _record(row[4:]), row[1], row[2], to_time(row[3])) for row in found]


def _record(row: Row) -> Record:
    return Record(*[*row[:5], json.loads(row[5]), to_time(row[6])])


def _blobs_in(value: object) -> Iterator[str]:
    """The cids of all uploads that a record refers to."""
    waiting = [value]
    while waiting:
        inside = waiting.pop()
        if is_blob(inside):
            yield inside["ref"]["$link"]  # type: ignore[index]
        elif isinstance(inside, dict):
            waiting += inside.values()
        elif isinstance(inside, list):
            waiting += inside


def _mentioned_in(value: dict[str, Any]) -> Iterator[str]:
    for facet in value.get("facets", []):
        for feature in facet["features"]:
            if feature["$type"] == f"{FACET}#mention":
                yield feature["did"]
