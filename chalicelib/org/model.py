"""Units, people, grants, and the actor: a person with what they hold, who may do this here or may not.

A unit's `path` leads from the company down to the unit itself. Units are never moved, so a grant carries
the path of its unit and a right is decided without reading the tree.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chalicelib.core.errors import NotAllowed
from chalicelib.core.history import By, Way
from chalicelib.org.roles import HANDED_OUT, ROLE_RIGHTS, Right, Role, roles_with


class Kind(StrEnum):
    COMPANY = "company"
    REGION = "region"
    DISTRICT = "district"
    DEPARTMENT = "department"
    TEAM = "team"


RANK = {Kind.COMPANY: 0, Kind.REGION: 1, Kind.DISTRICT: 2, Kind.DEPARTMENT: 2, Kind.TEAM: 3}
"""A unit stands in one of its own rank or a higher one: regions in the company or in regions, and so on."""


class Status(StrEnum):
    ACTIVE = "active"
    AWAY = "away"
    LEFT = "left"


class Language(StrEnum):
    """The languages that mails and pages are written in."""

    ENGLISH = "en"
    POLISH = "pl"
    PERSIAN = "fa"


@dataclass(frozen=True)
class Unit:
    unit_id: str
    name: str
    kind: Kind
    path: tuple[str, ...]
    created_at: datetime
    parent_id: str | None = None
    lead_id: str | None = None
    goals: tuple[str, ...] = ()
    version: int = 1


@dataclass(frozen=True)
class Reach:
    """What became of the mails to somebody's address `since` it was given, or said to work again.

    `delayed` counts mails; `failed_at` is when the latest was sent that was delayed or did not arrive.
    """

    since: datetime | None = None
    unreachable_at: datetime | None = None
    why: str | None = None
    delayed: int = 0
    failed_at: datetime | None = None


@dataclass(frozen=True)
class Person:
    """`zone` is an IANA time zone; `away_until` is the last day away there, None while nobody knows."""

    person_id: str
    name: str
    email: str
    zone: str
    language: Language
    created_at: datetime
    status: Status = Status.ACTIVE
    deputy_id: str | None = None
    away_until: date | None = None
    left_at: datetime | None = None
    reach: Reach = Reach()
    version: int = 1

    def is_away(self, now: datetime) -> bool:
        """Whether a deputy stands in now; it ends by itself after the last day away, where they live."""
        if self.status != Status.AWAY:
            return False
        return self.away_until is None or self.today(now) <= self.away_until

    def today(self, now: datetime) -> date:
        """The date where this person lives."""
        from zoneinfo import ZoneInfo

        return now.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True)
class Grant:
    """A role on a unit and everything below it or, when `account_id` is set, on that account alone.

    `unit_id` and `path` are then of the unit that the account belonged to when the grant was made.
    """

    person_id: str
    role: Role
    unit_id: str
    path: tuple[str, ...]
    granted_by: str
    granted_at: datetime
    account_id: str | None = None

    @property
    def grant_id(self) -> str:
        """The same for the same role on the same thing, so that nobody holds it twice."""
        return f"{self.role}.{self.account_id or self.unit_id}"

    def covers(self, unit_path: tuple[str, ...], account_id: str | None = None) -> bool:
        """Whether it reaches this unit or account; the empty path stands for the company as a whole."""
        if self.account_id is not None:
            return self.account_id == account_id
        return len(self.path) <= 1 or unit_path[: len(self.path)] == self.path


@dataclass(frozen=True)
class Actor:
    """Who asks for a change: a signed-in person with their grants, or the operator of the admin command."""

    person_id: str
    name: str
    grants: tuple[Grant, ...]
    way: Way = Way.API

    @property
    def by(self) -> By:
        return By(self.person_id, self.way)

    @property
    def is_person(self) -> bool:
        return self.way != Way.ADMIN

    def require(self, right: Right) -> None:
        """Raise NotAllowed unless they hold the right somewhere."""
        if not any(right in ROLE_RIGHTS[g.role] for g in self.grants):
            raise NotAllowed(_refusal(right, "somewhere"))

    def may(self, right: Right, unit_path: tuple[str, ...] = (), account_id: str | None = None) -> bool:
        """Whether they hold the right on this unit or account; without either, on the company as a whole."""
        return any(right in ROLE_RIGHTS[g.role] and g.covers(unit_path, account_id) for g in self.grants)

    def require_on(
        self, right: Right, unit_path: tuple[str, ...] = (), account_id: str | None = None
    ) -> None:
        """Raise NotAllowed, naming the roles that would do, unless `may`."""
        if not self.may(right, unit_path, account_id):
            where = (
                "on this account or its unit"
                if account_id
                else "on this unit"
                if unit_path
                else "on the company"
            )
            raise NotAllowed(_refusal(right, where))

    def may_hand_out(self, role: Role, unit_path: tuple[str, ...]) -> bool:
        """Whether they may grant or revoke this role on a unit, or on an account of it."""
        return any(
            role in HANDED_OUT.get(g.role, {})
            and g.covers(unit_path)
            and len(unit_path) >= len(g.path) + HANDED_OUT[g.role][role]
            for g in self.grants
        )


def operator(name: str, now: datetime) -> Actor:
    """Whoever runs infra/admin.py: AWS has already decided that they may do everything here."""
    everything = Grant(name, Role.LEAD, unit_id="", path=(), granted_by=name, granted_at=now)
    return Actor(name, name, (everything,), Way.ADMIN)


def one_line(text: str) -> str:
    """A name or title in normal form, without outer spaces.

    Raises ValueError for line breaks, control characters and marks that turn the direction of what follows
    (Unicode TR 36, 2.5): such a text could forge a mail header or dress up as another. The joiners that
    Persian needs stay.
    """
    cleaned = unicodedata.normalize("NFC", text).strip()
    if not cleaned:
        raise ValueError("must not be empty")
    for char in cleaned:
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in "\u200c\u200d":
            raise ValueError(f"must be one line without control characters (it has U+{ord(char):04X})")
    return cleaned


def _refusal(right: Right, where: str) -> str:
    roles = " or ".join(role.replace("_", " ") for role in roles_with(right))
    return f"this needs the right {right} {where}, which comes with the role {roles}; ask a lead for it"
