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

from chalicelib.core.database import ConditionFailed
from chalicelib.core.errors import Conflict, SignalboxError
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import MAX_FAILURES, Claim, Lane, NotClaimed

# More than a worker's 90 seconds, so that Lambda's own kill bounds zombies.
LEASE_FOR = timedelta(seconds=120)
# SQS delays are whole seconds, rounded down: a worker waits out the rest.
_WAITED_OUT_FOR = timedelta(seconds=1.5)

log = logging.getLogger(__name__)

Handler = Callable[[Claim], bool | None]


@dataclass
class Later(Exception):
    """Not now, and not a failure: give the entry back to be due at `until`."""

    until: datetime
    entry_args: dict[str, str] | None = None


class Worker:
    """Runs entries of one lane, by kind.

    With `ahead_for` it claims them so long before they are due, for handlers that have something to prepare
    and wait for the entry's second themselves.
    """

    def __init__(
        self,
        kernel: Kernel,
        lane: Lane,
        handlers: Mapping[str, Handler],
        ahead_for: timedelta = timedelta(),
    ) -> None:
        self._kernel = kernel
        self._lane = lane
        self._handlers = handlers
        self._ahead_for = ahead_for

    def run(self, entry_id: str) -> str:
        """Work on one entry and say how it ended: done, later, failed, parked, gone, taken or early."""
        claim = self._claim(entry_id)
        if isinstance(claim, NotClaimed):
            return claim.why
        started = time.monotonic()
        entry = claim.entry
        log.info("entry starts", extra={"entry": entry_id, "kind": entry.kind, "fence": entry.fence})
        outcome = self._work(claim)
        took_for = round(time.monotonic() - started, 3)
        log.info("entry ends", extra={"entry": entry_id, "outcome": outcome, "took_for": took_for})
        return outcome

    def _claim(self, entry_id: str) -> Claim | NotClaimed:
        kernel = self._kernel
        while True:
            claim = kernel.timetable.claim(entry_id, kernel.clock.now(), LEASE_FOR, self._ahead_for)
            if isinstance(claim, Claim) or claim.due_at is None:
                return claim
            wait_for = claim.due_at - kernel.clock.now()
            if wait_for > _WAITED_OUT_FOR:
                if claim.why == "early":
                    kernel.nudge_at(self._lane, entry_id, claim.due_at)
                return claim
            kernel.clock.sleep(wait_for.total_seconds())

    def _work(self, claim: Claim) -> str:
        if claim.entry.failures + claim.entry.crashes >= MAX_FAILURES:
            return self._park(claim, "its workers died, again and again")
        try:
            if not self._handler(claim.entry.kind)(claim):
                self._finish(claim)
            return "done"
        except Later as later:
            return self._give_back(claim, later)
        except Exception as error:
            return self._failed(claim, error)

    def _handler(self, kind: str) -> Handler:
        if kind not in self._handlers:
            raise SignalboxError(f"nothing handles entries of the kind {kind}")
        return self._handlers[kind]

    def _finish(self, claim: Claim) -> None:
        try:
            self._kernel.database.transact([self._kernel.timetable.finish(claim, self._kernel.clock.now())])
        except SignalboxError:
            # The lease ended and another worker has it: its effect is idempotent, and it will finish.
            log.warning("claim lost before the finish", extra={"entry": claim.entry.entry_id})

    def _give_back(self, claim: Claim, later: Later) -> str:
        try:
            self._kernel.timetable.release(claim, later.until, later.entry_args)
        except ConditionFailed:
            return "taken"
        self._kernel.nudge_at(self._lane, claim.entry.entry_id, later.until)
        return "later"

    def _failed(self, claim: Claim, error: Exception) -> str:
        # A lost claim is somebody else's success; everything else counts against the entry.
        reason = error.message if isinstance(error, SignalboxError) else type(error).__name__
        expected = isinstance(error, Conflict)
        entry_id = claim.entry.entry_id
        log.warning("entry failed", exc_info=not expected, extra={"entry": entry_id, "why": reason})
        try:
            due_at = self._kernel.timetable.retry(claim, reason, self._kernel.clock.now())
        except ConditionFailed:
            return "taken"
        if due_at is None:
            return "parked"
        self._kernel.nudge_at(self._lane, entry_id, due_at)
        return "failed"

    def _park(self, claim: Claim, reason: str) -> str:
        try:
            self._kernel.timetable.park(claim, reason, self._kernel.clock.now())
        except ConditionFailed:
            return "taken"
        return "parked"
