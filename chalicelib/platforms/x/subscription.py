"""X's webhook for our address, and an account's subscriptions to it; what an outage missed is replayed.

https://docs.x.com/x-api/webhooks/quickstart and https://docs.x.com/x-api/activity/quickstart. One webhook
carries the events of all accounts of the app, and each kind of event of an account is one subscription.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.errors import Rejected
from chalicelib.platforms.inbound import Piece, Subscription
from chalicelib.platforms.port import AccountRef, SessionStore
from chalicelib.platforms.x.api import REFUSED_CHECK, Api
from chalicelib.platforms.x.configuration import (
    EVENTS,
    REPLAYED_FROM_LEAST,
    REPLAYED_FROM_MOST,
    REPLAYED_UNTIL_LEAST,
)

_WEBHOOKS = "/2/webhooks"
_SUBSCRIPTIONS = "/2/activity/subscriptions"
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Hook:
    webhook_id: str
    is_valid: bool


class XSubscription:
    """Implements `Watching` and `BackFilling` with the credential `bearer_token`, which is the app's own.

    Bearer tokens end only when somebody regenerates them, so there is no session to keep.
    """

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._api = Api(http, clock)

    def subscription(self, account: AccountRef, callback: str) -> Subscription:
        """Live when X's last check of the address succeeded and every event is subscribed to."""
        if lacking := _lacking(account):
            return Subscription("unknown", lacking)
        hook = self._hook(account, callback)
        if hook is None:
            return Subscription("missing", "X has no webhook for our address.")
        if not hook.is_valid:
            return Subscription("invalid", REFUSED_CHECK)
        missing = self._missing(account, hook)
        return Subscription("missing", _unsent(missing)) if missing else Subscription("live")

    def renew(self, account: AccountRef, callback: str, secret: str) -> Subscription:
        """Register the address, have X check it again, and subscribe to what is missing, as far as needed.

        X asks our door before it answers; `secret` is what the door signs with, and is not sent.
        """
        if lacking := _lacking(account):
            return Subscription("unknown", lacking)
        hook = self._hook(account, callback)
        if hook is None:
            self._api.change(account, "POST", _WEBHOOKS, {"url": callback})
        elif not hook.is_valid:
            self._api.change(account, "PUT", f"{_WEBHOOKS}/{hook.webhook_id}")
        if hook is None or not hook.is_valid:
            hook = self._hook(account, callback)
        refused = self._subscribe(account, hook) if hook and hook.is_valid else {}
        if refused:
            return Subscription("missing", f"{_unsent(refused)} {next(iter(refused.values()))}")
        return self.subscription(account, callback)

    def missed(self, account: AccountRef, since: datetime, until: datetime) -> Sequence[Piece]:
        """Always none: X delivers what it has of that time once more, to the webhook and in its usual form.

        It replays for everybody on the webhook, from at most 24 hours ago up to ten minutes ago.
        """
        if lacking := _lacking(account):
            raise Rejected(lacking)
        now = self._clock.now()
        earliest = now - REPLAYED_FROM_MOST
        if since < earliest:
            log.warning("X replays one day only", extra={"account": account.account_id})
        first = min(max(since, earliest), now - REPLAYED_FROM_LEAST)
        last = min(until, now - REPLAYED_UNTIL_LEAST)
        if first < last:
            for webhook_id in sorted({webhook for webhook, _ in self._subscribed(account)} - {""}):
                window = {"from_date": _minute(first), "to_date": _minute(last)}
                self._api.change(account, "POST", f"{_WEBHOOKS}/replay", {"webhook_id": webhook_id, **window})
        return ()

    def _subscribe(self, account: AccountRef, hook: _Hook) -> dict[str, str]:
        """Subscribe to what is missing; the events that X refuses, and why, so that one costs no other."""
        refused: dict[str, str] = {}
        for event in self._missing(account, hook):
            wanted = {"event_type": event, "filter": {"user_id": account.external_id}}
            try:
                self._api.change(account, "POST", _SUBSCRIPTIONS, {**wanted, "webhook_id": hook.webhook_id})
            except Rejected as error:
                refused[event] = error.message
        return refused

    def _hook(self, account: AccountRef, callback: str) -> _Hook | None:
        for item in self._api.items(account, _WEBHOOKS):
            webhook_id = _id(item.get("id"))
            if item.get("url") == callback and webhook_id:
                return _Hook(webhook_id, item.get("valid") is True)
        return None

    def _missing(self, account: AccountRef, hook: _Hook) -> list[str]:
        missing = list(_events(account))
        for webhook_id, event in self._subscribed(account):
            if webhook_id == hook.webhook_id and event in missing:
                missing.remove(event)
                if not missing:
                    break
        return missing

    def _subscribed(self, account: AccountRef) -> Iterator[tuple[str, object]]:
        """Webhook and event of each subscription for the account."""
        for item in self._api.pages(account, _SUBSCRIPTIONS):
            about = item.get("filter")
            if isinstance(about, dict) and about.get("user_id") == account.external_id:
                yield _id(item.get("webhook_id")), item.get("event_type")


def _lacking(account: AccountRef) -> str:
    """What a person must add before X can be asked at all; empty when nothing is."""
    if not account.credentials.get("bearer_token"):
        return "X cannot be asked: add the app's bearer_token to the account's credentials."
    if not _ID.fullmatch(account.external_id):
        return "X cannot be asked: the account's external id must be X's number for the user."
    return ""


def _events(account: AccountRef) -> tuple[str, ...]:
    own = account.credentials.get("events", "").replace(" ", "")
    return tuple(event for event in own.split(",") if event) or EVENTS


def _unsent(events: Iterable[str]) -> str:
    return f"X does not send {', '.join(events)}."


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%d%H%M}"


def _id(value: object) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""
