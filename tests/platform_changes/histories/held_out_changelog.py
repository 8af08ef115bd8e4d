"""A second page that is held out, of a third kind of site: made after the first one had been looked at."""

import random
from collections.abc import Iterator
from dataclasses import replace

from tests.platform_changes.histories.history import History, Look, Planted, at

# Day of a note, its title, its words, and what it plants.
_NOTES: tuple[tuple[str, str, str, Planted | None], ...] = (
    (
        "2025-11-18",
        "Login Kit for desktop",
        'Desktop apps can now use "Login Kit" with a redirect to localhost.',
        None,
    ),
    (
        "2025-12-16",
        "Sandbox accounts",
        "Each app can have ten sandbox accounts, which nobody else can see.",
        None,
    ),
    (
        "2026-02-10",
        "Scope for statistics",
        (
            "Reading <code>likes_count</code> with <code>GET /v2/user/info/</code> now requires the scope "
            "<code>user.info.stats</code>. Calls without it fail."
        ),
        Planted(0, "likes_count needs a scope", ("breaking", "policy"), ("likes_count",), None),
    ),
    (
        "2026-03-05",
        "Smaller pages of videos",
        (
            "Starting April 1, 2026, <code>POST /v2/video/list/</code> answers at most 10 videos; the limit "
            "was 20."
        ),
        Planted(0, "Smaller pages of videos", ("limit", "breaking"), ("at most 10",), "2026-04-01", True),
    ),
    (
        "2026-04-14",
        "Comments for research",
        "Researchers can list comments with <code>POST /v2/research/video/comment/list/</code>.",
        Planted(0, "Comments for research", ("new",), ("research/video/comment",), "", False),
    ),
    (
        "2026-05-19",
        "A field goes away",
        (
            "The field <code>share_url</code> will be removed from <code>POST /v2/video/list/</code> on June "
            "30, 2026. Use <code>embed_link</code>."
        ),
        Planted(0, "share_url is removed", ("breaking", "deprecation"), ("share_url",), "2026-06-30"),
    ),
    (
        "2026-07-02",
        "Audits of apps",
        "Our developer guidelines have changed: apps that post for people are audited once a year.",
        Planted(0, "Audits of apps", ("policy",), ("audited",), ""),
    ),
    (
        "2026-08-25",
        "Refresh tokens",
        "Refresh tokens will expire after 180 days instead of 365, effective September 15, 2026.",
        Planted(
            0, "Refresh tokens expire sooner", ("breaking", "limit", "policy"), ("180 days",), "2026-09-15"
        ),
    ),
)
_LOOKS = (
    ("2026-01-20", ""),
    ("2026-02-11", "views, how long ago"),
    ("2026-02-25", "badge"),
    ("2026-03-06", "menu"),
    ("2026-03-20", "typing error mended"),
    ("2026-04-15", "views, how long ago"),
    ("2026-05-05", "survey"),
    ("2026-05-20", "quotes"),
    ("2026-07-03", "order of boxes"),
    ("2026-07-21", "views, how long ago"),
    ("2026-08-26", "build"),
    ("2026-09-10", "survey"),
)


def _page(when: str, noise: str, number: int) -> str:
    chance = random.Random(f"changelog {number}")
    cards = []
    for day, title, text, _ in reversed([note for note in _NOTES if note[0] <= when]):
        ago = (at(when) - at(day)).days
        badge = '<span class="badge">NEW</span>' if ago < 20 else ""
        shown = text if number >= 5 else text.replace("ten sandbox accounts", "ten sandbox acounts")
        if noise == "quotes":
            shown = shown.replace('"Login Kit"', "“Login Kit”")
        cards.append(
            f'<section class="card-{chance.randrange(16**4):04x}"><h3>{title} {badge}</h3>\n'
            f'<div class="meta"><time datetime="{day}">{at(day):%b} {at(day).day}, {day[:4]}</time>'
            f" · {ago} days ago · {chance.randrange(1000, 90000):,} views</div>\n<p>{shown}</p>\n"
            f'<div class="share"><button>Share</button><button>Copy link</button></div></section>'
        )
    survey = (
        "<dialog open><p>How satisfied are you with our documentation?</p></dialog>"
        if noise == "survey"
        else ""
    )
    boxes = [
        (
            f"<aside><h4>Popular</h4><ul><li>"
            f"{chance.choice(('Login Kit', 'Share Kit', 'Display API'))}</li></ul></aside>"
        ),
        "<aside><h4>Need help?</h4><p>Ask the community.</p></aside>",
    ]
    if noise == "order of boxes":
        boxes.reverse()
    menu = "".join(
        f"<a href='#'>{name}</a>" for name in ("Products", "Docs", "Blog", "Support")[: 3 + number % 2]
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>Changelog</title><script '
        f'src="/b/{chance.randrange(16**8):08x}.js">'
        f'</script></head>\n<body>{survey}<header><nav>{menu}</nav></header>\n<div id="root"><div '
        f'role="main">'
        "<h1>Changelog</h1>\n<p>What is new, what changes and what goes away for developers. Dates are "
        "in UTC. "
        "Each product has its own page of limits, which is changed together with this one.</p>\n"
        + "\n".join(cards)
        + f"\n</div>{''.join(boxes)}</div>\n"
        f"<footer><p>© {when[:4]} · build {chance.randrange(10**6)}</p></footer></body></html>\n"
    )


def histories() -> Iterator[History]:
    looks, planted, told_of = [], [], set[str]()
    for number, (when, noise) in enumerate(_LOOKS, 1):
        looks.append(Look(at(when), _page(when, noise, number), (noise,) if noise else ()))
        for day, _, _, plant in _NOTES:
            if plant and day <= when and day not in told_of:
                told_of.add(day)
                planted.append(replace(plant, look=number))
    yield History(
        "held_out_changelog",
        "tiktok",
        "page",
        "html",
        "text/html; charset=utf-8",
        "https://developers.tiktok.com/doc/changelog",
        tuple(looks),
        tuple(planted),
        held_out=True,
    )
