"""One XRPC call: its parameters and body, the account that makes it, and the errors it can end in.

Source: atproto.com/specs/xrpc; error names and messages as a PDS 0.4.217 was seen to give them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Response

from infra.local.platform.accounts import ACTIVE, Account, Accounts
from infra.local.platform.bluesky.tokens import ACCESS, Kind, TokenError, claims_of, is_signed
from infra.local.platform.call import Call
from infra.local.serving.answers import answer

_ABOUT = ("repo", "did", "actor")


class XrpcError(Exception):
    """Ends a call with a status and `{"error": name, "message": message}`."""

    def __init__(
        self, message: str, name: str = "InvalidRequest", status: int = HTTPStatus.BAD_REQUEST
    ) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        self.status = status


def error(status: int, name: str, message: str) -> Response:
    """An error as XRPC shapes it."""
    return answer({"error": name, "message": message}, status)


AUTH_MISSING = XrpcError("Authentication Required", "AuthMissing", HTTPStatus.UNAUTHORIZED)
NOT_YOURS = XrpcError("Authentication Required", "AuthenticationRequired", HTTPStatus.UNAUTHORIZED)
TAKEN_DOWN = XrpcError("Account has been taken down", "AccountTakedown", HTTPStatus.UNAUTHORIZED)
DEACTIVATED = XrpcError("Account is deactivated", "AccountDeactivated", HTTPStatus.UNAUTHORIZED)


@dataclass
class XrpcCall(Call):
    """A request; with `taken_down` every account counts as taken down by the network."""

    accounts: Accounts
    taken_down: bool = False

    @property
    def method(self) -> str:
        """What is called, such as `com.atproto.repo.putRecord`."""
        return self.request.path.removeprefix("/xrpc/").rstrip("/")

    @property
    def audience(self) -> str:
        """This server's own DID."""
        return f"did:web:{self.domain.replace(':', '%3A')}"

    def find(self, handle_or_did: str) -> Account | None:
        """A Bluesky account of this server, as this call is to see it."""
        found = self.accounts.on_bluesky(handle_or_did)
        return replace(found, state="takendown") if found and self.taken_down else found

    def find_active(self, handle_or_did: str) -> Account | None:
        """The same, for reading: None for an account that its owner or the network has closed."""
        found = self.find(handle_or_did)
        return found if found and found.state == ACTIVE else None

    @cached_property
    def subject(self) -> Account | None:
        """Whose call it is, or about whom, as far as can be told; raises nothing."""
        token = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
        signed = self._signer(token) if token else None
        if signed or self.request.method == "POST":
            return signed or self._signing_in
        names = [self.request.args[name] for name in _ABOUT if name in self.request.args]
        return self.accounts.on_bluesky(names[0]) if names else None

    @property
    def _signing_in(self) -> Account | None:
        if not self.method.endswith(".createSession"):
            return None
        try:
            return self.accounts.on_bluesky(self.text("identifier"))
        except XrpcError:
            return None

    def _signer(self, token: str) -> Account | None:
        try:
            account = self.accounts.on_bluesky(claims_of(token).did)
        except TokenError:
            return None
        return account if account and is_signed(token, account.access_token) else None

    def reader(self, kind: Kind = ACCESS) -> Account:
        """The account whose token came along.

        Raises XrpcError AuthMissing, InvalidToken, ExpiredToken (with 400, not 401) or AccountTakedown.
        """
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            raise AUTH_MISSING
        if scheme != "Bearer":
            raise XrpcError("Unexpected authorization type", "InvalidToken")
        signer = self._signer(token)
        account = self.find(signer.did) if signer else None
        if account is None:
            raise XrpcError("Token could not be verified", "InvalidToken")
        claims = claims_of(token)
        if claims.kind != kind:
            raise XrpcError("Invalid token type", "InvalidToken")
        if claims.expires_at <= self.now:
            raise XrpcError("Token has expired", "ExpiredToken")
        if account.state == "takendown":
            raise TAKEN_DOWN
        return account

    def writer(self) -> Account:
        """The account whose own repo the body names. Raises XrpcError."""
        account = self.reader()
        if account.state != ACTIVE:
            raise DEACTIVATED
        named = self.find(self.text("repo"))
        if named is None or named.id != account.id:
            raise NOT_YOURS
        return account

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object that came along. Raises XrpcError."""
        if not self.request.mimetype:
            raise XrpcError("Request encoding (Content-Type) required but not provided")
        if self.request.mimetype != "application/json":
            raise XrpcError(f"Wrong request encoding (Content-Type): {self.request.mimetype}")
        try:
            body = json.loads(self.request.get_data(), parse_constant=_refuse, parse_float=_refuse)
            json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise XrpcError("The body is not JSON that a record can hold") from None
        if not isinstance(body, dict):
            raise XrpcError("Expected object value type at $")
        return body

    def text(self, name: str, otherwise: str | None = None) -> str:
        """A text of the body. Raises XrpcError when it is missing, unless there is an `otherwise`."""
        value = self.body.get(name, otherwise)
        if value is None:
            raise XrpcError(f'Missing required key "{name}" at $')
        if not isinstance(value, str):
            raise XrpcError(f"Expected string value type at $.{name}")
        return value

    def param(self, name: str) -> str:
        """A parameter. Raises XrpcError when it is missing."""
        if name not in self.request.args:
            raise XrpcError(f'Params must have the property "{name}"')
        return self.request.args[name]

    def limit(self, otherwise: str = "50") -> int:
        """The `limit` parameter, 1 to 100. Raises XrpcError."""
        value = self.request.args.get("limit", otherwise)
        if not (value.isascii() and value.isdecimal() and len(value) < 4 and 1 <= int(value) <= 100):
            raise XrpcError("limit must be from 1 to 100")
        return int(value)


def _refuse(literal: str) -> Any:
    raise ValueError(literal)
