"""What waits on an account that its platform took from us or restricted is held, before its time comes."""

from datetime import timedelta

from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.publishing.model import Variant, VariantState
from chalicelib.publishing.store import PostStore

HELD_AT_ONCE_FOR = timedelta(seconds=45)  # half of a worker's time


class Stops:
    def __init__(self, kernel: Kernel, store: PostStore, accounts: Accounts) -> None:
        self._kernel = kernel
        self._store = store
        self._accounts = accounts

    def hold_account(self, claim: Claim) -> None:
        """Hold every scheduled variant of an account while it is not active; nobody is mailed for each.

        Safe to run twice. Raises Later when there is more than fits into one run: what was held is no longer
        open, so the next run goes on where this one ended.
        """
        account = self._accounts.get(claim.entry.ref)
        if account.is_usable:
            return
        started = self._kernel.clock.now()
        for variant in self._store.open_on(account.account_id):
            if variant.state == VariantState.SCHEDULED:
                self._hold(variant, claim.entry.args["why"])
            if self._kernel.clock.now() - started > HELD_AT_ONCE_FOR:
                raise Later(self._kernel.clock.now())

    def _hold(self, variant: Variant, why: str) -> None:
        change = self._kernel.change(BY_JOB)
        held = variant.moved(VariantState.HELD, change.now, why)
        self._store.save_variant(change, held, variant)
        change.unschedule(variant.entry_id)
        change.record(f"post#{variant.post_id}", "held", why, account=variant.account_id)
        try:
            self._kernel.commit(change)
        except Conflict:
            return  # its own worker was first, and looks at the account, too
