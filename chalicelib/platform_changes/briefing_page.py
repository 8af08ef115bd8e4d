"""The page of a briefing and its feed, behind a link that was mailed to one person. They only show.

The link of a week opens any other week as well: a feed reader keeps one address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.core import log as metrics
from chalicelib.core.errors import NotFound
from chalicelib.core.kernel import Kernel
from chalicelib.core.link_page import Page, dead, style
from chalicelib.core.links import Link, Links
from chalicelib.core.pages import HtmlWords, Templates, page_headers
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, one_line
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org
from chalicelib.platform_changes import briefing_words as plain
from chalicelib.platform_changes.briefing import Briefings
from chalicelib.platform_changes.briefing_feed import feed
from chalicelib.platform_changes.briefing_mails import PURPOSE
from chalicelib.platform_changes.briefing_model import Briefing, Down, Told
from chalicelib.platform_changes.briefing_weeks import monday_of
from chalicelib.platform_changes.radar_model import DECISIONS

TEMPLATES = Templates(Path(__file__).parent / "templates")
_MOST_WEEKS = 26  # in the feed: half a year
_EARLIER = 8  # weeks that the page leads to


@dataclass(frozen=True)
class Opened:
    """What a live link leads to."""

    link: Link
    person: Person


class BriefingPage:
    def __init__(
        self, kernel: Kernel, org: Org, briefings: Briefings, links: Links, settings: Settings
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._briefings = briefings
        self._links = links
        self._settings = settings

    def show(self, token: str, asked: Mapping[str, str] | None, accept_language: str) -> Page:
        """A week's briefing, or with `week` and `platform` in what is asked another one. Changes nothing."""
        opened = self._open(token)
        if opened is None:
            return self._dead(accept_language)
        given = asked or {}
        kept = self._kept(given.get("week", "")) or self._kept(opened.link.subject)
        if kept is None:
            return self._dead(accept_language)
        platform = given.get("platform", "")
        return self._page(opened.person, kept, platform if platform in kept.platforms else "")

    def feed(self, token: str, accept_language: str) -> Page:
        """The latest briefings as RSS 2.0, in the words of whoever the link is of."""
        opened = self._open(token)
        if opened is None:
            return self._dead(accept_language)
        url = f"{self._settings.public_url}/b/{token}"
        xml = feed(
            Words(opened.person.language),
            self._settings.company,
            url,
            self._briefings.kept(_MOST_WEEKS),
            opened.link.expires_at,
            self._kernel.clock.now(),
        )
        headers = {**page_headers(style()), "Content-Type": "application/rss+xml; charset=utf-8"}
        return Page(200, headers, xml)

    def _open(self, token: str) -> Opened | None:
        link = self._links.find(token, PURPOSE)
        if link is None or link.expires_at <= self._kernel.clock.now():
            return None
        person = self._org.person(link.person_id)
        return Opened(link, person) if person.status != Status.LEFT else None

    def _dead(self, accept_language: str) -> Page:
        metrics.count("dead_links")
        return dead(accept_language, self._settings.company)

    def _kept(self, week: str) -> Briefing | None:
        try:
            monday_of(week)
            return self._briefings.of(week)
        except (ValueError, NotFound):
            return None

    def _page(self, person: Person, whole: Briefing, platform: str) -> Page:
        words = Words(person.language)
        briefing = whole.about(platform) if platform else whole
        css = f"{style()}\n{_own_style()}"
        html = TEMPLATES.html(
            "briefing.html",
            words,
            company=self._settings.company,
            style=css,
            briefing=briefing,
            dates=(plain.day(words, briefing.since_on), plain.day(words, briefing.on)),
            week=words.number(int(briefing.week[-2:])),
            minute=[plain.said(HtmlWords(words), line) for line in plain.minute(words, briefing)],
            lines=plain.lines(words, briefing),
            changed=[_changed(words, told) for told in briefing.changed],
            versions=[(ending, plain.platform_name(ending.platform), plain.day(words, ending.ends_on))
                      for ending in briefing.versions],
            outages=[(down, plain.platform_name(down.platform), *_lasted(words, person, briefing, down))
                     for down in briefing.outages],
            radar=[(seen, words.say(DECISIONS[seen.decision]), _day(words, seen.review_on))
                   for seen in briefing.radar],
            names={name: plain.platform_name(name) for name in whole.platforms},
            earlier=[(b.week, plain.day(words, b.on)) for b in self._briefings.kept(_EARLIER, whole.week)],
            written=words.moment(briefing.written_at, person.zone),
            block=lambda on: _block(words, on),
            web=_web,
        )  # fmt: skip
        return Page(200, page_headers(css), html)


def _changed(words: Words, told: Told) -> dict[str, Any]:
    return {
        "told": told,
        "platform": plain.platform_name(told.platform),
        "kind": words.say(plain.KINDS[told.kind]),
        "title": one_line(told.title),
        "means": plain.means(words, told),
        "day": _day(words, told.effective_on),
    }


def _lasted(words: Words, person: Person, briefing: Briefing, down: Down) -> tuple[str, str]:
    lasted_for = (down.ended_at or briefing.until) - down.began_at
    return words.moment(down.began_at, person.zone), plain.length(words, lasted_for)


def _day(words: Words, on: date | None) -> str:
    return plain.day(words, on) if on else ""


def _block(words: Words, on: date) -> tuple[str, str, str]:
    """A date for the margin: weekday, day, month."""
    return words.say(f"{on:%A}"), words.number(on.day), words.say(f"{on:%B}")


def _web(url: str) -> str:
    """The address if a browser may follow it: a source can name any scheme."""
    return url if url.startswith(("https://", "http://")) else ""


@cache
def _own_style() -> str:
    return (Path(__file__).parent / "templates" / "briefing.css").read_text(encoding="utf-8").strip()
