"""The units' policies: kept, inherited down the tree, and only ever tightened."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce

from chalicelib.approvals import store as rows
from chalicelib.approvals.model import ALL, ANY, DEFAULT_POLICY, Policy, RequestStage
from chalicelib.approvals.policy import Naming, loosenings, merged, strictest
from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Kernel
from chalicelib.core.records import to_item
from chalicelib.org.model import Actor, Status, Unit
from chalicelib.org.roles import Right
from chalicelib.org.service import Org


@dataclass(frozen=True)
class UnitPolicy:
    """A unit's own policy, if it has one, and what holds there with everything above it."""

    unit_id: str
    own: Policy | None
    effective: Policy


class Policies:
    def __init__(self, kernel: Kernel, org: Org) -> None:
        self._kernel = kernel
        self._org = org
        self._store = rows.Store(kernel.database)

    def of(self, unit_id: str) -> UnitPolicy:
        """Raises NotFound for a unit that is not there."""
        path = self._org.unit(unit_id).path
        kept = {u: p for u, (p, _) in self._store.policies(path).items()}
        return UnitPolicy(unit_id, kept.get(unit_id), _effective(kept[u] for u in path if u in kept))

    def set(self, actor: Actor, unit_id: str, policy: Policy) -> UnitPolicy:
        """Give a unit its own policy; requests under way keep the one they began with.

        Raises InvalidInput for whatever cannot work, or is looser than what the units above demand.
        """
        unit = self._org.unit(unit_id)
        actor.require_on(Right.POLICY_WRITE, unit.path)
        kept = self._store.policies(unit.path)
        above = [kept[u][0] for u in unit.path[:-1] if u in kept]
        problems = self._problems(policy)
        if above:
            problems += loosenings(_effective(above), policy)
        if problems:
            raise InvalidInput(problems)
        version = kept[unit_id][1] if unit_id in kept else 0
        change = self._org.begin(actor)
        change.put(
            rows.TABLE,
            {**to_item(policy), **rows.policy_key(unit_id), "version": version + 1},
            where("version = :seen", seen=version) if version else where("attribute_not_exists(pk)"),
            Conflict("somebody else changed this policy at the same moment; read it and try again"),
        )
        change.record(f"unit#{unit_id}", "approval policy set", policy=to_item(policy))
        self._kernel.commit(change)
        return UnitPolicy(unit_id, policy, _effective([*above, policy]))

    def for_request(
        self, unit_ids: Iterable[str], excluded: frozenset[str]
    ) -> tuple[tuple[RequestStage, ...], Policy]:
        """The stages that satisfy every unit, seats named, and a policy that carries the switches.

        Raises InvalidInput when a stage has too few people who may approve.
        """
        units = [self._org.unit(u) for u in dict.fromkeys(unit_ids)]
        kept = {u: p for u, (p, _) in self._store.policies([i for unit in units for i in unit.path]).items()}
        naming = Naming(self._org, excluded)
        lines, switches = [], []
        for unit in units:
            policy = _effective(kept[u] for u in unit.path if u in kept)
            lines.append(naming.stages(policy, unit))
            switches.append(policy)
        if naming.problems:
            raise InvalidInput(naming.problems)
        code = any(p.code for p in switches)
        return strictest(lines), Policy((), code=code, late_approval=all(p.late_approval for p in switches))

    def line(self, unit_id: str) -> list[Unit]:
        """The unit and those above it, nearest first."""
        unit = self._org.unit(unit_id)
        return [unit, *(self._org.unit(u) for u in reversed(unit.path[:-1]))]

    def _problems(self, policy: Policy) -> list[Problem]:
        problems = []
        names = [s.name for s in policy.stages]
        if not policy.stages:
            problems.append(Problem("stages", "a policy has at least one stage"))
        for n, stage in enumerate(policy.stages):
            at = f"stages.{n}"
            if names.index(stage.name) != n:
                problems.append(
                    Problem(f"{at}.name", f"there are two stages '{stage.name}'; name them apart")
                )
            if not stage.people and stage.role is None:
                problems.append(Problem(at, f"the stage '{stage.name}' names nobody; name people or a role"))
            if len(set(stage.people)) != len(stage.people):
                problems.append(Problem(f"{at}.people", "names somebody twice; they count once"))
            for person_id in dict.fromkeys(stage.people):
                problems += self._person_problems(f"{at}.people", person_id)
            quorum = stage.quorum
            if quorum not in (ANY, ALL) and stage.role is None and int(quorum) > len(set(stage.people)):
                problems.append(
                    Problem(f"{at}.quorum", f"{quorum} are needed, but only {len(stage.people)} named")
                )
        return problems

    def _person_problems(self, at: str, person_id: str) -> list[Problem]:
        try:
            person = self._org.person(person_id)
        except NotFound as error:
            return [Problem(at, error.message)]
        return (
            [Problem(at, f"{person.name} has left; name somebody else")]
            if person.status == Status.LEFT
            else []
        )


def _effective(policies: Iterable[Policy]) -> Policy:
    """What several policies, root first, demand together; the default where there is none."""
    given = list(policies)
    if not given:
        return DEFAULT_POLICY
    first = replace(given[0], code=bool(given[0].code), late_approval=bool(given[0].late_approval))
    return reduce(merged, given[1:], first)
