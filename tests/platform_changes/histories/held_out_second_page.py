"""A third page that is held out: a changelog with a version picker, tables, and an archive of its own."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tests.platform_changes.histories.history import History, Look, Planted, at


@dataclass(frozen=True)
class _Entry:
    """A dated section of the page: its words, its table of what it concerns, and what it plants."""

    day: str
    title: str
    tags: str
    text: str
    rows: tuple[tuple[str, str], ...] = ()
    plants: tuple[Planted, ...] = ()


_ENTRIES = (
    _Entry(
        "2025-10-08",
        "Graph API v24.0",
        "All versions",
        "<p>We have released Graph API v24.0. See <a href='/docs/upgrade'>Upgrading</a> for how to move.</p>",
        (("GET /{page-id}/ratings", "Now paged with cursors"), ("GET /{post-id}/reactions", "New summary")),
    ),
    _Entry(
        "2025-11-12",
        "Message tags",
        "Messenger Platform",
        "<p>The tag <code>HUMAN_AGENT</code> is availible to all Pages without a review.</p>",
    ),
    _Entry(
        "2026-01-21",
        "Page Insights",
        "All versions",
        "<p>On June 15, 2026 the metric <code>page_impressions_paid</code> will be deprecated for all "
        "versions."
        " Requests for it will return error 100 (invalid metric). Use <code>page_media_view</code>.</p>",
        (("GET /{page-id}/insights", "page_impressions_paid"),),
        (
            Planted(
                0,
                "page_impressions_paid is refused",
                ("breaking", "deprecation", "metric"),
                ("page_impressions_paid",),
                "2026-06-15",
                fields=("page_impressions_paid",),
            ),
        ),
    ),
    _Entry(
        "2026-02-18",
        "Graph API v25.0",
        "v25.0+",
        "<p>Graph API v25.0 is here. You can now list what a Page has scheduled with "
        "<code>GET /{page-id}/scheduled_reels</code>.</p>\n<h4>Versions that end</h4>\n"
        "<p>Graph API v19.0 will no longer be available after May 21, 2026; calls to it will fail.</p>",
        (("GET /{page-id}/scheduled_reels", "Added"),),
        (
            Planted(
                0,
                "Scheduled reels can be listed",
                ("new",),
                ("scheduled_reels", "v25.0"),
                "",
                operations=("GET /{page-id}/scheduled_reels",),
            ),
            Planted(0, "v19.0 ends", ("breaking", "deprecation"), ("v19.0",), "2026-05-21"),
        ),
    ),
    _Entry(
        "2026-03-10",
        "Attribution windows",
        "Marketing API",
        "<p>For advertisers only. Beginning April 13, 2026, the value <code>7d_view</code> of "
        "<code>action_attribution_windows</code> is rejected, and reports that ask for it return an "
        "error.</p>",
        (("GET /act_{ad-account-id}/insights", "7d_view removed"),),
        (
            Planted(
                0,
                "7d_view is rejected",
                ("breaking", "deprecation"),
                ("7d_view",),
                "2026-04-13",
                False,
                ("GET /act_{ad-account-id}/insights",),
                ("action_attribution_windows",),
            ),
        ),
    ),
    _Entry(
        "2026-03-31",
        "Page feed",
        "All versions",
        "<p>The highest <code>limit</code> of a Page&rsquo;s feed goes down from 100 posts to 50 posts for "
        "each "
        "request. This applies from April 27, 2026.</p>",
        (("GET /{page-id}/feed", "limit: 50"), ("GET /{page-id}/tagged", "limit: 50")),
        (
            Planted(
                0,
                "Smaller pages of a feed",
                ("limit", "breaking"),
                ("50 posts", "limit: 50"),
                "2026-04-27",
                operations=("GET /{page-id}/feed", "GET /{page-id}/tagged"),
            ),
        ),
    ),
    _Entry(
        "2026-04-22",
        "Data Use Checkup",
        "Policy",
        "<p>We have updated the Platform Terms. From July 1, 2026 an app&rsquo;s administrator has to "
        "certify "
        "each year, per permission, that data is used as the terms allow.</p>",
        (),
        (
            Planted(
                0, "Data use is certified yearly", ("policy",), ("certify", "platform terms"), "2026-07-01"
            ),
        ),
    ),
    _Entry(
        "2026-05-27",
        "Webhooks for Pages",
        "All versions",
        "<p>We are removing <code>sender_name</code> from the payload of the <code>feed</code> field on "
        "August "
        "24, 2026. Ask for the name with the id in <code>from</code> instead.</p>",
        (("Webhooks: feed", "sender_name removed"), ("Webhooks: mention", "Not affected")),
        (
            Planted(
                0,
                "sender_name goes from webhooks",
                ("breaking", "deprecation"),
                ("sender_name",),
                "2026-08-24",
                fields=("sender_name",),
            ),
        ),
    ),
    _Entry(
        "2026-06-17",
        "Office hours",
        "Community",
        "<p>Meet our engineers on September 16, 2026. Bring your questions about Graph API Explorer.</p>",
    ),
    _Entry(
        "2026-07-08",
        "Profile pictures",
        "All versions",
        "<p>Effective July 7, 2026, <code>GET /{page-id}/picture</code> requires an access token. Requests "
        "without a token receive error 200 and no image.</p>",
        (("GET /{page-id}/picture", "Access token required"),),
        (
            Planted(
                0,
                "Pictures need a token",
                ("breaking", "policy"),
                ("{page-id}/picture", "profile pictures"),
                "2026-07-07",
                operations=("GET /{page-id}/picture",),
            ),
        ),
    ),
    _Entry(
        "2026-08-19",
        "Video metrics",
        "All versions",
        "<p>Starting September 8, 2026, <code>post_video_views_organic</code> will count replays too, so "
        "values "
        "may be higher than before. Values of earlier days stay as they are.</p>",
        (("GET /{post-id}/insights", "post_video_views_organic"),),
        (
            Planted(
                0,
                "Replays are counted",
                ("metric", "policy"),
                ("post_video_views_organic",),
                "2026-09-08",
                fields=("post_video_views_organic",),
            ),
        ),
    ),
    _Entry(
        "2026-09-09",
        "Alternative text",
        "All versions",
        "<p>Photos now take the optional parameter <code>alt_text_languages</code>.</p>",
        (("POST /{page-id}/photos", "alt_text_languages added"),),
        (
            Planted(
                0,
                "Languages of alternative text",
                ("new",),
                ("alt_text_languages",),
                "",
                operations=("POST /{page-id}/photos",),
                fields=("alt_text_languages",),
            ),
        ),
    ),
    _Entry(
        "2026-10-07",
        "Version 20.0",
        "v20.0",
        "<p>v20.0 reaches the end of its life on November 24, 2026. Calls made to it after this date will be "
        "refused; move to a newer version.</p>",
        (),
        (Planted(0, "v20.0 ends", ("breaking", "deprecation"), ("v20.0", "version 20.0"), "2026-11-24"),),
    ),
)
# Day, and what of the answer is noise.
_LOOKS = (
    ("2026-01-12", ""),
    ("2026-01-22", "was this helpful"),
    ("2026-02-19", "version picker"),
    ("2026-03-02", "typing error mended"),
    ("2026-03-12", "related links"),
    ("2026-04-01", "contributors"),
    ("2026-04-24", "ages"),
    ("2026-05-28", "order of rows"),
    ("2026-06-20", "older entries move to the archive"),
    ("2026-07-10", "form of dates"),
    ("2026-08-21", "banner for cookies"),
    ("2026-10-09", "related links"),
)
_ARCHIVED_FROM = "2026-06-20"
_KEPT = 4
_RELATED = ("Graph API Overview", "Access Tokens", "Rate Limits", "App Review", "Webhooks", "Error Handling")
_PEOPLE = ("amira-k", "jlopez", "tvdberg", "s-okafor", "nhu.pham", "rkowalski")


def _ago(days: int) -> str:
    for size, word in ((365, "year"), (30, "month"), (7, "week"), (1, "day")):
        if days >= size:
            return f"{days // size} {word}{'s' if days // size > 1 else ''} ago"
    return "today"


def _day(moment: datetime, is_short: bool) -> str:
    return (
        f"{moment:%b} {moment.day}, {moment.year}" if is_short else f"{moment:%B} {moment.day}, {moment.year}"
    )


def _section(entry: _Entry, when: str, noise: str, chance: random.Random) -> str:
    moment, mark = at(entry.day), entry.title.lower().replace(" ", "-")
    text = entry.text if when < "2026-03-02" else entry.text.replace("availible", "available")
    rows = [f"<tr><td><code>{name}</code></td><td>{what}</td></tr>" for name, what in entry.rows]
    if noise == "order of rows":
        rows.reverse()
    table = (
        "<table class='_4-s1'><thead><tr><th>Concerns</th><th>Change</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>\n"
        if rows
        else ""
    )
    return (
        f"<div class='_{chance.randrange(36**3):03x} _9aox' data-click-area='main'><h2 id='{mark}'>"
        f"<a class='hash-link' href='#{mark}' aria-label='Direct link to "
        f"{entry.title}'>#</a>{entry.title}</h2>\n"
        f"<p class='_57y1'><time datetime='{entry.day}'>{_day(moment, when >= '2026-07-10')}</time> · "
        f"<span title='{entry.day}'>{_ago((at(when) - moment).days)}</span> · <span class='tag'>{entry.tags}"
        f"</span></p>\n{text}\n{table}</div>"
    )


def _page(when: str, noise: str, number: int) -> str:
    chance = random.Random(f"second page {number}")
    told = [entry for entry in _ENTRIES if entry.day <= when][::-1]
    shown = told if when < _ARCHIVED_FROM else told[:_KEPT]
    newest = 25 if when >= "2026-02-18" else 24
    versions = "".join(
        f"<option value='v{each}.0'{' selected' if each == newest else ''}>v{each}.0</option>"
        for each in range(newest, newest - 6, -1)
    )
    toc = "".join(
        f"<li><a href='#{each.title.lower().replace(' ', '-')}'>{each.title}</a></li>" for each in shown
    )
    archive = "<p><a href='/docs/changelog/archive'>Earlier changes</a></p>" if shown != told else ""
    related = "".join(
        f"<li><a href='/docs/x{n}'>{name}</a></li>" for n, name in enumerate(chance.sample(_RELATED, 3))
    )
    people = ", ".join(f"@{name}" for name in chance.sample(_PEOPLE, 1 + number % 4))
    helpful = chance.randrange(40, 900)
    asked = "Was this page helpful?" if noise != "was this helpful" else "Did you find this page helpful?"
    cookies = (
        "<div role='dialog' class='_cb'><h3>Allow cookies from this site?</h3><p>We use cookies to provide "
        "and "
        "improve content. <button>Only essential</button><button>Allow all</button></p></div>\n"
        if noise == "banner for cookies"
        else ""
    )
    build = f"{chance.randrange(16**10):010x}"
    return (
        f"<!DOCTYPE html>\n<html lang='en' data-rh='lang' class='docs-{build[:4]}'><head><meta "
        f"charset='utf-8'/>"
        f"<title>Changelog - Graph API</title><meta name='generator' content='site v3.{number}'/>"
        f"<link rel='preload' href='/rsrc/{build}.css'/><script "
        f"nonce='{build[::-1]}'>window.__t={number * 7919};"
        f"</script></head>\n<body>{cookies}<header><nav class='navbar'><a href='/'>Docs</a><a "
        f"href='/tools'>Tools"
        f"</a><a href='/support'>Support</a><label>Version "
        f"<select>{versions}</select></label></nav></header>\n"
        f"<ul class='breadcrumbs'><li>Docs</li><li>Graph API</li><li>Changelog</li></ul>\n"
        f"<main><article><h1>Changelog</h1>\n<p>Changes to Graph API, Webhooks and the Marketing API. "
        f"Changes marked "
        f"<em>All versions</em> apply to every version that can still be called.</p>\n"
        + "\n".join(_section(entry, when, noise, chance) for entry in shown)
        + f"\n{archive}<div class='feedback'><p>{asked}</p><button>Yes</button><button>No</button><small>"
        f"{helpful} of {helpful + 61} found this helpful</small></div>\n<p class='edit'>Last updated "
        f"{_ago(number % 5)} by {people}</p></article></main>\n<div class='toc'><h5>On This "
        f"Page</h5><ul>{toc}</ul>"
        f"</div>\n<aside><h5>Related</h5><ul>{related}</ul></aside>\n<footer><p>© {when[:4]} · {build[:7]} "
        f"· English "
        f"(US)</p></footer></body></html>\n"
    )


def histories() -> Iterator[History]:
    looks, planted, told_of = [], [], set[str]()
    for number, (when, noise) in enumerate(_LOOKS, 1):
        looks.append(Look(at(when), _page(when, noise, number), (noise,) if noise else ()))
        for entry in _ENTRIES:
            if entry.day <= when and entry.day not in told_of:
                told_of.add(entry.day)
                planted += [replace(each, look=number) for each in entry.plants]
    yield History(
        "held_out_second_page",
        "facebook",
        "page",
        "html",
        "text/html; charset=utf-8",
        "https://developers.facebook.com/docs/graph-api/changelog",
        tuple(looks),
        tuple(planted),
        held_out=True,
    )
