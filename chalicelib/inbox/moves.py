"""What people do with conversations. Each move is one change with its history row.

A move that meets a platform's event on its way is made again on what stands there now; one that meets
another person's is refused, so that nobody overrides what they have not seen.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem, SignalboxError
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.inbox import facts
from chalicelib.inbox.access import Access
from chalicelib.inbox.model import MOVES, Conversation, Decision, Note, Priority, State, Timing
from chalicelib.inbox.store import InboxStore
from chalicelib.org.model import Actor, Person, Status
from chalicelib.org.roles import Right
from chalicelib.org.service import Org

LOCKED_FOR = timedelta(minutes=5)
MOST_TAGS = 50
MOST_PARTS = 20
_ATTEMPTS = 5
_MENTION = re.compile(r"@(person_[0-9a-z]{26})")
_STOPPED = frozenset(
    {State.WAITING_CUSTOMER, State.WAITING_COLLEAGUE, State.ESCALATED, State.CLOSED, State.IGNORED}
)

Edit = Callable[[Conversation, datetime], Conversation]


@dataclass(frozen=True)
class Result:
    """How one conversation of many fared: its new self, or why not."""

    conversation_id: str
    conversation: Conversation | None = None
    error: SignalboxError | None = None


class Moves:
    def __init__(self, kernel: Kernel, store: InboxStore, org: Org, access: Access, clocks: Timing) -> None:
        self._kernel = kernel
        self._store = store
        self._org = org
        self._access = access
        self._clocks = clocks

    # Who has it

    def assign(
        self, actor: Actor, conversation_id: str, assignee_id: str, version: int | None = None
    ) -> Conversation:
        """Give it to somebody who may answer there; taken out of any state but "answered" it is to do.

        Raises Conflict if another person has it, unless the actor is the one, manages the inbox, or proves
        by `version` to have seen it.
        """
        person = self._here("assignee_id", assignee_id)

        def edit(c: Conversation, now: datetime) -> Conversation:
            self._check_may_have(person, c, "assignee_id")
            others = c.assignee_id not in (None, assignee_id, actor.person_id)
            if others and version is None and not self._access.may(actor, Right.INBOX_MANAGE, c):
                raise Conflict(
                    f"{self._name(c.assignee_id)} has this conversation; to take it over, send its version"
                )
            if c.assignee_id == assignee_id and c.state not in _STOPPED:
                return c
            taken = replace(c, assignee_id=assignee_id, assigned_by_hand=True)
            return _decided(taken, State.OPEN, now) if c.state in _STOPPED else taken

        return self._move(
            actor, conversation_id, "assigned", edit, None, version, [assignee_id], to=assignee_id
        )

    def unassign(self, actor: Actor, conversation_id: str, version: int | None = None) -> Conversation:
        """Give it back: nobody has it."""

        def edit(c: Conversation, now: datetime) -> Conversation:
            return replace(c, assignee_id=None, assigned_by_hand=True) if c.assignee_id else c

        return self._move(actor, conversation_id, "unassigned", edit, None, version)

    # Where it stands

    def wait(
        self, actor: Actor, conversation_id: str, on: str, why: str, version: int | None = None
    ) -> Conversation:
        """Wait for the customer, which stops its clocks, or for a colleague, which does not."""
        state = State.WAITING_CUSTOMER if on == "customer" else State.WAITING_COLLEAGUE
        return self._decide(actor, conversation_id, state, f"waits for the {on}", why, version)

    def escalate(
        self, actor: Actor, conversation_id: str, why: str, version: int | None = None
    ) -> Conversation:
        """Pass it up."""
        return self._decide(actor, conversation_id, State.ESCALATED, "escalated", why, version)

    def close(
        self, actor: Actor, conversation_id: str, why: str = "", version: int | None = None
    ) -> Conversation:
        """Nothing is left to do; a new message of the customer's opens it again."""
        return self._decide(actor, conversation_id, State.CLOSED, "closed", why, version)

    def ignore(
        self, actor: Actor, conversation_id: str, why: str, version: int | None = None
    ) -> Conversation:
        """It needs no answer, and neither does what the customer adds to it."""
        return self._decide(actor, conversation_id, State.IGNORED, "ignored", why, version)

    def reopen(
        self, actor: Actor, conversation_id: str, why: str = "", version: int | None = None
    ) -> Conversation:
        """Take it up again: it is to do until we answer."""
        return self._decide(actor, conversation_id, State.OPEN, "reopened", why, version)

    # What is said about it

    def tag(self, actor: Actor, conversation_id: str, tags: Iterable[str]) -> Conversation:
        """Raises InvalidInput when it would have too many."""
        added = set(tags)

        def edit(c: Conversation, now: datetime) -> Conversation:
            all_tags = {*c.tags, *added}
            if len(all_tags) > MOST_TAGS:
                raise InvalidInput([Problem("tags", f"a conversation has {MOST_TAGS} tags at most")])
            return replace(c, tags=tuple(sorted(all_tags)))

        return self._move(actor, conversation_id, "tagged", edit, tags=sorted(added))

    def untag(self, actor: Actor, conversation_id: str, tags: Iterable[str]) -> Conversation:
        gone = set(tags)

        def edit(c: Conversation, now: datetime) -> Conversation:
            return replace(c, tags=tuple(t for t in c.tags if t not in gone))

        return self._move(actor, conversation_id, "untagged", edit, tags=sorted(gone))

    def rank(self, actor: Actor, conversation_id: str, priority: Priority) -> Conversation:
        """Set its priority; the rules leave it alone from then on."""

        def edit(c: Conversation, now: datetime) -> Conversation:
            return replace(c, priority=priority, priority_by_hand=True)

        return self._move(actor, conversation_id, "priority set", edit, priority=str(priority))

    def note(self, actor: Actor, conversation_id: str, text: str) -> Note:
        """Tell colleagues something; `@person_...` mentions one of them.

        Raises InvalidInput naming every mentioned person who is not here or may not read it.
        """
        mentions = tuple(dict.fromkeys(_MENTION.findall(text)))
        people = self._mentioned(mentions)
        for attempt in range(_ATTEMPTS):
            c = self._access.require(actor, conversation_id, Right.INBOX_WRITE)
            for person in people:
                self._check_may_have(person, c, "text", Right.INBOX_READ)
            change = self._org.begin(actor, mentions)
            now = facts.stored_time(change.now)
            note = Note(new_id("note", now), c.conversation_id, actor.person_id, now, text, mentions)
            self._store.save_note(change, note)
            if not c.touched:
                self._save(change, c, replace(c, touched=True))
            change.record(_subject(c), "note added", note=note.note_id, mentions=list(mentions))
            if mentions:
                change.chore("tell_named", c.conversation_id, by=actor.person_id, note=note.note_id)
            if self._committed(change, [c], attempt):
                break
        return note

    # Who is writing

    def claim(self, actor: Actor, conversation_id: str, take_over: bool = False) -> Conversation:
        """Lock it for writing an answer, for five minutes from now; its holder renews it the same way.

        Raises Conflict while somebody else has the lock; `take_over` needs inbox.manage then.
        """

        def edit(c: Conversation, now: datetime) -> Conversation:
            holder = c.writer(now)
            if holder not in (None, actor.person_id):
                self._check_takes_over(actor, c, take_over)
            return replace(c, lock_by=actor.person_id, lock_until=facts.stored_time(now + LOCKED_FOR))

        return self._move(actor, conversation_id, "claimed for an answer", edit)

    def release(self, actor: Actor, conversation_id: str) -> Conversation:
        """End one's own lock, or with inbox.manage anybody's. Raises Conflict for somebody else's."""

        def edit(c: Conversation, now: datetime) -> Conversation:
            holder = c.writer(now)
            if holder is None:
                return c
            if holder != actor.person_id:
                self._check_takes_over(actor, c, self._access.may(actor, Right.INBOX_MANAGE, c))
            return replace(c, lock_by=None, lock_until=None)

        return self._move(actor, conversation_id, "released", edit)

    # Many

    def merge(self, actor: Actor, conversation_id: str, other_id: str) -> Conversation:
        """Make one of two conversations of an account; the older one survives and gets what comes for both.

        Raises Conflict while somebody writes an answer in either, and InvalidInput for what cannot be one.
        """
        for attempt in range(_ATTEMPTS):
            pair = [self._access.require(actor, i, Right.INBOX_WRITE) for i in (conversation_id, other_id)]
            older, younger = sorted(pair, key=lambda c: (c.first_customer_at, c.conversation_id))
            if older.conversation_id == younger.conversation_id:
                raise InvalidInput([Problem("other_id", "these two are one conversation already")])
            if older.account_id != younger.account_id:
                raise InvalidInput(
                    [Problem("other_id", "it is of another account; only one's own can be merged")]
                )
            parts = (*older.parts, younger.conversation_id, *younger.parts)
            if len(parts) > MOST_PARTS:
                raise InvalidInput([Problem("other_id", f"a conversation has {MOST_PARTS} parts at most")])
            change = self._org.begin(actor)
            for c in pair:
                if c.writer(change.now) not in (None, actor.person_id):
                    self._check_takes_over(actor, c, False)
            known = facts.facts(self._store.all_messages((older.conversation_id, *parts)))
            assert known is not None, "both had a customer's message"
            whole = facts.absorbed(replace(older, parts=parts, **known), younger)
            if whole.assignee_id is None and younger.assignee_id is not None:
                whole = replace(whole, assignee_id=younger.assignee_id, assigned_by_hand=True)
            gone = replace(younger, state=State.CLOSED, merged_into=older.conversation_id)
            self._save(change, younger, replace(gone, touched=True, lock_by=None, lock_until=None))
            saved = self._save(change, older, facts.settled(replace(whole, touched=True)))
            change.record(_subject(older), "merged", other=younger.conversation_id)
            change.record(_subject(younger), "merged into another", other=older.conversation_id)
            if self._committed(change, pair, attempt):
                break
        return saved

    def bulk(self, conversation_ids: Iterable[str], move: Callable[[str], Conversation]) -> list[Result]:
        """Make one move with each, apart: what one refuses does not stop the others."""
        results = []
        for conversation_id in conversation_ids:
            try:
                results.append(Result(conversation_id, move(conversation_id)))
            except SignalboxError as error:
                results.append(Result(conversation_id, error=error))
        return results

    # How a move is made

    def _decide(
        self, actor: Actor, conversation_id: str, state: State, what: str, why: str, version: int | None
    ) -> Conversation:
        def edit(c: Conversation, now: datetime) -> Conversation:
            after = facts.settled(_decided(c, state, now, why))
            if after.state == c.state:
                return c
            if after.state not in MOVES[c.state]:
                was, wanted = (str(s).replace("_", " ") for s in (c.state, after.state))
                raise Conflict(
                    f"this conversation is {was}; it cannot become {wanted}, reopen or assign it first"
                )
            return after

        return self._move(actor, conversation_id, what, edit, why or None, version)

    def _move(
        self,
        actor: Actor,
        conversation_id: str,
        what: str,
        edit: Edit,
        why: str | None = None,
        version: int | None = None,
        here: Iterable[str] = (),
        **details: Any,
    ) -> Conversation:
        for attempt in range(_ATTEMPTS):
            before = self._access.require(actor, conversation_id, Right.INBOX_WRITE)
            if version is not None and version != before.version:
                raise Conflict("something happened in this conversation meanwhile; look again and repeat")
            change = self._org.begin(actor, here)
            after = edit(before, change.now)
            if after == before:
                return before
            after = facts.settled(replace(after, touched=True))
            saved = self._save(change, before, after)
            change.record(_subject(before), what, why, state=str(after.state), **details)
            if after.state == State.ESCALATED != before.state:
                change.chore("tell_passed_up", before.conversation_id, by=actor.person_id)
            if self._committed(change, [before], attempt):
                break
        return saved

    def _save(self, change: Change, before: Conversation, after: Conversation) -> Conversation:
        return self._store.save(change, self._clocks.plan(change, before, after))

    def _committed(self, change: Change, read: Iterable[Conversation], attempt: int) -> bool:
        """Commit, or say that it is worth another try: only a platform's event came between."""
        try:
            self._kernel.commit(change)
        except Conflict:
            now = [self._store.find(c.conversation_id) for c in read]
            met_people = any(
                n is None or _by_people(n) != _by_people(c) for n, c in zip(now, read, strict=True)
            )
            if met_people or attempt + 1 == _ATTEMPTS:
                raise
            return False
        return True

    # Who may

    def _here(self, field: str, person_id: str) -> Person:
        try:
            person = self._org.person(person_id)
        except NotFound as error:
            raise InvalidInput([Problem(field, error.message)]) from error
        if person.status == Status.LEFT:
            raise InvalidInput([Problem(field, f"{person.name} has left; name somebody who is here")])
        return person

    def _mentioned(self, mentions: Iterable[str]) -> list[Person]:
        people: list[Person] = []
        problems: list[Problem] = []
        for person_id in mentions:
            try:
                people.append(self._here("text", person_id))
            except InvalidInput as error:
                problems += error.problems
        if problems:
            raise InvalidInput(problems)
        return people

    def _check_may_have(
        self, person: Person, c: Conversation, field: str, right: Right = Right.INBOX_WRITE
    ) -> None:
        held = Actor(person.person_id, person.name, self._org.grants_of(person.person_id))
        if not self._access.may(held, right, c):
            what = "answer" if right == Right.INBOX_WRITE else "read"
            raise InvalidInput(
                [Problem(field, f"{person.name} may not {what} conversations of this account")]
            )

    def _check_takes_over(self, actor: Actor, c: Conversation, take_over: bool) -> None:
        if take_over:
            self._access.require(actor, c.conversation_id, Right.INBOX_MANAGE)
            return
        assert c.lock_until is not None
        raise Conflict(
            f"{self._name(c.lock_by)} is writing an answer until {c.lock_until:%H:%M:%S} UTC; "
            "wait for it, or ask whoever manages the inbox to take over"
        )

    def _name(self, person_id: str | None) -> str:
        return self._org.person(person_id).name if person_id else "nobody"


def _decided(c: Conversation, state: State, now: datetime, why: str = "") -> Conversation:
    return replace(c, decision=Decision(state, facts.stored_time(now), c.heard_at, c.last_own_at, why))


def _by_people(c: Conversation) -> tuple[Any, ...]:
    """What only people change."""
    locks = (c.lock_by, c.lock_until)
    by_hand = (c.assigned_by_hand and c.assignee_id, c.priority_by_hand and c.priority)
    return (c.decision, locks, by_hand, c.merged_into, c.parts)


def _subject(c: Conversation) -> str:
    return f"conversation#{c.conversation_id}"
