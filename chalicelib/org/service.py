"""Units, and what people may: roles and tokens; a change needs the actor's right, and that they are here."""

import contextlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.database import ConditionFailed
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn, Problem
from chalicelib.core.expressions import where
from chalicelib.core.ids import new_id
from chalicelib.org import store as rows
from chalicelib.org.model import RANK, Actor, Grant, Kind, Language, Person, Status, Unit
from chalicelib.org.people import People
from chalicelib.org.roles import FOR_ONE_ACCOUNT, Right, Role
from chalicelib.org.tokens import LONGEST_FOR, USUAL_FOR, Token, digest, new_text

_USE_NOTED_EVERY = timedelta(hours=1)


class Org(People):
    """The whole company: its people, their units, and what each of them may."""

    # Who is asking

    def identify(self, token: str) -> Actor:
        """Whoever this token belongs to, with what they hold now.

        Raises NotSignedIn, in the same words for a token unknown, expired, revoked, or of somebody gone.
        """
        now = self._kernel.clock.now()
        token_hash = digest(token)
        found = self._store.find_token(token_hash) if token_hash else None
        if found is not None and found.works(now):
            person, grants = self._store.person_with_grants(found.person_id)
            if person is not None and person.status != Status.LEFT:
                self._note_use(found, now)
                return Actor(person.person_id, person.name, grants)
        raise NotSignedIn("this token does not work; ask a lead for a new one")

    # Units

    def unit(self, unit_id: str) -> Unit:
        """Raises NotFound."""
        return self._store.unit(unit_id)

    def units(self) -> list[Unit]:
        """The whole tree, each unit before those below it."""
        return self._store.units()

    def add_unit(
        self,
        actor: Actor,
        name: str,
        kind: Kind,
        parent_id: str,
        lead_id: str | None = None,
        goals: tuple[str, ...] = (),
    ) -> Unit:
        """Raises InvalidInput for a unit that cannot stand there; needs units.write on the parent."""
        parent = _known("parent_id", self._store.unit, parent_id)
        actor.require_on(Right.UNITS_WRITE, parent.path)
        if kind == Kind.COMPANY or RANK[kind] < RANK[parent.kind]:
            raise InvalidInput([Problem("kind", f"a {kind} cannot stand in a {parent.kind}")])
        self._check_lead(lead_id)
        change = self.begin(actor, [lead_id])
        unit_id = new_id("unit", change.now)
        unit = Unit(unit_id, name, kind, (*parent.path, unit_id), change.now, parent_id, lead_id, goals)
        change.put(rows.TABLE, rows.unit_item(unit), where("attribute_not_exists(pk)"))
        change.record(f"unit#{unit_id}", "added", parent_id=parent_id)
        self._kernel.commit(change)
        return unit

    def change_unit(self, actor: Actor, unit_id: str, **changes: Any) -> Unit:
        """Change name, lead_id or goals."""
        before = self._store.unit(unit_id)
        actor.require_on(Right.UNITS_WRITE, before.path)
        after = replace(before, **changes)
        if after == before:
            return before
        new_lead = after.lead_id if after.lead_id != before.lead_id else None
        self._check_lead(new_lead)
        change = self.begin(actor, [new_lead])
        after = rows.save_unit(change, before, after)
        change.record(f"unit#{unit_id}", "changed", **rows.difference(before, after))
        self._kernel.commit(change)
        return after

    # Grants

    def grants_of(self, person_id: str) -> tuple[Grant, ...]:
        """What a person holds; of somebody who left, what they held. Raises NotFound."""
        person, grants = self._store.person_with_grants(person_id)
        if person is None:
            raise NotFound(f"there is no person {person_id}")
        return grants

    def grant(
        self, actor: Actor, person_id: str, role: Role, unit_id: str, account_id: str | None = None
    ) -> Grant:
        """Give a role on a unit and all below it or, with `account_id`, on that account of the unit alone.

        Raises NotAllowed for a role that the actor may not hand out there, Conflict if they hold it.
        """
        unit = _known("unit_id", self._store.unit, unit_id)
        self._check_may_hand_out(actor, role, unit.path)
        if account_id is not None and role not in FOR_ONE_ACCOUNT:
            raise InvalidInput(
                [Problem("role", f"{role} is for units; on one account: {', '.join(FOR_ONE_ACCOUNT)}")]
            )
        person = self._here(person_id)
        change = self.begin(actor, [person_id])
        grant = Grant(person_id, role, unit_id, unit.path, actor.person_id, change.now, account_id)
        held = Conflict(f"{person.name} holds the role {role} there already")
        change.put(rows.TABLE, rows.grant_item(grant), where("attribute_not_exists(pk)"), held)
        if _leads_company(grant):
            rows.add_lead(change, person_id)
        change.record(f"person#{person_id}", "role granted", grant=grant.grant_id)
        self._kernel.commit(change)
        return grant

    def revoke_grant(self, actor: Actor, person_id: str, grant_id: str) -> None:
        """Raises NotAllowed for a role that is not the actor's to take, Conflict for the last lead's."""
        grant = self._store.grant(person_id, grant_id)
        self._check_may_hand_out(actor, grant.role, grant.path)
        change = self.begin(actor)
        gone = NotFound(f"{person_id} holds no grant {grant_id}")
        change.delete(rows.TABLE, rows.grant_key(person_id, grant_id), where("attribute_exists(pk)"), gone)
        if _leads_company(grant):
            rows.drop_lead(change, person_id)
        change.record(f"person#{person_id}", "role revoked", grant=grant_id)
        self._kernel.commit(change)

    def holders(self, role: Role, unit_id: str) -> list[Person]:
        """Whoever is here or away and holds the role exactly on that unit."""
        return [p for p in self._store.holders(role, unit_id) if p.status != Status.LEFT]

    # Tokens

    def issue_token(
        self, actor: Actor, person_id: str, label: str, lives_for: timedelta = USUAL_FOR
    ) -> tuple[str, Token]:
        """A new token's text, which is kept nowhere, and what is known of it."""
        actor.require_on(Right.TOKENS_ISSUE)
        if not timedelta(0) < lives_for <= LONGEST_FOR:
            raise InvalidInput(
                [Problem("lives_for", f"must be between a moment and {LONGEST_FOR.days} days")]
            )
        self._here(person_id)
        change = self.begin(actor, [person_id])
        text = new_text()
        token = Token(
            token_id=new_id("token", change.now),
            token_hash=digest(text) or "",
            person_id=person_id,
            label=label,
            issued_by=actor.person_id,
            issued_at=change.now,
            expires_at=change.now + lives_for,
        )
        change.put(rows.TABLE, rows.token_item(token), where("attribute_not_exists(pk)"))
        ends = to_text(token.expires_at)
        change.record(f"person#{person_id}", "token issued", token=token.token_id, expires_at=ends)
        self._kernel.commit(change)
        return text, token

    def revoke_token(self, actor: Actor, person_id: str, token_id: str) -> None:
        """One's own, or anybody's with tokens.issue; a second time changes nothing. Raises NotFound."""
        token = next((t for t in self.tokens_of(actor, person_id) if t.token_id == token_id), None)
        if token is None:
            raise NotFound(f"{person_id} has no token {token_id}")
        if token.revoked_at is not None:
            return
        change = self.begin(actor)
        change.update(
            rows.TABLE,
            rows.token_key(token.token_hash),
            where("SET revoked_at = :n", n=to_text(change.now)),
            where("attribute_exists(pk)"),
        )
        change.record(f"person#{person_id}", "token revoked", token=token_id)
        self._kernel.commit(change)

    def tokens_of(self, actor: Actor, person_id: str) -> list[Token]:
        """One's own tokens, or anybody's with tokens.issue; oldest first."""
        self._require_self_or(actor, person_id, Right.TOKENS_ISSUE)
        return self._store.tokens_of(person_id)

    # The beginning

    def first_lead(
        self, company: str, name: str, email: str, zone: str, language: str, actor: Actor
    ) -> Person:
        """The company, and its first person with the role lead on it. Raises Conflict if there is one."""
        change = self._kernel.change(actor.by)
        unit_id, person_id = new_id("unit", change.now), new_id("person", change.now)
        unit = Unit(unit_id, company, Kind.COMPANY, (unit_id,), change.now, lead_id=person_id)
        person = Person(person_id, name, email, zone, Language(language), change.now)
        grant = Grant(person_id, Role.LEAD, unit_id, unit.path, actor.person_id, change.now)
        exists = Conflict("there is a company with a lead already; its leads add further people")
        marker = {**rows.COMPANY, "unit_id": unit_id, "leads": {person_id}}
        change.put(rows.TABLE, marker, where("attribute_not_exists(pk)"), exists)
        change.put(rows.TABLE, rows.unit_item(unit))
        rows.put_person(change, person)
        change.put(rows.TABLE, rows.grant_item(grant))
        change.record(f"unit#{unit_id}", "added")
        change.record(f"person#{person_id}", "added")
        change.record(f"person#{person_id}", "role granted", grant=grant.grant_id)
        self._kernel.commit(change)
        return person

    def _note_use(self, token: Token, now: datetime) -> None:
        if token.last_used_at is not None and now - token.last_used_at < _USE_NOTED_EVERY:
            return
        unnoted = "attribute_exists(pk) AND (attribute_not_exists(last_used_at) OR last_used_at <= :h)"
        with contextlib.suppress(ConditionFailed):  # another request has just noted it
            self._kernel.database.update(
                rows.TABLE,
                rows.token_key(token.token_hash),
                where("SET last_used_at = :n", n=to_text(now)),
                where(unnoted, h=to_text(now - _USE_NOTED_EVERY)),
            )

    def _check_lead(self, lead_id: str | None) -> None:
        person = _known("lead_id", self._store.person, lead_id) if lead_id else None
        if person is not None and person.status == Status.LEFT:
            raise InvalidInput([Problem("lead_id", f"{person.name} has left; name somebody who is here")])

    def _check_may_hand_out(self, actor: Actor, role: Role, unit_path: tuple[str, ...]) -> None:
        if not actor.may_hand_out(role, unit_path):
            raise NotAllowed(f"you may not give or take the role {role.replace('_', ' ')} there; ask a lead")


def _leads_company(grant: Grant) -> bool:
    return grant.role == Role.LEAD and len(grant.path) == 1


def _known(field: str, find: Any, value: str) -> Any:
    try:
        return find(value)
    except NotFound as error:
        raise InvalidInput([Problem(field, error.message)]) from error
