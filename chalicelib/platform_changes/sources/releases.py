"""Releases of a package (PyPI's RSS, GitHub's releases.atom) whose versions follow those of a platform.

`options`: `version`, what a release means ("v{major}.0": its first number is the platform's version), else
the release itself with its first two numbers ("4.5"); `named`, how the titles that count begin.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chalicelib.platform_changes.model import Finding, Kind, Source
from chalicelib.platform_changes.sources import mentions
from chalicelib.platform_changes.sources.dates import effective_on
from chalicelib.platform_changes.sources.feed import FeedReader, unseen
from chalicelib.platform_changes.sources.reader import ChangedShape, Snapshot
from chalicelib.platform_changes.sources.text import fingerprint

_RELEASE = re.compile(r"(?<![\w.])v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?(?P<more>[\w.+-]{0,40})", re.ASCII)
_UNFINISHED = re.compile(
    r"(?:a|b|c|rc|alpha|beta|dev|pre|preview|nightly|canary|next)[\d.-]*$", re.IGNORECASE
)


class ReleasesReader:
    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        told = FeedReader().read(source, body, content_type)["entries"]
        entries = [{**e, "version": version} for e in told if (version := _version(source, e["title"]))]
        if told and not entries and not (source.options or {}).get("named"):
            raise ChangedShape("It is a feed, but none of its titles is a release.")
        return {"entries": entries}

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        known = {entry["version"] for entry in before["entries"]} if before else set()
        new: dict[str, Mapping[str, Any]] = {}
        # The oldest last, so that of several releases of one version its first is the one that is told.
        for entry in sorted(unseen(before, after, today), key=lambda entry: entry["at"], reverse=True):
            if entry["version"] not in known:
                new[entry["version"]] = entry
        return [_finding(source, version, entry) for version, entry in reversed(new.items())]


def _version(source: Source, title: str) -> str:
    options = source.options or {}
    named = options.get("named", "")
    if not title.startswith(named):
        return ""
    release = _RELEASE.search(title.removeprefix(named))
    if release is None or _UNFINISHED.search(release["more"]):
        return ""
    return options.get("version", "{major}.{minor}").format(major=int(release[1]), minor=int(release[2]))


def _finding(source: Source, version: str, entry: Mapping[str, Any]) -> Finding:
    at = datetime.fromisoformat(entry["at"]) if entry["at"] else None
    return Finding(
        key=fingerprint(source.key, version),
        title=f"{source.name}: {version}",
        text="\n".join(part for part in (entry["title"], entry["text"]) if part),
        url=entry["url"] or source.page_url or source.url,
        at=at,
        effective_on=effective_on(entry["text"], at.date() if at else None),
        hint=Kind.NEW,
        operations=mentions.operations(entry["text"]),
        fields=mentions.fields(entry["text"]),
        versions=(version,),
    )
