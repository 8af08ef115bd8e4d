"""Frozen dataclasses to stored items and back, by their type hints.

Known types: str, int, bool, datetime, date, StrEnum, nested dataclasses, `X | None`, tuple[X, ...],
frozenset[str], dict[str, X]. Attributes an item lacks take the field's default, and unknown attributes are
ignored: an older or newer version of the code can read the row.
"""

import dataclasses
import types
import typing
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from chalicelib.core.clock import from_text, to_text

T = TypeVar("T")


def to_item(record: Any) -> dict[str, Any]:
    """The record's fields as storable values; fields that are None are left out."""
    fields = dataclasses.fields(record)
    pairs = ((f.name, _to_value(getattr(record, f.name))) for f in fields)
    return {name: value for name, value in pairs if value is not None}


def from_item(cls: type[T], item: dict[str, Any]) -> T:
    """The record that `to_item` stored. Raises KeyError naming a field that is missing and has no default."""
    values = {}
    for name, (hint, required) in _hints(typing.cast(Any, cls)).items():
        if name in item:
            values[name] = _from_value(hint, item[name])
        elif required and type(None) in typing.get_args(hint):
            values[name] = None
        elif required and typing.get_origin(hint) is frozenset:
            values[name] = frozenset()  # DynamoDB stores no empty set
        elif required:
            raise KeyError(f"{cls.__name__}.{name}")
    return cls(**values)


@cache
def _hints(cls: type) -> dict[str, tuple[Any, bool]]:
    hints = typing.get_type_hints(cls)
    missing = dataclasses.MISSING
    return {
        f.name: (hints[f.name], f.default is missing and f.default_factory is missing)
        for f in dataclasses.fields(cls)
    }


def _to_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_item(value)
    if isinstance(value, tuple | list):
        return [_to_value(v) for v in value]
    if isinstance(value, dict):
        return {k: _to_value(v) for k, v in value.items()}
    return value


def _from_value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        (inner,) = [a for a in args if a is not type(None)]
        return _from_value(inner, value)
    if origin is tuple:
        return tuple(_from_value(args[0], v) for v in value)
    if origin is frozenset:
        return frozenset(value)
    if origin is dict:
        return {k: _from_value(args[1], v) for k, v in value.items()}
    if hint is datetime:
        return from_text(value)
    if hint is date:
        return date.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    if dataclasses.is_dataclass(hint):
        return from_item(typing.cast(type, hint), value)
    return value
