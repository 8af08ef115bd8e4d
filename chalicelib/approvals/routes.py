"""The page behind an emailed link, the units' approval policies, and a request as the API shows it."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> Any:
    from chalicelib.approvals import forms

    return forms


def _approvals() -> Any:
    from chalicelib.wiring import services

    return services().approvals


# A GET has no content type worth checking, and Chalice would check it (415 without this).
@bp.route("/a/{token}", methods=["GET", "HEAD"], content_types=["*/*"])
def show_approval(token: str) -> Response:
    """The approval page; changes nothing, however often scanners open it."""
    return _page(lambda page, request, language: page.show(token, language))


@bp.route("/a/{token}", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def decide_approval(token: str) -> Response:
    """What a button of the approval page does."""
    return _page(lambda page, request, language: page.decide(token, request.raw_body or b"", language))


@bp.route("/v1/units/{unit_id}/approval-policy", methods=["GET"])
@endpoint(right=Right.UNITS_READ, answers=lambda: _forms().UnitPolicyView)
def show_approval_policy(call: Call, unit_id: str) -> Answer:
    """A unit's own approval policy, and what holds there with the units above."""
    return Answer(_forms().UnitPolicyView.of(_approvals().policies.of(unit_id)))


@bp.route("/v1/units/{unit_id}/approval-policy", methods=["PUT"])
@endpoint(right=Right.POLICY_WRITE, body=lambda: _forms().NewPolicy, answers=lambda: _forms().UnitPolicyView)
def set_approval_policy(call: Call, unit_id: str) -> Answer:
    """Give a unit its own approval policy; it can only ask for more than the units above."""
    kept = _approvals().policies.set(call.actor, unit_id, call.body.policy())
    return Answer(_forms().UnitPolicyView.of(kept))


@bp.route("/v1/approvals/{request_id}", methods=["GET"])
@endpoint(right=Right.POSTS_READ, answers=lambda: _forms().RequestView)
def show_approval_request(call: Call, request_id: str) -> Answer:
    """An approval request: its stages, who was asked, and who decided what."""
    return Answer(_forms().RequestView.of(_approvals().read(call.actor, request_id)))


def _page(make: Any) -> Response:
    from chalicelib.approvals.page import ApprovalPage
    from chalicelib.core.link_page import serve
    from chalicelib.wiring import services

    box = services()

    def made(request: Any, language: str) -> Any:
        return make(ApprovalPage(box.approvals, box.settings, box.clock), request, language)

    return serve(made, lambda: box.settings.company)
