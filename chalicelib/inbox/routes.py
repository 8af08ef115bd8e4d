"""The inbox over HTTP: who wrote, what has become of it, and every move that a person makes."""

from types import ModuleType
from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.core.paging import cursor_of
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> ModuleType:
    from chalicelib.inbox import forms

    return forms


def _views() -> ModuleType:
    from chalicelib.inbox import views

    return views


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


def _shown(conversation: Any) -> Answer:
    return Answer(_views().conversation_view(conversation, _box().clock.now()))


def _person(call: Call, person_id: str) -> str:
    return str(call.actor.person_id) if person_id == "me" else person_id


@bp.route("/v1/inbox", methods=["GET"])
@endpoint(right=Right.INBOX_READ, answers=lambda: _forms().InboxOut)
def list_inbox(call: Call) -> Answer:
    """Conversations of your units and accounts: what is to do by what is due first, the rest latest first."""
    wanted, limit, start = _forms().read_query(call.query, call.actor.person_id)
    found, after = _box().inbox.page(call.actor, wanted, limit, start)
    now = _box().clock.now()
    cursor = cursor_of(f"inbox.{wanted.group}", {"after": after} if after else None)
    return Answer({"conversations": [_views().conversation_view(c, now) for c in found], "cursor": cursor})


@bp.route("/v1/inbox/bulk", methods=["POST"])
@endpoint(
    right=Right.INBOX_WRITE,
    body=lambda: _forms().BulkIn,
    answers=lambda: _forms().ResultsOut,
    idempotent=True,
)
def move_many_conversations(call: Call) -> Answer:
    """One move with up to fifty conversations; each is done or refused by itself, and says so."""
    moves, body = _box().inbox.moves, call.body
    given = body.arguments
    if "assignee_id" in given:
        given["assignee_id"] = _person(call, given["assignee_id"])
    move = moves.rank if body.move == "priority" else getattr(moves, body.move)
    results = moves.bulk(body.conversation_ids, lambda one: move(call.actor, one, **given))
    return Answer({"results": [_views().result_view(r) for r in results]})


@bp.route("/v1/inbox/{conversation_id}", methods=["GET"])
@endpoint(right=Right.INBOX_READ, answers=lambda: _forms().ThreadOut)
def show_conversation(call: Call, conversation_id: str) -> Answer:
    """A conversation with its messages (newest first, paged), notes and clocks, and who is writing now."""
    inbox = _box().inbox
    conversation = inbox.get(call.actor, conversation_id)
    listing = conversation.conversation_id
    limit, before = _forms().read_message_paging(listing, call.query)
    messages, after = inbox.messages(conversation, limit, before)
    cursor = cursor_of(f"messages.{listing}", {"before": after} if after else None)
    notes, now = inbox.notes(conversation), _box().clock.now()
    return Answer(_views().thread_view(conversation, messages, notes, cursor, now))


@bp.route("/v1/inbox/{conversation_id}/assign", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().AssignIn, answers=lambda: _forms().ConversationOut)
def assign_conversation(call: Call, conversation_id: str) -> Answer:
    """Give it to a person who may answer there, or take it yourself."""
    person_id = _person(call, call.body.assignee_id)
    return _shown(_box().inbox.moves.assign(call.actor, conversation_id, person_id, call.body.version))


@bp.route("/v1/inbox/{conversation_id}/unassign", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().SeenIn, answers=lambda: _forms().ConversationOut)
def unassign_conversation(call: Call, conversation_id: str) -> Answer:
    """Give it back, so that nobody has it."""
    return _shown(_box().inbox.moves.unassign(call.actor, conversation_id, call.body.version))


@bp.route("/v1/inbox/{conversation_id}/wait", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().WaitIn, answers=lambda: _forms().ConversationOut)
def wait_in_conversation(call: Call, conversation_id: str) -> Answer:
    """Wait for the customer, which stops its clocks, or for a colleague, which does not."""
    body, moves = call.body, _box().inbox.moves
    return _shown(moves.wait(call.actor, conversation_id, body.on, body.why, body.version))


@bp.route("/v1/inbox/{conversation_id}/escalate", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().WhyIn, answers=lambda: _forms().ConversationOut)
def escalate_conversation(call: Call, conversation_id: str) -> Answer:
    """Pass it up."""
    body = call.body
    return _shown(_box().inbox.moves.escalate(call.actor, conversation_id, body.why, body.version))


@bp.route("/v1/inbox/{conversation_id}/close", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().MaybeWhyIn, answers=lambda: _forms().ConversationOut)
def close_conversation(call: Call, conversation_id: str) -> Answer:
    """Nothing is left to do; a new message of the customer's opens it again."""
    body = call.body
    return _shown(_box().inbox.moves.close(call.actor, conversation_id, body.why, body.version))


@bp.route("/v1/inbox/{conversation_id}/reopen", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().MaybeWhyIn, answers=lambda: _forms().ConversationOut)
def reopen_conversation(call: Call, conversation_id: str) -> Answer:
    """Take it up again: it is to do until we answer."""
    body = call.body
    return _shown(_box().inbox.moves.reopen(call.actor, conversation_id, body.why, body.version))


@bp.route("/v1/inbox/{conversation_id}/ignore", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().WhyIn, answers=lambda: _forms().ConversationOut)
def ignore_conversation(call: Call, conversation_id: str) -> Answer:
    """It needs no answer, and neither does what the customer adds."""
    body = call.body
    return _shown(_box().inbox.moves.ignore(call.actor, conversation_id, body.why, body.version))


@bp.route("/v1/inbox/{conversation_id}/tag", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().TagsIn, answers=lambda: _forms().ConversationOut)
def tag_conversation(call: Call, conversation_id: str) -> Answer:
    """Add tags."""
    return _shown(_box().inbox.moves.tag(call.actor, conversation_id, call.body.tags))


@bp.route("/v1/inbox/{conversation_id}/untag", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().TagsIn, answers=lambda: _forms().ConversationOut)
def untag_conversation(call: Call, conversation_id: str) -> Answer:
    """Take tags off."""
    return _shown(_box().inbox.moves.untag(call.actor, conversation_id, call.body.tags))


@bp.route("/v1/inbox/{conversation_id}/priority", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().PriorityIn, answers=lambda: _forms().ConversationOut)
def rank_conversation(call: Call, conversation_id: str) -> Answer:
    """Set its priority; rules leave it alone from then on."""
    return _shown(_box().inbox.moves.rank(call.actor, conversation_id, call.body.priority))


@bp.route("/v1/inbox/{conversation_id}/note", methods=["POST"])
@endpoint(
    right=Right.INBOX_WRITE, body=lambda: _forms().NoteIn, answers=lambda: _forms().NoteOut, idempotent=True
)
def note_in_conversation(call: Call, conversation_id: str) -> Answer:
    """Tell colleagues something about it; nobody outside sees it."""
    note = _box().inbox.moves.note(call.actor, conversation_id, call.body.text)
    return Answer(_views().note_view(note), status=201)


@bp.route("/v1/inbox/{conversation_id}/claim", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().ClaimIn, answers=lambda: _forms().ConversationOut)
def claim_conversation(call: Call, conversation_id: str) -> Answer:
    """Lock it for five minutes while you write an answer; the same call renews the lock."""
    return _shown(_box().inbox.moves.claim(call.actor, conversation_id, call.body.take_over))


@bp.route("/v1/inbox/{conversation_id}/release", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, answers=lambda: _forms().ConversationOut)
def release_conversation(call: Call, conversation_id: str) -> Answer:
    """End your lock."""
    return _shown(_box().inbox.moves.release(call.actor, conversation_id))


@bp.route("/v1/inbox/{conversation_id}/merge", methods=["POST"])
@endpoint(right=Right.INBOX_WRITE, body=lambda: _forms().MergeIn, answers=lambda: _forms().ConversationOut)
def merge_conversations(call: Call, conversation_id: str) -> Answer:
    """Make one of two conversations of an account; the older one survives."""
    return _shown(_box().inbox.moves.merge(call.actor, conversation_id, call.body.other_id))
