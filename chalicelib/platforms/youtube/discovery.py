"""WebSub discovery: which hub a topic names and what it calls itself, in its headers, HTML, Atom or RSS.

https://www.w3.org/TR/websub/#discovery and RFC 8288. Every hop goes through core/http.py, which refuses
private addresses, and there are few of them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from urllib.parse import urljoin

from chalicelib.core.errors import InvalidInput
from chalicelib.core.http import AddressRefused, HttpClient, HttpError, Request, Response
from chalicelib.platforms.errors import Rejected, Unavailable
from chalicelib.platforms.youtube.feed import ATOM, parse

_HOPS_MOST = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPT = "application/atom+xml, application/rss+xml, text/html;q=0.9, */*;q=0.1"
# One link of a Link header: its address, then everything up to the next comma outside of quotes.
_LINK = re.compile(r'<([^<>]{0,2000})>((?:[^",<]|"[^"]{0,2000}")*)')
_PARAMETER = re.compile(r';\s*([^\s=;,"]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]+))')
_HEAD_MOST = 65_536


@dataclass(frozen=True)
class Topic:
    """A feed's hub, and the address under which to subscribe to it; each is empty when nothing names it."""

    hub: str = ""
    url: str = ""


def discover(http: HttpClient, url: str) -> Topic:
    """What the resource at an address says of itself. Headers come before the body; the first hub counts.

    Raises Rejected for an address that may not be called or that leads nowhere, Unavailable otherwise.
    """
    response = follow(http, Request("GET", url, {"Accept": _ACCEPT}))
    if response.status != 200:
        raise Unavailable(f"The feed answered {response.status}; nothing was subscribed to.")
    header = response.headers.get("Link", "")
    found = _first((address, " ".join(rels)) for address, rels in _links(header))
    if not (found.hub and found.url):
        body = _in_body(response)
        found = Topic(found.hub or body.hub, found.url or body.url)
    return Topic(
        urljoin(response.url, found.hub) if found.hub else "",
        urljoin(response.url, found.url) if found.url else response.url,
    )


def follow(http: HttpClient, request: Request) -> Response:
    """The answer at the end of at most a few redirects, method and body unchanged at each of them.

    Raises Rejected for an address that may not be called, Unavailable for no answer or too many redirects.
    """
    for _ in range(_HOPS_MOST + 1):
        try:
            response = http.send(request)
        except AddressRefused:
            raise Rejected("The feed or its hub is at an address that may not be called.") from None
        except HttpError:
            raise Unavailable(
                "The feed or its hub could not be reached; nothing was subscribed to."
            ) from None
        target = response.headers.get("Location", "")
        if response.status not in _REDIRECTS or not target:
            return response
        request = replace(request, url=urljoin(response.url, target))
    raise Unavailable("The feed or its hub redirects too often; nothing was subscribed to.")


def _links(header: str) -> Iterator[tuple[str, list[str]]]:
    for address, parameters in _LINK.findall(header):
        found = _PARAMETER.findall(parameters)
        yield address, [quoted or bare for name, quoted, bare in found if name.lower() == "rel"]


def _first(links: Iterator[tuple[str, str]]) -> Topic:
    """The first hub and the first self among links with their relations, which spaces divide."""
    found = Topic()
    for address, rels in links:
        names = rels.lower().split()
        if "hub" in names and not found.hub:
            found = replace(found, hub=address)
        if "self" in names and not found.url:
            found = replace(found, url=address)
    return found


def _in_body(response: Response) -> Topic:
    try:
        root = parse(response.body)
    except InvalidInput:
        reader = _Head()
        reader.feed(response.body[:_HEAD_MOST].decode("utf-8", "replace"))
        return _first(iter(reader.links))
    places = (root, root.find("channel"))  # where Atom has its links, and where RSS has Atom's
    links = [link for place in places if place is not None for link in place.findall(f"{ATOM}link")]
    return _first((link.get("href", ""), link.get("rel", "")) for link in links)


class _Head(HTMLParser):
    """The `<link>` elements of a page's head; those in its body may be anybody's."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self._in_body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_body = self._in_body or tag == "body"
        if tag == "link" and not self._in_body:
            said: Mapping[str, str | None] = dict(attrs)
            self.links.append((said.get("href") or "", said.get("rel") or ""))
