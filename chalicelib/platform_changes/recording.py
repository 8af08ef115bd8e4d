"""What a finding makes of a change: a new one, or one that has been seen once more. Pure.

Whichever source was first, the same findings make the same change; what a person has said of it stays.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chalicelib.platform_changes.model import (
    Finding,
    Kind,
    PlatformChange,
    Sighting,
    Status,
    Touching,
)
from chalicelib.platform_changes.rules import Verdict, more_urgent
from chalicelib.platform_changes.same import moves
from chalicelib.platform_changes.touching import Said, both

LONGEST_TITLE = 300
LONGEST_TEXT = 4000
LONGEST_NAME = 200  # of an operation, a field, a version
MOST_NAMES = 60
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)


def plain(finding: Finding) -> Finding:
    """A finding as it can be kept, whatever its source says: text alone, and no longer than a row takes."""
    effective_on = finding.effective_on
    if effective_on is not None and not _FIRST_DAY <= effective_on <= _LAST_DAY:
        effective_on = None
    return replace(
        finding,
        title=" ".join(_text(finding.title).split())[:LONGEST_TITLE] or "(no title)",
        text=_text(finding.text).strip()[:LONGEST_TEXT],
        url=web(_text(finding.url)),
        effective_on=effective_on,
        operations=_names(finding.operations),
        fields=_names(finding.fields),
        versions=_names(finding.versions),
    )


def web(url: str) -> str:
    """The address if a browser may follow it, else nothing."""
    return url if url.startswith(("https://", "http://")) and len(url) <= 1000 else ""


def said_of(finding: Finding) -> Said:
    """What of it tells whom it concerns."""
    names = finding.operations, finding.fields, finding.versions
    return Said(finding.title, finding.text, *names, finding.is_exact)


def sighting_of(finding: Finding, source: str, url: str, now: datetime) -> Sighting:
    return Sighting(source, _text(finding.key)[:LONGEST_NAME], finding.url or web(url), now)


def started(
    change_id: str, platform: str, finding: Finding, verdict: Verdict, touching: Touching, seen: Sighting
) -> PlatformChange:
    """The change that a finding begins."""
    return PlatformChange(
        change_id=change_id,
        platform=platform,
        kind=verdict.kind,
        title=finding.title,
        text=finding.text,
        seen_at=seen.seen_at,
        sightings=(seen,),
        status=Status.NEW if verdict.is_ours else Status.NOT_OURS,
        effective_on=finding.effective_on,
        touching=touching,
        operations=finding.operations,
        fields=finding.fields,
        versions=finding.versions,
        classified_by=verdict.by,
    )


def joined(before: PlatformChange, finding: Finding, verdict: Verdict, seen: Sighting) -> PlatformChange:
    """The change with one sighting more, and with what the finding says that nobody had said before.

    Its kind is the more urgent of both, unless a person gave it one. Title and text stay those of the first;
    a text is taken where there was none, and added where it makes the change more urgent. A source that moves
    the day of what it told moves it here too, unless a person gave it; the countdown begins anew.
    """
    more: dict[str, Any] = {}
    if moves(before, finding, seen.source) and not before.dated_by:
        day = {"effective_on": finding.effective_on, "warned": ()}
        more = {"title": finding.title, "text": finding.text or before.text, **day}
    if not by_person(before.classified_by) and more_urgent(verdict.kind, before.kind) != before.kind:
        text = "\n".join(filter(None, (more.get("text", before.text), finding.text)))
        more |= {"kind": verdict.kind, "classified_by": verdict.by, "text": text[:LONGEST_TEXT]}
    joins = {
        "sightings": (*before.sightings, seen),
        "effective_on": before.effective_on or finding.effective_on,
        "text": before.text or finding.text,
        "operations": _names((*before.operations, *finding.operations)),
        "fields": _names((*before.fields, *finding.fields)),
        "versions": _names((*before.versions, *finding.versions)),
    }
    return replace(before, **(joins | more))


def with_touching(before: PlatformChange, after: PlatformChange, touching: Touching) -> PlatformChange:
    """The change with what a further sighting says that it touches, unless a person said what.

    What was thought not to be ours and turns out to break a call of ours is looked at again.
    """
    if after.touching_by:
        return after
    after = replace(after, touching=both(after.touching, touching))
    concerns_us = after.kind in (Kind.BREAKING, Kind.DEPRECATION) and touching.accounts > 0
    if after.status == Status.NOT_OURS and concerns_us and not before.touching:
        return after.moved(Status.TRIAGED)
    return after


def by_person(classified_by: str) -> bool:
    return classified_by != "source" and not classified_by.startswith("rule:")


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    kept = (_text(name).strip()[:LONGEST_NAME] for name in names)
    return tuple(dict.fromkeys(name for name in kept if name))[:MOST_NAMES]


def _text(text: str) -> str:
    """Without halves of surrogate pairs, which no row takes, and without NUL."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")
