"""The releases of a package whose versions follow a network's."""

from collections.abc import Iterator
from email.utils import format_datetime

from tests.platform_changes.histories.history import History, Look, Planted, at

_RELEASES = (
    ("23.0.1", "2025-07-02"),
    ("24.0.0", "2025-10-15"),
    ("24.0.1", "2025-11-20"),
    ("25.0.0", "2026-02-26"),
    ("25.0.1", "2026-03-19"),
    ("25.0.2.dev1", "2026-04-02"),
    ("25.0.2", "2026-05-07"),
    ("26.0.0rc1", "2026-07-28"),
    ("26.0.0", "2026-08-06"),
    ("26.0.1", "2026-08-20"),
    ("26.0.3", "2026-09-24"),
)
_RELEASE_LOOKS = (
    "2026-01-10",
    "2026-02-10",
    "2026-02-27",
    "2026-03-02",
    "2026-03-20",
    "2026-04-03",
    "2026-05-08",
    "2026-06-30",
    "2026-07-29",
    "2026-08-07",
    "2026-08-21",
    "2026-09-25",
)


def _pypi(number: int, when: str) -> str:
    there = [release for release in _RELEASES if release[1] <= when][::-1]
    if number == 4:
        there = there[1:] + there[:1]
    if number == 8:
        there = [release for release in there if release[0] != "25.0.1"]  # taken back by its makers
    items = "".join(
        f"  <item>\n   <title>{version}</title>\n   <link>"
        f"https://pypi.org/project/facebook-business/{version}/</link>\n"
        f"   <description>{'Facebook Business SDK' if number % 3 else 'The SDK for business'}</description>\n"
        f"   <author>noreply@example.com</author>\n   <pubDate>{format_datetime(at(day, 18))}</pubDate>"
        f"\n  </item>\n"
        for version, day in there[:6]
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0">\n <channel>\n  <title>PyPI recent '
        "updates for facebook-business</title>\n"
        f"  <link>https://pypi.org/project/facebook-business/</link>\n  <language>en</language>"
        f"\n{items} </channel>\n</rss>\n"
    )


def _releases() -> History:
    planted = (
        Planted(3, "Graph v25.0, by 25.0.0", ("new",), ("25.0",)),
        Planted(10, "Graph v26.0, by 26.0.0", ("new",), ("26.0",)),
        Planted(9, "A candidate for 26.0.0", ("new",), ("26.0",), optional=True),
    )
    looks = tuple(
        Look(at(when, 20), _pypi(number, when), ("order", "taken back")[: number % 3])
        for number, when in enumerate(_RELEASE_LOOKS, 1)
    )
    url = "https://pypi.org/rss/project/facebook-business/releases.xml"
    options = {"version": "v{major}.0"}
    return History(
        "releases", "facebook", "releases", "xml", "text/xml; charset=UTF-8", url, looks, planted, options
    )


def histories() -> Iterator[History]:
    yield _releases()
