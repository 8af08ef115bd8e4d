"""Finding accounts over HTTP: candidates, settings, reports, duplicates, and the two pages."""

from types import ModuleType
from typing import Any

from chalice import Blueprint, Response

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.core.link_page import serve
from chalicelib.org.roles import Right

bp = Blueprint(__name__)
_FORM = ["application/x-www-form-urlencoded"]
_ANY = ["*/*"]


def _forms() -> ModuleType:
    from chalicelib.discovery import forms

    return forms


def _views() -> ModuleType:
    from chalicelib.discovery import views

    return views


def _paging() -> Any:
    from chalicelib.core.listings import Paging

    return Paging


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/discovery/candidates", methods=["GET"])
@endpoint(
    right=Right.REGISTER_READ,
    query=lambda: _forms().CandidatesQuery,
    answers=lambda: _views().CandidatesPage,
)
def list_candidates(call: Call) -> Answer:
    """A page of the candidates of a `state` (else the undecided), of a `unit` and all below it."""
    asked, views = call.query, _views()
    found, after = _box().triage.page(call.actor, asked.limit, asked.start, asked.state, asked.unit)
    shown = [views.CandidateView.of(candidate) for candidate in found]
    return Answer(views.CandidatesPage(candidates=shown, cursor=call.cursor(after)))


@bp.route("/v1/discovery/candidates/{candidate_id}", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().CandidateView)
def show_candidate(call: Call, candidate_id: str) -> Answer:
    """One candidate."""
    return Answer(_views().CandidateView.of(_box().triage.read(call.actor, candidate_id)))


@bp.route("/v1/discovery/candidates/{candidate_id}/triage", methods=["POST"])
@endpoint(
    right=Right.REGISTER_WRITE, body=lambda: _forms().NewVerdict, answers=lambda: _views().CandidateView
)
def decide_candidate(call: Call, candidate_id: str) -> Answer:
    """Say what a candidate is."""
    decided = _box().triage.decide(call.actor, candidate_id, call.body.ruling())
    return Answer(_views().CandidateView.of(decided))


@bp.route("/v1/discovery/settings", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().SettingsView)
def show_discovery_settings(call: Call) -> Answer:
    """What is searched for, and where."""
    return Answer(_views().SettingsView.of(_box().discovery_settings.read(call.actor)))


@bp.route("/v1/discovery/settings", methods=["PUT"])
@endpoint(
    right=Right.REGISTER_WRITE, body=lambda: _forms().NewSettings, answers=lambda: _views().SettingsView
)
def set_discovery_settings(call: Call) -> Answer:
    """Replace what is searched for, and where."""
    saved = _box().discovery_settings.save(call.actor, call.body.settings())
    return Answer(_views().SettingsView.of(saved))


@bp.route("/v1/discovery/reports", methods=["POST"])
@endpoint(
    right=Right.REGISTER_WRITE,
    body=lambda: _forms().NewReports,
    answers=lambda: _views().ReportsTaken,
    idempotent=True,
)
def send_reports(call: Call) -> Answer:
    """Have the profiles in a CSV looked at: a web search's export, or what colleagues reported."""
    taken, without = _box().discovery.tell(call.actor, call.body.kind, call.body.csv)
    return Answer(_views().ReportsTaken(taken=taken, without_address=without), 202)


@bp.route("/v1/discovery/duplicates", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, query=_paging, answers=lambda: _views().DuplicatesPage)
def list_duplicates(call: Call) -> Answer:
    """A page of pairs among our own accounts to merge, and what each would lose."""
    pairs, after = _box().discovery.duplicates(call.actor, call.query.limit, call.query.start)
    views = _views()
    shown = [views.DuplicateView.of(pair) for pair in pairs]
    return Answer(views.DuplicatesPage(duplicates=shown, cursor=call.cursor(after)))


@bp.route("/q/{token}", methods=["GET", "HEAD"], content_types=_ANY)
def show_triage(token: str) -> Response:
    """The triage page; changes nothing, however often scanners open it."""
    return serve(lambda request, language: _box().triage_page.show(token, language), _company)


@bp.route("/q/{token}", methods=["POST"], content_types=_FORM)
def decide_triage(token: str) -> Response:
    """What a button of the triage page does."""
    return serve(
        lambda request, language: _box().triage_page.decide(token, request.raw_body or b"", language),
        _company,
    )


@bp.route("/report", methods=["GET", "HEAD"], content_types=_ANY)
def show_report() -> Response:
    """The public form to report a profile that pretends to be us."""
    return serve(lambda request, language: _box().report_page.show(language), _company)


@bp.route("/report", methods=["POST"], content_types=_FORM)
def take_report() -> Response:
    """Take a report from anybody, within limits."""

    def take(request: Any, language: str) -> Any:
        address = str(((request.context or {}).get("identity") or {}).get("sourceIp") or "")
        return _box().report_page.take(request.raw_body or b"", address, language)

    return serve(take, _company)


def _company() -> str:
    return str(_box().settings.company)
