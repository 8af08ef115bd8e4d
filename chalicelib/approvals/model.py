"""Approval policies, requests and decisions, and what the thing being approved must offer (the Subject).

A policy is a unit's wish; a request carries its own copy, with the approvers already named, so that a policy
change does not touch requests under way.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from chalicelib.core.kernel import Change
from chalicelib.org.roles import Role

ANY, ALL = "any", "all"
REQUEST_LIVES_FOR = timedelta(days=30)  # the longest; mostly the post's own time ends it sooner


class State(StrEnum):
    OPEN = "open"
    GRANTED = "granted"
    REJECTED = "rejected"
    CHANGES_ASKED = "changes_asked"
    EXPIRED = "expired"
    VOID = "void"


class Verdict(StrEnum):
    APPROVE = "approve"
    ASK_CHANGES = "ask_changes"
    REJECT = "reject"


class OnSilence(StrEnum):
    """What happens when nobody answers in time, from the loosest to the strictest."""

    ESCALATE = "escalate"
    REMIND = "remind"
    EXPIRE = "expire"


@dataclass(frozen=True)
class Stage:
    """Who must sign: `people` by id, and holders of `role` in the unit's line.

    `quorum` is any, all or a number; `within_for` and `remind_after` are hours.
    """

    name: str
    people: tuple[str, ...] = ()
    role: Role | None = None
    quorum: str = ANY
    within_for: int = 72
    remind_after: int = 24
    on_silence: OnSilence = OnSilence.ESCALATE


@dataclass(frozen=True)
class Policy:
    """A unit's stages in order, on top of its parent's; None is "as the parent".

    `code`: a decision counts only with a mailed code. `late_approval`: a request outlives the post's time.
    """

    stages: tuple[Stage, ...]
    code: bool | None = None
    late_approval: bool | None = None


DEFAULT_POLICY = Policy((Stage("Approval", role=Role.APPROVER),), code=False, late_approval=False)


@dataclass(frozen=True)
class Ask:
    """Somebody who was asked, and the seat they may fill: their own, as a deputy, or any (None)."""

    person_id: str
    seat: str | None = None


@dataclass(frozen=True)
class RequestStage:
    """A stage with its seats named; `asks` is empty until its turn comes."""

    name: str
    unit_id: str
    seats: tuple[str, ...]
    needed: int
    within_for: int
    remind_after: int
    on_silence: OnSilence
    asks: tuple[Ask, ...] = ()

    def reach(self) -> int:
        """How many seats can be filled if everybody who was asked approves."""
        return self.fills(frozenset(a.person_id for a in self.asks))

    def asked(self, person_id: str) -> bool:
        return any(a.person_id == person_id for a in self.asks)

    def fills(self, people: frozenset[str]) -> int:
        """How many seats these people fill, each of them at most one (a largest matching)."""
        taken: dict[str, str] = {}

        def place(person_id: str, tried: set[str]) -> bool:
            for seat in self.seats_of(person_id):
                if seat not in tried:
                    tried.add(seat)
                    if seat not in taken or place(taken[seat], tried):
                        taken[seat] = person_id
                        return True
            return False

        return sum(place(p, set()) for p in sorted(people))

    def seats_of(self, person_id: str) -> tuple[str, ...]:
        """The seats that this person may fill."""
        own = [a.seat for a in self.asks if a.person_id == person_id]
        return self.seats if None in own else tuple(s for s in self.seats if s in own)


@dataclass(frozen=True)
class Decision:
    person_id: str
    verdict: Verdict
    stage: int
    words: str
    at: datetime


@dataclass(frozen=True)
class Request:
    """One request for approval of one revision; `excluded` are those who worked on it."""

    request_id: str
    subject: str
    revision: str
    asked_by: str
    excluded: frozenset[str]
    opened_at: datetime
    expires_at: datetime
    stages: tuple[RequestStage, ...]
    state: State = State.OPEN
    stage: int = 0
    decisions: tuple[Decision, ...] = ()
    publish_at: datetime | None = None
    code: bool = False
    settled_at: datetime | None = None
    why: str | None = None
    unreached: frozenset[str] = frozenset()  # asked, but no mail arrives: nobody may wait for them alone
    version: int = 1

    @property
    def current(self) -> RequestStage:
        return self.stages[self.stage]

    def approved_by(self) -> frozenset[str]:
        """Who has approved in the current stage."""
        return frozenset(
            d.person_id for d in self.decisions if d.stage == self.stage and d.verdict == Verdict.APPROVE
        )

    def missing(self) -> int:
        """How many more approvals the current stage needs."""
        return max(0, self.current.needed - self.current.fills(self.approved_by()))

    def waits_for(self, person_id: str) -> bool:
        """Whether their answer could still count."""
        answered = any(d.person_id == person_id and d.stage == self.stage for d in self.decisions)
        return self.state == State.OPEN and self.current.asked(person_id) and not answered

    def able(self) -> tuple[str, ...]:
        """Whose answer is waited for, and whom our mails reach."""
        asked = dict.fromkeys(a.person_id for a in self.current.asks)
        return tuple(p for p in asked if self.waits_for(p) and p not in self.unreached)

    def is_in_reach(self) -> bool:
        """Whether the current stage can be signed by those who are able to."""
        return self.current.fills(self.approved_by() | frozenset(self.able())) >= self.current.needed

    def decision_of(self, person_id: str) -> Decision | None:
        """Their latest decision that still counts: in the current stage while open, else in any."""
        own = [d for d in self.decisions if d.person_id == person_id]
        if self.state == State.OPEN:
            own = [d for d in own if d.stage == self.stage or not self.current.asked(person_id)]
        return own[-1] if own else None


def decided(request: Request, decision: Decision) -> Request:
    """The request after a decision: settled, in its next stage (nobody asked yet), or waiting for more."""
    after = replace(request, decisions=(*request.decisions, decision))
    if decision.verdict != Verdict.APPROVE:
        state = State.REJECTED if decision.verdict == Verdict.REJECT else State.CHANGES_ASKED
        return replace(after, state=state, settled_at=decision.at)
    if after.missing() > 0:
        return after
    if request.stage + 1 < len(request.stages):
        return replace(after, stage=request.stage + 1, unreached=frozenset())
    return replace(after, state=State.GRANTED, settled_at=decision.at)


def asking_also(request: Request, asks: Iterable[Ask]) -> Request:
    """The request with these people asked, too, in its current stage."""
    stage = replace(request.current, asks=(*request.current.asks, *asks))
    return replace(
        request, stages=(*request.stages[: request.stage], stage, *request.stages[request.stage + 1 :])
    )


@dataclass(frozen=True)
class MediaPreview:
    """A picture or film; `read` gives its bytes when a mail wants them, `url` shows it on a page."""

    alt: str
    mime: str
    url: str
    read: Callable[[], bytes]
    size: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class ChannelPreview:
    """What one account will get."""

    platform: str
    handle: str
    display_name: str
    unit_name: str
    text: str
    language: str
    media: tuple[MediaPreview, ...] = ()
    note: str = ""


class What(StrEnum):
    """What of a post can differ between two revisions."""

    TIME = "time"
    IF_LATE = "if_late"
    LANGUAGE = "language"
    ADDED = "added"  # a channel; there is no before and no after
    TAKEN_OFF = "taken_off"
    TEXT = "text"
    PICTURES = "pictures"
    OPTIONS = "options"


@dataclass(frozen=True)
class Pictured:
    """A picture or film of a revision: which bytes, and how it is described."""

    digest: str
    alt: str


@dataclass(frozen=True)
class IfLate:
    """What happens once the time has passed: `publish` within the grace, `hold` or `drop`."""

    action: str
    grace_minutes: int


Value = datetime | IfLate | tuple[Pictured, ...] | str


@dataclass(frozen=True)
class Changed:
    """One difference from what was asked about last time, as values; wording.py says it to a reader.

    `channels` are those that it is about, none for the whole post.
    """

    what: What
    before: Value = ""
    after: Value = ""
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """A revision as its approvers see it; `asked_by` is a name, `zone` the author's."""

    title: str
    publish_at: datetime | None
    zone: str
    asked_by: str
    channels: tuple[ChannelPreview, ...]
    changes: tuple[Changed, ...]
    current_revision: str


class Subject(Protocol):
    """What can be approved. The writes that `granted` and `declined` add join the deciding transaction."""

    def preview(self, subject: str, revision: str) -> Preview:
        """That revision; `changes` lead from it to the current one or, if it is that, from the one before."""
        ...

    def granted(self, change: Change, request: Request) -> None: ...

    def declined(self, change: Change, request: Request, outcome: str, by_name: str, words: str) -> None: ...
