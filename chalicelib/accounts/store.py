"""The `accounts` table: what stands under which key, every read, and the writes that several changes share.

pk                                  sk        listing (lpk / lsk)
account#<id>                        account   accounts / <unit id>#<platform>#<id>#<class>#<review or nothing>
address#<platform>#<host>#<handle>  address   -                        one account per address
external#<platform>#<external id>   <host>    -                        and per profile, for what comes in
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from chalicelib.accounts.model import Account, AccountClass
from chalicelib.core.clock import to_text
from chalicelib.core.database import ConditionFailed, Database, Item, Read
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.platforms import registry

TABLE = "accounts"

Address = tuple[str, str, str]
"""Platform, server and handle."""


@dataclass(frozen=True)
class Place:
    """Where an account stands in the listing: what it can be sorted out by without being read."""

    text: str
    unit_id: str
    platform: str
    account_id: str
    account_class: AccountClass
    under_review: bool

    @classmethod
    def parse(cls, text: str) -> "Place":
        """A place as `account_item` makes it; an older row's has neither class nor review."""
        unit_id, platform, account_id, *more = text.split("#")
        account_class = AccountClass(more[0]) if more else AccountClass.OFFICIAL
        return cls(text, unit_id, platform, account_id, account_class, "review" in more[1:])


def account_key(account_id: str) -> Item:
    return {"pk": f"account#{account_id}", "sk": "account"}


def account_item(account: Account) -> Item:
    review = "review" if account.under_review_at else ""
    parts = (account.unit_id, account.platform, account.account_id, account.account_class, review)
    place = "#".join(parts)
    return {**to_item(account), **account_key(account.account_id), "lpk": "accounts", "lsk": place}


def address_key(platform: str, server: str, handle: str) -> Item:
    host = urlsplit(server).netloc if registry.has_local_names(platform) else "-"
    return {"pk": f"address#{platform}#{host}#{handle.casefold()}", "sk": "address"}


def address_of(account: Account) -> Item:
    return address_key(account.platform, account.server, account.handle)


def profile_of(account: Account) -> Item:
    return {"pk": _profile(account.platform, account.external_id), "sk": urlsplit(account.server).netloc}


def claim_address(change: Change, account: Account) -> None:
    """Make the address this account's own. The commit raises Conflict if it is another one's."""
    item = {**address_of(account), "account_id": account.account_id}
    where_at = f"{account.handle} on {urlsplit(account.server).netloc} ({account.platform})"
    taken = Conflict(f"{where_at} is among the accounts already; look for it in /v1/accounts")
    change.put(TABLE, item, where("attribute_not_exists(pk)"), taken)


def claim_profile(change: Change, account: Account) -> None:
    """Make the network's profile this account's own. The commit raises Conflict if it is another one's."""
    taken = Conflict(
        f"this profile of {account.platform} is among the accounts already; look in /v1/accounts"
    )
    item = {**profile_of(account), "account_id": account.account_id}
    change.put(TABLE, item, where("attribute_not_exists(pk)"), taken)


def save(change: Change, before: Account, after: Account) -> Account:
    """Write the fields that differ. The commit raises Conflict if somebody else's change came between.

    Fields that do not differ stay as they are: the network's wish for quiet is written past the version.
    """
    saved = replace(after, version=before.version + 1)
    old, new = account_item(before), account_item(saved)
    values = {name: value for name, value in new.items() if old.get(name) != value}
    gone = [name for name in old if name not in new]
    text = "SET " + ", ".join(f"{name} = :{name}" for name in values)
    if gone:
        text += " REMOVE " + ", ".join(gone)
    meanwhile = Conflict("somebody else changed this account just now; look again and repeat your change")
    seen = where("version = :seen", seen=before.version)
    change.update(TABLE, account_key(before.account_id), where(text, **values), seen, meanwhile)
    return saved


def account_read(account_id: str) -> Read[Account]:
    """The account, to be read together with other rows. Raises NotFound then."""

    def made(item: Item | None) -> Account:
        if item is None:
            raise NotFound(f"there is no account {account_id}")
        return from_item(Account, item)

    return Read(TABLE, account_key(account_id), made)


def _profile(platform: str, external_id: str) -> str:
    return f"external#{platform}#{external_id}"


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, account_id: str) -> Account | None:
        item = self._database.get(TABLE, account_key(account_id))
        return from_item(Account, item) if item else None

    def get(self, account_id: str) -> Account:
        """Raises NotFound."""
        return self._database.read(account_read(account_id))

    def of_external(self, platform: str, external_id: str) -> list[Account]:
        """The accounts with a profile's id: one, unless servers of a network count for themselves."""
        key = where("pk = :p", p=_profile(platform, external_id))
        found = [item["account_id"] for item in self._database.query_all(TABLE, key)]
        return list(self.get_many(found).values())

    def at(self, platform: str, server: str, handle: str) -> Account | None:
        """The account at an address, whatever it is to us."""
        item = self._database.get(TABLE, address_key(platform, server, handle))
        return self.find(item["account_id"]) if item else None

    def at_many(self, addresses: Iterable[Address]) -> dict[Address, Account]:
        """Those of the addresses that are known, in two requests for every hundred."""
        keys = {address_key(*address)["pk"]: address for address in addresses}
        rows = self._database.get_many(TABLE, [{"pk": pk, "sk": "address"} for pk in keys])
        found = self.get_many(row["account_id"] for row in rows)
        at = ((keys[row["pk"]], found.get(row["account_id"])) for row in rows)
        return {address: account for address, account in at if account is not None}

    def mark_seen(self, account_id: str, at: datetime) -> None:
        """Write when it was last read, past its version: nothing else about it is new."""
        seen = where("attribute_exists(pk) AND (attribute_not_exists(last_seen_at) OR last_seen_at < :t)",
                     t=to_text(at))  # fmt: skip
        with contextlib.suppress(ConditionFailed):  # a later read has been written
            update = where("SET last_seen_at = :t", t=to_text(at))
            self._database.update(TABLE, account_key(account_id), update, seen)

    def places(self) -> Iterator[Place]:
        """Where every account stands, in order; one query reads thousands."""
        for item in self._database.query_all(TABLE, where("lpk = :l", l="accounts"), index="listing"):
            yield Place.parse(item["lsk"])

    def get_many(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """Those that exist, by id."""
        items = self._database.get_many(TABLE, [account_key(a) for a in account_ids])
        return {i["account_id"]: from_item(Account, i) for i in items}
