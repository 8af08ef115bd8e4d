"""A page of text: its paragraphs, compared as a whole; a paragraph that only moved has not changed.

What changes without anybody meaning it (when a page was last updated, how long it takes to read, how many
found it useful, notices of cookies) is left out. `options`: `format`, "markdown" where its type hides it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher

from chalicelib.platform_changes.model import Finding, Kind, Source
from chalicelib.platform_changes.sources import mentions
from chalicelib.platform_changes.sources.dates import dates_in, effective_on, stated_date
from chalicelib.platform_changes.sources.markdown import markdown_blocks
from chalicelib.platform_changes.sources.noise import is_byline, is_noise, is_stamp, is_tally
from chalicelib.platform_changes.sources.reader import ChangedShape, Snapshot
from chalicelib.platform_changes.sources.slips import is_slip, words
from chalicelib.platform_changes.sources.text import (
    Block,
    decoded,
    fingerprint,
    folded,
    html_blocks,
    is_html,
)

_TYPES = ("text/", "application/xhtml+xml", "application/markdown", "application/octet-stream")
_LEAST_CHARS = 200
_LEAST_SHARE_KEPT = 0.3
_LEAST_ALIKE = 0.5
_MOST_PAIRED = 60
_TITLE_CHARS = 200
_LABEL_CHARS_MOST = 60
_ENTRY_CHARS_MOST = 80
_TEXT_CHARS = 4_000
_NO_PAGE = re.compile(
    r"\b(?:not\sfound|404|sign\sin|log\sin|login|access\sdenied|forbidden|just\sa\smoment|captcha|are\syou\sa\srobot"
    r"|server\serror|bad\sgateway|temporarily\sunavailable|verify\syou\sare)\b",
    re.IGNORECASE,
)
_PLAIN_HEADINGS = frozenset(
    {
        "breaking changes",
        "deprecations",
        "deprecated",
        "new",
        "new features",
        "changes",
        "reminders",
        "fixed",
        "other",
    }
)
_ANCHOR = re.compile(r"\s*[#\u00b6\u200b]+\s*$")


@dataclass(frozen=True)
class _Paragraph:
    """`dated` is the last day that the heading over it, or over its section, names."""

    heading: str
    text: str
    dated: date | None = None

    @property
    def mark(self) -> str:
        return folded(self.text)


class PageReader:
    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        headings: list[tuple[str, str]] = []
        kept: list[list[object]] = []
        for paragraph in _paragraphs(page_blocks(source, body, content_type)):
            heading = (paragraph.heading, paragraph.dated.isoformat() if paragraph.dated else "")
            if not headings or headings[-1] != heading:
                headings.append(heading)
            kept.append([len(headings) - 1, paragraph.text])
        return {"headings": [list(heading) for heading in headings], "paragraphs": kept}

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        if before is None:
            return []
        was, now = _of(before), _of(after)
        # Counted, not as sets: what stands twice and then once has changed.
        lost = Counter(p.mark for p in was) - Counter(p.mark for p in now)
        won = Counter(p.mark for p in now) - Counter(p.mark for p in was)
        if len(was) >= 10 and sum(lost.values()) > (1 - _LEAST_SHARE_KEPT) * len(was):
            return [_rewritten(source, was, now)]
        old, new = _taken(reversed(was), lost)[::-1], _taken(now, won)
        old, new = _without_slips(old, new)
        pairs, old, new = _paired(old, new)
        headings = {p.heading for p in now}
        return [
            *(_changed(source, then, after_it) for then, after_it in pairs),
            *(_added(source, group) for group in _groups(new, now)),
            *(
                _removed(source, group)
                for group in _groups([p for p in old if p.heading in headings], was)
                if not _is_over(group, today)
            ),
        ]


def page_blocks(source: Source, body: bytes, content_type: str) -> list[Block]:
    """The blocks of a page that are not noise. Raises ChangedShape for what is no page with text on it."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind and not kind.startswith(_TYPES):
        raise ChangedShape(f"It is no page of text but {kind[:60]}.")
    text = decoded(body, content_type)
    is_markdown = kind in ("text/markdown", "application/markdown", "text/plain") or (
        (source.options or {}).get("format") == "markdown"
    )
    blocks = markdown_blocks(text) if is_markdown and not is_html(text) else html_blocks(text)
    blocks = [block for block in blocks if block.level or block.cells or not is_noise(block.text)]
    if sum(len(block.text) for block in blocks) < _LEAST_CHARS:
        raise ChangedShape("It is a page with hardly any text on it.")
    top = next((block.text for block in blocks if block.level == 1), "")
    if len(top) < 60 and _NO_PAGE.search(top):
        raise ChangedShape(f"The page says {top[:60]!r} in place of what it said.")
    return blocks


def _paragraphs(blocks: Iterable[Block]) -> Iterator[_Paragraph]:
    over: dict[int, date | None] = {}
    heading, label = "", ""
    for block in blocks:
        if block.level:
            heading = _ANCHOR.sub("", block.text)[:_TITLE_CHARS]
            over = {level: day for level, day in over.items() if level < block.level}
            over[block.level] = max(dates_in(heading), default=None)
            label = heading
            continue
        over_it = f"{heading}\n{label}"
        is_noise_here = (
            is_stamp(block.text, over_it)
            or is_tally(block.text, heading)
            or is_byline(block.text, over_it, heading)
        )
        if block.cells or not is_noise_here:
            day = next((over[level] for level in sorted(over, reverse=True) if over[level]), None)
            yield _Paragraph(heading, block.text, day)
        # "Sunset date" waits for the day that comes next; what is longer, or has its day, does not.
        label = "" if len(block.text) > _LABEL_CHARS_MOST or dates_in(block.text) else block.text


def _of(snapshot: Snapshot) -> list[_Paragraph]:
    headings = [(text, date.fromisoformat(day) if day else None) for text, day in snapshot["headings"]]
    return [
        _Paragraph(headings[place][0], text, headings[place][1]) for place, text in snapshot["paragraphs"]
    ]


def _taken(paragraphs: Iterable[_Paragraph], counts: Mapping[str, int]) -> list[_Paragraph]:
    """The paragraphs that are in the counts, each as often as it is counted."""
    left = dict(counts)
    found = []
    for paragraph in paragraphs:
        if left.get(paragraph.mark):
            left[paragraph.mark] -= 1
            found.append(paragraph)
    return found


def _without_slips(
    old: Sequence[_Paragraph], new: Sequence[_Paragraph]
) -> tuple[list[_Paragraph], list[_Paragraph]]:
    """What is left of both when each is left out that says what one of the others says, but for slips."""
    waiting = [(paragraph, words(paragraph.text)) for paragraph in old[:_MOST_PAIRED]]
    changed = []
    for paragraph in new[:_MOST_PAIRED]:
        now = words(paragraph.text)
        same = next((pair for pair in waiting if is_slip(pair[1], now)), None)
        if same:
            waiting.remove(same)
        else:
            changed.append(paragraph)
    return [*(paragraph for paragraph, _ in waiting), *old[_MOST_PAIRED:]], [*changed, *new[_MOST_PAIRED:]]


def _paired(
    old: Sequence[_Paragraph], new: Sequence[_Paragraph]
) -> tuple[list[tuple[_Paragraph, _Paragraph]], list[_Paragraph], list[_Paragraph]]:
    """Which old paragraph became which new one under the same heading; and those that have no partner."""
    waiting: dict[str, list[_Paragraph]] = defaultdict(list)
    for paragraph in old[:_MOST_PAIRED]:
        waiting[paragraph.heading].append(paragraph)
    pairs, alone = [], []
    for paragraph in new[:_MOST_PAIRED]:
        there = waiting[paragraph.heading]
        best = max(there, key=lambda then: _likeness(then.text, paragraph.text), default=None)
        if best is None or _likeness(best.text, paragraph.text) < _LEAST_ALIKE:
            alone.append(paragraph)
        else:
            there.remove(best)
            pairs.append((best, paragraph))
    used = {id(then) for then, _ in pairs}
    return pairs, [p for p in old if id(p) not in used], [*alone, *new[_MOST_PAIRED:]]


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.split()[:300], other.split()[:300], autojunk=False).ratio()


def _groups(some: Sequence[_Paragraph], page: Sequence[_Paragraph]) -> Iterator[list[_Paragraph]]:
    """Paragraphs that stand together under one heading, apart where they state other days of effect."""
    chosen = {id(paragraph) for paragraph in some}
    group: list[_Paragraph] = []
    day: date | None = None
    for paragraph in page:
        if id(paragraph) not in chosen:
            if group:
                yield group
            group, day = [], None
            continue
        states = _states(paragraph)
        if group and (group[-1].heading != paragraph.heading or (states and day and states != day)):
            yield group
            group, day = [], None
        group.append(paragraph)
        day = day or states
    if group:
        yield group


def _states(paragraph: _Paragraph) -> date | None:
    """The day of effect that a paragraph states; "202505 - May 15, 2026" is an entry of a list of ends."""
    text = paragraph.text
    is_entry = len(text) <= _ENTRY_CHARS_MOST and "|" not in text and mentions.VERSION.match(text)
    return effective_on(text) or (stated_date(text) if is_entry else None)


def _is_over(group: Sequence[_Paragraph], today: date) -> bool:
    """Whether what has gone was dated and past, as in an archive; the first of it may introduce the rest."""
    days = [max((*dates_in(p.text), *filter(None, [p.dated])), default=None) for p in group]
    told = days[1:] if len(days) > 1 and days[0] is None else days
    return all(day is not None and day < today for day in told)


def _added(source: Source, group: Sequence[_Paragraph]) -> Finding:
    text = "\n".join(paragraph.text for paragraph in group)
    day = next(filter(None, map(_states, group)), None)
    return _finding(source, group[0].heading, text, text, day=day)


def _changed(source: Source, then: _Paragraph, now: _Paragraph) -> Finding:
    text = f"Now: {now.text}\nBefore: {then.text}"
    return _finding(source, now.heading, now.text, text, "changed", _states(now))


def _removed(source: Source, group: Sequence[_Paragraph]) -> Finding:
    text = "\n".join(paragraph.text for paragraph in group)
    return _finding(source, group[0].heading, text, f"No longer there: {text}", "removed")


def _rewritten(source: Source, was: Sequence[_Paragraph], now: Sequence[_Paragraph]) -> Finding:
    marks = [p.mark for p in now]
    return Finding(
        key=fingerprint(source.key, "rewritten", *marks),
        title=f"{source.name} was rewritten",
        text=f"Hardly any of its {len(was)} paragraphs is left; it has {len(now)} now. Please read it.",
        url=source.page_url or source.url,
    )


def _finding(
    source: Source, heading: str, says: str, text: str, how: str = "added", day: date | None = None
) -> Finding:
    title = heading or source.name
    if how != "added" or title.lower() in _PLAIN_HEADINGS or heading == "":
        title = f"{title}: {says}"
    return Finding(
        key=fingerprint(source.key, how, heading, folded(text)),
        title=title[:_TITLE_CHARS],
        text=text[:_TEXT_CHARS],
        url=source.page_url or source.url,
        effective_on=None if how == "removed" else effective_on(f"{heading}\n{says}") or day,
        hint=_hint(heading, how),
        operations=mentions.operations(f"{heading}\n{says}"),
        fields=mentions.fields(f"{heading}\n{says}"),
        versions=mentions.versions(f"{heading}\n{says}"),
    )


def _hint(heading: str, how: str) -> Kind | None:
    return mentions.said_kind(heading) if how == "added" else None
