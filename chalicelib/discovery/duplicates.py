"""Duplicates among our own accounts: pairs to merge, and what each would lose by it.

Two on one network are a pair when they look the same, or serve the same purpose and audience in the same unit
and language. Accounts meet only where they share a key, so that thousands are compared in moments, and each
is proposed once, to be merged into the stronger one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.accounts.model import Account, AccountClass
from chalicelib.discovery.likeness import forms, plain
from chalicelib.discovery.scoring import local_part

_ENOUGH_LETTERS = 5  # of a name: a shorter one may well be several districts'
_ENOUGH_WORDS = 5  # of a description
_SHORT = 3
_STANDING = frozenset({AccountClass.OFFICIAL, AccountClass.DORMANT})


class Because(StrEnum):
    """Why two accounts are thought to do the same work."""

    SAME_WORK = "same_work"  # purpose, audience, unit and language
    SAME_NAME = "same_name"
    SAME_HANDLE = "same_handle"  # but for what is added to it
    SAME_DESCRIPTION = "same_description"  # and nearly the same name


@dataclass(frozen=True)
class Lost:
    """What goes when an account is merged into the other; None where nobody knows, or nothing goes."""

    followers: int | None
    last_post_at: datetime | None
    is_verified: bool
    links: tuple[str, ...]
    opened_at: datetime | None


@dataclass(frozen=True)
class DuplicatePair:
    """Merge `other` into `keep`; or the other way round, for which `keep_loses` says what that costs."""

    keep: Account
    other: Account
    because: tuple[Because, ...]
    other_loses: Lost
    keep_loses: Lost


def duplicate_pairs(accounts: Iterable[Account]) -> list[DuplicatePair]:
    """The pairs among accounts that we stand by; the same for the same accounts in any order."""
    standing = [a for a in accounts if a.account_class in _STANDING]
    keyed: dict[tuple[Because, str, str], list[Account]] = defaultdict(list)
    for account in standing:
        for because, key in set(_keys(account)):
            keyed[because, account.platform, key].append(account)
    reasons: dict[tuple[str, str], set[Because]] = defaultdict(set)
    by_id = {a.account_id: a for a in standing}
    for (because, _, _), group in keyed.items():
        ranked = sorted(group, key=_strength, reverse=True)
        for weaker in ranked[1:]:
            reasons[ranked[0].account_id, weaker.account_id].add(because)
    pairs = [_pair(by_id[keep], by_id[other], found) for (keep, other), found in reasons.items()]
    return sorted(_once(pairs), key=lambda p: (p.keep.platform, p.keep.account_id, p.other.account_id))


def _keys(account: Account) -> Iterator[tuple[Because, str]]:
    purpose, audience = plain(account.purpose), plain(account.audience)
    languages = " ".join(sorted(account.languages))
    if purpose and audience:
        yield Because.SAME_WORK, f"{account.unit_id} {purpose} {audience} {languages}"
    name, handle = forms(account.display_name), forms(local_part(account.handle))
    if len(name.drawn) >= _ENOUGH_LETTERS:
        yield Because.SAME_NAME, f"{name.drawn} {languages}"
    if len(handle.drawn_core) >= _ENOUGH_LETTERS:
        # A number, or a country's two letters, tells channels of one company apart.
        apart = " ".join(sorted(w for w in handle.added.split() if len(w) <= _SHORT or w.isdigit()))
        work = plain(account.purpose)  # what differs in purpose shares no more than the company's name
        yield Because.SAME_HANDLE, f"{handle.drawn_core} {apart} {languages} {work}"
    words = account.description.split()
    if len(words) >= _ENOUGH_WORDS and len(name.drawn) > _ENOUGH_LETTERS:
        # Names one letter apart have a form in common when any one letter is left out of each.
        text = plain(account.description)
        for place in range(len(name.drawn) + 1):
            yield Because.SAME_DESCRIPTION, f"{name.drawn[:place]}{name.drawn[place + 1 :]} {text}"


def _strength(account: Account) -> tuple[object, ...]:
    """What speaks for keeping an account: in use, verified, followed, old; then its id, so that it is one."""
    opened_at = account.opened_at or account.created_at
    return (
        account.account_class == AccountClass.OFFICIAL,
        bool(account.verified),
        account.followers or 0,
        -opened_at.timestamp(),
        account.account_id,
    )


def _pair(keep: Account, other: Account, because: set[Because]) -> DuplicatePair:
    return DuplicatePair(keep, other, tuple(sorted(because)), _lost(other), _lost(keep))


def _lost(account: Account) -> Lost:
    return Lost(
        account.followers,
        account.last_post_at,
        bool(account.verified),
        account.policy_links,
        account.opened_at,
    )


def _once(pairs: list[DuplicatePair]) -> Iterator[DuplicatePair]:
    """Each account is merged into one other: the strongest of those that it was found with."""
    best: dict[str, DuplicatePair] = {}
    for pair in pairs:
        known = best.get(pair.other.account_id)
        if known is None or _strength(pair.keep) > _strength(known.keep):
            best[pair.other.account_id] = pair
    yield from best.values()
