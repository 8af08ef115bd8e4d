"""What a social network looks like to the rest of Signalbox: values, and one Protocol for each ability.

Nothing here knows a network. docs/add-a-platform.md says how to add one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from chalicelib.core import errors
from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient

Checkpoint = Mapping[str, Any]
"""What an adapter needs to remember between steps: plain JSON, no secrets. Adapters return new ones."""

FOREVER = timedelta.max
"""For `Traits.idempotent_for`: compare with it, never add it."""


@dataclass(frozen=True)
class AccountRef:
    """One profile on one network. `server` is the base URL of the server it lives on.

    `external_id` is the network's own id, empty before the first `profile`.
    """

    account_id: str
    platform: str
    handle: str
    server: str
    external_id: str
    credentials: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Media:
    """One file of a post; `size` in bytes, `width` and `height` in pixels, `alt` the description."""

    media_id: str
    digest: str
    mime: str
    size: int
    width: int
    height: int
    alt: str = field(repr=False)
    read: Callable[[], bytes] = field(repr=False, compare=False)


@dataclass(frozen=True)
class ReplyTo:
    """What a reply answers: its id on the network, and the handle of who wrote it."""

    external_id: str
    handle: str


@dataclass(frozen=True)
class Content:
    """What one account is to publish; `language` is a BCP 47 tag, `options` are the network's own.

    With `reply_to` it is an answer, which takes the same steps as a post (the ability "reply").
    """

    text: str = field(repr=False)
    media: tuple[Media, ...] = ()
    language: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    reply_to: ReplyTo | None = None


@dataclass(frozen=True)
class Problem(errors.Problem):
    """A rule that a content breaks; `over` is by how much, where the rule is a number."""

    over: int | None = None

    def as_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = super().as_dict()
        return said if self.over is None else {**said, "over": self.over}


@dataclass(frozen=True)
class MediaRule:
    """What one kind of file may be; `alone` means that nothing may stand beside it."""

    kind: str
    mimes: frozenset[str]
    most_bytes: int
    most_pixels: int | None = None
    alone: bool = False


@dataclass(frozen=True)
class Limits:
    """What one account may publish. `characters` are counted as the network counts (`Traits.counted_in`).

    `link_characters` is what a link counts as, None when it counts as written. `read_at` is when the server
    told these limits, None for the network's defaults.
    """

    characters: int
    media: int
    alt_characters: int
    media_rules: tuple[MediaRule, ...]
    text_bytes: int | None = None
    link_characters: int | None = None
    read_at: datetime | None = None


@dataclass(frozen=True)
class Rate:
    """At most `most` of `what` in any `per_for`, for one account."""

    what: str
    most: int
    per_for: timedelta


@dataclass(frozen=True)
class Traits:
    """What is true of a network, for every account on it.

    `idempotent_for`: how long after the first attempt `publish` may be called again with the same checkpoint
    and cannot post twice, once `visible_after_for` has passed since the last attempt; None: never.
    `visible_after_for`: how long a post can stay out of `find`'s sight, a request still under way included.
    `publish_for`: the longest that the one call of `publish` takes. `version`, `version_ends_on` (the first
    day without it) and `version_set_in` (the setting to change) are None where the network has no versions.
    `options`: what `Content.options` may hold; None is any text.
    `reply_within`: how long a customer's message may be answered, None where there is no end to it.
    """

    platform: str
    name: str
    default_server: str
    counted_in: str
    limits: Limits
    options: Mapping[str, frozenset[str] | None]
    rates: tuple[Rate, ...]
    abilities: frozenset[str]
    idempotent_for: timedelta | None
    visible_after_for: timedelta
    publish_for: timedelta
    version: str | None = None
    version_ends_on: date | None = None
    version_set_in: str | None = None
    reply_within: timedelta | None = None


@dataclass(frozen=True)
class Published:
    """A post that exists; `url` is empty where the network gave none that a browser may open."""

    external_id: str
    url: str


@dataclass(frozen=True)
class Found:
    published: Published


@dataclass(frozen=True)
class Absent:
    """Not seen at this look; only several looks across `Traits.visible_after_for` make it certain."""


@dataclass(frozen=True)
class Unsure:
    """This look said nothing, for `reason`; the network asks not to be asked before `until`."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class Several:
    """More than one post matches; a person must look."""

    external_ids: tuple[str, ...]


Sighting = Found | Absent | Unsure | Several


@dataclass(frozen=True)
class Profile:
    """What a network says of an account; None where it does not say.

    `last_post_at` may be exact to the day only. `status` is `active` or the network's word for what is wrong.
    `opened_at` is when the profile was made there; `links` are those in its own fields, as they are written.
    """

    external_id: str
    handle: str
    display_name: str
    url: str
    followers: int | None
    last_post_at: datetime | None
    status: str
    description: str = ""
    avatar_url: str = ""
    verified: bool | None = None
    opened_at: datetime | None = None
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Activity:
    """What the cheapest look at an account says: when it last posted by itself, replies and shares included
    only where the network cannot leave them out. `last_post_at` None means that it never did.
    """

    last_post_at: datetime | None
    followers: int | None
    status: str


class SessionStore(Protocol):
    """Where adapters keep sessions: secrets, readable by the next worker."""

    def get(self, account_id: str) -> dict[str, Any] | None: ...

    def put(self, account_id: str, session: dict[str, Any]) -> None: ...


@runtime_checkable
class Publishing(Protocol):
    """The steps of publishing, in order: plan, prepare, publish; and find, when the outcome is not known."""

    def limits(self, account: AccountRef) -> Limits:
        """What this account may publish now; the defaults when the server cannot say. Raises nothing."""
        ...

    def count(self, content: Content, limits: Limits) -> int:
        """How much of `limits.characters` a content uses."""
        ...

    def problems(self, content: Content, limits: Limits) -> Sequence[Problem]:
        """Every rule that a content breaks, without calling anybody."""
        ...

    def plan(self, content: Content, now: datetime, key: str) -> Checkpoint:
        """The first checkpoint, made without calling anybody; `key` is the variant's and never changes."""
        ...

    def prepare(self, account: AccountRef, content: Content, checkpoint: Checkpoint) -> Checkpoint:
        """Do what can be done again safely (sign in, upload), and return what was done.

        Raises NotReady, or any other AdapterError but OutcomeUnknown; each carries the checkpoint so far.
        """
        ...

    def publish(self, account: AccountRef, content: Content, checkpoint: Checkpoint) -> Published:
        """Make the post: exactly one request that can create it, and none that is not needed for it.

        Raises any AdapterError; all but OutcomeUnknown mean that nothing was written.
        """
        ...

    def find(
        self, account: AccountRef, content: Content, checkpoint: Checkpoint, since: datetime
    ) -> Sighting:
        """Look for the post of this checkpoint among those made since a time. Raises nothing."""
        ...


@runtime_checkable
class Reading(Protocol):
    def profile(self, account: AccountRef) -> Profile:
        """The account as the network sees it, which proves its credentials where it has some.

        Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        ...

    def activity(self, account: AccountRef) -> Activity:
        """When it last posted, by one call once signed in. Raises as `profile` does."""
        ...


@dataclass(frozen=True)
class ReadTraits:
    """What reading profiles of a network takes, for every account on it.

    `anyone`: any profile can be read, with no credentials or the app's own instead of the account's;
    `app_credentials` names those (secrets at `apps/<platform>`). `rates` are of one app or address. What is
    said of a version is as in `Traits`.
    """

    platform: str
    name: str
    default_server: str
    anyone: bool
    rates: tuple[Rate, ...]
    app_credentials: tuple[str, ...] = ()
    version: str | None = None
    version_ends_on: date | None = None
    version_set_in: str | None = None


@runtime_checkable
class Searching(Protocol):
    """For networks that let a profile be found by words."""

    def search(self, words: str, server: str, credentials: Mapping[str, str]) -> Sequence[Profile]:
        """The first page of profiles that the network finds, by one call; `credentials` are the app's.

        Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        ...


ABILITIES: Mapping[str, type] = {"publish": Publishing, "read": Reading, "reply": Publishing}
"""The words of `Traits.abilities`, and the Protocol that each one promises."""


class Adapter(Publishing, Reading, Protocol):
    """One network. Constructing one calls nobody and loads nothing heavy."""

    traits: Traits

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None: ...
