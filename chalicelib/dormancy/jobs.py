"""The daily look at every account."""

from chalice import Blueprint, Rate

from chalicelib.core.entry import job
from chalicelib.wiring import services

bp = Blueprint(__name__)


@bp.schedule(Rate(1, unit=Rate.DAYS))
@job
def check_dormant_accounts() -> dict[str, int]:
    """Put a read of each account we stand by on the timetable, spread over the day; and what asks for its
    confirmation, where that was lost.
    """
    enqueued = services().dormancy_reads.enqueue()
    services().confirmations.put_back()
    return enqueued
