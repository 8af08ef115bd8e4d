"""What the box says of itself: that it is up, and what it offers."""

from chalice import Blueprint
from chalice.app import Request

from chalicelib.core.endpoint import Answer, open_endpoint

bp = Blueprint(__name__)


@bp.route("/", methods=["GET"])
@open_endpoint
def show_box(request: Request) -> Answer:
    """Where to find what."""
    return Answer({"name": "signalbox", "api": "/v1", "openapi": "/openapi.json"})


@bp.route("/openapi.json", methods=["GET"])
@open_endpoint
def show_openapi(request: Request) -> Answer:
    """The API as OpenAPI 3.1, made from the models that check it."""
    from chalicelib.openapi import document

    return Answer(document())
