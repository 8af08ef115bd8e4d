"""The sources as this company looks at them: the catalogue, with what the company sets of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.core.errors import NotFound
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Entry, Lane
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platform_changes import store as rows
from chalicelib.platform_changes.model import Source, SourceState

TRACK = "track_source"


@dataclass(frozen=True)
class Looked:
    """A source, what the company sets of it, and what the last look said."""

    source: Source
    own: rows.OwnSource
    state: SourceState


class Sources:
    """`catalogue` is what the application knows, by key."""

    def __init__(self, kernel: Kernel, org: Org, catalogue: Mapping[str, Source]) -> None:
        self._kernel = kernel
        self._org = org
        self._catalogue = catalogue
        self._store = rows.Store(kernel.database)

    def all(self) -> list[Looked]:
        """Every source, those that are off included, in the order of the catalogue."""
        own, states = self._store.own(self._catalogue), self._store.states(self._catalogue)
        return [
            self._looked(source, own.get(key), states.get(key)) for key, source in self._catalogue.items()
        ]

    def get(self, key: str) -> Looked:
        """Raises NotFound."""
        source = self._catalogue.get(key)
        if source is None:
            raise NotFound(f"there is no source {key}")
        return self._looked(source, self._store.own([key]).get(key), self._store.state(key))

    def set(self, actor: Actor, key: str, own: rows.OwnSource) -> Looked:
        """Replace what the company sets; `own.version` is what was seen. The next look is at once.

        What another address said before is forgotten: it is learned anew, not compared. Raises NotFound,
        NotAllowed, and Conflict for an older version.
        """
        actor.require_on(Right.CHANGES_WRITE)
        before = self.get(key)
        change = self._org.begin(actor)
        saved = rows.save_own(change, key, own)
        after = self._looked(self._catalogue[key], saved, before.state)
        if after.source.url != before.source.url and before.state.version:
            forgotten = SourceState(key, looks=before.state.looks)
            rows.save_state(change, before.state, forgotten)
            after = replace(after, state=forgotten)
        if saved.is_off:
            change.unschedule(f"{TRACK}#{key}")
        else:
            change.schedule(Entry(f"{TRACK}#{key}", Lane.CHORES, TRACK, key, change.now))
        change.record(f"source#{key}", "source set", off=saved.is_off, other_address=bool(saved.url))
        self._kernel.commit(change)
        return after

    def _looked(self, source: Source, own: rows.OwnSource | None, state: SourceState | None) -> Looked:
        own = own or rows.OwnSource()
        every = timedelta(minutes=own.every_minutes) if own.every_minutes else source.every_for
        known = "company" if own.url else source.known
        as_set = replace(source, url=own.url or source.url, every_for=every, known=known)
        return Looked(as_set, own, state or SourceState(source.key))
