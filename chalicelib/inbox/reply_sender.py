"""Sending one answer: at most once, and then proven, by the steps of publishing/publisher.py.

    claim ---> look (account, message still there) ---> prepare (safe, repeatable)
          ---> begin: one transaction writes the marker if answer and lease still stand
          ---> the one call that cannot be undone
          ---> finish: the outcome, our message in the conversation, the entry off the timetable

A lease that ends with the marker set is `unknown`; reconcile looks at the account before anything else.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Claim, back_off
from chalicelib.core.work import Later
from chalicelib.inbox import facts
from chalicelib.inbox.model import Message
from chalicelib.inbox.replies import content_of, queue
from chalicelib.inbox.reply_model import Reply, ReplyState
from chalicelib.inbox.reply_store import ReplyStore
from chalicelib.inbox.service import Inbox
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    NotReady,
    OutcomeUnknown,
    OutOfCredit,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.inbound import Author
from chalicelib.platforms.port import Absent, Adapter, Found, Published, Several, Unsure
from chalicelib.platforms.repeat import CLOCK_MARGIN_FOR, is_safe_again

RECONCILE_AFTER = timedelta(seconds=30)
LOOKS_AFTER = tuple(timedelta(seconds=s) for s in (30, 60, 120, 240, 480))
TRIED_FOR = timedelta(hours=2)  # after that a person decides: a customer waits
LONGEST_WAIT_FOR = timedelta(minutes=5)
_WRITES = 5  # a proven outcome is written even while events change the conversation

log = logging.getLogger(__name__)


class ReplySender:
    """Handles the entries `send_reply` and the chores `reconcile_reply`."""

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
        self._adapters = adapters

    def send(self, claim: Claim) -> bool:
        """Take the claimed answer as far as it goes now; True when the entry is finished with it.

        Raises Later when nothing was written and it should be tried again.
        """
        reply = self._replies.find(claim.entry.ref)
        if reply is None:
            return False
        if reply.state == ReplyState.SENDING:
            return self._unknown(claim, reply, "the worker stopped during the call to the platform")
        if reply.state != ReplyState.QUEUED:
            return False
        now, account = self._kernel.clock.now(), self._accounts.get(reply.account_id)
        if account.quiet_until is not None and account.quiet_until > now:
            raise Later(account.quiet_until)
        if account.status != AccountStatus.ACTIVE:
            return self._refused(claim, reply, f"the account is {str(account.status).replace('_', ' ')}")
        place, _ = self._inbox.store.place(reply.account_id, reply.to_id)
        if place.deleted_at is not None:
            return self._refused(claim, reply, "the customer deleted the message meanwhile")
        return self._call(claim, reply, account)

    def _call(self, claim: Claim, reply: Reply, account: Account) -> bool:
        adapter, content, ref = (
            self._adapters(account.platform),
            content_of(reply),
            self._accounts.ref(account),
        )
        checkpoint = (
            json.loads(reply.checkpoint)
            if reply.checkpoint
            else adapter.plan(content, self._kernel.clock.now(), reply.reply_id)
        )
        try:
            checkpoint = adapter.prepare(ref, content, checkpoint)
        except AdapterError as error:
            return self._nothing_written(claim, reply, account, error)
        begun = self._begin(claim, replace(reply, checkpoint=json.dumps(dict(checkpoint))))
        try:
            published = adapter.publish(ref, content, checkpoint)
        except (RateLimited, AuthExpired, OutOfCredit, Rejected, Unavailable, VersionGone, NotReady) as error:
            return self._nothing_written(claim, begun, account, error)
        except Exception as error:
            # Everything that is not a documented answer is unknown, an adapter's own bug included.
            if not isinstance(error, OutcomeUnknown):
                log.exception("reply call broke", extra={"reply": reply.reply_id})
            broke = f"the call broke: {type(error).__name__}"
            reason = error.message if isinstance(error, OutcomeUnknown) else broke
            return self._unknown(claim, begun, reason)
        self._write_sent(begun, published, BY_JOB, claim)
        return True

    def _begin(self, claim: Claim, reply: Reply) -> Reply:
        """Write the marker; refused if the answer was taken back or the claim lost."""
        change = self._kernel.change(BY_JOB)
        begun = reply.moved(
            ReplyState.SENDING,
            change.now,
            begun_at=change.now,
            first_begun_at=reply.first_begun_at or change.now,
        )
        self._replies.save(change, begun, reply)
        change.add(self._kernel.timetable.still_mine(claim, change.now))
        change.record(_subject(reply), "sending begun", reply=reply.reply_id)
        self._kernel.commit(change)
        return replace(begun, version=reply.version + 1)

    # Outcomes

    def _write_sent(
        self, reply: Reply, published: Published, by: By, claim: Claim | None, how: str = "answer sent"
    ) -> Reply:
        """Write the proven outcome: the answer, and our message in the conversation as it stands now."""
        for attempt in range(_WRITES):
            change = self._kernel.change(by)
            sent_at = facts.stored_time(reply.begun_at or change.now)
            sent = reply.moved(
                ReplyState.SENT,
                change.now,
                sent_at=sent_at,
                external_id=published.external_id,
                url=published.url,
            )
            self._replies.save(change, sent, reply)
            conversation = self._inbox.store.get(reply.conversation_id)
            self._inbox.sent(change, conversation, self._message(sent))
            if claim is not None:
                change.add(self._kernel.timetable.finish(claim, change.now))
            change.record(_subject(reply), how, reply=reply.reply_id, url=published.url)
            try:
                self._kernel.commit(change)
            except Conflict:
                current = self._replies.find(reply.ref)
                if current is None or current.version != reply.version or attempt + 1 == _WRITES:
                    raise
                continue
            metrics.count("answered")
            return replace(sent, version=reply.version + 1)
        raise AssertionError("unreachable")

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

    def _unknown(self, claim: Claim, reply: Reply, reason: str) -> bool:
        look_at = self._kernel.clock.now() + RECONCILE_AFTER
        self._settle(claim, reply, ReplyState.UNKNOWN, "outcome unknown", reason, look_at=look_at)
        metrics.count("unknown")
        return True

    def _refused(self, claim: Claim, reply: Reply, reason: str) -> bool:
        # A person decided that it stops here; only what a call has begun can be unknown.
        self._settle(claim, reply, ReplyState.REFUSED, "answer refused", reason, tell=True, begun_at=None)
        metrics.count("refused")
        return True

    def _settle(
        self, claim: Claim, seen: Reply, to: ReplyState, what: str, reason: str,
        look_at: Any = None, tell: bool = False, **changes: Any,
    ) -> None:  # fmt: skip
        change = self._kernel.change(BY_JOB)
        self._replies.save(change, seen.moved(to, change.now, reason, **changes), seen)
        change.add(self._kernel.timetable.finish(claim, change.now))
        if look_at is not None:
            change.chore("reconcile_reply", seen.ref, due_at=look_at, key=seen.reply_id)
        if tell:
            change.chore("tell_reply", seen.ref, key=f"{seen.reply_id}#{to}")
        change.record(_subject(seen), what, why=reason, reply=seen.reply_id)
        self._kernel.commit(change)

    def _nothing_written(self, claim: Claim, reply: Reply, account: Account, error: AdapterError) -> bool:
        """The platform said no, in a documented way; the answer goes where that leads."""
        now = self._kernel.clock.now()
        match error:
            case RateLimited(until=until):
                self._back_to_queued(claim, reply, error)
                self._accounts.quiet(account.account_id, until)
                raise Later(until) from error
            case NotReady(until=until):
                self._back_to_queued(claim, reply, error)
                raise Later(until) from error
            case AuthExpired():
                self._refused(claim, reply, error.message)
                self._accounts.credentials_refused(BY_JOB, account.account_id, error.message)
                return True
            case Rejected() | OutOfCredit() | VersionGone():
                return self._refused(claim, reply, error.message)
        if now - reply.created_at > TRIED_FOR and reply.request_id is None:
            return self._refused(claim, reply, f"it could not be sent for two hours: {error.message}")
        self._back_to_queued(claim, reply, error)
        tries = int(claim.entry.args.get("tries", "0")) + 1
        raise Later(now + min(back_off(tries), LONGEST_WAIT_FOR), {"tries": str(tries)}) from error

    def _back_to_queued(self, claim: Claim, reply: Reply, error: AdapterError) -> None:
        """Take the marker back, as nothing was written, and keep what prepare did."""
        checkpoint = reply.checkpoint if error.checkpoint is None else json.dumps(dict(error.checkpoint))
        if reply.state == ReplyState.QUEUED and checkpoint == reply.checkpoint:
            return
        change = self._kernel.change(BY_JOB)
        again = replace(reply, checkpoint=checkpoint, reason=error.message)
        if reply.state == ReplyState.SENDING:
            again = again.moved(ReplyState.QUEUED, change.now, error.message, begun_at=None)
        self._replies.save(change, again, reply)
        change.add(self._kernel.timetable.still_mine(claim, change.now))
        change.record(_subject(reply), "put off", why=error.message, reply=reply.reply_id)
        self._kernel.commit(change)

    # What became of an unknown one

    def reconcile(self, claim: Claim) -> bool:
        """Look once. True when the entry is finished; raises Later while another look is worth it."""
        reply = self._replies.find(claim.entry.ref)
        if reply is None or reply.state != ReplyState.UNKNOWN:
            return False
        account = self._accounts.get(reply.account_id)
        adapter, now = self._adapters(account.platform), self._kernel.clock.now()
        since = (reply.first_begun_at or reply.at) - CLOCK_MARGIN_FOR
        sighting = adapter.find(
            self._accounts.ref(account), content_of(reply), json.loads(reply.checkpoint or "{}"), since
        )
        log.info("reconcile", extra={"reply": reply.reply_id, "sighting": type(sighting).__name__})
        match sighting:
            case Found(published=published):
                self._write_sent(reply, published, BY_JOB, claim, "answer sent: found by reconcile")
                return True
            case Several(external_ids=ids):
                return self._give_up(claim, reply, f"{len(ids)} answers match; delete what is too much")
            case Absent() if is_safe_again(adapter.traits, reply.first_begun_at, reply.begun_at, now):
                change = self._kernel.change(BY_JOB)
                again = reply.moved(ReplyState.QUEUED, change.now, "not found on the platform")
                self._replies.save(change, again, reply)
                change.add(self._kernel.timetable.finish(claim, change.now))
                queue(change, again)
                change.record(
                    _subject(reply), "not found; sent again under the same key", reply=reply.reply_id
                )
                self._kernel.commit(change)
                return True
            case Unsure(until=until) if until is not None and until > now:
                raise Later(until, claim.entry.args)
        looks = int(claim.entry.args.get("looks", "0"))
        if looks < len(LOOKS_AFTER):
            raise Later(now + LOOKS_AFTER[looks], {"looks": str(looks + 1)})
        return self._give_up(claim, reply, f"not seen after {looks + 1} looks; look yourself, then settle it")

    def _give_up(self, claim: Claim, reply: Reply, reason: str) -> bool:
        change = self._kernel.change(BY_JOB)
        self._replies.save(change, replace(reply, reason=reason), reply)
        change.add(self._kernel.timetable.finish(claim, change.now))
        change.chore("tell_reply", reply.ref, key=f"{reply.reply_id}#{reply.state}")
        change.record(_subject(reply), "left unknown", why=reason, reply=reply.reply_id)
        self._kernel.commit(change)
        return True

    def settle(self, by: By, reply: Reply, is_there: bool, url: str) -> Reply:
        """Write what a person found of an unknown answer. Raises Conflict for one that is not unknown."""
        if reply.state != ReplyState.UNKNOWN:
            raise Conflict(f"this answer is {reply.state}; only an unknown one can be settled")
        if is_there:
            found = Published(f"settled:{reply.reply_id}", url)
            return self._write_sent(reply, found, by, None, "answer settled: it is there")
        change = self._kernel.change(by)
        gone = reply.moved(ReplyState.REFUSED, change.now, "a person looked, and it is not there")
        self._replies.save(change, gone, reply)
        change.record(_subject(reply), "answer settled: it is not there", reply=reply.reply_id)
        self._kernel.commit(change)
        return replace(gone, version=reply.version + 1)


def _subject(reply: Reply) -> str:
    return f"conversation#{reply.conversation_id}"
