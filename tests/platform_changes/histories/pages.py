"""Two pages of changes: HTML as a documentation portal serves it, and Markdown as another does."""

import random
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from tests.platform_changes.histories.history import History, Look, Planted, at


@dataclass(frozen=True)
class Note:
    """One note of the page, from `day` on, under its month's or day's heading, as the page writes it."""

    day: str
    title: str
    text: str
    planted: tuple[Planted, ...] = ()


def _plant(
    what: str,
    kinds: tuple[str, ...],
    says: tuple[str, ...],
    effective_on: str | None = "",
    touching: bool | None = None,
) -> Planted:
    return Planted(0, what, kinds, says, effective_on, touching)


def _sunsets(*of: tuple[str, str, str]) -> tuple[str, tuple[Planted, ...]]:
    """The list of versions that end, with the days in words, and what it plants."""
    items = "".join(f"<li>{version} - {words}</li>" for version, words, _ in of)
    text = (
        "<p>The monthly API versions below will be sunset and taken off the platform on the days listed. "
        f"Please move to the latest version.</p><ul>{items}</ul>"
    )
    kinds = ("breaking", "deprecation")
    return text, tuple(_plant(f"Version {version} ends", kinds, (version,), day) for version, _, day in of)


_WINTER, _WINTER_ENDS = _sunsets(
    ("202501", "January 15, 2026", "2026-01-15"), ("202502", "February 16, 2026", "2026-02-16")
)
_SPRING, _SPRING_ENDS = _sunsets(
    ("202503", "March 16, 2026", "2026-03-16"),
    ("202504", "April 15, 2026", "2026-04-15"),
    ("202505", "May 15, 2026", "2026-05-15"),
)
LINKEDIN = (
    Note("2025-11-11", "Conversions API", "<p>Events can carry several identifiers of one person.</p>"),
    Note("2025-11-11", "Ad budgets", "<p>Budgets of a whole group are now checked when they are saved.</p>"),
    Note(
        "2025-12-15",
        "Event ads",
        "<p>Ads for events can be made from the version 202512 on, with <code>POST "
        "/rest/creatives</code>.</p>",
        (_plant("Ads for events", ("new",), ("event ads", "ads for events"), "", False),),
    ),
    Note("2026-01-12", "Breaking changes", _WINTER, _WINTER_ENDS),
    Note("2026-02-16", "Breaking changes", _SPRING, _SPRING_ENDS),
    Note(
        "2026-02-16",
        "Network sizes",
        "<p>With version 202602, <code>GET /rest/networkSizes</code> is refused when <code>"
        "edgeType</code> has "
        "the old spelling CompanyFollowedByMember.</p>",
        (
            _plant(
                "The old spelling of edgeType is refused",
                ("breaking", "deprecation"),
                ("networksizes",),
                None,
                True,
            ),
        ),
    ),
    Note(
        "2026-03-16",
        "Share statistics",
        "<p>From April 1, 2026 <code>uniqueImpressionsCount</code> of "
        "organizationalEntityShareStatistics counts "
        "a member once a day, so the metric will be higher.</p>",
        (
            _plant(
                "uniqueImpressionsCount is counted otherwise",
                ("metric", "policy", "limit"),
                ("uniqueimpressionscount",),
                "2026-04-01",
                False,
            ),
        ),
    ),
    Note(
        "2026-04-13",
        "Data storage",
        "<p>Our terms now say that member profile data may be stored for 24 hours, and social activity "
        "data for "
        "48 hours.</p>",
        (
            _plant(
                "How long data may be stored", ("policy", "limit"), ("24 hours", "may be stored"), "", None
            ),
        ),
    ),
    Note(
        "2026-06-15",
        "Notifications of pages",
        "<p><code>GET /rest/organizationalEntityNotifications</code> will no longer answer "
        "<code>sourcePost</code>, effective September 30, 2026. Read <code>decoratedSourcePost</code>.</p>",
        (
            _plant(
                "sourcePost of notifications goes away",
                ("breaking", "deprecation"),
                ("sourcepost",),
                "2026-09-30",
                True,
            ),
        ),
    ),
    Note(
        "2026-07-13",
        "Rate limits",
        "<p>Members have 120 calls a day of <code>GET /rest/organizations</code> instead of 150, "
        "starting 2026-08-01.</p>",
        (_plant("Fewer calls of organizations", ("limit", "breaking"), ("120 calls",), "2026-08-01", True),),
    ),
)
_GONE = (("2025-11-11", "202410"), ("2026-01-16", "202501"), ("2026-05-15", "202505"))
_LINKEDIN_LOOKS = (
    ("2025-12-01", ""),
    ("2025-12-16", "read time, contributors"),
    ("2026-01-13", "classes"),
    ("2026-01-20", "banner"),
    ("2026-02-17", "archived"),
    ("2026-02-24", "typing error mended"),
    ("2026-03-17", "classes"),
    ("2026-03-18", "moved"),
    ("2026-04-14", "navigation"),
    ("2026-04-28", "ads"),
    ("2026-05-15T09:00", "read time, contributors"),
    ("2026-06-16", "archived"),
    ("2026-06-23", "spaces"),
    ("2026-07-14", "feedback"),
)


def _month(day: str) -> str:
    return f"{at(day):%B %Y}"


def _html(when: str, noise: str, number: int) -> str:
    chance = random.Random(number)
    notes = [note for note in LINKEDIN if note.day <= when]
    months = sorted({note.day for note in notes}, reverse=True)
    if number >= 5:
        months = months[: 6 if number < 12 else 4]  # older ones go to an archive
    if number >= 8 and noise == "moved":
        months = [months[0], *months[:0:-1]]
    gone = next(version for day, version in reversed(_GONE) if day <= when)
    parts = []
    for place, month in enumerate(months):
        latest = " (Latest)" if place == 0 else ""
        parts.append(
            f'<h2 id="{month[:7]}">{_month(month)} - Version {month[:7].replace("-", "")}{latest}</h2>'
        )
        for note in (note for note in notes if note.day == month):
            text = note.text
            if number < 6:
                text = text.replace("is refused when", "is refused, when")
            if noise == "spaces":
                text = text.replace(" ", "\n  ", 3).replace("</p>", " </p>\n\n")
            parts.append(f'<h3 class="k{chance.randrange(999)}">{note.title}</h3>{text}')
    body = "\n".join(parts)
    read = (
        f'<ul class="metadata"><li>Article</li><li>{when[:10]}</li>'
        f"<li>{chance.randrange(9, 20)} contributors</li><li>{chance.randrange(4, 9)} min read</li></ul>"
    )
    menu = "".join(
        f'<a href="/{word}?wt.mc_id={chance.randrange(999)}">{word}</a>'
        for word in ("Docs", "Training", "Events")[: 2 + number % 2]
    )
    banner = (
        '<div id="cookie-consent"><p>We use cookies to improve your experience.</p></div>'
        if noise == "banner"
        else ""
    )
    ads = (
        '<aside class="ad"><p>Sponsored: learn the cloud before May 31, 2026!</p></aside>'
        if noise == "ads"
        else ""
    )
    helped = f"<p>{chance.randrange(99)} people found this helpful</p>" if noise == "feedback" else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en-us" data-build="{chance.randrange(10**8)}"><head><meta '
        f'name="updated_at" content="{when}">'
        f"<title>Recent Marketing API Changes - LinkedIn | Docs</title><style>"
        f".k{chance.randrange(999)}{{color:red}}</style></head>\n"
        f'<body>{banner}<header><nav>{menu}</nav></header>\n<main id="main"><h1>Recent Marketing API '
        f"Changes</h1>\n{read}\n"
        f'<div class="WARNING alert"><p>Warning</p><p><b>Deprecation notice</b> The Marketing version '
        f"{gone} has been sunset. We recommend to "
        f"move to the latest version to avoid disruptions.</p></div>\n{body}\n{ads}\n<section "
        f'class="feedback"><h2>Feedback</h2>'
        f"<p>Was this page helpful?</p>{helped}</section></main>\n<footer><p>Privacy · Terms · © "
        f"LinkedIn 2026 · Build {chance.randrange(9999)}</p></footer>"
        "</body></html>\n"
    )


def _planted_in(looks: tuple[tuple[str, str], ...], notes: tuple[Note, ...]) -> list[Planted]:
    planted = []
    for note in notes:
        number = next(number for number, (when, _) in enumerate(looks, 1) if note.day <= when)
        if number > 1:
            planted += [
                Planted(number, p.what, p.kinds, p.says, p.effective_on, p.touching) for p in note.planted
            ]
    return planted


def _linkedin() -> History:
    planted = _planted_in(_LINKEDIN_LOOKS, LINKEDIN)
    kinds = ("breaking", "deprecation")
    planted.append(Planted(4, "Version 202501 has ended", kinds, ("202501",)))
    planted.append(Planted(11, "Version 202505 has ended", kinds, ("202505",)))
    looks = tuple(
        Look(at(when), _html(when, noise, number), (noise,) if noise else ())
        for number, (when, noise) in enumerate(_LINKEDIN_LOOKS, 1)
    )
    return History(
        "page_html",
        "linkedin",
        "page",
        "html",
        "text/html",
        "https://learn.microsoft.com/en-us/linkedin/marketing/integrations/recent-changes",
        looks,
        tuple(planted),
    )


THREADS = (
    Note("2025-12-09", "Polls", "Polls can be made with `poll_attachment`."),
    Note(
        "2026-01-08",
        "Topic tags",
        "A post may name a topic with `topic_tag`, 1 to 50 characters long.",
        (_plant("Topic tags", ("new",), ("topic_tag",), "", None),),
    ),
    Note(
        "2026-02-05",
        "Location search limit",
        "The limit of `GET /location_search` is 500 calls in 24 hours. It was 1,000 before.",
        (_plant("Fewer location searches", ("limit",), ("location_search",), None, False),),
    ),
    Note(
        "2026-03-12",
        "Deprecation of a field",
        "The field `is_verified` of `GET /me` is deprecated and will be removed on **July 1, 2026**.",
        (_plant("is_verified goes away", ("deprecation", "breaking"), ("is_verified",), "2026-07-01", True),),
    ),
    Note(
        "2026-04-23",
        "Views of the profile",
        "Effective May 11, 2026, the `views` metric of `GET /me/threads_insights` leaves out your own views.",
        (_plant("Own views are not counted", ("metric", "policy"), ("own views",), "2026-05-11"),),
    ),
    Note(
        "2026-05-28",
        "Ghost posts",
        "| Field | Type | What it is |\n|---|---|---|\n| `is_ghost_post` | boolean | Goes away after a day |",
        (_plant("Ghost posts", ("new",), ("is_ghost_post", "ghost posts"), "", None),),
    ),
    Note(
        "2026-06-18",
        "Reading replies",
        "- `GET /me/threads` no longer answers replies. Ask `GET /me/replies` for them.\n- This breaks "
        "apps that "
        "count replies.",
        (
            _plant(
                "The list of posts is without replies",
                ("breaking",),
                ("me/threads", "count replies"),
                None,
                True,
            ),
        ),
    ),
    Note(
        "2026-08-06",
        "Webhooks",
        "Webhooks of `mentions` need the `threads_manage_mentions` permission by 2026-09-15.",
        (
            _plant(
                "Webhooks of mentions need a permission",
                ("breaking", "policy", "deprecation"),
                ("threads_manage_mentions",),
                "2026-09-15",
                None,
            ),
        ),
    ),
    Note(
        "2026-09-10",
        "Long text",
        "`text_attachment` takes 10,000 characters.",
        (_plant("Long text", ("new", "limit"), ("text_attachment",), "", None),),
    ),
)
_THREADS_LOOKS = (
    ("2026-01-02", ""),
    ("2026-01-09", "front matter"),
    ("2026-02-06", "wrapped"),
    ("2026-02-13", "list marks, emphasis"),
    ("2026-03-13", "tracking"),
    ("2026-04-24", "escaped"),
    ("2026-05-02", "quotes, typing error mended"),
    ("2026-05-29", "headings"),
    ("2026-06-19", "table"),
    ("2026-07-03", "comment, ads"),
    ("2026-08-07", "tracking"),
    ("2026-09-11", "wrapped"),
)


_STANDING = """Changes are listed by the day on which we tell of them, the latest first. Calls that are not
named here stay as they are. Where a change needs time, its note says from which day it counts.

Apps that are not published yet see a change at once. Ask in the community forum when you are in doubt.
"""


def _markdown(when: str, noise: str, number: int) -> str:
    chance = random.Random(number)
    parts = []
    for note in reversed([note for note in THREADS if note.day <= when]):
        day, text = at(note.day), note.text
        if number < 7:
            text = text.replace("was 1,000 before", "was 1,000 befor")
        if noise == "wrapped" and "|" not in text and not text.startswith("-"):
            text = textwrap.fill(text, 40, break_long_words=False, break_on_hyphens=False)
        if "list marks" in noise:
            text = text.replace("- ", "* ").replace("**", "__")
        if noise == "escaped":
            text = text.replace("1,000", "1&#44;000").replace("calls in", "calls  in")
        if noise == "table":
            text = text.replace("|---|---|---|", "| :--- | :---: | ---: |").replace(
                "| boolean |", "|  boolean  |"
            )
        heading = f"{day:%B} {day.day}, {day.year}"
        marked = f"{heading}\n{'-' * len(heading)}" if noise == "headings" else f"## {heading}"
        parts.append(f"{marked}\n\n### {note.title}\n\n{text}\n")
    updated = f"---\ntitle: Changelog\nupdated: {when}\nversion_id: {chance.randrange(10**9)}\n---\n\n"
    link = "https://developers.facebook.com/docs/threads" + (
        f"?locale=en_US&ref={chance.randrange(999)}" if noise == "tracking" else ""
    )
    quoted = "“Threads API”" if noise.startswith("quotes") else '"Threads API"'
    comment = f"<!-- build {chance.randrange(999)} -->\n\n" if noise.startswith("comment") else ""
    return (
        f"{updated}# Changelog\n\n{comment}What changes in the {quoted}. See the "
        f"[overview]({link}).\n\n{_STANDING}\n"
        + "\n".join(parts)
        + f"\nUpdated: {at(when):%b} {at(when).day}, {when[:4]}\n"
    )


def histories() -> Iterator[History]:
    yield _linkedin()
    looks = tuple(
        Look(at(when), _markdown(when, noise, number), (noise,) if noise else ())
        for number, (when, noise) in enumerate(_THREADS_LOOKS, 1)
    )
    yield History(
        "page_markdown",
        "threads",
        "page",
        "md",
        "text/markdown; charset=utf-8",
        "https://developers.facebook.com/docs/threads/changelog.md",
        looks,
        tuple(_planted_in(_THREADS_LOOKS, THREADS)),
    )
