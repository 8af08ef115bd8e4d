"""The `accounts` table: what stands under which key, every read, and the writes that several changes share.

pk                                  sk        listing (lpk / lsk)
account#<id>                        account   accounts / <unit id>#<platform>#<id>
address#<platform>#<host>#<handle>  address   -                        one account per address
external#<platform>#<external id>   <host>    -                        and per profile, for what comes in
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from chalicelib.accounts.model import Account
from chalicelib.core.database import Database, Item, Read
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item

TABLE = "accounts"


def account_key(account_id: str) -> Item:
    return {"pk": f"account#{account_id}", "sk": "account"}


def account_item(account: Account) -> Item:
    place = f"{account.unit_id}#{account.platform}#{account.account_id}"
    return {**to_item(account), **account_key(account.account_id), "lpk": "accounts", "lsk": place}


def address_key(account: Account) -> Item:
    host = urlsplit(account.server).netloc
    return {"pk": f"address#{account.platform}#{host}#{account.handle.casefold()}", "sk": "address"}


def claim_address(change: Change, account: Account) -> None:
    """Make the address this account's own. The commit raises Conflict if it is another one's."""
    item = {**address_key(account), "account_id": account.account_id}
    where_at = f"{account.handle} on {urlsplit(account.server).netloc} ({account.platform})"
    taken = Conflict(f"{where_at} is among the accounts already; look for it in /v1/accounts")
    change.put(TABLE, item, where("attribute_not_exists(pk)"), taken)


def claim_profile(change: Change, account: Account) -> None:
    """Make the network's profile this account's own. The commit raises Conflict if it is another one's."""
    key = {"pk": _profile(account.platform, account.external_id), "sk": urlsplit(account.server).netloc}
    taken = Conflict(
        f"this profile of {account.platform} is among the accounts already; look in /v1/accounts"
    )
    item = {**key, "account_id": account.account_id}
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

    def places(self) -> Iterator[str]:
        """`<unit id>#<platform>#<account id>` of every account in order; one query reads thousands."""
        for item in self._database.query_all(TABLE, where("lpk = :l", l="accounts"), index="listing"):
            yield item["lsk"]

    def get_many(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """Those that exist, by id."""
        items = self._database.get_many(TABLE, [account_key(a) for a in account_ids])
        return {i["account_id"]: from_item(Account, i) for i in items}
