"""A post's text as a reader sees it: facets alone make links, by their offsets in bytes of UTF-8.

Rules: lexicon app.bsky.richtext.facet; overlapping or impossible facets are passed over, as clients do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from markupsafe import Markup, escape

from infra.local.platform.bluesky.lexicon import FACET

Address = Callable[[dict[str, Any]], str | None]
"""Where a facet's feature leads, or None for one that leads nowhere here."""


def pieces(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Runs of a post's text, each with its feature or None; they join to exactly the text."""
    text, at = value["text"].encode(), 0
    for facet in sorted(value.get("facets", []), key=lambda facet: facet["index"]["byteStart"]):
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        if not (at <= start < end <= len(text) and facet["features"] and _cuts_well(text, start, end)):
            continue
        if start > at:
            yield text[at:start].decode(), None
        yield text[start:end].decode(), facet["features"][0]
        at = end
    if at < len(text):
        yield text[at:].decode(), None


def _cuts_well(text: bytes, *offsets: int) -> bool:
    """Whether no offset falls inside a character."""
    return all(at == len(text) or text[at] & 0xC0 != 0x80 for at in offsets)


def content(value: dict[str, Any], address: Address) -> Markup:
    """The text as HTML, escaped, with its line breaks."""
    text = Markup("").join(_linked(run, feature, address) for run, feature in pieces(value))
    return Markup('<p class="lines">{}</p>').format(text) if text else Markup("")


def _linked(run: str, feature: dict[str, Any] | None, address: Address) -> Markup:
    leads_to = address(feature) if feature else None
    if feature is None or leads_to is None:
        return escape(run)
    if feature["$type"] == f"{FACET}#link":
        return Markup(
            '<a href="{}" target="_blank" rel="nofollow noopener noreferrer" translate="no">{}</a>'
        ).format(leads_to, run)
    return Markup('<bdi><a href="{}">{}</a></bdi>').format(leads_to, run)
