"""The profiles that one of our own web pages links to, in its text or in what it tells search engines.

Tags are looked for with patterns that cannot be made to take long: Python's own HTML parser takes minutes
for 100 kB of `<!--` (3.11.7), and a page may be somebody else's by the time that we read it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from chalicelib.core.fetching import NotFetched, fetch
from chalicelib.core.http import HttpClient
from chalicelib.platforms.links import Address, recognise

_MOST_BYTES = 3_000_000
_MOST_LINKS = 3_000
_MOST_DATA = 300_000  # characters of one script
_TAG = re.compile(r"<(?:a|area|link)\s([^<>]{1,3000})>", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\s([^<>]{1,3000})>", re.IGNORECASE)
_SCRIPT_END = re.compile("</script", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(href|rel|type)\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)


@dataclass(frozen=True)
class SiteLink:
    """A profile that a page links to; `says_me` where the page says that it is its own: by rel=me (XFN), or
    by `sameAs` (https://schema.org/sameAs) of what the page is about.
    """

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
    page = _without_remarks(html)
    for said in (_tags(page), _same_as(page, url)):
        for href, says_me in islice(said, _MOST_LINKS):
            target = _joined(url, href.strip())
            address = recognise(target)
            if address is not None:
                known = found.get(address)
                found[address] = SiteLink(address, target, says_me or (known is not None and known.says_me))
    return tuple(found.values())


def _tags(page: str) -> Iterator[tuple[str, bool]]:
    for tag in _TAG.finditer(page):
        attributes = _attributes(tag)
        yield attributes.get("href", ""), "me" in attributes.get("rel", "").lower().split()


def _attributes(tag: re.Match[str]) -> dict[str, str]:
    return {m[1].lower(): unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(tag[1])}


def _same_as(page: str, url: str) -> Iterator[tuple[str, bool]]:
    """What the organisations that the page's JSON-LD is about say that they are elsewhere.

    People are left out, for authors name their own profiles there, and so is whoever has another site.
    """
    for data in _linked_data(page):
        for root in _nodes(data):
            for node in (root, *_nodes(root.get("@graph"))):
                for about in (node, *_nodes(node.get("publisher")), *_nodes(node.get("mainEntity"))):
                    if _is_ours(about, url):
                        yield from ((target, True) for target in _texts(about.get("sameAs")))


def _linked_data(page: str) -> Iterator[Any]:
    """The JSON of each script that has some. One without an end ends the page."""
    place = 0
    while script := _SCRIPT.search(page, place):
        end = _SCRIPT_END.search(page, script.end())
        if end is None:
            return
        kind = _attributes(script).get("type", "").partition(";")[0].strip().lower()
        if kind == "application/ld+json" and end.start() - script.end() <= _MOST_DATA:
            yield _parsed(page[script.end() : end.start()])
        place = end.end()


def _parsed(text: str) -> Any:
    """None for what is no JSON, or too deep."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_ours(node: dict[str, Any], url: str) -> bool:
    site = next(_texts(node.get("url")), url)
    return "Person" not in _texts(node.get("@type")) and _host(_joined(url, site)) == _host(url)


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    return (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict))


def _texts(value: object) -> Iterator[str]:
    """A text, or each of a list; what has an `@id` is named by it."""
    for each in value if isinstance(value, list) else [value]:
        text = each.get("@id") if isinstance(each, dict) else each
        if isinstance(text, str):
            yield text


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


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
