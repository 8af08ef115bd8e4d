"""Looks at the sources, each at its own pace: fetched, read, compared with the last look, recorded.

A source that fails harms no other, and is never silently skipped: it is listed at once, and people are told
when its patience has ended, and again when it works.
"""

import gzip
import hashlib
import json
import logging
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.core import log as metrics
from chalicelib.core.errors import NotFound, SignalboxError
from chalicelib.core.fetching import NotFetched
from chalicelib.core.history import BY_JOB
from chalicelib.core.http import HttpClient
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.objects import Objects
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later
from chalicelib.org.service import Org
from chalicelib.platform_changes import store as rows
from chalicelib.platform_changes.changes import Changes
from chalicelib.platform_changes.keepers import keepers
from chalicelib.platform_changes.model import Finding, Source, SourceKind, SourceState
from chalicelib.platform_changes.source_settings import TRACK, Sources
from chalicelib.platform_changes.sources.fetching import Unchanged, fetch
from chalicelib.platform_changes.sources.reader import ChangedShape, Reader, Snapshot
from chalicelib.platform_changes.sources.status import Incident

TELL_SOURCE = "tell_source"
FAILED_AGAIN_FOR = timedelta(hours=1)
"""How long after a failure the next look is at most: what failed for a moment is not missed for a day."""
KEPT_ANEW_FOR = timedelta(days=300)
"""How old a snapshot gets before it is written again: the bucket drops what nobody wrote for 400 days."""
_LONGEST_WHY = 400
_WORKS: dict[str, Any] = {"failing_since": None, "failing_why": "", "told_at": None}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = logging.getLogger(__name__)


class NotRead(SignalboxError):
    """A reader broke on what a source said; the message names the kind of error, and the log has it."""

    status = 502
    code = "not_read"


class Tracker:
    """`reader_of` gives the reader of a kind; `heard` is told what stands on a status page, at each look;
    `incidents_of` reads that from a snapshot.
    """

    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        sources: Sources,
        changes: Changes,
        objects: Objects,
        http: HttpClient,
        reader_of: Callable[[SourceKind], Reader],
        incidents_of: Callable[[Source, Snapshot], Sequence[Incident]],
        heard: Callable[[Source, Sequence[Incident]], None],
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._sources = sources
        self._changes = changes
        self._objects = objects
        self._http = http
        self._reader_of = reader_of
        self._incidents_of = incidents_of
        self._heard = heard
        self._store = rows.Store(kernel.database)

    def ensure(self) -> dict[str, int]:
        """Put each source that is not on the timetable back on it; parked ones stay parked."""
        now = self._kernel.clock.now()
        looked_at = [found.source for found in self._sources.all() if not found.own.is_off]
        ids = [{"entry_id": f"{TRACK}#{source.key}"} for source in looked_at]
        found = self._kernel.database.get_many("timetable", ids)
        there = {item["entry_id"] for item in found if "due_shard" in item}
        missing = [source for source in looked_at if f"{TRACK}#{source.key}" not in there]
        for source in missing:
            # A source that was never looked at is looked at soon, those of a new company not all at once.
            self._put(source, next_at(source.key, min(source.every_for, FAILED_AGAIN_FOR), now))
        return {"sources": len(looked_at), "put_back": len(missing)}

    def failing(self) -> list[SourceState]:
        """What the sources that fail now say of themselves; those that are off are not looked at."""
        looked_at = (found for found in self._sources.all() if not found.own.is_off)
        return [found.state for found in looked_at if found.state.failing_since is not None]

    def track_source(self, claim: Claim) -> bool:
        """Look at one source, and come again at its next turn; for ever, or until it is off."""
        try:
            found = self._sources.get(claim.entry.ref)
        except NotFound:
            return False  # taken out of the catalogue
        if found.own.is_off:
            return False
        source, state = found.source, self._kept_anew(found.state)
        try:
            self._look(source, state)
            every_for = source.every_for
        except (NotFetched, ChangedShape, NotRead) as error:
            self._failed(source, state, error.message)
            every_for = min(source.every_for, FAILED_AGAIN_FOR)
        at = next_at(source.key, every_for, self._kernel.clock.now())
        if claim.entry.failures + claim.entry.crashes == 0:
            raise Later(at)
        self._put(source, at)  # with a clean slate: failures of long ago would park what lives for years
        return True

    def _put(self, source: Source, at: datetime) -> None:
        entry = Entry(f"{TRACK}#{source.key}", Lane.CHORES, TRACK, source.key, at)
        self._kernel.database.transact([self._kernel.timetable.add(entry)])

    def _look(self, source: Source, before: SourceState) -> None:
        """Raises NotFetched, ChangedShape and NotRead: the source's own failures."""
        answer = fetch(self._http, source, before)
        now = self._kernel.clock.now()
        works = replace(before, looked_at=now, looks=before.looks + 1, **_WORKS)
        kept = self._kept(before)
        if isinstance(answer, Unchanged):
            if kept is None:
                # Nothing to compare the next answer with: have it sent whole.
                self._save(source, before, replace(works, etag="", modified=""), [])
                return
            self._hear(source, kept)
            self._save(source, before, works, [])
            return
        works = replace(works, etag=answer.etag, modified=answer.modified)
        reader = self._reader_of(source.kind)
        try:
            snapshot = reader.read(source, answer.body, answer.content_type)
            body = json.dumps(snapshot, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            digest = hashlib.sha256(body).hexdigest()
            is_other = digest != before.digest or kept is None
            findings = reader.compare(source, kept, snapshot, now.date()) if is_other else []
        except ChangedShape:
            raise
        except Exception as error:  # a reader is our code over a stranger's bytes: whatever breaks it is said
            log.exception("a reader broke", extra={"source": source.key})
            raise NotRead(f"What {source.name} says could not be read ({type(error).__name__}).") from error
        if is_other:
            key = f"changes/{source.key}/{digest}.json.gz"
            self._objects.write(key, gzip.compress(body, mtime=0), "application/gzip")
            works = replace(works, digest=digest, snapshot=key, changed_at=now, kept_at=now)
        self._record(source, findings)
        self._hear(source, snapshot)
        self._save(source, before, works, findings)

    def _kept(self, state: SourceState) -> Snapshot | None:
        """What the last look has left; None before the first, and where it is lost."""
        if not state.snapshot:
            return None
        try:
            found: Snapshot = json.loads(gzip.decompress(self._objects.read(state.snapshot)))
        except (NotFound, OSError, EOFError, zlib.error, ValueError):
            log.warning("a snapshot is lost; the source is learned anew", extra={"source": state.key})
            return None
        return found

    def _kept_anew(self, state: SourceState) -> SourceState:
        """Write a snapshot that has grown old once more, before the bucket drops it; the state after it."""
        written_at, now = state.kept_at or state.changed_at, self._kernel.clock.now()
        if not state.snapshot or written_at is None or now - written_at < KEPT_ANEW_FOR:
            return state
        try:
            self._objects.write(state.snapshot, self._objects.read(state.snapshot), "application/gzip")
        except NotFound:
            return state  # then the source is learned anew
        return replace(state, kept_at=now)

    def _record(self, source: Source, findings: Sequence[Finding]) -> None:
        """Before the look is noted: after a crash in between the same findings are found, and known."""
        recorded = [
            self._changes.record(source.platform, finding, source.key, source.page_url or source.url, BY_JOB)
            for finding in findings
        ]
        metrics.count("changes_found", sum(one is not None for one in recorded))

    def _hear(self, source: Source, snapshot: Snapshot) -> None:
        if source.kind == SourceKind.STATUS:
            self._heard(source, self._incidents_of(source, snapshot))

    def _save(
        self, source: Source, before: SourceState, after: SourceState, findings: Sequence[Finding]
    ) -> None:
        if before.failing_since is None and after.digest == before.digest:
            self._store.put_state(before, after)
            return
        change = self._kernel.change(BY_JOB)
        rows.save_state(change, before, after)
        if before.failing_since is not None:
            change.record(f"source#{source.key}", "works again")
        if after.digest != before.digest:
            change.record(f"source#{source.key}", "looked: it changed", findings=len(findings))
        if before.told_at is not None:
            self._tell(change, source, "works")
        self._kernel.commit(change)

    def _failed(self, source: Source, before: SourceState, why: str) -> None:
        """Note a failure, and tell people once when it has lasted too long."""
        metrics.count("sources_failed")
        change = self._kernel.change(BY_JOB)
        since = before.failing_since or change.now
        after = replace(before, looked_at=change.now, looks=before.looks + 1)
        after = replace(after, failing_since=since, failing_why=why[:_LONGEST_WHY])
        is_too_long = before.told_at is None and change.now - since >= source.patience_for
        if is_too_long:
            after = replace(after, told_at=change.now)
            self._tell(change, source, "fails")
            change.record(f"source#{source.key}", "people told that it fails", why[:_LONGEST_WHY])
        elif before.failing_since is None:
            change.record(f"source#{source.key}", "failed", why[:_LONGEST_WHY])
        else:
            self._store.put_state(before, after)
            return
        rows.save_state(change, before, after)
        self._kernel.commit(change)

    def _tell(self, change: Change, source: Source, what: str) -> None:
        for person in keepers(self._org, change.now):
            change.chore(TELL_SOURCE, source.key, what=what, person=person.person_id)


def next_at(key: str, every_for: timedelta, now: datetime) -> datetime:
    """The source's next turn: sources are spread over their interval, and each keeps its second of it."""
    phase = timedelta(seconds=zlib.crc32(key.encode()) % max(1, int(every_for.total_seconds())))
    turns = (now - _EPOCH - phase) // every_for
    return _EPOCH + phase + (turns + 1) * every_for
