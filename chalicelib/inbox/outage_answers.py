"""Answers in an outage: what became of those that waited for it."""

from collections.abc import Sequence

from chalicelib.accounts.outages import Became, Line, Waited
from chalicelib.inbox.reply_model import Reply, ReplyState
from chalicelib.inbox.reply_store import ReplyStore

KINDS = frozenset({"send_reply", "reconcile_reply"})
_BECAME = {
    ReplyState.IN_REVIEW: Became.WAITS,
    ReplyState.QUEUED: Became.WAITS,
    ReplyState.SENDING: Became.WAITS,
    ReplyState.SENT: Became.OUT,
    ReplyState.UNKNOWN: Became.UNKNOWN,
    ReplyState.REFUSED: Became.STOPPED,
    ReplyState.WITHDRAWN: Became.STOPPED,
}


class OutageAnswers:
    def __init__(self, replies: ReplyStore) -> None:
        self._replies = replies

    def became(self, waited: Sequence[Waited]) -> list[Line]:
        """What became of the answers among what waited, once each; whom they are for is not told."""
        refs = dict.fromkeys(one.ref for one in waited if one.kind in KINDS)
        return [_line(reply) for ref in refs if (reply := self._replies.find(ref)) is not None]


def _line(reply: Reply) -> Line:
    due_at = reply.approved_at or reply.created_at
    return Line(
        "answer", reply.ref, "", reply.account_id, reply.by_id, due_at, _BECAME[reply.state], reply.url or ""
    )
