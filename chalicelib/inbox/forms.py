"""What callers send to the inbox's routes, and what they get back; validated once, here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from chalicelib.core.listings import Paging
from chalicelib.inbox.access import Wanted
from chalicelib.inbox.model import Priority, State
from chalicelib.inbox.store import GROUPS, group_of

MOST_AT_ONCE = 50

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,80}$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,40}$", to_lower=True)]
Tags = Annotated[list[Tag], Field(min_length=1, max_length=20)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Version = Annotated[
    int | None,
    Field(ge=1, description="The version you saw; refused if anything has happened in it since."),
]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class InboxQuery(Paging):
    """Which conversations, and which page of them; a group without a state is all of its states."""

    state: State | None = None
    group: Literal["todo", "waiting", "done", "ignored"] | None = Field(
        None, description="The state's, or todo, without it."
    )
    unit: Id | None = Field(None, description="And all below it.")
    account: Id | None = None
    assignee: Id | None = Field(None, description="A person's id, or `me`.")
    tag: Tag | None = None
    kind: Literal["comment", "mention", "message"] | None = None

    @field_validator("group")
    @classmethod
    def _is_the_states(cls, group: str | None, info: ValidationInfo) -> str | None:
        state = info.data.get("state")
        if state is not None and group_of(state) != group:
            raise ValueError(f"conversations that are {state} are in the group {group_of(state)}")
        return group

    def wanted(self, person_id: str) -> Wanted:
        """What is asked for, by this person."""
        return Wanted(
            group=self.group or (group_of(self.state) if self.state else GROUPS[0]),
            state=self.state,
            unit_id=self.unit,
            account_id=self.account,
            assignee_id=person_id if self.assignee == "me" else self.assignee,
            tag=self.tag,
            kind=self.kind,
        )


class MessagesQuery(Paging):
    """Which page of a conversation's messages."""

    @field_validator("start")
    @classmethod
    def _is_a_messages(cls, start: str) -> str:
        if start and not start.startswith("message#"):
            raise ValueError("is not one that this listing gave out; start without it")
        return start


class AssignIn(Form):
    assignee_id: Id = Field(description="A person's id, or `me`.")
    version: Version = None


class SeenIn(Form):
    version: Version = None


class WaitIn(Form):
    on: Literal["customer", "colleague"]
    why: Words
    version: Version = None


class WhyIn(Form):
    why: Words
    version: Version = None


class MaybeWhyIn(Form):
    why: Words | Literal[""] = ""
    version: Version = None


class TagsIn(Form):
    tags: Tags


class PriorityIn(Form):
    priority: Priority


class NoteIn(Form):
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)] = Field(
        description="Only colleagues see it; `@person_...` mentions one by id."
    )


class ClaimIn(Form):
    take_over: bool = Field(False, description="From whoever is writing; needs inbox.manage.")


class MergeIn(Form):
    other_id: Id


_TAKES: Mapping[str, tuple[str, ...]] = {
    "assign": ("assignee_id",),
    "unassign": (),
    "wait": ("on", "why"),
    "escalate": ("why",),
    "close": ("why",),
    "reopen": ("why",),
    "ignore": ("why",),
    "tag": ("tags",),
    "untag": ("tags",),
    "priority": ("priority",),
}
_MAY_BE_SILENT = frozenset({"close", "reopen"})
"""The moves that need no reason."""


class BulkIn(Form):
    """One move with up to fifty conversations; send what that move needs, as for a single one."""

    conversation_ids: list[Id] = Field(min_length=1, max_length=MOST_AT_ONCE)
    move: Literal[
        "assign", "unassign", "wait", "escalate", "close", "reopen", "ignore", "tag", "untag", "priority"
    ]
    assignee_id: Id | None = None
    on: Literal["customer", "colleague"] | None = None
    why: Words | Literal[""] = ""
    tags: Tags | None = None
    priority: Priority | None = None

    @model_validator(mode="after")
    def _complete(self) -> "BulkIn":
        takes, problems = _TAKES[self.move], []
        for name in ("assignee_id", "on", "why", "tags", "priority"):
            is_given = bool(getattr(self, name))
            if is_given and name not in takes:
                problems.append(f"{name}: {self.move} does not take it")
            if name in takes and not is_given and not (name == "why" and self.move in _MAY_BE_SILENT):
                problems.append(f"{name}: {self.move} needs it")
        if len(set(self.conversation_ids)) < len(self.conversation_ids):
            problems.append("conversation_ids: names a conversation twice")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """What the move itself takes."""
        return {name: getattr(self, name) for name in _TAKES[self.move]}


class AuthorOut(BaseModel):
    """As the platform says; without a name where they deleted what they wrote."""

    external_id: str
    handle: str
    name: str
    url: str


class MessageMediaOut(BaseModel):
    kind: str
    url: str
    alt: str


class MessageOut(BaseModel):
    """`deleted_at`: it was there, and its author took it back; its text is gone here too."""

    external_id: str
    kind: str
    own: bool
    author: AuthorOut
    at: datetime
    text: str
    language: str
    right_to_left: bool
    parent_id: str
    url: str
    media: list[MessageMediaOut]
    edited_at: datetime | None
    deleted_at: datetime | None
    by_id: str | None
    came_late: bool


class NoteOut(BaseModel):
    note_id: str
    by_id: str
    at: datetime
    text: str
    mentions: list[str]


class ClockOut(BaseModel):
    """`due_at` is None while it is paused; `breached_at` when it came too late."""

    kind: str
    target_for: int
    started_at: datetime
    due_at: datetime | None
    is_paused: bool
    breached_at: datetime | None
    ended_at: datetime | None


class WriterOut(BaseModel):
    person_id: str
    until: datetime


class PlatformOutageOut(BaseModel):
    """An outage of the conversation's platform: what we send there waits, and goes out by itself after it."""

    outage_id: str
    title: str
    url: str
    began_at: datetime


class ConversationOut(BaseModel):
    """`may_become`: the states that a move may lead to from here, each with its reason."""

    conversation_id: str
    account_id: str
    unit_id: str
    platform: str
    kind: str
    post_id: str
    customer: AuthorOut
    state: str
    reason: str
    may_become: dict[str, str]
    assignee_id: str | None
    priority: str
    tags: list[str]
    crisis: bool
    language: str
    messages: int
    at: datetime
    first_customer_at: datetime
    last_customer_at: datetime
    last_own_at: datetime | None
    first_answered_at: datetime | None
    unanswered_since: datetime | None
    resolved_at: datetime | None
    clocks: list[ClockOut]
    writing: WriterOut | None
    parts: list[str]
    outage: PlatformOutageOut | None
    version: int


class InboxOut(BaseModel):
    conversations: list[ConversationOut]
    cursor: str | None


class ThreadOut(BaseModel):
    """A conversation with a page of its messages, newest first, and its latest notes, oldest first.

    `url` leads to the newest message on the platform that has an address there.
    """

    conversation: ConversationOut
    url: str
    messages: list[MessageOut]
    notes: list[NoteOut]
    cursor: str | None


class ResultOut(BaseModel):
    conversation_id: str
    done: bool
    state: str | None
    error: str | None
    message: str | None


class ResultsOut(BaseModel):
    results: list[ResultOut]
