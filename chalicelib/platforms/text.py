"""Reading a text as networks do: what people see as one character, and where the links are."""

from functools import cache
from typing import Any

_AFTER_A_LINK = frozenset(".,;:!?'\"*’”»…،؛؟。、，；：！？")
_BRACKETS = {")": "(", "]": "[", "}": "{", "）": "（", "」": "「", "』": "『", "】": "【"}


@cache
def pattern(expression: str) -> Any:
    """A compiled expression of the `regex` package, which is loaded at the first one."""
    import regex

    return regex.compile(expression)


def graphemes(text: str) -> int:
    """How many characters a person sees (extended grapheme clusters, Unicode Annex 29)."""
    return len(pattern(r"\X").findall(text))


def links(text: str) -> list[tuple[int, int]]:
    """Start and end of every http and https address, without the punctuation that follows it.

    A closing bracket belongs to the address only when the address opens it. Invisible direction marks end it,
    as they do around addresses in right-to-left texts.
    """
    spans = []
    for match in pattern(
        r"(?<![A-Za-z0-9@＠$#＃])[Hh][Tt][Tt][Pp][Ss]?://[\w\[][^\s\p{Cf}\p{Cc}<>\"]*"
    ).finditer(text):
        start, end = match.span()
        floor = text.index("://", start) + 4
        while end > floor and _is_outside(text[start:end]):
            end -= 1
        spans.append((start, end))
    return spans


def _is_outside(address: str) -> bool:
    last = address[-1]
    if last in _BRACKETS:
        return address.count(last) > address.count(_BRACKETS[last])
    return last in _AFTER_A_LINK
