"""/v1/inbox/settings of a unit, and /v1/inbox/numbers."""

from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> Any:
    from chalicelib.inbox import settings_forms

    return settings_forms


def _numbers() -> Any:
    from chalicelib.inbox import numbers_views

    return numbers_views


def _services() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/inbox/settings/{unit_id}", methods=["GET"])
@endpoint(right=Right.INBOX_MANAGE, answers=lambda: _forms().InboxSettingsOut)
def show_inbox_settings(call: Call, unit_id: str) -> Answer:
    """A unit's own targets, calendar, escalation and rules, and what holds there with the units above."""
    return Answer(_forms().InboxSettingsOut.of(_services().inbox_settings.read(call.actor, unit_id)))


@bp.route("/v1/inbox/settings/{unit_id}", methods=["PUT"])
@endpoint(
    right=Right.INBOX_MANAGE,
    body=lambda: _forms().NewInboxSettings,
    answers=lambda: _forms().InboxSettingsOut,
)
def set_inbox_settings(call: Call, unit_id: str) -> Answer:
    """Replace what a unit sets for its inbox; what is null is left to the units above."""
    settings = _services().inbox_settings
    kept = settings.save(call.actor, unit_id, call.body.own(), call.body.version)
    return Answer(_forms().InboxSettingsOut.of(kept))


@bp.route("/v1/inbox/numbers", methods=["GET"])
@endpoint(
    right=Right.INBOX_READ, query=lambda: _numbers().NumbersQuery, answers=lambda: _numbers().NumbersOut
)
def show_inbox_numbers(call: Call) -> Answer:
    """Volume, backlog, age and percent in time of a `unit` and all below it, an `account` or a `person`."""
    box = _services()
    asked = call.query.asked(box.clock.now().date())
    return Answer(_numbers().NumbersOut.of(box.inbox_reports.of(call.actor, asked)))
