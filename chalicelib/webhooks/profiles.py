"""An account whose profile changed on its platform is read again, so that the register says what is true now.

The event itself is not believed: it may be old, and says which field changed at the most.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.platforms.errors import AdapterError, RateLimited, Unavailable
from chalicelib.platforms.port import Reading

READ_PROFILE = "read_profile"
READ_AFTER = timedelta(minutes=1)  # who changes a name changes the picture next: one read for all of it

log = logging.getLogger(__name__)


def read_again(change: Change, account: Account) -> None:
    """Have the profile read soon; what is asked for again before then is one read."""
    due_at = change.now + READ_AFTER
    change.chore(READ_PROFILE, account.account_id, due_at, key=account.account_id)


class Profiles:
    """The `read_profile` chore. `reading` gives what reads a platform's profiles, None where nothing does."""

    def __init__(self, kernel: Kernel, accounts: Accounts, reading: Callable[[str], Reading | None]) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._reading = reading

    def read(self, claim: Claim) -> None:
        """Read the profile into the register.

        Raises Later when the platform asks to wait, Unavailable for another try, and Conflict when somebody
        else changed the account meanwhile or the profile is another one.
        """
        account = self._accounts.find(claim.entry.ref)
        reading = self._reading(account.platform) if account else None
        if account is None or reading is None or not account.is_usable:
            return
        now = self._kernel.clock.now()
        try:
            said = reading.profile(self._accounts.ref(account))
        except RateLimited as error:
            raise Later(error.until) from error
        except Unavailable:
            raise
        except AdapterError as error:
            # Credentials that may not read may be good for posts: the account is not stopped.
            log.warning("a profile is not read", extra={"account": account.account_id, "why": error.message})
            self._accounts.unreadable(account, error.message, now)
            return
        self._accounts.seen(account, said, now)
