"""What the weekly look for profiles that nobody listed consists of, and when each part of it is due.

One chore for each search, web page and dozen of pictures. A scan is planned at once and worked on for hours
or days: a network's searches take half of its rate at most, and end before the next scan begins.
"""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.clock import to_text
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.discovery.appkeys import AppKeys
from chalicelib.discovery.likeness import plain
from chalicelib.discovery.scoring import name_in
from chalicelib.discovery.settings import DiscoverySettings, Settings
from chalicelib.discovery.store import TABLE
from chalicelib.platforms import registry

SPREAD_FOR = timedelta(hours=12)
LONGEST_FOR = timedelta(days=6)
TOLD_AFTER = timedelta(hours=24)
_PAGES_EVERY = timedelta(minutes=1)
_LEAST_SPACING = timedelta(seconds=2)
_AT_ONCE = 80  # entries in one transaction
_PICTURES_AT_ONCE = 12
_SHORTEST_QUERY = 3  # letters; what is shorter finds everybody

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """One thing to do, `after` the scan began; `source` says what kind of thing."""

    source: str
    args: Mapping[str, str]
    after: timedelta

    def entry(self, week: str, began_at: datetime) -> Entry:
        """The timetable's entry: the same for the same look of the same week."""
        args = {"source": self.source, **self.args}
        digest = sha256(repr(sorted(args.items())).encode()).hexdigest()[:24]
        due_at = began_at + self.after
        return Entry(f"scan_source#{week}#{digest}", Lane.CHORES, "scan_source", week, due_at, args=args)


class Plan:
    def __init__(
        self, kernel: Kernel, accounts: Accounts, settings: DiscoverySettings, keys: AppKeys
    ) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._settings = settings
        self._keys = keys

    def begin(self) -> dict[str, int]:
        """Have this week's scan planned; a second call in the same week changes nothing."""
        change = self._kernel.change(BY_JOB)
        week = week_of(change.now)
        row = {"pk": f"scan#{week}", "sk": "scan", "began_at": to_text(change.now)}
        change.put(TABLE, row, where("attribute_not_exists(pk)"))
        change.chore("plan_scan", week, key=week)
        change.chore("mail_triage", week, change.now + TOLD_AFTER, week)
        change.record("discovery", "scan begun", week=week)
        try:
            self._kernel.commit(change)
        except Conflict:
            return {"begun": 0}
        return {"begun": 1}

    def plan(self, claim: Claim) -> None:
        """Put every look of the week on the timetable; planning again puts the same ones there."""
        week, began_at = claim.entry.ref, claim.entry.starts_at or self._kernel.clock.now()
        ours = list(self._accounts.everyone())
        keyed = {p for p in registry.searching_names() if self._keys.of(p) is not None}
        entries = [look.entry(week, began_at) for look in looks_of(ours, self._settings.now(), week, keyed)]
        for start in range(0, len(entries), _AT_ONCE):
            change = self._kernel.change(BY_JOB)
            part = entries[start : start + _AT_ONCE]
            for entry in part:
                change.schedule(entry)
            change.record("discovery", "looks planned", week=week, looks=len(part))
            self._kernel.commit(change)


def looks_of(
    ours: Sequence[Account], settings: Settings, week: str, searched: Iterable[str]
) -> Iterator[Look]:
    """Everything to look at in a week. Pictures of ours come first, since searches compare with them."""
    shown = [a.account_id for a in ours if a.avatar_url]
    dozens = [shown[n : n + _PICTURES_AT_ONCE] for n in range(0, len(shown), _PICTURES_AT_ONCE)]
    for number, dozen in enumerate(dozens):
        yield Look("pictures", {"accounts": ",".join(dozen)}, number * _PAGES_EVERY)
    for number, url in enumerate(settings.sites):
        yield Look("site", {"url": url}, number * _PAGES_EVERY)
    names = [*settings.brands, *(a.display_name for a in ours)]
    queries = queries_of([*names, *(name_in(a.handle) for a in ours if a.handle != a.external_id)])
    begins_after = len(dozens) * _PAGES_EVERY
    for platform in sorted(searched):
        servers = {a.server for a in ours if a.platform == platform} | set(settings.servers.get(platform, ()))
        for server in sorted(servers or {registry.read_traits(platform).default_server}):
            spacing = spacing_of(platform, len(queries))
            for number, words in enumerate(turned(queries, week, LONGEST_FOR // spacing)):
                args = {"platform": platform, "server": server, "words": words}
                yield Look("search", args, begins_after + number * spacing)


def queries_of(names: Iterable[str]) -> list[str]:
    """What is searched for: each name once, however it is spelled, in the order that they were given.

    Networks look for each word of a search by itself: a name in one word and the same in two are two names.
    """
    words = [name.split() for name in names]
    found = {tuple(filter(None, map(plain, name))): " ".join(name) for name in reversed(words)}
    return [name for key, name in reversed(found.items()) if len("".join(key)) >= _SHORTEST_QUERY]


def turned(queries: list[str], week: str, most: int) -> list[str]:
    """Those of the queries that fit into a week; the next week begins where this one had to stop."""
    if len(queries) <= most:
        return queries
    log.warning("not every name is searched for this week", extra={"left_out": len(queries) - most})
    start = int(week.rpartition("W")[2]) * most % len(queries)
    return (queries + queries)[start : start + most]


def spacing_of(platform: str, searches: int) -> timedelta:
    """How far apart a network's searches are: spread over hours, and at half of what it allows at most."""
    rates = registry.read_traits(platform).rates
    rate = next((r for r in rates if "search" in r.what), None)
    slowest = 2 * rate.per_for / rate.most if rate else _LEAST_SPACING
    return max(
        slowest, _LEAST_SPACING, timedelta(seconds=math.floor(SPREAD_FOR.total_seconds() / max(1, searches)))
    )


def week_of(now: datetime) -> str:
    """The ISO week, `2026-W48`."""
    year, week, _ = now.isocalendar()
    return f"{year}-W{week:02d}"
