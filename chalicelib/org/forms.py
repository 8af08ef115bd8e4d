"""What the API takes about units and people; every problem is reported at once, under its field."""

import re
from datetime import date
from functools import cache
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chalicelib.core.listings import Day, Paging
from chalicelib.org.model import Kind, Language, one_line
from chalicelib.org.roles import Role
from chalicelib.org.tokens import LONGEST_FOR, USUAL_FOR

# What browsers accept (https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address), with a dot in
# the domain: ASCII only, as SES takes no other local part.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?:{_LABEL}\.)+{_LABEL}")


def email_address(text: str) -> str:
    """Raises ValueError for what is not one plain address."""
    if not _EMAIL.fullmatch(text):
        raise ValueError("must be one e-mail address like 'zofia@example.org', in ASCII")
    return text


def time_zone(text: str) -> str:
    """Raises ValueError for what is not an IANA zone, by the list that ships with the application."""
    if text not in _zones():
        raise ValueError("must be an IANA time zone like 'Europe/Warsaw' or 'Asia/Tehran'")
    return text


@cache
def _zones() -> frozenset[str]:
    from importlib.resources import files

    return frozenset((files("tzdata") / "zones").read_text(encoding="ascii").split())


Name = Annotated[str, Field(max_length=100), AfterValidator(one_line)]
Goal = Annotated[str, Field(max_length=300), AfterValidator(one_line)]
Goals = Annotated[tuple[Goal, ...], Field(max_length=20)]
Why = Annotated[str, Field(max_length=500), AfterValidator(one_line)]
Email = Annotated[str, Field(max_length=254), AfterValidator(email_address)]
Zone = Annotated[str, Field(max_length=64), AfterValidator(time_zone)]
Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
Whom = Annotated[str, Field(min_length=1, max_length=200)]
"""Of whom or what there is history; those of earlier days may be named in ways that no id is now."""


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @property
    def changes(self) -> dict[str, object]:
        """The fields that were sent, those sent as null included."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewUnit(Form):
    name: Name
    kind: Kind
    parent_id: Id
    lead_id: Id | None = None
    goals: Goals = ()


class UnitChange(Form):
    """Only the fields that are sent change; `lead_id` null means that nobody leads the unit."""

    name: Name = ""
    lead_id: Id | None = None
    goals: Goals = ()


class NewPerson(Form):
    name: Name
    email: Email
    zone: Zone
    language: Language


class PersonChange(Form):
    """Only the fields that are sent change; the e-mail address needs the right people.write."""

    name: Name = ""
    email: Email = ""
    zone: Zone = ""
    language: Language = Language.ENGLISH


class Away(Form):
    """`until` is the last day away where the person lives; without it they are away until they return."""

    deputy_id: Id
    until: date | None = None


class Leaving(Form):
    why: Why | None = None


class NewGrant(Form):
    """A role on a unit and all below it, or on one account."""

    role: Role
    unit_id: Id | None = None
    account_id: Id | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.unit_id is None) == (self.account_id is None):
            raise ValueError("name a unit_id or an account_id, and not both")
        return self


class NewToken(Form):
    label: Name
    lives_for_days: Annotated[int, Field(ge=1, le=LONGEST_FOR.days)] = USUAL_FOR.days


class HistoryQuery(Paging):
    """Exactly one of `subject`, `person` and `day`."""

    subject: Whom | None = Field(None, description="What happened to, say, `post#post_...`, oldest first.")
    person: Whom | None = Field(None, description="What the person with this id did, newest first.")
    day: Day | None = Field(None, description="What happened on this UTC day, oldest first.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if [self.subject, self.person, self.day].count(None) != 2:
            raise ValueError("give exactly one of subject, person and day")
        return self
