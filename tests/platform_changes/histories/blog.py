"""A network's blog as Atom, with notes that are edited after they were published, and talk."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from html import escape

from tests.platform_changes.histories.feeds import EASTERN, Entry, planted_by
from tests.platform_changes.histories.history import History, Look, Planted, at

BLOG = (
    Entry(
        "/blog/video-limits",
        at("2026-02-12T15:00"),
        "Longer videos, and how many a day",
        "<p>Videos may now last three minutes. An account may upload 25 videos a day.</p>",
        ("limit", "new"),
        ("25 videos",),
        "",
    ),
    Entry(
        "/blog/session-lifetimes",
        at("2026-03-03T15:00"),
        "Sessions will live shorter",
        "<p>From 15 June 2026 the access token of <code>com.atproto.server.createSession</code> lives one "
        "hour, and a refresh token 30 days. Clients that refresh before each hour need no change.</p>",
        ("breaking", "limit", "policy", "deprecation"),
        ("createsession",),
        "2026-06-15",
        True,
    ),
    Entry(
        "/blog/feed-of-the-month",
        at("2026-03-17T12:00"),
        "Five feeds that we like this month",
        "<p>Gardening, trains, and three more that somebody made on a weekend in May 2026.</p>",
    ),
    Entry(
        "/blog/list-notifications-reasons",
        at("2026-04-01T15:00"),
        "New reasons of notifications",
        "<p><code>app.bsky.notification.listNotifications</code> answers two further reasons, "
        "<code>like-via-repost</code> and <code>repost-via-repost</code>. Ignore what you do not know.</p>",
        ("new",),
        ("like-via-repost",),
        "",
        True,
    ),
    Entry(
        "/blog/search-needs-login",
        at("2026-04-22T15:00"),
        "Searching for people needs a session",
        "<p>Calls of <code>app.bsky.actor.searchActors</code> without a token will be refused as of "
        "2026-05-15. Send the token of any account.</p>",
        ("breaking", "policy", "deprecation"),
        ("searchactors",),
        "2026-05-15",
        True,
    ),
    Entry(
        "/blog/draft-api",
        at("2026-05-20T15:00"),
        "Drafts that follow you",
        "<p>Drafts are kept on the server with <code>app.bsky.draft.createDraft</code>.</p>",
        ("new",),
        ("createdraft",),
        "",
        False,
    ),
    Entry(
        "/blog/chat-proxy-sunset",
        at("2026-06-09T15:00"),
        "Sunset of the old chat proxy",
        "<p>The host api.bsky.chat will be sunset on September 1st, 2026. Use the service proxying header."
        "</p>",
        ("breaking", "deprecation"),
        ("chat proxy",),
        "2026-09-01",
        False,
    ),
    Entry(
        "/blog/old-labels",
        at("2026-07-01T15:00"),
        "Labels in the first form end",
        "<p>Version 1 labels are no longer emitted by <code>com.atproto.label.subscribeLabels</code> after "
        "1 October 2026.</p>",
        ("breaking", "deprecation"),
        ("subscribelabels",),
        None,
        False,
    ),
    Entry(
        "/blog/rate-limits",
        at("2026-08-05T15:00"),
        "Rate limits of writing are lowered",
        "<p>Starting August 20, 2026, an account may write 3,000 points an hour instead of 5,000; "
        "<code>com.atproto.repo.putRecord</code> costs 2 points.</p>",
        ("limit", "breaking"),
        ("3,000 points",),
        "2026-08-20",
        True,
    ),
)
_MOVED = "<p><b>Update:</b> more of you asked for time. The change now takes effect on 1 June 2026.</p>"
_BLOG_LOOKS = (
    ("2026-02-20T09:00", ""),
    ("2026-03-04T09:00", "build"),
    ("2026-03-18T09:00", "nav"),
    ("2026-04-02T09:00", "order"),
    ("2026-04-23T09:00", "escaped"),
    ("2026-05-06T09:00", "moved date"),
    ("2026-05-21T09:00", "zone"),
    ("2026-06-10T09:00", "updated"),
    ("2026-06-20T09:00", "domain"),
    ("2026-07-02T09:00", "order"),
    ("2026-07-20T09:00", "short"),
    ("2026-08-06T09:00", "build"),
)


def _atom(entries: list[Entry], when: datetime, noise: str, seed: int) -> str:
    chance = random.Random(seed)
    domain = "https://docs.bsky.app" if seed < 9 else "https://bsky.dev"
    if noise == "order":
        chance.shuffle(entries)
    written = []
    for entry in entries:
        moment = entry.at.astimezone(EASTERN) if noise == "zone" else entry.at
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        updated = when.isoformat() if noise == "updated" else text
        content = f"<![CDATA[{entry.html}]]>" if noise in ("escaped", "domain") else escape(entry.html)
        categories = (
            f'  <category label="Build {chance.randrange(900)}" term="b"/>\n' if noise == "nav" else ""
        )
        written.append(
            f' <entry>\n  <title type="html"><![CDATA[{entry.title}]]></title>\n  <id>'
            f"{domain}{entry.slug}</id>\n"
            f'  <link href="{domain}{entry.slug}"/>\n  <updated>{updated}</updated>\n'
            f'  <published>{text}</published>\n  <content type="html">{content}</content>'
            f"\n{categories} </entry>\n"
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f" <id>{domain}/blog</id>\n <title>Blog</title>\n <updated>{when.isoformat()}</updated>\n"
        f" <generator>feed {chance.randrange(9)}.{chance.randrange(9)}</generator>"
        f"\n{''.join(written)}</feed>\n"
    )


def _blog() -> History:
    looks, planted, seen = [], [], set[str]()
    for number, (text, noise) in enumerate(_BLOG_LOOKS, 1):
        when, there = at(text), []
        for entry in BLOG:
            if entry.at > when:
                continue
            moved = entry.slug == "/blog/search-needs-login" and number >= 6
            there.append(replace(entry, html=entry.html + _MOVED) if moved else entry)
            if entry.slug not in seen and entry.kinds:
                planted.append(planted_by(number, entry))
            seen.add(entry.slug)
        if noise == "moved date":
            late = ("breaking", "policy", "deprecation")
            what = "Searching for people needs a session: later than was said"
            planted.append(Planted(number, what, late, ("searchactors",), "2026-06-01", True))
        shown = there[::-1][:3] if noise == "short" else there[::-1]
        looks.append(Look(when, _atom(shown, when, noise, number), (noise,) if noise else ()))
    return History(
        "feed_atom",
        "bluesky",
        "feed",
        "xml",
        "application/atom+xml",
        "https://docs.bsky.app/blog/atom.xml",
        tuple(looks),
        tuple(planted),
    )


def histories() -> Iterator[History]:
    yield _blog()
