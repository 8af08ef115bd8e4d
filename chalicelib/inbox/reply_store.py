"""Answers in the inbox table: keys and conditions, no rules.

pk conv#<conversation>         sk reply#<id>    an answer
pk answered#<account>#<ext>    sk answer        who answers this message, or has: one at a time
pk saved#<unit>                sk saved#<id>    an answer that the unit keeps for repeating
"""

from dataclasses import replace

from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.inbox.reply_model import UNDER_WAY, Reply, ReplyState, SavedReply
from chalicelib.inbox.store import TABLE, short_id

_MEANWHILE = "this answer has moved on; look again"


class ReplyStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    # Reads

    def find(self, ref: str) -> Reply | None:
        """The reply of `<conversation>~<reply>`, or None."""
        conversation_id, _, reply_id = ref.partition("~")
        item = self._database.get(TABLE, _key(conversation_id, reply_id))
        return from_item(Reply, item) if item else None

    def get(self, ref: str) -> Reply:
        """Raises NotFound."""
        reply = self.find(ref)
        if reply is None:
            raise NotFound(f"there is no answer {ref.partition('~')[2]} in this conversation")
        return reply

    def of(self, conversation_ids: tuple[str, ...], limit: int = 100) -> list[Reply]:
        """The latest replies of a conversation, given with its parts; oldest first."""
        found: list[Reply] = []
        for conversation_id in conversation_ids:
            key = where("pk = :p AND begins_with(sk, :r)", p=f"conv#{conversation_id}", r="reply#")
            page = self._database.query(TABLE, key, limit=limit, forward=False)
            found += [from_item(Reply, i) for i in page.items]
        return sorted(found, key=lambda r: (r.created_at, r.reply_id))[-limit:]

    def answer_to(self, account_id: str, external_id: str) -> Item | None:
        """Who answers a message or has: `reply_id`, `by_id`, and `open` while it is under way."""
        return self._database.get(TABLE, _answer_key(account_id, external_id))

    def saved(self, unit_id: str) -> list[SavedReply]:
        """What a unit itself keeps, by name."""
        key = where("pk = :p", p=f"saved#{unit_id}")
        found = [from_item(SavedReply, i) for i in self._database.query_all(TABLE, key)]
        return sorted(found, key=lambda s: (s.name.casefold(), s.saved_id))

    def one_saved(self, unit_id: str, saved_id: str) -> SavedReply | None:
        item = self._database.get(TABLE, _saved_key(unit_id, saved_id))
        return from_item(SavedReply, item) if item else None

    # Writes that join a change

    def add(self, change: Change, reply: Reply, again: bool) -> None:
        """Put a new reply, and the claim on the message that it answers.

        The commit raises Conflict while another answer to it is under way, and unless `again` also when
        somebody else's has gone out.
        """
        change.put(TABLE, _item(reply), where("attribute_not_exists(pk)"))
        free = where("attribute_not_exists(pk) OR (open = :no AND by_id = :me)", no=False, me=reply.by_id)
        if again:
            free = where("attribute_not_exists(pk) OR open = :no", no=False)
        taken = Conflict("somebody else is answering this message, or has just done so; look again")
        change.put(TABLE, _answer(reply), free, taken)

    def save(self, change: Change, reply: Reply, seen: Reply) -> None:
        """Put what became of a reply; the message is free again once nothing was sent and nothing will be."""
        change.put(TABLE, _item(reply), where("version = :v", v=seen.version), Conflict(_MEANWHILE))
        was_open, is_open = seen.state in UNDER_WAY, reply.state in UNDER_WAY
        if was_open and not is_open:
            mine = where("reply_id = :r", r=reply.reply_id)
            if reply.state == ReplyState.SENT:
                change.put(TABLE, _answer(reply), mine)
            else:
                change.delete(TABLE, _answer_key(reply.account_id, reply.to_id), mine)

    def save_saved(self, change: Change, saved: SavedReply) -> SavedReply:
        """Put a saved reply, refused if somebody else changed it since it was read."""
        kept = replace(saved, version=saved.version + 1)
        when = where("attribute_not_exists(pk)")
        if saved.version:
            when = where("version = :v", v=saved.version)
        item = {**to_item(kept), **_saved_key(saved.unit_id, saved.saved_id)}
        change.put(TABLE, item, when, Conflict("somebody else changed this saved answer; look again"))
        return kept

    def drop_saved(self, change: Change, saved: SavedReply) -> None:
        key, seen = _saved_key(saved.unit_id, saved.saved_id), where("version = :v", v=saved.version)
        change.delete(TABLE, key, seen, Conflict("somebody else changed this saved answer; look again"))


def _key(conversation_id: str, reply_id: str) -> Item:
    return {"pk": f"conv#{conversation_id}", "sk": f"reply#{reply_id}"}


def _item(reply: Reply) -> Item:
    saved = replace(reply, version=reply.version + 1)
    return {**to_item(saved), **_key(reply.conversation_id, reply.reply_id)}


def _answer_key(account_id: str, external_id: str) -> Item:
    return {"pk": f"answered#{account_id}#{short_id(external_id)}", "sk": "answer"}


def _answer(reply: Reply) -> Item:
    row = {"reply_id": reply.reply_id, "by_id": reply.by_id, "open": reply.state in UNDER_WAY}
    return {**_answer_key(reply.account_id, reply.to_id), **row}


def _saved_key(unit_id: str, saved_id: str) -> Item:
    return {"pk": f"saved#{unit_id}", "sk": f"saved#{saved_id}"}
