"""Conversations, their messages, and the states a conversation may be in; the table of moves is data.

What happened on a platform (who wrote what, when) decides the facts of a conversation, in whatever order
it is told; what people decide (assign, wait, close) is theirs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from chalicelib.accounts.model import Account
from chalicelib.core.kernel import Change
from chalicelib.platforms.inbound import Author, InboundEvent, InboundMedia


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
        State.OPEN: "our answer is out, and what came at the same moment still waits",
        State.ASSIGNED: "somebody takes it",
        State.WAITING_CUSTOMER: "the customer has to say more",
        State.WAITING_COLLEAGUE: "a colleague has to say more",
        State.ANSWERED: "our answer is out",
        State.CLOSED: "nothing is left to do",
        State.IGNORED: "it needs no answer",
    },
    # People answer first and then say that they wait: for what they asked the customer, or a colleague.
    State.ANSWERED: {
        State.OPEN: "the customer wrote again, and nobody has it; or it is taken up again",
        State.ASSIGNED: "the customer wrote again, or it is taken up again",
        State.WAITING_CUSTOMER: "the customer has to say more",
        State.WAITING_COLLEAGUE: "a colleague has to say more",
        State.ESCALATED: "it is passed up",
        State.CLOSED: "nothing is left to do",
    },
    State.CLOSED: {
        State.OPEN: "the customer wrote again, or it is taken up again",
        State.ASSIGNED: "the customer wrote again, or it is taken up again",
        State.ANSWERED: "the customer wrote again, and our answer came in first",
    },
    State.IGNORED: {
        State.OPEN: "it needs an answer after all",
        State.ASSIGNED: "it needs an answer after all",
        State.ANSWERED: "somebody answered it all the same",
        State.CLOSED: "the customer deleted it",
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
class Decision:
    """What a person last decided, and what they knew: the newest messages of the customer and of ours then.

    It stands until something newer than they knew overtakes it (facts.settled); so the state follows from
    the decision and the messages, in whatever order those come.
    """

    state: State
    at: datetime
    heard_at: datetime | None
    said_at: datetime | None
    reason: str = field(default="", repr=False)


@dataclass(frozen=True)
class Conversation:
    """What one customer and one account have to say to each other in one place.

    The facts: `first_customer_at`, `last_customer_at`, `last_own_at`, `heard_at` (the newest customer's
    message that was not deleted) and `unanswered_since` (the oldest such message that no answer of ours is
    newer than; None when there is none) follow from its messages alone, and so does what the rules say of
    the first of them: `ignored_by_rule`, `routed_to`. `removed_at` is the latest deletion by the customer.
    `lock_until` and `lock_by` say who is writing an answer now. `at` is when anything last happened.
    `parts` are conversations that were merged into this one; their messages stay where they are stored.
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
    heard_at: datetime | None = None
    removed_at: datetime | None = None
    ignored_by_rule: str = field(default="", repr=False)
    routed_to: str | None = None
    priority_by_rule: Priority | None = None
    decision: Decision | None = None
    assigned_by_hand: bool = False
    priority_by_hand: bool = False
    touched: bool = False
    parts: tuple[str, ...] = ()
    version: int = 0

    @property
    def is_to_do(self) -> bool:
        return self.state in TO_DO and self.merged_into is None

    def writer(self, now: datetime) -> str | None:
        """Who holds the lock for writing an answer now."""
        return self.lock_by if self.lock_until is not None and now < self.lock_until else None


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
    post_id: str = ""
    ignored_by_rule: str = field(default="", repr=False)
    routed_to: str | None = None


@dataclass(frozen=True)
class Note:
    """What colleagues tell each other about a conversation; nobody outside sees it.

    A person is mentioned by id (`@person_...`), so that a new name changes nothing; `mentions` has the ids.
    """

    note_id: str
    conversation_id: str
    by_id: str
    at: datetime
    text: str = field(repr=False)
    mentions: tuple[str, ...] = ()


# What the inbox asks of clocks.py, rules.py and numbers.py


class Outcome(Protocol):
    """What the rules say of one message: `ignore` with the reason, or None."""

    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def ignore(self) -> str | None: ...
    @property
    def assignee_id(self) -> str | None: ...
    @property
    def priority(self) -> Priority | None: ...
    @property
    def crisis(self) -> bool: ...


class Ruling(Protocol):
    def of(self, unit_path: tuple[str, ...]) -> Any:
        """The rules that hold in a unit."""
        ...

    def apply(self, rules: Any, event: InboundEvent, account: Account) -> Outcome:
        """What they say of a customer's message; the same however often it is asked."""
        ...


class Timing(Protocol):
    def plan(self, change: Change, before: Conversation | None, after: Conversation) -> Conversation:
        """`after` with its clocks in line with facts and state; their timetable entries join the change."""
        ...


class Counting(Protocol):
    def count(
        self,
        change: Change,
        unit_id: str,
        account_id: str,
        at: datetime,
        person_id: str | None = None,
        **deltas: int,
    ) -> None: ...


def conversation_id(account_id: str, thread: str) -> str:
    """The same for the same thread of the same account, whichever of its messages comes first."""
    return "k" + hashlib.sha256(f"{account_id}#{thread}".encode()).hexdigest()[:32]
