"""Answers: what a person wrote to be sent to a customer, and what became of it; the table of moves is data.

An answer takes the road of a post: approved where the unit wants it, fenced, sent at most once, proven.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.platforms.inbound import Author


class ReplyState(StrEnum):
    IN_REVIEW = "in_review"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


UNDER_WAY = frozenset({ReplyState.IN_REVIEW, ReplyState.QUEUED, ReplyState.SENDING, ReplyState.UNKNOWN})
"""While an answer is in one of these, nobody else answers the same message."""

REPLY_MOVES: Mapping[ReplyState, Mapping[ReplyState, str]] = {
    ReplyState.IN_REVIEW: {
        ReplyState.QUEUED: "it was approved",
        ReplyState.WITHDRAWN: "its author took it back, or it was not approved",
    },
    ReplyState.QUEUED: {
        ReplyState.SENDING: "the call to the platform begins",
        ReplyState.REFUSED: "the platform will not take it",
        ReplyState.WITHDRAWN: "its author took it back in time",
    },
    ReplyState.SENDING: {
        ReplyState.SENT: "the platform has it",
        ReplyState.QUEUED: "the platform said that nothing was written, and to try again",
        ReplyState.REFUSED: "the platform said that nothing was written, and never will be",
        ReplyState.UNKNOWN: "the platform did not say what became of it",
    },
    ReplyState.UNKNOWN: {
        ReplyState.SENT: "it was found on the platform",
        ReplyState.QUEUED: "it is not there, and the platform makes sending it again safe",
        ReplyState.REFUSED: "a person looked, and it is not there",
    },
    ReplyState.SENT: {},
    ReplyState.REFUSED: {},
    ReplyState.WITHDRAWN: {},
}


class Approval(StrEnum):
    """Which answers of a unit need approval: none, those that are not word for word a saved one, or all."""

    NONE = "none"
    NEW = "new"
    ALL = "all"


@dataclass(frozen=True)
class ReplyPolicy:
    """What a unit wants of its answers; who approves is the unit's approval policy for posts."""

    approval: Approval = Approval.NONE


@dataclass(frozen=True)
class Reply:
    """An answer of `by_id` to the message `to_id` by `to`. `checkpoint` is the adapter's own, as JSON.

    `fence` counts the calls that have begun. `begun_at` is when the last one did that may have been written,
    and `first_begun_at` the first. `approved_at` is None where nobody had to approve it.
    """

    reply_id: str
    conversation_id: str
    account_id: str
    to_id: str
    to: Author
    post_id: str
    kind: str
    by_id: str
    state: ReplyState
    created_at: datetime
    at: datetime
    text: str = field(repr=False)
    language: str = ""
    saved_id: str | None = None
    request_id: str | None = None
    approved_at: datetime | None = None
    reason: str | None = field(default=None, repr=False)
    checkpoint: str | None = field(default=None, repr=False)
    fence: int = 0
    begun_at: datetime | None = None
    first_begun_at: datetime | None = None
    sent_at: datetime | None = None
    external_id: str | None = None
    url: str | None = None
    version: int = 0

    @property
    def ref(self) -> str:
        """How timetable entries and approval requests name it."""
        return f"{self.conversation_id}~{self.reply_id}"

    @property
    def entry_id(self) -> str:
        return f"reply#{self.reply_id}~{self.account_id}"

    @property
    def revision(self) -> str:
        """What approvers sign: to whom, and what."""
        return hashlib.sha256(f"{self.to_id}\n{self.text}".encode()).hexdigest()[:32]

    def moved(self, to: ReplyState, now: datetime, reason: str | None = None, **changes: Any) -> "Reply":
        """The reply in its next state. Raises ValueError for a move that is not in the table."""
        if to not in REPLY_MOVES[self.state]:
            raise ValueError(f"a reply cannot go from {self.state} to {to}")
        return replace(self, state=to, at=now, reason=reason, **changes)


@dataclass(frozen=True)
class SavedReply:
    """A text that a unit, and every one below it, may answer with, by language.

    `{name}` in it stands for the customer's name, `{handle}` for their handle.
    """

    saved_id: str
    unit_id: str
    name: str
    texts: dict[str, str] = field(repr=False)
    by_id: str
    at: datetime
    version: int = 0

    def text_for(self, language: str, customer: Author) -> str | None:
        """The text in a language, filled in; None where there is none in it."""
        text = self.texts.get(language.partition("-")[0].lower())
        if text is None:
            return None
        name = customer.name or customer.handle
        return text.replace("{name}", name).replace("{handle}", customer.handle)
