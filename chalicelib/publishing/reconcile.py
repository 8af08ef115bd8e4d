"""What became of an unknown outcome: look at the account before anything else is done.

Found: published, with the platform's id. Not found where the platform makes a repeat safe (its own
idempotency): scheduled again under the same checkpoint. Otherwise it is looked for again over minutes, then
left `unknown` for a person, who alone may say that it is not there.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.clock import Clock
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later
from chalicelib.platforms.port import FOREVER, Absent, Adapter, Found, Several, Unsure
from chalicelib.publishing.model import Variant, VariantState
from chalicelib.publishing.publisher import Publisher
from chalicelib.publishing.store import PostStore

LOOKS_AFTER = tuple(timedelta(seconds=s) for s in (30, 60, 120, 240, 480))
CLOCK_MARGIN_FOR = timedelta(minutes=5)  # between our clock and the platform's, when its window ends

log = logging.getLogger(__name__)


class Reconciler:
    """The `reconcile` chore."""

    def __init__(
        self,
        kernel: Kernel,
        store: PostStore,
        accounts: Accounts,
        publisher: Publisher,
        adapters: Callable[[str], Adapter],
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._accounts = accounts
        self._publisher = publisher
        self._adapters = adapters

    def reconcile(self, claim: Claim) -> bool:
        """Look once. True when the entry is finished; raises Later while another look is worth it."""
        variant = self._store.variant(claim.entry.ref)
        if variant is None or variant.state != VariantState.UNKNOWN:
            return False
        post = self._store.post(variant.post_id)
        account = self._accounts.get(variant.account_id)
        adapter = self._adapters(account.platform)
        content = self._publisher.content(post, variant.account_id)
        since = (variant.first_begun_at or variant.at) - CLOCK_MARGIN_FOR
        checkpoint = json.loads(variant.checkpoint or "{}")
        sighting = adapter.find(self._accounts.ref(account), content, checkpoint, since)
        log.info("reconcile", extra={"variant": variant.variant_id, "sighting": type(sighting).__name__})
        match sighting:
            case Found(published=published):
                return self._settle(
                    claim, variant, VariantState.PUBLISHED, "published: found by reconcile", None,
                    external_id=published.external_id, url=published.url,
                    published_at=variant.begun_at or variant.at,
                )  # fmt: skip
            case Several(external_ids=ids):
                reason = f"{len(ids)} posts on the account match this one; delete what is too much"
                return self._give_up(claim, variant, reason)
            case Absent() if _is_safe_again(adapter, variant, self._kernel.clock):
                return self._settle(
                    claim, variant, VariantState.SCHEDULED, "not found; sent again under the same key",
                    "not found on the account", looks=0,
                )  # fmt: skip
            case Unsure(until=until) if until is not None and until > self._kernel.clock.now():
                raise Later(until, claim.entry.args)
        return self._look_again(claim, variant)

    def _look_again(self, claim: Claim, variant: Variant) -> bool:
        looks = int(claim.entry.args.get("looks", "0"))
        if looks < len(LOOKS_AFTER):
            until = self._kernel.clock.now() + LOOKS_AFTER[looks]
            raise Later(until, {**claim.entry.args, "looks": str(looks + 1)})
        reason = f"not seen on the account after {looks + 1} looks; look yourself, then say what you found"
        return self._give_up(claim, variant, reason)

    def _give_up(self, claim: Claim, variant: Variant, reason: str) -> bool:
        change = self._kernel.change(BY_JOB)
        told = replace(variant, reason=reason, looks=variant.looks + 1)
        self._store.save_variant(change, told, variant)
        change.add(self._kernel.timetable.finish(claim, change.now))
        change.record(f"post#{variant.post_id}", "left unknown", why=reason, account=variant.account_id)
        change.emit("VariantUnknown", variant.variant_id, state=str(variant.state))
        self._kernel.commit(change)
        return True

    def _settle(
        self,
        claim: Claim,
        variant: Variant,
        to: VariantState,
        what: str,
        reason: str | None,
        **changes: object,
    ) -> bool:
        change = self._kernel.change(BY_JOB)
        settled = variant.moved(to, change.now, reason, **changes)
        self._store.save_variant(change, settled, variant)
        change.add(self._kernel.timetable.finish(claim, change.now))
        if to == VariantState.SCHEDULED:
            change.schedule(
                Entry(variant.entry_id, Lane.PUBLISH, "publish", variant.variant_id, variant.due_at)
            )
        change.record(f"post#{variant.post_id}", what, account=variant.account_id, url=settled.url)
        if to == VariantState.PUBLISHED:
            change.emit("PostPublished", variant.variant_id)
            metrics.count("published")
        self._kernel.commit(change)
        return True


def _is_safe_again(adapter: Adapter, variant: Variant, clock: Clock) -> bool:
    """Whether the platform itself still refuses a second post under the same checkpoint."""
    window = adapter.traits.idempotent_for
    if window is None or variant.begun_at is None or variant.first_begun_at is None:
        return False
    now = clock.now()
    if now - variant.begun_at < adapter.traits.visible_after_for:
        return False
    return window == FOREVER or now + CLOCK_MARGIN_FOR < variant.first_begun_at + window
