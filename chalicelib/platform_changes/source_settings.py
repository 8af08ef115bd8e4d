"""The sources as this company looks at them: the catalogue, with what the company sets of each."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from chalicelib.core.errors import InvalidInput, NotFound, Problem
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Entry, Lane
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platform_changes import store as rows
from chalicelib.platform_changes.model import Source, SourceState
from chalicelib.platform_changes.sources.server import at_server, host_of, is_of_servers, server_of

TRACK = "track_source"
MOST_SERVERS = 50  # of one network; those with most accounts of ours


@dataclass(frozen=True)
class Looked:
    """A source, what the company sets of it, and what the last look said."""

    source: Source
    own: rows.OwnSource
    state: SourceState


class Sources:
    """`catalogue` is what the application knows, by key; what each server says of itself is a source for each
    of `servers`, the base URLs of the servers of a platform that our accounts live on, once for each account.
    `allowed_hosts` may be called without https (core/settings.py).

    A source without an address is off until the company sets one.
    """

    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        catalogue: Mapping[str, Source],
        servers: Callable[[str], Iterable[str]] = lambda platform: (),
        allowed_hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._catalogue = catalogue
        self._servers = servers
        self._allowed_hosts = allowed_hosts
        self._store = rows.Store(kernel.database)

    def all(self) -> list[Looked]:
        """Every source, those that are off included, in the order of the catalogue."""
        known = {source.key: source for source in self._known(self._catalogue.values())}
        own, states = self._store.own(known), self._store.states(known)
        return [self._looked(source, own.get(key), states.get(key)) for key, source in known.items()]

    def get(self, key: str) -> Looked:
        """Raises NotFound, also for a server that no account of ours lives on any more."""
        source = self._source(key)
        return self._looked(source, self._store.own([key]).get(key), self._store.state(key))

    def set(self, actor: Actor, key: str, own: rows.OwnSource) -> Looked:
        """Replace what the company sets; `own.version` is what was seen. The next look is at once.

        What another address said before is forgotten: it is learned anew, not compared. Raises NotFound,
        NotAllowed, InvalidInput for an address that is not called, and Conflict for an older version.
        """
        actor.require_on(Right.CHANGES_WRITE)
        before, parts = self.get(key), urlsplit(own.url)
        if own.url and parts.scheme != "https" and parts.netloc not in self._allowed_hosts:
            raise InvalidInput([Problem("url", "only https addresses are called")])
        change = self._org.begin(actor)
        saved = rows.save_own(change, key, own)
        after = self._looked(self._source(key), saved, before.state)
        if after.source.url != before.source.url and before.state.version:
            forgotten = SourceState(key, looks=before.state.looks)
            rows.save_state(change, before.state, forgotten)
            after = replace(after, state=forgotten)
        if after.own.is_off:
            change.unschedule(f"{TRACK}#{key}")
        else:
            change.schedule(Entry(f"{TRACK}#{key}", Lane.CHORES, TRACK, key, change.now))
        change.record(f"source#{key}", "source set", off=saved.is_off, other_address=bool(saved.url))
        self._kernel.commit(change)
        return after

    def _source(self, key: str) -> Source:
        """Raises NotFound."""
        base = self._catalogue.get(key.removesuffix(f"@{server_of(key)}"))
        source = next((one for one in self._known([base] if base else []) if one.key == key), None)
        if source is None:
            raise NotFound(f"there is no source {key}")
        return source

    def _known(self, catalogue: Iterable[Source]) -> Iterator[Source]:
        for source in catalogue:
            if not is_of_servers(source):
                yield source
                continue
            hosts = Counter(filter(None, map(host_of, self._servers(source.platform))))
            for host in sorted(hosts, key=lambda host: (-hosts[host], host))[:MOST_SERVERS]:
                yield at_server(source, host)

    def _looked(self, source: Source, own: rows.OwnSource | None, state: SourceState | None) -> Looked:
        own = own or rows.OwnSource()
        every = timedelta(minutes=own.every_minutes) if own.every_minutes else source.every_for
        known = "company" if own.url else source.known
        as_set = replace(source, url=own.url or source.url, every_for=every, known=known)
        if not as_set.url:
            own = replace(own, is_off=True)
        return Looked(as_set, own, state or SourceState(source.key))
