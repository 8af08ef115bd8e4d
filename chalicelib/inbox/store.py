"""The inbox table: keys, conditions and queries, no rules.

pk conv#<id>                    sk conv                  the conversation, listed; or a bare version number
                                                         while only we have written in its thread
pk conv#<id>                    sk message#<at>#<ext>    a message
pk conv#<id>                    sk note#<at>#<id>        a note of a colleague's
pk external#<account>#<ext>     sk message               where that message is, or that it is deleted
pk external#<account>#<parent>  sk waits#<ext>           a message that came before its parent
numbers.py and settings.py say what else is here.

A message is only written together with its `external#` row, whose version says that nobody came between.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.inbox.model import TO_DO, Conversation, Message, Note, State

TABLE = "inbox"
KEPT_FOR = timedelta(days=30)  # what waits for a message that may never come
_LONGEST_ID = 300  # bytes of a platform's id in a key; DynamoDB takes 1,024 in a sort key
_MEANWHILE = "this conversation has just changed; look again and repeat"
Key = tuple[str, str]
"""Where a conversation stands in a listing: its sort key, and its id."""


@dataclass(frozen=True)
class Place:
    """Where a platform's message is kept; without a conversation it has not come yet, or waits elsewhere."""

    account_id: str
    external_id: str
    conversation_id: str = ""
    at: datetime | None = None
    deleted_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True)
class Held:
    """A thread's row as it was read: its conversation, or none while only we have written in it."""

    conversation_id: str
    thread: str = ""
    conversation: Conversation | None = None
    version: int = 0


@dataclass(frozen=True)
class Waiting:
    """A message whose parent has not come. Ours is kept here whole; a customer's has a conversation of its
    own until then, and `message` is None.
    """

    parent_id: str
    external_id: str
    message: Message | None = None


def group_of(state: State) -> str:
    """The listing that a conversation in this state stands in."""
    if state in TO_DO:
        return "todo"
    if state == State.WAITING_CUSTOMER:
        return "waiting"
    return "ignored" if state == State.IGNORED else "done"


GROUPS = ("todo", "waiting", "done", "ignored")
NEWEST_FIRST = frozenset({"done", "ignored"})
"""The other two groups are sorted by what is due first."""


class InboxStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    # Reads

    def find(self, conversation_id: str) -> Conversation | None:
        """The conversation of this very id, merged into another or not."""
        return self.held(conversation_id).conversation

    def held(self, conversation_id: str) -> Held:
        """A thread's row, or version 0 where there is none."""
        item = self._database.get(TABLE, _conv_key(conversation_id))
        if item is None:
            return Held(conversation_id)
        conversation = from_item(Conversation, item) if "state" in item else None
        return Held(conversation_id, item["thread"], conversation, item["version"])

    def get(self, conversation_id: str) -> Conversation:
        """The conversation, or the one that it was merged into. Raises NotFound."""
        found = self.find(conversation_id)
        while found is not None and found.merged_into:
            found = self.find(found.merged_into)
        if found is None:
            raise NotFound(f"there is no conversation {conversation_id}")
        return found

    def place(self, account_id: str, external_id: str) -> tuple[Place, list[Waiting]]:
        """Where a message is, and what waits for it: one read."""
        place, waiting = Place(account_id, external_id), []
        key = where("pk = :p", p=_external_pk(account_id, external_id))
        for item in self._database.query_all(TABLE, key):
            if item["sk"] == "message":
                place = from_item(Place, item)
            else:
                waiting.append(from_item(Waiting, item))
        return place, waiting

    def message(self, place: Place) -> Message | None:
        """The message at this place."""
        if not place.conversation_id or place.at is None:
            return None
        key = _message_key(place.conversation_id, place.at, place.external_id)
        item = self._database.get(TABLE, key)
        return from_item(Message, item) if item else None

    def all_messages(self, parts: Iterable[str]) -> Iterator[Message]:
        """Every message of a conversation, given with its parts."""
        for part in parts:
            yield from self._messages(part, "", True, 1000)

    def messages(
        self, conversation: Conversation, limit: int, before: str = ""
    ) -> tuple[list[Message], str | None]:
        """A page of its messages, newest first, and where the next one starts."""
        parts = (conversation.conversation_id, *conversation.parts)
        streams = [self._messages(part, before, False, limit + 1) for part in parts]
        found = list(islice(merge(*streams, key=_message_sk, reverse=True), limit + 1))
        return found[:limit], _message_sk(found[limit - 1]) if len(found) > limit else None

    def notes(self, conversation: Conversation, limit: int = 100) -> list[Note]:
        """The latest notes of it and its parts, oldest first."""
        found: list[Note] = []
        for part in (conversation.conversation_id, *conversation.parts):
            key = where("pk = :p AND begins_with(sk, :n)", p=f"conv#{part}", n="note#")
            page = self._database.query(TABLE, key, limit=limit, forward=False)
            found += [from_item(Note, i) for i in page.items]
        return sorted(found, key=lambda n: (n.at, n.note_id))[-limit:]

    def listed(
        self, listings: Iterable[tuple[str, str]], after: str, newest_first: bool, at_once: int
    ) -> Iterator[Key]:
        """The keys of several listings (index, partition) in one order, each conversation once.

        Reads `at_once` keys of a listing at a time, and only as far as the caller goes on.
        """
        streams = [self._keys(i, pk, after, newest_first, at_once) for i, pk in listings]
        last = ""
        for key in merge(*streams, reverse=newest_first):
            if key[0] != last:  # the same conversation may stand in a unit's listing and in an account's
                last = key[0]
                yield key

    def get_many(self, conversation_ids: Iterable[str]) -> dict[str, Conversation]:
        items = self._database.get_many(TABLE, [_conv_key(c) for c in conversation_ids])
        return {i["conversation_id"]: from_item(Conversation, i) for i in items if "state" in i}

    def _messages(self, part: str, before: str, forward: bool, at_once: int) -> Iterator[Message]:
        key = where("pk = :p AND begins_with(sk, :m)", p=f"conv#{part}", m="message#")
        if before:
            key = where("pk = :p AND sk BETWEEN :m AND :b", p=f"conv#{part}", m="message#", b=before)
        after: Item | None = None
        while True:
            page = self._database.query(TABLE, key, limit=at_once, after=after, forward=forward)
            yield from (from_item(Message, i) for i in page.items if i["sk"] != before)
            after = page.after
            if after is None:
                return

    def _keys(self, index: str, pk: str, after: str, newest_first: bool, at_once: int) -> Iterator[Key]:
        name = _PARTITION[index]
        key = where(f"{name} = :p", p=pk)
        if after:
            key = where(f"{name} = :p AND lsk {'<' if newest_first else '>'} :a", p=pk, a=after)
        start: Item | None = None
        while True:
            page = self._database.query(
                TABLE, key, index=index, limit=at_once, after=start, forward=not newest_first
            )
            yield from ((i["lsk"], i["pk"].partition("#")[2]) for i in page.items)
            start = page.after
            if start is None:
                return

    # Writes that join a change

    def save(self, change: Change, conversation: Conversation) -> Conversation:
        """Put the conversation, refused if it was changed since it was read; returned as saved."""
        saved = replace(conversation, version=conversation.version + 1)
        item = {**to_item(saved), **_conv_key(saved.conversation_id)}
        if saved.merged_into is None:
            item |= _listing(saved)
        change.put(TABLE, item, _unchanged(conversation.version), Conflict(_MEANWHILE))
        return saved

    def save_bare(self, change: Change, held: Held) -> None:
        """Count up the version of a thread that only we have written in."""
        item = {**_conv_key(held.conversation_id), "thread": held.thread, "version": held.version + 1}
        change.put(TABLE, item, _unchanged(held.version), Conflict(_MEANWHILE))

    def drop(self, change: Change, conversation: Conversation) -> None:
        key = _conv_key(conversation.conversation_id)
        change.delete(TABLE, key, _unchanged(conversation.version), Conflict(_MEANWHILE))

    def save_message(self, change: Change, message: Message) -> None:
        key = _message_key(message.conversation_id, message.at, message.external_id)
        change.put(TABLE, {**to_item(message), **key})

    def drop_message(self, change: Change, message: Message) -> None:
        change.delete(TABLE, _message_key(message.conversation_id, message.at, message.external_id))

    def save_place(self, change: Change, place: Place) -> None:
        """Put the place, refused if it was changed since it was read; swept if its message never comes."""
        item = to_item(replace(place, version=place.version + 1))
        item |= {"pk": _external_pk(place.account_id, place.external_id), "sk": "message"}
        if not place.conversation_id:
            item["swept_at"] = _swept_at(change)
        change.put(TABLE, item, _unchanged(place.version), Conflict(_MEANWHILE))

    def save_waiting(self, change: Change, account_id: str, waiting: Waiting) -> None:
        item = {**to_item(waiting), **_waiting_key(account_id, waiting), "swept_at": _swept_at(change)}
        change.put(TABLE, item)

    def drop_waiting(self, change: Change, account_id: str, waiting: Waiting) -> None:
        change.delete(TABLE, _waiting_key(account_id, waiting))

    def save_note(self, change: Change, note: Note) -> None:
        key = {"pk": f"conv#{note.conversation_id}", "sk": f"note#{to_text(note.at)}#{note.note_id}"}
        change.put(TABLE, {**to_item(note), **key}, where("attribute_not_exists(pk)"))


_PARTITION = {"listing": "lpk", "by_account": "apk", "by_assignee": "wpk"}


def _listing(c: Conversation) -> Item:
    group = group_of(c.state)
    sorted_by = c.at
    if group not in NEWEST_FIRST:
        due = [clock.due_at for clock in c.clocks if clock.due_at is not None and clock.ended_at is None]
        sorted_by = min(due) if due else c.unanswered_since or c.at
    return {
        "lpk": f"unit#{c.unit_id}#{group}",
        "apk": f"account#{c.account_id}#{group}",
        "wpk": f"person#{c.assignee_id}#{group}" if c.assignee_id else None,
        "lsk": f"{to_text(sorted_by)}#{c.conversation_id}",
    }


def _unchanged(version: int) -> Any:
    return where("version = :v", v=version) if version else where("attribute_not_exists(pk)")


def _conv_key(conversation_id: str) -> Item:
    return {"pk": f"conv#{conversation_id}", "sk": "conv"}


def _message_key(conversation_id: str, at: datetime, external_id: str) -> Item:
    return {"pk": f"conv#{conversation_id}", "sk": f"message#{to_text(at)}#{short_id(external_id)}"}


def _message_sk(message: Message) -> str:
    return f"message#{to_text(message.at)}#{short_id(message.external_id)}"


def _external_pk(account_id: str, external_id: str) -> str:
    return f"external#{account_id}#{short_id(external_id)}"


def _waiting_key(account_id: str, waiting: Waiting) -> Item:
    return {"pk": _external_pk(account_id, waiting.parent_id), "sk": f"waits#{short_id(waiting.external_id)}"}


def short_id(external_id: str) -> str:
    """The platform's id where it fits into a key, else a digest of it."""
    if len(external_id) * 4 <= _LONGEST_ID or len(external_id.encode()) <= _LONGEST_ID:
        return external_id
    return "sha256:" + hashlib.sha256(external_id.encode()).hexdigest()


def _swept_at(change: Change) -> int:
    return int((change.now + KEPT_FOR).timestamp())
