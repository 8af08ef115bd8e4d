"""Conversations, their messages, and the states a conversation may be in; the table of moves is data.

What happened on a platform (who wrote what, when) decides the facts of a conversation, in whatever order
it is told; what people decide (assign, wait, close) is theirs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chalicelib.platforms.inbound import Author, InboundMedia


class State(StrEnum):
    OPEN = "open"
    ASSIGNED = "assigned"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_COLLEAGUE = "waiting_colleague"
    ESCALATED = "escalated"
    ANSWERED = "answered"
    CLOSED = "closed"
    IGNORED = "ignored"


TO_DO = frozenset({State.OPEN, State.ASSIGNED, State.WAITING_COLLEAGUE, State.ESCALATED})
"""Somebody here has to do something; WAITING_CUSTOMER stops the clocks, the other three end them."""

MOVES: Mapping[State, Mapping[State, str]] = {
    State.OPEN: {
        State.ASSIGNED: "somebody takes it",
        State.WAITING_CUSTOMER: "the customer has to say more",
        State.WAITING_COLLEAGUE: "a colleague has to say more",
        State.ESCALATED: "it is passed up",
        State.ANSWERED: "our answer is out",
        State.CLOSED: "nothing is left to do",
        State.IGNORED: "it needs no answer",
    },
    State.ASSIGNED: {
        State.OPEN: "it is given back",
        State.WAITING_CUSTOMER: "the customer has to say more",
        State.WAITING_COLLEAGUE: "a colleague has to say more",
        State.ESCALATED: "it is passed up",
        State.ANSWERED: "our answer is out",
        State.CLOSED: "nothing is left to do",
        State.IGNORED: "it needs no answer",
    },
    State.WAITING_CUSTOMER: {
        State.OPEN: "the customer wrote, and nobody has it",
        State.ASSIGNED: "the customer wrote, or somebody takes it",
        State.WAITING_COLLEAGUE: "a colleague has to say more",
        State.ESCALATED: "it is passed up",
        State.ANSWERED: "our answer is out",
        State.CLOSED: "nothing is left to do",
        State.IGNORED: "it needs no answer",
    },
    State.WAITING_COLLEAGUE: {
        State.OPEN: "it is given back",
        State.ASSIGNED: "the colleague answered",
        State.WAITING_CUSTOMER: "the customer has to say more",
        State.ESCALATED: "it is passed up",
        State.ANSWERED: "our answer is out",
        State.CLOSED: "nothing is left to do",
        State.IGNORED: "it needs no answer",
    },
    State.ESCALATED: {
        State.ASSIGNED: "somebody takes it",
        State.WAITING_CUSTOMER: "the customer has to say more",
        State.WAITING_COLLEAGUE: "a colleague has to say more",
        State.ANSWERED: "our answer is out",
        State.CLOSED: "nothing is left to do",
        State.IGNORED: "it needs no answer",
    },
    State.ANSWERED: {
        State.OPEN: "the customer wrote again, and nobody has it",
        State.ASSIGNED: "the customer wrote again",
        State.ESCALATED: "it is passed up",
        State.CLOSED: "nothing is left to do",
    },
    State.CLOSED: {
        State.OPEN: "the customer wrote again, or it is taken up again",
        State.ASSIGNED: "the customer wrote again, or it is taken up again",
    },
    State.IGNORED: {
        State.OPEN: "it needs an answer after all",
        State.ASSIGNED: "it needs an answer after all",
    },
}


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class ClockKind(StrEnum):
    FIRST_ANSWER = "first_answer"
    NEXT_ANSWER = "next_answer"
    RESOLUTION = "resolution"


@dataclass(frozen=True)
class ClockState:
    """One running or stopped clock of a conversation.

    `spent_for` is business seconds used before `running_since`; None there means paused. `due_at` is when
    the target is reached if it runs on. `step` counts what has been said: half, four fifths, breach, then
    each step of the escalation. `ended_at` is when the fact it waits for happened.
    """

    kind: ClockKind
    target_for: int
    started_at: datetime
    running_since: datetime | None
    spent_for: int = 0
    due_at: datetime | None = None
    step: int = 0
    breached_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Conversation:
    """What one customer and one account have to say to each other in one place.

    The facts: `first_customer_at`, `last_customer_at`, `last_own_at` and `unanswered_since` (the oldest
    customer's message after our last answer; None when there is none) follow from its messages alone.
    `lock_until` and `lock_by` say who is writing an answer now.
    """

    conversation_id: str
    account_id: str
    unit_id: str
    platform: str
    kind: str
    thread: str
    post_id: str
    customer: Author
    state: State
    created_at: datetime
    at: datetime
    first_customer_at: datetime
    last_customer_at: datetime
    unanswered_since: datetime | None
    last_own_at: datetime | None = None
    first_answered_at: datetime | None = None
    resolved_at: datetime | None = None
    messages: int = 0
    language: str = ""
    assignee_id: str | None = None
    reason: str = field(default="", repr=False)
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()
    crisis: bool = False
    lock_by: str | None = None
    lock_until: datetime | None = None
    merged_into: str | None = None
    clocks: tuple[ClockState, ...] = ()
    version: int = 0


@dataclass(frozen=True)
class Message:
    """One thing somebody said. `own` is ours, `by_id` then the person here who sent it (None: made outside).

    A text that the customer deleted is gone here too: `deleted_at` says when, and that it was there.
    """

    conversation_id: str
    external_id: str
    kind: str
    own: bool
    author: Author
    at: datetime
    received_at: datetime
    text: str = field(default="", repr=False)
    language: str = ""
    right_to_left: bool = False
    parent_id: str = ""
    url: str = ""
    media: tuple[InboundMedia, ...] = ()
    raw_key: str = ""
    stale: bool = False
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    by_id: str | None = None
    reply_id: str | None = None


def conversation_id(account_id: str, thread: str) -> str:
    """The same for the same thread of the same account, whichever of its messages comes first."""
    return "k" + hashlib.sha256(f"{account_id}#{thread}".encode()).hexdigest()[:32]
