"""A call of Bluesky's XRPC with its rate limit and the wording of its failures.

Sources: docs.bsky.app/docs/advanced-guides/rate-limits; a PDS 0.4.217 for headers and messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from infra.local.platform.bluesky.call import XrpcCall, XrpcError, error
from infra.local.platform.settings import RATE_WINDOW, Allowance, RateLimiter, Settings

LARGEST_JSON_BYTES = 150 * 1024
LARGEST_BLOB_BYTES = 50 * 1024 * 1024
_SIGN_IN = "com.atproto.server.createSession"
_UPLOAD = "com.atproto.repo.uploadBlob"
_READS = (
    "app.bsky.actor.getProfile",
    "app.bsky.feed.getAuthorFeed",
    "com.atproto.repo.listRecords",
    "com.atproto.sync.getRepoStatus",
)
_PUBLISHING = ("com.atproto.repo.putRecord", "com.atproto.repo.createRecord")


class XrpcExchange:
    """One call; `carry_out` dispatches it."""

    def __init__(
        self,
        call: XrpcCall,
        limiter: RateLimiter,
        sign_ins: RateLimiter,
        settings: Settings,
        carry_out: Callable[[XrpcCall], Response],
    ) -> None:
        self._call = call
        self._limiter = limiter
        self._sign_ins = sign_ins
        self._settings = settings
        self._carry_out = carry_out
        self.route = _route(call.method)
        upload = self.route == "media"
        call.request.max_content_length = LARGEST_BLOB_BYTES if upload else LARGEST_JSON_BYTES
        self.username = call.subject.username if call.subject else None

    def allowance(self) -> Allowance:
        """Sign-ins have a limit of their own, which refused ones use up too."""
        who = self.username or self._call.request.remote_addr or ""
        if self._call.method == _SIGN_IN:
            return self._sign_ins.take(who, self._settings.session_limit, self._call.now)
        return self._limiter.take(who, self._settings.rate_limit, self._call.now)

    def answered(self) -> Response:
        return self._answered(self._call)

    def _answered(self, call: XrpcCall) -> Response:
        try:
            return self._carry_out(call)
        except XrpcError as refused:
            return error(refused.status, refused.name, refused.message)
        except RequestEntityTooLarge:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            return error(status, "PayloadTooLarge", "request entity too large")
        except HTTPException:
            message = f"No service configured for {call.method}"
            return error(HTTPStatus.BAD_REQUEST, "InvalidRequest", message)

    def too_many(self, resets_at: datetime, retry_after: int | None = None) -> Response:
        """Bluesky sends no Retry-After of its own, but proxies before it do."""
        response = error(HTTPStatus.TOO_MANY_REQUESTS, "RateLimitExceeded", "Rate Limit Exceeded")
        response.headers["RateLimit-Remaining"] = "0"
        response.headers["RateLimit-Reset"] = _seconds(resets_at)
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    def broken(self, status: int) -> Response:
        return error(status, "InternalServerError", "Internal Server Error")

    def revoked(self) -> Response:
        """No token counts any more, nor does the password: signing in again does not help."""
        if self._call.method == _SIGN_IN:
            message = "Invalid identifier or password"
            return error(HTTPStatus.UNAUTHORIZED, "AuthenticationRequired", message)
        return error(HTTPStatus.BAD_REQUEST, "ExpiredToken", "Token has been revoked")

    def suspended(self) -> Response:
        """What the call would get if the account were taken down: reads differ from writes."""
        return self._answered(replace(self._call, taken_down=True))

    def with_allowance(self, response: Response, allowance: Allowance) -> Response:
        response.headers.setdefault("RateLimit-Limit", str(allowance.limit))
        response.headers.setdefault("RateLimit-Remaining", str(allowance.remaining))
        response.headers.setdefault("RateLimit-Reset", _seconds(allowance.resets_at))
        window = int(RATE_WINDOW.total_seconds())
        response.headers.setdefault("RateLimit-Policy", f"{allowance.limit};w={window}")
        return response


def _route(method: str) -> str:
    if method == _UPLOAD:
        return "media"
    if method in _PUBLISHING:
        return "statuses"
    return "reads" if method in _READS else "other"


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))
