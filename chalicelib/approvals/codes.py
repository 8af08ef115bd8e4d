"""The optional six-digit code: mailed when somebody decides, good for ten minutes and five tries.

A try is used up before the code is compared, so that guessing in parallel gains nothing. Ten codes per
person and request bound guessing for good (fifty tries out of a million).
"""

import hashlib
import hmac
import os
import secrets
from datetime import timedelta

from chalicelib.approvals import store as rows
from chalicelib.approvals.model import Request
from chalicelib.core.clock import to_text
from chalicelib.core.database import Write
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.kernel import Kernel

LIVES_FOR = timedelta(minutes=10)  # OWASP ASVS 5.0, 6.5.5: the most for an out-of-band code
MAX_TRIES = 5
NEXT_AFTER = timedelta(minutes=1)
MAX_CODES = 10
_ROUNDS = 100_000  # six digits are few: each guess at a stolen hash has to cost something (ASVS 6.5.2)


class Codes:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._store = rows.Store(kernel.database)

    def ask(self, request: Request, by: By) -> bool:
        """Have a new code mailed; False if one was asked for within the last minute, or too often already."""
        change = self._kernel.change(by)
        now = change.now
        change.update(
            rows.TABLE,
            rows.code_key(request.request_id, by.person_id),
            where(
                "SET asked_at = :n, swept_at = :sweep ADD codes :one",
                n=to_text(now),
                one=1,
                sweep=int((request.expires_at + timedelta(days=1)).timestamp()),
            ),
            where(
                "attribute_not_exists(asked_at) OR (asked_at <= :before AND codes < :most)",
                before=to_text(now - NEXT_AFTER),
                most=MAX_CODES,
            ),
        )
        change.record(request.subject, "code asked for", request=request.request_id)
        key = f"{request.request_id}#{by.person_id}"
        change.chore("mail_code", request.request_id, key=key, person_id=by.person_id)
        try:
            self._kernel.commit(change)
        except Conflict:
            return False
        return True

    def make(self, request: Request, person_id: str) -> str:
        """A new code, of which only the hash is stored; the one before it no longer works."""
        code = f"{secrets.randbelow(1_000_000):06d}"
        salt = os.urandom(16).hex()
        change = self._kernel.change(BY_JOB)
        change.update(
            rows.TABLE,
            rows.code_key(request.request_id, person_id),
            where(
                "SET salt = :salt, code_hash = :h, ends_at = :e, tries = :zero",
                salt=salt,
                h=_hash(code, salt),
                e=to_text(change.now + LIVES_FOR),
                zero=0,
            ),
        )
        change.record(request.subject, "code mailed", request=request.request_id, to=person_id)
        self._kernel.commit(change)
        return code

    def check(self, request: Request, by: By, code: str) -> Write | int:
        """The write that uses the code up, to join the decision; if it is wrong, how many tries are left."""
        key = rows.code_key(request.request_id, by.person_id)
        change = self._kernel.change(by)
        change.update(
            rows.TABLE,
            key,
            where("ADD tries :one", one=1),
            where("tries < :most AND ends_at > :n", most=MAX_TRIES, n=to_text(change.now)),
        )
        change.record(request.subject, "code tried", request=request.request_id)
        try:
            self._kernel.commit(change)
        except Conflict:
            return 0
        row = self._store.code(request.request_id, by.person_id) or {}
        stored = row.get("code_hash", "")
        if stored and hmac.compare_digest(_hash(code, row["salt"]), stored):
            return Write(
                "Delete",
                rows.TABLE,
                key,
                when=where("code_hash = :h", h=stored),
                otherwise=Conflict("this code was replaced by a newer one"),
            )
        tries: int = row.get("tries", MAX_TRIES)
        return max(0, MAX_TRIES - tries)


def _hash(code: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", code.encode(), bytes.fromhex(salt), _ROUNDS).hex()
