"""What units expect of their accounts: set by whoever may, inherited down the tree."""

from dataclasses import dataclass

from chalicelib.core.kernel import Kernel
from chalicelib.dormancy.model import Expected, Standard, expected
from chalicelib.dormancy.store import Store
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org


@dataclass(frozen=True)
class UnitStandard:
    """What a unit sets itself, and by network what holds there with the units above it."""

    unit_id: str
    own: Standard
    holds: Expected
    by_platform: dict[str, Expected]


class Standards:
    def __init__(self, kernel: Kernel, org: Org) -> None:
        self._kernel = kernel
        self._org = org
        self._store = Store(kernel.database)

    def of(self, actor: Actor, unit_id: str) -> UnitStandard:
        """Raises NotFound and NotAllowed."""
        path = self._org.unit(unit_id).path
        actor.require_on(Right.REGISTER_READ, path)
        line = self._store.standards(path)
        named = sorted({platform for standard in line for platform in standard.by_platform})
        by_platform = {platform: expected(line, platform, ()) for platform in named}
        return UnitStandard(unit_id, line[-1], expected(line, "", ()), by_platform)

    def set(self, actor: Actor, unit_id: str, standard: Standard) -> UnitStandard:
        """Replace what the unit sets, read as `standard.version`. Raises NotFound, NotAllowed, Conflict."""
        path = self._org.unit(unit_id).path
        actor.require_on(Right.REGISTER_WRITE, path)
        change = self._org.begin(actor)
        self._store.save_standard(change, unit_id, standard, standard.version)
        change.record(f"unit#{unit_id}", "dormancy standard set")
        self._kernel.commit(change)
        return self.of(actor, unit_id)
