"""What events do that nobody has to answer: an account is stopped, a job ends, a profile changes."""

from collections.abc import Callable, Mapping

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.accounts.service import Accounts
from chalicelib.core.kernel import Change
from chalicelib.platforms.inbound import InboundEvent, InboundKind
from chalicelib.publishing.reconcile import Reconciler
from chalicelib.publishing.store import Word
from chalicelib.webhooks.profiles import read_again

_LONGEST_REASON = 500
_STOPS = {
    # Connecting it again mends this one, as it mends a token that the network refuses.
    InboundKind.PERMISSION_REVOKED: (
        AccountStatus.CREDENTIALS_REFUSED,
        "the permission was withdrawn on the platform",
    ),
    InboundKind.ACCOUNT_RESTRICTED: (AccountStatus.RESTRICTED, "the platform restricted the account"),
}
HANDLED = frozenset({*_STOPS, InboundKind.PUBLISH_RESULT, InboundKind.PROFILE_CHANGED})


class Effects:
    """`leased` is told what a hub says of an account's subscription."""

    def __init__(
        self,
        accounts: Accounts,
        reconciler: Reconciler,
        leased: Callable[[Change, str, Mapping[str, str]], None],
    ) -> None:
        self._accounts = accounts
        self._reconciler = reconciler
        self._leased = leased

    def join(self, change: Change, event: InboundEvent, account: Account) -> None:
        """Add the writes of an event whose kind is in HANDLED."""
        if event.kind in _STOPS:
            self._stop(change, event, account)
        elif event.kind == InboundKind.PUBLISH_RESULT:
            self._settle(change, event, account)
        else:
            field = event.details.get("field", "")
            if field == "subscription":
                self._leased(change, account.account_id, event.details)
            else:
                read_again(change, account)
            change.record(f"account#{account.account_id}", "changed on the platform", field=field)

    def _stop(self, change: Change, event: InboundEvent, account: Account) -> None:
        status, words = _STOPS[event.kind]
        why = (event.details.get("reason") or words)[:_LONGEST_REASON]
        if account.status == AccountStatus.ACTIVE and event.happened_at >= account.credentials_at:
            self._accounts.stop(change, account, status, why)
            return
        # It is stopped already, or was connected again since: an old event must not stop it anew.
        change.record(
            f"account#{account.account_id}", "told again that it is stopped", why, status=str(status)
        )

    def _settle(self, change: Change, event: InboundEvent, account: Account) -> None:
        said = event.details
        word = Word(
            said["outcome"],
            said.get("reason", "")[:_LONGEST_REASON],
            said.get("post_id", ""),
            said.get("url", ""),
        )
        found = self._reconciler.settle_from_platform(change, account.account_id, event.external_id, word)
        what = "publish result" if found else "publish result of a job not known yet"
        change.record(
            f"account#{account.account_id}", what, outcome=word.outcome, job=event.external_id[:200]
        )
