"""Accounts: one profile on one network, what it is to us, who looks after it, whether it can be used now."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.core.words import mark
from chalicelib.platforms.port import AccountRef

# Half a year, as issue 4 has it: an owner who is not asked for longer has often changed jobs by then.
CONFIRMED_FOR = timedelta(days=182)
ASKED_BEFORE_FOR = timedelta(days=14)  # longer than most holidays
REVIEW_GRACE_FOR = timedelta(days=30)  # a month for the manager to find an owner, before the lead is needed


class AccountStatus(StrEnum):
    ACTIVE = "active"
    LISTED = "listed"  # known, without credentials: nothing can be published or polled
    CREDENTIALS_REFUSED = "credentials_refused"
    RESTRICTED = "restricted"  # by the network: new credentials do not mend it
    RETIRED = "retired"


class AccountClass(StrEnum):
    """What an account is to us."""

    OFFICIAL = "official"
    CANDIDATE = "candidate"  # found, and nobody has said yet whether it is ours
    ROGUE = "rogue"
    DUPLICATE = "duplicate"
    DORMANT = "dormant"  # official and silent: what is published makes it official again
    RETIRED = "retired"


class RogueKind(StrEnum):
    UNOFFICIAL = "unofficial"
    IMPOSTOR = "impostor"
    FAN = "fan"


_OFFICIAL, _CANDIDATE, _ROGUE = AccountClass.OFFICIAL, AccountClass.CANDIDATE, AccountClass.ROGUE
_DUPLICATE, _DORMANT, _RETIRED = AccountClass.DUPLICATE, AccountClass.DORMANT, AccountClass.RETIRED

STANDING = frozenset({_OFFICIAL, _DORMANT})
"""What we stand by: published to, read, confirmed each half-year, shown to everybody."""

OURS = STANDING | {_DUPLICATE}
"""What somebody of ours looks after."""

MOVES: Mapping[tuple[AccountClass, AccountClass], str] = {
    (_CANDIDATE, _OFFICIAL): "somebody of ours claimed it",
    (_CANDIDATE, _DUPLICATE): "it was claimed, and another account of ours does the same",
    (_CANDIDATE, _ROGUE): "it is not ours, though it looks like us",
    (_ROGUE, _CANDIDATE): "the judgement is in doubt, so it is looked at anew",
    (_ROGUE, _OFFICIAL): "whoever ran it handed it over to us",
    (_OFFICIAL, _DORMANT): "it has been silent for too long",
    (_DORMANT, _OFFICIAL): "it is in use again",
    (_OFFICIAL, _DUPLICATE): "another account of ours does the same",
    (_DORMANT, _DUPLICATE): "another account of ours does the same",
    (_DUPLICATE, _OFFICIAL): "it has a purpose of its own after all",
    (_OFFICIAL, _CANDIDATE): "its unit does not know it",
    (_DORMANT, _CANDIDATE): "its unit does not know it",
    (_DUPLICATE, _CANDIDATE): "its unit does not know it",
    (_OFFICIAL, _ROGUE): "it turned out not to be ours",
    (_DORMANT, _ROGUE): "it turned out not to be ours",
    (_DUPLICATE, _ROGUE): "it turned out not to be ours",
    (_OFFICIAL, _RETIRED): "its work is done",
    (_DORMANT, _RETIRED): "nobody needs it any more",
    (_DUPLICATE, _RETIRED): "it was merged into the other one",
    (_RETIRED, _OFFICIAL): "it is needed again",
}
"""The moves between classes that there are, and what each one says.

Only what was ours is retired: a rogue that is gone stays a rogue, and is known when it comes back.
"""


@dataclass(frozen=True)
class Account:
    """`server` is a base URL; `handle`, `display_name`, `url`, `followers`, `description`, `avatar_url`,
    `verified` (None: not said) and `opened_at` (made on the network) are as the network last said.

    `quiet_until`: the network asked not to be called before. `credentials_path` is where SSM has the secret,
    empty for a listed one. `owner_id` may be empty for candidates and rogues only. `same_as` is the account
    that a duplicate repeats. `avatar_hash`: 64 bits of perceptual hash as 16 hex digits. `second_factor_by`
    and `recovery_by` say who holds them, a person's id or words.
    """

    account_id: str
    platform: str
    server: str
    handle: str
    display_name: str
    external_id: str
    url: str
    followers: int | None
    api_version: str | None
    unit_id: str
    owner_id: str
    backup_id: str | None
    purpose: str
    audience: str
    credentials_path: str
    credentials_at: datetime
    created_at: datetime
    status: AccountStatus = AccountStatus.ACTIVE
    quiet_until: datetime | None = None
    version: int = 1
    account_class: AccountClass = AccountClass.OFFICIAL
    rogue_kind: RogueKind | None = None
    same_as: str | None = None
    languages: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    contact: str = ""
    policy_links: tuple[str, ...] = ()
    second_factor_by: str = ""
    recovery_by: str = ""
    connected_apps: tuple[str, ...] = ()
    description: str = ""
    avatar_url: str = ""
    avatar_hash: str = ""
    verified: bool | None = None
    opened_at: datetime | None = None
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    last_post_at: datetime | None = None
    unreadable_since: datetime | None = None
    unreadable_why: str = ""
    confirmed_at: datetime | None = None
    confirmed_by: str = ""
    confirm_by_at: datetime | None = None
    under_review_at: datetime | None = None

    def ref(self, credentials: dict[str, str]) -> AccountRef:
        """The account as adapters take it."""
        return AccountRef(
            self.account_id, self.platform, self.handle, self.server, self.external_id, credentials
        )

    @property
    def is_ours(self) -> bool:
        """Whether somebody of ours looks after it now."""
        return self.account_class in OURS

    @property
    def is_standing(self) -> bool:
        """Whether we stand by it: published to, read, confirmed each half-year, shown to everybody."""
        return self.account_class in STANDING

    @property
    def is_usable(self) -> bool:
        """Whether it can be published to and polled now, a network's wish for quiet aside."""
        return self.status == AccountStatus.ACTIVE and self.is_standing

    def why_not_usable(self) -> str:
        """Why nothing can be published there now and what to do about it; empty if something can."""
        if self.is_usable:
            return ""
        return _WHY_NOT_CLASS.get(self.account_class) or _WHY_NOT_STATUS[self.status]

    def needs_lead(self, now: datetime) -> bool:
        """Whether nobody has confirmed it for so long that publishing there takes the company's lead."""
        return self.under_review_at is not None and now >= self.under_review_at + REVIEW_GRACE_FOR


_WHY_NOT_CLASS: Mapping[AccountClass, str] = {
    _CANDIDATE: mark("nobody has said yet whether it is ours; claim it in the register first"),
    _ROGUE: mark("it is not ours"),
    _DUPLICATE: mark("it is a duplicate of another account of ours; publish there instead"),
}
_WHY_NOT_STATUS: Mapping[AccountStatus, str] = {
    AccountStatus.LISTED: mark("it is listed without credentials; connect it first"),
    AccountStatus.CREDENTIALS_REFUSED: mark("the platform refuses its credentials; connect it again"),
    AccountStatus.RESTRICTED: mark("the platform has restricted it; see there what it asks for"),
    AccountStatus.RETIRED: mark("it is retired; take it off the targets"),
}


def changed(before: Account, changes: Mapping[str, Any]) -> Account:
    """The account with the changes and what goes with them: retired in class and status at once, listed
    when a retired one comes back without credentials, and no mark that its class does not have.

    Raises InvalidInput, with every problem, for a move that there is not and a record that cannot be.
    """
    given = dict(changes)
    if given.get("status") == AccountStatus.RETIRED:
        given.setdefault("account_class", _RETIRED)
    elif "status" in given and before.account_class == _RETIRED:
        given.setdefault("account_class", _OFFICIAL)
    to = given.get("account_class", before.account_class)
    if to == _RETIRED:
        given.setdefault("status", AccountStatus.RETIRED)
    elif before.account_class == _RETIRED:
        given.setdefault("status", AccountStatus.LISTED)
    if to != _ROGUE:
        given.setdefault("rogue_kind", None)
    if to != _DUPLICATE:
        given.setdefault("same_as", None)
    if to not in STANDING:
        given |= {"confirm_by_at": None, "under_review_at": None}
    after = replace(before, **given)
    problems = problems_of(after)
    if before.account_class != to and (before.account_class, to) not in MOVES:
        cannot = f"an account that is {before.account_class} cannot become {to}; {_ways_from(before)}"
        problems.insert(0, Problem("account_class", cannot))
    if problems:
        raise InvalidInput(problems)
    return after


def problems_of(account: Account) -> list[Problem]:
    """What cannot be true of an account, whatever it was before."""
    kind, problems = account.account_class, []
    if (kind == _RETIRED) != (account.status == AccountStatus.RETIRED):
        problems.append(Problem("account_class", "an account is retired in its class and its status at once"))
    if kind in (_CANDIDATE, _ROGUE) and account.status != AccountStatus.LISTED:
        message = f"we hold its credentials, so it is ours and not {kind}; retire it if it is not wanted"
        problems.append(Problem("account_class", message))
    if (kind == _ROGUE) != (account.rogue_kind is not None):
        known = ", ".join(RogueKind)
        problems.append(Problem("rogue_kind", f"a rogue account, and no other, is one of: {known}"))
    if (kind == _DUPLICATE) != bool(account.same_as):
        problems.append(Problem("same_as", "a duplicate, and no other, names the account that it repeats"))
    if account.same_as == account.account_id:
        problems.append(Problem("same_as", "an account cannot be a duplicate of itself"))
    if not account.owner_id and kind not in (_CANDIDATE, _ROGUE):
        problems.append(Problem("owner_id", "name whoever looks after it; only others' accounts have nobody"))
    return problems


def _ways_from(account: Account) -> str:
    ways = ", ".join(to for was, to in MOVES if was == account.account_class)
    return f"it can become: {ways}"


def server_address(text: str) -> str:
    """The base URL of a server in its one spelling: scheme and host in lower case, nothing behind them.

    Raises ValueError for anything that is more or less than that.
    """
    problem = "must be the address of a server like 'https://social.example', and nothing else"
    if not text.isascii() or not all(char.isalnum() or char in ".:/[]-_" for char in text):
        raise ValueError(problem)
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        raise ValueError(problem) from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.path not in ("", "/"):
        raise ValueError(problem)
    if (parts.scheme, parts.port) == ("https", 443):
        port = ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def plain_handle(handle: str, server: str) -> str:
    """A handle as the server itself says it: without a leading @ and without the server's own name."""
    host = urlsplit(server).hostname or ""
    cleaned = handle.strip().removeprefix("@")
    local, at, domain = cleaned.rpartition("@")
    return local if at and domain.casefold() == host else cleaned
