"""What comes in from a social network: values, and one Protocol for each way it comes in.

A delivery is one webhook call. It is verified over its raw bytes, split into pieces (each the platform's own
JSON, or what an adapter made of its XML), and each piece becomes inbound events in a worker. A poll makes
the same pieces.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from chalicelib.core.errors import SignalboxError
from chalicelib.platforms.port import AccountRef

Piece = Mapping[str, Any]
"""One event as the platform said it: plain JSON, small enough for a queue."""


class InboundKind(StrEnum):
    COMMENT = "comment"
    MENTION = "mention"
    MESSAGE = "message"
    REACTION = "reaction"
    SHARE = "share"
    CONTENT_DELETED = "content_deleted"
    PERMISSION_REVOKED = "permission_revoked"
    ACCOUNT_RESTRICTED = "account_restricted"
    PROFILE_CHANGED = "profile_changed"
    PUBLISH_RESULT = "publish_result"
    UNKNOWN = "unknown"


CONVERSATIONAL = frozenset({InboundKind.COMMENT, InboundKind.MENTION, InboundKind.MESSAGE})
"""The kinds that somebody may have to answer."""


@dataclass(frozen=True)
class Author:
    """Who wrote it, as the platform says; `external_id` is the platform's own id."""

    external_id: str
    handle: str = ""
    name: str = field(default="", repr=False)
    url: str = ""


@dataclass(frozen=True)
class InboundMedia:
    """`kind` is image, video, audio, file or link; the URL is the platform's and is never fetched here."""

    kind: str
    url: str
    alt: str = field(default="", repr=False)


@dataclass(frozen=True)
class InboundEvent:
    """One thing that happened on a platform, in our words.

    `key` is the same for every delivery of the same thing, and for nothing else (platforms.md A1).
    `account` is the platform's own id of our account; empty when the whole application is meant.
    `external_id` is of the object it is about: a comment, a message, a post, a publish job.
    `thread` names the conversation among those of the account. It follows from the event alone, so that
    events may come in any order; empty when it cannot (then `parent_id` leads to it).
    `own` says that our account wrote it. `happened_at` is when the object was made, `edited_at` when this
    version of it was. `is_server_wide`: a whole server's webhook told it, which tells of strangers, too; it
    is known, and nobody's here unless it is `account`'s. `details` are the kind's own: for permission_revoked
    and account_restricted `reason` (plain words), for publish_result `outcome` (published, failed), `reason`,
    `post_id` and `url`, for reaction `reaction`, for profile_changed `field`, for unknown `type` (the
    platform's word for it).
    """

    platform: str
    kind: InboundKind
    key: str
    account: str
    happened_at: datetime
    external_id: str = ""
    author: Author | None = None
    own: bool = False
    thread: str = ""
    parent_id: str = ""
    post_id: str = ""
    text: str = field(default="", repr=False)
    language: str = ""
    url: str = ""
    media: tuple[InboundMedia, ...] = ()
    edited_at: datetime | None = None
    is_server_wide: bool = field(default=False, compare=False)  # how it came, not what it is
    details: Mapping[str, str] = field(default_factory=dict)


# The door


class BadSignature(SignalboxError):
    """The delivery is not proven to be the platform's."""

    status = 401
    code = "bad_signature"


@dataclass(frozen=True)
class Delivery:
    """One webhook call as it came; header names are in lower case."""

    app: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes = field(repr=False)
    received_at: datetime


@dataclass(frozen=True)
class LiveSecrets:
    """The shared secrets that count now: the current one, then the one before while it is not retired.

    `values` are other things a scheme needs, such as `verify_token`.
    """

    keys: tuple[bytes, ...] = field(repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Signed:
    """A proven delivery: which form of the signature matched, and whether it is older than its window."""

    form: str
    stale: bool = False


@dataclass(frozen=True)
class Handshake:
    """What to answer a platform that checks the address; `status` 404 or 403 is a refusal.

    `confirmed` is a piece for the ingest worker (a WebSub lease), or None.
    """

    body: str
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    confirmed: Piece | None = None


@runtime_checkable
class Receiving(Protocol):
    """A platform's webhook scheme. Knows no service, calls nobody, and loads nothing heavy."""

    platform: str
    ignores_bad_signatures: bool
    """True where the specification wants 2xx for what is not proven (WebSub)."""

    def handshake(self, delivery: Delivery, secrets: LiveSecrets) -> Handshake | None:
        """The answer to a GET; None when it is not a handshake of this platform. Raises nothing."""
        ...

    def verify(self, delivery: Delivery, secrets: LiveSecrets) -> Signed:
        """Raises BadSignature unless the raw bytes are signed with a live secret, in constant time."""
        ...

    def split(self, delivery: Delivery) -> Sequence[Piece]:
        """The events of a verified delivery. Raises InvalidInput for a body that is not the platform's."""
        ...

    def normalise(self, piece: Piece) -> Sequence[InboundEvent]:
        """What a piece says in our words; `unknown` for what it does not know.

        Raises ValueError, KeyError or TypeError for a piece that is broken.
        """
        ...


# Polls


@dataclass(frozen=True)
class Polled:
    """What came since the cursor, oldest first; `more` when there is more to fetch at once.

    The cursor is saved after the pieces are in the queue, so a crash repeats and never skips.
    """

    pieces: tuple[Piece, ...]
    cursor: str
    more: bool = False


@runtime_checkable
class Polling(Protocol):
    """For platforms without webhooks. Pieces are normalised by the platform's `Receiving`."""

    def poll(self, account: AccountRef, cursor: str) -> Polled:
        """What happened since the cursor; the first poll ("") starts at now and takes no history.

        Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        ...


# Subscriptions


@dataclass(frozen=True)
class Subscription:
    """What a platform says of our subscription for one account.

    `state` is live, missing, invalid or unknown (it cannot be asked). `problem` says in plain words what a
    person must do where `renew` cannot mend it; `ends_at` is when it ends unless renewed.
    """

    state: str
    problem: str = ""
    ends_at: datetime | None = None


@runtime_checkable
class Watching(Protocol):
    """Checks, makes and renews a platform's subscription for an account."""

    def subscription(self, account: AccountRef, callback: str) -> Subscription:
        """What is there now. Raises any AdapterError but OutcomeUnknown and NotReady."""
        ...

    def renew(self, account: AccountRef, callback: str, secret: str) -> Subscription:
        """Make or renew it (safe to repeat). Raises as `subscription` does."""
        ...


@runtime_checkable
class BackFilling(Protocol):
    """Fetches what an outage of ours missed, where the platform keeps it."""

    def missed(self, account: AccountRef, since: datetime, until: datetime) -> Sequence[Piece]:
        """Pieces of that time, or none where the platform delivers them by webhook again on request.

        Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        ...
