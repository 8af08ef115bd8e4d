"""Pictures of profiles, fetched from wherever the network keeps them and reduced to hashes at once.

A picture that cannot be had says nothing; it never stops a scan.
"""

import logging
from collections.abc import Callable

from chalicelib.core.errors import SignalboxError
from chalicelib.core.fetching import fetch
from chalicelib.core.http import HttpClient
from chalicelib.discovery.pictures import fingerprint, fingerprints

_MOST_BYTES = 2_000_000
_ACCEPT = "image/webp,image/png,image/jpeg,image/gif"
# What a network shows where there is no picture, which everybody without one has in common.
_NO_PICTURE = ("/avatars/original/missing.", "/default_profile_images/", "/default-avatar")

log = logging.getLogger(__name__)


class Avatars:
    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def of_theirs(self, url: str) -> tuple[int, ...]:
        """The hashes of a picture in several cuts, since a copy is often cut; () where there is none."""
        return self._hashed(url, fingerprints)

    def of_ours(self, url: str) -> tuple[int, ...]:
        """The hash of a picture as it is; () where there is none."""
        return self._hashed(url, lambda data: (fingerprint(data),))

    def _hashed(self, url: str, hashes: Callable[[bytes], tuple[int, ...]]) -> tuple[int, ...]:
        if not url or any(part in url for part in _NO_PICTURE):
            return ()
        try:
            return hashes(fetch(self._http, url, _ACCEPT, _MOST_BYTES).body)
        except SignalboxError as error:
            log.info("a picture says nothing", extra={"why": error.message})
            return ()
