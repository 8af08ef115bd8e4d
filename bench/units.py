"""What requests to DynamoDB cost, by AWS's published rules, from the items before and after.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html (item sizes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Typed = Mapping[str, Any]
WRITE_BYTES, READ_BYTES = 1024, 4096
IN_A_TRANSACTION = 2  # prepare and commit; for the table only, its indexes are written once


@dataclass(frozen=True)
class Index:
    """A global secondary index: its key attributes, and what it carries (None: everything)."""

    name: str
    keys: tuple[str, ...]
    carries: frozenset[str] | None

    def entry(self, item: Typed | None) -> dict[str, Any] | None:
        """What stands in the index for an item; None where it lacks a key attribute (a sparse index)."""
        if item is None or not all(key in item for key in self.keys):
            return None
        return {name: value for name, value in item.items() if self.carries is None or name in self.carries}


def indexes_of(table: Mapping[str, Any]) -> list[Index]:
    """The indexes of a table as DescribeTable shows it."""
    table_keys = [part["AttributeName"] for part in table["KeySchema"]]
    found = []
    for index in table.get("GlobalSecondaryIndexes", []):
        keys = tuple(part["AttributeName"] for part in index["KeySchema"])
        projection = index["Projection"]
        carries = frozenset((*table_keys, *keys, *projection.get("NonKeyAttributes", [])))
        found.append(
            Index(index["IndexName"], keys, None if projection["ProjectionType"] == "ALL" else carries)
        )
    return found


def size_of(item: Typed | None) -> int:
    """An item's bytes: names in UTF-8 and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in (item or {}).items())


def _value_size(typed: Typed) -> int:
    kind: str
    value: Any
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":  # two digits to a byte and one more; without leading and trailing zeros
            digits = value.lstrip("-").replace(".", "").strip("0")
            return (len(digits) + 1) // 2 + 1 + int(value.startswith("-"))
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_size(v) for v in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(v) for name, v in value.items())
        case "SS":
            return sum(len(v.encode()) for v in value)
    raise ValueError(f"no rule for the type {kind}")


def _written(size: int) -> int:
    return max(1, -(-size // WRITE_BYTES))


def write_units(before: Typed | None, after: Typed | None, indexes: list[Index], transacted: bool) -> int:
    """One item written, checked, or refused by its condition (`after` is `before` then).

    The larger of before and after counts. A ConditionCheck is counted as a transaction's write.
    """
    units = _written(max(size_of(before), size_of(after))) * (IN_A_TRANSACTION if transacted else 1)
    return units + sum(_index_units(index.entry(before), index.entry(after), index.keys) for index in indexes)


def _index_units(before: Typed | None, after: Typed | None, keys: tuple[str, ...]) -> int:
    if before == after:
        return 0
    if before is None or after is None:
        return _written(size_of(before or after))
    if any(before[key] != after[key] for key in keys):
        return _written(size_of(before)) + _written(size_of(after))
    return _written(max(size_of(before), size_of(after)))


def read_units(size: int, consistent: bool) -> float:
    """One item read, or all that one page of a query looked at; nothing found costs as much as the least."""
    units = max(1, -(-size // READ_BYTES))
    return float(units) if consistent else units / 2
