"""The look, every few hours, whether everything that follows the platforms goes on."""

from chalice import Blueprint, Rate

from chalicelib.core.entry import job
from chalicelib.wiring import services

bp = Blueprint(__name__)


@bp.schedule(Rate(3, unit=Rate.HOURS))
@job
def track_platform_changes() -> dict[str, int]:
    """Put back what is not on the timetable, and look at what our own traffic has counted.

    Each source is looked at by an entry of its own.
    """
    return services().track_changes()
