"""From a message on the inbound queue to its one effect: normalise, find the account, apply at once.

Each event has a key that its platform never uses twice. Its row joins the transaction of the effect, so a
second delivery finds it there and does nothing; a crash before the commit leaves neither.
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.database import Write
from chalicelib.core.errors import Busy, Conflict, SignalboxError
from chalicelib.core.expressions import where
from chalicelib.core.history import SYSTEM, By, Way
from chalicelib.core.kernel import Change, Kernel
from chalicelib.platforms.inbound import CONVERSATIONAL, InboundEvent, InboundKind, Receiving
from chalicelib.publishing.reconcile import Reconciler
from chalicelib.webhooks.effects import HANDLED, Effects
from chalicelib.webhooks.envelope import Wrapped, unwrap
from chalicelib.webhooks.unknown import TABLE, Counts, Unknown, wrote_once

BY_PLATFORM = By(SYSTEM, Way.PLATFORM)
SEEN_FOR = timedelta(days=10)  # the longest that a platform sends again is seven days (platforms.md A1)
BY_ACCOUNT = frozenset({"poll", "back-fill"})
"""Forms of what we fetched ourselves: their `app` is the account's own id."""
NO_ACCOUNT = "no such account"
_TRIES = 8

log = logging.getLogger(__name__)


class Seen(SignalboxError):
    """This event has had its effect."""


class Taking(Protocol):
    """The inbox, as far as events know it."""

    def take(
        self, change: Change, event: InboundEvent, account: Account, received_at: datetime, stale: bool
    ) -> None:
        """Add the writes that an event causes; may read, commits nothing."""
        ...

    def tally(self, change: Change, event: InboundEvent, account: Account) -> None:
        """Add a reaction or share to the numbers, by writes without conditions."""
        ...


class Ingest:
    """`inbox` gives the inbox, `heard` is told of each account that something came for."""

    def __init__(
        self,
        kernel: Kernel,
        accounts: Accounts,
        schemes: Callable[[str], Receiving],
        inbox: Callable[[], Taking],
        effects: Effects,
        reconciler: Reconciler,
        counts: Counts,
        heard: Callable[[str], None],
    ) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._schemes = schemes
        self._inbox = inbox
        self._effects = effects
        self._reconciler = reconciler
        self._counts = counts
        self._unknown = Unknown(kernel, counts)
        self._heard = heard

    def take(self, body: str) -> str:
        """Apply every event of a message, and say how the last one ended.

        Raises whatever a broken message or event causes: the queue keeps it, whole, for the dead letters.
        """
        wrapped = unwrap(body)
        events = self._schemes(wrapped.platform).normalise(wrapped.piece)
        concerned = [(event, self._account(event, wrapped)) for event in events]
        # A server's own webhook tells what one status means for everybody; what is for strangers is dropped,
        # and nothing of it kept: it is personal data of people who have nothing to do with us.
        if any(account for _, account in concerned):
            concerned = [(event, account) for event, account in concerned if account]
        elif events and all(event.is_server_wide and event.account for event in events):
            metrics.count("inbound_strangers")
            return "strangers"
        outcome = "empty"
        for event, account in concerned:
            outcome = self._apply(event, account, wrapped, body)
        lag = (self._kernel.clock.now() - wrapped.received_at).total_seconds()
        metrics.measure_seconds("inbound_lag_seconds", max(0.0, lag))
        return outcome

    def _apply(self, event: InboundEvent, account: Account | None, wrapped: Wrapped, body: str) -> str:
        seen = self._seen(event, account)
        if event.kind == InboundKind.UNKNOWN or account is None:
            of_type = event.details.get("type", "") if event.kind == InboundKind.UNKNOWN else NO_ACCOUNT
            return _counted(self._unknown.keep(seen, event.platform, of_type, body), "unknown")
        outcome = self._effect(event, account, wrapped, seen)
        if outcome != "seen":
            self._heard(account.account_id)
        return outcome

    def _effect(self, event: InboundEvent, account: Account, wrapped: Wrapped, seen: Write) -> str:
        if event.kind in (InboundKind.REACTION, InboundKind.SHARE):
            numbers = self._kernel.change(BY_PLATFORM)
            self._inbox().tally(numbers, event, account)
            return _counted(wrote_once(self._kernel.database, seen, *numbers.writes), "counted")
        if self._is_echo(event, account):
            return _counted(self._counts.once(seen, "echo", account.account_id), "echo")
        for _ in range(_TRIES):
            change = self._kernel.change(BY_PLATFORM)
            change.add(seen)
            if event.kind in HANDLED:
                self._effects.join(change, event, account)
            else:
                self._inbox().take(change, event, account, wrapped.received_at, wrapped.stale)
            try:
                self._kernel.commit(change)
            except Seen:
                return "seen"
            except Conflict:  # somebody, or another event of the same conversation, came between
                account = self._accounts.get(account.account_id)
                continue
            return "done"
        raise Busy("others kept changing what this event is about; try again")

    def _is_echo(self, event: InboundEvent, account: Account) -> bool:
        """Whether it is a post of ours that comes back. Our own answers go to the inbox, marked as ours."""
        may_be_ours = event.own or event.author is None
        return (
            event.kind in CONVERSATIONAL
            and may_be_ours
            and bool(event.external_id)
            and self._reconciler.is_ours(account.account_id, event.external_id)
        )

    def _account(self, event: InboundEvent, wrapped: Wrapped) -> Account | None:
        if wrapped.form in BY_ACCOUNT:
            account = self._accounts.find(wrapped.app)
        else:
            account = self._accounts.of_external(event.platform, event.account)
        return account if account is not None and account.is_ours else None

    def _seen(self, event: InboundEvent, account: Account | None) -> Write:
        digest = hashlib.sha256(event.key.encode()).hexdigest()
        whose = account.account_id if account else f"-{event.account[:200]}"
        item = {
            "pk": f"seen#{event.platform}#{whose}#{digest}",
            "sk": "seen",
            "swept_at": int((self._kernel.clock.now() + SEEN_FOR).timestamp()),
        }
        return Write(
            "Put", TABLE, item, when=where("attribute_not_exists(pk)"), otherwise=Seen("seen before")
        )


def _counted(is_new: bool, word: str) -> str:
    return word if is_new else "seen"
