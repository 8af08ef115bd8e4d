"""/webhooks: the addresses that platforms call, one for each platform, or for each of its apps."""

import logging
from typing import Any

from chalice import Blueprint, Response

from chalicelib.core import log as logs
from chalicelib.core.endpoint import HEADERS, current_request

bp = Blueprint(__name__)
log = logging.getLogger(__name__)

# What counts is the signature over the bytes: no content type makes a delivery better or worse.
ANY = ["*/*"]


@bp.route("/webhooks/{platform}", methods=["GET"], content_types=ANY)
def answer_handshake(platform: str) -> Response:
    """The platform checks that this address is ours."""
    return _answer(lambda door, knock: door.handshake(knock), platform)


@bp.route("/webhooks/{platform}", methods=["POST"], content_types=ANY)
def take_delivery(platform: str) -> Response:
    """The platform says that something happened."""
    return _answer(lambda door, knock: door.receive(knock), platform)


@bp.route("/webhooks/{platform}/{app}", methods=["GET"], content_types=ANY)
def answer_app_handshake(platform: str, app: str) -> Response:
    """As above, for one of several apps that a company has on the platform."""
    return _answer(lambda door, knock: door.handshake(knock), platform, app)


@bp.route("/webhooks/{platform}/{app}", methods=["POST"], content_types=ANY)
def take_app_delivery(platform: str, app: str) -> Response:
    """As above, for one of several apps."""
    return _answer(lambda door, knock: door.receive(knock), platform, app)


def _answer(ask: Any, platform: str, app: str = "") -> Response:
    from chalicelib.webhooks.door import TRY_AGAIN, Knock
    from chalicelib.wiring import services

    request = current_request()
    logs.logger().set_correlation_id((request.context or {}).get("requestId") or "local")
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        body = request.raw_body
        raw = body.encode() if isinstance(body, str) else body
    except ValueError:  # half a surrogate pair, or what says it is base64 and is not
        raw = None
    try:
        reply = ask(services().door, Knock(platform, app, dict(request.query_params or {}), headers, raw))
    except Exception:  # the stage's settings cannot be read: the platform sends it again
        log.exception("the door cannot be opened")
        reply = TRY_AGAIN
    finally:
        logs.flush()
    return Response(reply.text, {**HEADERS, "Content-Type": reply.content_type}, reply.status)
