"""Our briefings as a feed: RSS 2.0, https://www.rssboard.org/rss-specification.

Readers show a description as HTML, so what platforms and people write is escaped twice: as HTML in it, and
by the XML around it.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import format_datetime
from xml.etree import ElementTree as Xml  # nosec B405 - writes XML, and reads none

from chalicelib.core.words import Words, one_line
from chalicelib.platform_changes import briefing_words as plain
from chalicelib.platform_changes.briefing_model import Briefing

_ATOM = "http://www.w3.org/2005/Atom"
_RENEWED_FOR = timedelta(days=60)  # before its end, the feed asks for a newer address
# What XML 1.0 has no place for: https://www.w3.org/TR/xml/#charsets
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def feed(
    words: Words, company: str, url: str, briefings: Iterable[Briefing], ends_at: datetime, now: datetime
) -> str:
    """The feed's document; `url` is the page that it belongs to, which works until `ends_at`.

    An item's guid is of its week alone, the same in every reader's feed.
    """
    Xml.register_namespace("atom", _ATOM)
    rss = Xml.Element("rss", version="2.0")
    channel = Xml.SubElement(rss, "channel")
    title = words.say("%(company)s: what changes at the platforms", company=one_line(company))
    _add(channel, "title", title)
    _add(channel, "link", url)
    _add(channel, "description", words.say("A briefing each Monday: what changed, and what to do by when."))
    _add(channel, "language", words.language)
    _add(channel, "ttl", "720")
    link = {"href": f"{url}/feed.xml", "rel": "self", "type": "application/rss+xml"}
    Xml.SubElement(channel, f"{{{_ATOM}}}link", link)
    if now > ends_at - _RENEWED_FOR:
        day = plain.day(words, ends_at.date())
        text = words.say("This feed ends on %(day)s. The latest mail has a newer address.", day=day)
        item = _item(channel, text, url, f"ends:{ends_at.date()}", ends_at - _RENEWED_FOR)
        _add(item, "description", _html([text]))
    for briefing in briefings:
        sentences = [plain.said(words, line) for line in plain.minute(words, briefing)]
        title = words.say(
            "Week %(week)s: %(said)s", week=words.number(int(briefing.week[-2:])), said=sentences[0]
        )
        page = f"{url}?week={briefing.week}"
        item = _item(channel, title, page, briefing.week, briefing.written_at)
        _add(item, "description", _html(sentences, _todo(words, briefing)))
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(rss, encoding="unicode")


def _item(channel: Xml.Element, title: str, link: str, name: str, at: datetime) -> Xml.Element:
    item = Xml.SubElement(channel, "item")
    _add(item, "title", title)
    _add(item, "link", link)
    _add(item, "guid", f"signalbox:briefing:{name}").set("isPermaLink", "false")
    _add(item, "pubDate", format_datetime(at))
    return item


def _todo(words: Words, briefing: Briefing) -> list[str]:
    return [
        words.say("%(day)s: %(title)s", day=plain.day(words, line.task.on), title=line.name)
        for line in plain.lines(words, briefing)
        if line.task.on is not None
    ]


def _html(sentences: Iterable[str], points: Iterable[str] = ()) -> str:
    """Paragraphs and a list, as HTML."""
    whole = Xml.Element("div")
    for sentence in sentences:
        _add(whole, "p", sentence)
    listed = Xml.Element("ul")
    for point in points:
        _add(listed, "li", point)
    if len(listed):
        whole.append(listed)
    return Xml.tostring(whole, encoding="unicode", method="html")


def _add(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    child = Xml.SubElement(parent, name)
    child.text = _NO_XML.sub("\ufffd", text)
    return child
