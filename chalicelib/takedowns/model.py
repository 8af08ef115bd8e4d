"""A takedown case: an account that poses as us, what was asked of its platform, and what came of it.

What may follow what is one table, and so is how soon a case is chased and who hears of it: by harm, by whose
turn it is, and by the time that the platform usually takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.core.errors import Conflict, InvalidInput, Problem
from chalicelib.core.words import mark

RECHECKED_AFTER = (timedelta(days=30), timedelta(days=90))
"""How long after its end a case is looked at again."""

LONGEST_WHY = 2000
LONGEST_REFERENCE = 200


class Kind(StrEnum):
    IMPERSONATION = "impersonation"
    TRADEMARK = "trademark"
    FRAUD = "fraud"
    ABANDONED = "abandoned"  # by a former employee, or by somebody whom nobody knows any more


class Harm(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


HARM_MEANS: Mapping[Harm, str] = {
    Harm.LOW: mark("untidy: silent, hardly followed, and nobody takes it for us"),
    Harm.MEDIUM: mark("confusing: people take it for us, and nobody has lost anything"),
    Harm.HIGH: mark("harmful: it writes to our customers, or says in our name what is not true"),
    Harm.CRITICAL: mark("people lose money or data, or are in danger, while it is there"),
}


class State(StrEnum):
    OPENED = "opened"
    SUBMITTED = "submitted"
    ANSWERED = "answered"
    REFUSED = "refused"
    REOPENED = "reopened"
    REMOVED = "removed"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


ENDED = frozenset({State.REMOVED, State.WITHDRAWN, State.CLOSED})
WITH_PLATFORM = frozenset({State.SUBMITTED})
"""Where the platform has to act; in every other open state it is our turn."""

_TO_HAND_IN = {
    State.SUBMITTED: mark("The report was handed in."),
    State.REMOVED: mark("It was gone before we handed anything in."),
    State.WITHDRAWN: mark("We do not want it removed any more."),
}
MOVES: Mapping[State, Mapping[State, str]] = {
    State.OPENED: _TO_HAND_IN,
    State.REOPENED: _TO_HAND_IN,
    State.SUBMITTED: {
        State.SUBMITTED: mark("It was handed in once more."),
        State.ANSWERED: mark("The platform asks for something, or looks into it."),
        State.REMOVED: mark("The platform removed it."),
        State.REFUSED: mark("The platform will not remove it."),
        State.WITHDRAWN: mark("We do not want it removed any more."),
    },
    State.ANSWERED: {
        State.SUBMITTED: mark("We sent what the platform asked for."),
        State.ANSWERED: mark("The platform wrote again."),
        State.REMOVED: mark("The platform removed it."),
        State.REFUSED: mark("The platform will not remove it."),
        State.WITHDRAWN: mark("We do not want it removed any more."),
    },
    State.REFUSED: {
        State.SUBMITTED: mark("It was handed in once more, with more evidence or by another way."),
        State.ANSWERED: mark("The platform looks into it again."),
        State.REMOVED: mark("The platform removed it after all."),
        State.WITHDRAWN: mark("We do not want it removed any more."),
        State.CLOSED: mark("Nothing more can be done for now."),
    },
    State.REMOVED: {
        State.REOPENED: mark("It is back."),
        State.CLOSED: mark("It was still gone at the last look."),
    },
    State.WITHDRAWN: {State.REOPENED: mark("We want it removed after all.")},
    State.CLOSED: {
        State.REOPENED: mark("It is back, or there is something new to show."),
        State.REMOVED: mark("It is gone after all."),
    },
}
"""What may follow what, and what each step says."""

_NEEDS_WHY = frozenset({State.ANSWERED, State.REFUSED, State.WITHDRAWN, State.CLOSED, State.REOPENED})

ACT_FOR: Mapping[Harm, timedelta] = {
    Harm.LOW: timedelta(days=7),
    Harm.MEDIUM: timedelta(days=3),
    Harm.HIGH: timedelta(days=1),
    Harm.CRITICAL: timedelta(hours=4),
}
"""How long a case may wait for us before its owner hears of it, and between the mails after that."""

WAITS_FOR_SHARE: Mapping[Harm, float] = {Harm.LOW: 1.5, Harm.MEDIUM: 1.0, Harm.HIGH: 0.5, Harm.CRITICAL: 0.25}
"""Of the time that the platform usually takes: how much is given to it before it is asked again."""

ESCALATES_AFTER: Mapping[Harm, tuple[int, int]] = {
    Harm.LOW: (3, 6),
    Harm.MEDIUM: (2, 4),
    Harm.HIGH: (1, 2),
    Harm.CRITICAL: (0, 1),
}
"""How many mails since the last step go by before the unit's manager, and then the lead, gets them too."""


class Rung(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    LEAD = "lead"


@dataclass(frozen=True)
class Case:
    """`platform`, `handle` and `url` are the account's when the case began; `original_id` is whom it copies.

    `log_head` and `evidence_head` are the ends of two chains (chain.py), `steps` and `evidence` their
    lengths. `chases` are the mails since the last step, `rechecks` the looks since the end.
    """

    case_id: str
    account_id: str
    unit_id: str
    platform: str
    server: str
    handle: str
    url: str
    kind: Kind
    harm: Harm
    why: str
    opened_at: datetime
    opened_by: str
    owner_id: str
    at: datetime
    state: State = State.OPENED
    original_id: str | None = None
    mark_name: str = ""
    reference: str = ""
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: State | None = None
    chase_at: datetime | None = None
    chases: int = 0
    rechecks: int = 0
    steps: int = 0
    log_head: str = ""
    evidence: int = 0
    evidence_head: str = ""
    version: int = 1

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED

    @property
    def recheck_at(self) -> datetime | None:
        """When it is looked at again; None while it is open or withdrawn, and after the last look."""
        if self.ended_at is None or self.outcome == State.WITHDRAWN or self.rechecks >= len(RECHECKED_AFTER):
            return None
        return self.ended_at + RECHECKED_AFTER[self.rechecks]


class EvidenceKind(StrEnum):
    SCREEN = "screen"
    PROFILE = "profile"
    LINK = "link"
    NOTE = "note"


@dataclass(frozen=True)
class Step:
    """One line of a case's log, a link of its chain (chain.py); `why` is the reason in the person's words."""

    case_id: str
    place: int
    to: State
    at: datetime
    by_id: str
    way: str
    reference: str
    why: str
    previous: str
    chain: str = ""


@dataclass(frozen=True)
class Evidence:
    """One item that was kept, a link of its chain; never changed. `sha256` is of the content's bytes: `text`
    in UTF-8 or, of a screen, the picture, which the bucket keeps as `evidence/<sha256>`.
    """

    case_id: str
    place: int
    kind: EvidenceKind
    sha256: str
    captured_at: datetime
    captured_by: str
    previous: str
    text: str = ""
    name: str = ""
    mime: str = ""
    size: int = 0
    width: int | None = None
    height: int | None = None
    chain: str = ""


def said(steps: Sequence[Step], place: int) -> str:
    """What the step at this place says; a message."""
    to = steps[place - 1].to
    return MOVES[steps[place - 2].to][to] if place > 1 else mark("The case was opened.")


def moved(case: Case, to: State, reference: str, why: str, now: datetime, answers_for: timedelta) -> Case:
    """The case after a step; `answers_for` is the time that the platform usually takes.

    Raises Conflict for a step that cannot follow, InvalidInput for one that lacks a reference or a reason.
    """
    check_step(case, to, reference, why)
    after = replace(case, state=to, at=now, chases=0, reference=reference or case.reference)
    if to == State.SUBMITTED:
        after = replace(after, submitted_at=now)
    if to not in ENDED:
        after = replace(after, ended_at=None, outcome=None, rechecks=0)
        return replace(after, chase_at=now + chased_after(after, answers_for))
    outcome = State.REFUSED if to == State.CLOSED else to
    if case.is_open or outcome == State.REMOVED:
        return replace(after, ended_at=now, outcome=outcome, rechecks=0, chase_at=None)
    return after  # closed for good: it ended before, and how it ended stands


def check_step(case: Case, to: State, reference: str, why: str) -> None:
    """Raises Conflict and InvalidInput as `moved` does."""
    if to not in MOVES[case.state]:
        ways = ", ".join(MOVES[case.state])
        raise Conflict(f"a case that is {case.state} cannot become {to}; it can become: {ways}")
    problems = []
    if to == State.SUBMITTED and not reference and not why:
        message = "give the number that the platform gave the report, or say in `why` that it gave none"
        problems.append(Problem("reference", message))
    if to in _NEEDS_WHY and not why:
        problems.append(
            Problem("why", f"say in a few words why it is {to}; the next one to read it needs that")
        )
    if problems:
        raise InvalidInput(problems)


def chased_after(case: Case, answers_for: timedelta) -> timedelta:
    """How long after a step, or the last mail, the next mail goes out."""
    own = ACT_FOR[case.harm]
    if case.state not in WITH_PLATFORM:
        return own
    return max(own, answers_for * WAITS_FOR_SHARE[case.harm])


def chased(case: Case, now: datetime, answers_for: timedelta) -> Case:
    """The case after one more mail about it: the platform had its time, so the next comes at our own pace."""
    after = replace(case, chases=case.chases + 1)
    pause = ACT_FOR[case.harm]
    if case.state in WITH_PLATFORM:
        pause = max(pause, answers_for * WAITS_FOR_SHARE[case.harm] / 2)
    return replace(after, chase_at=now + pause)


def rungs(case: Case) -> tuple[Rung, ...]:
    """Who hears of the mail that is due now."""
    manager_after, lead_after = ESCALATES_AFTER[case.harm]
    found = [Rung.OWNER]
    if case.chases >= manager_after:
        found.append(Rung.MANAGER)
    if case.chases >= lead_after:
        found.append(Rung.LEAD)
    return tuple(found)
