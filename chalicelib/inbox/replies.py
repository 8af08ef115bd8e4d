"""Answering a customer: what a responder asks for, and what they may still do about it.

`reply_sender.py` sends it. An answer is to one message. Who writes it holds the conversation's lock, and has
seen the conversation as it stands; while it is under way nobody else answers the same message.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.approvals.service import Approvals
from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Entry, Lane
from chalicelib.inbox import facts
from chalicelib.inbox.access import Access
from chalicelib.inbox.model import Conversation, Message, Timing
from chalicelib.inbox.moves import LOCKED_FOR
from chalicelib.inbox.reply_model import Approval, Reply, ReplyPolicy, ReplyState
from chalicelib.inbox.reply_store import ReplyStore
from chalicelib.inbox.saved import SavedReplies
from chalicelib.inbox.store import InboxStore
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms.port import Adapter, Content, ReplyTo

_LOOKED_THROUGH = 50  # messages among which the latest one of the customer's is looked for


class Replies:
    def __init__(
        self,
        kernel: Kernel,
        store: InboxStore,
        replies: ReplyStore,
        access: Access,
        org: Org,
        accounts: Accounts,
        saved: SavedReplies,
        clocks: Timing,
        policy_of: Callable[[str], ReplyPolicy],
        approvals: Callable[[], Approvals],
        adapters: Callable[[str], Adapter | None],
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._replies = replies
        self._access = access
        self._org = org
        self._accounts = accounts
        self._saved = saved
        self._clocks = clocks
        self._policy_of = policy_of
        self._approvals = approvals
        self._adapters = adapters

    def submit(
        self,
        actor: Actor,
        conversation_id: str,
        text: str,
        version: int,
        to_id: str = "",
        language: str = "",
        saved_id: str = "",
        again: bool = False,
    ) -> Reply:
        """Answer a message (the customer's latest where none is named); it is sent at once, or once approved.

        `version` is of the conversation as the responder saw it. With `saved_id` and no text it is that saved
        answer. Raises InvalidInput with every rule of the platform that it breaks, and Conflict when somebody
        else is writing, has answered (unless `again`), or the conversation has changed since.
        """
        c = self._access.require(actor, conversation_id, Right.INBOX_WRITE)
        account = self._accounts.get(c.account_id)
        message = self._answered(c, to_id)
        adapter = self._adapter(account, message)
        language = language or c.language
        if saved_id and not text:
            text = self._saved.text(c.unit_id, saved_id, language, message.author)
        now = self._kernel.clock.now()
        self._check_may_write(actor, c, version, now)
        self._check_window(adapter, message, now)
        reply = Reply(
            reply_id=new_id("reply", now),
            conversation_id=c.conversation_id,
            account_id=account.account_id,
            to_id=message.external_id,
            to=message.author,
            post_id=message.post_id,
            kind=message.kind,
            by_id=actor.person_id,
            state=ReplyState.QUEUED,
            created_at=now,
            at=now,
            text=text,
            language=language,
            saved_id=saved_id or None,
        )
        content = content_of(reply)
        problems = adapter.problems(content, adapter.limits(self._accounts.ref(account)))
        if problems:
            raise InvalidInput(list(problems))
        change = self._org.begin(actor)
        if self._needs_approval(c, reply):
            reply = replace(reply, state=ReplyState.IN_REVIEW)
            request = self._approvals().open(
                change, f"reply#{reply.ref}", reply.revision, [c.unit_id], actor.person_id, frozenset(), None
            )
            reply = replace(reply, request_id=request.request_id)
        self._replies.add(change, reply, again)
        self._lock(change, c, actor, change.now)
        what = "answer written" if reply.state == ReplyState.QUEUED else "answer written, to be approved"
        change.record(_subject(reply), what, reply=reply.reply_id, message=reply.to_id)
        if reply.state == ReplyState.QUEUED:
            queue(change, reply)
        self._kernel.commit(change)
        return replace(reply, version=1)

    def of(self, actor: Actor, conversation_id: str) -> list[Reply]:
        """The conversation's answers that were written here, oldest first, whatever became of them."""
        c = self._access.visible(actor, conversation_id)
        return self._replies.of((c.conversation_id, *c.parts))

    def get(self, actor: Actor, conversation_id: str, reply_id: str) -> Reply:
        """Raises NotFound."""
        found = next((r for r in self.of(actor, conversation_id) if r.reply_id == reply_id), None)
        if found is None:
            raise NotFound(f"there is no answer {reply_id} in this conversation")
        return found

    def withdraw(self, actor: Actor, conversation_id: str, reply_id: str) -> Reply:
        """Take an answer back before it is sent. Raises Conflict when it is too late for that."""
        self._access.require(actor, conversation_id, Right.INBOX_WRITE)
        reply = self.get(actor, conversation_id, reply_id)
        if reply.state not in (ReplyState.IN_REVIEW, ReplyState.QUEUED):
            raise Conflict(f"this answer is {reply.state}; only one that has not been sent can be taken back")
        change = self._org.begin(actor)
        gone = reply.moved(ReplyState.WITHDRAWN, change.now, "taken back")
        self._replies.save(change, gone, reply)
        if reply.state == ReplyState.IN_REVIEW and reply.request_id is not None:
            self._approvals().void(change, reply.request_id, "the answer was taken back")
        else:
            change.unschedule(reply.entry_id)
        change.record(_subject(reply), "answer taken back", reply=reply_id)
        self._kernel.commit(change)
        return replace(gone, version=reply.version + 1)

    def to_settle(self, actor: Actor, conversation_id: str, reply_id: str) -> Reply:
        """An answer that the actor may settle. Raises NotFound and NotAllowed."""
        self._access.require(actor, conversation_id, Right.INBOX_WRITE)
        return self.get(actor, conversation_id, reply_id)

    # What is asked of it

    def _answered(self, c: Conversation, to_id: str) -> Message:
        if not to_id:
            messages, _ = self._store.messages(c, _LOOKED_THROUGH)
            found = next((m for m in messages if not m.own and m.deleted_at is None), None)
        else:
            place, _ = self._store.place(c.account_id, to_id)
            found = self._store.message(place)
            if found is not None and found.conversation_id not in (c.conversation_id, *c.parts):
                found = None
        if found is None:
            raise InvalidInput([Problem("to_id", "there is no such message in this conversation")])
        if found.own:
            raise InvalidInput([Problem("to_id", "this message is ours; answer one of the customer's")])
        if found.deleted_at is not None:
            raise InvalidInput([Problem("to_id", "the customer has deleted this message")])
        return found

    def _adapter(self, account: Account, message: Message) -> Adapter:
        adapter = self._adapters(account.platform)
        if adapter is None or "reply" not in adapter.traits.abilities:
            there = f"; answer there: {message.url}" if message.url else "; answer there"
            raise Conflict(f"Signalbox cannot answer on {account.platform} yet{there}", url=message.url)
        if not account.is_usable:
            why = account.why_not_usable()
            raise Conflict(f"nothing can be answered from {account.handle} ({account.platform}): {why}")
        return adapter

    def _check_may_write(self, actor: Actor, c: Conversation, version: int, now: datetime) -> None:
        holder = c.writer(now)
        if holder not in (None, actor.person_id):
            name = self._org.person(holder or "").name
            raise Conflict(f"{name} is writing an answer; wait, or ask whoever manages the inbox")
        if version != c.version:
            raise Conflict("something happened in this conversation meanwhile; look again and repeat")

    def _check_window(self, adapter: Adapter, message: Message, now: datetime) -> None:
        within: timedelta | None = adapter.traits.reply_within
        if within is not None and now - message.at > within:
            hours = int(within.total_seconds() // 3600)
            raise InvalidInput(
                [
                    Problem(
                        "to_id", f"{adapter.traits.name} takes answers for {hours} hours only; that is over"
                    )
                ]
            )

    def _needs_approval(self, c: Conversation, reply: Reply) -> bool:
        match self._policy_of(c.unit_id).approval:
            case Approval.NONE:
                return False
            case Approval.ALL:
                return True
        return not self._saved.is_verbatim(c.unit_id, reply.saved_id, reply.text, reply.to)

    def _lock(self, change: Change, c: Conversation, actor: Actor, now: datetime) -> None:
        """Nobody else writes until it is out; whoever answers a conversation that nobody has, has it."""
        until = facts.stored_time(now + LOCKED_FOR)
        after = replace(c, lock_by=actor.person_id, lock_until=until, touched=True)
        if after.assignee_id is None:
            after = replace(after, assignee_id=actor.person_id, assigned_by_hand=True)
        self._store.save(change, self._clocks.plan(change, c, facts.settled(after)))


def content_of(reply: Reply) -> Content:
    """The answer as adapters take it."""
    return Content(reply.text, (), reply.language, {}, ReplyTo(reply.to_id, reply.to.handle))


def queue(change: Change, reply: Reply) -> None:
    """Put the answer on the timetable, due now."""
    change.schedule(Entry(reply.entry_id, Lane.CHORES, "send_reply", reply.ref, change.now))


def _subject(reply: Reply) -> str:
    return f"conversation#{reply.conversation_id}"
