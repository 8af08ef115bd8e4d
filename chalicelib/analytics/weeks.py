"""Whole weeks, Monday to Sunday, and how an account's are counted: its posts, and a sample of the rest."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from chalicelib.accounts.model import STANDING, Account
from chalicelib.accounts.service import Accounts
from chalicelib.analytics.store import Store, Week
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Claim
from chalicelib.inbox.numbers import Numbers
from chalicelib.publishing.model import VariantState
from chalicelib.publishing.variants import Variants

_OVER_AFTER = timedelta(hours=12)  # the inbox counts by local days, and UTC-12 is the last zone to end one


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def last_week(now: datetime) -> date:
    """The Monday of the latest week that is over everywhere."""
    return week_of((now.astimezone(UTC) - _OVER_AFTER).date()) - timedelta(days=7)


class Weeks:
    def __init__(self, kernel: Kernel, accounts: Accounts, numbers: Numbers, variants: Variants) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._numbers = numbers
        self._variants = variants
        self._store = Store(kernel.database)

    def count_published(self, claim: Claim) -> None:
        """Count a variant that went out, in the week (UTC) in which it did; again, it changes nothing."""
        variant = self._variants.get(claim.entry.ref)
        if variant.state == VariantState.PUBLISHED:
            monday = week_of((variant.published_at or variant.at).astimezone(UTC).date())
            self._store.add_post(variant.account_id, monday, variant.post_id)

    def sample(self) -> dict[str, int]:
        """Keep what the last whole week brought each account that could be heard in all of it.

        Run again, it takes those that it has not taken yet: a day on which it fails loses nothing.
        """
        now = self._kernel.clock.now()
        monday = last_week(now)
        taken = {week.account_id for week in self._store.weeks(monday)}
        sampled = 0
        for account in self._accounts.of_classes(STANDING):
            if account.is_usable and account.created_at.date() <= monday and account.account_id not in taken:
                self._store.save_sample(monday, self._sampled(account, monday, now))
                sampled += 1
        return {"sampled": sampled, "taken_before": len(taken)}

    def _sampled(self, account: Account, monday: date, now: datetime) -> Week:
        found: Counter[str] = Counter()
        scope = ("account", account.account_id)
        for _, _, _, metrics in self._numbers.rows(scope, monday, monday + timedelta(days=6)):
            found.update(metrics)
        return Week(
            account_id=account.account_id,
            platform=account.platform,
            unit_id=account.unit_id,
            handle=account.handle,
            volume=max(0, found["volume"]),
            answered=max(0, found["answered"]),
            reactions=max(0, found["reactions"]),  # more may be taken back in a week than given
            shares=max(0, found["shares"]),
            followers=account.followers,
            sampled_at=now,
            posts=frozenset(),
        )
