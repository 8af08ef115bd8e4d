"""What callers send to answer a customer, and what they are shown of it; validated once, here."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from chalicelib.inbox.forms import Id
from chalicelib.inbox.reply_model import REPLY_MOVES, Reply, ReplyState, SavedReply

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Texts = Annotated[
    dict[Language, Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]],
    Field(min_length=1, max_length=20, description="By language. {name} and {handle} are the customer's."),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
External = Annotated[str, StringConstraints(max_length=1000)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]{1,1000}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReplyIn(_Form):
    """An answer: a text, a saved one, or a saved one that was changed."""

    version: int = Field(ge=1, description="Of the conversation as you saw it.")
    text: Text = ""
    saved_id: Id | None = None
    to_id: External = Field("", description="The message; the customer's latest where none is named.")
    language: Language | None = None
    again: bool = Field(False, description="Answer a message that somebody else has answered already.")

    @model_validator(mode="after")
    def _says_something(self) -> "ReplyIn":
        if not self.text and not self.saved_id:
            raise ValueError("an answer needs a text, or a saved_id")
        return self


class SettleReplyIn(_Form):
    is_there: bool = Field(description="Whether you found the answer on the platform.")
    url: Url | None = Field(None, description="Where it is.")


class ReplyOut(BaseModel):
    """`waits_for`: why a queued answer has not gone out, in plain words, while its platform has an outage."""

    reply_id: str
    conversation_id: str
    account_id: str
    to_id: str
    by_id: str
    state: str
    reason: str | None
    waits_for: str | None
    may_become: dict[str, str]
    text: str
    language: str
    saved_id: str | None
    request_id: str | None
    created_at: datetime
    at: datetime
    sent_at: datetime | None
    url: str | None

    @classmethod
    def of(cls, r: Reply, waits_for: str | None = None) -> "ReplyOut":
        return cls(
            reply_id=r.reply_id,
            conversation_id=r.conversation_id,
            account_id=r.account_id,
            to_id=r.to_id,
            by_id=r.by_id,
            state=str(r.state),
            reason=r.reason,
            waits_for=waits_for if r.state == ReplyState.QUEUED else None,
            may_become={str(state): why for state, why in REPLY_MOVES[r.state].items()},
            text=r.text,
            language=r.language,
            saved_id=r.saved_id,
            request_id=r.request_id,
            created_at=r.created_at,
            at=r.at,
            sent_at=r.sent_at,
            url=r.url,
        )


class RepliesOut(BaseModel):
    replies: list[ReplyOut]


class SavedReplyIn(_Form):
    name: Name
    texts: Texts


class SavedReplyChangeIn(SavedReplyIn):
    version: int = Field(ge=1)


class SavedReplyOut(BaseModel):
    saved_id: str
    unit_id: str
    name: str
    texts: dict[str, str]
    by_id: str
    at: datetime
    version: int

    @classmethod
    def of(cls, s: SavedReply) -> "SavedReplyOut":
        return cls(
            saved_id=s.saved_id,
            unit_id=s.unit_id,
            name=s.name,
            texts=s.texts,
            by_id=s.by_id,
            at=s.at,
            version=s.version,
        )


class SavedRepliesOut(BaseModel):
    saved_replies: list[SavedReplyOut]
