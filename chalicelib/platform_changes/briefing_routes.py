"""The briefing and the radar over HTTP, and the page and the feed behind a briefing's mailed link."""

from types import ModuleType
from typing import Any

from chalice import Blueprint, Response

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> ModuleType:
    from chalicelib.platform_changes import briefing_forms

    return briefing_forms


def _views() -> ModuleType:
    from chalicelib.platform_changes import briefing_views

    return briefing_views


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/platform-changes/briefing", methods=["GET"])
@endpoint(
    right=Right.CHANGES_READ, query=lambda: _forms().BriefingQuery, answers=lambda: _views().BriefingView
)
def show_briefing(call: Call) -> Answer:
    """The briefing of a `week` as it was written, or of now; of all platforms or of one."""
    box = _box()
    briefing = box.briefings.of(call.query.week, call.query.platform)
    language = box.org.person(call.actor.person_id).language if call.actor.is_person else "en"
    return Answer(_views().BriefingView.of(briefing, language))


@bp.route("/v1/platform-changes/radar", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, answers=lambda: _views().RadarView)
def list_radar(call: Call) -> Answer:
    """Every new platform on the radar, with its evaluation."""
    views = _views()
    return Answer(views.RadarView(prospects=[views.ProspectView.of(p) for p in _box().radar.all()]))


@bp.route("/v1/platform-changes/radar", methods=["POST"])
@endpoint(
    right=Right.CHANGES_WRITE,
    body=lambda: _forms().NewProspect,
    answers=lambda: _views().ProspectView,
    idempotent=True,
)
def add_to_radar(call: Call) -> Answer:
    """Put a new platform on the radar; its owner is reminded on the day of its review."""
    return Answer(_views().ProspectView.of(_box().radar.add(call.actor, call.body.fields())), 201)


@bp.route("/v1/platform-changes/radar/{prospect_id}", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, answers=lambda: _views().ProspectView)
def show_prospect(call: Call, prospect_id: str) -> Answer:
    """One platform on the radar."""
    return Answer(_views().ProspectView.of(_box().radar.get(prospect_id)))


@bp.route("/v1/platform-changes/radar/{prospect_id}", methods=["PUT"])
@endpoint(
    right=Right.CHANGES_WRITE, body=lambda: _forms().JudgedProspect, answers=lambda: _views().ProspectView
)
def judge_prospect(call: Call, prospect_id: str) -> Answer:
    """Replace its evaluation, the decision and the day of the next review."""
    judged = _box().radar.judge(call.actor, prospect_id, call.body.fields(), call.body.version)
    return Answer(_views().ProspectView.of(judged))


@bp.route("/v1/platform-changes/radar/{prospect_id}", methods=["DELETE"])
@endpoint(right=Right.CHANGES_WRITE)
def remove_from_radar(call: Call, prospect_id: str) -> Answer:
    """Take it off the radar; history keeps that it was there."""
    _box().radar.remove(call.actor, prospect_id)
    return Answer(status=204)


# A GET has no content type worth checking, and Chalice would check it (415 without this).
@bp.route("/b/{token}", methods=["GET", "HEAD"], content_types=["*/*"])
def show_briefing_page(token: str) -> Response:
    """A week's briefing; changes nothing, however often scanners open it."""
    return _page(lambda page, request, language: page.show(token, request.query_params, language))


@bp.route("/b/{token}/feed.xml", methods=["GET", "HEAD"], content_types=["*/*"])
def show_briefing_feed(token: str) -> Response:
    """The latest briefings as RSS, for a feed reader."""
    return _page(lambda page, request, language: page.feed(token, language))


def _page(make: Any) -> Response:
    from chalicelib.core.link_page import serve

    box = _box()
    return serve(
        lambda request, language: make(box.briefing_page, request, language), lambda: box.settings.company
    )
