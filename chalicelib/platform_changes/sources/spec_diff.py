"""What changed between two looks at a specification, one finding for each operation that changed."""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chalicelib.platform_changes.model import Finding, Kind, Source
from chalicelib.platform_changes.sources.reader import Snapshot
from chalicelib.platform_changes.sources.text import fingerprint

_PARAMETER = re.compile(r"\{[^{}]*\}")
_REFERENCE = re.compile(r"\u2192([^\]!~]+)")
_REMOVED = "removed"
_REQUIRED = "required now"
_RETYPED = "of another type"
_DEPRECATED = "deprecated"
_ADDED = "added"
_HINTS = (
    ((_REMOVED, _REQUIRED, _RETYPED), Kind.BREAKING),
    ((_DEPRECATED,), Kind.DEPRECATION),
    ((_ADDED,), Kind.NEW),
)
_MOST_OPERATIONS = 100
_MOST_FIELDS = 60
_LEAST_TO_BE_CUT = 10
_MOST_DEPTH = 5
_MOST_WRITTEN_OUT = 4_000
_TEXT_CHARS = 6_000


@dataclass
class _Changes:
    """What happened to the fields of one operation: what, to which names; where they stand is not told."""

    of: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, what: str, path: str, says: str) -> None:
        place, equals, value = path.partition("=")
        own = place.rpartition(".")[2] if place.count(".") else place
        if equals:
            self.of[what][value] = f"{value} (a value of {own})"
        else:
            self.of[what][path] = f"{own} ({says})" if own and says else own or says

    def lines(self) -> tuple[str, ...]:
        """The same for operations in which the same happened."""
        return tuple(
            f"{what}: {', '.join(sorted(set(names.values()))[:_MOST_FIELDS])}"
            for what, names in sorted(self.of.items())
        )

    def names(self) -> tuple[str, ...]:
        """The fields, as "a.b" and by their own names."""
        found = [name for names in self.of.values() for name in names if name]
        own = [says.partition(" (")[0] for names in self.of.values() for name, says in names.items() if name]
        return tuple(dict.fromkeys([*found, *own]))[:_MOST_FIELDS]


class _Part(NamedTuple):
    """A schema that stands at a path; `inside` are the schemas around it."""

    within: str
    fields: Mapping[str, str]
    is_loose: bool
    inside: frozenset[str]


def findings(source: Source, before: Snapshot, after: Snapshot) -> list[Finding]:
    """The operations that were removed, added, deprecated or changed.

    Operations in which the same fields changed in the same way, as when they share a schema, are one finding.
    Fields are compared where they stand, whatever the schemas are called that they come from.
    """
    was, now = _by_shape(before["operations"]), _by_shape(after["operations"])
    removed = [was[shape] for shape in was if shape not in now]
    if len(was) >= _LEAST_TO_BE_CUT and len(removed) * 2 > len(was):
        return [_cut(source, removed, after)]
    found = [_whole(source, name, _REMOVED) for name in removed]
    found += [_whole(source, now[shape], _ADDED) for shape in now if shape not in was]
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    changes_of: dict[tuple[str, ...], _Changes] = {}
    old_schemas, new_schemas = before["schemas"], after["schemas"]
    every_schema = old_schemas.keys() | new_schemas.keys()
    changed = {name for name in every_schema if old_schemas.get(name) != new_schemas.get(name)}
    for shape in now:
        if shape not in was:
            continue
        old, new = before["operations"][was[shape]], after["operations"][now[shape]]
        if old == new and changed.isdisjoint(_reached(new, new_schemas)):
            continue
        changes = _Changes()
        for side in ("takes", "answers"):
            fields, old_fields = _written_out(new[side], new_schemas), _written_out(old[side], old_schemas)
            _compare(old_fields, fields, side == "takes", changes)
        if new["deprecated"] and not old["deprecated"]:
            changes.add(_DEPRECATED, "", "the operation")
        if changes.of:
            alike[changes.lines()].append(now[shape])
            changes_of[changes.lines()] = changes
    return [*found, *(_finding(source, names, changes_of[lines]) for lines, names in alike.items())]


def references(fields: Mapping[str, str]) -> list[str]:
    """The schemas that these fields refer to."""
    return [match[1] for sign in fields.values() if (match := _REFERENCE.search(sign))]


def _by_shape(operations: Iterable[str]) -> dict[str, str]:
    """Operations by what they are when the names of their path's parameters do not count."""
    return {_PARAMETER.sub("{}", name): name for name in operations}


def _reached(operation: Mapping[str, Any], schemas: Mapping[str, Mapping[str, str]]) -> set[str]:
    waiting = [*references(operation["takes"]), *references(operation["answers"])]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += references(schemas.get(name, {}))
    return found


def _written_out(fields: Mapping[str, str], schemas: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The fields with what they refer to in its place, to a depth, and no schema inside itself."""
    found: dict[str, str] = {}
    waiting = deque([_Part("", fields, False, frozenset())])
    while waiting and len(found) < _MOST_WRITTEN_OUT:
        part = waiting.popleft()
        for name, sign in part.fields.items():
            path, is_alternative = _path(part.within, name)
            reference = _REFERENCE.search(sign)
            if reference is None:
                _put(found, path, sign.replace("!", "") if part.is_loose else sign)
                continue
            there = schemas.get(reference[1], {})
            marks = sign[len(_base(sign)) :]
            _put(found, path, _base(sign).replace(reference[0], there.get("$", "")) + marks)
            if reference[1] not in part.inside and path.count(".") < _MOST_DEPTH:
                inside = part.inside | {reference[1]}
                waiting.append(_Part(path, there, part.is_loose or is_alternative, inside))
    return found


def _path(within: str, name: str) -> tuple[str, bool]:
    """Where a field of a schema that stands at `within` stands; and whether it is an alternative."""
    own, _, alternative = name.partition("|")
    own = own.partition("~")[0]
    if own == "$":
        return within, bool(alternative)
    if own.startswith(("$=", "$.")):
        return (within or "$") + own[1:] if own[1] == "=" else _join(within, own[2:]), bool(alternative)
    return _join(within, own), bool(alternative)


def _join(within: str, name: str) -> str:
    return f"{within}.{name}" if within else name


def _put(found: dict[str, str], path: str, sign: str) -> None:
    """Keeps what the field's own place says of it; what a schema adds is only its type."""
    if path and not _base(found.get(path, "")):
        found[path] = _base(sign) + (found.get(path, "") or sign[len(_base(sign)) :])


def _compare(was: Mapping[str, str], now: Mapping[str, str], is_taken: bool, changes: _Changes) -> None:
    for name, sign in was.items():
        # A value that is no longer answered breaks nobody.
        if name not in now and not _is_inside(name, was, now) and (is_taken or "=" not in name):
            changes.add(_REMOVED, name, _base(sign))
    for name, sign in now.items():
        old = was.get(name)
        if old is None:
            if not _is_inside(name, now, was):
                changes.add(_REQUIRED if is_taken and _has(sign, "!") else _ADDED, name, _base(sign))
            continue
        if _base(sign) != _base(old) and _base(sign).strip("[]") and _base(old).strip("[]"):
            changes.add(_RETYPED, name, f"{_base(old)} to {_base(sign)}")
        if is_taken and _has(sign, "!") and not _has(old, "!"):
            changes.add(_REQUIRED, name, _base(sign))
        if _has(sign, "~") and not _has(old, "~"):
            changes.add(_DEPRECATED, name, _base(sign))


def _is_inside(name: str, here: Mapping[str, str], there: Mapping[str, str]) -> bool:
    """Whether a field that one look alone has stands inside another such: then that one is told."""
    parent = name.partition("=")[0] if "=" in name else name.rpartition(".")[0]
    return bool(parent) and parent in here and parent not in there


def _base(sign: str) -> str:
    return sign.rstrip("!~")


def _has(sign: str, mark: str) -> bool:
    return mark in sign[len(_base(sign)) :]


def _whole(source: Source, operation: str, what: str) -> Finding:
    return Finding(
        key=fingerprint(source.key, operation, what),
        title=f"{operation} was {what}",
        url=source.page_url or source.url,
        hint=Kind.BREAKING if what == _REMOVED else Kind.NEW,
        operations=(operation,),
        is_exact=True,
    )


def _finding(source: Source, operations: Sequence[str], changes: _Changes) -> Finding:
    lines = changes.lines()
    about = operations[0] if len(operations) == 1 else f"{operations[0]} and {len(operations) - 1} more"
    return Finding(
        key=fingerprint(source.key, operations[0], *lines),
        title=f"{about}: {'; '.join(lines)}"[:200],
        text="\n".join([*lines, f"In: {', '.join(operations[:_MOST_OPERATIONS])}"])[:_TEXT_CHARS],
        url=source.page_url or source.url,
        hint=next(kind for whats, kind in _HINTS if any(what in changes.of for what in whats)),
        operations=tuple(operations[:_MOST_OPERATIONS]),
        fields=changes.names(),
        is_exact=True,
    )


def _cut(source: Source, removed: Sequence[str], after: Snapshot) -> Finding:
    left = len(after["operations"])
    return Finding(
        key=fingerprint(source.key, "cut", *sorted(removed)),
        title=f"{source.name} no longer lists {len(removed)} operations; {left} are there now",
        text="\n".join(sorted(removed)[:_MOST_OPERATIONS]),
        url=source.page_url or source.url,
        hint=Kind.BREAKING,
        operations=tuple(sorted(removed)[:_MOST_OPERATIONS]),
        is_exact=True,
    )
