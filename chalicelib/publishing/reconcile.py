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
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later
from chalicelib.platforms.port import Absent, Adapter, Found, Several, Unsure
from chalicelib.platforms.repeat import CLOCK_MARGIN_FOR, is_safe_again
from chalicelib.publishing.model import Variant, VariantState
from chalicelib.publishing.publisher import Publisher
from chalicelib.publishing.store import PostStore, Word

LOOKS_AFTER = tuple(timedelta(seconds=s) for s in (30, 60, 120, 240, 480))

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
        word = self._store.word(variant)
        if word is not None:
            change = self._kernel.change(BY_JOB)
            self._believe(change, variant, word)
            change.add(self._kernel.timetable.finish(claim, change.now))
            self._kernel.commit(change)
            return True
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
            case Absent() if is_safe_again(
                adapter.traits, variant.first_begun_at, variant.begun_at, self._kernel.clock.now()
            ):
                return self._settle(
                    claim, variant, VariantState.SCHEDULED, "not found; sent again under the same key",
                    "not found on the account", looks=0,
                )  # fmt: skip
            case Unsure(until=until) if until is not None and until > self._kernel.clock.now():
                raise Later(until, claim.entry.args)
        return self._look_again(claim, variant)

    def settle_from_platform(self, change: Change, account_id: str, external_id: str, word: Word) -> bool:
        """Join to a change what a platform says of a publishing job or post; False while it is nobody's yet.

        The word is kept in any case: where it comes before the publisher has the job's id, `reconcile` finds
        it. The commit raises Conflict when the variant moves meanwhile; do it again then.
        """
        self._store.keep_word(change, account_id, external_id, word)
        variant = self._store.told_variant(account_id, external_id)
        if variant is None:
            return False
        if variant.state in (VariantState.UNKNOWN, VariantState.PUBLISHING):
            self._believe(change, variant, word)
        elif variant.state == VariantState.PUBLISHED and word.post_id and not variant.external_id:
            named = replace(variant, external_id=word.post_id, url=word.url or variant.url)
            self._store.save_variant(change, named, variant)
        return True

    def is_ours(self, account_id: str, external_id: str) -> bool:
        """Whether this is the platform's id of a post that we published on the account."""
        return self._store.told_variant(account_id, external_id) is not None

    def _believe(self, change: Change, variant: Variant, word: Word) -> None:
        if word.outcome == "published":
            after = variant.moved(
                VariantState.PUBLISHED, change.now, external_id=word.post_id or variant.external_id,
                url=word.url or variant.url, published_at=variant.begun_at or variant.at,
            )  # fmt: skip
            what = "published: the platform says so"
            change.emit("PostPublished", variant.variant_id)
            metrics.count("published")
        else:
            reason = word.reason or "the platform says that it failed, and not why"
            after = variant.moved(VariantState.REFUSED, change.now, reason)
            what = "refused: the platform says so"
            change.emit("VariantRefused", variant.variant_id, state=str(after.state))
        self._store.save_variant(change, after, variant)
        change.record(
            f"post#{variant.post_id}", what, after.reason, account=variant.account_id, url=after.url
        )

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
