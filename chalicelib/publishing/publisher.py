"""Publishing one variant: at most once, and then proven.

    claim ---> look (approval, hour, account, holds: one read) ---> prepare (safe, repeatable)
          ---> begin: one transaction writes the marker if sign-off, holds and lease still stand
          ---> the one call that cannot be undone
          ---> finish: one transaction writes the outcome and takes the entry off the timetable

A worker that dies before `begin` has done nothing: the entry is due again when its lease ends. One that
dies after it leaves the marker: whoever claims the entry next makes the variant `unknown`, and reconcile.py
looks at the account before anything else is done.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim, back_off
from chalicelib.core.work import Later
from chalicelib.org.service import Org
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
from chalicelib.platforms.port import Adapter, Content, Published
from chalicelib.platforms.port import Media as PortMedia
from chalicelib.publishing.access import unit_paths
from chalicelib.publishing.holds import Gate, GateMoved, check_gate, gate_read, hold_keys, receipt_line
from chalicelib.publishing.media import MediaLibrary
from chalicelib.publishing.model import (
    Post,
    Variant,
    VariantState,
    account_of,
    lateness_verdict,
    post_of,
    revision_of,
)
from chalicelib.publishing.store import PostStore, SignoffGone, post_read, variant_read

RECONCILE_AFTER = timedelta(seconds=30)
TELL_AFTER = timedelta(minutes=2)  # an unknown that is found again within it needs no mail
LONGEST_WAIT_FOR = timedelta(minutes=5)
_BEGIN_TRIES = 6

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What was seen of a variant that may go out now; `begin` commits only while it still stands."""

    variant: Variant
    post: Post
    account: Account
    gate: Gate


class Publisher:
    """The `publish` lane's handler; every outcome is one of the port's classes."""

    def __init__(
        self,
        kernel: Kernel,
        store: PostStore,
        accounts: Accounts,
        org: Org,
        media: MediaLibrary,
        adapters: Callable[[str], Adapter],
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._accounts = accounts
        self._path_of = unit_paths(org)
        self._media = media
        self._adapters = adapters

    def publish(self, claim: Claim) -> bool:
        """Take the claimed variant as far as it goes now; True when the entry is finished with it.

        Raises Later when nothing was written and it should be tried again.
        """
        seen = self._look(claim)
        return seen if isinstance(seen, bool) else self._send(claim, seen)

    def _look(self, claim: Claim) -> Look | bool:
        """All that decides about the variant, in one read; `publish`'s answer if it is not to go out."""
        variant_id = claim.entry.ref
        variant: Variant | None
        variant, post, account, gate = self._kernel.database.read_together(
            variant_read(variant_id),
            post_read(post_of(variant_id)),
            self._accounts.to_read(account_of(variant_id)),
            gate_read(variant_id),
        )
        if variant is None:
            return False
        if variant.state == VariantState.PUBLISHING:
            return self._lost_sight(claim, variant)
        if variant.state != VariantState.SCHEDULED:
            return False
        if post.signed_revision != variant.revision or revision_of(post) != variant.revision:
            return False  # the sign-off was withdrawn; the change that did so has its own history
        now = self._kernel.clock.now()
        verdict = lateness_verdict(post.late, variant.due_at, now)
        if verdict is not None:
            return self._too_late(claim, variant, verdict, now)
        if account.quiet_until is not None and account.quiet_until > now:
            raise Later(account.quiet_until)
        if account.status != AccountStatus.ACTIVE:
            return self._stop(claim, variant, VariantState.HELD, _why_not_active(account))
        keys = hold_keys(account.platform, account.account_id, self._path_of(account.unit_id), post.tags)
        hold_id = gate.stopping(keys, variant.released_from)
        if hold_id is not None:
            return self._stop(claim, variant, VariantState.HELD, "a hold covers this channel", hold_id)
        return Look(variant, post, account, gate)

    def _send(self, claim: Claim, seen: Look) -> bool:
        variant, post, account = seen.variant, seen.post, seen.account
        adapter = self._adapters(account.platform)
        content = self.content(post, variant.account_id)
        checkpoint: Mapping[str, Any]
        if variant.checkpoint:
            checkpoint = json.loads(variant.checkpoint)
        else:
            checkpoint = adapter.plan(
                content, self._kernel.clock.now(), f"{variant.variant_id}.{variant.revision}"
            )
        ref = self._accounts.ref(account)
        try:
            checkpoint = adapter.prepare(ref, content, checkpoint)
        except AdapterError as error:
            return self._nothing_written(claim, variant, account, error)
        begun = self._begin(claim, seen, json.dumps(checkpoint))
        if isinstance(begun, bool):
            return begun
        try:
            published = adapter.publish(ref, content, checkpoint)
        except (RateLimited, AuthExpired, OutOfCredit, Rejected, Unavailable, VersionGone, NotReady) as error:
            return self._nothing_written(claim, begun, account, error)
        except Exception as error:
            # Everything that is not a documented answer is unknown, an adapter's own bug included.
            if not isinstance(error, OutcomeUnknown):
                log.exception("publish call broke", extra={"variant": variant.variant_id})
            reason = (
                error.message
                if isinstance(error, OutcomeUnknown)
                else f"the call broke: {type(error).__name__}"
            )
            return self._unknown(claim, begun, reason, getattr(error, "checkpoint", None))
        return self._published(claim, begun, published)

    def content(self, post: Post, account_id: str) -> Content:
        """What the account gets, from the approved post; bytes are read by digest when they are needed."""
        text, media, options = post.content(account_id)
        files = tuple(
            PortMedia(
                m.media_id, m.digest, m.mime, m.size, m.width or 0, m.height or 0, m.alt,
                read=partial(self._media.bytes_of, m.digest),
            )
            for m in media
        )  # fmt: skip
        return Content(text, files, post.language, options)

    # The fence

    def _begin(self, claim: Claim, seen: Look, checkpoint: str) -> Variant | bool:
        """Write the marker; what `publish` says when the variant was stopped instead.

        One transaction: variant still as seen, this revision still signed off, no hold since the gate was
        read, and the lease not ended. Raises Later if holds keep changing, Conflict if the variant has moved
        on or the claim was lost.
        """
        variant, post = seen.variant, seen.post
        for _ in range(_BEGIN_TRIES):
            change = self._kernel.change(BY_JOB)
            begun = variant.moved(
                VariantState.PUBLISHING,
                change.now,
                checkpoint=checkpoint,
                fence=variant.fence + 1,
                begun_at=change.now,
                first_begun_at=variant.first_begun_at or change.now,
            )
            self._store.save_variant(change, begun, variant)
            self._store.begin_under_signoff(change, post, variant)
            check_gate(change, seen.gate)
            change.add(self._kernel.timetable.still_mine(claim, change.now))
            change.record(f"post#{post.post_id}", "publishing begun", account=variant.account_id)
            try:
                self._kernel.commit(change)
            except GateMoved:
                # The hold may be one for tags or a unit that came meanwhile: everything is read again.
                again = self._look(claim)
                if isinstance(again, bool):
                    return again
                seen = again
                continue
            except SignoffGone:
                return False
            return replace(begun, version=variant.version + 1)
        raise Later(self._kernel.clock.now() + timedelta(seconds=2))

    # Outcomes

    def _published(self, claim: Claim, variant: Variant, published: Published) -> bool:
        now = self._kernel.clock.now()
        done = variant.moved(
            VariantState.PUBLISHED,
            now,
            external_id=published.external_id,
            url=published.url,
            published_at=now,
        )
        self._settle(claim, variant, done, "published", event="PostPublished", url=published.url)
        metrics.count("published")
        metrics.measure_seconds("lateness_seconds", max(0.0, (now - variant.due_at).total_seconds()))
        return True

    def _unknown(
        self, claim: Claim, variant: Variant, reason: str, checkpoint: Mapping[str, Any] | None = None
    ) -> bool:
        now = self._kernel.clock.now()
        kept = variant.checkpoint if checkpoint is None else json.dumps(dict(checkpoint))
        lost = variant.moved(VariantState.UNKNOWN, now, reason, checkpoint=kept)
        # What is found early is proof; what is not found proves nothing before the network's own time.
        look_at = now + RECONCILE_AFTER
        self._settle(claim, variant, lost, "outcome unknown", event="VariantUnknown", look_at=look_at)
        metrics.count("unknown")
        return True

    def _lost_sight(self, claim: Claim, variant: Variant) -> bool:
        return self._unknown(claim, variant, "the worker stopped during the call to the platform")

    def _nothing_written(self, claim: Claim, variant: Variant, account: Account, error: AdapterError) -> bool:
        """The platform said no, in a documented way; the variant goes where that answer leads."""
        match error:
            case RateLimited(until=until):
                self._back_to_scheduled(claim, variant, error)
                self._accounts.quiet(account.account_id, until)
                raise Later(until) from error
            case NotReady(until=until):
                self._back_to_scheduled(claim, variant, error)
                raise Later(until) from error
            case Rejected():
                return self._stop(claim, variant, VariantState.REFUSED, error.message)
            case AuthExpired():
                self._stop(claim, variant, VariantState.HELD, _why_not_active(account, error.message))
                self._accounts.credentials_refused(BY_JOB, account.account_id, error.message)
                return True
            case OutOfCredit() | VersionGone():
                return self._stop(claim, variant, VariantState.HELD, error.message)
        self._back_to_scheduled(claim, variant, error)
        # Tried until it is late, never parked: what happens then is the post's own late policy.
        tries = int(claim.entry.args.get("tries", "0")) + 1
        wait_for = min(back_off(tries), LONGEST_WAIT_FOR)
        raise Later(self._kernel.clock.now() + wait_for, {"tries": str(tries)}) from error

    def _too_late(self, claim: Claim, variant: Variant, verdict: VariantState, now: datetime) -> bool:
        minutes = int((now - variant.due_at).total_seconds() // 60)
        reason = variant.reason or f"its time passed {minutes} minutes ago"
        return self._stop(claim, variant, verdict, reason)

    def _stop(
        self, claim: Claim, variant: Variant, to: VariantState, reason: str, hold_id: str | None = None
    ) -> bool:
        """Leave the road to publishing for a state where a person decides."""
        now = self._kernel.clock.now()
        # The platform said that nothing was written; a marker from before an unknown outcome stays.
        begun_at = None if variant.state == VariantState.PUBLISHING else variant.begun_at
        stopped = variant.moved(to, now, reason, hold_id=hold_id, begun_at=begun_at)
        events = {
            VariantState.HELD: "VariantHeld",
            VariantState.LATE: "VariantLate",
            VariantState.CANCELLED: "VariantLate",
            VariantState.REFUSED: "VariantRefused",
        }
        self._settle(claim, variant, stopped, str(to), event=events[to])
        if to in (VariantState.HELD, VariantState.REFUSED):
            metrics.count(str(to))
        return True

    def _settle(
        self,
        claim: Claim,
        seen: Variant,
        variant: Variant,
        what: str,
        *,
        event: str,
        look_at: datetime | None = None,
        url: str | None = None,
    ) -> None:
        """Write an outcome and finish the entry; a proven outcome is written even if the lease was lost."""

        def change_with(finish: bool) -> Change:
            change = self._kernel.change(BY_JOB)
            self._store.save_variant(change, variant, seen)
            if finish:
                change.add(self._kernel.timetable.finish(claim, change.now))
            if variant.hold_id:
                change.put("holds", receipt_line(variant.hold_id, variant, "stopped", change.now))
            if look_at is not None:
                change.chore("reconcile", variant.variant_id, due_at=look_at, key=variant.variant_id)
            change.record(
                f"post#{variant.post_id}", what, why=variant.reason, account=variant.account_id, url=url
            )
            self._tell(change, event, variant)
            return change

        try:
            self._kernel.commit(change_with(finish=True))
        except Conflict:
            # The lease ended and another worker marked the variant unknown: a proven outcome still stands.
            current = self._store.variant(variant.variant_id)
            if current is None or current.fence != variant.fence or current.state != VariantState.UNKNOWN:
                raise
            if variant.state != VariantState.PUBLISHED:
                raise
            change = self._kernel.change(BY_JOB)
            self._store.save_variant(change, replace(variant, version=current.version), current)
            change.record(f"post#{variant.post_id}", "published", why="the answer came late", url=url,
                          account=variant.account_id)  # fmt: skip
            self._kernel.commit(change)

    def _tell(self, change: Change, event: str, variant: Variant) -> None:
        if event == "VariantUnknown":
            change.chore(
                "tell_outcome", variant.variant_id, due_at=change.now + TELL_AFTER, state=str(variant.state)
            )
            return
        if variant.hold_id is None:  # a hold is told once, by its receipt, and not by a mail for each variant
            change.emit(event, variant.variant_id, state=str(variant.state))

    def _back_to_scheduled(self, claim: Claim, variant: Variant, error: AdapterError) -> None:
        """Take the marker back, as nothing was written, and keep what prepare did."""
        checkpoint = variant.checkpoint if error.checkpoint is None else json.dumps(dict(error.checkpoint))
        if variant.state == VariantState.SCHEDULED and checkpoint == variant.checkpoint:
            return
        change = self._kernel.change(BY_JOB)
        again = replace(variant, checkpoint=checkpoint, reason=error.message)
        if variant.state == VariantState.PUBLISHING:
            again = again.moved(VariantState.SCHEDULED, change.now, error.message, begun_at=None)
        self._store.save_variant(change, again, variant)
        change.add(self._kernel.timetable.still_mine(claim, change.now))
        change.record(f"post#{variant.post_id}", "put off", why=error.message, account=variant.account_id)
        self._kernel.commit(change)

    def prefetch(self, variant_ids: list[str]) -> None:
        """Read a batch's credentials with few calls; failing to is logged, as each variant reads its own."""
        try:
            self._accounts.prefetch({account_of(v) for v in variant_ids})
        except Exception:
            log.warning("credentials could not be read ahead", exc_info=True)


def _why_not_active(account: Account, words: str = "") -> str:
    if account.status == AccountStatus.RETIRED:
        return "the account is retired"
    if account.status == AccountStatus.RESTRICTED:
        return "the platform has restricted the account; see there what it asks for"
    return f"the platform refuses the account's credentials; connect it again. {words}".strip()
