"""Answers of a conversation over HTTP, and the saved answers of a unit."""

from types import ModuleType
from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> ModuleType:
    from chalicelib.inbox import reply_forms

    return reply_forms


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


def _shown(reply: Any, status: int = 200) -> Answer:
    return Answer(_forms().ReplyOut.of(reply, _waits_for(reply.account_id)), status)


def _waits_for(account_id: str) -> str | None:
    """Why answers on an account wait now, in plain words."""
    from chalicelib.accounts.outages import pauses_read

    box = _box()
    account, pauses = box.kernel.database.read_together(box.accounts.to_read(account_id), pauses_read())
    pause = pauses.on(account.platform, box.clock.now())
    if pause is None:
        return None
    return f"{account.platform} has an outage ({pause.title}); the answer goes out by itself when it is over"


@bp.route("/v1/inbox/{conversation_id}/replies", methods=["POST"])
@endpoint(
    right=Right.INBOX_WRITE,
    body=lambda: _forms().ReplyIn,
    answers=lambda: _forms().ReplyOut,
    idempotent=True,
)
def answer_conversation(call: Call, conversation_id: str) -> Answer:
    """Answer the customer: sent at once, or as soon as it is approved where the unit wants that."""
    body = call.body
    reply = _box().replies.submit(
        call.actor,
        conversation_id,
        body.text,
        body.version,
        to_id=body.to_id,
        language=body.language or "",
        saved_id=body.saved_id or "",
        again=body.again,
    )
    return _shown(reply, 202)


@bp.route("/v1/inbox/{conversation_id}/replies", methods=["GET"])
@endpoint(right=Right.INBOX_READ, answers=lambda: _forms().RepliesOut)
def list_answers(call: Call, conversation_id: str) -> Answer:
    """The answers that were written here, oldest first, whatever became of them."""
    found = _box().replies.of(call.actor, conversation_id)
    waits_for = _waits_for(found[0].account_id) if found else None
    return Answer({"replies": [_forms().ReplyOut.of(r, waits_for) for r in found]})


@bp.route("/v1/inbox/{conversation_id}/replies/{reply_id}", methods=["GET"])
@endpoint(right=Right.INBOX_READ, answers=lambda: _forms().ReplyOut)
def show_answer(call: Call, conversation_id: str, reply_id: str) -> Answer:
    """An answer, and what has become of it."""
    return _shown(_box().replies.get(call.actor, conversation_id, reply_id))


@bp.route("/v1/inbox/{conversation_id}/replies/{reply_id}/withdraw", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, answers=lambda: _forms().ReplyOut)
def withdraw_answer(call: Call, conversation_id: str, reply_id: str) -> Answer:
    """Take an answer back that has not been sent."""
    return _shown(_box().replies.withdraw(call.actor, conversation_id, reply_id))


@bp.route("/v1/inbox/{conversation_id}/replies/{reply_id}/settle", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().SettleReplyIn, answers=lambda: _forms().ReplyOut)
def settle_answer(call: Call, conversation_id: str, reply_id: str) -> Answer:
    """Say what you found of an answer whose outcome is unknown."""
    box, body = _box(), call.body
    reply = box.replies.to_settle(call.actor, conversation_id, reply_id)
    return _shown(box.reply_sender.settle(call.actor.by, reply, body.is_there, body.url or ""))


@bp.route("/v1/inbox/saved-replies/{unit_id}", methods=["GET"])
@endpoint(right=Right.INBOX_READ, answers=lambda: _forms().SavedRepliesOut)
def list_saved_replies(call: Call, unit_id: str) -> Answer:
    """The saved answers that may be used in a unit: its own, then those of the units above."""
    found = _box().saved_replies.list(call.actor, unit_id)
    return Answer({"saved_replies": [_forms().SavedReplyOut.of(s) for s in found]})


@bp.route("/v1/inbox/saved-replies/{unit_id}", methods=["POST"])
@endpoint(
    right=Right.INBOX_MANAGE,
    body=lambda: _forms().SavedReplyIn,
    answers=lambda: _forms().SavedReplyOut,
    idempotent=True,
)
def add_saved_reply(call: Call, unit_id: str) -> Answer:
    """Keep an answer for a unit and all below it."""
    made = _box().saved_replies.add(call.actor, unit_id, call.body.name, call.body.texts)
    return Answer(_forms().SavedReplyOut.of(made), 201)


@bp.route("/v1/inbox/saved-replies/{unit_id}/{saved_id}", methods=["PUT"])
@endpoint(
    right=Right.INBOX_MANAGE,
    body=lambda: _forms().SavedReplyChangeIn,
    answers=lambda: _forms().SavedReplyOut,
)
def change_saved_reply(call: Call, unit_id: str, saved_id: str) -> Answer:
    """Replace a saved answer's name and texts."""
    body = call.body
    kept = _box().saved_replies.change(call.actor, unit_id, saved_id, body.name, body.texts, body.version)
    return Answer(_forms().SavedReplyOut.of(kept))


@bp.route("/v1/inbox/saved-replies/{unit_id}/{saved_id}", methods=["DELETE"])
@endpoint(right=Right.INBOX_MANAGE)
def remove_saved_reply(call: Call, unit_id: str, saved_id: str) -> Answer:
    """Keep a saved answer no longer."""
    _box().saved_replies.remove(call.actor, unit_id, saved_id)
    return Answer(status=204)
