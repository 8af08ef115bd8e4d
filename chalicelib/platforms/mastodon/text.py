"""Text as a Mastodon server counts it and as it gives it back.

Counting: app/validators/status_length_validator.rb of https://github.com/mastodon/mastodon. A link
counts as a fixed number, a remote mention as its local part, the warning as it is; the sum is in graphemes.
"""

import re
import unicodedata
from contextlib import suppress
from html.parser import HTMLParser

from chalicelib.platforms.text import graphemes, links, pattern

_MENTION = r"(?<![=/\w])@([A-Za-z0-9_]+(?:[.-]+[A-Za-z0-9_]+)*)@[\w]+(?:[.-]+[\w]+)*"
# A host with a dot in it: what the server takes for a link (twitter-text), unlike http://localhost.
_LINK_HOST = r"(?i)https?://[^\s/?#]*[^\s/?#.]\.[^\s/?#.]"


def count(text: str, warning: str, link_characters: int) -> int:
    """How much of the server's limit a status uses."""
    pieces, at = [], 0
    for start, end in links(text):
        if pattern(_LINK_HOST).match(text, start, end):
            pieces += [_local_mentions(text[at:start]), "x" * link_characters]
            at = end
    return graphemes(warning + "".join(pieces) + _local_mentions(text[at:]))


def comparable(text: str) -> str:
    """A text without what a server changes when it shows it: spaces, composition, a mention's server."""
    return " ".join(_local_mentions(unicodedata.normalize("NFC", text)).split())


def mentions(text: str, handle: str) -> bool:
    """Whether a text mentions `name` or `name@server`."""
    return re.search(rf"(?<![=/\w])@{re.escape(handle)}(?![\w@])", text, re.IGNORECASE) is not None


def from_html(html: str) -> str:
    """The text of a status from its HTML, with a line break for every break and paragraph."""
    reader = _Reader()
    with suppress(AssertionError):  # how the parser gives up on an unknown declaration
        reader.feed(html)
        reader.close()
    return "".join(reader.pieces).strip()


def _local_mentions(text: str) -> str:
    return str(pattern(_MENTION).sub(r"@\1", text))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self.pieces.append("\n\n")
