"""Mastodon's statuses, media and notifications in the platform's database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.local.platform.accounts import Account
from infra.local.platform.database import Database, Row, to_time
from infra.local.platform.mastodon import rows
from infra.local.platform.mastodon.model import Draft, Media, Notification, Status, Window
from infra.local.platform.media import Kind

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


class Statuses:
    """What Mastodon accounts posted and uploaded, and whom they told."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def activity(self, account_id: int) -> tuple[int, datetime | None]:
        """How many statuses an account has, and when the newest was made."""
        count, last = self._db.rows(
            "select count(*), max(created_at) from statuses where account_id = ? and deleted_at is null",
            account_id,
        )[0]
        return count, to_time(last) if last else None

    def created_by_username(self) -> dict[str, int]:
        """Statuses ever created per account, deleted ones included."""
        return dict(
            self._db.rows(
                "select username, count(s.id) from accounts a join statuses s on s.account_id = a.id"
                " group by a.id order by username"
            )
        )

    def create_status(self, account: Account, draft: Draft, key: str | None) -> Status:
        """Publish a draft; `key` then names it for an hour.

        Raises UnknownMediaError, MediaNotReadyError or MixedMediaError when its media cannot be attached.
        """
        with self._db.change() as db:
            status_id = self._db.next_id()
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
                    self._db.stamp(),
                ),
            )
            db.executemany(
                "insert into notifications (account_id, status_id, created_at) values (?, ?, ?)",
                [(reader, status_id, self._db.stamp()) for reader in sorted(draft.notify - {account.id})],
            )
            if key:
                db.execute(
                    "insert or replace into idempotency values (?, ?, ?, ?)",
                    (account.id, key, status_id, self._db.stamp()),
                )
            return self._expect_status(status_id)

    def plant(self, account: Account, text: str, at: datetime) -> None:
        """A public status as if made at that time, unless the account has one of that time."""
        made_at = at.astimezone(UTC).isoformat(timespec="milliseconds")
        first = int(at.timestamp() * 1000) << 16
        with self._db.change() as db:
            if self._db.rows(
                "select 1 from statuses where account_id = ? and created_at = ?", account.id, made_at
            ):
                return
            taken = self._db.rows(
                "select max(id) from statuses where id between ? and ?", first, first + 0xFFFF
            )
            db.execute(
                "insert into statuses values (?, ?, ?, '', 0, 'public', 'en', null, null, ?, null)",
                ((taken[0][0] or first) + 1, account.id, text, made_at),
            )

    def status_id_for_key(self, account: Account, key: str) -> int | None:
        """What an Idempotency-Key stands for, if it was used within the hour."""
        oldest = (self._db.now() - IDEMPOTENCY_KEPT_FOR).isoformat(timespec="milliseconds")
        found = self._db.rows(
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
        if any(media.ready_at > self._db.now() for media in found.values()):
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
        found = self._db.rows(rows.STATUSES + "id = ?", status_id)
        return rows.to_status(found[0]) if found else None

    def delete_status(self, status: Status) -> None:
        """Take a status away; its media may be attached again, as on Mastodon."""
        with self._db.change() as db:
            db.execute("update statuses set deleted_at = ? where id = ?", (self._db.stamp(), status.id))
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
        found = self._db.rows(
            rows.STATUSES + "in_reply_to_id = ? and " + rows.SHOWN_TO_ALL + " order by id", status_id
        )
        return [rows.to_status(row) for row in found]

    def public_with_text(self, text: str) -> list[Status]:
        """Public statuses that contain a text, whatever the case of its Latin letters, newest first."""
        found = self._db.rows(
            rows.STATUSES + "visibility = 'public' and instr(lower(text), lower(?)) order by id desc", text
        )
        return [rows.to_status(row) for row in found]

    def _window(self, select: str, conditions: list[str], values: list[int], window: Window) -> list[Row]:
        for name, sign in (("max_id", "<"), ("since_id", ">"), ("min_id", ">")):
            bound = getattr(window, name)
            if bound is not None:
                conditions, values = [*conditions, f"id {sign} ?"], [*values, bound]
        order = "asc" if window.min_id is not None else "desc"
        found = self._db.rows(
            select + " and ".join(conditions) + f" order by id {order} limit ?", *values, window.limit
        )
        return found[::-1] if order == "asc" else found

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
        with self._db.change() as db:
            media_id = self._db.next_id()
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
        with self._db.change() as db:
            db.execute(
                "update media set description = ?, focus = ? where id = ?",
                (description, json.dumps(focus), media.id),
            )

    def media(self, media_id: int) -> Media | None:
        """The upload of that id."""
        found = self._db.rows(rows.MEDIA + "id = ?", media_id)
        return rows.to_media(found[0]) if found else None

    def media_of(self, account_id: int, media_ids: Sequence[int]) -> list[Media]:
        """Those of the uploads that belong to the account."""
        found = [self.media(media_id) for media_id in media_ids]
        return [media for media in found if media and media.account_id == account_id]

    def attached_to(self, status_id: int) -> list[Media]:
        """A status's media, in their author's order."""
        return [
            rows.to_media(row)
            for row in self._db.rows(rows.MEDIA + "status_id = ? order by position", status_id)
        ]

    def file(self, media_id: int) -> Path:
        """Where an upload's bytes are."""
        return self._db.file(str(media_id))

    def notifications_of(self, account_id: int, window: Window) -> list[Notification]:
        """Mentions and answers whose status still exists, newest first."""
        found = self._window(rows.NOTIFICATIONS, ["account_id = ?"], [account_id], window)
        return [rows.to_notification(row) for row in found]
