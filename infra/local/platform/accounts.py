"""The profiles of both networks; a Bluesky one also has a row among the repos."""

from __future__ import annotations

import secrets
import sqlite3
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from infra.local.platform.bluesky.names import did_of
from infra.local.platform.database import Database, Row, to_time

NETWORKS = ("mastodon", "bluesky")
ACTIVE = "active"
STATES = {
    "bluesky": (ACTIVE, "deactivated", "takendown"),
    "mastodon": (ACTIVE, "limited", "suspended"),
}
_ACCOUNTS = (
    "select id, username, display_name, note, access_token, created_at, coalesce(did, ''),"
    " coalesce(password, ''), coalesce(r.state, l.state, 'active'), coalesce(avatar, ''),"
    " coalesce(website, ''), coalesce(followers, 0), coalesce(verified, 0)"
    " from accounts left join repos r on r.account_id = id left join looks l on l.account_id = id "
)


@dataclass(frozen=True)
class Account:
    """A profile. `username` is a Bluesky account's handle; `did` is empty on Mastodon.

    `access_token` is a Mastodon account's one bearer token, and what signs a Bluesky account's sessions.
    `avatar` is what avatars.py draws, empty for initials; only Bluesky has `verified`.
    """

    id: int
    username: str
    display_name: str
    note: str
    access_token: str = field(repr=False)
    created_at: datetime
    did: str = ""
    password: str = field(default="", repr=False)
    state: str = ACTIVE
    avatar: str = ""
    website: str = ""
    followers: int = 0
    verified: bool = False

    @property
    def avatar_path(self) -> str:
        """Where this server shows the picture."""
        return f"/avatars/{self.username}.{'png' if self.avatar else 'svg'}"

    @property
    def network(self) -> str:
        """One of NETWORKS."""
        return "bluesky" if self.did else "mastodon"


@dataclass(frozen=True)
class Wanted:
    """An account as `POST /_local/accounts` describes it; what is None stays as it is."""

    network: str
    username: str
    display_name: str | None = None
    note: str | None = None
    access_token: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    state: str | None = None
    avatar: str | None = None
    website: str | None = None
    followers: int | None = None
    verified: bool | None = None
    created_at: datetime | None = None


class OtherNetworkError(ValueError):
    """The name belongs to an account of the other network."""


class Accounts:
    """Makes and finds accounts."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def save(self, wanted: Wanted) -> tuple[Account, bool]:
        """Create an account, or bring an existing one of that name up to date; True when it is new.

        A new password ends the sessions that the old one opened. Raises OtherNetworkError, and
        sqlite3.IntegrityError when the token belongs to another account.
        """
        with self._db.change() as db:
            known = self.named(wanted.username)
            if known is None:
                account_id = self._db.next_id()
                db.execute(
                    "insert into accounts values (?, ?, ?, ?, ?, ?)",
                    (
                        account_id,
                        wanted.username,
                        wanted.display_name or wanted.username,
                        wanted.note or "",
                        wanted.access_token or secrets.token_urlsafe(32),
                        _stored(wanted.created_at) if wanted.created_at else self._db.stamp(),
                    ),
                )
                if wanted.network == "bluesky":
                    state = wanted.state or ACTIVE
                    db.execute(
                        "insert into repos values (?, ?, ?, ?, '', 0)",
                        (account_id, did_of(wanted.username), wanted.password or "", state),
                    )
            elif known.network != wanted.network:
                raise OtherNetworkError
            else:
                self._update(db, known, wanted)
            self._save_looks(db, wanted)
            saved = self.named(wanted.username)
        if saved is None:
            raise LookupError(wanted.username)
        return saved, known is None

    def _update(self, db: sqlite3.Connection, known: Account, wanted: Wanted) -> None:
        password = known.password if wanted.password is None else wanted.password
        ended = known.did and password != known.password
        db.execute(
            "update accounts set display_name = ?, note = ?, access_token = ?, created_at = ? where id = ?",
            (
                wanted.display_name or known.display_name,
                known.note if wanted.note is None else wanted.note,
                secrets.token_urlsafe(32) if ended else wanted.access_token or known.access_token,
                _stored(wanted.created_at or known.created_at),
                known.id,
            ),
        )
        db.execute(
            "update repos set password = ?, state = ? where account_id = ?",
            (password, wanted.state or known.state, known.id),
        )

    def _save_looks(self, db: sqlite3.Connection, wanted: Wanted) -> None:
        account = self.named(wanted.username)
        told = {
            name: getattr(wanted, name) for name in ("avatar", "website", "followers", "verified", "state")
        }
        if account is None or all(value is None for value in told.values()):
            return
        kept = [getattr(account, name) if value is None else value for name, value in told.items()]
        db.execute("insert or replace into looks values (?, ?, ?, ?, ?, ?)", (account.id, *kept))

    def found(self, network: str, words: str, limit: int) -> list[Account]:
        """Open accounts that have every word in their name or handle, those with most followers first.

        Bluesky's search reads the description too. Case and accents make no difference.
        """
        wanted = _plain(words).split()
        listed = [
            account
            for account in self.all()
            if account.network == network
            and account.state in (ACTIVE, "limited")
            and wanted
            and all(word in _plain(_searched(account)) for word in wanted)
        ]
        return sorted(listed, key=lambda account: -account.followers)[:limit]

    def all(self) -> list[Account]:
        """All accounts, in the order they were made."""
        return [_account(row) for row in self._db.rows(_ACCOUNTS + "order by id")]

    def by_id(self, account_id: int) -> Account | None:
        """The account of that id, whatever its network."""
        return self._one("where id = ?", account_id)

    def named(self, username: str) -> Account | None:
        """The account of that name, whatever its case and network."""
        return self._one("where username = ?", username)

    def on_mastodon(self, username: str) -> Account | None:
        """The Mastodon account of that name."""
        return self._one("where did is null and username = ?", username)

    def on_bluesky(self, handle_or_did: str) -> Account | None:
        """The Bluesky account of that handle or DID."""
        column = "did" if handle_or_did.startswith("did:") else "username"
        return self._one(f"where did is not null and {column} = ?", handle_or_did)

    def with_token(self, token: str) -> Account | None:
        """The Mastodon account a bearer token acts for."""
        return self._one("where did is null and access_token = ?", token)

    def _one(self, condition: str, value: object) -> Account | None:
        found = self._db.rows(_ACCOUNTS + condition, value)
        return _account(found[0]) if found else None


def _account(row: Row) -> Account:
    return Account(*[*row[:5], to_time(row[5]), *row[6:-1], bool(row[-1])])


def _searched(account: Account) -> str:
    about = account.note if account.network == "bluesky" else ""
    return f"{account.username} {account.display_name} {about}"


def _plain(text: str) -> str:
    """A text without case and accents, its words apart by one space."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in letters if not unicodedata.combining(char))


def _stored(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
