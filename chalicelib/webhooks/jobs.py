"""The worker behind the door, and the daily look at what goes round."""

from collections.abc import Callable

from chalice import Blueprint, Rate

from chalicelib.core.entry import job, record_worker
from chalicelib.core.settings import resource
from chalicelib.wiring import delete_messages, services

bp = Blueprint(__name__)


@bp.on_sqs_message(queue=resource("inbound"), batch_size=10)
@record_worker("inbound", parallel=4, delete=delete_messages)
def ingest_events() -> Callable[[str], str]:
    """Take in what platforms said: each event once, and what is broken to the dead letters, whole."""
    return services().ingest.take


@bp.schedule(Rate(1, unit=Rate.DAYS))
@job
def ensure_rounds() -> dict[str, int]:
    """Put polls and subscription checks back that should be on the timetable and are not."""
    return services().rounds.ensure()
