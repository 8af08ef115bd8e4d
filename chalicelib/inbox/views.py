"""The inbox's records in the form that callers are shown."""

from datetime import datetime

from chalicelib.accounts.outages import Pause, Pauses
from chalicelib.inbox import forms
from chalicelib.inbox.model import MOVES, ClockState, Conversation, Message, Note
from chalicelib.inbox.moves import Result
from chalicelib.platforms.inbound import Author


def conversation_view(c: Conversation, now: datetime, pauses: Pauses) -> forms.ConversationOut:
    writer = c.writer(now)
    return forms.ConversationOut(
        conversation_id=c.conversation_id,
        account_id=c.account_id,
        unit_id=c.unit_id,
        platform=c.platform,
        kind=c.kind,
        post_id=c.post_id,
        customer=_author(c.customer),
        state=str(c.state),
        reason=c.reason,
        may_become={str(state): why for state, why in MOVES[c.state].items()},
        assignee_id=c.assignee_id,
        priority=str(c.priority),
        tags=list(c.tags),
        crisis=c.crisis,
        language=c.language,
        messages=c.messages,
        at=c.at,
        first_customer_at=c.first_customer_at,
        last_customer_at=c.last_customer_at,
        last_own_at=c.last_own_at,
        first_answered_at=c.first_answered_at,
        unanswered_since=c.unanswered_since,
        resolved_at=c.resolved_at,
        clocks=[_clock(clock) for clock in c.clocks],
        writing=forms.WriterOut(person_id=writer, until=c.lock_until) if writer and c.lock_until else None,
        parts=list(c.parts),
        outage=_outage(pauses.on(c.platform, now)),
        version=c.version,
    )


def thread_view(
    conversation: forms.ConversationOut, messages: list[Message], notes: list[Note], cursor: str | None
) -> forms.ThreadOut:
    return forms.ThreadOut(
        conversation=conversation,
        url=next((m.url for m in messages if m.url), ""),
        messages=[message_view(m) for m in messages],
        notes=[note_view(n) for n in notes],
        cursor=cursor,
    )


def message_view(m: Message) -> forms.MessageOut:
    return forms.MessageOut(
        external_id=m.external_id,
        kind=m.kind,
        own=m.own,
        author=_author(m.author),
        at=m.at,
        text=m.text,
        language=m.language,
        right_to_left=m.right_to_left,
        parent_id=m.parent_id,
        url=m.url,
        media=[forms.MessageMediaOut(kind=x.kind, url=x.url, alt=x.alt) for x in m.media],
        edited_at=m.edited_at,
        deleted_at=m.deleted_at,
        by_id=m.by_id,
        came_late=m.stale,
    )


def note_view(n: Note) -> forms.NoteOut:
    return forms.NoteOut(note_id=n.note_id, by_id=n.by_id, at=n.at, text=n.text, mentions=list(n.mentions))


def result_view(result: Result) -> forms.ResultOut:
    error, found = result.error, result.conversation
    return forms.ResultOut(
        conversation_id=result.conversation_id,
        done=error is None,
        state=str(found.state) if found else None,
        error=error.code if error else None,
        message=error.message if error else None,
    )


def _author(author: Author) -> forms.AuthorOut:
    return forms.AuthorOut(
        external_id=author.external_id, handle=author.handle, name=author.name, url=author.url
    )


def _outage(pause: Pause | None) -> forms.PlatformOutageOut | None:
    if pause is None:
        return None
    return forms.PlatformOutageOut(
        outage_id=pause.outage_id, title=pause.title, url=pause.url, began_at=pause.began_at
    )


def _clock(clock: ClockState) -> forms.ClockOut:
    return forms.ClockOut(
        kind=str(clock.kind),
        target_for=clock.target_for,
        started_at=clock.started_at,
        due_at=clock.due_at,
        is_paused=clock.running_since is None and clock.ended_at is None,
        breached_at=clock.breached_at,
        ended_at=clock.ended_at,
    )
