"""Emailed links: 32 random bytes, of which only the SHA-256 is stored.

A link locates; only an explicit POST decides, in the transaction that spends the link. GET and HEAD read.
Mail scanners open everything (research: Safe Links was seen to submit forms), so a page never acts by itself.
"""

import base64
import hashlib
import os
import re
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Write
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import where
from chalicelib.core.records import from_item, to_item

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Link:
    """What a link is for: purpose, subject, the one person it was sent to, the revision they were shown."""

    token_hash: str
    purpose: str
    subject: str
    person_id: str
    revision: str
    expires_at: datetime
    spent_at: datetime | None = None
    outcome: str | None = None


class Links:
    def __init__(self, database: Database) -> None:
        self._database = database

    def mint(
        self, purpose: str, subject: str, person_id: str, revision: str, expires_at: datetime
    ) -> tuple[str, Write]:
        """A new token, and the write that makes it work; the token itself is kept nowhere."""
        token = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
        link = Link(token_digest(token), purpose, subject, person_id, revision, expires_at)
        # A spent or expired link still explains itself to its holder for 90 days, then TTL sweeps it.
        item = {**to_item(link), "swept_at": int(expires_at.timestamp()) + 90 * 86400}
        return token, Write("Put", "links", item)

    def find(self, token: str, purpose: str) -> Link | None:
        """The link with this token and purpose, whether or not it still works; None if there is none."""
        if not _TOKEN.fullmatch(token):
            return None
        item = self._database.get("links", {"token_hash": token_digest(token)})
        if item is None or item["purpose"] != purpose:
            return None
        return from_item(Link, item)

    def spend(self, link: Link, outcome: str, now: datetime) -> Write:
        """The write that uses a link up; refused if it was used before or has expired."""
        return Write(
            "Update",
            "links",
            {"token_hash": link.token_hash},
            when=where("attribute_not_exists(spent_at) AND expires_at > :n", n=to_text(now)),
            update=where("SET spent_at = :n, outcome = :outcome", n=to_text(now), outcome=outcome),
            otherwise=Conflict("this link was already used, or has expired"),
        )


def token_digest(token: str) -> str:
    """The stored form of a token: 256 random bits need no salt (OWASP ASVS 5.0, 6.5.2)."""
    return hashlib.sha256(token.encode()).hexdigest()
