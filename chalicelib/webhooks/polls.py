"""Platforms that tell us nothing by themselves are asked, at their own pace, from where the last poll ended.

The pieces go to the inbound queue before the cursor is saved: a crash between the two repeats, never skips.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.clock import to_text
from chalicelib.core.database import ConditionFailed
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Claim, back_off
from chalicelib.core.work import Later
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited
from chalicelib.platforms.inbound import Polling, Signed
from chalicelib.webhooks.door import QUEUE
from chalicelib.webhooks.envelope import wrap
from chalicelib.webhooks.rounds import come_again, next_at
from chalicelib.webhooks.unknown import TABLE

POLLED = Signed("poll")
POLLED_AT_ONCE_FOR = timedelta(seconds=45)  # half of a worker's time

log = logging.getLogger(__name__)


class Polls:
    """The `poll_account` chore. `polling` gives what polls a platform, `polled_every` how often."""

    def __init__(
        self,
        kernel: Kernel,
        accounts: Accounts,
        polling: Callable[[str], Polling | None],
        polled_every: Callable[[str], timedelta | None],
    ) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._polling = polling
        self._polled_every = polled_every

    def poll(self, claim: Claim) -> bool:
        """Fetch what came since the last poll; the entry comes again while the account is active."""
        account = self._accounts.find(claim.entry.ref)
        every = self._polled_every(account.platform) if account else None
        polling = self._polling(account.platform) if account else None
        if account is None or every is None or polling is None or not account.is_usable:
            return False
        now = self._kernel.clock.now()
        if account.quiet_until is not None and account.quiet_until > now:
            raise Later(account.quiet_until)
        try:
            is_done = self._fetch(polling, account, now)
        except RateLimited as error:
            if not error.whole_app:
                self._accounts.quiet(account.account_id, error.until)
            raise Later(error.until) from error
        except AuthExpired as error:
            self._accounts.credentials_refused(BY_JOB, account.account_id, error.message)
            return False
        except AdapterError as error:
            metrics.count("polls_failed")
            log.warning("a poll failed", extra={"account": account.account_id, "why": error.message})
            tries = int(claim.entry.args.get("tries", "0")) + 1
            at = self._kernel.clock.now() + max(every, back_off(tries))
            return come_again(self._kernel, claim, at, tries=str(tries))
        now = self._kernel.clock.now()
        return come_again(self._kernel, claim, next_at(account.account_id, every, now) if is_done else now)

    def _fetch(self, polling: Polling, account: Account, started: datetime) -> bool:
        """Page after page until there is no more (True) or no more time."""
        ref, key = self._accounts.ref(account), _key(account)
        item = self._kernel.database.get(TABLE, key)
        cursor = item["cursor"] if item else ""
        while True:
            polled = polling.poll(ref, cursor)
            now = self._kernel.clock.now()
            bodies = [wrap(account.platform, account.account_id, now, POLLED, p) for p in polled.pieces]
            self._kernel.queues.send(QUEUE, bodies)
            metrics.count("polled_events", len(bodies))
            if polled.cursor != cursor and not self._save(account, cursor, polled.cursor, now):
                return True
            cursor = polled.cursor
            if not polled.more:
                return True
            if now - started > POLLED_AT_ONCE_FOR:
                return False

    def _save(self, account: Account, before: str, cursor: str, now: datetime) -> bool:
        """Move the cursor on; False if another worker has, whose poll then counts."""
        when = where("cursor = :b", b=before) if before else where("attribute_not_exists(pk)")
        try:
            item = {**_key(account), "cursor": cursor, "polled_at": to_text(now)}
            self._kernel.database.put(TABLE, item, when)
        except ConditionFailed:
            return False
        return True


def _key(account: Account) -> dict[str, str]:
    return {"pk": f"cursor#{account.account_id}", "sk": "cursor"}
