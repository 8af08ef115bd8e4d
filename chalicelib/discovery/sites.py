"""The profiles that one of our own web pages links to.

Tags are looked for with patterns that cannot be made to take long: Python's own HTML parser takes minutes
for 100 kB of `<!--` (3.11.7), and a page may be somebody else's by the time that we read it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin

from chalicelib.core.http import HttpClient
from chalicelib.discovery.fetching import NotFetched, fetch
from chalicelib.platforms.links import Address, recognise

_MOST_BYTES = 3_000_000
_MOST_LINKS = 3_000
_TAG = re.compile(r"<(?:a|area|link)\s([^<>]{1,3000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(href|rel)\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)


@dataclass(frozen=True)
class SiteLink:
    """A profile that a page links to; `says_me` where the page says that it is its own (rel=me, XFN)."""

    address: Address
    url: str
    says_me: bool


def links_on(http: HttpClient, url: str) -> tuple[SiteLink, ...]:
    """The profiles that the page at an address links to, each once. Raises NotFetched."""
    answer = fetch(http, url, "text/html,application/xhtml+xml", _MOST_BYTES)
    kind = answer.headers.get("Content-Type", "text/html").partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml"):
        raise NotFetched(f"{answer!r} is no web page but {kind[:40]}.")
    return links_in(answer.body.decode("utf-8", "replace"), answer.url)


def links_in(html: str, url: str) -> tuple[SiteLink, ...]:
    """The profiles that a page links to, each once, in their order; remarks in the page are left out."""
    found: dict[Address, SiteLink] = {}
    for count, tag in enumerate(_TAG.finditer(_without_remarks(html))):
        if count == _MOST_LINKS:
            break
        attributes = {m[1].lower(): unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(tag[1])}
        target = _joined(url, attributes.get("href", "").strip())
        address = recognise(target)
        if address is None:
            continue
        says_me = "me" in attributes.get("rel", "").lower().split()
        known = found.get(address)
        found[address] = SiteLink(address, target, says_me or (known is not None and known.says_me))
    return tuple(found.values())


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:
        return ""


def _without_remarks(html: str) -> str:
    return "".join(_parts(html))


def _parts(html: str) -> Iterator[str]:
    place = 0
    while (start := html.find("<!--", place)) >= 0:
        yield html[place:start]
        end = html.find("-->", start)
        if end < 0:
            return
        place = end + 3
    yield html[place:]
