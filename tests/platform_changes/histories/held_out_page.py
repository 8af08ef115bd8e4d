"""A page that no reader and no rule was made with: notes under days, on a site of other habits."""

import random
from collections.abc import Iterator
from dataclasses import replace

from tests.platform_changes.histories.history import History, Look, Planted, at

PAGE_URL = "https://developers.google.com/youtube/v3/revision_history"
# Day of a note on the page, its words, and what it plants.
_NOTES: tuple[tuple[str, str, Planted | None], ...] = (
    (
        "2025-12-04",
        "<p>The quota calculator shows that an upload costs about 100 units, where it was 1600.</p>",
        None,
    ),
    (
        "2026-01-15",
        (
            "<p>Note: This is a deprecation announcement.</p><ul><li>The <code>sync</code> parameter of "
            "the <code>captions.insert</code> "
            "method has been deprecated. YouTube will stop supporting it as of February 27, 2026.</li></ul>"
        ),
        Planted(
            0, "sync of captions.insert ends", ("deprecation", "breaking"), ("sync",), "2026-02-27", False
        ),
    ),
    (
        "2026-02-18",
        (
            "<p>The new <code>status.containsSyntheticMedia</code> property says that a video is altered "
            "or synthetic.</p>"
        ),
        Planted(0, "containsSyntheticMedia is new", ("new", "policy"), ("containssyntheticmedia",), "", None),
    ),
    (
        "2026-03-26",
        (
            "<p>Starting April 13, 2026, YouTube counts views of Shorts in another way: each start and "
            "replay counts. "
            "<code>channels.statistics.viewCount</code> follows.</p>"
        ),
        Planted(
            0,
            "Views of Shorts are counted in another way",
            ("metric", "policy", "limit"),
            ("shorts",),
            "2026-04-13",
            None,
        ),
    ),
    (
        "2026-05-06",
        (
            "<p>The <code>search.list</code> method has a quota of its own, 100 calls a day, as of June 1, "
            "2026. It no longer "
            "takes 100 of the others.</p>"
        ),
        Planted(
            0, "Searches have a quota of their own", ("limit", "policy"), ("search.list",), "2026-06-01", True
        ),
    ),
    (
        "2026-06-24",
        (
            "<p>Note: This is a deprecation announcement.</p><p>The <code>forHandle</code> parameter of "
            "<code>channels.list</code> "
            "will be removed on December 1, 2026. Ask by <code>id</code>.</p>"
        ),
        Planted(
            0,
            "forHandle of channels.list is removed",
            ("breaking", "deprecation"),
            ("forhandle",),
            "2026-12-01",
            True,
        ),
    ),
    (
        "2026-08-19",
        (
            "<p>The <code>comments.markAsSpam</code> method is no longer supported and has been removed "
            "from the API.</p>"
        ),
        Planted(
            0, "comments.markAsSpam is removed", ("breaking", "deprecation"), ("markasspam",), None, False
        ),
    ),
    (
        "2026-09-30",
        (
            "<p>Clients that use API keys without restrictions will receive a 403 error from 1 November "
            "2026.</p>"
        ),
        Planted(
            0, "Keys need restrictions", ("breaking", "policy"), ("without restrictions",), "2026-11-01", None
        ),
    ),
)
_PAGE_LOOKS = (
    ("2026-01-10", ""),
    ("2026-01-16", "hydration data"),
    ("2026-02-04", "navigation"),
    ("2026-02-19", "time of build"),
    ("2026-03-12", "language menu, stars"),
    ("2026-03-27", "moved"),
    ("2026-04-20", "banner"),
    ("2026-05-07", "classes"),
    ("2026-06-25", "navigation"),
    ("2026-07-15", "typing error mended"),
    ("2026-08-20", "hydration data"),
    ("2026-10-01", "banner"),
)


def _page(when: str, noise: str, number: int) -> str:
    chance = random.Random(number)
    shown = [(day, html) for day, html, _ in _NOTES if day <= when][::-1]
    notes = []
    for day, text in shown:
        html = text
        if noise != "typing error mended" and number < 10:
            html = html.replace("in another way: each", "in an other way: each")
        title = f"{at(day):%B} {at(day).day}, {day[:4]}"
        notes.append(
            f'<h2 id="{day}" class="c{chance.randrange(999)}" data-text="{title}">{title}</h2>\n{html}'
        )
    intro = (
        "<p>This page lists changes of the YouTube Data API (v3) and of its documentation. Subscribe "
        "to it in "
        "your feed reader. Methods and properties are named as in the reference, and every note stays "
        "here for "
        "as long as what it tells of can be met in clients that are in use.</p>"
    )
    key = f"<devsite-key-takeaways><p>AI-made key points of {len(notes)} notes</p></devsite-key-takeaways>"
    body = [intro, *notes]
    if noise == "moved":
        body = [*notes, intro]
    menu = "".join(
        f'<li><a href="/{n}">{n}</a></li>'
        for n in ("Home", "Guides", "Reference", "Samples", f"New {number}")[: 3 + number % 3]
    )
    banner = (
        '<div role="alert" class="devsite-banner">Join us at the summit on May 19, 2026!</div>'
        if noise == "banner"
        else ""
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><title>Revision History | YouTube Data API</title>'
        f'<script nonce="{chance.randrange(16**8):08x}">'
        f'window.data={{"build":{chance.randrange(10**9)}}}</script></head>\n'
        f"<body><header><nav><ul>{menu}</ul></nav></header>{banner}<main><devsite-content><article>\n"
        f'<div class="devsite-page-rating">Rated {chance.randrange(30, 50) / 10} by '
        f"{chance.randrange(900)} people</div>\n"
        f'<h1>Revision History</h1>{key if noise == "classes" else ""}\n<div class="devsite-article-body">\n'
        + "\n".join(body)
        + f"\n</div>\n<p>Last updated {when} UTC.</p></article></devsite-content></main>"
        f"<footer><p>© 2026 Google · {chance.randrange(99)} languages</p></footer></body></html>\n"
    )


def histories() -> Iterator[History]:
    looks, planted, told_of = [], [], {_NOTES[0][0]}
    for number, (when, noise) in enumerate(_PAGE_LOOKS, 1):
        looks.append(Look(at(when), _page(when, noise, number), (noise,) if noise else ()))
        for day, html, plant in _NOTES:
            if day <= when and day not in told_of and plant:
                told_of.add(day)
                beside = ("deprecation announcement",) if "deprecation announcement" in html else ()
                planted.append(replace(plant, look=number, beside=beside))
    yield History(
        "held_out_page",
        "youtube",
        "page",
        "html",
        "text/html; charset=utf-8",
        PAGE_URL,
        tuple(looks),
        tuple(planted),
        held_out=True,
    )
