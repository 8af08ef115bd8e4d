"""What the API answers about units and people; a token's text appears once, when it is issued."""

from datetime import date, datetime

from pydantic import BaseModel

from chalicelib.org.model import Actor, Grant, Kind, Language, Person, Status, Unit
from chalicelib.org.roles import ROLE_RIGHTS, Right, Role
from chalicelib.org.tokens import Token


class UnitView(BaseModel):
    unit_id: str
    name: str
    kind: Kind
    parent_id: str | None
    path: tuple[str, ...]
    lead_id: str | None
    goals: tuple[str, ...]
    version: int

    @classmethod
    def of(cls, unit: Unit) -> "UnitView":
        return cls.model_validate(unit, from_attributes=True)


class UnitList(BaseModel):
    """The whole tree, each unit before those below it."""

    units: list[UnitView]


class ReachView(BaseModel):
    """Whether mail arrives: `why` is bounced, suppressed or complained; `delayed` counts mails."""

    unreachable_at: datetime | None
    why: str | None
    delayed: int


class PersonView(BaseModel):
    person_id: str
    name: str
    email: str
    zone: str
    language: Language
    status: Status
    deputy_id: str | None
    away_until: date | None
    reach: ReachView
    version: int

    @classmethod
    def of(cls, person: Person) -> "PersonView":
        return cls.model_validate(person, from_attributes=True)


class PeoplePage(BaseModel):
    people: list[PersonView]
    cursor: str | None


class GrantView(BaseModel):
    grant_id: str
    role: Role
    unit_id: str
    account_id: str | None
    granted_by: str
    granted_at: datetime

    @classmethod
    def of(cls, grant: Grant) -> "GrantView":
        return cls.model_validate(grant, from_attributes=True)


class GrantList(BaseModel):
    grants: list[GrantView]


class Me(BaseModel):
    """The person a token belongs to; `rights` are those held anywhere."""

    person: PersonView
    grants: list[GrantView]
    rights: list[Right]

    @classmethod
    def of(cls, person: Person, actor: Actor) -> "Me":
        rights = sorted({right for g in actor.grants for right in ROLE_RIGHTS[g.role]})
        return cls(
            person=PersonView.of(person), grants=[GrantView.of(g) for g in actor.grants], rights=rights
        )


class TokenView(BaseModel):
    token_id: str
    label: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: Token) -> "TokenView":
        return cls.model_validate(token, from_attributes=True)


class TokenList(BaseModel):
    tokens: list[TokenView]


class IssuedToken(BaseModel):
    """The only answer that has a token's text; it is kept nowhere."""

    token: str
    details: TokenView
