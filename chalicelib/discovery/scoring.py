"""How much a profile looks like one of ours, from 0 to 1, and why: pure, and explained in words.

Each piece of evidence takes its share of the doubt that is left, so that any number of them stays below 1
and none undoes another; what speaks against takes a share of the score. The weights say how much each may
take; docs/finding-accounts.md tells how they were chosen, and `make bench` what they find.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlsplit

from chalicelib.core.words import one_line
from chalicelib.discovery.likeness import Forms, How, Likeness, forms, likeness, plain
from chalicelib.discovery.reasons import Reason, Why
from chalicelib.discovery.vocabulary import ADDED, COMMON, FAN, LURE

CANDIDATE = 0.55
"""What scores less is not worth a person's time: the middle of the gap on the names that we tuned with."""

HANDLE, NAME = 0.55, 0.50
WEIGHTS: Mapping[Why, float] = {
    # What makes two profiles alike: each alone may be chance, two together hardly are.
    Why.AVATAR: 0.72,
    Why.DESCRIPTION: 0.45,
    Why.LINKS_TO_US: 0.35,
    # What somebody of ours has said or published decides alone.
    Why.ON_OUR_SITE: 0.90,
    Why.REPORTED: 0.90,
    # These say nothing of a stranger, and something of who looks like us already: they count by the likeness.
    Why.LURE: 0.35,
    Why.NEW: 0.20,
    Why.FEW_FOLLOWERS: 0.10,
    # Against.
    Why.SAYS_FAN: 0.45,
    Why.OTHER_AVATAR: 0.15,
    Why.OTHER_SUBJECT: 0.20,
    Why.OLDER: 0.12,
    Why.MORE_FOLLOWERS: 0.20,
}
_HANDLES = {
    How.SAME: Why.HANDLE_SAME, How.DRAWN: Why.HANDLE_DRAWN, How.ADDED: Why.HANDLE_ADDED,
    How.MISSPELLED: Why.HANDLE_MISSPELLED, How.WITHIN: Why.HANDLE_WITHIN,
}  # fmt: skip
_NAMES = {
    How.SAME: Why.NAME_SAME, How.DRAWN: Why.NAME_DRAWN, How.ADDED: Why.NAME_ADDED,
    How.MISSPELLED: Why.NAME_MISSPELLED, How.WITHIN: Why.NAME_WITHIN,
}  # fmt: skip

SAME_BITS = 12  # of 64: nine of ten copies differ by less, and of a thousand strangers one
_OTHER_BITS = 18
_FLAT_BITS = 4  # so few bits set, or unset: one colour, which everybody's picture may be
_NEW_FOR = timedelta(days=120)
_OLD_FOR = timedelta(days=3 * 365)
_FEW = 20  # so many times fewer followers
_LONGEST = 2000  # characters of a description that are read
_ENOUGH_WORDS = 4
_SHOWN = 120  # characters of a name in a reason
_WORD = re.compile(r"\w+")
_LETTERS = re.compile(r"[^\W_]+")
_HOST = re.compile(
    r"(?<![\w@.-])(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})(?![\w.-])", re.ASCII | re.I
)
_ADDED = frozenset(map(plain, ADDED))


@dataclass(frozen=True)
class Face:
    """What is compared of a profile; `avatars` are 64-bit hashes of its picture, in several cuts of it."""

    handle: str
    name: str
    description: str = ""
    avatars: tuple[int, ...] = ()
    links: tuple[str, ...] = ()
    followers: int | None = None
    opened_at: datetime | None = None

    @cached_property
    def handle_forms(self) -> Forms:
        return forms(local_part(self.handle))

    @cached_property
    def name_forms(self) -> Forms:
        return forms(self.name)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the description that say something."""
        found = _WORD.findall(self.description[:_LONGEST].casefold())
        return frozenset(w for w in found if len(w) > 2 and w not in COMMON)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts that it links to."""
        return frozenset(
            h.lower() for h in (*map(_host, self.links), *_HOST.findall(self.description[:_LONGEST]))
        )

    @cached_property
    def telling_avatars(self) -> tuple[int, ...]:
        return tuple(filter(is_telling, self.avatars))


@dataclass(frozen=True)
class Score:
    """`value` from 0 to 1; the reasons, the strongest first, those against it last."""

    value: float
    reasons: tuple[Reason, ...]

    @property
    def hundredths(self) -> int:
        return round(self.value * 100)


class _Found(NamedTuple):
    why: Why
    share: float
    values: dict[str, str]


def score(theirs: Face, ours: Face, sites: Iterable[str], now: datetime) -> Score:
    """How much `theirs` looks like `ours`; `sites` are the hosts that are the company's own."""
    alike = _alike(theirs, ours, sites)
    likely = _together(alike)
    if not likely:
        return Score(0.0, ())
    around = [f._replace(share=f.share * likely) for f in _circumstances(theirs, ours, now)]
    against = _against(theirs, ours, now)
    value = _together(alike + around) * math.prod(1 - f.share for f in against)
    return Score(value, (*_reasons(alike + around), *_reasons(against)))


def with_word(found: Score, why: Why, **values: str) -> Score:
    """The score with evidence that is not in the profile: our own site, or somebody's report of it."""
    share = WEIGHTS[why]
    return Score(
        1 - (1 - found.value) * (1 - share), (Reason(why, round(share * 100), values), *found.reasons)
    )


def local_part(handle: str) -> str:
    """What of a handle its owner chose: `name` of `@name@server`, `name.bsky.social`, `www.name.example`."""
    cleaned = handle.strip().removeprefix("@").split("@", 1)[0]
    labels = cleaned.split(".")
    if len(labels) == 1 or not all(labels) or not labels[-1].isalpha():
        return cleaned
    if len(labels) == 2 and plain(labels[1]) in _NO_DOMAINS:
        return cleaned
    return labels[0] if len(labels) > 2 and labels[0] != "www" else max(labels[:-1], key=len)


def name_in(handle: str) -> str:
    """What of a handle is worth searching for: it without the words at its ends that are added to any name.

    Empty where nothing but a number is left.
    """
    chosen = local_part(handle)
    words = [word for word in _LETTERS.finditer(chosen) if plain(word[0]) not in _ADDED]
    if all(word[0].isdigit() for word in words):
        return ""
    return chosen[words[0].start() : words[-1].end()]


# `name.official` is a handle with a dot in it; `name.pl` may be either, and is compared without `pl` anyway.
_NO_DOMAINS = frozenset(w for w in _ADDED if len(w) > 3)


def distance(one: int, other: int) -> int:
    """How many of the 64 marks of two pictures differ."""
    return (one ^ other).bit_count()


def is_telling(avatar: int) -> bool:
    """Whether a picture's hash says anything: one of a single colour is like every other of one."""
    return _FLAT_BITS <= avatar.bit_count() <= 64 - _FLAT_BITS


def _alike(theirs: Face, ours: Face, sites: Iterable[str]) -> list[_Found]:
    found = [
        _named(_HANDLES, HANDLE, _handles(theirs, ours), theirs.handle, ours.handle or ours.name),
        _named(_NAMES, NAME, likeness(theirs.name_forms, ours.name_forms), theirs.name, ours.name),
    ]
    apart = _pictures_apart(theirs, ours)
    if apart is not None and apart <= SAME_BITS:
        share = WEIGHTS[Why.AVATAR] * (1 - apart / (2 * SAME_BITS))
        found.append(_Found(Why.AVATAR, share, {"same": str(64 - apart)}))
    shared, part = _shared_words(theirs, ours)
    if shared:
        words = ", ".join(sorted(shared, key=lambda w: (-len(w), w))[:5])
        found.append(_Found(Why.DESCRIPTION, WEIGHTS[Why.DESCRIPTION] * part, {"words": words}))
    linked = next((s for s in sorted(sites) for h in theirs.hosts if h == s or h.endswith(f".{s}")), "")
    if linked:
        found.append(_Found(Why.LINKS_TO_US, WEIGHTS[Why.LINKS_TO_US], {"site": linked}))
    return [f for f in found if f.share]


def _named(table: Mapping[How, Why], weight: float, alike: Likeness, theirs: str, ours: str) -> _Found:
    return _Found(
        table.get(alike.how, Why.NAME_WITHIN), weight * alike.value, {"theirs": theirs, "ours": ours}
    )


def _handles(theirs: Face, ours: Face) -> Likeness:
    """Of the two handles, or of their handle and our name: many a handle is a name without its spaces."""
    direct = likeness(theirs.handle_forms, ours.handle_forms)
    crossed = likeness(theirs.handle_forms, ours.name_forms)
    return crossed if crossed.value > direct.value and crossed.how != How.WITHIN else direct


def _pictures_apart(theirs: Face, ours: Face) -> int | None:
    pairs = ((a, b) for a in theirs.telling_avatars for b in ours.telling_avatars)
    return min((distance(a, b) for a, b in pairs), default=None)


def _shared_words(theirs: Face, ours: Face) -> tuple[frozenset[str], float]:
    """The words that both descriptions have, and how much they say; our own name in both says nothing new."""
    named = {t for f in (ours.name_forms, ours.handle_forms) for t in (*f.tokens, f.plain)}
    shared = frozenset(w for w in theirs.words & ours.words if plain(w) not in named)
    fewer = min(len(theirs.words), len(ours.words))
    if len(shared) < 2 or fewer < _ENOUGH_WORDS:
        return frozenset(), 0.0
    return shared, min(1.0, len(shared) / fewer) ** 2


def _circumstances(theirs: Face, ours: Face, now: datetime) -> list[_Found]:
    found: list[tuple[Why, dict[str, str]]] = []
    lures = _lures(theirs, ours)
    if lures:
        found.append((Why.LURE, {"words": ", ".join(lures[:5])}))
    if theirs.opened_at is not None and now - theirs.opened_at < _NEW_FOR:
        found.append((Why.NEW, {"day": _day(theirs.opened_at)}))
    if theirs.followers is not None and ours.followers and theirs.followers * _FEW < ours.followers:
        values = {"theirs": str(theirs.followers), "ours": str(ours.followers)}
        found.append((Why.FEW_FOLLOWERS, values))
    return [_Found(why, WEIGHTS[why], values) for why, values in found]


def _lures(theirs: Face, ours: Face) -> list[str]:
    return sorted((theirs.words & LURE) - ours.words)


def _against(theirs: Face, ours: Face, now: datetime) -> list[_Found]:
    found: list[tuple[Why, dict[str, str]]] = []
    named = _WORD.findall(f"{theirs.name} {theirs.handle}".casefold().replace("_", " "))
    fan = sorted((theirs.words.union(named) & FAN) - ours.words)
    if fan:
        found.append((Why.SAYS_FAN, {"words": ", ".join(fan[:5])}))
    apart = _pictures_apart(theirs, ours)
    if apart is not None and apart >= _OTHER_BITS:
        found.append((Why.OTHER_AVATAR, {}))
    enough = min(len(theirs.words), len(ours.words)) >= _ENOUGH_WORDS
    if enough and not _shared_words(theirs, ours)[0] and not _lures(theirs, ours):
        found.append((Why.OTHER_SUBJECT, {}))
    opened_at, followers = theirs.opened_at, theirs.followers
    if opened_at is not None and now - opened_at > _OLD_FOR and opened_at < (ours.opened_at or now):
        found.append((Why.OLDER, {"day": _day(opened_at)}))
    if followers is not None and ours.followers is not None and followers > ours.followers:
        found.append((Why.MORE_FOLLOWERS, {"theirs": str(followers)}))
    return [_Found(why, WEIGHTS[why], values) for why, values in found]


def _together(found: Iterable[_Found]) -> float:
    return 1 - math.prod(1 - f.share for f in found)


def _reasons(found: Iterable[_Found]) -> list[Reason]:
    strongest = sorted(found, key=lambda f: (-f.share, f.why))
    return [Reason(f.why, round(f.share * 100), _shown(f.values)) for f in strongest]


def _shown(values: Mapping[str, str]) -> dict[str, str]:
    """Whatever somebody else wrote, fit to stand in a sentence of ours."""
    return {name: one_line(value[:_SHOWN])[:_SHOWN] for name, value in values.items()}


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _host(link: str) -> str:
    try:
        return urlsplit(link if "//" in link else f"//{link}").hostname or ""
    except ValueError:
        return ""
