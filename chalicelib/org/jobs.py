"""What SES tells of mails that did not arrive."""

from collections.abc import Callable

from chalice import Blueprint

from chalicelib.core.entry import record_worker
from chalicelib.core.settings import resource
from chalicelib.wiring import delete_messages, services

bp = Blueprint(__name__)


@bp.on_sqs_message(queue=resource("bounces"), batch_size=10)
@record_worker("bounces", parallel=4, delete=delete_messages)
def note_bounces() -> Callable[[str], str]:
    """Mark the people whose address does not work, so that nobody waits for their answer."""
    return services().bounces.take
