"""What was found: a candidate is a profile that looks like one of ours, with the reasons, until somebody says
what it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from chalicelib.discovery.likeness import plain
from chalicelib.discovery.reasons import Reason
from chalicelib.discovery.scoring import SAME_BITS, Face, distance
from chalicelib.platforms.port import Profile


class State(StrEnum):
    """What a candidate is: nobody has said yet, or somebody's verdict."""

    NEW = "new"
    OFFICIAL = "official"
    DUPLICATE = "duplicate"
    FAN = "fan"
    IMPOSTOR = "impostor"
    UNRELATED = "unrelated"


CLAIMED = frozenset({State.OFFICIAL, State.DUPLICATE})
LASTING = frozenset({State.OFFICIAL, State.DUPLICATE, State.IMPOSTOR})
"""Verdicts after which nobody is asked again, however the profile changes."""


class Source(StrEnum):
    """Where a profile was come upon."""

    SEARCH = "search"  # a network's own search
    SITE = "site"  # a link on one of our web sites
    EXPORT = "export"  # a web search's results, uploaded
    REPORT = "report"  # somebody told us


@dataclass(frozen=True)
class Snapshot:
    """A profile as it was when it was last seen; `avatar_hash` is 16 hex digits, empty without a picture."""

    name: str = ""
    url: str = ""
    description: str = ""
    avatar_url: str = ""
    avatar_hash: str = ""
    followers: int | None = None
    verified: bool | None = None
    opened_at: datetime | None = None
    links: tuple[str, ...] = ()

    @classmethod
    def of(cls, profile: Profile, avatars: tuple[int, ...]) -> Self:
        return cls(
            profile.display_name,
            profile.url,
            profile.description,
            profile.avatar_url,
            to_hex(avatars[0]) if avatars else "",
            profile.followers,
            profile.verified,
            profile.opened_at,
            profile.links,
        )

    def differs(self, other: "Snapshot") -> bool:
        """Whether the two show something else to a passer-by: another name, another picture."""
        if plain(self.name) != plain(other.name):
            return True
        if not self.avatar_hash or not other.avatar_hash:
            return self.avatar_hash != other.avatar_hash and self.avatar_url != other.avatar_url
        return distance(int(self.avatar_hash, 16), int(other.avatar_hash, 16)) > SAME_BITS


@dataclass(frozen=True)
class Candidate:
    """`like_id` is the account of ours that it resembles most; `unit_id` is that one's unit, whose people are
    asked. `account_id` is its own row in the register. `score` is in hundredths. `notes` are what people who
    reported it wrote.
    """

    candidate_id: str
    platform: str
    server: str
    handle: str
    external_id: str
    account_id: str
    unit_id: str
    score: int
    reasons: tuple[Reason, ...]
    profile: Snapshot
    sources: frozenset[str]
    first_seen_at: datetime
    last_seen_at: datetime
    like_id: str | None = None
    state: State = State.NEW
    decided_at: datetime | None = None
    decided_by: str = ""
    same_as: str | None = None
    asked_again: int = 0
    notes: tuple[str, ...] = ()
    version: int = 1


def face_of(profile: Profile, avatars: tuple[int, ...] = ()) -> Face:
    """What is compared of a profile that was read or found."""
    return Face(
        profile.handle,
        profile.display_name,
        profile.description,
        avatars,
        profile.links,
        profile.followers,
        profile.opened_at,
    )


def to_hex(avatar: int) -> str:
    """A picture's hash as it is stored."""
    return f"{avatar:016x}"
