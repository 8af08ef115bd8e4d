"""The page and the feed behind a briefing's link: they show, to one person, and change nothing."""

import base64
import hashlib
import html
import re
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree as Xml

import feedparser
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.words import Words
from chalicelib.platform_changes.briefing_feed import feed
from chalicelib.platform_changes.briefing_model import Briefing, Down, Ending
from chalicelib.platform_changes.model import Touching
from tests.fakes.stage import Stage
from tests.org.company import Company
from tests.platform_changes.briefing_desk import MONDAY, WEEK, Desk
from tests.platform_changes.test_briefing_words import BRIEFINGS

NEXT = "2026-W50"


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(Company.create(stage))


def text_of(page: str) -> str:
    """What is read on a page, line by line."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    return "\n".join(
        line.strip() for line in html.unescape(re.sub(r"<[^>]+>", "\n", body)).split("\n") if line.strip()
    )


def test_the_page_goes_from_what_to_say_to_what_is_new(desk: Desk) -> None:
    desk.change("Version 202512 is sunset", effective_on=date(2026, 12, 15), text="It answers 426 then.")
    desk.versions = [Ending("facebook", "v21.0", date(2027, 1, 21), 118, 19, "v26.0", "GRAPH_VERSION")]
    desk.outages = [Down("x", "Errors when posting", MONDAY - timedelta(days=5), None)]
    desk.radar.add(desk.lead, desk.prospect(why="The rules on minors are unclear."))
    desk.monday()
    shown = text_of(desk.shown(desk.ola))
    headings = (
        "To say in a minute",
        "What to do by when",
        "What changed",
        "Versions that end",
        "Outages",
        "New platforms",
    )
    places = [shown.splitlines().index(heading) for heading in headings]
    assert places == sorted(places)
    for part in (
        "23 November 2026",
        "The most important one is from",
        "Have our calls changed before this day. After it they fail.",
        "Nobody does it yet.",
        "GRAPH_VERSION",
        "something breaks",
        "It answers 426 then.",
        "Errors when posting",
        "we watch it",
        "The rules on minors are unclear.",
    ):
        assert part in shown


def test_a_quiet_week_is_two_lines_and_no_empty_part(desk: Desk) -> None:
    desk.monday()
    shown = text_of(desk.shown(desk.ola))
    assert "It was a quiet week: nothing changed at our platforms that concerns us." in shown
    for heading in ("What to do by when", "What changed", "Versions that end", "Outages", "New platforms"):
        assert heading not in shown


def test_what_a_platform_writes_is_text_on_the_page_and_its_address_no_script(desk: Desk) -> None:
    made = desk.change("<script>alert(1)</script>", text="<img src=x onerror=alert(1)>")
    evil = replace(made.sightings[0], url="javascript:alert(1)")
    desk.changes = [replace(made, sightings=(evil,))]
    desk.monday()
    page = desk.shown(desk.ola)
    assert "<script" not in page
    assert "<img" not in page
    assert "javascript:" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_persian_page_is_written_from_right_to_left(desk: Desk) -> None:
    desk.change("Version 202512 is sunset", effective_on=date(2026, 12, 15))
    desk.monday()
    page = desk.shown(desk.hooman)
    assert '<html lang="fa" dir="rtl">' in page
    assert "<bdi>Version 202512 is sunset</bdi>" in page
    assert "۱۵" in page


def test_looking_changes_nothing(desk: Desk) -> None:
    desk.change("One")
    desk.monday()
    before = desk.company.everything_stored()
    for _ in range(3):
        desk.shown(desk.ola)
        desk.page.feed(desk.token(desk.ola), "en")
    assert desk.company.everything_stored() == before


def test_the_link_of_one_week_opens_the_others_and_one_platform(desk: Desk) -> None:
    desk.change("Of LinkedIn")
    desk.change("Of Bluesky", platform="bluesky")
    desk.monday()
    desk.stage.clock.advance(days=7)
    desk.work()
    assert text_of(desk.shown(desk.ola)).splitlines()[4:6] == ["50", "30 November 2026"]
    earlier = text_of(desk.shown(desk.ola, week=WEEK))
    assert "Of LinkedIn" in earlier
    assert "Of Bluesky" in earlier
    alone = text_of(desk.shown(desk.ola, week=WEEK, platform="bluesky"))
    assert "Of LinkedIn" not in alone
    assert "Of Bluesky" in alone
    assert desk.shown(desk.ola, week="2026-W01") == desk.shown(desk.ola)
    assert desk.shown(desk.ola, week="nonsense", platform="nonsense") == desk.shown(desk.ola)


@pytest.mark.parametrize("asks", ["show", "feed"])
def test_a_link_that_leads_nowhere_says_so_whatever_the_reason(desk: Desk, asks: str) -> None:
    desk.monday()
    mine, theirs = desk.token(desk.ola), desk.token(desk.hooman)

    def opened(token: str) -> tuple[int, str]:
        page = desk.page.show(token, None, "en") if asks == "show" else desk.page.feed(token, "en")
        return page.status, page.html

    assert opened(mine)[0] == 200
    unknown = opened("x" * 43)
    assert unknown[0] == 410
    desk.company.org.mark_left(desk.company.operator, desk.hooman.person_id)
    assert opened(theirs) == unknown
    desk.stage.clock.advance(days=400, seconds=-1)
    assert opened(mine)[0] == 200
    desk.stage.clock.advance(seconds=1)
    assert opened(mine) == unknown


def test_the_style_of_the_page_is_the_one_that_its_policy_allows(desk: Desk) -> None:
    desk.monday()
    page = desk.page.show(desk.token(desk.ola), None, "en")
    (style,) = re.findall(r"<style>(.*?)</style>", page.html, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["Content-Security-Policy"]
    assert "@media print" in style


# The feed


def test_the_feed_has_each_week_once_with_a_guid_that_stays(desk: Desk) -> None:
    desk.change("Version 202512 is sunset", effective_on=date(2026, 12, 15))
    desk.monday()
    desk.stage.clock.advance(days=7)
    desk.work()
    page = desk.page.feed(desk.token(desk.ola), "en")
    assert page.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    read = feedparser.parse(page.html.encode())
    assert (read.bozo, read.version, read.feed.language) == (False, "rss20", "en")
    assert [entry.id for entry in read.entries] == [
        f"signalbox:briefing:{NEXT}",
        f"signalbox:briefing:{WEEK}",
    ]
    first = read.entries[1]
    assert first.title == "Week 49: 1 change at our platforms concerns us this week."
    assert first.link == f"https://signalbox.test/b/{desk.token(desk.ola)}?week={WEEK}"
    assert first.published_parsed[:5] == (2026, 11, 30, 6, 0)
    assert "15 December 2026: Version 202512 is sunset" in first.description
    assert [link.href for link in read.feed.links if link.rel == "self"] == [
        f"https://signalbox.test/b/{desk.token(desk.ola)}/feed.xml"
    ]
    theirs = feedparser.parse(desk.page.feed(desk.token(desk.hooman), "en").html.encode())
    assert [entry.id for entry in theirs.entries] == [entry.id for entry in read.entries]
    assert theirs.feed.language == "fa"


def test_the_feed_says_in_time_that_its_address_ends(desk: Desk) -> None:
    desk.monday()
    token = desk.token(desk.ola)
    desk.stage.clock.advance(days=340)
    assert len(feedparser.parse(desk.page.feed(token, "en").html).entries) == 1
    desk.stage.clock.advance(seconds=1)
    notice, _ = feedparser.parse(desk.page.feed(token, "en").html).entries
    assert notice.title == "This feed ends on 4 January 2028. The latest mail has a newer address."


def test_what_a_platform_writes_is_text_in_every_reader(desk: Desk) -> None:
    desk.change('<script>alert("]]>")</script> & \x00\ufffe', touching=Touching(("create a post",), 1, 1))
    desk.monday()
    page = desk.page.feed(desk.token(desk.ola), "en").html
    description = Xml.fromstring(page).findtext("channel/item/description") or ""
    assert "<script" not in description
    assert "&lt;script&gt;" in description
    assert feedparser.parse(page.encode()).bozo is False


@given(st.lists(BRIEFINGS, max_size=2), st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_the_feed_is_well_formed_whatever_people_and_platforms_write(
    briefings: list[Briefing], company: str
) -> None:
    page = feed(Words("fa"), company, "https://signalbox.test/b/x", briefings, MONDAY, MONDAY)
    assert len(Xml.fromstring(page.encode()).findall("channel/item")) == len(briefings) + 1
    assert feedparser.parse(page.encode()).bozo is False
