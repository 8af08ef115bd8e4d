"""The clocks of a conversation: how they follow from what was said and decided, and what rings when.

A clock is its facts, not its alarms: from when it counts and when it is due is worked out anew at every
change, so that a message that comes late, or before an earlier one, leaves the same clocks behind.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

from chalicelib.core.clock import to_text
from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later
from chalicelib.inbox.calendar import Calendar
from chalicelib.inbox.model import TO_DO, ClockKind, ClockState, Conversation, State
from chalicelib.inbox.settings import InboxSettings, Settled
from chalicelib.inbox.store import InboxStore
from chalicelib.inbox.targets import Ladder

if TYPE_CHECKING:
    from chalicelib.inbox.numbers import Numbers

KIND = "clock_rings"
HALF, FOUR_FIFTHS, BREACH = 1, 2, 3
"""The steps before the ladder's; `ClockState.step` is the last that was told."""
_ATTEMPTS = 4


class Line(Protocol):
    """Whom a step reaches: the unit's ladder (tellings.py), and the rota once there is one."""

    def people(self, conversation: Conversation, step: int, now: datetime) -> list[str]:
        """Ids of people who are here, without doubles; a step that would reach nobody reaches the next."""
        ...


class Clocks:
    def __init__(
        self, kernel: Kernel, store: InboxStore, settings: InboxSettings, numbers: "Numbers", line: Line
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._settings = settings
        self._numbers = numbers
        self._line = line

    def plan(self, change: Change, before: Conversation | None, after: Conversation) -> Conversation:
        """`after` with its clocks in line with facts and state; their timetable entries, and the numbers that
        follow from them, join the change. To be called once for each conversation of a change.
        """
        unit = self._settings.of(after.unit_id)
        planned = replace(after, clocks=tuple(clocks_of(before, after, change.now, unit)))
        for kind in ClockKind:
            self._plan_ring(change, before, planned, kind, unit)
        self._numbers.follow(change, before, planned)
        return planned

    def ring(self, claim: Claim) -> None:
        """Tell the latest step that a clock has come to, once, and nothing of one that has ended.

        Raises Later with the time of its next step.
        """
        kind = ClockKind(claim.entry.args["clock"])
        for attempt in range(_ATTEMPTS):
            try:
                next_at = self._ring(claim.entry.ref, kind)
                break
            except Conflict:  # somebody changed the conversation: look again
                if attempt + 1 == _ATTEMPTS:
                    raise
        if next_at is not None:
            raise Later(next_at)

    def _ring(self, conversation_id: str, kind: ClockKind) -> datetime | None:
        """When the next step is due, or None when there is none."""
        conversation, now = self._store.find(conversation_id), self._kernel.clock.now()
        clock = clock_of(conversation, kind)
        if conversation is None or clock is None or not _is_running(clock):
            return None
        unit = self._settings.of(conversation.unit_id)
        steps = ring_times(clock, unit.calendar, unit.ladder)
        reached = max((n for n, at in enumerate(steps, 1) if at <= now), default=0)
        if reached > clock.step:
            breached_at = clock.due_at if reached >= BREACH else clock.breached_at
            self._tell(conversation, replace(clock, step=reached, breached_at=breached_at), now)
        step = max(reached, clock.step)
        return steps[step] if step < len(steps) else None

    def _tell(self, before: Conversation, clock: ClockState, now: datetime) -> None:
        """The step and the mail about it in one transaction: it is told if, and only if, it was counted."""
        change = self._kernel.change(BY_JOB)
        clocks = tuple(clock if c.kind == clock.kind else c for c in before.clocks)
        after = replace(before, clocks=clocks)
        people = self._line.people(after, clock.step, now)
        self._store.save(change, after)
        subject, started = f"conversation#{before.conversation_id}", to_text(clock.started_at)
        change.record(
            subject, "clock rang", clock=str(clock.kind), since=started, step=clock.step, told=people
        )
        key = f"{before.conversation_id}#{clock.kind}#{started}#{clock.step}"
        change.chore(
            "tell_clock", before.conversation_id, key=key,
            clock=str(clock.kind), started_at=started, step=str(clock.step), people=",".join(people),
        )  # fmt: skip
        self._numbers.follow(change, before, after)
        self._kernel.commit(change)

    def _plan_ring(
        self, change: Change, before: Conversation | None, after: Conversation, kind: ClockKind, unit: Settled
    ) -> None:
        old, new = clock_of(before, kind), clock_of(after, kind)
        if old == new:
            return
        entry_id = f"clock#{after.conversation_id}#{kind}"
        if new is not None and _is_running(new):
            steps = ring_times(new, unit.calendar, unit.ladder)
            if new.step < len(steps):
                args = {"clock": str(kind)}
                change.schedule(
                    Entry(entry_id, Lane.CHORES, KIND, after.conversation_id, steps[new.step], args=args)
                )
                return
        if old is not None and _is_running(old):
            change.unschedule(entry_id)


# Facts to clocks


def clocks_of(
    before: Conversation | None, after: Conversation, now: datetime, unit: Settled
) -> Iterator[ClockState]:
    """The clocks of a conversation, from its facts and state and from what was told and spent before.

    An answer that came ends the answer clock; whatever takes the conversation off the to-do list ends them
    all, and waiting for the customer stops them. A clock that ended without an answer is kept when a person
    ended it, so that taking the conversation up again tells nothing twice.
    """
    made = _Made(before, after, now, unit)
    since = _counts_since(made)
    is_first = after.first_answered_at is None
    first = clock_of(before, ClockKind.FIRST_ANSWER)
    if not is_first:
        yield made.answered_first(first)
    elif since is not None and made.is_live:
        yield made.running(first, ClockKind.FIRST_ANSWER, since)
    elif first is not None and after.decision is not None:
        yield made.dropped(first)
    following = clock_of(before, ClockKind.NEXT_ANSWER)
    if since is not None and made.is_live and not is_first:
        yield made.running(following, ClockKind.NEXT_ANSWER, since)
    elif following is not None and after.decision is not None and after.unanswered_since is not None:
        yield made.dropped(following)
    resolution = clock_of(before, ClockKind.RESOLUTION)
    if made.is_live:
        yield made.running(resolution, ClockKind.RESOLUTION, _resolves_since(made, resolution, since))
    elif resolution is not None and after.decision is not None and after.state != State.ANSWERED:
        yield made.dropped(resolution)


def ring_times(clock: ClockState, calendar: Calendar, ladder: Ladder) -> list[datetime]:
    """When a running clock comes to each of its steps."""
    running_since, due_at = clock.running_since, clock.due_at
    assert running_since is not None, "a paused clock has no times"
    assert due_at is not None, "a running clock is due"
    warnings = (clock.target_for // 2, clock.target_for * 4 // 5)
    waits = accumulate(step.after_for for step in ladder.steps)
    return [
        *(min(due_at, calendar.add(running_since, max(0, spent - clock.spent_for))) for spent in warnings),
        due_at,
        *(calendar.add(due_at, wait_for) for wait_for in waits),
    ]


def clock_of(conversation: Conversation | None, kind: ClockKind) -> ClockState | None:
    clocks = conversation.clocks if conversation is not None else ()
    return next((c for c in clocks if c.kind == kind), None)


class _Made:
    """Makes the clocks of one change."""

    def __init__(
        self, before: Conversation | None, after: Conversation, now: datetime, unit: Settled
    ) -> None:
        self.before = before
        self.after = after
        self.now = now
        self.unit = unit
        waits = after.state == State.WAITING_CUSTOMER
        self.is_live = (after.state in TO_DO or waits) and after.merged_into is None
        self.is_paused = waits

    def running(self, old: ClockState | None, kind: ClockKind, since: datetime) -> ClockState:
        """The clock that counts from `since`; it keeps what was spent and told if it is the same one."""
        if old is not None and was_paused(old) and since < old.started_at:
            since = old.started_at
        if old is None or old.started_at != since:
            # An older message came late: it is the same clock. A newer one was answered in between.
            told = old.step if old is not None and since < old.started_at else 0
            clock = self._fresh(kind, since)
            clock = replace(clock, step=told, breached_at=clock.due_at if told >= BREACH else None)
        else:
            clock = self._taken_up(old)
        if self.is_paused and clock.running_since is not None:
            spent_for = clock.spent_for + self.unit.calendar.between(clock.running_since, self._decided_at())
            return replace(clock, spent_for=spent_for, running_since=None, due_at=None)
        if not self.is_paused and clock.running_since is None:
            return self._resumed(clock)
        return clock

    def answered_first(self, old: ClockState | None) -> ClockState:
        answered_at, since = self.after.first_answered_at, self.after.first_customer_at
        assert answered_at is not None
        if old is not None and (was_paused(old) or self.after.decision is not None):
            since = max(since, old.started_at)  # a person set it anew, or stopped it: no message tells
        if old is None or old.started_at != since:
            step = old.step if old is not None else 0
            old = replace(self._fresh(ClockKind.FIRST_ANSWER, since), step=step)
        return ended(old, answered_at)

    def dropped(self, old: ClockState) -> ClockState:
        """Ended without an answer."""
        return old if old.ended_at is not None else ended(old, self.after.resolved_at or self._decided_at())

    def _fresh(self, kind: ClockKind, since: datetime) -> ClockState:
        target_for = self.unit.targets.of(self.after.kind, kind)
        return ClockState(kind, target_for, since, since, due_at=self.unit.calendar.add(since, target_for))

    def _taken_up(self, old: ClockState) -> ClockState:
        """A clock that a person had ended runs as before; one that had stood still goes on from now."""
        if old.ended_at is None:
            return old
        if not was_paused(old):
            return replace(old, ended_at=None, breached_at=old.due_at if old.step >= BREACH else None)
        spent_for = old.spent_for
        if old.running_since is not None:
            spent_for += self.unit.calendar.between(old.running_since, old.ended_at)
        stopped = replace(old, ended_at=None, running_since=None, due_at=None, spent_for=spent_for)
        return replace(stopped, breached_at=(old.breached_at or old.ended_at) if old.step >= BREACH else None)

    def _resumed(self, clock: ClockState) -> ClockState:
        """From the customer's message, even one that came late, if it waited for that; else from now."""
        decision, heard_at, since = self.after.decision, self.after.heard_at, self.now
        if decision is not None and decision.state == State.WAITING_CUSTOMER and heard_at is not None:
            since = max(decision.at, heard_at)
        left_for = max(0, clock.target_for - clock.spent_for)
        return replace(clock, running_since=since, due_at=self.unit.calendar.add(since, left_for))

    def _decided_at(self) -> datetime:
        decision = self.after.decision
        return decision.at if decision is not None and decision.state == self.after.state else self.now


def _counts_since(made: _Made) -> datetime | None:
    """The oldest message that waits for an answer; closing a conversation settles what was said before it."""
    before, after = made.before, made.after
    since, decision, heard_at = after.unanswered_since, after.decision, after.heard_at
    if since is None or heard_at is None:
        return since
    clock = clock_of(before, ClockKind.NEXT_ANSWER if after.first_answered_at else ClockKind.FIRST_ANSWER)
    known_at = decision.heard_at if decision is not None and decision.state == State.CLOSED else None
    if known_at is not None and since <= known_at < heard_at:
        is_anew = clock is not None and clock.ended_at is None and clock.started_at > known_at
        return min(clock.started_at, heard_at) if clock is not None and is_anew else heard_at
    settled = before.unanswered_since if before is not None else None
    if clock is not None and settled is not None and settled < clock.started_at:
        return max(since, clock.started_at)  # an earlier closing, which other decisions have followed
    return since


def _resolves_since(made: _Made, old: ClockState | None, since: datetime | None) -> datetime:
    """From the oldest message that nothing has settled; else from when a person took the conversation up."""
    if old is None or made.before is None:
        return since or made.now
    if old.ended_at is not None:
        return old.started_at if since is not None and since <= old.ended_at else since or made.now
    follows_messages = not was_paused(old) and old.started_at == made.before.unanswered_since
    return since if since is not None and follows_messages else old.started_at


def was_paused(clock: ClockState) -> bool:
    """Whether people have stopped it since it started: then its facts are not in the messages alone."""
    return clock.running_since != clock.started_at


def is_late(clock: ClockState) -> bool:
    """Whether an ended clock ended after it was due."""
    if clock.due_at is None or clock.ended_at is None or clock.spent_for > clock.target_for:
        return clock.spent_for > clock.target_for
    return clock.ended_at > clock.due_at


def ended(clock: ClockState, at: datetime) -> ClockState:
    ended = replace(clock, ended_at=at)
    breached_at = clock.breached_at or clock.due_at or at
    return replace(ended, breached_at=breached_at if is_late(ended) else None)


def _is_running(clock: ClockState) -> bool:
    return clock.ended_at is None and clock.running_since is not None
