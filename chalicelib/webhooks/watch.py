"""The watchdog: each account's subscription is checked at its platform's rhythm, mended, or a person is told.

pk watch#<account>   sk watch   what the last check found
pk watch#<account>   sk lease   what a WebSub hub last said of the subscription
pk watch#<account>   sk heard   when something last came, and the usual gap; written at most once an hour

What an outage missed is fetched once the subscription is live again, where the platform keeps it.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.clock import to_text
from chalicelib.core.database import ConditionFailed
from chalicelib.core.errors import Misconfigured
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.records import from_item, to_item
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited
from chalicelib.platforms.inbound import BackFilling, Signed, Subscription, Watching
from chalicelib.platforms.port import AccountRef
from chalicelib.webhooks.door import QUEUE
from chalicelib.webhooks.envelope import wrap
from chalicelib.webhooks.keys import DEFAULT_APP, Keys
from chalicelib.webhooks.rounds import come_again, next_at
from chalicelib.webhooks.unknown import TABLE

BACK_FILLED = Signed("back-fill")
NOTED_EVERY = timedelta(hours=1)
GAPS_LEARNED = 5  # before that, silence says nothing
SILENT_AFTER = 4  # usual gaps
SILENT_AT_LEAST_FOR = timedelta(hours=24)  # a night is no silence
LATE_CHECKS = 3  # turns that were missed: it was we who were away
PATIENCE = 3  # turns without an answer, before somebody is told
SETTLES_FOR = timedelta(minutes=15)  # around an outage's end; some replay nothing of the last ten

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What the last check found; `live_at` is when the subscription was last seen to work.

    An outage that is over (`outage_over_at`) stays until all of it was fetched: `outage_since` is from when.
    `unasked_since`: the platform has given no answer about the subscription from then on.
    """

    state: str = "unknown"
    checked_at: datetime | None = None
    live_at: datetime | None = None
    ends_at: datetime | None = None
    outage_since: datetime | None = None
    outage_over_at: datetime | None = None
    unasked_since: datetime | None = None
    problem: str = ""
    silent_since: datetime | None = None  # for this silence somebody was told


@dataclass(frozen=True)
class Heard:
    """When something last came for the account, and its habit; `usual_gap_for` in seconds."""

    last_event_at: datetime
    usual_gap_for: int = 0
    gaps: int = 0


@dataclass(frozen=True)
class Lease:
    """What a hub said: `state` is live or invalid, with the `reason`."""

    state: str
    ends_at: datetime | None = None
    reason: str = ""


class Watchdog:
    """The `watch_account` chore, and what it learns from: `heard`."""

    def __init__(
        self,
        kernel: Kernel,
        accounts: Accounts,
        keys: Keys,
        settings: Settings,
        watching: Callable[[str], Watching | None],
        back_filling: Callable[[str], BackFilling | None],
    ) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._keys = keys
        self._settings = settings
        self._watching = watching
        self._back_filling = back_filling
        self._noted: dict[str, datetime] = {}

    def heard(self, account_id: str) -> None:
        """Something came for an account. Raises nothing: a habit that is not learned loses no event."""
        now = self._kernel.clock.now()
        if account_id in self._noted and now - self._noted[account_id] < NOTED_EVERY:
            return
        self._noted[account_id] = now
        try:
            self._note(account_id, now)
        except ConditionFailed:
            return  # another worker noted it
        except Exception:
            log.warning("a habit could not be noted", exc_info=True, extra={"account": account_id})

    def leased(self, change: Change, account_id: str, details: Mapping[str, str]) -> None:
        """Keep what a hub says of an account's subscription: asked for is not yet granted."""
        wanted = {
            "state": details["state"],
            "reason": details.get("reason"),
            "ends_at": details.get("ends_at"),
        }
        change.put(TABLE, {**wanted, "pk": f"watch#{account_id}", "sk": "lease"})

    def watch(self, claim: Claim) -> bool:
        """Check the account's subscription; the entry comes again while the account is active."""
        account = self._accounts.find(claim.entry.ref)
        watch = registry.watch(account.platform) if account else None
        if account is None or watch is None or not account.is_usable:
            return False
        if watch.asks_us:
            # Not one more, but a number where there is none: an alarm sees only what is counted.
            metrics.count(f"handshakes_{account.platform}", 0)
        before, heard, lease = self._rows(account.account_id)
        try:
            found = self._check(account, before, lease, watch)
        except RateLimited as error:
            raise Later(error.until) from error
        except AuthExpired as error:
            self._accounts.credentials_refused(BY_JOB, account.account_id, error.message)
            return False
        if found.problem:
            metrics.count("subscriptions_lost")
        self._save(account, before, self._listened(found, heard))
        at = next_at(account.account_id, watch.every, self._kernel.clock.now())
        return come_again(self._kernel, claim, at)

    # The check

    def _check(self, account: Account, before: Found, lease: Lease | None, watch: registry.Watch) -> Found:
        """What is found now; the back-fill of an outage that is over is done then. Raises as adapters do."""
        now = self._kernel.clock.now()
        ref = self._accounts.ref(account)
        try:
            said = _granted(self._asked(account, ref, watch, now), lease, now)
        except (RateLimited, AuthExpired):
            raise
        except AdapterError as error:
            log.warning("not checked", extra={"account": account.account_id, "why": error.message})
            return _unasked(before, error.message, now, PATIENCE * watch.every)
        found = replace(before, state=said.state, checked_at=now, unasked_since=None)
        match said.state:
            case "live":
                found = replace(found, live_at=now, ends_at=said.ends_at, problem="")
                since = before.outage_since
                if since is None and before.checked_at is not None:
                    was_away = now - before.checked_at > LATE_CHECKS * watch.every
                    since = before.checked_at if was_away else None
                return found if since is None else self._filled(account, ref, found, since)
            case "missing" | "invalid":
                problem = said.problem or f"the subscription is {said.state}, and could not be renewed"
                since = before.outage_since or before.live_at
                return replace(found, problem=problem, outage_since=since, outage_over_at=None)
        # It cannot be asked: that says nothing, unless a person must do something first.
        return replace(found, problem=said.problem or before.problem)

    def _filled(self, account: Account, ref: AccountRef, found: Found, since: datetime) -> Found:
        """Fetch what an outage missed; what is around its end is fetched by the next check, once more."""
        now = found.checked_at or since
        over_at = found.outage_over_at or now
        if not self._back_fill(account, ref, since, min(over_at + SETTLES_FOR, now)):
            return replace(found, outage_since=since, outage_over_at=over_at)
        if now - over_at >= SETTLES_FOR:
            return replace(found, outage_since=None, outage_over_at=None)
        return replace(found, outage_since=max(since, over_at - SETTLES_FOR), outage_over_at=over_at)

    def _asked(self, account: Account, ref: AccountRef, watch: registry.Watch, now: datetime) -> Subscription:
        watching = self._watching(account.platform)
        if watching is None:
            return Subscription("unknown")
        app = ref.credentials.get("app") or DEFAULT_APP
        callback = f"{self._settings.public_url}/webhooks/{account.platform}"
        callback += "" if app == DEFAULT_APP else f"/{app}"
        said = watching.subscription(ref, callback)
        ends = said.state == "live" and said.ends_at and said.ends_at - now < watch.renewed_before
        if not ends and said.state not in ("missing", "invalid"):
            return said
        try:
            return watching.renew(ref, callback, self._keys.live(account.platform, app).keys[0].decode())
        except (RateLimited, AuthExpired):
            raise
        except (AdapterError, Misconfigured) as error:
            return said if said.state == "live" else replace(said, problem=said.problem or error.message)

    def _back_fill(self, account: Account, ref: AccountRef, since: datetime, until: datetime) -> bool:
        """Put what an outage missed on the queue; False when it must be tried again."""
        filling = self._back_filling(account.platform)
        if filling is None:
            return True
        try:
            pieces = filling.missed(ref, since, until)
        except AdapterError as error:
            log.warning("not back-filled", extra={"account": account.account_id, "why": error.message})
            return False
        now = self._kernel.clock.now()
        bodies = [wrap(account.platform, account.account_id, now, BACK_FILLED, piece) for piece in pieces]
        self._kernel.queues.send(QUEUE, bodies)
        log.info("back-filled", extra={"account": account.account_id, "events": len(bodies)})
        return True

    def _listened(self, found: Found, heard: Heard | None) -> Found:
        """With `silent_since` set while the account has been silent for longer than is its habit."""
        if heard is None or heard.gaps < GAPS_LEARNED:
            return replace(found, silent_since=None)
        silent_for = self._kernel.clock.now() - heard.last_event_at
        usual = timedelta(seconds=heard.usual_gap_for)
        is_silent = silent_for > max(SILENT_AT_LEAST_FOR, SILENT_AFTER * usual)
        return replace(found, silent_since=heard.last_event_at if is_silent else None)

    # Rows

    def _save(self, account: Account, before: Found, found: Found) -> None:
        """Keep what was found; whoever has to know is told once for each problem and each silence."""
        account_id, subject = account.account_id, f"account#{account.account_id}"
        item = {**to_item(found), "pk": f"watch#{account_id}", "sk": "watch"}
        change = self._kernel.change(BY_JOB)
        change.put(TABLE, item)
        if found.problem and found.problem != before.problem:
            what = "unchecked" if found.state == "unknown" else "lost"
            change.record(subject, f"subscription {what}", found.problem)
            change.emit("SubscriptionLost", account_id, what=what, why=found.problem)
        elif before.problem and not found.problem:
            change.record(subject, "subscription live again")
        if found.silent_since is not None and found.silent_since != before.silent_since:
            change.record(subject, "silent", since=to_text(found.silent_since))
            change.emit("AccountSilent", account_id, what="silent", why="")
        if found.problem != before.problem or change.entries:
            self._kernel.commit(change)
        else:
            self._kernel.database.put(TABLE, item)

    def _rows(self, account_id: str) -> tuple[Found, Heard | None, Lease | None]:
        key = where("pk = :p", p=f"watch#{account_id}")
        rows = {item["sk"]: item for item in self._kernel.database.query_all(TABLE, key)}
        found = from_item(Found, rows["watch"]) if "watch" in rows else Found()
        heard = from_item(Heard, rows["heard"]) if "heard" in rows else None
        return found, heard, from_item(Lease, rows["lease"]) if "lease" in rows else None

    def _note(self, account_id: str, now: datetime) -> None:
        """Move the habit on by one gap: each counts a quarter. Raises ConditionFailed if another did."""
        before = self._rows(account_id)[1]
        if before is None:
            after, when = Heard(now), where("attribute_not_exists(pk)")
        else:
            gap = int((now - before.last_event_at).total_seconds())
            if gap < NOTED_EVERY.total_seconds():
                return
            usual = (3 * before.usual_gap_for + gap) // 4 if before.gaps else gap
            after = Heard(now, usual, before.gaps + 1)
            when = where("last_event_at = :b", b=to_text(before.last_event_at))
        self._kernel.database.put(TABLE, {**to_item(after), "pk": f"watch#{account_id}", "sk": "heard"}, when)


def _unasked(before: Found, why: str, now: datetime, patience: timedelta) -> Found:
    """The platform gave no answer, which says nothing; after a while it is a problem of its own."""
    since = before.unasked_since or now
    problem = before.problem or (why if now - since >= patience else "")
    return replace(before, state="unknown", checked_at=now, unasked_since=since, problem=problem)


def _granted(said: Subscription, lease: Lease | None, now: datetime) -> Subscription:
    """What the platform says, unless its hub has denied the subscription or let it end unconfirmed."""
    if lease is None or said.state != "live":
        return said
    if lease.state == "invalid":
        return Subscription("invalid", lease.reason or "the hub denied the subscription")
    if lease.ends_at is not None and lease.ends_at < now:
        return Subscription(
            "missing", "the hub did not confirm the renewal; see whether it can reach our address"
        )
    return replace(said, ends_at=lease.ends_at)
