"""The weekly look for profiles that nobody listed."""

from chalice import Blueprint, Rate

from chalicelib.core.entry import job
from chalicelib.wiring import services

bp = Blueprint(__name__)


@bp.schedule(Rate(7, unit=Rate.DAYS))
@job
def scan_for_lookalikes() -> dict[str, int]:
    """Have this week's searches, pages and pictures put on the timetable."""
    return services().scan_plan.begin()
