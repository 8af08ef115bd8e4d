"""A table or list of API versions with the days on which they were released and end, on a page of text.

Such as Version, Date Introduced, Available Until; or a table of migrations with a Sunset Date; or "202505 -
May 15, 2026" under a sentence on what is removed; or a heading for each version. `options`:
`section`, the heading under which the versions that count stand.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chalicelib.platform_changes.model import Finding, Kind, Source
from chalicelib.platform_changes.sources.dates import effective_on, stated_date
from chalicelib.platform_changes.sources.feed import YOUNG_FOR
from chalicelib.platform_changes.sources.mentions import VERSION
from chalicelib.platform_changes.sources.page import page_blocks
from chalicelib.platform_changes.sources.reader import ChangedShape, Snapshot
from chalicelib.platform_changes.sources.text import Block, fingerprint

_MOST_ROWS = 300
_ENDS = re.compile(r"expir|sunset|until|\bends?\b|retire|remov|end[\s-]of|deprecat", re.IGNORECASE)
_BEGINS = re.compile(r"release|introduc|launch|available\s(?:from|since)|\bdate\b", re.IGNORECASE)
_ENTRY_CHARS_MOST = 80


@dataclass(frozen=True)
class VersionRow:
    """One version; `ends_on` is the first day on which it can no longer be called, None when not stated."""

    version: str
    released_on: date | None
    ends_on: date | None


class VersionsReader:
    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        blocks = page_blocks(source, body, content_type)
        section = (source.options or {}).get("section", "")
        # What a table says counts before what a sentence says, and what stands above before what is below.
        kept: dict[str, dict[str, Any]] = {}
        for is_row, found in sorted(_found(_under(blocks, section)), key=lambda pair: not pair[0]):
            row = kept.setdefault(found.version, {"released_on": "", "ends_on": "", "is_row": is_row})
            row["released_on"] = row["released_on"] or _iso(found.released_on)
            row["ends_on"] = row["ends_on"] or _iso(found.ends_on)
        if not kept:
            under = f" under {section!r}" if section else ""
            raise ChangedShape(f"It is a page, but lists no versions{under}.")
        return {
            "rows": dict(sorted(kept.items(), key=lambda item: _order(item[0]), reverse=True)[:_MOST_ROWS])
        }

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        was = before["rows"] if before else {}
        now = after["rows"]
        found = [
            _finding(source, version, was.get(version), row)
            for version, row in now.items()
            if _is_new(version, row, was, before is None, today)
        ]
        gone = [v for v, row in was.items() if v not in now and row["is_row"] and not _is_over(row, today)]
        return [*found, *_gone(source, gone, was, now)]


def rows(snapshot: Snapshot) -> tuple[VersionRow, ...]:
    """The versions of a look, the newest first."""
    return tuple(
        VersionRow(version, _day(row["released_on"]), _day(row["ends_on"]))
        for version, row in snapshot["rows"].items()
    )


def _under(blocks: Sequence[Block], section: str) -> Iterator[Block]:
    level = 0
    for block in blocks:
        if block.level and level and block.level <= level:
            level = 0
        if block.level and not level and block.text.lower().startswith(section.lower()):
            level = block.level
        if level or not section:
            yield block


def _found(blocks: Iterator[Block]) -> Iterator[tuple[bool, VersionRow]]:
    """Each version, and whether it has a row of a table."""
    columns: Mapping[int, bool] = {}
    about_ends = False
    for block in blocks:
        named = VERSION.findall(block.text)
        if block.cells:
            if named:
                yield True, _row(block.cells, named[0], columns)
            else:
                columns = {n: bool(_ENDS.search(c)) for n, c in enumerate(block.cells) if _is_dated(c)}
            continue
        columns = {}
        if len(named) != 1:
            about_ends = bool(_ENDS.search(block.text)) if not named else about_ends
        elif block.level:
            about_ends = bool(_ENDS.search(block.text))
            yield False, VersionRow(named[0], None, None)
        elif len(block.text) <= _ENTRY_CHARS_MOST and block.text.startswith(named[0]):
            yield False, VersionRow(named[0], None, stated_date(block.text) if about_ends else None)
        elif _ENDS.search(block.text) and (day := effective_on(block.text)):
            yield False, VersionRow(named[0], None, day)


def _is_dated(heading: str) -> bool:
    return bool(_ENDS.search(heading) or _BEGINS.search(heading))


def _row(cells: Sequence[str], version: str, columns: Mapping[int, bool]) -> VersionRow:
    dates = {place: stated_date(cell) for place, cell in enumerate(cells) if version not in cell}
    if not columns:
        columns = dict(zip(dates, (False, True), strict=False))
    of = {
        ends: next(
            (dates[place] for place, is_end in columns.items() if is_end is ends and dates.get(place)), None
        )
        for ends in (False, True)
    }
    return VersionRow(version, of[False], of[True])


def _is_new(
    version: str, row: Mapping[str, Any], was: Mapping[str, Any], is_first: bool, today: date
) -> bool:
    if is_first:
        young = bool(row["released_on"]) and row["released_on"] >= (today - YOUNG_FOR).isoformat()
        return young or (bool(row["ends_on"]) and not _is_over(row, today))
    if version not in was:
        return not _is_over(row, today)
    return bool(row["ends_on"]) and row["ends_on"] != was[version]["ends_on"]


def _is_over(row: Mapping[str, Any], today: date) -> bool:
    return bool(row["ends_on"]) and row["ends_on"] < today.isoformat()


def _finding(source: Source, version: str, was: Mapping[str, Any] | None, row: Mapping[str, Any]) -> Finding:
    ends, released = row["ends_on"], row["released_on"]
    says = [f"Released on {released}." if released else "", f"It ends on {ends}." if ends else ""]
    if was and was["ends_on"]:
        says.append(f"It was to end on {was['ends_on']}.")
    return Finding(
        key=fingerprint(source.key, version, ends),
        title=f"{version} ends on {ends}" if ends else f"{version} is listed as a new version",
        text=" ".join(filter(None, says)),
        url=source.page_url or source.url,
        effective_on=_day(ends),
        hint=Kind.DEPRECATION if ends else Kind.NEW,
        versions=(version,),
    )


def _gone(
    source: Source, gone: Sequence[str], was: Mapping[str, Any], now: Mapping[str, Any]
) -> list[Finding]:
    if not gone:
        return []
    is_cut = len(gone) > 1 and len(now) * 2 < len(was)
    groups = [tuple(gone)] if is_cut else [(version,) for version in gone]
    return [
        Finding(
            key=fingerprint(source.key, "gone", *group),
            title=f"No longer listed: {', '.join(group)[:200]}",
            text=" ".join(f"{v} was to end on {was[v]['ends_on']}." for v in group if was[v]["ends_on"]),
            url=source.page_url or source.url,
            versions=group,
        )
        for group in groups
    ]


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
