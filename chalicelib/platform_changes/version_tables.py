"""The versions that a platform's own tables list, as the last looks at them found them."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Sequence

from chalicelib.core.errors import NotFound
from chalicelib.core.objects import Objects
from chalicelib.platform_changes.model import SourceKind
from chalicelib.platform_changes.source_settings import Looked
from chalicelib.platform_changes.sources.versions import VersionRow, rows
from chalicelib.platform_changes.versions import merged


class VersionTables:
    """`sources` gives every source with its last look; `family` whose table is a platform's, its own or
    another's.
    """

    def __init__(
        self, objects: Objects, sources: Callable[[], Iterable[Looked]], family: Callable[[str], str]
    ) -> None:
        self._objects = objects
        self._sources = sources
        self._family = family

    def rows(self, platform: str) -> Sequence[VersionRow]:
        """The newest first; none where no table has been read, or the platform has none."""
        tables = [found for found in self._sources() if found.source.kind == SourceKind.VERSIONS]
        own = [found for found in tables if found.source.platform == platform]
        wanted = own or [found for found in tables if found.source.platform == self._family(platform)]
        return merged(self._table(found.state.snapshot) for found in wanted if found.state.snapshot)

    def _table(self, key: str) -> Sequence[VersionRow]:
        try:
            return rows(json.loads(gzip.decompress(self._objects.read(key))))
        except (NotFound, OSError, EOFError, zlib.error, ValueError):
            return ()  # lost; the tracker learns it anew
