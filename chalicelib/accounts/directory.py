"""Reading accounts: one, those at an address, a page, all of a kind."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from chalicelib.accounts import store as rows
from chalicelib.accounts.model import OURS, STANDING, Account, AccountClass, plain_handle
from chalicelib.core.database import Read
from chalicelib.core.errors import NotFound
from chalicelib.core.kernel import Kernel
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms import registry

OTHERS = frozenset({AccountClass.CANDIDATE, AccountClass.ROGUE})
_HELD = frozenset(AccountClass) - OTHERS
_LONGEST_ID = 500  # of a profile; what is longer is no profile's


class Directory:
    """What there is, and who may read it."""

    def __init__(self, kernel: Kernel, org: Org) -> None:
        self._kernel = kernel
        self._org = org
        self._store = rows.Store(kernel.database)

    def find(self, account_id: str) -> Account | None:
        return self._store.find(account_id)

    def get(self, account_id: str) -> Account:
        """Raises NotFound."""
        return self._store.get(account_id)

    def get_many(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """Those that exist, by id, in one request for every hundred."""
        return self._store.get_many(account_ids)

    def to_read(self, account_id: str) -> Read[Account]:
        """The account, to be read together with other rows. Raises NotFound then."""
        return rows.account_read(account_id)

    def of_external(self, platform: str, external_id: str) -> Account | None:
        """The account of a network's profile; None where there is none, or several servers have that id."""
        if not 0 < len(external_id) <= _LONGEST_ID:
            return None
        found = self._store.of_external(platform, external_id)
        return found[0] if len(found) == 1 else None

    def at_address(self, platform: str, server: str, handle: str) -> Account | None:
        """The account at an address, of whatever class; without a server, on the network's own.

        Raises InvalidInput for a platform that is not known.
        """
        at = server or default_server(platform)
        return self._store.at(platform, at, plain_handle(handle, at))

    def everyone(self) -> Iterator[Account]:
        """Every account of ours that is not retired, a hundred to a read."""
        return self.of_classes(OURS)

    def of_classes(self, classes: frozenset[AccountClass]) -> Iterator[Account]:
        """Every account of these classes, a hundred to a read; those of other classes are not read."""
        return self._read(lambda place: place.account_class in classes, classes)

    def standing_ids(self) -> list[str]:
        """The ids of what we stand by and is not under review, from the index alone, which may lag behind."""
        places = self._store.places()
        return [p.account_id for p in places if p.account_class in STANDING and not p.under_review]

    def in_units(self, unit_ids: Iterable[str]) -> Iterator[Account]:
        """Every account of ours in one of these units or below one, a hundred to a read."""
        named = frozenset(unit_ids)
        within = {unit.unit_id for unit in self._org.units() if not named.isdisjoint(unit.path)}
        return self._read(lambda p: p.account_class in OURS and p.unit_id in within, OURS)

    def _read(
        self, wanted: Callable[[rows.Place], bool], classes: frozenset[AccountClass]
    ) -> Iterator[Account]:
        # The index may lag behind a change of class: what was read decides.
        ids = iter([place.account_id for place in self._store.places() if wanted(place)])
        while part := list(islice(ids, 100)):
            found = self._store.get_many(part)
            yield from (found[i] for i in part if i in found and found[i].account_class in classes)

    def visible(self, actor: Actor, account_id: str) -> Account:
        """The account, for somebody who may read it. Raises NotFound or NotAllowed."""
        account = self._store.get(account_id)
        right = Right.REGISTER_READ if account.account_class in OTHERS else Right.ACCOUNTS_READ
        actor.require_on(right, self._org.unit(account.unit_id).path, account_id)
        return account

    def recorded(self, actor: Actor, account_id: str) -> Account:
        """The account with all that the register has of it. Raises NotFound or NotAllowed."""
        account = self._store.get(account_id)
        actor.require_on(Right.REGISTER_READ, self._org.unit(account.unit_id).path, account_id)
        return account

    def page(
        self,
        actor: Actor,
        limit: int,
        after: str = "",
        unit_id: str | None = None,
        platform: str | None = None,
    ) -> tuple[list[Account], str | None]:
        """A page of what we have or had and the actor may read, of a unit and all below it, and where the
        next starts.
        """
        return self._page(actor, Right.ACCOUNTS_READ, limit, after, unit_id, platform, _HELD)

    def register_page(
        self,
        actor: Actor,
        limit: int,
        after: str = "",
        unit_id: str | None = None,
        platform: str | None = None,
        account_class: AccountClass | None = None,
        under_review: bool | None = None,
    ) -> tuple[list[Account], str | None]:
        """As `page`, of the whole register or of one class, under review or not."""
        classes = frozenset(AccountClass) if account_class is None else frozenset({account_class})
        return self._page(actor, Right.REGISTER_READ, limit, after, unit_id, platform, classes, under_review)

    def _page(
        self,
        actor: Actor,
        right: Right,
        limit: int,
        after: str,
        unit_id: str | None,
        platform: str | None,
        classes: frozenset[AccountClass],
        under_review: bool | None = None,
    ) -> tuple[list[Account], str | None]:
        paths = {unit.unit_id: unit.path for unit in self._org.units()}
        if unit_id is not None and unit_id not in paths:
            raise NotFound(f"there is no unit {unit_id}")

        def wanted(place: rows.Place) -> bool:
            path = paths.get(place.unit_id, ())
            return (
                place.text > after
                and place.account_class in classes
                and (unit_id is None or unit_id in path)
                and (platform is None or platform == place.platform)
                and (under_review is None or under_review == place.under_review)
                and actor.may(right, path, place.account_id)
            )

        places = [place for place in self._store.places() if wanted(place)]
        found = self._store.get_many(place.account_id for place in places[:limit])
        accounts = [found[place.account_id] for place in places[:limit] if place.account_id in found]
        return accounts, places[limit - 1].text if len(places) > limit else None


def default_server(platform: str) -> str:
    """Where a network's profiles live unless a server is named. Raises InvalidInput for an unknown name."""
    known = registry.inbound_only(platform)
    return known.default_server if known else registry.traits(platform).default_server


def network_name(platform: str) -> str:
    """What people call a network. Raises InvalidInput for an unknown name."""
    known = registry.inbound_only(platform)
    return known.name if known else registry.traits(platform).name
