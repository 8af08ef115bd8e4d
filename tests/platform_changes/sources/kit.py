"""Sources, bodies and looks for the tests of the readers."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from chalicelib.platform_changes.model import Finding, Source, SourceKind
from chalicelib.platform_changes.sources.reader import reader

TODAY = date(2026, 11, 23)


def source(kind: SourceKind, **options: str) -> Source:
    return Source(
        key="planted",
        platform="x",
        kind=kind,
        name="Planted",
        url="https://planted.example/doc",
        every_for=timedelta(hours=3),
        patience_for=timedelta(days=2),
        options=options,
    )


def looks(asked: Source, *bodies: bytes | str, content_type: str = "", today: date = TODAY) -> list[Finding]:
    """What the last of these bodies says that those before did not."""
    read = reader(asked.kind)
    snapshots: list[Any] = [
        read.read(asked, body.encode() if isinstance(body, str) else body, content_type) for body in bodies
    ]
    before = snapshots[-2] if len(snapshots) > 1 else None
    return read.compare(asked, before, snapshots[-1], today)


def rss(*items: tuple[str, str, str, str]) -> str:
    """A feed of (guid, title, RFC 822 date or nothing, description)."""
    told = "".join(
        f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title>"
        + (f"<pubDate>{at}</pubDate>" if at else "")
        + f"<description>{text}</description></item>"
        for guid, title, at, text in items
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>News</title>{told}</channel></rss>"


def atom(*entries: tuple[str, str, str, str]) -> str:
    """A feed of (id, title, RFC 3339 date, HTML)."""
    told = "".join(
        f"<entry><id>{key}</id><title>{title}</title><updated>{at}</updated>"
        f"<content type='html'>{html}</content></entry>"
        for key, title, at, html in entries
    )
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>News</title>{told}</feed>"


def page(*paragraphs: str, around: str = "") -> str:
    """A web page: "# Heading", "- item" and plain paragraphs, between a menu and a footer."""
    filler = "<p>This page tells what is new in the interface, month by month, for those who call it. " * 3
    inside = "".join(_element(paragraph) for paragraph in paragraphs)
    return (
        "<!doctype html><html><head><title>t</title><script>var a = '<p>no</p>';</script></head><body>"
        f"<nav><a href='/'>Home {around}</a></nav><main>{filler}{inside}</main>"
        f"<footer>Foot {around}</footer></body></html>"
    )


def titles(found: Sequence[Finding]) -> list[str]:
    return [finding.title for finding in found]


def _element(paragraph: str) -> str:
    if paragraph.startswith("# "):
        return f"<h2>{paragraph[2:]}</h2>"
    return f"<ul><li>{paragraph[2:]}</li></ul>" if paragraph.startswith("- ") else f"<p>{paragraph}</p>"
