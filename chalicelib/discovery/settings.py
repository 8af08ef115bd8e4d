"""What a company says of itself so that it can be looked for: brands, web sites, the servers to ask."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from chalicelib.core.errors import Conflict, InvalidInput, Problem
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Kernel
from chalicelib.core.records import from_item, to_item
from chalicelib.discovery.store import TABLE
from chalicelib.org.model import Actor, Unit
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms import registry

KEPT_FOR = timedelta(minutes=1)
_KEY = {"pk": "settings", "sk": "settings"}


@dataclass(frozen=True)
class Settings:
    """`brands` are names to look for beside those of our channels; `sites` are pages whose links are read
    and whose hosts are ours; `servers` are those of a network to search beside its own, by platform.
    """

    brands: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    servers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    version: int = 0

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that are ours; a link to any name below one is a link to us."""
        return frozenset((urlsplit(site).hostname or "").removeprefix("www.") for site in self.sites) - {""}


class DiscoverySettings:
    def __init__(self, kernel: Kernel, org: Org) -> None:
        self._kernel = kernel
        self._org = org
        self._kept: tuple[datetime, Settings] | None = None

    def now(self) -> Settings:
        """What is set, at most KEPT_FOR old."""
        now = self._kernel.clock.now()
        if self._kept is None or now - self._kept[0] >= KEPT_FOR:
            item = self._kernel.database.get(TABLE, _KEY)
            self._kept = (now, from_item(Settings, item) if item else Settings())
        return self._kept[1]

    def read(self, actor: Actor) -> Settings:
        """What is set. Raises NotAllowed."""
        actor.require_on(Right.REGISTER_READ, self.company().path)
        self._kept = None
        return self.now()

    def save(self, actor: Actor, given: Settings) -> Settings:
        """Replace what is set, if `given.version` is the latest; for the company's lead.

        Raises InvalidInput, NotAllowed, and Conflict for an older version.
        """
        actor.require_on(Right.REGISTER_WRITE, self.company().path)
        known = registry.searching_names()
        strange = sorted(set(given.servers) - set(known))
        if strange:
            message = f"{', '.join(strange)}: no network of that name can be searched; {', '.join(known)} can"
            raise InvalidInput([Problem("servers", message)])
        after = replace(given, version=given.version + 1)
        change = self._org.begin(actor)
        meanwhile = Conflict("these settings have been changed since you read them; read them again")
        seen = where("version = :v", v=given.version) if given.version else where("attribute_not_exists(pk)")
        change.put(TABLE, {**to_item(after), **_KEY}, seen, meanwhile)
        change.record("discovery", "settings set", **to_item(after))
        self._kernel.commit(change)
        self._kept = None
        return after

    def company(self) -> Unit:
        """The unit at the root of all."""
        return next(unit for unit in self._org.units() if unit.parent_id is None)
