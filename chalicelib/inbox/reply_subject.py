"""What an answer is to the approvals: what approvers are shown, and what their decision does."""

from chalicelib.accounts.service import Accounts
from chalicelib.approvals.model import ChannelPreview, Preview, Request
from chalicelib.core.errors import Conflict
from chalicelib.core.kernel import Change
from chalicelib.inbox.replies import queue
from chalicelib.inbox.reply_model import Reply, ReplyState
from chalicelib.inbox.reply_store import ReplyStore
from chalicelib.inbox.store import InboxStore
from chalicelib.org.service import Org

QUESTION_CHARACTERS = 500


class ReplySubject:
    """The approvals' Subject for `reply#<conversation>~<reply>`."""

    def __init__(self, store: InboxStore, replies: ReplyStore, org: Org, accounts: Accounts) -> None:
        self._store = store
        self._replies = replies
        self._org = org
        self._accounts = accounts

    def preview(self, subject: str, revision: str) -> Preview:
        """The answer; it never changes, so there is nothing to compare it with."""
        reply = self._replies.get(_ref(subject))
        account = self._accounts.get(reply.account_id)
        author = self._org.person(reply.by_id)
        return Preview(
            title=reply.to.name or reply.to.handle or "?",
            publish_at=None,
            zone=author.zone,
            asked_by=author.name,
            channels=(
                ChannelPreview(
                    platform=account.platform,
                    handle=account.handle,
                    display_name=account.display_name,
                    unit_name=self._org.unit(account.unit_id).name,
                    text=reply.text,
                    language=reply.language,
                    media=(),
                    note=self._question(reply),
                ),
            ),
            changes=(),
            current_revision=reply.revision,
        )

    def granted(self, change: Change, request: Request) -> None:
        """Send it; the history row is the decision's own. Raises Conflict if it was taken back."""
        reply = self._waiting(request)
        if reply is None:
            raise Conflict("this answer was taken back since it was sent to you")
        approved = reply.moved(ReplyState.QUEUED, change.now, approved_at=change.now)
        self._replies.save(change, approved, reply)
        queue(change, approved)

    def declined(self, change: Change, request: Request, outcome: str, by_name: str, words: str) -> None:
        """Give it back to its author, with the approver's words; the message is free again."""
        reply = self._waiting(request)
        if reply is None:
            return
        said = f"{by_name}: {words}" if words else by_name
        self._replies.save(change, reply.moved(ReplyState.WITHDRAWN, change.now, said), reply)
        change.record(
            f"conversation#{reply.conversation_id}", f"answer {outcome.replace('_', ' ')}", why=words or None
        )

    def _question(self, reply: Reply) -> str:
        """Who asked, and what; nothing of what they deleted since."""
        place, _ = self._store.place(reply.account_id, reply.to_id)
        message = self._store.message(place)
        text = message.text if message is not None else ""
        shown = text if len(text) <= QUESTION_CHARACTERS else text[: QUESTION_CHARACTERS - 1] + "…"
        who = reply.to.handle or reply.to.name
        return f"{who}: {shown}" if shown else who

    def _waiting(self, request: Request) -> Reply | None:
        reply = self._replies.find(_ref(request.subject))
        if reply is None or reply.state != ReplyState.IN_REVIEW or reply.revision != request.revision:
            return None
        return reply


def _ref(subject: str) -> str:
    return subject.removeprefix("reply#")
