"""The inbox over HTTP: who wrote, what has become of it, and every move that a person makes."""

from types import ModuleType
from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> ModuleType:
    from chalicelib.inbox import forms

    return forms


def _views() -> ModuleType:
    from chalicelib.inbox import views

    return views


def _listings() -> ModuleType:
    from chalicelib.core import listings

    return listings


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


def _moves() -> Any:
    return _box().inbox.moves


def _shown(conversation: Any) -> Answer:
    (shown,) = _views_of([conversation])
    return Answer(shown)


def _views_of(conversations: list[Any]) -> list[Any]:
    """The conversations as they are shown, with the outages that stand."""
    from chalicelib.accounts.outages import read_pauses

    now, pauses = _box().clock.now(), read_pauses(_box().kernel.database)
    return [_views().conversation_view(c, now, pauses) for c in conversations]


def _given(call: Call, fields: Any) -> dict[str, Any]:
    """What a move takes beside who moves what; `me` is whoever asks."""
    given = dict(fields)
    if given.get("assignee_id") == "me":
        given["assignee_id"] = call.actor.person_id
    return given


def _moved(call: Call, conversation_id: str, move: Any) -> Answer:
    """Make a move with what was sent, and show the conversation as it is then."""
    return _shown(move(call.actor, conversation_id, **_given(call, call.body or {})))


_MOVE: dict[str, Any] = {"right": Right.INBOX_WRITE, "answers": lambda: _forms().ConversationOut}
"""What the routes of all moves have in common."""


@bp.route("/v1/inbox", methods=["GET"])
@endpoint(right=Right.INBOX_READ, query=lambda: _forms().InboxQuery, answers=lambda: _forms().InboxOut)
def list_inbox(call: Call) -> Answer:
    """Conversations of your units and accounts: what is to do by what is due first, the rest latest first."""
    wanted = call.query.wanted(call.actor.person_id)
    found, after = _box().inbox.page(call.actor, wanted, call.query.limit, call.query.start)
    return Answer({"conversations": _views_of(found), "cursor": call.cursor(after)})


@bp.route("/v1/inbox/bulk", methods=["POST"])
@endpoint(
    right=Right.INBOX_WRITE,
    body=lambda: _forms().BulkIn,
    answers=lambda: _forms().ResultsOut,
    idempotent=True,
)
def move_many_conversations(call: Call) -> Answer:
    """One move with up to fifty conversations; each is done or refused by itself, and says so."""
    moves, body = _moves(), call.body
    given = _given(call, body.arguments)
    move = moves.rank if body.move == "priority" else getattr(moves, body.move)
    results = moves.bulk(body.conversation_ids, lambda one: move(call.actor, one, **given))
    return Answer({"results": [_views().result_view(r) for r in results]})


@bp.route("/v1/inbox/{conversation_id}", methods=["GET"])
@endpoint(right=Right.INBOX_READ, query=lambda: _forms().MessagesQuery, answers=lambda: _forms().ThreadOut)
def show_conversation(call: Call, conversation_id: str) -> Answer:
    """A conversation with its messages (newest first, paged), notes and clocks, and who is writing now."""
    inbox = _box().inbox
    conversation = inbox.get(call.actor, conversation_id)
    messages, after = inbox.messages(conversation, call.query.limit, call.query.start)
    (shown,) = _views_of([conversation])
    return Answer(_views().thread_view(shown, messages, inbox.notes(conversation), call.cursor(after)))


@bp.route("/v1/inbox/{conversation_id}/history", methods=["GET"])
@endpoint(right=Right.INBOX_READ, query=lambda: _listings().Paging, answers=lambda: _listings().HistoryPage)
def show_conversation_history(call: Call, conversation_id: str) -> Answer:
    """What happened to a conversation and to those that became one with it, oldest first."""
    found = _box().inbox.get(call.actor, conversation_id)
    subject, *others = (f"conversation#{part}" for part in (found.conversation_id, *found.parts))
    rows, after = _box().history.page_of(subject, call.query.limit, call.query.start, also=others)
    return Answer(_listings().HistoryPage.of(rows, call.cursor(after)))


@bp.route("/v1/inbox/{conversation_id}/assign", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().AssignIn)
def assign_conversation(call: Call, conversation_id: str) -> Answer:
    """Give it to a person who may answer there, or take it yourself."""
    return _moved(call, conversation_id, _moves().assign)


@bp.route("/v1/inbox/{conversation_id}/unassign", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().SeenIn)
def unassign_conversation(call: Call, conversation_id: str) -> Answer:
    """Give it back, so that nobody has it."""
    return _moved(call, conversation_id, _moves().unassign)


@bp.route("/v1/inbox/{conversation_id}/wait", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().WaitIn)
def wait_in_conversation(call: Call, conversation_id: str) -> Answer:
    """Wait for the customer, which stops its clocks, or for a colleague, which does not."""
    return _moved(call, conversation_id, _moves().wait)


@bp.route("/v1/inbox/{conversation_id}/escalate", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().WhyIn)
def escalate_conversation(call: Call, conversation_id: str) -> Answer:
    """Pass it up."""
    return _moved(call, conversation_id, _moves().escalate)


@bp.route("/v1/inbox/{conversation_id}/close", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().MaybeWhyIn)
def close_conversation(call: Call, conversation_id: str) -> Answer:
    """Nothing is left to do; a new message of the customer's opens it again."""
    return _moved(call, conversation_id, _moves().close)


@bp.route("/v1/inbox/{conversation_id}/reopen", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().MaybeWhyIn)
def reopen_conversation(call: Call, conversation_id: str) -> Answer:
    """Take it up again: it is to do until we answer."""
    return _moved(call, conversation_id, _moves().reopen)


@bp.route("/v1/inbox/{conversation_id}/ignore", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().WhyIn)
def ignore_conversation(call: Call, conversation_id: str) -> Answer:
    """It needs no answer, and neither does what the customer adds."""
    return _moved(call, conversation_id, _moves().ignore)


@bp.route("/v1/inbox/{conversation_id}/tag", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().TagsIn)
def tag_conversation(call: Call, conversation_id: str) -> Answer:
    """Add tags."""
    return _moved(call, conversation_id, _moves().tag)


@bp.route("/v1/inbox/{conversation_id}/untag", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().TagsIn)
def untag_conversation(call: Call, conversation_id: str) -> Answer:
    """Take tags off."""
    return _moved(call, conversation_id, _moves().untag)


@bp.route("/v1/inbox/{conversation_id}/priority", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().PriorityIn)
def rank_conversation(call: Call, conversation_id: str) -> Answer:
    """Set its priority; rules leave it alone from then on."""
    return _moved(call, conversation_id, _moves().rank)


@bp.route("/v1/inbox/{conversation_id}/note", methods=["POST"])
@endpoint(
    right=Right.INBOX_WRITE, body=lambda: _forms().NoteIn, answers=lambda: _forms().NoteOut, idempotent=True
)
def note_in_conversation(call: Call, conversation_id: str) -> Answer:
    """Tell colleagues something about it; nobody outside sees it."""
    note = _moves().note(call.actor, conversation_id, call.body.text)
    return Answer(_views().note_view(note), status=201)


@bp.route("/v1/inbox/{conversation_id}/claim", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().ClaimIn)
def claim_conversation(call: Call, conversation_id: str) -> Answer:
    """Lock it for five minutes while you write an answer; the same call renews the lock."""
    return _moved(call, conversation_id, _moves().claim)


@bp.route("/v1/inbox/{conversation_id}/release", methods=["POST"])
@endpoint(**_MOVE)
def release_conversation(call: Call, conversation_id: str) -> Answer:
    """End your lock."""
    return _moved(call, conversation_id, _moves().release)


@bp.route("/v1/inbox/{conversation_id}/merge", methods=["POST"])
@endpoint(**_MOVE, body=lambda: _forms().MergeIn)
def merge_conversations(call: Call, conversation_id: str) -> Answer:
    """Make one of two conversations of an account; the older one survives."""
    return _moved(call, conversation_id, _moves().merge)
