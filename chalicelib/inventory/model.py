"""Inventory rounds: whoever manages a unit is asked for its list of accounts, and answers for each of them.

Pure rules. A round has a part for each unit, a part a question for each account; a part counts its questions
by their answer.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from chalicelib.accounts.model import Account

REMINDED_BEFORE = (7, 3, 0)  # days before the date that a round is due on
MOST_BEFORE = 60
GRACE = 7  # days after that date in which those above can still get answers
LINK_KEPT_FOR = timedelta(days=30)  # after the end: it shows what was answered
REMINDED_AT, ESCALATED_AT = time(9), time(15)  # where the round was started


class RoundState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class PartState(StrEnum):
    ASKED = "asked"
    ANSWERING = "answering"
    FINISHED = "finished"
    UNANSWERED = "unanswered"  # the round ended before anybody said that it is finished


class Answer(StrEnum):
    CONFIRMED = "confirmed"
    CORRECTED = "corrected"
    ADDED = "added"
    DISOWNED = "disowned"
    GONE = "gone"  # somebody retired it or moved it to another unit meanwhile


@dataclass(frozen=True)
class Round:
    """`reminders` are days before `due_on`; `zone` is of whoever started it, whose mornings count.

    `unit_ids` are those that are asked, each for itself and for what is below it and not asked itself.
    `outside` counts the accounts of ours that are in none of them. `asked_at`: every mail is on its way.
    """

    round_id: str
    name: str
    due_on: date
    zone: str
    reminders: tuple[int, ...]
    unit_ids: tuple[str, ...]
    outside: int
    started_by: str
    started_at: datetime
    closes_at: datetime
    state: RoundState = RoundState.OPEN
    asked_at: datetime | None = None
    reminded_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        return self.state == RoundState.OPEN

    @property
    def subject(self) -> str:
        return subject(self.round_id)


@dataclass(frozen=True)
class Part:
    """One unit's share of a round, and how many of its questions have which answer; `left` have none."""

    round_id: str
    unit_id: str
    asked_ids: tuple[str, ...]
    asked_at: datetime
    state: PartState = PartState.ASKED
    answered_at: datetime | None = None
    finished_at: datetime | None = None
    finished_by: str | None = None
    escalated_at: datetime | None = None
    closed_at: datetime | None = None
    left: int = 0
    confirmed: int = 0
    corrected: int = 0
    added: int = 0
    disowned: int = 0
    gone: int = 0

    @property
    def total(self) -> int:
        return self.left + self.confirmed + self.corrected + self.added + self.disowned + self.gone


@dataclass(frozen=True)
class Question:
    """What is asked about one account. `proof` is a digest of the answer: the same one twice is one."""

    account_id: str
    answer: Answer | None = None
    proof: str = ""
    by_id: str = ""
    at: datetime | None = None
    version: int = 1


def subject(round_id: str) -> str:
    """What a round's history rows are about."""
    return f"inventory#{round_id}"


def counter(answer: Answer | None) -> str:
    """Under which name a part counts questions with this answer."""
    return str(answer) if answer else "left"


def settled(before: Answer | None, given: Answer) -> Answer:
    """The answer that counts: an account that was added or corrected stays that when it is confirmed."""
    if before == Answer.ADDED and given in (Answer.CONFIRMED, Answer.CORRECTED):
        return before
    if before == Answer.CORRECTED and given == Answer.CONFIRMED:
        return before
    return given


def asked_for(path: tuple[str, ...], unit_ids: Iterable[str]) -> str | None:
    """Whose list an account belongs to: the nearest of the units that are asked, from its own one upwards."""
    asked = frozenset(unit_ids)
    return next((unit_id for unit_id in reversed(path) if unit_id in asked), None)


def at_on(day: date, clock_time: time, zone: str) -> datetime:
    """That time of a day where `zone` (IANA) is, in UTC."""
    from zoneinfo import ZoneInfo

    return datetime.combine(day, clock_time, ZoneInfo(zone)).astimezone(UTC)


def closes_at(due_on: date, zone: str) -> datetime:
    """When a round that is due on a day ends by itself."""
    return at_on(due_on + timedelta(days=GRACE), REMINDED_AT, zone)


def shown_of(account: Account) -> str:
    """A digest of what the page shows of an account: an answer is about that, and about nothing newer.

    What reads write down every day (followers, last post) is not in it.
    """
    shown = (
        account.handle, account.display_name, account.owner_id, account.backup_id, account.purpose,
        account.audience, account.contact, account.unit_id, account.account_class,
    )  # fmt: skip
    return _digest(shown)


def proof_of(*said: object) -> str:
    """A digest by which an answer that comes twice is known."""
    return _digest(said)


def _digest(values: Iterable[object]) -> str:
    return hashlib.sha256(json.dumps([str(v) for v in values]).encode()).hexdigest()[:32]
