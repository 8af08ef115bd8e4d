"""What a source says becomes a snapshot; two snapshots become findings. One reader for each kind of source.

A body is what a stranger sent: whatever it is, a reader answers with a snapshot or with ChangedShape.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from chalicelib.core.errors import SignalboxError
from chalicelib.platform_changes.model import Finding, Source, SourceKind

Snapshot = Mapping[str, Any]
"""Plain JSON: what has to be kept of one look, so that the next can be compared with it."""


class ChangedShape(SignalboxError):
    """The body is not what a source of this kind answers with; the message says what it was instead."""

    status = 502
    code = "changed_shape"


class Reader(Protocol):
    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        """What is kept of a body. Raises ChangedShape, and nothing else, in bounded time and memory."""
        ...

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        """What is new since the look before.

        On the first look (None) there is nothing to compare with: entries and versions that are younger than
        30 days or not yet in effect are found, and a page or a specification is only learned.
        """
        ...


def reader(kind: SourceKind) -> Reader:
    """The reader of a kind of source."""
    from chalicelib.platform_changes.sources import feed, page, releases, server, spec, status, versions

    readers: Mapping[SourceKind, Reader] = {
        SourceKind.FEED: feed.FeedReader(),
        SourceKind.STATUS: status.StatusReader(),
        SourceKind.SPEC: spec.SpecReader(),
        SourceKind.VERSIONS: versions.VersionsReader(),
        SourceKind.PAGE: page.PageReader(),
        SourceKind.RELEASES: releases.ReleasesReader(),
        SourceKind.SERVER: server.ServerReader(),
    }
    return readers[kind]
