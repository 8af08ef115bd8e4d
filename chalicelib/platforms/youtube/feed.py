"""YouTube's Atom feeds as pieces: videos that are new or renamed, and tombstones of those that are gone.

https://developers.google.com/youtube/v3/guides/push_notifications; tombstones: RFC 6721. XML is read with its
document type refused, so that it can hold no entities.
"""

import re
from typing import Any

from chalicelib.core.errors import InvalidInput, Problem

ATOM = "{http://www.w3.org/2005/Atom}"
_YT = "{http://www.youtube.com/xml/schemas/2015}"
_AT = "{http://purl.org/atompub/tombstones/1.0}"
# A delivery carries one entry of about 1 kB; what is more than this is no feed of YouTube's.
_BYTES_MOST = 262_144
_CHANNEL = re.compile(r"/channel/([A-Za-z0-9_-]{1,64})", re.ASCII)


def parse(raw: bytes) -> Any:
    """The root element. Raises InvalidInput for what is too large, not XML, or has a document type."""
    from defusedxml import ElementTree  # type: ignore[import-untyped]  # only feeds need a parser of XML

    if len(raw) > _BYTES_MOST:
        raise _refused(f"is larger than {_BYTES_MOST} bytes")
    try:
        return ElementTree.fromstring(raw, forbid_dtd=True)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise _refused("is not XML that can be read safely") from None


def pieces(raw: bytes) -> list[dict[str, Any]]:
    """A piece for each entry and each tombstone. Raises InvalidInput for what is not an Atom feed."""
    feed = parse(raw)
    if feed.tag != f"{ATOM}feed":
        raise _refused("is not an Atom feed")
    videos = [{"entry": _entry(entry)} for entry in feed.findall(f"{ATOM}entry")]
    return [*videos, *({"deleted": _tombstone(entry)} for entry in feed.findall(f"{_AT}deleted-entry"))]


def _entry(entry: Any) -> dict[str, str]:
    return {
        "id": _text(entry, f"{ATOM}id"),
        "video": _text(entry, f"{_YT}videoId"),
        "channel": _text(entry, f"{_YT}channelId"),
        "title": _text(entry, f"{ATOM}title"),
        "author": _text(entry, f"{ATOM}author/{ATOM}name"),
        "url": _link(entry),
        "published": _text(entry, f"{ATOM}published"),
        "updated": _text(entry, f"{ATOM}updated"),
    }


def _tombstone(entry: Any) -> dict[str, str]:
    # A tombstone names its channel in the author's address only.
    channel = _CHANNEL.search(_text(entry, f"{_AT}by/{ATOM}uri"))
    return {
        "id": entry.get("ref", ""),
        "when": entry.get("when", ""),
        "channel": channel.group(1) if channel else "",
        "url": _link(entry),
    }


def _text(element: Any, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _link(element: Any) -> str:
    links = element.findall(f"{ATOM}link")
    return next((link.get("href", "") for link in links if link.get("rel", "alternate") == "alternate"), "")


def _refused(why: str) -> InvalidInput:
    return InvalidInput([Problem("body", why)])
