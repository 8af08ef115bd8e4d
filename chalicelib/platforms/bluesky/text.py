"""Facets: where a text's links, mentions and hashtags are, in bytes of UTF-8.

The server links nothing by itself (lexicon app.bsky.richtext.facet), so what is not found here stays plain.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.platforms.text import graphemes, links, pattern

# A handle is a domain name of two labels or more whose last label starts with a letter
# (https://atproto.com/specs/handle). Atomic groups keep a handle from being cut short to make it fit.
_LABEL = r"[A-Za-z0-9](?>[A-Za-z0-9-]*[A-Za-z0-9])?"
_MENTION = rf"(?<![\w@/.#])@((?>{_LABEL}(?:\.{_LABEL})*\.(?=[A-Za-z]){_LABEL}))(?![\w-])"
# Letters of any script, marks, digits, emoji, and the joiners that Persian words and emoji need inside.
_TAG = r"(?<![\w#＃&/])[#＃](?!\ufe0f)([\p{L}\p{M}\p{N}\p{So}\p{Sk}_+\-·\u200c\u200d]+)"
_TAG_GRAPHEMES = 64
_TAG_BYTES = 640


def mentioned(text: str) -> list[str]:
    """The handles that a text mentions, in lower case, each once."""
    return list(dict.fromkeys(handle.lower() for _, _, handle in _mentions(text)))


def facets(text: str, dids: Mapping[str, str]) -> list[dict[str, Any]]:
    """The facets of a text, in order and never overlapping; a handle without a DID in `dids` stays plain."""
    found = [(start, end, _feature("link", uri=text[start:end])) for start, end in links(text)]
    inside_links = {at for start, end, _ in found for at in range(start, end)}
    others = [(start, end, _feature("tag", tag=tag)) for start, end, tag in _tags(text)]
    for start, end, handle in _mentions(text):
        if dids.get(handle.lower()):
            others.append((start, end, _feature("mention", did=dids[handle.lower()])))
    found += [facet for facet in others if inside_links.isdisjoint(range(facet[0], facet[1]))]
    return [
        {"index": {"byteStart": _bytes(text[:start]), "byteEnd": _bytes(text[:end])}, "features": [feature]}
        for start, end, feature in sorted(found, key=lambda facet: facet[0])
    ]


def _mentions(text: str) -> Iterator[tuple[int, int, str]]:
    for match in pattern(_MENTION).finditer(text):
        yield match.start(), match.end(), match.group(1)


def _tags(text: str) -> Iterator[tuple[int, int, str]]:
    for match in pattern(_TAG).finditer(text):
        tag = match.group(1).rstrip("-·\u200c\u200d")
        has_a_word = pattern(r"[\p{L}\p{So}]").search(tag)
        if has_a_word and graphemes(tag) <= _TAG_GRAPHEMES and _bytes(tag) <= _TAG_BYTES:
            yield match.start(), match.start(1) + len(tag), tag


def _feature(kind: str, **value: str) -> dict[str, str]:
    return {"$type": f"app.bsky.richtext.facet#{kind}", **value}


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
