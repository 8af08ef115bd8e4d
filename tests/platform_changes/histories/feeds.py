"""A changelog as RSS, as a documentation host writes it, with what X changed in 2026."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from zoneinfo import ZoneInfo

from tests.platform_changes.histories.history import History, Look, Planted, at

EASTERN = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Entry:
    """One entry, from the look that first has it; without kinds it is talk, and no change."""

    slug: str
    at: datetime
    title: str
    html: str
    kinds: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    effective_on: str | None = ""
    touching: bool | None = None


X = (
    Entry(
        "playground",
        at("2025-12-23T18:00"),
        "A playground that runs on your own machine",
        "<p>You can now try calls of the API against a local server with made-up posts.</p>",
        ("new",),
        ("playground",),
    ),
    Entry(
        "aaa-oauth2",
        at("2026-01-15T19:30"),
        "Account Activity takes OAuth 2.0 tokens",
        "<p>Subscriptions can be made with OAuth 2.0 and narrow scopes. OAuth 1.0a goes on working.</p>",
        ("new",),
        ("oauth 2.0",),
    ),
    Entry(
        "count-operators",
        at("2026-01-19T17:10"),
        "Operators that count are deprecated in search",
        "<p>The operators <code>min_likes</code>, <code>min_replies</code> and <code>min_reposts</code> are "
        "deprecated on <code>GET /2/tweets/search/recent</code> and <code>GET /2/tweets/search/all</code>. "
        "The filtered stream keeps them.</p>",
        ("deprecation", "breaking"),
        ("min_likes",),
        None,
        False,
    ),
    Entry(
        "spaces-events",
        at("2026-01-28T20:00"),
        "Events when a Space starts and ends",
        "<p>Two events, <code>spaces.start</code> and <code>spaces.end</code>, can be subscribed to.</p>",
        ("new",),
        ("spaces.start",),
    ),
    Entry(
        "pay-per-use",
        at("2026-02-06T16:00"),
        "Pay-per-use pricing for everybody",
        "<p>From today, calls are paid with credits: each post that is read or made has its price. The plans "
        "Basic &amp; Pro stay for who has them.</p><ul><li>A new console</li><li>A voucher for free users"
        "</li></ul>",
        ("limit", "policy", "new"),
        ("pay-per-use",),
        None,
    ),
    Entry(
        "summoned-replies",
        at("2026-02-23T21:15"),
        "Replies by programs only where they are asked for",
        "<p>Replies with <code>POST /2/tweets</code> are only permitted when the author of the original post "
        "has summoned you, by a mention or a quote. This concerns self-serve tiers; Enterprise does not "
        "change.</p>",
        ("policy", "breaking", "limit"),
        ("summoned",),
        None,
    ),
    Entry(
        "legacy-dm-events",
        at("2026-03-11T17:45"),
        "Direct message events in the X Activity API",
        "<p>The events <code>dm.received</code>, <code>dm.sent</code>, <code>dm.read</code> and "
        "<code>dm.indicate_typing</code> are now delivered by the X Activity API as well.</p>",
        ("new",),
        ("dm.indicate_typing",),
        "",
        True,
    ),
    Entry(
        "event-names",
        at("2026-03-13T18:20"),
        "Event types of the X Activity API get new names",
        "<p>We announce new names for event types, effective March 18, 2026. Names in PascalCase such as "
        "<code>ProfileBioUpdate</code> are replaced by names with dots such as <code>profile.update.bio"
        "</code>. Code that compares the old values stops working.</p>",
        ("breaking", "deprecation"),
        ("profilebioupdate", "event types"),
        "2026-03-18",
        True,
    ),
    Entry(
        "direction-filter",
        at("2026-03-18T19:00"),
        "A direction filter for activity subscriptions",
        "<p>Subscriptions for messages take an optional <code>direction</code>: <code>sent</code> or "
        "<code>received</code>.</p>",
        ("new",),
        ("direction",),
    ),
    Entry(
        "replay-endpoint",
        at("2026-03-20T17:05"),
        "The replay endpoint of Account Activity goes away",
        "<p>We are deprecating <code>POST /2/account_activity/replay/webhooks/{webhook_id}/subscriptions/all"
        "</code>, effective March 25, 2026 at 12:00 PM ET. Call <code>POST /2/webhooks/replay</code> in its "
        "place; it does the same.</p>",
        ("breaking", "deprecation"),
        ("replay",),
        "2026-03-25",
        True,
    ),
    Entry(
        "lisbon",
        at("2026-04-02T09:00"),
        "Meet the team in Lisbon",
        "<p>We are at the web conference on November 12, 2026. Come to our stand &amp; say hello!</p>",
    ),
    Entry(
        "owned-reads",
        at("2026-04-16T22:40"),
        "Price update: owned reads, writes and links",
        "<p>Effective April 20, 2026, reading your own data costs $0.001 for each resource (<code>GET "
        "/2/users/{id}/followers</code>, <code>/mentions</code> and others). A post costs $0.015, and $0.20 "
        "with a link. Following, likes and quotes are removed from self-serve tiers.</p>",
        ("limit", "policy", "breaking"),
        ("owned reads",),
        "2026-04-20",
    ),
    Entry(
        "search-index",
        at("2026-05-04T18:00"),
        "Search endpoints moved to a new index",
        "<p>Search is now served from another index; retweets are no longer returned by <code>GET "
        "/2/tweets/search/recent</code>.</p>",
        ("breaking", "new", "deprecation"),
        ("another index",),
        None,
    ),
    Entry(
        "paid-partnership",
        at("2026-06-03T18:00"),
        "Posts can say that they are a paid partnership",
        "<p>Set <code>paid_partnership</code> with <code>POST /2/tweets</code>, or ask for it with "
        "<code>tweet.fields</code>.</p>",
        ("new",),
        ("paid_partnership",),
    ),
)
# When each answer was there, how many entries it holds, and what is noise in it.
_X_LOOKS = (
    ("2026-01-26T08:10", 8, ""),
    ("2026-02-02T08:10", 8, "build"),
    ("2026-02-09T08:10", 8, "tracking"),
    ("2026-02-24T02:10", 8, "order"),
    ("2026-03-02T08:10", 8, "escaped"),
    ("2026-03-12T08:10", 8, "zone"),
    ("2026-03-13T20:10", 8, "space"),
    ("2026-03-19T08:10", 8, "typo"),
    ("2026-03-20T20:10", 6, "window"),
    ("2026-03-24T08:10", 6, "edited"),
    ("2026-04-03T08:10", 6, "order"),
    ("2026-04-17T02:10", 6, "zone"),
    ("2026-05-05T08:10", 9, "returned"),
    ("2026-05-12T08:10", 5, "build"),
    ("2026-06-04T08:10", 8, "returned"),
)


def _rss(entries: list[Entry], when: datetime, noise: str, seed: int) -> str:
    chance = random.Random(seed)
    if noise == "order":
        chance.shuffle(entries)
    items = []
    for entry in entries:
        link = f"https://docs.x.com/changelog#{entry.slug}"
        title, html = entry.title, entry.html
        if noise == "typo" and entry.slug == "event-names":
            html = html.replace("stops working", "will stop working")
        if noise == "edited" and entry.slug == "replay-endpoint":
            html += '<p>Questions? <a href="https://devcommunity.x.com/t/260354">Ask in the forum</a>.</p>'
        shown = f"{link}?utm_source=rss&utm_id={chance.randrange(10**6)}" if noise == "tracking" else link
        moment = entry.at.astimezone(EASTERN) if noise == "zone" else entry.at
        text = escape(html) if noise == "escaped" else f"<![CDATA[{html}]]>"
        if noise == "space":
            title, text = f"\n      {title}  ", f"<![CDATA[\n{html.replace('. ', '.  ')}\n]]>"
        items.append(
            f"  <item>\n   <title>{escape(title)}</title>\n   <link>{escape(shown)}</link>\n"
            f'   <guid isPermaLink="false">{entry.slug}</guid>\n'
            f"   <pubDate>{format_datetime(moment)}</pubDate>\n   <description>{text}</description>\n  "
            f"</item>\n"
        )
    built = format_datetime(when - timedelta(minutes=chance.randrange(60)))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
        'xmlns:atom="http://www.w3.org/2005/Atom">\n <channel>\n  <title>Changelog</title>\n'
        f"  <link>https://docs.x.com</link>\n  <lastBuildDate>{built}</lastBuildDate>\n"
        f"  <generator>Docs host 4.{seed}.{chance.randrange(99)}</generator>\n{''.join(items)} "
        f"</channel>\n</rss>\n"
    )


def _x() -> History:
    looks, planted, seen = [], [], set[str]()
    for number, (text, most, noise) in enumerate(_X_LOOKS, 1):
        when = at(text)
        there = [entry for entry in X if entry.at <= when]
        looks.append(Look(when, _rss(there[::-1][:most], when, noise, number), (noise,) if noise else ()))
        for entry in there:
            is_young = number > 1 or entry.at > when - timedelta(days=30)
            if entry.slug not in seen and is_young and entry.kinds:
                planted.append(planted_by(number, entry))
            seen.add(entry.slug)
    return History(
        "feed_rss",
        "x",
        "feed",
        "xml",
        "application/rss+xml; charset=utf-8",
        "https://docs.x.com/changelog/rss.xml",
        tuple(looks),
        tuple(planted),
    )


def planted_by(look: int, entry: Entry) -> Planted:
    return Planted(look, entry.title, entry.kinds, entry.says, entry.effective_on, entry.touching)


def histories() -> Iterator[History]:
    yield _x()
