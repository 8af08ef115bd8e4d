"""The versions of platforms' APIs that we call, over HTTP."""

from types import ModuleType
from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _views() -> ModuleType:
    from chalicelib.platform_changes import version_views

    return version_views


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/platform-changes/versions", methods=["GET"])
@endpoint(right=Right.CHANGES_READ, answers=lambda: _views().VersionsView)
def list_platform_versions(call: Call) -> Answer:
    """Every version of a platform's API that we call, with its end and who is on it."""
    return Answer(_views().VersionsView.of(_box().platform_versions.lines()))
