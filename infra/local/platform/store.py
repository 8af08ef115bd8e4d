"""Everything the local platform remembers, in one SQLite file and a folder of media.

One connection behind one lock: fifty clients at once take turns instead of meeting "database is locked".
Nothing here is precious, so it trades safety in a power cut for speed (synchronous=OFF).
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from infra.local.platform import rows
from infra.local.platform.media import Kind
from infra.local.platform.model import Account, Draft, Media, Notification, Status, Window

IDEMPOTENCY_KEPT_FOR = timedelta(hours=1)


class UnknownMediaError(LookupError):
    """Some media ids are not the author's, or are attached already; `ids` says which."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(ids)
        self.ids = ids


class MediaNotReadyError(LookupError):
    """Some media are still being processed."""


class MixedMediaError(ValueError):
    """A video cannot share a status with other media."""


class Store:
    """The platform's memory; every method is one transaction and may be called from any thread."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._files = folder / "media"
        self._files.mkdir(parents=True, exist_ok=True)
        self._now = now
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "platform.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=off")
        self._db.executescript(rows.TABLES)
        self._last_id = self._newest_id()

    def close(self) -> None:
        """Write everything out."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield self._db
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def _rows(self, sql: str, *values: object) -> list[rows.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _newest_id(self) -> int:
        return int(
            self._rows(
                "select max(id) from (select 0 as id union select max(id) from accounts"
                " union select max(id) from statuses union select max(id) from media)"
            )[0][0]
        )

    def _next_id(self) -> int:
        """Milliseconds above, sequence below, as Mastodon's ids; sorts by time and never repeats."""
        self._last_id = max(self._last_id + 1, int(self._now().timestamp() * 1000) << 16)
        return self._last_id

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._db.executescript(rows.EMPTY)
            shutil.rmtree(self._files)
            self._files.mkdir()

    # Accounts

    def save_account(
        self, username: str, display_name: str | None, note: str | None, access_token: str | None
    ) -> tuple[Account, bool]:
        """Create an account, or bring an existing one of that name up to date; True when it is new.

        Raises sqlite3.IntegrityError when the token belongs to another account.
        """
        with self._change() as db:
            known = self.account_named(username)
            if known:
                db.execute(
                    "update accounts set display_name = ?, note = ?, access_token = ? where id = ?",
                    (
                        display_name or known.display_name,
                        known.note if note is None else note,
                        access_token or known.access_token,
                        known.id,
                    ),
                )
            else:
                token = access_token or secrets.token_urlsafe(32)
                values = (
                    self._next_id(),
                    username,
                    display_name or username,
                    note or "",
                    token,
                    self._stamp(),
                )
                db.execute("insert into accounts values (?, ?, ?, ?, ?, ?)", values)
            saved = self.account_named(username)
        if saved is None:
            raise LookupError(username)
        return saved, known is None

    def accounts(self) -> list[Account]:
        """All accounts, in the order they were made."""
        return [rows.to_account(row) for row in self._rows(rows.ACCOUNTS + "order by id")]

    def account(self, account_id: int) -> Account | None:
        """The account of that id."""
        return self._one_account("where id = ?", account_id)

    def account_named(self, username: str) -> Account | None:
        """The account of that name, whatever its case."""
        return self._one_account("where username = ?", username)

    def account_with_token(self, token: str) -> Account | None:
        """The account a bearer token acts for."""
        return self._one_account("where access_token = ?", token)

    def _one_account(self, condition: str, value: object) -> Account | None:
        found = self._rows(rows.ACCOUNTS + condition, value)
        return rows.to_account(found[0]) if found else None

    def activity(self, account_id: int) -> tuple[int, datetime | None]:
        """How many statuses an account has, and when the newest was made."""
        count, last = self._rows(
            "select count(*), max(created_at) from statuses where account_id = ? and deleted_at is null",
            account_id,
        )[0]
        return count, rows.to_time(last) if last else None

    def created_by_username(self) -> dict[str, int]:
        """Statuses ever created per account, deleted ones included."""
        return dict(
            self._rows(
                "select username, count(s.id) from accounts a join statuses s on s.account_id = a.id"
                " group by a.id order by username"
            )
        )

    # Statuses

    def create_status(self, account: Account, draft: Draft, key: str | None) -> Status:
        """Publish a draft; `key` then names it for an hour.

        Raises UnknownMediaError, MediaNotReadyError or MixedMediaError when its media cannot be attached.
        """
        with self._change() as db:
            status_id = self._next_id()
            self._attach(db, account.id, status_id, draft.media_ids)
            parent = draft.in_reply_to
            db.execute(
                "insert into statuses values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null)",
                (
                    status_id,
                    account.id,
                    draft.text,
                    draft.spoiler_text,
                    draft.sensitive,
                    draft.visibility,
                    draft.language,
                    parent.id if parent else None,
                    parent.account_id if parent else None,
                    self._stamp(),
                ),
            )
            db.executemany(
                "insert into notifications (account_id, status_id, created_at) values (?, ?, ?)",
                [(reader, status_id, self._stamp()) for reader in sorted(draft.notify - {account.id})],
            )
            if key:
                db.execute(
                    "insert or replace into idempotency values (?, ?, ?, ?)",
                    (account.id, key, status_id, self._stamp()),
                )
            return self._expect_status(status_id)

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Hold every other change back, so that "seen this key?" and "publish" are one step."""
        with self._lock:
            yield

    def status_id_for_key(self, account: Account, key: str) -> int | None:
        """What an Idempotency-Key stands for, if it was used within the hour."""
        oldest = (self._now() - IDEMPOTENCY_KEPT_FOR).isoformat(timespec="milliseconds")
        found = self._rows(
            "select status_id from idempotency where account_id = ? and key = ? and at > ?",
            account.id,
            key,
            oldest,
        )
        return found[0][0] if found else None

    def _attach(
        self, db: sqlite3.Connection, account_id: int, status_id: int, media_ids: Sequence[int]
    ) -> None:
        found = {media.id: media for media in self.media_of(account_id, media_ids) if media.status_id is None}
        unknown = [media_id for media_id in media_ids if media_id not in found]
        if unknown:
            raise UnknownMediaError(unknown)
        if len(found) > 1 and any(media.kind == "video" for media in found.values()):
            raise MixedMediaError
        if any(media.ready_at > self._now() for media in found.values()):
            raise MediaNotReadyError
        db.executemany(
            "update media set status_id = ?, position = ? where id = ?",
            [(status_id, position, media_id) for position, media_id in enumerate(media_ids)],
        )

    def _expect_status(self, status_id: int) -> Status:
        status = self.status(status_id)
        if status is None:
            raise LookupError(status_id)
        return status

    def status(self, status_id: int) -> Status | None:
        """The status of that id, unless it was deleted."""
        found = self._rows(rows.STATUSES + "id = ?", status_id)
        return rows.to_status(found[0]) if found else None

    def delete_status(self, status: Status) -> None:
        """Take a status away; its media may be attached again, as on Mastodon."""
        with self._change() as db:
            db.execute("update statuses set deleted_at = ? where id = ?", (self._stamp(), status.id))
            db.execute("update media set status_id = null where status_id = ?", (status.id,))

    def statuses_of(
        self,
        account_id: int,
        window: Window,
        *,
        all_visible: bool = False,
        exclude_replies: bool = False,
        created_before: datetime | None = None,
    ) -> list[Status]:
        """An account's statuses, newest first; only those shown to everybody unless `all_visible`."""
        conditions, values = ["account_id = ?"], [account_id]
        if not all_visible:
            conditions.append(rows.SHOWN_TO_ALL)
        if exclude_replies:
            conditions.append("(in_reply_to_id is null or in_reply_to_account_id = account_id)")
        if created_before:
            conditions.append("id <= ?")
            values.append(int(created_before.timestamp() * 1000) << 16)
        return [rows.to_status(row) for row in self._window(rows.STATUSES, conditions, values, window)]

    def replies_to(self, status_id: int) -> list[Status]:
        """Answers shown to everybody, oldest first."""
        found = self._rows(
            rows.STATUSES + "in_reply_to_id = ? and " + rows.SHOWN_TO_ALL + " order by id", status_id
        )
        return [rows.to_status(row) for row in found]

    def public_with_text(self, text: str) -> list[Status]:
        """Public statuses that contain a text, whatever the case of its Latin letters, newest first."""
        found = self._rows(
            rows.STATUSES + "visibility = 'public' and instr(lower(text), lower(?)) order by id desc", text
        )
        return [rows.to_status(row) for row in found]

    def _window(
        self, select: str, conditions: list[str], values: list[int], window: Window
    ) -> list[rows.Row]:
        for name, sign in (("max_id", "<"), ("since_id", ">"), ("min_id", ">")):
            bound = getattr(window, name)
            if bound is not None:
                conditions, values = [*conditions, f"id {sign} ?"], [*values, bound]
        order = "asc" if window.min_id is not None else "desc"
        found = self._rows(
            select + " and ".join(conditions) + f" order by id {order} limit ?", *values, window.limit
        )
        return found[::-1] if order == "asc" else found

    # Media

    def save_media(
        self,
        account: Account,
        data: bytes,
        kind: Kind,
        description: str,
        focus: tuple[float, float],
        ready_at: datetime,
    ) -> Media:
        """Keep an upload; it can be attached once `ready_at` has passed."""
        with self._change() as db:
            media_id = self._next_id()
            self.file(media_id).write_bytes(data)
            db.execute(
                "insert into media values (?, ?, null, null, ?, ?, ?, ?, ?, ?, ?)",
                (
                    media_id,
                    account.id,
                    kind.mime,
                    len(data),
                    kind.width,
                    kind.height,
                    description,
                    json.dumps(focus),
                    ready_at.isoformat(timespec="milliseconds"),
                ),
            )
            return self.media_of(account.id, [media_id])[0]

    def describe_media(self, media: Media, description: str, focus: tuple[float, float]) -> None:
        """Change an upload's alt text and focal point."""
        with self._change() as db:
            db.execute(
                "update media set description = ?, focus = ? where id = ?",
                (description, json.dumps(focus), media.id),
            )

    def media(self, media_id: int) -> Media | None:
        """The upload of that id."""
        found = self._rows(rows.MEDIA + "id = ?", media_id)
        return rows.to_media(found[0]) if found else None

    def media_of(self, account_id: int, media_ids: Sequence[int]) -> list[Media]:
        """Those of the uploads that belong to the account."""
        found = [self.media(media_id) for media_id in media_ids]
        return [media for media in found if media and media.account_id == account_id]

    def attached_to(self, status_id: int) -> list[Media]:
        """A status's media, in their author's order."""
        return [
            rows.to_media(row)
            for row in self._rows(rows.MEDIA + "status_id = ? order by position", status_id)
        ]

    def file(self, media_id: int) -> Path:
        """Where an upload's bytes are."""
        return self._files / str(media_id)

    # Notifications

    def notifications_of(self, account_id: int, window: Window) -> list[Notification]:
        """Mentions and answers whose status still exists, newest first."""
        found = self._window(rows.NOTIFICATIONS, ["account_id = ?"], [account_id], window)
        return [rows.to_notification(row) for row in found]

    def _stamp(self) -> str:
        return self._now().isoformat(timespec="milliseconds")
