"""Outages over HTTP: which there are, declaring one, letting work go on, and what one did to us."""

from types import ModuleType
from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> ModuleType:
    from chalicelib.platform_changes import outage_forms

    return outage_forms


def _views() -> ModuleType:
    from chalicelib.platform_changes import outage_views

    return outage_views


def _listings() -> ModuleType:
    from chalicelib.core import listings

    return listings


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/platform-changes/outages", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, query=lambda: _listings().Paging, answers=lambda: _views().OutagesOut)
def list_outages(call: Call) -> Answer:
    """The platforms' outages, the latest first; one without an end still stands."""
    found, after = _box().outages.page(call.query.limit, call.query.start)
    return Answer({"outages": [_views().OutageOut.of(o) for o in found], "cursor": call.cursor(after)})


@bp.route("/v1/platform-changes/outages", methods=["POST"])
@endpoint(
    right=Right.CHANGES_WRITE,
    body=lambda: _forms().NewOutage,
    answers=lambda: _views().OutageOut,
    idempotent=True,
)
def declare_outage(call: Call) -> Answer:
    """Pause a platform's work for a day at most; where it is paused already, for a day from now."""
    body = call.body
    outage = _box().outages.declare(call.actor, body.platform, body.title, body.url)
    return Answer(_views().OutageOut.of(outage), status=201)


@bp.route("/v1/platform-changes/outages/{outage_id}", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, answers=lambda: _views().OutageOut)
def show_outage(call: Call, outage_id: str) -> Answer:
    """An outage and its incidents."""
    return Answer(_views().OutageOut.of(_box().outages.get(outage_id)))


@bp.route("/v1/platform-changes/outages/{outage_id}/receipt", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, answers=lambda: _views().ReceiptOut)
def show_outage_receipt(call: Call, outage_id: str) -> Answer:
    """What waited for it, and what has become of that by now."""
    box = _box()
    outage = box.outages.get(outage_id)
    lines = box.outage_receipts.of(outage_id)
    return Answer(_views().ReceiptOut.of(outage, lines, box.outage_receipts.seen_by(call.actor, lines)))


@bp.route("/v1/platform-changes/outages/{outage_id}/lift", methods=["POST"])
@endpoint(right=Right.CHANGES_WRITE, body=lambda: _forms().LiftIn, answers=lambda: _views().OutageOut)
def lift_outage(call: Call, outage_id: str) -> Answer:
    """Let the platform's work go on although the outage stands; the same incident does not stop it again."""
    return Answer(_views().OutageOut.of(_box().outages.lift(call.actor, outage_id, call.body.why)))
