"""API tokens: 32 random bytes after `sb_`, of which only the SHA-256 is stored.

The prefix lets secret scanners and our own log filter recognise one.
"""

import base64
import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.links import token_digest

LONGEST_FOR = timedelta(days=366)
USUAL_FOR = timedelta(days=90)
_TOKEN = re.compile(r"sb_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Token:
    """What is known of a token; its text was shown once and is kept nowhere."""

    token_id: str
    token_hash: str
    person_id: str
    label: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def works(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


def new_text() -> str:
    """A new token's text."""
    return "sb_" + base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


def digest(text: str) -> str | None:
    """The stored form of a token, or None for a text that cannot be one."""
    return token_digest(text) if _TOKEN.fullmatch(text) else None
