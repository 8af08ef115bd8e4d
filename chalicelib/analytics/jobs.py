"""The daily look whether a week is over whose numbers are still to be kept."""

from chalice import Blueprint, Rate

from chalicelib.core.entry import job
from chalicelib.wiring import services

bp = Blueprint(__name__)


@bp.schedule(Rate(1, unit=Rate.DAYS))
@job
def sample_audience() -> dict[str, int]:
    """Keep the last whole week's numbers of each account that has none of it yet."""
    return services().audience_weeks.sample()
