"""Doing one look of a scan: a search, a web page, pictures of ours, or what somebody told us.

A look that fails is put off, and after a few times counted as failed; the others go on without it.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from chalicelib.accounts.model import plain_handle
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.errors import Busy, SignalboxError
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB
from chalicelib.core.http import HttpClient
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.discovery.appkeys import AppKeys
from chalicelib.discovery.avatars import Avatars
from chalicelib.discovery.candidates import Candidates, Hit
from chalicelib.discovery.gallery import Galleries
from chalicelib.discovery.model import Source, to_hex
from chalicelib.discovery.reasons import Why
from chalicelib.discovery.sites import links_on
from chalicelib.discovery.store import TABLE
from chalicelib.discovery.tellings import told_row
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AdapterError, RateLimited
from chalicelib.platforms.links import Address
from chalicelib.platforms.port import AccountRef, Profile, Reading, Searching

_PUT_OFF_FOR = timedelta(minutes=30)
_MOST_TRIES = 4
_MOST_HITS = 100  # of one search
_LONGEST_HANDLE = 253
_LONGEST_ID = 500
_PICTURES_FOR = timedelta(seconds=40)  # of a worker's ninety; what is left is compared without its picture
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")

log = logging.getLogger(__name__)


class Looks:
    """`searching` and `reading` give a network's ability by its name, None where it has none."""

    def __init__(
        self,
        kernel: Kernel,
        accounts: Accounts,
        candidates: Candidates,
        galleries: Galleries,
        keys: AppKeys,
        http: HttpClient,
        searching: Callable[[str], Searching | None],
        reading: Callable[[str], Reading | None],
    ) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._candidates = candidates
        self._galleries = galleries
        self._keys = keys
        self._http = http
        self._avatars = Avatars(http)
        self._searching = searching
        self._reading = reading

    def look(self, claim: Claim) -> None:
        """Do one look. Raises Later when it has to be put off; one that fails for good is counted."""
        args = claim.entry.args
        try:
            counts = self._done(args)
        except RateLimited as error:
            raise Later(error.until, dict(args)) from error
        except SignalboxError as error:
            tries = int(args.get("tries", "0")) + 1
            metrics.count("looks_failed")
            log.warning("a look failed", extra={"entry": claim.entry.entry_id, "why": error.message})
            if tries < _MOST_TRIES:
                again_at = self._kernel.clock.now() + _PUT_OFF_FOR * tries
                raise Later(again_at, {**args, "tries": str(tries)}) from error
            self._count(claim.entry.ref, {"failed": 1})
        else:
            self._count(claim.entry.ref, {"done": 1, **counts})

    def _done(self, args: Mapping[str, str]) -> dict[str, int]:
        match args["source"]:
            case "search":
                return self._search(args["platform"], args["server"], args["words"])
            case "site":
                return self._site(args["url"])
            case "pictures":
                return self._pictures(args["accounts"].split(","))
            case "told":
                return self._told(args["report"])
        raise SignalboxError(f"there is no look of the kind {args['source']}")

    def _search(self, platform: str, server: str, words: str) -> dict[str, int]:
        searching, keys = self._searching(platform), self._keys.of(platform)
        if searching is None or keys is None:
            return {"skipped": 1}
        found = searching.search(words, server, keys)[:_MOST_HITS]
        return self._take(hit for profile in found if (hit := hit_of(platform, server, profile)) is not None)

    def _site(self, url: str) -> dict[str, int]:
        host = urlsplit(url).hostname or ""
        links = links_on(self._http, url)
        return self._take(
            hit
            for link in links
            if (hit := self._hit_at(link.address, link.url, Source.SITE, host)) is not None
        )

    def _told(self, report_id: str) -> dict[str, int]:
        told = told_row(self._kernel.database, report_id)
        found = (self._hit_at(address, url, told.source) for address, url in told.addresses)
        return self._take(replace(hit, note=told.words) for hit in found if hit is not None)

    def _pictures(self, account_ids: list[str]) -> dict[str, int]:
        hashed = 0
        for account in self._accounts.get_many(account_ids).values():
            found = self._avatars.of_ours(account.avatar_url)
            if found and account.avatar_hash != to_hex(found[0]):
                change = self._kernel.change(BY_JOB)
                self._accounts.amend(change, account, what="picture read", avatar_hash=to_hex(found[0]))
                self._kernel.commit(change)
                hashed += 1
        return {"hashed": hashed}

    def _hit_at(self, address: Address, url: str, source: Source, host: str = "") -> Hit | None:
        """The profile at an address as its network tells it, or what the address alone says of it."""
        server = address.server or registry.read_traits(address.platform).default_server
        bare = Profile("", address.handle, address.handle, url, None, None, "unread")
        if self._galleries.now().has(address.platform, server, bare):
            return None
        read = self._read(address, server)
        profile = replace(read, handle=plain_handle(read.handle, server)) if read else bare
        word, values = _WORDS.get(source), (("site", host),) if host else ()
        return Hit(address.platform, server, profile, source, word, values)

    def _read(self, address: Address, server: str) -> Profile | None:
        """The profile where anybody may read it; None where not, and where it could not be had."""
        reading, keys = self._reading(address.platform), self._keys.of(address.platform)
        traits = registry.read_traits(address.platform)
        if reading is None or keys is None or not traits.anyone:
            return None
        if not traits.app_credentials:
            keys = {}  # what is there is for searching; a token may be answered with its own profile
        try:
            return reading.profile(AccountRef("", address.platform, address.handle, server, "", keys))
        except AdapterError as error:
            log.info("a profile was not read", extra={"platform": address.platform, "why": error.message})
            return None

    def _take(self, hits: Iterable[Hit]) -> dict[str, int]:
        gallery, counts = self._galleries.now(), dict[str, int]()
        ends_at = self._kernel.clock.now() + _PICTURES_FOR

        def pictures(url: str) -> tuple[int, ...]:
            return self._avatars.of_theirs(url) if self._kernel.clock.now() < ends_at else ()

        for hit in hits:
            try:
                became = self._candidates.take(hit, gallery, pictures)
            except Busy:
                raise
            except SignalboxError as error:
                became = "refused"
                log.warning("what was found cannot be kept", extra={"why": error.message})
            counts[became] = counts.get(became, 0) + 1
        return counts

    def _count(self, week: str, counts: Mapping[str, int]) -> None:
        """Add to the week's numbers, which no decision rests on."""
        told = {name: n for name, n in counts.items() if n}
        adding = where("ADD " + ", ".join(f"{name} :{name}" for name in told), **told)
        self._kernel.database.update(TABLE, {"pk": f"scan#{week}", "sk": "numbers"}, adding)


_WORDS = {Source.SITE: Why.ON_OUR_SITE, Source.REPORT: Why.REPORTED}


def hit_of(platform: str, server: str, profile: Profile) -> Hit | None:
    """What a search found, at the server where it lives; None for what is no profile that we can name."""
    name, at, host = profile.handle.removeprefix("@").rpartition("@")
    home, handle = (f"https://{host.lower()}", name) if at else (server, host)
    if at and not _HOST.fullmatch(host.lower()):
        return None
    if not 0 < len(handle) <= _LONGEST_HANDLE or len(profile.external_id) > _LONGEST_ID:
        return None
    if any(c.isspace() or c in "#/" for c in handle + profile.external_id):
        return None
    return Hit(platform, home, replace(profile, handle=handle), Source.SEARCH)
