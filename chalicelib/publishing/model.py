"""Posts, variants and their states; pure, and the only place that says which move is allowed and why.

A post is what a person writes; a variant is what one account gets. Until a post is signed off its variants
are only a view of it; from then on each is a row with a state of its own.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.errors import Conflict

ON_TIME_FOR = timedelta(seconds=60)  # up to a minute after its time a post is not late
FURTHEST_FOR = timedelta(days=366)  # how far ahead a time may be


class PostState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    LATE = "late"
    CANCELLED = "cancelled"


class VariantState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    LATE = "late"
    CANCELLED = "cancelled"


_S = VariantState
TRANSITIONS: dict[tuple[VariantState, VariantState], str] = {
    (_S.DRAFT, _S.IN_REVIEW): "the author asked for approval",
    (_S.IN_REVIEW, _S.DRAFT): "an approver declined, nobody answered in time, or the content changed",
    (_S.IN_REVIEW, _S.APPROVED): "the last stage signed off this revision",
    (_S.IN_REVIEW, _S.LATE): "the sign-off came after the post's time; it never publishes by itself",
    (_S.APPROVED, _S.SCHEDULED): "its entry is on the timetable",
    (_S.APPROVED, _S.DRAFT): "a change voided the sign-off",
    (_S.SCHEDULED, _S.DRAFT): "a change voided the sign-off",
    (_S.SCHEDULED, _S.PUBLISHING): "begin: approval and holds still stood, and the marker is written",
    (_S.SCHEDULED, _S.HELD): "a hold covers it, or its account cannot publish now",
    (_S.SCHEDULED, _S.LATE): "its time and its grace have passed",
    (_S.SCHEDULED, _S.CANCELLED): "a person cancelled it, or its late policy drops it",
    (_S.SCHEDULED, _S.REFUSED): "the platform or its rules refuse the content before the call",
    (_S.PUBLISHING, _S.PUBLISHED): "the platform confirmed it",
    (_S.PUBLISHING, _S.REFUSED): "the platform said no, in a documented way",
    (_S.PUBLISHING, _S.SCHEDULED): "the platform said that nothing was written; try again later",
    (_S.PUBLISHING, _S.HELD): "the platform refused the credentials; nothing was written",
    (_S.PUBLISHING, _S.UNKNOWN): "no documented answer came, or the worker died after the marker",
    (_S.UNKNOWN, _S.PUBLISHED): "reconcile found it, or the late answer came",
    (_S.UNKNOWN, _S.SCHEDULED): "not found, and the platform's own idempotency makes another try safe",
    (_S.UNKNOWN, _S.REFUSED): "a person looked, or the platform says, that it is not there",
    (_S.HELD, _S.SCHEDULED): "a person released it",
    (_S.HELD, _S.CANCELLED): "a person dropped it",
    (_S.HELD, _S.DRAFT): "a change voided the sign-off",
    (_S.LATE, _S.DRAFT): "the author changed it, for instance its time",
    (_S.LATE, _S.CANCELLED): "a person cancelled it",
    (_S.REFUSED, _S.DRAFT): "the author changed it",
    (_S.CANCELLED, _S.DRAFT): "the author took it up again",
}  # fmt: skip

BEGUN = frozenset({_S.PUBLISHING, _S.PUBLISHED, _S.UNKNOWN})


class LateAction(StrEnum):
    """What happens to a variant whose time passed before it could go out."""

    PUBLISH = "publish"  # within the grace; after it, it becomes late
    HOLD = "hold"
    DROP = "drop"


@dataclass(frozen=True)
class LatePolicy:
    action: LateAction = LateAction.PUBLISH
    grace_minutes: int = 30


@dataclass(frozen=True)
class MediaUse:
    """A checked file as a post uses it; the digest is of the bytes that will be sent."""

    media_id: str
    digest: str
    mime: str
    size: int
    alt: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Override:
    """What one account gets instead; None means as in the post."""

    text: str | None = None
    media: tuple[MediaUse, ...] | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Post:
    """What a person wrote, for which accounts and when; `revision` is the hash of all of that."""

    post_id: str
    title: str
    text: str
    language: str
    media: tuple[MediaUse, ...]
    targets: tuple[str, ...]
    overrides: dict[str, Override]
    publish_at: datetime
    zone: str
    tags: tuple[str, ...]
    late: LatePolicy
    author_id: str
    contributors: tuple[str, ...]
    unit_ids: tuple[str, ...]
    created_at: datetime
    state: PostState = PostState.DRAFT
    revision: str = ""
    signed_revision: str | None = None
    asked_revision: str | None = None  # the revision that approvers were last shown,
    previous_asked: str | None = None  # and the one before it
    request_id: str | None = None
    returned_with: str | None = None  # an approver's words, when it came back
    version: int = 0

    def content(self, account_id: str) -> tuple[str, tuple[MediaUse, ...], dict[str, str]]:
        """(text, media, options) for one account."""
        own = self.overrides.get(account_id, Override())
        text = self.text if own.text is None else own.text
        return text, self.media if own.media is None else own.media, own.options

    def with_revision(self) -> "Post":
        return replace(self, revision=revision_of(self))

    @property
    def signoff_shards(self) -> int:
        """Over how many rows the sign-off is spread, so that begins do not contend for one."""
        return min(16, -(-len(self.targets) // 8))


@dataclass(frozen=True)
class Variant:
    """What one account gets of one post, and how far it is."""

    post_id: str
    account_id: str
    platform: str
    unit_id: str
    revision: str
    state: VariantState
    due_at: datetime
    at: datetime  # since when it is in this state
    request_id: str | None = None  # the approval request that signed it off
    place: int = 0  # among the post's targets
    reason: str | None = None
    checkpoint: str | None = None  # the adapter's own JSON, written before the unsafe call
    fence: int = 0
    first_begun_at: datetime | None = None
    begun_at: datetime | None = None
    published_at: datetime | None = None
    external_id: str | None = None
    url: str | None = None
    hold_id: str | None = None
    released_from: tuple[str, ...] = ()
    version: int = 0

    @property
    def variant_id(self) -> str:
        return variant_id(self.post_id, self.account_id)

    @property
    def has_begun(self) -> bool:
        """Whether the platform may have a post of it; what it said was not written does not count.

        Scheduled again after an unknown outcome, it keeps `begun_at`: not found is not yet not there.
        """
        waits = self.state in (VariantState.SCHEDULED, VariantState.HELD, VariantState.LATE)
        return self.state in BEGUN or (waits and self.begun_at is not None)

    @property
    def entry_id(self) -> str:
        return f"publish#{self.variant_id}"

    def moved(
        self, to: VariantState, now: datetime, reason: str | None = None, **changes: object
    ) -> "Variant":
        """The variant in its next state. Raises Conflict for a move that TRANSITIONS does not know."""
        if (self.state, to) not in TRANSITIONS:
            raise Conflict(f"a {self.state} variant cannot become {to}")
        return replace(self, state=to, at=now, reason=reason, **changes)  # type: ignore[arg-type]


def withdrawable(variants: Iterable[Variant], request_id: str | None, to: VariantState) -> list[Variant]:
    """Those signed off by this request that a void takes back to `to`."""
    return [v for v in variants if v.request_id == request_id and (v.state, to) in TRANSITIONS]


def variant_id(post_id: str, account_id: str) -> str:
    return f"{post_id}~{account_id}"


def post_of(variant_id: str) -> str:
    return variant_id.partition("~")[0]


def account_of(variant_id: str) -> str:
    return variant_id.partition("~")[2]


def revision_of(post: Post) -> str:
    """SHA-256 over everything that approvers sign: text, language, media, overrides, targets and time."""
    content = {
        "text": post.text,
        "language": post.language,
        "media": _media_keys(post.media),
        "targets": sorted(post.targets),
        "overrides": {
            account_id: [own.text, None if own.media is None else _media_keys(own.media), own.options]
            for account_id, own in post.overrides.items()
            if account_id in post.targets
        },
        "publish_at": to_text(post.publish_at),
        "late": [post.late.action, post.late.grace_minutes],
    }
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def fields_of(post: Post) -> dict[str, Any]:
    """What its author sent, in the form that they send it."""

    def uses(media: tuple[MediaUse, ...]) -> list[dict[str, str]]:
        return [{"media_id": m.media_id, "alt": m.alt} for m in media]

    return {
        "title": post.title,
        "text": post.text,
        "language": post.language,
        "media": uses(post.media),
        "targets": list(post.targets),
        "overrides": {
            account_id: {
                "text": own.text,
                "media": None if own.media is None else uses(own.media),
                "options": own.options,
            }
            for account_id, own in post.overrides.items()
        },
        "publish_at": post.publish_at,
        "zone": post.zone,
        "tags": list(post.tags),
        "late": {"action": post.late.action, "grace_minutes": post.late.grace_minutes},
    }


def _media_keys(media: tuple[MediaUse, ...]) -> list[list[str]]:
    return [[m.digest, m.alt] for m in media]


def lateness_verdict(late: LatePolicy, due_at: datetime, now: datetime) -> VariantState | None:
    """The state a variant takes because of the hour, or None if it may go out."""
    late_for = now - due_at
    if late_for <= ON_TIME_FOR:
        return None
    match late.action:
        case LateAction.HOLD:
            return VariantState.HELD
        case LateAction.DROP:
            return VariantState.CANCELLED
    return VariantState.LATE if late_for > timedelta(minutes=late.grace_minutes) else None
