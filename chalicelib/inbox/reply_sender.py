"""Sending one answer: whether it goes out still, and what its outcome causes in the conversation.

accounts/fenced.py has the order of the steps, and what makes them safe: at most once, and then proven.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.accounts.fenced import (
    RECONCILE_AFTER,
    FencedSender,
    Go,
    Lost,
    Stop,
    Terms,
    wait_while_quiet,
)
from chalicelib.accounts.model import Account
from chalicelib.accounts.outages import Wait, pauses_read, read_pauses
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.errors import Conflict
from chalicelib.core.history import By
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim
from chalicelib.core.words import mark
from chalicelib.inbox import facts
from chalicelib.inbox.model import Message
from chalicelib.inbox.replies import content_of, queue
from chalicelib.inbox.reply_model import Reply, ReplyState
from chalicelib.inbox.reply_store import ReplyStore
from chalicelib.inbox.service import Inbox
from chalicelib.platforms.errors import AdapterError, AuthExpired, OutOfCredit, Rejected, VersionGone
from chalicelib.platforms.inbound import Author
from chalicelib.platforms.port import Adapter, Content, Published

TRIED_FOR = timedelta(hours=2)  # after that a person decides: a customer waits
_COUNTED = {ReplyState.SENT: "answered", ReplyState.REFUSED: "refused"}


class ReplySender:
    """Handles the entries `send_reply` and the chores `reconcile_reply`; the Road of answers."""

    terms = Terms(
        waits=ReplyState.QUEUED,
        calling=ReplyState.SENDING,
        out=ReplyState.SENT,
        unknown=ReplyState.UNKNOWN,
        things="answers",
        prefix="answer ",
    )

    def __init__(
        self,
        kernel: Kernel,
        replies: ReplyStore,
        inbox: Inbox,
        accounts: Accounts,
        adapters: Callable[[str], Adapter],
    ) -> None:
        self._kernel = kernel
        self._replies = replies
        self._inbox = inbox
        self._accounts = accounts
        self._sender = FencedSender(kernel, accounts, adapters, self)

    def send(self, claim: Claim) -> bool:
        """Take the claimed answer as far as it goes now, as FencedSender.send does."""
        return self._sender.send(claim)

    def reconcile(self, claim: Claim) -> bool:
        """Look once for an answer whose outcome is unknown, as FencedSender.reconcile does."""
        reply = self._replies.find(claim.entry.ref)
        if reply is None or reply.state != ReplyState.UNKNOWN:
            return False
        return self._sender.reconcile(claim, reply)

    def settle(self, by: By, reply: Reply, is_there: bool, url: str) -> Reply:
        """Write what a person found of an unknown answer. Raises Conflict for one that is not unknown."""
        if reply.state != ReplyState.UNKNOWN:
            raise Conflict(f"this answer is {reply.state}; only an unknown one can be settled")
        if is_there:
            found = Published(f"settled:{reply.reply_id}", url)
            self._sender.prove(reply, found, "answer settled: it is there", by=by)
        else:
            change = self._kernel.change(by)
            gone = reply.moved(ReplyState.REFUSED, change.now, "a person looked, and it is not there")
            self.join(change, reply, gone, "answer settled: it is not there")
            self._kernel.commit(change)
        return self._replies.get(reply.ref)

    # The road

    def look(self, ref: str) -> Go[Reply] | Stop[Reply] | Lost[Reply] | Wait | None:
        """The account and its platform, and whether the message still stands."""
        reply = self._replies.find(ref)
        if reply is not None and reply.state == ReplyState.SENDING:
            return Lost(reply)
        if reply is None or reply.state != ReplyState.QUEUED:
            return None
        account, pauses = self._kernel.database.read_together(
            self._accounts.to_read(reply.account_id), pauses_read()
        )
        now = self._kernel.clock.now()
        wait_while_quiet(account, now)
        if not account.is_usable:
            return Stop(reply, ReplyState.REFUSED, account.why_not_usable())
        place, _ = self._inbox.store.place(reply.account_id, reply.to_id)
        if place.deleted_at is not None:
            return Stop(reply, ReplyState.REFUSED, mark("the customer deleted the message meanwhile"))
        pause = pauses.on(account.platform, now)
        if pause is not None:
            return Wait(pause, account.account_id)
        return Go(reply, account, content_of(reply), reply.reply_id)

    def current(self, record: Reply) -> Reply | None:
        return self._replies.find(record.ref)

    def target(self, record: Reply) -> tuple[Account, Content]:
        return self._accounts.get(record.account_id), content_of(record)

    def refused(self, record: Reply, account: Account, error: AdapterError) -> Stop[Reply] | None:
        """What may yet work is tried for TRIED_FOR, from when it was allowed to go out and could."""
        if isinstance(error, Rejected | AuthExpired | OutOfCredit | VersionGone):
            return Stop(record, ReplyState.REFUSED, error.message)
        since = read_pauses(self._kernel.database).tried_since(
            account.platform, record.approved_at or record.created_at
        )
        if self._kernel.clock.now() - since > TRIED_FOR:
            reason = f"it could not be sent for two hours: {error.message}"
            return Stop(record, ReplyState.REFUSED, reason)
        return None

    def proven(self, record: Reply, published: Published, now: datetime, reason: str | None) -> Reply:
        return record.moved(
            ReplyState.SENT, now, reason, external_id=published.external_id, url=published.url,
            sent_at=facts.stored_time(record.begun_at or now),
        )  # fmt: skip

    def join(self, change: Change, before: Reply, after: Reply, what: str) -> None:
        """The row, what the move causes, and the history; what is sent stands in the conversation."""
        self._replies.save(change, after, before)
        was_unknown = before.state == ReplyState.UNKNOWN
        if after.state == ReplyState.SENT:
            conversation = self._inbox.store.get(after.conversation_id)
            self._inbox.sent(change, conversation, self._message(after))
        elif after.state == ReplyState.UNKNOWN and not was_unknown:
            look_at = change.now + RECONCILE_AFTER
            change.chore("reconcile_reply", after.ref, due_at=look_at, key=after.reply_id)
        elif after.state == ReplyState.UNKNOWN or (after.state == ReplyState.REFUSED and not was_unknown):
            change.chore("tell_reply", after.ref, key=f"{after.reply_id}#{after.state}")
        elif after.state == ReplyState.QUEUED and was_unknown:
            queue(change, after)
        subject = f"conversation#{after.conversation_id}"
        change.record(subject, what, why=after.reason, reply=after.reply_id, url=after.url)

    def count(self, before: Reply, after: Reply) -> None:
        if after.state in _COUNTED:
            metrics.count(_COUNTED[after.state])

    def _message(self, reply: Reply) -> Message:
        account = self._accounts.get(reply.account_id)
        assert reply.sent_at is not None
        assert reply.external_id is not None
        return Message(
            conversation_id=reply.conversation_id,
            external_id=reply.external_id,
            kind=reply.kind,
            own=True,
            author=Author(account.external_id, account.handle, account.display_name, account.url),
            at=reply.sent_at,
            received_at=reply.at,
            text=reply.text,
            language=reply.language,
            right_to_left=facts.is_right_to_left(reply.text),
            parent_id=reply.to_id,
            post_id=reply.post_id,
            url=reply.url or "",
            by_id=reply.by_id,
            reply_id=reply.reply_id,
        )
