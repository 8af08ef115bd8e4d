"""Sending what a platform must get once at most, and proving it: a post's variant, or an answer.

    claim ---> look (all that decides) ---> prepare (safe, repeatable)
          ---> begin: one transaction writes the marker if what was seen, and the lease, still stand
          ---> the one call that cannot be undone
          ---> finish: one transaction writes the outcome and takes the entry off the timetable

A worker that dies before `begin` has done nothing: the entry is due again when its lease ends. One that dies
after it leaves the marker: whoever claims the entry next makes the record `unknown`, and `reconcile` looks at
the account before anything else is done. What is sent, when and under which rules, is its Road's to say.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from chalicelib.accounts.model import Account
from chalicelib.accounts.outages import Wait, give_back, read_pauses
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim, back_off
from chalicelib.core.work import Later
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    NotReady,
    OutcomeUnknown,
    OutOfCredit,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.port import Absent, Adapter, Content, Found, Published, Several, Unsure
from chalicelib.platforms.repeat import CLOCK_MARGIN_FOR, is_safe_again

RECONCILE_AFTER = timedelta(seconds=30)
LOOKS_AFTER = tuple(timedelta(seconds=s) for s in (30, 60, 120, 240, 480))
LONGEST_WAIT_FOR = timedelta(minutes=5)
NOTHING_WRITTEN = (RateLimited, AuthExpired, OutOfCredit, Rejected, Unavailable, VersionGone, NotReady)
_BEGIN_TRIES = 6
_WRITES = 5  # of a proven outcome, while others change what it is written to

log = logging.getLogger(__name__)


class Record(Protocol):
    """What is sent, as its store keeps it: a frozen dataclass whose `moved` refuses what its table forbids.

    `checkpoint` is the adapter's own JSON; `fence` counts the begins. `begun_at` is of the last one that may
    have been written, `first_begun_at` of the first, and `at` since when it is in its state.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def state(self) -> StrEnum: ...
    @property
    def at(self) -> datetime: ...
    @property
    def checkpoint(self) -> str | None: ...
    @property
    def fence(self) -> int: ...
    @property
    def begun_at(self) -> datetime | None: ...
    @property
    def first_begun_at(self) -> datetime | None: ...
    @property
    def version(self) -> int: ...

    def moved(self, to: Any, now: datetime, reason: str | None = None, **changes: Any) -> Self: ...


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Terms:
    """A room's states, and its words: history says `<calling> begun` and `<prefix><state>`.

    `look_again` are the refusals of a begin after which it is looked at again, as it may yet go out.
    """

    waits: StrEnum
    calling: StrEnum
    out: StrEnum
    unknown: StrEnum
    things: str
    prefix: str = ""
    look_again: tuple[type[Conflict], ...] = ()


@dataclass(frozen=True)
class Go(Generic[R]):
    """It may go out. `guard` joins to the begin what must still stand then; `key` never changes."""

    record: R
    account: Account
    content: Content
    key: str
    guard: Callable[[Change], None] = lambda change: None


@dataclass(frozen=True)
class Stop(Generic[R]):
    """It leaves the road for a state where a person decides, or where it ends."""

    record: R
    to: StrEnum
    reason: str
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lost(Generic[R]):
    """The marker stands, and the worker that wrote it is gone."""

    record: R


class Road(Protocol[R]):
    """What a room knows of its records; only FencedSender says in which order."""

    terms: Terms

    def look(self, ref: str) -> Go[R] | Stop[R] | Lost[R] | Wait | None:
        """All that decides about the record now; None when there is nothing to do. Raises Later."""
        ...

    def current(self, record: R) -> R | None:
        """The record as it is now."""
        ...

    def target(self, record: R) -> tuple[Account, Content]:
        """Where to look for the record, and for what."""
        ...

    def refused(self, record: R, account: Account, error: AdapterError) -> Stop[R] | None:
        """Where an answer leads by which nothing was written; None: it is tried again."""
        ...

    def proven(self, record: R, published: Published, now: datetime, reason: str | None) -> R:
        """The record in its state `out`."""
        ...

    def join(self, change: Change, before: R, after: R, what: str) -> None:
        """Join a move to a change: the row (refused unless it is as before), what it causes, the history."""
        ...

    def count(self, before: R, after: R) -> None:
        """The metrics of a move that was committed."""
        ...


class FencedSender(Generic[R]):
    def __init__(
        self, kernel: Kernel, accounts: Accounts, adapters: Callable[[str], Adapter], road: Road[R]
    ) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._adapters = adapters
        self._road = road

    def send(self, claim: Claim) -> bool:
        """Take the claimed record as far as it goes now; True when the entry is finished with it.

        Raises Later when nothing was written and it should be tried again, or waits for an outage to end.
        """
        go = self._look(claim)
        if isinstance(go, bool):
            return go
        account, content, stored = go.account, go.content, go.record.checkpoint
        adapter = self._adapters(account.platform)
        checkpoint: Mapping[str, Any] = (
            json.loads(stored) if stored else adapter.plan(content, claim.time(self._kernel.clock), go.key)
        )
        ref = self._accounts.ref(account)
        try:
            checkpoint = adapter.prepare(ref, content, checkpoint)
        except AdapterError as error:
            return self._nothing_written(claim, go.record, account, error)
        claim.wait(self._kernel.clock)
        begun = self._begin(claim, go, json.dumps(dict(checkpoint)))
        if isinstance(begun, bool):
            return begun
        try:
            published = adapter.publish(ref, content, checkpoint)
        except NOTHING_WRITTEN as error:
            return self._nothing_written(claim, begun, account, error)
        except Exception as error:
            # Everything that is not a documented answer is unknown, an adapter's own bug included.
            return self._broke(claim, begun, error)
        return self.prove(begun, published, self._said(self._road.terms.out), claim)

    def _look(self, claim: Claim) -> Go[R] | bool:
        """What is to go out; `send`'s answer if nothing is."""
        look = self._road.look(claim.entry.ref)
        match look:
            case Stop():
                return self._stop(claim, look)
            case Lost():
                return self._lost(claim, look.record, "the worker stopped during the call to the platform")
            case Wait():
                raise give_back(self._kernel.database, claim, look, self._kernel.clock.now())
        return look if look is not None else False

    def _begin(self, claim: Claim, go: Go[R], checkpoint: str) -> R | bool:
        """Write the marker; what `send` says when the record was stopped instead.

        Raises Later if others keep changing what was seen, and Conflict if the record has moved on or the
        claim was lost.
        """
        terms = self._road.terms
        for _ in range(_BEGIN_TRIES):
            change, record = self._kernel.change(BY_JOB), go.record
            begun = record.moved(
                terms.calling,
                change.now,
                checkpoint=checkpoint,
                fence=record.fence + 1,
                begun_at=change.now,
                first_begun_at=record.first_begun_at or change.now,
            )
            self._road.join(change, record, begun, f"{terms.calling} begun")
            go.guard(change)
            change.add(self._kernel.timetable.still_mine(claim, change.now))
            try:
                self._kernel.commit(change)
            except terms.look_again:
                again = self._look(claim)
                if isinstance(again, bool):
                    return again
                go = again
                continue
            return replace(begun, version=record.version + 1)
        raise Later(self._kernel.clock.now() + timedelta(seconds=2))

    # Nothing was written

    def _nothing_written(self, claim: Claim, record: R, account: Account, error: AdapterError) -> bool:
        """The platform said no, in a documented way; the record goes where that answer leads."""
        if isinstance(error, RateLimited | NotReady):
            self._put_off(claim, record, error)
            if isinstance(error, RateLimited):
                self._accounts.quiet(account.account_id, error.until)
            raise Later(error.until) from error
        stop = self._road.refused(record, account, error)
        if stop is not None:
            self._stop(claim, stop)
            if isinstance(error, AuthExpired):
                self._accounts.credentials_refused(BY_JOB, account.account_id, error.message)
            return True
        self._put_off(claim, record, error)
        # Never parked: how long it is worth trying is the road's to say.
        tries = int(claim.entry.args.get("tries", "0")) + 1
        wait_for = min(back_off(tries), LONGEST_WAIT_FOR)
        raise Later(self._kernel.clock.now() + wait_for, {"tries": str(tries)}) from error

    def _put_off(self, claim: Claim, record: R, error: AdapterError) -> None:
        """Take the marker back, as nothing was written, and keep what prepare did."""
        waits, change = self._road.terms.waits, self._kernel.change(BY_JOB)
        checkpoint = record.checkpoint if error.checkpoint is None else json.dumps(dict(error.checkpoint))
        if record.state != waits:
            after = record.moved(waits, change.now, error.message, checkpoint=checkpoint, begun_at=None)
        elif checkpoint != record.checkpoint:
            after = replace(record, checkpoint=checkpoint, reason=error.message)
        else:
            return
        self._road.join(change, record, after, "put off")
        change.add(self._kernel.timetable.still_mine(claim, change.now))
        self._kernel.commit(change)

    def _stop(self, claim: Claim, stop: Stop[R]) -> bool:
        record = stop.record
        # The platform said that nothing was written; a marker from before an unknown outcome stays.
        begun_at = None if record.state == self._road.terms.calling else record.begun_at
        now = self._kernel.clock.now()
        after = record.moved(stop.to, now, stop.reason, begun_at=begun_at, **stop.changes)
        return self._finish(claim, record, after, self._said(stop.to))

    # Nobody knows

    def _broke(self, claim: Claim, record: R, error: Exception) -> bool:
        if isinstance(error, OutcomeUnknown):
            reason = error.message
        else:
            log.exception("the call broke", extra={"entry": claim.entry.entry_id})
            reason = f"the call broke: {type(error).__name__}"
        checkpoint = getattr(error, "checkpoint", None)
        return self._lost(claim, record, reason, None if checkpoint is None else json.dumps(dict(checkpoint)))

    def _lost(self, claim: Claim, record: R, reason: str, checkpoint: str | None = None) -> bool:
        unknown, now = self._road.terms.unknown, self._kernel.clock.now()
        lost = record.moved(unknown, now, reason, checkpoint=checkpoint or record.checkpoint)
        self._finish(claim, record, lost, "outcome unknown")
        metrics.count("unknown")
        return True

    def reconcile(self, claim: Claim, record: R) -> bool:
        """Look once for an unknown record. True when the entry is finished.

        Found: it is out, with the platform's id. Not found where the platform makes a repeat safe: sent again
        under the same checkpoint. Otherwise raises Later, and after the last look it is left for a person.
        While the platform has an outage it raises Later, and no look is counted.
        """
        account, content = self._road.target(record)
        database, started = self._kernel.database, self._kernel.clock.now()
        pause = read_pauses(database).on(account.platform, started)
        if pause is not None:
            raise give_back(database, claim, Wait(pause, account.account_id), started)
        adapter, terms = self._adapters(account.platform), self._road.terms
        since = (record.first_begun_at or record.at) - CLOCK_MARGIN_FOR
        checkpoint = json.loads(record.checkpoint or "{}")
        sighting = adapter.find(self._accounts.ref(account), content, checkpoint, since)
        seen = {"entry": claim.entry.entry_id, "sighting": type(sighting).__name__}
        log.info("reconcile", extra=seen)
        now = self._kernel.clock.now()
        match sighting:
            case Found(published=published):
                return self.prove(record, published, f"{self._said(terms.out)}: found by reconcile", claim)
            case Several(external_ids=ids):
                reason = f"{len(ids)} {terms.things} on the account match this one; delete what is too much"
                return self._give_up(claim, record, reason)
            case Absent() if is_safe_again(adapter.traits, record.first_begun_at, record.begun_at, now):
                again = record.moved(terms.waits, now, "not found on the account")
                return self._finish(claim, record, again, "not found; sent again under the same key")
            case Unsure(until=until) if until is not None and until > now:
                raise Later(until, claim.entry.args)
        looks = int(claim.entry.args.get("looks", "0"))
        if looks < len(LOOKS_AFTER):
            raise Later(now + LOOKS_AFTER[looks], {**claim.entry.args, "looks": str(looks + 1)})
        reason = f"not seen on the account after {looks + 1} looks; look yourself, then say what you found"
        return self._give_up(claim, record, reason)

    def _give_up(self, claim: Claim, record: R, reason: str) -> bool:
        return self._finish(claim, record, replace(record, reason=reason), "left unknown")

    # Written

    def prove(
        self, record: R, published: Published, what: str, claim: Claim | None = None, by: By = BY_JOB
    ) -> bool:
        """Write a proven outcome, whatever others wrote meanwhile; True when the entry is finished with it.

        Raises Conflict when another attempt has begun since, or somebody else has settled it.
        """
        terms, reason, writes = self._road.terms, None, 0
        while True:
            change = self._kernel.change(by)
            proven = self._road.proven(record, published, change.now, reason)
            self._road.join(change, record, proven, what)
            if claim is not None:
                change.add(self._kernel.timetable.finish(claim, change.now))
            try:
                self._kernel.commit(change)
                break
            except Conflict:
                # The lease may have ended and another worker have made it unknown: the proof still stands.
                current, writes = self._road.current(record), writes + 1
                if current is None or current.fence != record.fence or writes == _WRITES:
                    raise
                if current.state not in (terms.calling, terms.unknown):
                    raise
                reason = "the answer came late" if current.state != record.state else reason
                record, claim = current, None
        self._road.count(record, proven)
        return claim is not None

    def _finish(self, claim: Claim, before: R, after: R, what: str) -> bool:
        """Commit a move together with the end of its entry."""
        change = self._kernel.change(BY_JOB)
        self._road.join(change, before, after, what)
        change.add(self._kernel.timetable.finish(claim, change.now))
        self._kernel.commit(change)
        if after.state != before.state:
            self._road.count(before, after)
        return True

    def _said(self, state: StrEnum) -> str:
        return f"{self._road.terms.prefix}{state}"


def wait_while_quiet(account: Account, now: datetime) -> None:
    """Raises Later while the account's network has asked not to be called."""
    if account.quiet_until is not None and account.quiet_until > now:
        raise Later(account.quiet_until)
