"""How alike two handles or names are: the same, drawn alike, misspelled, with something added, or within.

Pure, and symmetric: which of the two is ours makes no difference.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from chalicelib.discovery.vocabulary import ADDED

LONGEST = 100  # characters of a handle or name that are compared; no network has longer handles
_SHORTEST_MISSPELLED = 5  # below that, one letter makes another word
_SHORTEST_WITHIN = 4
_SEPARATED = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")

# What Unicode's data leaves as it is, because it compares lower case with lower case: small capitals, the
# letters that differ from another only in their capital, and digits that stand for letters among people.
_COARSE = str.maketrans(
    # Arabic, Persian and Urdu write the letters at the end of this line with code points of their own.
    "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢĸij0134578ıđħيىئكةؤأإآ",
    "abcdeghljklmnoprtuvwyzklloleastbldhیییکهوااا",
)
# After that: two letters that together are drawn like one.
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss"})


class How(StrEnum):
    """In which way two are alike, the strongest first."""

    SAME = "same"
    DRAWN = "drawn"  # other characters, which look the same
    ADDED = "added"  # the same, with words such as `official` or digits
    MISSPELLED = "misspelled"
    WITHIN = "within"  # one is a part of the other
    APART = "apart"


@dataclass(frozen=True)
class Likeness:
    """`value` from 0 to 1; `added` is what one of the two has more, if that is how they are alike."""

    value: float
    how: How
    added: str = ""


APART = Likeness(0.0, How.APART)


@dataclass(frozen=True)
class Forms:
    """What is compared of one handle or name: as it reads, as it is drawn, and both without what is added."""

    plain: str
    drawn: str
    core: str
    drawn_core: str
    added: str
    tokens: frozenset[str]


def plain(text: str) -> str:
    """Letters and digits only, in lower case and without accents."""
    folded = unicodedata.normalize("NFKD", text[:LONGEST].casefold()).translate(_PLAIN)
    return "".join(c for c in folded if c.isalnum())


def drawn(text: str) -> str:
    """The text as it looks: the same for all that can be mistaken for it (UTS 39, skeletons, and coarser)."""
    known = _prototypes()
    whole = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text[:LONGEST]))
    once = "".join(known.get(c, c) for c in whole).casefold()
    again = unicodedata.normalize("NFD", "".join(known.get(c, c) for c in once)).casefold()
    coarse = "".join(c for c in again.translate(_COARSE) if c.isalnum())
    for pair, one in _PAIRS:
        coarse = coarse.replace(pair, one)
    return coarse


@lru_cache(maxsize=20_000)
def forms(text: str) -> Forms:
    """The forms of a handle or name; of a handle, without the server's part."""
    words = [w for w in _SEPARATED.split(text[:LONGEST].casefold()) if w]
    kept = _without_added(words)
    core, rest = "".join(kept), [w for w in words if w not in kept]
    inner, more = _trimmed(plain(core))
    whole = plain(text)
    if inner != plain(core):
        rest.append(more)
    shown = core if inner == plain(core) else inner
    return Forms(
        whole, drawn(text), inner, drawn(shown), " ".join(rest),
        frozenset(p for w in kept if len(p := plain(w)) >= 2),
    )  # fmt: skip


def likeness(one: Forms, other: Forms) -> Likeness:
    """How alike two are; nothing is alike to what has no letters."""
    if not one.plain or not other.plain:
        return APART
    if one.plain == other.plain or (one.tokens and one.tokens == other.tokens and one.added == other.added):
        return Likeness(1.0, How.SAME)
    if one.drawn == other.drawn:
        return Likeness(1.0, How.DRAWN)
    if one.drawn_core == other.drawn_core or (len(one.tokens) > 1 and one.tokens == other.tokens):
        is_drawn = one.core != other.core and one.tokens != other.tokens
        added = " ".join(sorted(filter(None, {one.added, other.added})))
        return Likeness(0.9, How.DRAWN if is_drawn else How.ADDED, added)
    return max(_misspelled(one, other), _within(one, other), key=lambda found: found.value)


def _misspelled(one: Forms, other: Forms) -> Likeness:
    from rapidfuzz.distance import OSA

    shorter = min(len(one.drawn_core), len(other.drawn_core))
    most = 0 if shorter < _SHORTEST_MISSPELLED else 1 if shorter < 9 else 2
    # Short forms of other scripts are not misspelled Latin ones: the edits would be all they have.
    edits = min(
        OSA.distance(one.core, other.core, score_cutoff=most),
        OSA.distance(one.drawn_core, other.drawn_core, score_cutoff=most),
    )
    if not 0 < edits <= most or _DIGITS.findall(one.core) != _DIGITS.findall(other.core):
        return APART
    value = 0.9 - 0.5 * edits / shorter - (0.1 if one.added != other.added else 0.0)
    return Likeness(value, How.MISSPELLED)


def _within(one: Forms, other: Forms) -> Likeness:
    longer, shorter = sorted((one, other), key=lambda f: (len(f.drawn_core), f.drawn_core), reverse=True)
    inner, outer = shorter.drawn_core, longer.drawn_core
    if len(inner) < _SHORTEST_WITHIN or inner == outer or inner not in outer:
        return APART
    before, _, after = longer.core.partition(shorter.core)
    if len(before) + len(after) < len(longer.core) and _is_added(before) and _is_added(after):
        return Likeness(0.9, How.ADDED, " ".join(filter(None, (before, after))))
    share = len(inner) / len(outer)
    as_words = bool(shorter.tokens) and shorter.tokens <= longer.tokens
    at_an_end = outer.startswith(inner) or outer.endswith(inner)
    value = (0.25 + 0.45 * share) * (1.0 if as_words else 0.9 if at_an_end else 0.5)
    return Likeness(value, How.WITHIN)


def _without_added(words: list[str]) -> list[str]:
    """The words that are the name itself; all of them, where nothing would be left."""
    kept = [w for w in words if w not in ADDED and not w.isdigit() and plain(w) not in _added_plain()]
    return kept or words


def _trimmed(text: str) -> tuple[str, str]:
    """A name written in one piece without what is added at its ends, and what that was."""
    left, cut = text, list[str]()
    while True:
        piece = next(iter(_ends(left)), "")
        if not piece or len(left) - len(piece) < _SHORTEST_WITHIN:
            return left, " ".join(sorted(cut))
        cut.append(piece)
        left = left.removesuffix(piece) if left.endswith(piece) else left.removeprefix(piece)


def _ends(text: str) -> Iterable[str]:
    """What is added at an end, the longest first; two letters are too few to be told from the name's own."""
    digits = re.search(r"\d+\Z", text)
    if digits:
        yield digits.group()
    for size in range(min(_longest_added(), len(text) - 1), 3, -1):
        if text[-size:] in _added_plain():
            yield text[-size:]
        if text[:size] in _added_plain():
            yield text[:size]


def _is_added(text: str) -> bool:
    """Whether a text is made of added words and digits only; the empty one is."""
    ends = [0]
    for end in range(1, len(text) + 1):
        pieces = (text[start:end] for start in ends)
        if any(piece.isdigit() or piece in _added_plain() for piece in pieces):
            ends.append(end)
    return ends[-1] == len(text)


@cache
def _added_plain() -> frozenset[str]:
    return frozenset(map(plain, ADDED))


@cache
def _longest_added() -> int:
    return max(map(len, _added_plain()))


@cache
def _prototypes() -> dict[str, str]:
    """Unicode's characters that look alike, by the one they look like (data/confusables.txt says which)."""
    found = {}
    lines = (Path(__file__).parent / "data" / "confusables.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if not line.startswith("#"):
            prototype, alike = line.rsplit(" ", 1)
            found.update(dict.fromkeys(alike, prototype))
    return found
