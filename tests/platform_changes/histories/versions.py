"""A table of versions and their ends through a year."""

import random
from collections.abc import Iterator

from tests.platform_changes.histories.history import History, Look, Planted, at

Row = tuple[str, str, str]  # version, released, the day from which it cannot be called; "" is not said
_FIRST: tuple[Row, ...] = (
    ("v24.0", "2025-10-08", ""),
    ("v23.0", "2025-05-29", "2027-10-08"),
    ("v22.0", "2025-01-21", "2027-05-29"),
    ("v21.0", "2024-10-02", "2027-01-21"),
    ("v20.0", "2024-05-21", "2026-09-24"),
    ("v19.0", "2024-01-23", "2026-05-21"),
)
_VERSION_LOOKS = (
    ("2026-01-15", ""),
    ("2026-01-22", "tbd"),
    ("2026-02-19", "classes"),
    ("2026-03-05", "order"),
    ("2026-03-30", "ordinals"),
    ("2026-04-20", "moved earlier"),
    ("2026-05-22", "ended"),
    ("2026-06-10", "short months"),
    ("2026-07-30", "columns"),
    ("2026-08-15", "iso"),
    ("2026-09-25", "ended"),
    ("2026-10-20", "ordinals"),
)


def version_rows(number: int) -> list[Row]:
    """What the table says at its look `number`; what has ended long ago is taken out of it."""
    rows = list(_FIRST)
    if number >= 3:
        rows = [("v25.0", "2026-02-18", ""), ("v24.0", "2025-10-08", "2028-02-18"), *rows[1:]]
    if number >= 6:
        rows = [(v, on, "2027-05-20" if v == "v22.0" else ends) for v, on, ends in rows]
    if number >= 9:
        rows = [("v26.0", "2026-07-29", ""), ("v25.0", "2026-02-18", "2028-07-29"), *rows[1:]]
    if number >= 8:
        rows = [row for row in rows if row[0] != "v19.0"]
    return rows


def _table(number: int, when: str, noise: str) -> str:
    chance = random.Random(number)
    nothing = {"tbd": "TBD", "order": "-", "columns": "&mdash;"}.get(noise, "N/A")

    def day(text: str) -> str:
        if not text:
            return nothing
        moment = at(text)
        month = f"{moment:%B}"
        if noise == "iso":
            return text
        if noise == "short months":
            return f"{'Sept' if month == 'September' else month[:3]} {moment.day}, {moment.year}"
        ending = {1: "st", 2: "nd", 3: "rd"}.get(
            moment.day % 10 if moment.day not in (11, 12, 13) else 0, "th"
        )
        return f"{month} {moment.day}{ending if noise == 'ordinals' else ''}, {moment.year}"

    rows = version_rows(number)
    if noise == "order":
        rows = rows[::-1]
    extra = noise == "columns"
    cells = []
    for version, released, ends in rows:
        said = f"Unavailable as of {day(ends)}" if ends and ends <= when else day(ends)
        more = f"<td>/{version}/{{object}}</td>" if extra else ""
        address = f"/docs/graph-api/changelog/version{version[1:]}?locale={chance.randrange(99)}"
        link = f'<a href="{address}">{version}</a>'
        cells.append(
            f'<tr class="_{chance.randrange(9999)}"><td>{link}</td>{more}<td>{day(released)}</td><td>'
            f"{said}</td></tr>"
        )
    path = "<th>Path</th>" if extra else ""
    marketing = "".join(
        f"<tr><td>{version}</td><td>{day(on)}</td><td>{day(ends)}</td></tr>"
        for version, on, ends in (
            ("v24.0", "2025-10-08", "2026-10-06"),
            ("v23.0", "2025-05-29", "2026-06-09"),
        )
    )
    heads = f"<tr><th>Version</th>{path}<th>Date Introduced</th><th>Available Until</th></tr>"
    return (
        f"<html><head><title>Versions</title><script>requireLazy([{chance.randrange(10**6)}])</script>"
        f'</head><body class="_{chance.randrange(99)}">\n'
        f"<nav><a>Docs</a></nav><h1>Platform versions</h1><h2>Graph API</h2>\n<table>{heads}\n"
        + "\n".join(cells)
        + "</table>\n<h2>Marketing API</h2>\n<table><tr><th>Version</th><th>Date Introduced</th>"
        f"<th>Available Until</th></tr>{marketing}</table>\n"
        f"<p>On This Page · {chance.randrange(50)} answers</p></body></html>\n"
    )


def _versions() -> History:
    looks = tuple(
        Look(at(when), _table(number, when, noise), (noise,) if noise else ())
        for number, (when, noise) in enumerate(_VERSION_LOOKS, 1)
    )
    ends = ("breaking", "deprecation")
    known = [
        Planted(1, f"{version} ends, known from the first look", ends, (version,), day, optional=True)
        for version, _, day in _FIRST
        if day
    ]
    planted = (
        *known,
        Planted(1, "v24.0 is the newest", ("new",), ("v24.0",), optional=True),
        Planted(3, "v25.0 is there", ("new",), ("v25.0",)),
        Planted(3, "v24.0 has an end", ends, ("v24.0",), "2028-02-18"),
        Planted(6, "v22.0 ends earlier than was said", ends, ("v22.0",), "2027-05-20"),
        Planted(7, "v19.0 has ended", ends, ("v19.0",), optional=True),
        Planted(9, "v26.0 is there", ("new",), ("v26.0",)),
        Planted(9, "v25.0 has an end", ends, ("v25.0",), "2028-07-29"),
        Planted(11, "v20.0 has ended", ends, ("v20.0",), optional=True),
    )
    return History(
        "versions",
        "facebook",
        "versions",
        "html",
        "text/html; charset=utf-8",
        "https://developers.facebook.com/docs/graph-api/changelog/versions",
        looks,
        planted,
        {"section": "Graph API"},
    )


def histories() -> Iterator[History]:
    yield _versions()
