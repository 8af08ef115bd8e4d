"""One event from a platform, applied to the inbox.

Any order and number of the same events gives the same rows. A message finds its conversation by the thread
that it names, or by its parent; what comes before its parent waits for it. Everything is read with its
version, and every write refused when that has changed: the caller reads again and repeats.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.accounts.model import Account
from chalicelib.core.kernel import Change
from chalicelib.inbox import facts
from chalicelib.inbox.model import (
    Conversation,
    Counting,
    Message,
    Outcome,
    State,
    Timing,
    conversation_id,
)
from chalicelib.inbox.store import Held, InboxStore, Place, Waiting
from chalicelib.platforms.inbound import CONVERSATIONAL, InboundEvent, InboundKind

MOST_JOINED = 8  # messages that join their parent in one transaction; the parent's next event goes on


class Application:
    """The rows that one event, or one answer of ours, touches: each read once, written once at the end."""

    def __init__(
        self, store: InboxStore, clocks: Timing, numbers: Counting, change: Change, account: Account
    ) -> None:
        self._store = store
        self._clocks = clocks
        self._numbers = numbers
        self._change = change
        self._account = account
        self._places: dict[str, Place] = {}
        self._waiting: dict[str, list[Waiting]] = {}
        self._stored: dict[str, Message | None] = {}
        self._messages: dict[str, Message] = {}
        self._placed: set[str] = set()
        self._threads: dict[str, Held] = {}
        self._outcomes: dict[str, list[Outcome]] = {}
        self._taken_in: dict[str, list[Conversation]] = {}
        self._parts: dict[str, list[str]] = {}
        self._unlocked: set[str] = set()
        self._joined = 0

    # What may come

    def take(
        self,
        event: InboundEvent,
        received_at: datetime,
        stale: bool,
        rule: Callable[[], Outcome],
    ) -> None:
        """Add the event's effect to the change, with at least one history row."""
        if event.kind == InboundKind.CONTENT_DELETED and event.external_id:
            self._delete(event, received_at)
        elif event.kind in CONVERSATIONAL and event.external_id:
            message, outcome = facts.told(event, received_at, stale), None
            if not event.own:
                outcome = rule()
                message = replace(
                    message, ignored_by_rule=outcome.ignore or "", routed_to=outcome.assignee_id
                )
            self.put(message, event.thread, outcome)
        self._finish(event.external_id)

    def sent(self, conversation: Conversation, message: Message) -> Conversation:
        """Add an answer of ours to the conversation, and end its lock; returned as it will be saved."""
        home = conversation.conversation_id
        self._threads[home] = Held(home, conversation.thread, conversation, conversation.version)
        self._unlocked.add(home)
        self.put(replace(message, conversation_id=home), "")
        self._finish(message.external_id)
        saved = self._threads[home].conversation
        assert saved is not None
        return saved

    def put(self, message: Message, thread: str, outcome: Outcome | None = None) -> None:
        """Join a telling of a message to what is known of it."""
        place, waiting = self._place(message.external_id)
        if place.deleted_at is not None:
            message = facts.emptied(message, place.deleted_at)
        known = self._known(message.external_id)
        if known is not None:
            message = facts.joined(known, message)
            home = self._home(message.conversation_id)
        else:
            found = self._home_of(message, thread)
            if found is None:
                return
            home, message = found, replace(message, conversation_id=found)
        if outcome is not None:
            self._outcomes.setdefault(home, []).append(outcome)
        self._set(message)
        for child in waiting:
            self._join(child, home)

    def _delete(self, event: InboundEvent, received_at: datetime) -> None:
        place, _ = self._place(event.external_id)
        deleted_at = facts.stored_time(min(event.happened_at, received_at))
        if place.deleted_at is not None and place.deleted_at <= deleted_at:
            return
        known = self._known(event.external_id)
        if known is None:  # it is not here yet, and will be empty when it comes
            self._set_place(replace(place, deleted_at=deleted_at))
        else:
            self._set(facts.emptied(known, deleted_at))

    # Where a message belongs

    def _home_of(self, message: Message, thread: str) -> str | None:
        """The conversation for a message that is new; None for one of ours that waits for its parent."""
        account_id = self._account.account_id
        if message.conversation_id:
            return self._home(message.conversation_id)
        if thread:
            return self._home(conversation_id(account_id, thread), thread)
        if message.parent_id:
            parent, waiting = self._place(message.parent_id)
            if parent.conversation_id:
                return self._home(parent.conversation_id)
            if message.own:
                held = next((w.message for w in waiting if w.external_id == message.external_id), None)
                message = facts.joined(held or message, message)
                self._wait(Waiting(message.parent_id, message.external_id, message))
            else:
                # Nobody may overlook it: it has a conversation of its own until the parent comes.
                self._wait(Waiting(message.parent_id, message.external_id))
        if message.own:
            return None
        return self._home(conversation_id(account_id, message.external_id), message.external_id)

    def _wait(self, waiting: Waiting) -> None:
        self._store.save_waiting(self._change, self._account.account_id, waiting)
        self._placed.add(waiting.parent_id)  # its version tells whoever brings the parent just now

    def _join(self, child: Waiting, home: str) -> None:
        """Bring what waited for its parent into the parent's conversation."""
        account_id = self._account.account_id
        if self._joined >= MOST_JOINED:
            return
        self._joined += 1
        self._store.drop_waiting(self._change, account_id, child)
        if child.message is not None:
            place, waiting = self._place(child.external_id)
            message = replace(child.message, conversation_id=home)
            self._set(facts.emptied(message, place.deleted_at) if place.deleted_at else message)
            for grandchild in waiting:
                self._join(grandchild, home)
            return
        alone = conversation_id(account_id, child.external_id)
        if self._home(alone) == alone != home:
            self._take_in(alone, home)

    def _take_in(self, alone: str, home: str) -> None:
        """Take the conversation that a message had while its parent was missing into the parent's."""
        held = self._threads[alone]
        conversation = held.conversation
        if conversation is None:
            return
        messages = list(self._store.all_messages((alone, *conversation.parts)))
        gone = replace(conversation, state=State.CLOSED, merged_into=home)
        self._taken_in.setdefault(home, []).append(conversation)
        self._threads[alone] = replace(held, conversation=gone)
        planned = self._clocks.plan(self._change, conversation, gone)
        if conversation.touched or conversation.parts or self._joined + len(messages) > MOST_JOINED:
            # People know it, or it is large: it stays where it is, as a part.
            self._store.save(self._change, planned)
            self._parts.setdefault(home, []).extend((alone, *conversation.parts))
            return
        self._joined += len(messages)
        self._store.drop(self._change, conversation)
        for message in messages:
            self._stored[message.external_id] = message
            self._set(replace(message, conversation_id=home))

    # What has been read and what is to be written

    def _home(self, named: str, thread: str = "") -> str:
        """The conversation of this id, or the one that it was merged into."""
        while True:
            if named not in self._threads:
                held = self._store.held(named)
                self._threads[named] = held if held.version else replace(held, thread=thread)
            conversation = self._threads[named].conversation
            if conversation is None or conversation.merged_into is None:
                return named
            named = conversation.merged_into

    def _place(self, external_id: str) -> tuple[Place, list[Waiting]]:
        if external_id not in self._places:
            place, waiting = self._store.place(self._account.account_id, external_id)
            self._places[external_id], self._waiting[external_id] = place, waiting
        return self._places[external_id], self._waiting[external_id]

    def _known(self, external_id: str) -> Message | None:
        if external_id not in self._stored:
            self._stored[external_id] = self._store.message(self._place(external_id)[0])
        return self._messages.get(external_id) or self._stored[external_id]

    def _set_place(self, place: Place) -> None:
        self._places[place.external_id] = place
        self._placed.add(place.external_id)

    def _set(self, message: Message) -> None:
        if message == self._known(message.external_id):
            return
        self._messages[message.external_id] = message
        place, _ = self._place(message.external_id)
        self._set_place(
            replace(
                place,
                conversation_id=message.conversation_id,
                at=message.at,
                deleted_at=message.deleted_at,
            )
        )

    def _finish(self, about: str) -> None:
        """Write everything. `about` is the message that it is all about."""
        for external_id in sorted(self._placed):
            self._store.save_place(self._change, self._place(external_id)[0])
        for external_id, message in sorted(self._messages.items()):
            stored = self._stored[external_id]
            if stored is not None and facts.moved(stored, message):
                self._store.drop_message(self._change, stored)
            self._store.save_message(self._change, message)
            if stored is None and not message.own:
                account = self._account
                self._numbers.count(self._change, account.unit_id, account.account_id, message.at, volume=1)
        homes = {self._home(m.conversation_id) for m in self._messages.values()}
        for home in sorted(homes | set(self._outcomes) | self._unlocked):
            self._save(home)
        told, what = self._known(about) if about else None, self._happened(about)
        if told is None:
            self._change.record(f"account#{self._account.account_id}", what, message=about)
            return
        home = self._home(told.conversation_id)
        conversation = self._threads[home].conversation
        state = str(conversation.state) if conversation else None
        self._change.record(f"conversation#{home}", what, message=about, state=state)

    def _happened(self, about: str) -> str:
        before, after = self._stored.get(about), self._messages.get(about)
        if after is None:
            return "event kept for later" if self._placed else "event without effect"
        if after.deleted_at is not None and (before is None or before.deleted_at is None):
            return "message deleted"
        if before is None:
            return "we answered" if after.own else "customer wrote"
        return "message changed"

    def _save(self, home: str) -> None:
        held = self._threads[home]
        before = held.conversation
        changed = {e: m for e, m in self._messages.items() if self._home(m.conversation_id) == home}
        bearing = [m for e, m in changed.items() if facts.bears(self._stored[e], m)]
        known = self._facts(home, before, changed, bearing)
        if known is None:
            if bearing:
                self._store.save_bare(self._change, held)
            return
        unit_id = self._account.unit_id
        if before is None:
            now = self._change.now
            after = Conversation(
                conversation_id=home,
                account_id=self._account.account_id,
                unit_id=unit_id,
                platform=self._account.platform,
                thread=held.thread,
                state=State.OPEN,
                created_at=now,
                at=now,
                version=held.version,
                **known,
            )
        else:
            after = replace(before, unit_id=unit_id, **known)
        for outcome in self._outcomes.get(home, ()):
            after = facts.ruled(after, outcome)
        for other in self._taken_in.get(home, ()):
            after = facts.absorbed(after, other)
        if home in self._unlocked:
            after = replace(after, lock_by=None, lock_until=None)
        after = facts.settled(replace(after, parts=(*after.parts, *self._parts.get(home, ()))))
        if after != before or bearing:
            planned = self._clocks.plan(self._change, before, after)
            self._threads[home] = replace(held, conversation=self._store.save(self._change, planned))

    def _facts(
        self, home: str, before: Conversation | None, changed: dict[str, Message], bearing: list[Message]
    ) -> dict[str, Any] | None:
        """What the messages say now; they are only read where the change is not plainly the newest."""
        if before is not None and home not in self._taken_in:
            if not bearing:
                return {}
            if len(bearing) == 1 and self._stored[bearing[0].external_id] is None:
                newest = facts.with_newest(before, bearing[0])
                if newest is not None:
                    return newest
        parts = (home, *(before.parts if before else ()), *self._parts.get(home, ()))
        messages = {m.external_id: m for m in self._store.all_messages(parts)}
        return facts.facts({**messages, **changed}.values())
