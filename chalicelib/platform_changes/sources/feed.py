"""RSS and Atom: one finding for each entry that was not there, and for each whose day of effect has moved.

XML is first read by defusedxml with document types refused, so that it can hold no entities, and written anew
for feedparser: what the one has accepted is what the other gets.
"""

import io
import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.platform_changes.model import Finding, Kind, Source
from chalicelib.platform_changes.sources import mentions
from chalicelib.platform_changes.sources.dates import effective_on
from chalicelib.platform_changes.sources.reader import ChangedShape, Snapshot
from chalicelib.platform_changes.sources.text import fingerprint, folded, plain, squeezed

YOUNG_FOR = timedelta(days=30)
_MOST_ELEMENTS = 50_000
_MOST_DEPTH = 64
_MOST_ENTRIES = 300
_TITLE_CHARS = 300
_TEXT_CHARS = 4_000
_TRACKING = re.compile(r"[?&](?:utm_\w{1,20}|ref|source)=[^&#]*")


class FeedReader:
    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        entries: dict[str, Mapping[str, Any]] = {}
        for entry in parsed(body):
            kept = _kept(entry)
            entries.setdefault(kept["key"], kept)
        return {"entries": list(entries.values())}

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        return [_finding(source, entry) for entry in unseen(before, after, today)]


def unseen(before: Snapshot | None, after: Snapshot, today: date) -> Iterator[Mapping[str, Any]]:
    """The entries that the feed had not at the look before, and those whose day of effect is another now.

    An old entry that comes back, as when a newer one is taken out, is not new.
    """
    known = before["entries"] if before else []
    days = {entry["key"]: entry["effective_on"] for entry in known}
    said = {entry["said"] for entry in known}
    newest = max((entry["at"][:10] for entry in known if entry["at"]), default=today.isoformat())
    young_from = (min(today, date.fromisoformat(newest)) - YOUNG_FOR).isoformat()
    for entry in after["entries"]:
        moved = entry["key"] in days and entry["effective_on"] not in ("", days[entry["key"]])
        is_known = entry["key"] in days or entry["said"] in said
        is_young = entry["at"][:10] >= young_from if entry["at"] else before is not None
        is_ahead = entry["effective_on"] >= today.isoformat()
        if moved or (not is_known and (is_young or is_ahead)):
            yield entry


def parsed(body: bytes) -> list[Any]:
    """The entries as feedparser gives them, the first 300. Raises ChangedShape for what is no safe feed."""
    import feedparser

    feed = feedparser.parse(io.BytesIO(_safe(body)), resolve_relative_uris=False, sanitize_html=False)
    if not feed.get("version"):
        raise ChangedShape("It is XML, but neither RSS nor Atom.")
    return list(feed.entries[:_MOST_ENTRIES])


def published_at(entry: Any) -> datetime | None:
    """When an entry says that it was published, or else updated."""
    try:
        moment = entry.get("published_parsed") or entry.get("updated_parsed")
        return datetime.fromtimestamp(timegm(moment), UTC) if moment else None
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _safe(body: bytes) -> bytes:
    from xml.etree.ElementTree import tostring  # nosec B405 - writes, what defusedxml has read

    from defusedxml.ElementTree import ParseError, iterparse  # type: ignore[import-untyped]

    if body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise ChangedShape("It is a web page and no feed.")
    depth = elements = 0
    root: Any = None
    try:
        for event, element in iterparse(io.BytesIO(body), events=("start", "end"), forbid_dtd=True):
            if event == "end":
                depth -= 1
                continue
            root = element if root is None else root
            depth, elements = depth + 1, elements + 1
            if depth > _MOST_DEPTH or elements > _MOST_ELEMENTS:
                raise ChangedShape("It is nested deeper, or has more elements, than a feed has.")
        written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    except (ParseError, ValueError, LookupError, TypeError, AttributeError):
        # ValueError: defusedxml's own refusals of document types, entities and references to elsewhere
        raise ChangedShape("It is not XML that can be read safely.") from None
    return written


def _kept(entry: Any) -> dict[str, Any]:
    title = plain(str(entry.get("title", "")))[:_TITLE_CHARS]
    text = plain(_body(entry))[:_TEXT_CHARS]
    link = str(entry.get("link", ""))
    at = published_at(entry)
    day = effective_on(f"{title}\n{text}", at.date() if at else None)
    label = " ".join(squeezed(str(tag.get("term") or "")) for tag in entry.get("tags", [])[:10])
    hint = mentions.said_kind(label)
    identity = re.sub(r"^https?://", "", _TRACKING.sub("", str(entry.get("id") or link)))
    said = fingerprint(folded(title), folded(text[:300]))
    return {
        "key": fingerprint(identity.rstrip("/")) if identity else said,
        "said": said,
        "title": title or text[:100],
        "text": text,
        "url": link if link.startswith(("https://", "http://")) else "",
        "at": at.isoformat() if at else "",
        "effective_on": day.isoformat() if day else "",
        "hint": hint.value if hint else "",
    }


def _body(entry: Any) -> str:
    contents = [str(part.get("value", "")) for part in entry.get("content", [])[:3]]
    return max([str(entry.get("summary", "")), *contents], key=len)[:200_000]


def _finding(source: Source, entry: Mapping[str, Any]) -> Finding:
    says = f"{entry['title']}\n{entry['text']}"
    return Finding(
        key=fingerprint(source.key, entry["key"], entry["effective_on"]),
        title=entry["title"],
        text=entry["text"],
        url=entry["url"] or source.page_url or source.url,
        at=datetime.fromisoformat(entry["at"]) if entry["at"] else None,
        effective_on=date.fromisoformat(entry["effective_on"]) if entry["effective_on"] else None,
        hint=Kind(entry["hint"]) if entry["hint"] else None,
        operations=mentions.operations(says),
        fields=mentions.fields(says),
        versions=mentions.versions(says),
    )
