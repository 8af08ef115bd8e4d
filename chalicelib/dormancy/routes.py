"""/v1/dormancy, and the page behind a review's link."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> Any:
    from chalicelib.dormancy import forms

    return forms


def _views() -> Any:
    from chalicelib.dormancy import views

    return views


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/dormancy/accounts", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, query=lambda: _forms().SilentQuery, answers=lambda: _views().SilentPage)
def list_silent_accounts(call: Call) -> Answer:
    """A page of the accounts that are quiet, dormant or unreadable."""
    found, start = _box().dormancy.silent(call.actor, call.query.sign, call.query.limit, call.query.start)
    return Answer(_views().SilentPage.of(found, call.cursor(start)))


@bp.route("/v1/dormancy/reviews", methods=["GET"])
@endpoint(
    right=Right.REGISTER_READ, query=lambda: _forms().ReviewsQuery, answers=lambda: _views().ReviewsPage
)
def list_dormancy_reviews(call: Call) -> Answer:
    """A page of the reviews that are at a stage."""
    found, start = _box().dormancy.reviews(call.actor, call.query.stage, call.query.limit, call.query.start)
    views = _views()
    shown = [views.ReviewView.of(review) for review in found]
    return Answer(views.ReviewsPage(reviews=shown, cursor=call.cursor(start)))


@bp.route("/v1/dormancy/accounts/{account_id}/review", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().ReviewView)
def show_dormancy_review(call: Call, account_id: str) -> Answer:
    """The latest review of an account."""
    return Answer(_views().ReviewView.of(_box().dormancy.review(call.actor, account_id)))


@bp.route("/v1/dormancy/accounts/{account_id}/review", methods=["POST"])
@endpoint(right=Right.REGISTER_WRITE, body=lambda: _forms().Decision, answers=lambda: _views().ReviewView)
def decide_dormancy_review(call: Call, account_id: str) -> Answer:
    """Decide what becomes of a dormant account: keep, hand over, merge, retire."""
    decided = _box().dormancy_reviews.decide(call.actor, account_id, call.body.decided())
    return Answer(_views().ReviewView.of(decided))


@bp.route("/v1/dormancy/accounts/{account_id}/steps/{step}", methods=["PUT"])
@endpoint(right=Right.REGISTER_WRITE, body=lambda: _forms().Proof, answers=lambda: _views().ReviewView)
def prove_retirement_step(call: Call, account_id: str, step: str) -> Answer:
    """Prove a step of a retirement; with the last one the account is retired."""
    proven = _box().dormancy.prove(call.actor, account_id, step, call.body.proof)
    return Answer(_views().ReviewView.of(proven))


@bp.route("/v1/dormancy/accounts/{account_id}/pauses", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().PausesView)
def show_pauses(call: Call, account_id: str) -> Answer:
    """The days on which an account is planned to be silent."""
    return Answer(_views().PausesView.of(_box().dormancy.pauses(call.actor, account_id)))


@bp.route("/v1/dormancy/accounts/{account_id}/pauses", methods=["PUT"])
@endpoint(right=Right.REGISTER_WRITE, body=lambda: _forms().NewPauses, answers=lambda: _views().PausesView)
def set_pauses(call: Call, account_id: str) -> Answer:
    """Replace the days on which an account is planned to be silent."""
    box = _box()
    box.dormancy_reviews.pause(call.actor, account_id, call.body.values(), call.body.version)
    return Answer(_views().PausesView.of(box.dormancy.pauses(call.actor, account_id)))


@bp.route("/v1/dormancy/standards/{unit_id}", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().StandardView)
def show_dormancy_standard(call: Call, unit_id: str) -> Answer:
    """After how many days of silence a unit's accounts are quiet and dormant, and its off-seasons."""
    return Answer(_views().StandardView.of(_box().dormancy_standards.of(call.actor, unit_id)))


@bp.route("/v1/dormancy/standards/{unit_id}", methods=["PUT"])
@endpoint(
    right=Right.REGISTER_WRITE, body=lambda: _forms().NewStandard, answers=lambda: _views().StandardView
)
def set_dormancy_standard(call: Call, unit_id: str) -> Answer:
    """Replace what a unit expects of its accounts; what is null is left to the units above."""
    kept = _box().dormancy_standards.set(call.actor, unit_id, call.body.standard())
    return Answer(_views().StandardView.of(kept))


# A GET has no content type worth checking, and Chalice would check it (415 without this).
@bp.route("/d/{token}", methods=["GET", "HEAD"], content_types=["*/*"])
def show_dormancy_page(token: str) -> Response:
    """The page of a review's link; changes nothing, however often scanners open it."""
    return _page(lambda page, request, language: page.show(token, language))


@bp.route("/d/{token}", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def send_dormancy_page(token: str) -> Response:
    """What a button of the page does."""
    return _page(lambda page, request, language: page.send(token, request.raw_body or b"", language))


def _page(make: Any) -> Response:
    from chalicelib.core.link_page import serve

    box = _box()
    return serve(
        lambda request, language: make(box.dormancy_page, request, language), lambda: box.settings.company
    )
