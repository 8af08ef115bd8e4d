"""The tick, and the workers of both lanes."""

from collections.abc import Callable

from chalice import Blueprint, Rate

from chalicelib.core.entry import job, worker
from chalicelib.core.settings import resource
from chalicelib.wiring import delete_messages, services

bp = Blueprint(__name__)


@bp.schedule(Rate(1, unit=Rate.MINUTES))
@job
def dispatch_due() -> dict[str, int]:
    """Wake the workers for what is due before the next tick, each entry on its second."""
    return services().dispatcher.dispatch()


@bp.on_sqs_message(queue=resource("publish"), batch_size=10)
@worker("publish", parallel=10, delete=delete_messages)
def publish_posts(entry_ids: list[str]) -> Callable[[str], str]:
    """Publish the variants whose second has come."""
    services().publisher.prefetch([e.partition("#")[2] for e in entry_ids])
    return services().publish_worker.run


@bp.on_sqs_message(queue=resource("chores"), batch_size=10)
@worker("chores", parallel=4, delete=delete_messages)
def run_chores(entry_ids: list[str]) -> Callable[[str], str]:
    """Mails, reminders, escalations, reconciles: everything that is not the publishing itself."""
    return services().chores_worker.run
