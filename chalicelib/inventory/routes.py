"""Inventory rounds over HTTP, and the page on which a manager answers behind their mailed link."""

from types import ModuleType
from typing import Any

from chalice import Blueprint, Response

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> ModuleType:
    from chalicelib.inventory import forms

    return forms


def _views() -> ModuleType:
    from chalicelib.inventory import views

    return views


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/inventory/rounds", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, query=lambda: _forms().RoundsQuery, answers=lambda: _views().RoundsPage)
def list_inventory_rounds(call: Call) -> Answer:
    """A page of the inventory rounds, the latest first."""
    found, after = _box().inventory.store.rounds(call.query.limit, call.query.start)
    views = _views()
    shown = [views.RoundView.of(round_) for round_ in found]
    return Answer(views.RoundsPage(rounds=shown, cursor=call.cursor(after)))


@bp.route("/v1/inventory/rounds", methods=["POST"])
@endpoint(
    right=Right.REGISTER_WRITE,
    body=lambda: _forms().NewRound,
    answers=lambda: _views().RoundView,
    idempotent=True,
)
def start_inventory_round(call: Call) -> Answer:
    """Start a round: whoever manages a unit gets a mail with one link to its list of accounts."""
    return Answer(_views().RoundView.of(_box().inventory.start(call.actor, call.body.model_dump())), 201)


@bp.route("/v1/inventory/rounds/{round_id}", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().RoundOut)
def show_inventory_round(call: Call, round_id: str) -> Answer:
    """A round, and how far the units that you may see are."""
    inventory = _box().inventory
    parts = [part for part, _ in inventory.visible_parts(call.actor, round_id)]
    return Answer(_views().RoundOut.of(inventory.store.round(round_id), parts))


@bp.route("/v1/inventory/rounds/{round_id}/parts", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().PartsOut)
def list_inventory_parts(call: Call, round_id: str) -> Answer:
    """How far each unit is: who is asked, and how many accounts have which answer."""
    views = _views()
    found = _box().inventory.visible_parts(call.actor, round_id)
    return Answer(views.PartsOut(parts=[views.PartView.of(part, unit) for part, unit in found]))


@bp.route("/v1/inventory/rounds/{round_id}/report", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().ReportOut)
def show_inventory_report(call: Call, round_id: str) -> Answer:
    """What a round brought, unit by unit, with each account and its answer."""
    return Answer(_views().ReportOut.of(_box().inventory_reports.of(call.actor, round_id)))


@bp.route("/v1/inventory/rounds/{round_id}/remind", methods=["POST"])
@endpoint(right=Right.REGISTER_WRITE, answers=lambda: _views().RoundView)
def remind_inventory_round(call: Call, round_id: str) -> Answer:
    """Remind everybody who has not finished, now; not twice within an hour."""
    return Answer(_views().RoundView.of(_box().inventory.remind(call.actor, round_id)))


@bp.route("/v1/inventory/rounds/{round_id}/close", methods=["POST"])
@endpoint(right=Right.REGISTER_WRITE, answers=lambda: _views().RoundView)
def close_inventory_round(call: Call, round_id: str) -> Answer:
    """End a round before its time; its report is mailed to the leads."""
    return Answer(_views().RoundView.of(_box().inventory.close(call.actor, round_id)))


# A GET has no content type worth checking, and Chalice would check it (415 without this).
@bp.route("/r/{token}", methods=["GET", "HEAD"], content_types=["*/*"])
def show_inventory_page(token: str) -> Response:
    """A manager's list of accounts; changes nothing, however often scanners open it."""
    return _page(lambda page, request, language: page.show(token, request.query_params, language))


@bp.route("/r/{token}", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def answer_inventory_page(token: str) -> Response:
    """What a button of that page does."""

    def made(page: Any, request: Any, language: str) -> Any:
        return page.act(token, request.raw_body or b"", request.query_params, language)

    return _page(made)


def _page(make: Any) -> Response:
    from chalicelib.core.link_page import serve

    box = _box()
    return serve(
        lambda request, language: make(box.inventory_page, request, language), lambda: box.settings.company
    )
