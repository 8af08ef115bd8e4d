"""The daily look at every account we stand by: one call to its network, spread over the day.

`check_dormant_accounts` puts one entry for each account on the timetable; the entry reads the account and
follows what that says. An account that cannot be read is not dormant: it is unreadable, and said to be.
"""

import logging
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.accounts.model import STANDING, Account, AccountClass
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim, Entry, Lane, back_off
from chalicelib.core.work import Later
from chalicelib.dormancy.model import Sign, expected, sign_of
from chalicelib.dormancy.reviews import Reviews
from chalicelib.dormancy.store import Store, Watch
from chalicelib.org.service import Org
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Unavailable
from chalicelib.platforms.port import AccountRef, Activity, Profile, Reading, ReadTraits

DAY = timedelta(days=1)
SPREAD_FOR = timedelta(hours=20)  # the rest of the day is for those that were put off
PROFILE_EVERY = 28  # days: names, pictures and links change slowly, and reading them costs more calls
TRIES = 4  # of a network that is down; tomorrow is another day
UNREADABLE_TOLD_AFTER = timedelta(days=3)  # so long a network may be down, or a person on the way
RENAMED = "renamed"
READABLE = frozenset({"active", "unpublished"})
_PER_CHANGE = 50  # entries in one transaction

log = logging.getLogger(__name__)


class Reads:
    """`readers` and `traits` give what reads a network, and None for one that nobody can read."""

    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        accounts: Accounts,
        secrets: Secrets,
        settings: Settings,
        readers: Callable[[str], Reading | None],
        traits: Callable[[str], ReadTraits | None],
        reviews: Reviews,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._secrets = secrets
        self._settings = settings
        self._readers = readers
        self._traits = traits
        self._reviews = reviews
        self._store = Store(kernel.database)

    # The daily job

    def enqueue(self) -> dict[str, int]:
        """Put a read of each account on the timetable, each at its own time of the next hours.

        Running it again reads nothing twice: an account has one entry for a day.
        """
        now, entries, total = self._kernel.clock.now(), [], 0
        for account in self._accounts.of_classes(STANDING):
            entries.append(_entry(account, now))
            if len(entries) == _PER_CHANGE:
                total += self._put(entries)
                entries = []
        return {"enqueued": total + self._put(entries)}

    def _put(self, entries: list[Entry]) -> int:
        if not entries:
            return 0
        there = self._kernel.database.get_many("timetable", [{"entry_id": e.entry_id} for e in entries])
        known = {item["entry_id"] for item in there}
        missing = [entry for entry in entries if entry.entry_id not in known]
        if missing:
            change = self._kernel.change(BY_JOB)
            for entry in missing:
                change.schedule(entry)
            change.record("job#check_dormant_accounts", "reads put on the timetable", count=len(missing))
            self._kernel.commit(change)
        return len(missing)

    # One account

    def read_account(self, claim: Claim) -> None:
        """Read an account and follow what that says.

        Raises Later while its network asks to wait or is down, a few times; then it is unreadable today.
        """
        account = self._accounts.find(claim.entry.ref)
        if account is None or not account.is_standing:
            return
        now = self._kernel.clock.now()
        try:
            said = self._said(account, now)
        except RateLimited as limited:
            if limited.until < now + DAY:
                raise Later(limited.until, claim.entry.args) from limited
            self._unreadable(account, limited.message, now)
        except Unavailable as error:
            tries = int(claim.entry.args.get("tries", "0")) + 1
            if tries < TRIES:
                raise Later(now + back_off(tries), {"tries": str(tries)}) from error
            self._unreadable(account, error.message, now)
        except AdapterError as error:
            self._unreadable(account, error.message, now)
            if (
                isinstance(error, AuthExpired)
                and account.is_usable
                and self._accounts.ref(account).credentials
            ):
                self._accounts.credentials_refused(BY_JOB, account.account_id, error.message)
        else:
            self._follow(account, said, now)

    def _said(self, account: Account, now: datetime) -> Profile | Activity:
        reader, ref = self._readers(account.platform), self._ref(account)
        if reader is None or ref is None:
            raise AuthExpired(
                "Nothing can read it yet: connect it, or have ops add the app's own credentials."
            )
        phase = zlib.crc32(account.account_id.encode()) % PROFILE_EVERY
        if account.external_id and now.toordinal() % PROFILE_EVERY != phase:
            said = reader.activity(ref)
            if said.status != RENAMED:
                return said
        # By another name it is the same profile: what goes by the name is read anew.
        profile = reader.profile(ref)
        if profile.status in READABLE and profile.last_post_at is None and account.last_post_at is None:
            # Some networks' profiles do not tell it, and without it years of silence would begin today.
            activity = reader.activity(replace(ref, external_id=profile.external_id))
            return replace(profile, last_post_at=activity.last_post_at)
        return profile

    def _ref(self, account: Account) -> AccountRef | None:
        """The account with its own credentials or, where anybody's profile can be read, with the app's.

        One that we only hear from is usable, and has none of its own.
        """
        own = self._accounts.ref(account) if account.is_usable else None
        if own is not None and own.credentials:
            return own
        traits = self._traits(account.platform)
        if traits is None or not traits.anyone:
            return None
        if not traits.app_credentials:
            return account.ref({})
        app = self._secrets.find(self._settings.secret_path("apps", account.platform))
        return account.ref(app) if app else None

    def _follow(self, account: Account, said: Profile | Activity, now: datetime) -> None:
        if said.status not in READABLE:
            self._unreadable(account, f"its network says that it is {said.status}", now)
            return
        try:
            account = self._accounts.seen(account, said, now)
        except Conflict as conflict:
            self._unreadable(self._accounts.get(account.account_id), conflict.message, now)
            return
        metrics.count("accounts_read")
        pauses, watch = self._store.watched(account.account_id)
        standard = expected(
            self._store.standards(self._org.unit(account.unit_id).path), account.platform, pauses.pauses
        )
        since = account.first_seen_at or account.created_at
        sign = sign_of(account.last_post_at, since, now, standard)
        self._note(account, watch, sign, account.last_post_at or since, now)

    def _unreadable(self, account: Account, why: str, now: datetime) -> None:
        metrics.count("accounts_unreadable")
        account = self._accounts.unreadable(account, why, now)
        _, watch = self._store.watched(account.account_id)
        if watch is not None and watch.sign == Sign.UNREADABLE:
            if watch.told_at is None and now - watch.since >= UNREADABLE_TOLD_AFTER:
                self._tell(account, replace(watch, told_at=now), watch)
            return
        change = self._kernel.change(BY_JOB)
        sign = Watch(account.account_id, account.unit_id, Sign.UNREADABLE, now)
        self._store.save_watch(change, sign, watch)
        change.record(f"account#{account.account_id}", "found unreadable", why)
        self._kernel.commit(change)

    def _note(
        self, account: Account, before: Watch | None, sign: Sign, silent_since: datetime, now: datetime
    ) -> None:
        if before is not None and (before.sign, before.unit_id) == (sign, account.unit_id):
            return
        if before is None and sign == Sign.ACTIVE:
            return
        change = self._kernel.change(BY_JOB)
        after = Watch(account.account_id, account.unit_id, sign, now)
        if sign == Sign.QUIET and (before is None or before.sign in (Sign.ACTIVE, Sign.UNREADABLE)):
            after = replace(after, told_at=now)
            change.chore("tell_quiet", account.account_id, key=f"{account.account_id}#{now.date()}")
        self._store.save_watch(change, after, before)
        change.record(f"account#{account.account_id}", f"found {sign}", silent_since=silent_since.isoformat())
        if sign == Sign.DORMANT:
            self._reviews.open(change, account, silent_since)
        elif account.account_class == AccountClass.DORMANT and sign == Sign.ACTIVE:
            self._reviews.in_use_again(change, account)
        metrics.count(f"found_{sign}")
        self._kernel.commit(change)

    def _tell(self, account: Account, after: Watch, before: Watch) -> None:
        change = self._kernel.change(BY_JOB)
        self._store.save_watch(change, after, before)
        change.chore("tell_unreadable", account.account_id, key=f"{account.account_id}#{before.version}")
        change.record(f"account#{account.account_id}", "told that it cannot be read", account.unreadable_why)
        self._kernel.commit(change)


def _entry(account: Account, now: datetime) -> Entry:
    """One for an account and a day, at a second of its own, the same each day."""
    phase = zlib.crc32(account.account_id.encode()) % int(SPREAD_FOR.total_seconds())
    entry_id = f"read_account#{account.account_id}#{now.date()}"
    due_at = now + timedelta(seconds=phase)
    return Entry(entry_id, Lane.CHORES, "read_account", account.account_id, due_at)
