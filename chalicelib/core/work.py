"""How an entry of the timetable is worked on: wait for its second, claim, run its kind, give back or finish.

A handler takes the claim and either returns True, when its own transaction finished the entry, or None,
and the entry is finished here. To try later it raises `Later`; any other exception is a failure, with
back-off and, in the end, parking.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core import log as metrics
from chalicelib.core.database import ConditionFailed
from chalicelib.core.errors import Conflict, SignalboxError
from chalicelib.core.kernel import Kernel, delay_until
from chalicelib.core.timetable import Claim, Lane, NotClaimed

LEASE_FOR = timedelta(seconds=120)  # more than a worker's 90 seconds, so that Lambda's own kill bounds zombies

log = logging.getLogger(__name__)

Handler = Callable[[Claim], bool | None]


@dataclass
class Later(Exception):
    """Not now, and not a failure: give the entry back to be due at `until`."""

    until: datetime
    args: dict[str, str] | None = None


class Worker:
    """Runs entries of one lane, by kind."""

    def __init__(self, kernel: Kernel, lane: Lane, handlers: Mapping[str, Handler]) -> None:
        self._kernel = kernel
        self._lane = lane
        self._handlers = handlers

    def run(self, entry_id: str) -> str:
        """Work on one entry and say how it ended: done, later, failed, parked, gone, taken or early."""
        claim = self._claim(entry_id)
        if isinstance(claim, NotClaimed):
            return claim.why
        started = time.monotonic()
        log.info("entry starts", extra={"entry": entry_id, "kind": claim.entry.kind, "fence": claim.entry.fence})
        outcome = self._work(claim)
        took_for = round(time.monotonic() - started, 3)
        log.info("entry ends", extra={"entry": entry_id, "outcome": outcome, "took_for": took_for})
        return outcome

    def _claim(self, entry_id: str) -> Claim | NotClaimed:
        kernel = self._kernel
        claim = kernel.timetable.claim(entry_id, kernel.clock.now(), LEASE_FOR)
        if isinstance(claim, Claim) or claim.due_at is None:
            return claim
        wait_for = (claim.due_at - kernel.clock.now()).total_seconds()
        if wait_for <= 1.5:
            # SQS delays are whole seconds, rounded down: the rest of the second is waited out here.
            kernel.clock.sleep(wait_for)
            return kernel.timetable.claim(entry_id, kernel.clock.now(), LEASE_FOR)
        kernel.queues.wake(self._lane, [(entry_id, delay_until(claim.due_at, kernel.clock.now()))])
        return claim

    def _work(self, claim: Claim) -> str:
        try:
            finished = self._handlers[claim.entry.kind](claim)
            if not finished:
                self._finish(claim)
            return "done"
        except Later as later:
            return self._give_back(claim, later)
        except Exception as error:
            return self._failed(claim, error)

    def _finish(self, claim: Claim) -> None:
        try:
            self._kernel.database.transact([self._kernel.timetable.finish(claim, self._kernel.clock.now())])
        except SignalboxError:
            # The lease ended and another worker has it: its effect is idempotent, and it will finish.
            log.warning("claim lost before the finish", extra={"entry": claim.entry.entry_id})

    def _give_back(self, claim: Claim, later: Later) -> str:
        kernel = self._kernel
        try:
            kernel.timetable.release(claim, later.until, later.args)
        except ConditionFailed:
            return "taken"
        now = kernel.clock.now()
        if later.until <= now + timedelta(seconds=75):
            kernel.queues.wake(self._lane, [(claim.entry.entry_id, delay_until(later.until, now))])
        return "later"

    def _failed(self, claim: Claim, error: Exception) -> str:
        # A lost claim is somebody else's success; everything else counts against the entry.
        reason = error.message if isinstance(error, SignalboxError) else type(error).__name__
        expected = isinstance(error, Conflict)
        log.warning("entry failed", exc_info=not expected, extra={"entry": claim.entry.entry_id, "why": reason})
        try:
            parked = self._kernel.timetable.retry(claim, reason, self._kernel.clock.now())
        except ConditionFailed:
            return "taken"
        if parked:
            metrics.count("parked")
        return "parked" if parked else "failed"
