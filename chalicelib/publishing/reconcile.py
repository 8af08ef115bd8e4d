"""What became of an unknown outcome: what the platform said by itself, or what is seen on the account."""

from collections.abc import Callable
from dataclasses import replace

from chalicelib.accounts.fenced import FencedSender
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim
from chalicelib.platforms.port import Adapter
from chalicelib.publishing.model import Variant, VariantState
from chalicelib.publishing.publisher import Publisher
from chalicelib.publishing.store import PostStore, Word


class Reconciler:
    """The `reconcile` chore, and what platforms tell of publishing jobs."""

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
        self._publisher = publisher
        self._sender = FencedSender(kernel, accounts, adapters, publisher)

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
        return self._sender.reconcile(claim, variant)

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
            metrics.count("published")
        else:
            reason = word.reason or "the platform says that it failed, and not why"
            after = variant.moved(VariantState.REFUSED, change.now, reason)
        self._publisher.join(change, variant, after, f"{after.state}: the platform says so")
