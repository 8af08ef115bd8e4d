"""Whether two paragraphs say the same in words that differ by a slip: a typing error, a comma, an article.

What changes a number, a name, a date, or a word of obligation or negation is never a slip, however small.
"""

import re
from collections.abc import Iterator, Sequence

from chalicelib.platform_changes.sources.text import evened, folded

_MOST_SLIPS = 4
_WORDS_AHEAD = 4
_LEAST_LETTERS = 4
_WORD = re.compile(r"`[^`]{1,300}`|[^\s`]+|`")
_AROUND = ".,;:!?()[]{}\"'*_"
_LIGHT = frozenset({"a", "an", "the", "that", "which", "please", "also", ""})
_HEAVY = re.compile(
    r".*[\d`_/\\<>=+%$@#&|{}~^].*|\W+"
    r"|.+\w\.\w.*|.*[a-z][A-Z].*|[A-Z]{2,}\W?s?"
    r"|(?i:.*n't|not|no|none|nor|never|neither|cannot|without|only|unless|except|or|and|now|any|all|each|both"
    r"|must|shall|should|may|might|can|could|will|would|ought|needs?|needed|have|has|had|"
    r"requir\w*|option\w*|mandatory|(?:dis)?allow\w*|forb\w*|prohibit\w*|permit\w*|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|hundred|thousand|million"
    r"|half|once|twice|first|second|third|last|least|most|more|less|fewer|past|mon|tues?|wednes|thurs?|fri|satur|sun"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)",
    re.DOTALL,
)


def words(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared, code as one word each, without the signs around them."""
    return tuple(word for word in map(_bare, _WORD.findall(evened(text))) if word)


def is_slip(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the `words` of two texts differ by slips alone, and by few of them."""
    differences = enumerate(_differences(one, other), 1)
    return all(slips <= _MOST_SLIPS and _is_light(was, now) for slips, (was, now) in differences)


def _bare(word: str) -> str:
    if word.startswith("`") and len(word) > 1:
        return word
    bare = word.strip(_AROUND)
    return "" if bare.strip("-\u2022\u00b7`") == "" else bare


def _differences(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """What stands in place of what; what does not come together again within a few words is the rest."""
    here, there = 0, 0
    while here < len(one) or there < len(other):
        if here < len(one) and there < len(other) and _is_same(one[here], other[there]):
            here, there = here + 1, there + 1
            continue
        skips = _meeting(_ahead(one, here), _ahead(other, there))
        if skips is None:
            yield one[here:], other[there:]
            return
        yield one[here : here + skips[0]], other[there : there + skips[1]]
        here, there = here + skips[0], there + skips[1]


def _is_same(one: str, other: str) -> bool:
    return one == other or folded(one) == folded(other)


def _ahead(some: Sequence[str], place: int) -> list[str]:
    return [folded(word) for word in some[place : place + 2 * _WORDS_AHEAD]]


def _meeting(left: Sequence[str], right: Sequence[str]) -> tuple[int, int] | None:
    """How few words to leave out on each side until both go on alike, for two words or to the end."""
    for total in range(1, 2 * _WORDS_AHEAD + 1):
        for skipped in range(max(0, total - _WORDS_AHEAD), min(total, _WORDS_AHEAD) + 1):
            is_there = skipped <= len(left) and total - skipped <= len(right)
            if is_there and left[skipped:][:2] == right[total - skipped :][:2]:
                return skipped, total - skipped
    return None


def _is_light(was: Sequence[str], now: Sequence[str]) -> bool:
    if any(_HEAVY.fullmatch(word) for word in (*was, *now)):
        return False
    one, other = (folded(re.sub(r"\W", "", "".join(side))) for side in (was, now))
    if one == other or all(folded(word) in _LIGHT for word in (*was, *now)):
        return True
    return one[:1] == other[:1] and max(len(one), len(other)) >= _LEAST_LETTERS and _one_letter(one, other)


def _one_letter(one: str, other: str) -> bool:
    """Whether one letter is more, less or another, or two are exchanged."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])
