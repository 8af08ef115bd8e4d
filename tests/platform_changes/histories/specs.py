"""How a specification's history is made: a document that each step changes, and noise over it."""

import copy
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from tests.platform_changes.histories.history import History, Look, Planted, at

Document = dict[str, Any]
Step = tuple[str, str, Callable[[Document], None], tuple[Planted, ...]]
"""Day, what is noise, what the document becomes, what was planted with it (its look is filled in)."""


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON with its keys in another order, and scopes, which are a set, too."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    if isinstance(value, list):
        made = [shuffled(each, chance) for each in value]
        if all(isinstance(each, str) for each in made):
            chance.shuffle(made)
        return made
    return value


def history(
    name: str,
    platform: str,
    url: str,
    base: Document,
    steps: tuple[Step, ...],
    options: Mapping[str, str] | None = None,
    held_out: bool = False,
) -> History:
    document, looks, planted = copy.deepcopy(base), [], list[Planted]()
    for number, (day, noise, become, told) in enumerate(steps, 1):
        become(document)
        chance = random.Random(f"{name} {number}")
        shown = shuffled(document, chance) if "order" in noise else document
        ascii_only = "escapes" in noise
        if "space" in noise:
            body = json.dumps(shown, indent=1, ensure_ascii=ascii_only)
        else:
            body = json.dumps(shown, separators=(",", ":"), ensure_ascii=ascii_only)
        looks.append(Look(at(day), body + "\n", (noise,) if noise else ()))
        planted += [
            Planted(number, p.what, p.kinds, p.says, p.effective_on, p.touching, p.operations, p.fields)
            for p in told
        ]
    return History(
        name,
        platform,
        "spec",
        "json",
        "application/json",
        url,
        tuple(looks),
        tuple(planted),
        options or {},
        held_out,
    )


def told(
    what: str,
    kinds: tuple[str, ...],
    says: tuple[str, ...],
    touching: bool | None,
    operations: tuple[str, ...] = (),
    fields: tuple[str, ...] = (),
) -> tuple[Planted, ...]:
    return (Planted(0, what, kinds, says, None, touching, operations, fields),)


def same(document: Document) -> None:
    """Nothing but noise."""


def schema_of(required: tuple[str, ...] = (), **properties: Any) -> Document:
    made = {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in properties.items()}
    return {"type": "object", "properties": made, **({"required": list(required)} if required else {})}
