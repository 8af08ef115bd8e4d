"""Mails to several people by one entry: each once, though an address fails or the time is short."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from chalicelib.core.clock import Clock
from chalicelib.core.errors import SignalboxError
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later

RETRY_FOR = timedelta(seconds=30)
TOLD_AT_ONCE_FOR = timedelta(seconds=45)  # half of a worker's time


def told_of(claim: Claim) -> set[str]:
    """Whom the earlier runs of an entry have mailed, by id."""
    return set(filter(None, claim.entry.args.get("told", "").split(",")))


def tell_each(clock: Clock, claim: Claim, person_ids: Iterable[str], send: Callable[[str], None]) -> None:
    """Mail everybody, though one address fails; who was mailed is kept, and the others are tried again.

    Raises Later when some could not be mailed or there was no time, the error itself when none could.
    """
    told = told_of(claim)
    waiting, newly = sorted(set(person_ids) - told), set[str]()
    failure: SignalboxError | None = None
    started = clock.now()
    for person_id in waiting:
        if clock.now() - started > TOLD_AT_ONCE_FOR:
            break
        try:
            send(person_id)
            newly.add(person_id)
        except SignalboxError as error:
            failure = error
    if failure is not None and not newly:
        raise failure
    if len(newly) < len(waiting):
        again = {**claim.entry.args, "told": ",".join(sorted(told | newly))}
        raise Later(clock.now() + (RETRY_FOR if failure else timedelta(0)), again)
