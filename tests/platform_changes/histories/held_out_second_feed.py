"""A feed that is held out: a forum's category of announcements, in the order of the last reply."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime

from tests.platform_changes.histories.history import History, Look, Planted, at

_FORUM = "https://devcommunity.x.com"


@dataclass(frozen=True)
class _Topic:
    """A topic's first post, the days of the replies that bring it up again, and what it plants."""

    number: int
    at: str
    title: str
    cooked: str
    bumped: tuple[str, ...] = ()
    plant: Planted | None = None
    is_pinned: bool = False


_TOPICS = (
    _Topic(
        187001,
        "2023-04-03T16:00",
        "Welcome to the Announcements category",
        "<p>Only staff can start topics here. Please read the <a href='/faq'>guidelines</a> before you "
        "reply.</p>",
        is_pinned=True,
    ),
    _Topic(
        214310,
        "2024-06-11T17:20",
        "GET statuses/lookup is retired",
        "<p>As announced, <code>GET /1.1/statuses/lookup.json</code> was removed on June 10, 2024. Use "
        "<code>GET /2/tweets</code>.</p>",
        ("2026-05-01T08:11",),
    ),
    _Topic(
        251877,
        "2025-11-19T19:05",
        "Winners of the autumn hackathon",
        "<p>Thank you all! :tada: <img src='/images/emoji/tada.png?v=12' title=':tada:' class='emoji' "
        "alt=':tada:'>"
        " Two hundred teams took part.</p>",
        ("2026-01-08T10:00", "2026-02-20T21:14"),
    ),
    _Topic(
        256020,
        "2026-01-27T18:30",
        "Smaller pages in user search",
        "<p>Hi all,</p>\n<p>From February 16, 2026 the maximum of <code>max_results</code> for "
        "<code>GET /2/users/search</code> is lowered from 1000 to 100. Please page with "
        "<code>next_token</code>.</p>",
        ("2026-02-18T03:00",),
        Planted(
            0,
            "Smaller pages in user search",
            ("limit", "breaking"),
            ("users/search", "user search"),
            "2026-02-16",
            True,
            ("GET /2/users/search",),
            ("max_results",),
        ),
    ),
    _Topic(
        257114,
        "2026-02-12T20:00",
        "Folders for bookmarks in v2",
        "<p>We&rsquo;re happy to share that you can now list a user&rsquo;s bookmark folders with "
        "<code>GET /2/users/{id}/bookmarks/folders</code>. It needs the scope "
        "<code>bookmark.read</code>.</p>",
        ("2026-03-01T12:00", "2026-04-30T15:31"),
        Planted(
            0,
            "Bookmark folders can be listed",
            ("new",),
            ("bookmark",),
            "",
            operations=("GET /2/users/{id}/bookmarks/folders",),
        ),
    ),
    _Topic(
        258002,
        "2026-02-26T17:45",
        "[Action required] listed_count is going away",
        "<h2><a name='what-1' class='anchor' href='#what-1'></a>What</h2>\n<p>The field "
        "<code>public_metrics.listed_count</code> will be removed from user objects.</p>\n"
        "<h2><a name='when-2' class='anchor' href='#when-2'></a>When</h2>\n<p>It will be gone on April 6, "
        "2026.</p>",
        (),
        Planted(
            0,
            "listed_count is removed",
            ("breaking", "deprecation"),
            ("listed_count",),
            "2026-04-06",
            fields=("public_metrics.listed_count",),
        ),
    ),
    _Topic(
        259340,
        "2026-03-17T16:10",
        "Ads API: sunset of version 11",
        "<p>This concerns Ads API partners only. Version 11 of the Ads API will be shut down on June 30, "
        "2026. After "
        "that, requests to <code>/11/accounts/:account_id/campaigns</code> will return 410.</p>",
        (),
        Planted(
            0,
            "Version 11 of the Ads API ends",
            ("breaking", "deprecation"),
            ("ads api",),
            "2026-06-30",
            False,
            ("/11/accounts/:account_id/campaigns",),
        ),
    ),
    _Topic(
        260118,
        "2026-04-02T15:00",
        "Tell us about the developer portal",
        "<p>Our survey takes five minutes and closes on April 17, 2026.</p>\n<aside class='onebox "
        "allowlistedgeneric' "
        "data-onebox-src='https://forms.example/s'><header "
        "class='source'>forms.example</header><article><h3>Survey"
        "</h3></article></aside>",
    ),
    _Topic(
        261275,
        "2026-04-21T18:00",
        "Update to the Developer Agreement and Policy",
        "<p>We updated the Developer Policy. From May 21, 2026 you must delete content from what you store "
        "within "
        "24 hours after it was deleted on the platform.</p>",
        ("2026-05-02T09:40",),
        Planted(
            0,
            "Deleted content is deleted within 24 hours",
            ("policy",),
            ("developer policy", "developer agreement"),
            "2026-05-21",
        ),
    ),
    _Topic(
        262490,
        "2026-05-12T21:15",
        "Faster answers to CRC checks",
        "<p>A webhook made with <code>POST /2/webhooks</code> now has 10 seconds to answer a CRC check. "
        "Starting "
        "June 9, 2026 it will have 3 seconds; one that is slower will be marked invalid.</p>",
        ("2026-06-10T11:00",),
        Planted(
            0,
            "Three seconds for CRC checks",
            ("limit", "breaking", "policy"),
            ("crc",),
            "2026-06-09",
            True,
            ("POST /2/webhooks",),
        ),
    ),
    _Topic(
        263871,
        "2026-06-04T17:00",
        "Looking up users by name without a user",
        "<p>On July 6, 2026 we will stop accepting app-only tokens for "
        "<code>GET /2/users/by/username/{username}</code>. Such requests will get 403 Forbidden.</p>",
        (),
        Planted(
            0,
            "App-only tokens are refused for users by name",
            ("breaking", "policy"),
            ("by/username", "app-only"),
            "2026-07-06",
            True,
            ("GET /2/users/by/username/{username}",),
        ),
    ),
    _Topic(
        264702,
        "2026-06-25T16:20",
        "How we count impressions",
        "<p>Beginning July 13, 2026, <code>impression_count</code> will leave out views by the author. "
        "Expect lower "
        "numbers; nothing changes in the shape of the answers.</p>",
        (),
        Planted(
            0,
            "Impressions leave out the author",
            ("metric", "policy"),
            ("impression",),
            "2026-07-13",
            fields=("impression_count",),
        ),
    ),
    _Topic(
        266033,
        "2026-07-16T19:30",
        "Sampled stream of v1.1",
        "<p><code>GET /1.1/statuses/sample.json</code> is deprecated. We&rsquo;ll tell you at least 90 days "
        "before it "
        "is switched off. Please move to <code>GET /2/tweets/sample/stream</code>.</p>",
        ("2026-08-30T07:07",),
        Planted(
            0,
            "The sampled stream of v1.1 is deprecated",
            ("deprecation", "breaking"),
            ("sample",),
            "",
            False,
            ("GET /1.1/statuses/sample.json",),
        ),
    ),
    _Topic(
        267415,
        "2026-08-11T18:40",
        "Long-form articles by API",
        "<p>Introducing <code>POST /2/articles/drafts</code>: write a draft of an article :writing_hand: "
        "and publish "
        "it later. Available today for all paid tiers.</p>",
        (),
        Planted(
            0, "Drafts of articles", ("new",), ("articles",), "", operations=("POST /2/articles/drafts",)
        ),
    ),
    _Topic(
        268550,
        "2026-09-02T17:10",
        "Media upload: the command parameter",
        "<p>Effective October 1, 2026, <code>POST /2/media/upload</code> no longer supports the "
        "<code>command</code> "
        "parameter. Use <code>POST /2/media/upload/initialize</code> and what follows it.</p>",
        (),
        Planted(
            0,
            "command is no longer taken",
            ("breaking", "deprecation"),
            ("media/upload", "media upload"),
            "2026-10-01",
            operations=("POST /2/media/upload",),
            fields=("command",),
        ),
    ),
)
# When it was read, and what of the answer is noise.
_LOOKS = (
    ("2026-01-12", ""),
    ("2026-01-28", "replies"),
    ("2026-02-13", "build date"),
    ("2026-02-27", "an old topic comes up again"),
    ("2026-03-18", "emoji of another version"),
    ("2026-04-22", "pinned topic goes"),
    ("2026-05-03", "an old topic comes up again"),
    ("2026-05-13", "links carry a referrer"),
    ("2026-06-26", "author's name"),
    ("2026-07-17", "title mended"),
    ("2026-08-31", "an old topic comes up again"),
    ("2026-09-03", "replies"),
)
_MOST = 4


def _last(topic: _Topic, when: str) -> str:
    """The day of the newest reply, or the topic's own."""
    return max(day for day in (topic.at, *topic.bumped) if day < when or day == topic.at)


def _item(topic: _Topic, when: str, noise: str, chance: random.Random) -> str:
    slug = topic.title.lower().strip("[").replace("]", "").replace(" ", "-").replace(":", "")
    link = f"{_FORUM}/t/{slug}/{topic.number}"
    posts = 1 + sum(day < when for day in topic.bumped) * 3 + chance.randrange(3)
    title = (
        topic.title.replace("How we count", "A note on how we count")
        if noise == "title mended"
        else topic.title
    )
    shown = topic.cooked.replace("?v=12", "?v=14") if when >= "2026-02-20" else topic.cooked
    author = "api_team" if noise != "author's name" else "api-platform-team"
    read = f"{link}?u=rss" if noise == "links carry a referrer" else link
    people = min(posts, 1 + chance.randrange(4))
    return (
        f" <item>\n  <title>{title}</title>\n"
        f"  <dc:creator><![CDATA[@{author} API Team]]></dc:creator>\n"
        f"  <category>Announcements</category>\n  <description><![CDATA[\n  {shown}\n"
        f"  <p><small>{posts} post{'s' if posts > 1 else ''} - {people} participant"
        f'{"s" if people > 1 else ""}</small></p>\n  <p><a href="{read}">Read full topic</a></p>\n'
        f"  ]]></description>\n  <link>{read}</link>\n"
        f"  <pubDate>{format_datetime(at(topic.at))}</pubDate>\n"
        f"  <discourse:topicPinned>{'Yes' if topic.is_pinned else 'No'}</discourse:topicPinned>\n"
        f"  <discourse:topicClosed>{'Yes' if topic.at < '2025' else 'No'}</discourse:topicClosed>\n"
        f"  <discourse:topicArchived>No</discourse:topicArchived>\n"
        f'  <guid isPermaLink="false">devcommunity.x.com-topic-{topic.number}</guid>\n'
        f'  <source url="{link}.rss">{title}</source>\n </item>\n'
    )


def _shown(when: str, noise: str) -> list[_Topic]:
    """Pinned ones first, then by the last reply; what is old falls off the end."""
    there = [
        topic
        for topic in _TOPICS
        if topic.at < when and (topic.bumped or topic.at > "2025" or topic.is_pinned)
    ]
    there = [topic for topic in there if topic.at > "2025" or topic.is_pinned or topic.bumped[0] < when]
    there = [topic for topic in there if not (topic.is_pinned and noise == "pinned topic goes")]
    there.sort(key=lambda topic: (topic.is_pinned, _last(topic, when)), reverse=True)
    return there[:_MOST]


def _feed(when: str, noise: str, number: int) -> str:
    chance = random.Random(f"second feed {number}")
    topics = _shown(when, noise)
    built = format_datetime(at(when) - timedelta(minutes=chance.randrange(300)))
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<rss version="2.0" '
        'xmlns:discourse="http://www.discourse.org/" xmlns:atom="http://www.w3.org/2005/Atom" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">\n  <channel>\n    <title>Announcements - X '
        "Developers</title>\n"
        f"    <link>{_FORUM}/c/announcements/22</link>\n    <description>Topics in the "
        f"&#39;Announcements&#39; category "
        f"News for developers.</description>\n    <lastBuildDate>{built}</lastBuildDate>\n"
        f'    <atom:link href="{_FORUM}/c/announcements/22.rss" rel="self" type="application/rss+xml" />\n'
        + "".join(_item(topic, when, noise, chance) for topic in topics)
        + "  </channel>\n</rss>\n"
    )


def histories() -> Iterator[History]:
    looks, planted, told_of = [], [], set[int]()
    for number, (when, noise) in enumerate(_LOOKS, 1):
        looks.append(Look(at(when), _feed(when, noise, number), (noise,) if noise else ()))
        for topic in _shown(when, noise):
            if topic.plant and topic.number not in told_of:
                planted.append(replace(topic.plant, look=number))
            told_of.add(topic.number)
    yield History(
        "held_out_second_feed",
        "x",
        "feed",
        "xml",
        "application/rss+xml; charset=utf-8",
        f"{_FORUM}/c/announcements/22.rss",
        tuple(looks),
        tuple(planted),
        held_out=True,
    )
