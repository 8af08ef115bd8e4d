"""What of ours a change concerns: the calls that our code makes, and the accounts behind them.

Pure. A change touches a call when it names it, one of its fields that we send or read, or a version that we
use; a field of it that we neither send nor read does not, unless it is one that becomes required. An outage
that names nothing concerns them all.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.platform_changes.model import Kind, Touching
from chalicelib.platform_changes.operations import is_same_operation, without_its_id
from chalicelib.platform_changes.same import versions_of
from chalicelib.platforms.surfaces import Surface

_PATH = re.compile(
    r"(?:\b(GET|POST|PUT|PATCH|DELETE)\s+`?)?((?:https?://[\w.-]+)?/[\w{}<>:.~-]+(?:/[\w{}<>:.~-]+)*)"
)
# A name of a call, as some networks have: com.example.thing.getRecord, things.list
_DOTTED = re.compile(r"\b[a-z][\w-]*(?:\.[a-zA-Z][\w-]*)+\b")
_FIELD = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b|\b[a-z]+(?:[A-Z][a-z0-9]+)+\b")
_PARAMETER = re.compile(r"[{<:]")
_REQUIRED = re.compile(r"\b(?:required|mandatory|must)\b", re.IGNORECASE)
_READ_CHARS = 6000


@dataclass(frozen=True)
class Said:
    """What of a change tells whom it concerns.

    `is_exact` is the finding's.
    """

    title: str = ""
    text: str = ""
    operations: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    is_exact: bool = False


@dataclass(frozen=True)
class Mine:
    """One account of ours on the platform: its unit, and the API version that it is called with."""

    unit_id: str
    version: str = ""


def touched(said: Said, kind: Kind, surfaces: Sequence[Surface], mine: Sequence[Mine]) -> Touching:
    """The surfaces by name, in their own order, and how many accounts and units stand behind them."""
    named = [surface for surface in surfaces if _names(said, surface)]
    named = named or [surface for surface in surfaces if _names_without_its_id(said, surface)]
    if named:
        return _counted(named, mine)
    if kind == Kind.OUTAGE:
        return _counted(surfaces, mine)
    versions = versions_of(said.versions)
    using = [one for one in mine if versions & versions_of((one.version,))]
    if using and not said.operations and kind != Kind.NEW:
        return _counted(surfaces, using)
    return Touching()


def both(one: Touching, other: Touching) -> Touching:
    """What either touches."""
    surfaces = tuple(dict.fromkeys((*one.surfaces, *other.surfaces)))
    return Touching(surfaces, max(one.accounts, other.accounts), max(one.units, other.units))


def of_surfaces(names: Iterable[str], surfaces: Sequence[Surface], mine: Sequence[Mine]) -> Touching:
    """What touches these surfaces because a person says so. Raises KeyError for one that there is not."""
    wanted = set(names)
    if unknown := wanted - {surface.name for surface in surfaces}:
        raise KeyError(", ".join(sorted(unknown)))
    chosen = [surface for surface in surfaces if surface.name in wanted]
    return _counted(chosen, mine) if chosen else Touching()


def names_a_call_of_ours(said: Said, surfaces: Sequence[Surface]) -> bool:
    """Whether it names a call that we make, and not only words that stand for one."""
    return any(_names_operation(said, surface) for surface in surfaces)


def _counted(surfaces: Sequence[Surface], mine: Sequence[Mine]) -> Touching:
    names = tuple(dict.fromkeys(surface.name for surface in surfaces))
    return Touching(names, len(mine), len({one.unit_id for one in mine}))


def _names(said: Said, surface: Surface) -> bool:
    if said.operations:
        return _names_operation(said, surface) or (not said.is_exact and _call_in_prose(said, surface))
    if said.fields and _names_field(said, surface):
        return True
    return not said.is_exact and (_call_in_prose(said, surface) or _thing_in_prose(said, surface))


def _names_operation(said: Said, surface: Surface) -> bool:
    if not any(is_same_operation(surface.operation, operation) for operation in said.operations):
        return False
    if not (said.is_exact and said.fields and _ours(surface)):
        return True
    return _names_field(said, surface) or _REQUIRED.search(f"{said.title} {said.text}") is not None


def _names_without_its_id(said: Said, surface: Surface) -> bool:
    """Whether a text names our call of one thing by the path of them all, as texts do; a specification that
    names that path means another call.
    """
    short = without_its_id(surface.operation)
    if not short or said.is_exact:
        return False
    in_text = [operation for operation in _paths_in(said) if operation[0] != "/"]
    return any(is_same_operation(short, one) for one in (*said.operations, *in_text))


def _names_field(said: Said, surface: Surface) -> bool:
    """A field of ours, or one inside a field that we take whole."""
    ours, fields = surface.takes | surface.uses, _with_leaves(said.fields)
    if _with_leaves(ours) & fields:
        return True
    parts = {name.rpartition(".")[0] for name in ours}
    whole = tuple(f"{name}." for name in ours - parts)
    return any(name.startswith(whole) for name in fields)


def _call_in_prose(said: Said, surface: Surface) -> bool:
    """The call by its path or its name."""
    named = (*_paths_in(said), *_DOTTED.findall(_text(said)))
    return any(is_same_operation(surface.operation, operation) for operation in named)


def _paths_in(said: Said) -> list[str]:
    """The calls that a text writes as paths, with their methods where it has them."""
    # One word between slashes is as often "and/or": it counts with its method, or two segments long.
    found = [(m, p) for m, p in _PATH.findall(_text(said)) if m or p.count("/") > 1]
    return [f"{method} {path}".strip(" .:-~") for method, path in found]


def _thing_in_prose(said: Said, surface: Surface) -> bool:
    """A field of ours by its name, or what the call is about: "the Images API"."""
    text = _text(said)
    if _ours(surface) & set(_FIELD.findall(text)):
        return True
    thing = _thing(surface)
    return bool(thing) and re.search(rf"\b{thing}s?\s+(?:API|endpoints?)\b", text, re.IGNORECASE) is not None


def _text(said: Said) -> str:
    return f"{said.title}\n{said.text[:_READ_CHARS]}"


def _ours(surface: Surface) -> set[str]:
    return _with_leaves(surface.takes | surface.uses)


def _with_leaves(fields: Iterable[str]) -> set[str]:
    """ "a.b" is also known as "b"."""
    return {name for field in fields for name in (field, field.rpartition(".")[2])}


def _thing(surface: Surface) -> str:
    """What the last fixed part of its path is about, as an expression: `ugcPosts` is "ugc post"."""
    fixed = (part for part in surface.path.split("/") if part and not _PARAMETER.search(part))
    parts = [part for part in fixed if "." not in part]
    words = re.findall(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])", parts[-1].partition("?")[0]) if parts else []
    return r"[\s_-]*".join(re.escape(word) for word in words).removesuffix("s")
