"""Our own profiles, prepared for being compared with whatever is found; read once in a while, not per hit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.clock import Clock
from chalicelib.discovery.scoring import Face, Score, score
from chalicelib.discovery.settings import DiscoverySettings, Settings
from chalicelib.platforms.port import Profile

KEPT_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Match:
    """The one of ours that a profile resembles most, or None for a brand without an account; and how much."""

    ours: Account | None
    score: Score


@dataclass(frozen=True)
class Gallery:
    """Ours, with their faces; `addresses` and `ids` say which profiles are ours already."""

    accounts: tuple[tuple[Account | None, Face], ...]
    addresses: frozenset[tuple[str, str, str]]
    ids: frozenset[tuple[str, str]]
    hosts: frozenset[str]

    def has(self, platform: str, server: str, profile: Profile) -> bool:
        """Whether a profile is one of ours."""
        if profile.external_id and (platform, profile.external_id) in self.ids:
            return True
        return _address(platform, server, profile.handle) in self.addresses

    def best(self, platform: str, face: Face, now: datetime) -> Match:
        """The likest of ours; of several, one on the same platform."""
        found = Match(None, Score(0.0, ()))
        is_there = False
        for ours, own in self.accounts:
            this = score(face, own, self.hosts, now)
            there = ours is not None and ours.platform == platform
            if (round(this.value, 6), there) > (round(found.score.value, 6), is_there):
                found, is_there = Match(ours, this), there
        return found


class Galleries:
    """Keeps the gallery for as long as it is fresh."""

    def __init__(self, accounts: Accounts, settings: DiscoverySettings, clock: Clock) -> None:
        self._accounts = accounts
        self._settings = settings
        self._clock = clock
        self._kept: tuple[datetime, Gallery] | None = None

    def now(self) -> Gallery:
        """Ours, at most KEPT_FOR old."""
        now = self._clock.now()
        if self._kept is None or now - self._kept[0] >= KEPT_FOR:
            self._kept = (now, gallery_of(list(self._accounts.everyone()), self._settings.now()))
        return self._kept[1]


def gallery_of(ours: list[Account], settings: Settings) -> Gallery:
    """The gallery of these accounts; several that look the same are compared as one."""
    faces: Mapping[tuple[object, ...], tuple[Account | None, Face]]
    faces = {_looks(a): (a, _face_of(a)) for a in sorted(ours, key=lambda a: a.account_id, reverse=True)}
    brands = [(None, Face(brand, brand)) for brand in settings.brands]
    return Gallery(
        (*faces.values(), *brands),
        frozenset(_address(a.platform, a.server, a.handle) for a in ours),
        frozenset((a.platform, a.external_id) for a in ours if a.external_id),
        settings.hosts,
    )


def _looks(account: Account) -> tuple[object, ...]:
    return (account.platform, account.handle, account.display_name, account.description, account.avatar_hash)


def _face_of(account: Account) -> Face:
    avatars = (int(account.avatar_hash, 16),) if account.avatar_hash else ()
    return Face(
        account.handle,
        account.display_name,
        account.description,
        avatars,
        (),
        account.followers,
        account.opened_at,
    )


def _address(platform: str, server: str, handle: str) -> tuple[str, str, str]:
    return platform, urlsplit(server).netloc, handle.removeprefix("@").casefold()
