"""A call of Mastodon's API with its rate limit and the wording of its failures.

Source: docs.joinmastodon.org/api/rate-limits and /entities/Error.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from infra.local.platform.accounts import Account
from infra.local.platform.mastodon.call import NOT_FOUND, MastodonCall
from infra.local.platform.settings import Allowance, RateLimiter
from infra.local.serving.answers import ApiError, answer


class MastodonExchange:
    """One call; `carry_out` dispatches it. `about` is whose profile or posts it asks for, if anybody's."""

    def __init__(
        self,
        call: MastodonCall,
        limiter: RateLimiter,
        limit: int,
        carry_out: Callable[[MastodonCall], Response],
        about: Account | None,
    ) -> None:
        self._call = call
        self._limiter = limiter
        self._limit = limit
        self._carry_out = carry_out
        subject = about or call.account
        self.username = subject.username if subject else None
        self.route = "reads" if about else _route(call)

    def allowance(self) -> Allowance:
        account = self._call.account
        who = account.username if account else self._call.request.remote_addr or ""
        return self._limiter.take(who, self._limit, self._call.now)

    def answered(self) -> Response:
        try:
            return self._carry_out(self._call)
        except ApiError as refused:
            return error(refused.status, refused.message)
        except RequestEntityTooLarge:
            return error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request too large")
        except HTTPException:
            return error(NOT_FOUND.status, NOT_FOUND.message)

    def too_many(self, resets_at: datetime, retry_after: int | None = None) -> Response:
        """Mastodon sends no Retry-After of its own, but proxies before it do."""
        response = error(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests")
        response.headers["X-RateLimit-Remaining"] = "0"
        response.headers["X-RateLimit-Reset"] = _rate_limit_time(resets_at)
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    def broken(self, status: int) -> Response:
        return error(status, "We're sorry, but something went wrong on our end.")

    def revoked(self) -> Response:
        return error(HTTPStatus.UNAUTHORIZED, "The access token was revoked")

    def suspended(self) -> Response:
        return error(HTTPStatus.FORBIDDEN, "Your login is currently disabled")

    def with_allowance(self, response: Response, allowance: Allowance) -> Response:
        response.headers.setdefault("X-RateLimit-Limit", str(allowance.limit))
        response.headers.setdefault("X-RateLimit-Remaining", str(allowance.remaining))
        response.headers.setdefault("X-RateLimit-Reset", _rate_limit_time(allowance.resets_at))
        return response


def error(status: int, message: str) -> Response:
    """An error as Mastodon shapes it."""
    return answer({"error": message}, status)


def _route(call: MastodonCall) -> str:
    path = call.request.path.rstrip("/")
    if call.request.method == "POST" and path == "/api/v1/statuses":
        return "statuses"
    return "media" if path.split("/")[3:4] == ["media"] else "other"


def _rate_limit_time(at: datetime) -> str:
    """ISO 8601 with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
