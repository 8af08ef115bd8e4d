"""What everybody may know of our accounts: the list, and whether a given one is real.

The list is read as a whole and kept in the process for a minute. A copy in the database would have to be
right after every kind of change and would not fit into one item (400 KB) from some 1,500 accounts on; this
one is at most a minute old and costs the same reads however many look at it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from urllib.parse import parse_qsl, unquote, urlsplit

from chalicelib.accounts.directory import Directory, default_server, network_name
from chalicelib.accounts.model import STANDING, Account, AccountClass
from chalicelib.core.clock import Clock
from chalicelib.org.service import Org
from chalicelib.platforms import registry

KEPT_FOR = timedelta(minutes=1)
LONGEST_QUESTION = 300
_SAME_SITE = ("www.", "m.", "mobile.", "web.", "old.")


@dataclass(frozen=True)
class Public:
    """One account of ours as everybody may see it; `server` where it is not the network's own."""

    platform: str
    network: str
    handle: str
    server: str
    display_name: str
    url: str
    verified: bool
    languages: tuple[str, ...]
    unit: str


class Real(StrEnum):
    """Whether an account is ours; `unknown` says nothing of it but that it is not on the list."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """`accounts` are those of ours that were asked for, or that were ours once and are no longer."""

    real: Real
    accounts: tuple[Public, ...]


@dataclass(frozen=True)
class Listed:
    """The list as it was at one time, by network and handle, and what was ours once."""

    accounts: tuple[Public, ...]
    retired: tuple[Public, ...]

    @cached_property
    def version(self) -> str:
        """The same for the same content, for whoever has it already."""
        said = json.dumps([[asdict(p) for p in part] for part in (self.accounts, self.retired)])
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    def is_real(self, question: str) -> Verdict:
        """Whether the address or handle is one of ours, as people paste them: with or without https, www,
        @, a server, a slash or a query at the end.
        """
        for real, among in ((Real.YES, self.accounts), (Real.NO, self.retired)):
            found = tuple(public for public in among if _asked_for(question, public))
            if found:
                return Verdict(real, found)
        return Verdict(Real.UNKNOWN, ())

    def matching(self, words: str) -> tuple[Public, ...]:
        """Those of the list with the words in them; all, without words."""
        wanted = words.casefold().removeprefix("@").strip()
        return tuple(
            p
            for p in self.accounts
            if any(wanted in text.casefold() for text in (p.handle, p.display_name, p.network, p.unit, p.url))
        )


class PublicRegister:
    """The public list, at most a minute old."""

    def __init__(self, accounts: Directory, org: Org, clock: Clock) -> None:
        self._accounts = accounts
        self._org = org
        self._clock = clock
        self._kept: tuple[datetime, Listed] | None = None

    def listed(self) -> Listed:
        """Official and dormant accounts that somebody has stood by, within the grace of a review."""
        now = self._clock.now()
        if self._kept is None or not timedelta(0) <= now - self._kept[0] < KEPT_FOR:
            self._kept = (now, self._read(now))
        return self._kept[1]

    def _read(self, now: datetime) -> Listed:
        units = {unit.unit_id: unit.name for unit in self._org.units()}
        found = list(self._accounts.of_classes(STANDING | {AccountClass.RETIRED}))
        standing = [a for a in found if a.is_standing and not a.needs_lead(now)]
        retired = [a for a in found if a.account_class == AccountClass.RETIRED]
        return Listed(_public(standing, units), _public(retired, units))


def _public(accounts: Sequence[Account], units: dict[str, str]) -> tuple[Public, ...]:
    shown = (
        Public(
            platform=account.platform,
            network=network_name(account.platform),
            handle=account.handle,
            server=_server(account),
            display_name=account.display_name,
            url=account.url if account.url.startswith(("https://", "http://")) else "",
            verified=bool(account.verified),
            languages=account.languages,
            unit=units.get(account.unit_id, ""),
        )
        for account in accounts
    )
    return tuple(sorted(shown, key=lambda p: (p.network.casefold(), p.handle.casefold(), p.url)))


def _server(account: Account) -> str:
    is_own = account.server == default_server(account.platform)
    if is_own or not registry.has_local_names(account.platform):
        return ""
    return urlsplit(account.server).hostname or ""


def _asked_for(question: str, public: Public) -> bool:
    asked = question.strip()
    if not asked or len(asked) > LONGEST_QUESTION:
        return False
    if "/" in asked:
        return _is_place(asked, public.url)
    said, handle = asked.casefold().removeprefix("@"), public.handle.casefold()
    return said == handle or (bool(public.server) and said == f"{handle}@{public.server}")


def _is_place(asked: str, url: str) -> bool:
    """Whether an address as somebody pasted it leads to ours: what follows it (`?utm_source=...`) may differ,
    unless ours has a query of its own.
    """
    theirs, ours = _place(asked), _place(url)
    return theirs is not None and ours is not None and theirs[0] == ours[0] and ours[1] <= theirs[1]


def _place(address: str) -> tuple[str, frozenset[tuple[str, str]]] | None:
    """An address without what differs between two ways of writing it: `host/path` in lower case, and its
    query. None for what browsers may read as another address than we do.
    """
    path_and_host = address.partition("?")[0].casefold()
    if any(part in path_and_host for part in ("\\", "%2f", "%5c")) or not address.isprintable():
        return None
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        is_plain = parts.scheme in ("http", "https") and "@" not in parts.netloc and parts.port is None
    except ValueError:
        return None
    host = (parts.hostname or "").casefold()
    for prefix in _SAME_SITE:
        host = host.removeprefix(prefix)
    path = unquote(parts.path).strip("/").casefold()
    return (f"{host}/{path}", frozenset(parse_qsl(parts.query))) if is_plain and host and path else None
