"""What goes on for as long as an account is active: its polls, and the checks of its subscription.

One timetable entry each, which comes again by itself. They begin when an account is connected; a daily job
puts back what is not on the timetable.
"""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later
from chalicelib.platforms import registry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rounds:
    """`polled_every` says how often an account of a platform is polled, or None."""

    def __init__(
        self, kernel: Kernel, accounts: Accounts, polled_every: Callable[[str], timedelta | None]
    ) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._polled_every = polled_every

    def start(self, claim: Claim) -> None:
        """The chore of a newly connected account: put its rounds on the timetable."""
        account = self._accounts.get(claim.entry.ref)
        change = self._kernel.change(BY_JOB)
        entries = self._of(account, change.now)
        for entry in entries:
            change.schedule(entry)
        if entries:
            change.record(f"account#{account.account_id}", "rounds begun", kinds=[e.kind for e in entries])
            self._kernel.commit(change)

    def ensure(self) -> dict[str, int]:
        """Put back the rounds that should be on the timetable and are not; parked ones stay parked."""
        wanted: dict[str, Entry] = {}
        put_back = 0
        for account in self._accounts.everyone():
            wanted |= {e.entry_id: e for e in self._of(account, self._kernel.clock.now())}
            if len(wanted) >= 100:
                put_back += self._put_back(wanted)
                wanted = {}
        return {"put_back": put_back + self._put_back(wanted)}

    def _of(self, account: Account, now: datetime) -> list[Entry]:
        """The entries that an account should have on the timetable, each at its next time."""
        account_id, entries = account.account_id, []
        if not account.is_usable:
            return []
        every = self._polled_every(account.platform)
        if every is not None:
            due_at = next_at(account_id, every, now)
            entries.append(Entry(f"poll#{account_id}", Lane.CHORES, "poll_account", account_id, due_at))
        watch = registry.watch(account.platform)
        if watch is not None:
            due_at = next_at(account_id, watch.every, now)
            entries.append(Entry(f"watch#{account_id}", Lane.CHORES, "watch_account", account_id, due_at))
        return entries

    def _put_back(self, wanted: dict[str, Entry]) -> int:
        database = self._kernel.database
        found = database.get_many("timetable", [{"entry_id": entry_id} for entry_id in wanted])
        there = {item["entry_id"] for item in found if "due_shard" in item}
        missing = [entry for entry_id, entry in wanted.items() if entry_id not in there]
        for entry in missing:
            database.transact([self._kernel.timetable.add(entry)])
        return len(missing)


def next_at(account_id: str, every: timedelta, now: datetime) -> datetime:
    """The account's next turn: accounts are spread over the interval, and each keeps its own second of it."""
    phase = timedelta(seconds=zlib.crc32(account_id.encode()) % int(every.total_seconds()))
    turns = (now - _EPOCH - phase) // every
    return _EPOCH + phase + (turns + 1) * every


def come_again(kernel: Kernel, claim: Claim, at: datetime, **args: str) -> bool:
    """Let the entry come again at its next turn, with a clean slate: it lives for years.

    Raises Later, or returns True when the entry was written anew, as failures of long ago would park it.
    """
    entry = claim.entry
    if entry.failures + entry.crashes == 0:
        raise Later(at, args)
    kernel.database.transact(
        [kernel.timetable.add(Entry(entry.entry_id, entry.lane, entry.kind, entry.ref, at, args=args))]
    )
    return True
