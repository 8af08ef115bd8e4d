"""What follows from messages: pure, and the same in whatever order they are told.

`joined` is the least upper bound of two tellings of one message, `facts` of a conversation's messages, and
`settled` gives the state that facts and the last decision of a person leave.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.core.clock import from_text, to_text
from chalicelib.inbox.model import Conversation, Decision, Message, Outcome, Priority, State
from chalicelib.platforms.inbound import Author, InboundEvent, InboundMedia

LONGEST_TEXT = 20_000  # characters kept of what somebody wrote; the rest is cut, with a mark
CUT = " [… cut by Signalbox]"
DELETED = "the customer deleted it"
_MOST_MEDIA = 20
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_RANK = {Priority.LOW: 0, Priority.NORMAL: 1, Priority.HIGH: 2, Priority.URGENT: 3}


# One message


def told(event: InboundEvent, received_at: datetime, stale: bool) -> Message:
    """The message that an event tells of, its texts made storable. It has no conversation yet.

    A time in the future is somebody's wrong clock: it counts as the moment it came, or no answer of ours
    could ever be newer.
    """
    text = plain(event.text, LONGEST_TEXT)
    author = event.author or Author("")
    return Message(
        conversation_id="",
        external_id=event.external_id,
        kind=str(event.kind),
        own=event.own,
        author=Author(*(plain(part, 1000, one_line=True) for part in (
            author.external_id, author.handle, author.name, author.url
        ))),
        at=stored_time(min(event.happened_at, received_at)),
        received_at=stored_time(received_at),
        text=text,
        language=plain(event.language, 35, one_line=True),
        right_to_left=is_right_to_left(text),
        parent_id=event.parent_id,
        url=plain(event.url, 2000, one_line=True),
        media=tuple(
            InboundMedia(m.kind, plain(m.url, 2000, one_line=True), plain(m.alt, 2000))
            for m in event.media[:_MOST_MEDIA]
        ),
        stale=stale,
        edited_at=event.edited_at and stored_time(event.edited_at),
        post_id=event.post_id,
    )  # fmt: skip


def joined(a: Message, b: Message) -> Message:
    """Both tellings of one message in one: the newest version's words, and each fact that either knows.

    Commutative, associative and idempotent; where two tellings differ without a reason, the greater wins.
    """
    newest = max(a, b, key=_version)
    deleted_at = _least(a.deleted_at, b.deleted_at)
    whole = replace(
        newest,
        conversation_id=a.conversation_id or b.conversation_id,
        kind=min(a.kind, b.kind),
        own=a.own or b.own,
        author=Author(*(max(pair) for pair in zip(_parts(a.author), _parts(b.author), strict=True))),
        at=min(a.at, b.at),
        received_at=min(a.received_at, b.received_at),
        parent_id=max(a.parent_id, b.parent_id),
        url=max(a.url, b.url),
        raw_key=max(a.raw_key, b.raw_key),
        stale=a.stale and b.stale,
        deleted_at=deleted_at,
        by_id=a.by_id or b.by_id,
        reply_id=a.reply_id or b.reply_id,
        post_id=max(a.post_id, b.post_id),
    )
    return whole if deleted_at is None else emptied(whole, deleted_at)


def emptied(message: Message, deleted_at: datetime) -> Message:
    """The fact of a deleted message, without what it said, showed, or who said it by name."""
    author = Author(message.author.external_id)
    return replace(message, text="", media=(), url="", author=author, deleted_at=deleted_at)


def plain(text: str, limit: int, one_line: bool = False) -> str:
    """The text as it can be stored and shown: what no text may hold becomes U+FFFD, and a cut is marked.

    Marks that turn the direction of text stay in messages, where languages need them, but not in names and
    addresses (`one_line`), where they only dress one up as another.
    """
    cut = text if len(text) <= limit else text[: limit - len(CUT)] + ("" if one_line else CUT)
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join("\ufffd" if _is_refused(char, one_line) else char for char in cut)


def stored_time(at: datetime) -> datetime:
    """The time as it comes back from a row, so that what is compared has the same grain."""
    return from_text(to_text(at))


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is written from the right (Unicode TR 9, rules P2 and P3)."""
    for char in text:
        direction = unicodedata.bidirectional(char)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def _is_refused(char: str, one_line: bool) -> bool:
    match unicodedata.category(char):
        case "Cs":
            return True
        case "Cc":
            return one_line or char not in "\n\t\r"
        case "Zl" | "Zp":
            return one_line
        case "Cf":
            return one_line and char not in "\u200c\u200d"
    return False


def _version(message: Message) -> Any:
    # Of two tellings with the same edit time any may win, as long as it is always the same.
    media = tuple((m.kind, m.url, m.alt) for m in message.media)
    return (message.edited_at or _NEVER, message.text, media, message.language, message.ignored_by_rule,
            message.routed_to or "", message.right_to_left)  # fmt: skip


def _parts(author: Author) -> tuple[str, str, str, str]:
    return (author.external_id, author.handle, author.name, author.url)


def _least(a: datetime | None, b: datetime | None) -> datetime | None:
    return min(a, b) if a and b else a or b


# All messages of a conversation


def bears(before: Message | None, after: Message) -> bool:
    """Whether the facts of the conversation may change with this message."""
    return before is None or _borne(before) != _borne(after)


def moved(before: Message, after: Message) -> bool:
    """Whether the message is kept under another key than before."""
    return (before.conversation_id, before.at) != (after.conversation_id, after.at)


def _borne(m: Message) -> Any:
    ruled_so = (m.ignored_by_rule, m.routed_to)
    return (m.conversation_id, m.own, m.at, m.deleted_at, m.author, m.kind, m.post_id, m.language, ruled_so)


def facts(messages: Iterable[Message]) -> dict[str, Any] | None:
    """The fields of the conversation that its messages decide; None while no customer has said anything."""
    told_by_us: list[Message] = []
    told_by_them: list[Message] = []
    for message in sorted(messages, key=lambda m: (m.at, m.external_id)):
        (told_by_us if message.own else told_by_them).append(message)
    if not told_by_them:
        return None
    first = told_by_them[0]
    here = [m for m in told_by_them if m.deleted_at is None]
    last_own_at = told_by_us[-1].at if told_by_us else None
    return {
        "kind": first.kind,
        "post_id": first.post_id,
        "customer": (here or told_by_them)[0].author,
        "language": first.language,
        "first_customer_at": first.at,
        "last_customer_at": told_by_them[-1].at,
        "heard_at": here[-1].at if here else None,
        "unanswered_since": next((m.at for m in here if last_own_at is None or m.at >= last_own_at), None),
        "last_own_at": last_own_at,
        "first_answered_at": next((m.at for m in told_by_us if m.at > first.at), None),
        "messages": len(told_by_us) + len(told_by_them),
        "removed_at": max((m.deleted_at for m in told_by_them if m.deleted_at), default=None),
        "ignored_by_rule": first.ignored_by_rule,
        "routed_to": first.routed_to,
    }


def with_newest(conversation: Conversation, message: Message) -> dict[str, Any] | None:
    """The facts that one more message changes, if it is so plainly the newest that no other need be read."""
    own, at = conversation.last_own_at, message.at
    if message.deleted_at is not None or conversation.heard_at is None:
        return None
    if message.own:
        if at <= conversation.last_customer_at or (own is not None and at < own):
            return None
        return {
            "last_own_at": at,
            "unanswered_since": None,
            "first_answered_at": conversation.first_answered_at or at,
            "messages": conversation.messages + 1,
        }
    if at <= conversation.last_customer_at or (own is not None and at < own):
        return None
    return {
        "last_customer_at": at,
        "heard_at": at,
        "unanswered_since": conversation.unanswered_since or at,
        "messages": conversation.messages + 1,
    }


def ruled(conversation: Conversation, outcome: Outcome) -> Conversation:
    """The conversation with what the rules say of one of its messages; said twice, it changes nothing."""
    return _with(conversation, outcome.tags, outcome.priority, outcome.crisis)


def absorbed(conversation: Conversation, other: Conversation) -> Conversation:
    """The conversation with what was said of another one that it takes in, by rules and by people."""
    return _with(conversation, other.tags, other.priority_by_rule, other.crisis)


def _with(c: Conversation, tags: Iterable[str], priority: Priority | None, crisis: bool) -> Conversation:
    ranked = [p for p in (c.priority_by_rule, priority) if p is not None]
    return replace(
        c,
        tags=tuple(sorted({*c.tags, *tags})),
        priority_by_rule=max(ranked, key=_RANK.__getitem__, default=None),
        crisis=c.crisis or crisis,
    )


# The state


def settled(c: Conversation) -> Conversation:
    """The conversation in the state that its facts and its last decision leave it in.

    A decision stands until it is overtaken: "closed" and "waiting for the customer" by a message of theirs
    that is newer than whoever decided knew, every other one by an answer of ours that is newer than all they
    knew. What the rules ignore comes back when a person says so, or answers it.
    """
    assignee_id = c.assignee_id if c.assigned_by_hand else c.routed_to
    priority = c.priority if c.priority_by_hand else c.priority_by_rule or Priority.NORMAL
    state, reason, resolved_at = _state(c, State.ASSIGNED if assignee_id else State.OPEN)
    happened = [c.last_customer_at, c.last_own_at, c.decision.at if c.decision else None]
    return replace(
        c,
        state=state,
        reason=reason,
        resolved_at=resolved_at,
        assignee_id=assignee_id,
        priority=priority,
        at=max(at for at in happened if at is not None),
    )


def _state(c: Conversation, to_do: State) -> tuple[State, str, datetime | None]:
    decision, is_answered = c.decision, c.first_answered_at is not None
    if c.heard_at is None and not is_answered and not (decision and decision.heard_at is None):
        return State.CLOSED, DELETED, c.removed_at
    if decision is not None and not _is_overtaken(decision, c):
        if decision.state in (State.OPEN, State.ASSIGNED):
            return to_do, decision.reason, None
        over = decision.at if decision.state in (State.CLOSED, State.IGNORED) else None
        return decision.state, decision.reason, over
    if c.ignored_by_rule and decision is None and not is_answered:
        return State.IGNORED, c.ignored_by_rule, c.first_customer_at
    return (to_do if c.unanswered_since else State.ANSWERED), "", None


def _is_overtaken(decision: Decision, c: Conversation) -> bool:
    heard, said = decision.heard_at or _NEVER, decision.said_at or _NEVER
    customer_wrote = (c.heard_at or _NEVER) > heard
    we_answered = (c.last_own_at or _NEVER) > max(heard, said)
    match decision.state:
        case State.CLOSED:
            return customer_wrote
        case State.WAITING_CUSTOMER:
            return customer_wrote or we_answered
    return we_answered
