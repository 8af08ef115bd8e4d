"""How policies add up: a unit tightens what its parent demands, a request takes the strictest of its units.

One rule carries both: a stage is at least as strict as another if every set of people who satisfy it
satisfies the other as well.
"""

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.approvals.model import ALL, ANY, OnSilence, Policy, RequestStage, Stage
from chalicelib.core.errors import Problem
from chalicelib.org.model import Person, Status, Unit
from chalicelib.org.roles import Role
from chalicelib.org.service import Org

_STRICTNESS = list(OnSilence)


def loosenings(parent: Policy, child: Policy) -> list[Problem]:
    """Where `child` would undercut `parent`, each problem naming what the parent demands."""
    problems = []
    demanded = {s.name: s for s in parent.stages}
    for n, stage in enumerate(child.stages):
        over = demanded.get(stage.name)
        if over is None:
            continue
        at, above = f"stages.{n}", f"the stage '{stage.name}' above this unit"
        if not _as_strict(stage, over):
            problems.append(Problem(at, f"{above} demands {_who(over)}; keep that, or ask for more"))
        if stage.within_for > over.within_for:
            problems.append(Problem(f"{at}.within_for", f"{above} allows {over.within_for} hours at most"))
        if _STRICTNESS.index(stage.on_silence) < _STRICTNESS.index(over.on_silence):
            problems.append(Problem(f"{at}.on_silence", f"{above} demands '{over.on_silence}' or stricter"))
    if parent.code and child.code is False:
        problems.append(Problem("code", "a unit above demands a code; it cannot be switched off here"))
    if not parent.late_approval and child.late_approval:
        problems.append(
            Problem("late_approval", "a unit above ends requests at the post's time; so must this one")
        )
    return problems


def merged(parent: Policy, child: Policy) -> Policy:
    """What holds in a unit: its parent's stages, each as strict as the stricter of the two, and its own.

    A parent that was tightened later wins; where neither stage implies the other, both stand.
    """
    stages = list(parent.stages)
    at = 0
    for own in child.stages:
        same = next((n for n, s in enumerate(stages) if s.name == own.name), None)
        if same is None:
            stages.insert(at, own)
            at += 1
            continue
        over = stages[same]
        if _as_strict(own, over):
            stages[same] = replace(
                own,
                within_for=min(own.within_for, over.within_for),
                remind_after=min(own.remind_after, over.remind_after),
                on_silence=max(own.on_silence, over.on_silence, key=_STRICTNESS.index),
            )
        elif not _as_strict(over, own):
            stages.insert(same + 1, own)
            same += 1
        at = same + 1
    late = bool(parent.late_approval) and child.late_approval is not False
    return Policy(tuple(stages), code=bool(parent.code or child.code), late_approval=late)


def _as_strict(child: Stage, parent: Stage) -> bool:
    """Whether satisfying `child` always satisfies `parent`, whoever holds the roles by then."""
    ours, theirs = _pool(child), _pool(parent)
    if child.quorum == ALL and parent.quorum == ALL:
        return theirs <= ours
    if parent.quorum == ALL:
        return False
    enough = _number(parent)
    if child.quorum == ALL:
        # A role may turn out to be held by few: only people named by the parent are sure to be many enough.
        return (enough == 1 and ours <= theirs) or (theirs <= ours and len(set(parent.people)) >= enough)
    return ours <= theirs and _number(child) >= enough


def _number(stage: Stage) -> int:
    return 1 if stage.quorum in (ANY, ALL) else int(stage.quorum)


def _pool(stage: Stage) -> frozenset[str]:
    return frozenset(stage.people) | ({f"role:{stage.role}"} if stage.role else frozenset())


def _who(stage: Stage) -> str:
    quorum = {ANY: "any one", ALL: "all"}.get(stage.quorum, stage.quorum)
    people = [
        *stage.people,
        *([f"whoever is {stage.role.replace('_', ' ')} in the line"] if stage.role else []),
    ]
    return f"{quorum} of: {', '.join(people)}"


class Naming:
    """Turns a unit's stages into seats: people by name, and whoever holds the role nearest up the line."""

    def __init__(self, org: Org, excluded: frozenset[str]) -> None:
        self._org = org
        self._excluded = excluded
        self._people: dict[str, Person] = {}
        self._holders: dict[tuple[Role, str], list[str]] = {}
        self.problems: list[Problem] = []

    def stages(self, policy: Policy, unit: Unit) -> list[RequestStage]:
        """The stages with their seats; what cannot work is added to `problems`."""
        return [self._stage(s, unit) for s in policy.stages]

    def _stage(self, stage: Stage, unit: Unit) -> RequestStage:
        here = [p for p in stage.people if self._person(p).status != Status.LEFT]
        seats = [p for p in dict.fromkeys(here) if p not in self._excluded]
        wanted = _number(stage)
        for unit_id in reversed(unit.path) if stage.role else ():
            holders = self._holding(stage.role, unit_id) if stage.role else []
            seats += [p for p in holders if p not in self._excluded and p not in seats]
            if set(holders) - self._excluded and len(seats) >= wanted:
                break
        needed = len(seats) if stage.quorum == ALL else wanted
        gone = [self._person(p).name for p in stage.people if p not in here]
        if stage.quorum == ALL and gone:
            self._problem(stage, unit, f"needs {', '.join(gone)}, who left: name somebody else in its policy")
        elif len(seats) < max(1, needed):
            self._problem(
                stage,
                unit,
                f"needs {max(1, needed)} to approve and has {len(seats)}: nobody approves what they worked "
                "on. Ask a lead to name more people in its policy, or to grant the role to somebody else",
            )
        return RequestStage(
            stage.name,
            unit.unit_id,
            tuple(seats),
            needed,
            stage.within_for,
            stage.remind_after,
            stage.on_silence,
        )

    def _problem(self, stage: Stage, unit: Unit, what: str) -> None:
        self.problems.append(Problem("approval", f"the stage '{stage.name}' of {unit.name} {what}"))

    def _person(self, person_id: str) -> Person:
        if person_id not in self._people:
            self._people[person_id] = self._org.person(person_id)
        return self._people[person_id]

    def _holding(self, role: Role, unit_id: str) -> list[str]:
        key = (role, unit_id)
        if key not in self._holders:
            self._holders[key] = [p.person_id for p in self._org.holders(role, unit_id)]
        return self._holders[key]


def strictest(lines: Iterable[list[RequestStage]]) -> tuple[RequestStage, ...]:
    """One list of stages that satisfies every unit's, in their order; the same demand is made once."""
    found: list[RequestStage] = []
    for line in lines:
        at = 0
        for stage in line:
            for n, other in enumerate(found):
                if other.name == stage.name and (_implies(stage, other) or _implies(other, stage)):
                    kept = stage if _implies(stage, other) else other
                    found[n] = replace(kept, within_for=min(stage.within_for, other.within_for))
                    at = n + 1
                    break
            else:
                found.insert(at, stage)
                at += 1
    return tuple(found)


def _implies(a: RequestStage, b: RequestStage) -> bool:
    return a.needed - len(set(a.seats) - set(b.seats)) >= b.needed
