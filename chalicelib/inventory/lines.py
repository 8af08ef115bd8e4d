"""A round's list as its page shows it: each account with what is known of it, and what has changed since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.accounts.directory import network_name
from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.history import Row
from chalicelib.core.words import mark
from chalicelib.inventory.answers import Sitting
from chalicelib.inventory.cover import is_asked_for
from chalicelib.inventory.model import Answer, Part, PartState, Question, shown_of
from chalicelib.inventory.people import People
from chalicelib.org.model import Person, Status

FIELDS = {
    "handle": mark("Account"),
    "display_name": mark("Name shown"),
    "owner_id": mark("Looked after by"),
    "backup_id": mark("Backup"),
    "purpose": mark("Purpose"),
    "audience": mark("Audience"),
    "contact": mark("Published contact"),
    "unit_id": mark("Unit"),
}
"""The fields that the page shows, by the words it has for them."""

SAID = {
    Answer.CONFIRMED: mark("Confirmed"),
    Answer.CORRECTED: mark("Corrected"),
    Answer.ADDED: mark("Added"),
    Answer.DISOWNED: mark("Not yours"),
    Answer.GONE: mark("Moved or retired by somebody else"),
}


@dataclass(frozen=True)
class Line:
    """`is_here`: still on the list. `seen` is empty where nothing can be answered: the account is not on the
    list any more, or its part is finished.
    """

    unit_id: str
    account: Account
    answer: Answer | None
    network: str
    unit: str
    owner: str
    is_owner_here: bool
    backup: str
    last_post_at: datetime | None
    is_here: bool
    seen: str

    @property
    def key(self) -> str:
        """What the button that confirms a whole page sends of it."""
        return f"{self.unit_id}/{self.account.account_id}/{self.seen}"

    @property
    def is_left(self) -> bool:
        return self.answer is None and bool(self.seen)


@dataclass(frozen=True)
class Changed:
    """One field that somebody changed: its name in the catalogue, what it was and what it is."""

    name: str
    before: str
    after: str


class Lines:
    def __init__(self, accounts: Accounts, people: People) -> None:
        self._accounts = accounts
        self._people = people

    def of(self, sitting: Sitting, asked: Iterable[tuple[Part, Question]]) -> list[Line]:
        """The lines of these questions; an account that is nowhere any more has none."""
        asked = list(asked)
        accounts = self._accounts.get_many(question.account_id for _, question in asked)
        ids = {p for a in accounts.values() for p in (a.owner_id, a.backup_id) if p}
        people = {person_id: self._people.find(person_id) for person_id in ids}
        found = ((part, question, accounts.get(question.account_id)) for part, question in asked)
        return [_line(sitting, part, question, a, people) for part, question, a in found if a is not None]


def _line(
    sitting: Sitting,
    part: Part,
    question: Question,
    account: Account,
    people: Mapping[str, Person | None],
) -> Line:
    here = is_asked_for(account, sitting.units, sitting.round_, part.unit_id)
    is_open = part.state != PartState.FINISHED and part.closed_at is None
    unit = sitting.units.get(account.unit_id)
    owner, backup = people.get(account.owner_id), people.get(account.backup_id or "")
    return Line(
        part.unit_id,
        account,
        question.answer if here or question.answer else Answer.GONE,
        network_name(account.platform),
        unit.name if unit else "",
        owner.name if owner else "",
        owner is not None and owner.status != Status.LEFT,
        backup.name if backup else "",
        account.last_post_at,
        here,
        shown_of(account) if here and is_open else "",
    )


def changes_of(rows: Iterable[Row], sitting: Sitting, people: People) -> list[Changed]:
    """What an account's history says of the fields that the page shows: as they were first, and are last."""
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for row in rows:
        before, after = row.details.get("before") or {}, row.details.get("after") or {}
        for name in FIELDS:
            if name in before or name in after:
                first.setdefault(name, before.get(name) or "")
                last[name] = after.get(name) or ""

    def shown(name: str, value: str) -> str:
        if name in ("owner_id", "backup_id"):
            return people.name(value)
        unit = sitting.units.get(value) if name == "unit_id" else None
        return unit.name if unit else value

    return [
        Changed(FIELDS[name], shown(name, was), shown(name, last[name]))
        for name, was in first.items()
        if was != last[name]
    ]
