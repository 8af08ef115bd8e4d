"""JSON in and out, and who may ask: what both local servers do in the same way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

from werkzeug.wrappers import Request, Response

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class ApiError(Exception):
    """Ends a call with a status and `{"error": message}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


NOT_READABLE = ApiError(HTTPStatus.BAD_REQUEST, "Error occurred while parsing request parameters")


def answer(body: object, status: int = HTTPStatus.OK) -> Response:
    """A JSON answer."""
    return Response(json.dumps(body, ensure_ascii=False), status=status, mimetype="application/json")


def json_body(request: Request) -> dict[str, Any]:
    """The request's JSON object. Raises ApiError 400 for anything else."""
    try:
        body = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        raise NOT_READABLE from None
    if not isinstance(body, dict):
        raise NOT_READABLE
    return body


def timestamp(at: datetime) -> str:
    """ISO 8601 with milliseconds and Z, as both Mastodon and Bluesky write times."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def refuse_strangers(request: Request) -> None:
    """Let only programs on this machine in, not web pages that post here nor names rebound to loopback.

    Raises ApiError 403.
    """
    host = request.host.rpartition(":")[0] or request.host
    local = ip_address(request.remote_addr or "0.0.0.0").is_loopback  # nosec B104
    if not local or host not in _LOOPBACK_NAMES or "Origin" in request.headers:
        raise ApiError(
            HTTPStatus.FORBIDDEN, "/_local answers only programs on this machine, called by its own name"
        )
