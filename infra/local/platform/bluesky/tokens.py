"""The two tokens of a session: JWTs signed with the account's own secret (RFC 7519, HS256).

Lifetimes and claims are those of a PDS 0.4.217: access two hours, refresh ninety days.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Kind:
    """One of the two sorts of token."""

    type: str
    scope: str
    lasts_for: timedelta


ACCESS = Kind("at+jwt", "com.atproto.access", timedelta(hours=2))
REFRESH = Kind("refresh+jwt", "com.atproto.refresh", timedelta(days=90))


class TokenError(ValueError):
    """The text is no token of ours."""


@dataclass(frozen=True)
class Claims:
    """What a token says; `token_id` is empty for an access token."""

    kind: Kind
    did: str
    token_id: str
    expires_at: datetime


def sign(kind: Kind, did: str, audience: str, now: datetime, secret: str, **more: str) -> str:
    """A token for `kind.lasts_for` from now."""
    issued_at = int(now.timestamp())
    claims = {
        "scope": kind.scope,
        "aud": audience,
        "sub": did,
        **more,
        "iat": issued_at,
        "exp": issued_at + int(kind.lasts_for.total_seconds()),
    }
    signed = f"{_written({'typ': kind.type, 'alg': 'HS256'})}.{_written(claims)}"
    return f"{signed}.{_signature(signed, secret)}"


def claims_of(token: str) -> Claims:
    """What a token claims, whoever signed it. Raises TokenError."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        kind = next(kind for kind in (ACCESS, REFRESH) if kind.scope == claims["scope"])
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        return Claims(kind, str(claims["sub"]), str(claims.get("jti", "")), expires_at)
    except (ValueError, TypeError, LookupError, OverflowError, OSError, RecursionError, StopIteration):
        raise TokenError from None


def is_signed(token: str, secret: str) -> bool:
    """Whether a token was signed with this secret."""
    signed, _, signature = token.rpartition(".")
    return hmac.compare_digest(signature.encode(), _signature(signed, secret).encode())


def _signature(signed: str, secret: str) -> str:
    return _encoded(hmac.digest(secret.encode(), signed.encode(), "sha256"))


def _written(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
