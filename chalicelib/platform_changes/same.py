"""When a finding says what a change that we know already says.

Pure: the same answer for the same two, whichever was first. What is in doubt becomes a record of its own:
two records of one change cost a person a minute, a change that vanished in another costs a break.
"""

import re
from datetime import date, datetime, timedelta

from chalicelib.platform_changes.model import Finding, Kind, PlatformChange
from chalicelib.platform_changes.operations import is_same_operation

WITHIN_FOR = timedelta(days=45)  # sources tell of one change within weeks
OUTAGES_WITHIN_FOR = timedelta(days=1)  # the next incident of the same name is another one
MOST_SIGHTINGS = 200  # of one record: a row has an end
_ALIKE = 0.6
_FEWEST_WORDS = 3  # that two titles have to share
_ENDINGS = frozenset({Kind.BREAKING, Kind.DEPRECATION, Kind.METRIC})
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = re.compile(
    rf"\b(?:\d{{4}}-\d\d-\d\d|\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?)(?!\w)"
    r"(?:,?\s+\d{4}\b)?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_][\w.'-]*[^\W_]|[^\W_]")
_EMPTY = frozenset({
    "a", "an", "the", "of", "to", "in", "on", "for", "and", "or", "with", "by", "from", "at", "is", "are",
    "be", "been", "will", "has", "have", "was", "were", "this", "that", "our", "your", "we", "you", "it",
    "its", "as", "now", "new", "update", "updates", "updated", "change", "changes", "changed", "changelog",
    "release", "notes", "api", "apis", "platform", "developer", "developers", "announcing", "announcement",
    "important", "upcoming",
})  # fmt: skip


def is_same(change: PlatformChange, finding: Finding, kind: Kind, source: str, now: datetime) -> bool:
    """Whether the finding, of this kind and seen now by a source, joins the change (of the same platform)."""
    if len(change.sightings) >= MOST_SIGHTINGS or not _kinds_agree(change.kind, kind):
        return False
    if not _dates_agree(change.effective_on, finding.effective_on):
        return kind != Kind.OUTAGE and moves(change, finding, source)
    if not _is_near(change, finding, kind, now):
        return False
    if kind != Kind.OUTAGE and (_share_version(change, finding) or _share_field(change, finding)):
        return True
    # A source repeats its own titles ("What's new", "Weekly update"): they say nothing between its entries.
    if source in {sighting.source for sighting in change.sightings}:
        return False
    if _contradict(change, finding):
        return False
    return alike(change.title, finding.title) >= _ALIKE


def moves(change: PlatformChange, finding: Finding, source: str) -> bool:
    """Whether a source that told of the change tells of it again, with another day.

    It has to name the same version or the same field of the same call, under the same title but for its days:
    of two changes of one call each keeps its own record.
    """
    if _dates_agree(change.effective_on, finding.effective_on):
        return False
    if source not in {sighting.source for sighting in change.sightings}:
        return False
    names_the_same = bool(change.fields) == bool(finding.fields) and _share_field(change, finding)
    if not (_share_version(change, finding) or names_the_same):
        return False
    mine, theirs = _words(_DAY.sub(" ", change.title)), _words(_DAY.sub(" ", finding.title))
    return bool(mine) and mine == theirs


def alike(one: str, other: str) -> float:
    """From 0 to 1: how much of what two titles say, they both say."""
    words, others = _words(one), _words(other)
    shared = len(words & others)
    return 2 * shared / (len(words) + len(others)) if shared >= _FEWEST_WORDS else 0.0


def versions_of(versions: tuple[str, ...]) -> frozenset[str]:
    """Versions as they can be compared: "v21.0" and "21.0" are one, and so are "2025-11" and "202511"."""
    plain = (re.sub(r"[^0-9a-z.]", "", version.lower()) for version in versions)
    return frozenset(version.removeprefix("v") for version in plain) - {""}


def _kinds_agree(one: Kind, other: Kind) -> bool:
    return one == other or {one, other} <= _ENDINGS


def _dates_agree(one: date | None, other: date | None) -> bool:
    """A day apart is the same day in another zone."""
    return one is None or other is None or abs((one - other).days) <= 1


def _is_near(change: PlatformChange, finding: Finding, kind: Kind, now: datetime) -> bool:
    """Seen within weeks, or with the same day of effect, however early somebody told of it."""
    if kind != Kind.OUTAGE and change.effective_on is not None and finding.effective_on is not None:
        return True
    within_for = OUTAGES_WITHIN_FOR if kind == Kind.OUTAGE else WITHIN_FOR
    return any(abs(now - sighting.seen_at) <= within_for for sighting in change.sightings)


def _share_version(change: PlatformChange, finding: Finding) -> bool:
    """Each names the other's versions: a list of all versions is not about one of them."""
    mine, theirs = versions_of(change.versions), versions_of(finding.versions)
    named_calls = bool(change.operations) and bool(finding.operations)
    return bool(mine) and mine == theirs and (not named_calls or _share_operation(change, finding))


def _share_operation(change: PlatformChange, finding: Finding) -> bool:
    return any(is_same_operation(one, other) for one in change.operations for other in finding.operations)


def _share_field(change: PlatformChange, finding: Finding) -> bool:
    """The same call and the same field of it, or one of them speaks of the whole call."""
    if not _share_operation(change, finding) or _versions_contradict(change, finding):
        return False
    if change.fields and finding.fields:
        return bool(set(change.fields) & set(finding.fields))
    return True


def _versions_contradict(change: PlatformChange, finding: Finding) -> bool:
    mine, theirs = versions_of(change.versions), versions_of(finding.versions)
    return bool(mine and theirs) and mine.isdisjoint(theirs)


def _contradict(change: PlatformChange, finding: Finding) -> bool:
    """Both say what they are about, and it is not the same."""
    if _versions_contradict(change, finding):
        return True
    if change.operations and finding.operations:
        return not _share_operation(change, finding)
    # A number or a host is what tells two titles of one form apart: "v3 is ready", "v4 is ready".
    mine, theirs = _numbers(change.title), _numbers(finding.title)
    return bool(mine and theirs) and mine != theirs


def _words(title: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in _WORD.findall(title.lower())) - _EMPTY


def _stem(word: str) -> str:
    """ "removed", "removing" and "removes" are one word here."""
    if word in _EMPTY:
        return word
    for ending in ("ations", "ation", "ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def _numbers(title: str) -> frozenset[str]:
    numbers = (word for word in _WORD.findall(title.lower()) if re.search(r"\d|\.", word))
    return frozenset(word.removeprefix("v") for word in numbers)
