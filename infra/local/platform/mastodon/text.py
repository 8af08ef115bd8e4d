"""How Mastodon reads the text of a status: what is a link, a mention, a hashtag, and how long it is.

Rules: docs.joinmastodon.org/user/posting (links count as 23, a mention counts without its server).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import regex
from markupsafe import Markup, escape

MAX_CHARACTERS = 500
CHARACTERS_PER_URL = 23
SHOWN_URL_CHARACTERS = 30

_ENTITY = regex.compile(
    r"(?P<url>https?://[^\s<>\"]+)"
    r"|(?<![=/\w@])@(?P<user>\w+(?:[\w.-]*\w)?)(?:@(?P<host>[\w.-]*\w(?::\d+)?))?"
    r"|(?<![=/)\w&#])[#＃](?P<tag>[\w·]*[\p{L}\p{M}_·][\w·]*)",
    regex.IGNORECASE,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_CLOSING = ".,:;!?'\"»”’…،؛؟" + "".join(_PAIRS)
_CLUSTER = regex.compile(r"\X")
_PARAGRAPHS = regex.compile(r"\n{2,}")


@dataclass(frozen=True)
class Piece:
    """A run of text: `kind` is `text`, `url`, `mention` or `tag`.

    `name` is the user or the tag, `host` a mention's server.
    """

    kind: str
    raw: str
    name: str = ""
    host: str = ""


def pieces(text: str) -> Iterator[Piece]:
    """Cut text into runs that join to exactly what came in."""
    at = 0
    for found in _ENTITY.finditer(text):
        raw = found.group()
        if found["url"]:
            raw = _without_closing_marks(raw)
            if "." not in raw.partition("://")[2].partition("/")[0]:
                continue
        if found.start() > at:
            yield Piece("text", text[at : found.start()])
        at = found.start() + len(raw)
        if found["url"]:
            yield Piece("url", raw)
        elif found["user"]:
            yield Piece("mention", raw, found["user"], found["host"] or "")
        else:
            yield Piece("tag", raw, found["tag"])
    if at < len(text):
        yield Piece("text", text[at:])


def _without_closing_marks(url: str) -> str:
    while url[-1] in _CLOSING:
        opening = _PAIRS.get(url[-1])
        if opening and url.count(opening) >= url.count(url[-1]):
            break
        url = url[:-1]
    return url


def length(text: str, spoiler_text: str = "") -> int:
    """Characters as people see them (grapheme clusters), spoiler included."""
    counted = "".join(_as_counted(piece) for piece in pieces(text))
    return sum(1 for _ in _CLUSTER.finditer(spoiler_text + counted))


def _as_counted(piece: Piece) -> str:
    if piece.kind == "url":
        return "x" * CHARACTERS_PER_URL
    return f"@{piece.name}" if piece.kind == "mention" else piece.raw


def content(text: str, profile_url: Callable[[Piece], str | None], tag_url: Callable[[str], str]) -> Markup:
    """The text as HTML: escaped, paragraphs kept, entities linked; a mention nobody owns stays plain."""
    paragraphs = _PARAGRAPHS.split(text.replace("\r\n", "\n").strip("\n"))
    if paragraphs == [""]:
        return Markup("")
    return Markup("").join(
        Markup("<p>{}</p>").format(
            Markup("").join(_linked(piece, profile_url, tag_url) for piece in pieces(paragraph))
        )
        for paragraph in paragraphs
    )


def _linked(
    piece: Piece, profile_url: Callable[[Piece], str | None], tag_url: Callable[[str], str]
) -> Markup:
    if piece.kind == "url":
        scheme, mark, rest = piece.raw.partition("://")
        shown, hidden = rest[:SHOWN_URL_CHARACTERS], rest[SHOWN_URL_CHARACTERS:]
        return Markup(
            '<a href="{}" target="_blank" rel="nofollow noopener noreferrer" translate="no">'
            '<span class="invisible">{}</span><span class="{}">{}</span><span class="invisible">{}</span></a>'
        ).format(piece.raw, scheme + mark, "ellipsis" if hidden else "", shown, hidden)
    if piece.kind == "tag":
        return Markup('<a href="{}" class="mention hashtag" rel="tag">#<span>{}</span></a>').format(
            tag_url(piece.name), piece.name
        )
    address = profile_url(piece) if piece.kind == "mention" else None
    if address:
        return Markup(
            '<span class="h-card" translate="no"><a href="{}" class="u-url mention">'
            "@<span>{}</span></a></span>"
        ).format(address, piece.name)
    return escape(piece.raw).replace("\n", Markup("<br />"))
