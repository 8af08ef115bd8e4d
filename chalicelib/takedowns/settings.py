"""What the company sets for its reports: who it is on forms, and what it knows better of a channel."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.core.database import Read
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import Expression, where
from chalicelib.core.kernel import Kernel
from chalicelib.core.records import from_item, to_item
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.takedowns.channels import Asked, Channel, Company, How, channel_of, overridden
from chalicelib.takedowns.model import Kind
from chalicelib.takedowns.store import TABLE

_COMPANY = {"pk": "settings", "sk": "company"}


class TakedownSettings:
    def __init__(self, kernel: Kernel, org: Org) -> None:
        self._kernel = kernel
        self._org = org

    def company(self) -> Company:
        """Who reports; empty until somebody has said it."""
        item = self._kernel.database.get(TABLE, _COMPANY)
        return from_item(Company, item) if item else Company()

    def set_company(self, actor: Actor, company: Company) -> Company:
        """Replace it; `company.version` is what was seen. Needs takedowns.write on the company as a whole."""
        actor.require_on(Right.TAKEDOWNS_WRITE)
        change = self._org.begin(actor)
        saved = replace(company, version=company.version + 1)
        change.put(TABLE, {**to_item(saved), **_COMPANY}, _still(company.version), _meanwhile())
        change.record("takedowns", "who reports set", version=saved.version)
        self._kernel.commit(change)
        return saved

    def channel(self, platform: str, kind: Kind) -> Channel:
        """By which way a platform takes a report of this kind, with what the company knows better."""
        return self._kernel.database.read(_channel_read(platform, kind))[0]

    def channel_version(self, platform: str, kind: Kind) -> int:
        """The version of the company's own setting; 0 where it has none."""
        return self._kernel.database.read(_channel_read(platform, kind))[1]

    def set_channel(
        self, actor: Actor, platform: str, kind: Kind, changes: Mapping[str, Any], seen: int
    ) -> Channel:
        """Replace what the company knows better; without changes the file holds again.

        Needs takedowns.write on the company as a whole. Raises Conflict if `seen` is not its version.
        """
        actor.require_on(Right.TAKEDOWNS_WRITE)
        change = self._org.begin(actor)
        item = {
            "pk": "settings",
            "sk": f"{platform}#{kind}",
            "version": seen + 1,
            "changes": {name: _plain(value) for name, value in changes.items()},
        }
        change.put(TABLE, item, _still(seen), _meanwhile())
        change.record("takedowns", "channel set", platform=platform, kind=str(kind), fields=sorted(changes))
        self._kernel.commit(change)
        return self.channel(platform, kind)


def _channel_read(platform: str, kind: Kind) -> Read[tuple[Channel, int]]:
    def made(item: dict[str, Any] | None) -> tuple[Channel, int]:
        channel = channel_of(platform, kind)
        if item is None:
            return channel, 0
        changes = {name: _typed(name, value) for name, value in item["changes"].items()}
        return (overridden(channel, changes) if changes else channel), item["version"]

    return Read(TABLE, {"pk": "settings", "sk": f"{platform}#{kind}"}, made)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return to_item(value) if isinstance(value, Asked) else value


def _typed(name: str, value: Any) -> Any:
    """A stored value as the channel has it."""
    match name:
        case "how":
            return How(value)
        case "fields":
            return tuple(from_item(Asked, one) for one in value)
    return tuple(value) if isinstance(value, list) else value


def _still(version: int) -> Expression:
    return where("version = :seen", seen=version) if version else where("attribute_not_exists(pk)")


def _meanwhile() -> Conflict:
    return Conflict("somebody else changed this setting just now; look again and repeat your change")
