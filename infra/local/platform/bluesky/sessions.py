"""com.atproto.server.* and what tells who is who: sign-in, handles, the state of a repo."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Response

from infra.local.platform.accounts import ACTIVE, Account
from infra.local.platform.bluesky.call import TAKEN_DOWN, XrpcCall, XrpcError
from infra.local.platform.bluesky.repos import Repos
from infra.local.platform.bluesky.tokens import ACCESS, REFRESH, claims_of, sign
from infra.local.platform.database import Database, to_time
from infra.local.serving.answers import answer

Endpoint = Callable[[XrpcCall], Response]
_OLD_TOKEN_LASTS_FOR = timedelta(hours=2)


class Sessions:
    """The endpoints; each takes the call."""

    def __init__(self, db: Database, repos: Repos) -> None:
        self._db = db
        self._repos = repos

    def endpoints(self) -> dict[str, Endpoint]:
        """What can be called, with its HTTP method."""
        return {
            "GET com.atproto.server.describeServer": self.describe_server,
            "POST com.atproto.server.createSession": self.create,
            "POST com.atproto.server.refreshSession": self.refresh,
            "GET com.atproto.server.getSession": self.get,
            "GET com.atproto.identity.resolveHandle": self.resolve_handle,
            "GET com.atproto.sync.getRepoStatus": self.repo_status,
        }

    def describe_server(self, call: XrpcCall) -> Response:
        """Who the server is; accounts are made through /_local only."""
        return answer(
            {
                "did": call.audience,
                "availableUserDomains": [".test"],
                "inviteCodeRequired": True,
                "links": {},
                "contact": {},
            }
        )

    def create(self, call: XrpcCall) -> Response:
        """Sign in by handle or DID."""
        identifier, password = call.text("identifier"), call.text("password")
        account = call.find(identifier)
        if account is None or not hmac.compare_digest(account.password.encode(), password.encode()):
            raise XrpcError(
                "Invalid identifier or password", "AuthenticationRequired", HTTPStatus.UNAUTHORIZED
            )
        if account.state == "takendown":
            raise TAKEN_DOWN
        return self._opened(call, account, secrets.token_urlsafe(32))

    def refresh(self, call: XrpcCall) -> Response:
        """New tokens; the old refresh token gives the same next one for two hours more, then none."""
        account = call.reader(REFRESH)
        token_id = claims_of(call.request.headers["Authorization"].partition(" ")[2]).token_id
        with self._db.change() as db:
            found = self._db.rows("select next_id, expires_at from refresh_tokens where id = ?", token_id)
            if not found or to_time(found[0][1]) <= call.now:
                raise XrpcError("Token has been revoked", "ExpiredToken")
            next_id = found[0][0]
            if next_id is None:
                next_id = secrets.token_urlsafe(32)
                ends_at = min(to_time(found[0][1]), call.now + _OLD_TOKEN_LASTS_FOR)
                db.execute(
                    "update refresh_tokens set next_id = ?, expires_at = ? where id = ?",
                    (next_id, ends_at.isoformat(), token_id),
                )
        return self._opened(call, account, next_id)

    def _opened(self, call: XrpcCall, account: Account, token_id: str) -> Response:
        with self._db.change() as db:
            ends_at = (call.now + REFRESH.lasts_for).isoformat()
            db.execute(
                "insert or ignore into refresh_tokens values (?, ?, null, ?)", (token_id, account.id, ends_at)
            )
        secret = account.access_token
        tokens = {
            "accessJwt": sign(ACCESS, account.did, call.audience, call.now, secret),
            "refreshJwt": sign(REFRESH, account.did, call.audience, call.now, secret, jti=token_id),
        }
        return answer({**tokens, **_about(account)})

    def get(self, call: XrpcCall) -> Response:
        """The account the token acts for."""
        return answer(_about(call.reader()))

    def resolve_handle(self, call: XrpcCall) -> Response:
        """The DID of a handle of this server; others are not looked up."""
        account = call.find_active(call.param("handle"))
        if account is None:
            raise XrpcError("Unable to resolve handle")
        return answer({"did": account.did})

    def repo_status(self, call: XrpcCall) -> Response:
        """Whether a repo can be read, and if not, why."""
        did = call.param("did")
        account = call.find(did)
        if account is None:
            raise XrpcError(f"Could not find repo for DID: {did}", "RepoNotFound")
        rev = {"rev": self._repos.rev(account.id)} if account.state == ACTIVE else {}
        return answer({"did": account.did, **_state(account), **rev})


def _about(account: Account) -> dict[str, Any]:
    return {"did": account.did, "handle": account.username, **_state(account)}


def _state(account: Account) -> dict[str, Any]:
    return {"active": True} if account.state == ACTIVE else {"active": False, "status": account.state}
