"""The register of platform changes over HTTP, and the page of one behind its mailed link."""

from types import ModuleType
from typing import Any

from chalice import Blueprint, Response

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> ModuleType:
    from chalicelib.platform_changes import forms

    return forms


def _views() -> ModuleType:
    from chalicelib.platform_changes import views

    return views


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/platform-changes", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, query=lambda: _forms().ChangesQuery, answers=lambda: _views().ChangesOut)
def list_platform_changes(call: Call) -> Answer:
    """What changes at the platforms, the latest first."""
    asked = call.query
    found, before = _box().changes.page(asked.wanted(), asked.limit, asked.start)
    return Answer({"changes": [_views().ChangeOut.of(c) for c in found], "cursor": call.cursor(before)})


@bp.route("/v1/platform-changes", methods=["POST"])
@endpoint(
    right=Right.CHANGES_WRITE,
    body=lambda: _forms().NewChange,
    answers=lambda: _views().ChangeOut,
    idempotent=True,
)
def add_platform_change(call: Call) -> Answer:
    """Add a change that you have heard of; one that is known already gets a sighting more."""
    from chalicelib.accounts.directory import network_name
    from chalicelib.core.ids import new_id

    body, box = call.body, _box()
    network_name(body.platform)  # refuses one that there is not
    finding = body.finding(new_id("finding", box.clock.now()))
    change = box.changes.add(call.actor, body.platform, finding, body.corrections)
    return Answer(_views().ChangeOut.of(change), status=201)


@bp.route("/v1/platform-changes/sources", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, answers=lambda: _views().SourcesOut)
def list_change_sources(call: Call) -> Answer:
    """Every place that is looked at, when it was last, and what is wrong with it."""
    return Answer(_views().SourcesOut.of(_box().change_sources.all()))


@bp.route("/v1/platform-changes/sources/{key}", methods=["PUT"])
@endpoint(right=Right.CHANGES_WRITE, body=lambda: _forms().SourceIn, answers=lambda: _views().SourceOut)
def set_change_source(call: Call, key: str) -> Answer:
    """Set another address or rhythm of a source, or set it off; what is left out is as it is known here."""
    return Answer(_views().SourceOut.of(_box().change_sources.set(call.actor, key, call.body.own())))


@bp.route("/v1/platform-changes/rules", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, answers=lambda: _views().RulesOut)
def list_change_rules(call: Call) -> Answer:
    """By which rules changes are sorted, in the order in which they decide: the company's own, then ours."""
    return Answer({"rules": [_views().RuleOut.of(rule) for rule in _box().change_rules.rules()]})


@bp.route("/v1/platform-changes/rules", methods=["POST"])
@endpoint(
    right=Right.CHANGES_WRITE,
    body=lambda: _forms().NewRule,
    answers=lambda: _views().RuleOut,
    idempotent=True,
)
def add_change_rule(call: Call) -> Answer:
    """Make a rule of the company's own; it goes before all others, and decides from now on."""
    rule = _box().change_rules.add(call.actor, call.body.fields)
    return Answer(_views().RuleOut.of(rule), status=201)


@bp.route("/v1/platform-changes/rules/{rule_id}", methods=["DELETE"])
@endpoint(right=Right.CHANGES_WRITE)
def remove_change_rule(call: Call, rule_id: str) -> Answer:
    """Remove a rule of the company's own; what it has decided stays."""
    _box().change_rules.remove(call.actor, rule_id)
    return Answer(status=204)


@bp.route("/v1/platform-changes/{change_id}", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, answers=lambda: _views().ChangeWithHistory)
def show_platform_change(call: Call, change_id: str) -> Answer:
    """A change with everything that happened to it."""
    from chalicelib.core.listings import HistoryRow

    box = _box()
    change = box.changes.get(change_id)
    rows = box.history.of(f"platform_change#{change_id}")
    return Answer({"change": _views().ChangeOut.of(change), "history": [HistoryRow.of(row) for row in rows]})


@bp.route("/v1/platform-changes/{change_id}", methods=["PATCH"])
@endpoint(
    right=Right.CHANGES_WRITE, body=lambda: _forms().ChangeCorrection, answers=lambda: _views().CorrectedOut
)
def correct_platform_change(call: Call, change_id: str) -> Answer:
    """Say what it is, whom it concerns, who does what by when; with `remember`, for the next ones too."""
    body, box, rule = call.body, _box(), None
    if body.remember:
        about, words = box.changes.get(change_id), body.words
        rule = box.change_rules.of_correction(
            call.actor, about, body.corrections, words, body.operation, body.why
        )
    change = box.changes.correct(call.actor, change_id, body.version, body.corrections, rule)
    answer = {"change": _views().ChangeOut.of(change), "rule": _views().RuleOut.of(rule) if rule else None}
    return Answer(answer)


@bp.route("/v1/platform-changes/{change_id}/notes", methods=["POST"])
@endpoint(
    right=Right.CHANGES_WRITE,
    body=lambda: _forms().NewNote,
    answers=lambda: _views().ChangeOut,
    idempotent=True,
)
def note_platform_change(call: Call, change_id: str) -> Answer:
    """Add a note to a change."""
    change = _box().changes.note(call.actor, change_id, call.body.text)
    return Answer(_views().ChangeOut.of(change), status=201)


# A GET has no content type worth checking, and Chalice would check it (415 without this).
@bp.route("/p/{token}", methods=["GET", "HEAD"], content_types=["*/*"])
def show_change_page(token: str) -> Response:
    """The page of a change; changes nothing, however often scanners open it."""
    return _page(lambda page, request, language: page.show(token, language))


@bp.route("/p/{token}", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def act_on_change_page(token: str) -> Response:
    """What a button of the page does."""
    return _page(lambda page, request, language: page.act(token, request.raw_body or b"", language))


def _page(make: Any) -> Response:
    from chalicelib.core.link_page import serve

    box = _box()
    return serve(
        lambda request, language: make(box.change_page, request, language), lambda: box.settings.company
    )
