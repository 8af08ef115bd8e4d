"""/v1/analytics/audience: is our audience there, and what an hour of work is spent on."""

from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, csv_file, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> Any:
    from chalicelib.analytics import forms

    return forms


def _views() -> Any:
    from chalicelib.analytics import views

    return views


def _audience() -> Any:
    from chalicelib.wiring import services

    return services().audience


def _words(call: Call) -> Any:
    from chalicelib.core.words import Words, best_language

    return Words(best_language(call.request.headers.get("accept-language") or ""))


@bp.route("/v1/analytics/audience", methods=["GET"])
@endpoint(
    right=Right.REGISTER_READ, query=lambda: _forms().AudienceQuery, answers=lambda: _views().AudiencePage
)
def list_audience(call: Call) -> Answer:
    """A page of the accounts of a `unit`, on a `platform`, by what their work brings; in Accept-Language."""
    asked = call.query
    found, start = _audience().page(
        call.actor, asked.limit, asked.start, asked.unit, asked.platform, asked.weeks
    )
    return Answer(_views().AudiencePage.of(found, _words(call), call.cursor(start)))


@bp.route("/v1/analytics/audience/export", methods=["GET"])
@csv_file("audience.csv")
@endpoint(right=Right.REGISTER_READ, query=lambda: _forms().ExportQuery)
def export_audience(call: Call) -> Answer:
    """The whole ranking as CSV."""
    asked = call.query
    found = _audience().export(call.actor, asked.unit, asked.platform, asked.weeks)
    return Answer({"csv": _views().as_csv(found, _words(call))})


@bp.route("/v1/analytics/audience/{account_id}", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, query=lambda: _forms().OneQuery, answers=lambda: _views().AssessmentView)
def show_audience(call: Call, account_id: str) -> Answer:
    """One account, ranked among those of its unit."""
    found = _audience().of(call.actor, account_id, call.query.weeks)
    return Answer(_views().AssessmentView.of(found, _words(call)))


@bp.route("/v1/analytics/audience/settings/{unit_id}", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().EffortView)
def show_effort(call: Call, unit_id: str) -> Answer:
    """What a unit says that posts, answers and upkeep take."""
    return Answer(_views().EffortView.of(_audience().effort(call.actor, unit_id)))


@bp.route("/v1/analytics/audience/settings/{unit_id}", methods=["PUT"])
@endpoint(right=Right.REGISTER_WRITE, body=lambda: _forms().NewEffort, answers=lambda: _views().EffortView)
def set_effort(call: Call, unit_id: str) -> Answer:
    """Replace what a unit says that its work takes; what is null is left to the units above."""
    return Answer(_views().EffortView.of(_audience().set_effort(call.actor, unit_id, call.body.own())))
