"""The `org` table: what stands under which key, every read, and the writes that several changes share.

pk                sk                  listing (lpk / lsk)
company           company             -                           root unit, and the leads who have not left
unit#<id>         unit                units / <id>                ids sort by creation: parents come first
person#<id>       person              people / <name>#<id>
person#<id>       grant#<grant id>    holders#<role>#<on> / <person id>
email#<address>   email               -                           one person per address
token#<sha-256>   token               tokens#<person id> / <token id>
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.org.model import Grant, Person, Unit
from chalicelib.org.roles import Role
from chalicelib.org.tokens import Token

TABLE = "org"
COMPANY = {"pk": "company", "sk": "company"}
_CHANGED_MEANWHILE = "somebody else changed this just now; look again and repeat your change"
_LONGEST_SORT_KEY = 1024  # bytes; DynamoDB refuses a longer one
_TOKEN_KEPT_FOR = timedelta(days=90)  # after its end, for looking up; then TTL sweeps it


def unit_item(unit: Unit) -> Item:
    return {**to_item(unit), "pk": f"unit#{unit.unit_id}", "sk": "unit", "lpk": "units", "lsk": unit.unit_id}


def person_key(person_id: str) -> Item:
    return {"pk": f"person#{person_id}", "sk": "person"}


def person_item(person: Person) -> Item:
    listing = {"lpk": "people", "lsk": f"{person.name.casefold()}#{person.person_id}"}
    return {**to_item(person), **person_key(person.person_id), **listing}


def email_key(email: str) -> Item:
    return {"pk": f"email#{email.casefold()}", "sk": "email"}


def grant_key(person_id: str, grant_id: str) -> Item:
    return {"pk": f"person#{person_id}", "sk": f"grant#{grant_id}"}


def grant_item(grant: Grant) -> Item:
    listing = {"lpk": _holders(grant.role, grant.account_id or grant.unit_id), "lsk": grant.person_id}
    return {**to_item(grant), **grant_key(grant.person_id, grant.grant_id), **listing}


def token_key(token_hash: str) -> Item:
    return {"pk": f"token#{token_hash}", "sk": "token"}


def token_item(token: Token) -> Item:
    listing = {"lpk": f"tokens#{token.person_id}", "lsk": token.token_id}
    swept_at = int((token.expires_at + _TOKEN_KEPT_FOR).timestamp())
    return {**to_item(token), **token_key(token.token_hash), **listing, "swept_at": swept_at}


def put_person(change: Change, person: Person) -> None:
    """Add a new person to the change. Its commit raises Conflict if the e-mail address is taken."""
    claim_email(change, person)
    change.put(TABLE, person_item(person), where("attribute_not_exists(pk)"))


def claim_email(change: Change, person: Person) -> None:
    """Make the address this person's own. The commit raises Conflict if it is taken."""
    item = {**email_key(person.email), "person_id": person.person_id}
    taken = Conflict(f"somebody here has the e-mail address {person.email}; each person needs their own")
    change.put(TABLE, item, where("attribute_not_exists(pk)"), taken)


def save_person(change: Change, before: Person, after: Person) -> Person:
    """The person as saved. The commit raises Conflict if they were changed since `before` was read."""
    saved = replace(after, version=before.version + 1)
    seen = where("version = :seen", seen=before.version)
    change.put(TABLE, person_item(saved), seen, Conflict(_CHANGED_MEANWHILE))
    return saved


def save_unit(change: Change, before: Unit, after: Unit) -> Unit:
    """The unit as saved. The commit raises Conflict if it was changed since `before` was read."""
    saved = replace(after, version=before.version + 1)
    seen = where("version = :seen", seen=before.version)
    change.put(TABLE, unit_item(saved), seen, Conflict(_CHANGED_MEANWHILE))
    return saved


def add_lead(change: Change, person_id: str) -> None:
    """Count somebody among the company's leads."""
    change.update(TABLE, COMPANY, where("ADD leads :p", p={person_id}))


def drop_lead(change: Change, person_id: str) -> None:
    """Take somebody off the leads, if they are one. The commit raises Conflict for the last one."""
    change.update(
        TABLE,
        COMPANY,
        where("DELETE leads :p", p={person_id}),
        where("NOT contains(leads, :one) OR size(leads) > :last", one=person_id, last=1),
        Conflict("this is the last lead; give somebody else the role lead on the company first"),
    )


def difference(before: Any, after: Any) -> dict[str, Any]:
    """What a history row says of a change: the old and the new value of each field that has another one."""
    old, new = to_item(before), to_item(after)
    fields = sorted({f for f in old.keys() | new.keys() if old.get(f) != new.get(f)} - {"version", "reach"})
    return {"before": {f: old.get(f) for f in fields}, "after": {f: new.get(f) for f in fields}}


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    def unit(self, unit_id: str) -> Unit:
        """Raises NotFound."""
        item = self._database.get(TABLE, {"pk": f"unit#{unit_id}", "sk": "unit"})
        if item is None:
            raise NotFound(f"there is no unit {unit_id}")
        return from_item(Unit, item)

    def units(self) -> list[Unit]:
        """Every unit, each before those below it."""
        found = [from_item(Unit, i) for i in self._listed("units")]
        return sorted(found, key=lambda u: u.path)

    def find_person(self, person_id: str) -> Person | None:
        item = self._database.get(TABLE, person_key(person_id))
        return from_item(Person, item) if item else None

    def person(self, person_id: str) -> Person:
        """Raises NotFound."""
        person = self.find_person(person_id)
        if person is None:
            raise NotFound(f"there is no person {person_id}")
        return person

    def holder_of(self, email: str) -> Person | None:
        """Whoever has this address now."""
        item = self._database.get(TABLE, email_key(email))
        return self.find_person(item["person_id"]) if item else None

    def people(self, limit: int, after: str) -> tuple[list[Person], str | None]:
        """A page of people by name, and where the next one starts."""
        if not _fits_sort_key(after):
            return [], None  # a cursor that no listing gave out leads to nothing
        key = where("lpk = :l AND lsk > :a", l="people", a=after) if after else where("lpk = :l", l="people")
        page = self._database.query(TABLE, key, index="listing", limit=limit)
        found = {i["pk"]: from_item(Person, i) for i in self._database.get_many(TABLE, _keys(page.items))}
        in_order = [found[i["pk"]] for i in page.items if i["pk"] in found]
        return in_order, page.items[-1]["lsk"] if page.after else None

    def person_with_grants(self, person_id: str) -> tuple[Person | None, tuple[Grant, ...]]:
        """One strongly consistent read of all that decides what somebody may do."""
        # "grant#..." sorts before "person", and "person" is the last of what is wanted.
        key = where("pk = :p AND sk BETWEEN :g AND :s", p=f"person#{person_id}", g="grant#", s="person")
        items = list(self._database.query_all(TABLE, key))
        person = next((from_item(Person, i) for i in items if i["sk"] == "person"), None)
        return person, tuple(from_item(Grant, i) for i in items if i["sk"] != "person")

    def grant(self, person_id: str, grant_id: str) -> Grant:
        """Raises NotFound."""
        item = self._database.get(TABLE, grant_key(person_id, grant_id))
        if item is None:
            raise NotFound(f"{person_id} holds no grant {grant_id}")
        return from_item(Grant, item)

    def holders(self, role: Role, on: str) -> list[Person]:
        """Whoever holds the role exactly on this unit or account, those who left included."""
        holders = {i["person_id"] for i in self._listed(_holders(role, on))}
        keys = [person_key(p) for p in sorted(holders)]
        found = [from_item(Person, i) for i in self._database.get_many(TABLE, keys)]
        return sorted(found, key=lambda p: p.person_id)

    def find_token(self, token_hash: str) -> Token | None:
        item = self._database.get(TABLE, token_key(token_hash))
        return from_item(Token, item) if item else None

    def tokens_of(self, person_id: str) -> list[Token]:
        """A person's tokens, oldest first, those that no longer work included."""
        found = [from_item(Token, i) for i in self._listed(f"tokens#{person_id}")]
        return sorted(found, key=lambda t: t.token_id)

    def _listed(self, listing: str) -> list[dict[str, Any]]:
        keys = self._database.query_all(TABLE, where("lpk = :l", l=listing), index="listing")
        return self._database.get_many(TABLE, _keys(keys))


def _fits_sort_key(text: str) -> bool:
    try:
        return len(text.encode()) <= _LONGEST_SORT_KEY
    except UnicodeEncodeError:
        return False


def _holders(role: Role, on: str) -> str:
    return f"holders#{role}#{on}"


def _keys(items: Any) -> list[Item]:
    return [{"pk": i["pk"], "sk": i["sk"]} for i in items]
