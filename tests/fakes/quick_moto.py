"""moto without what makes it slow: copied tables, templates read anew, and values that are looked up by name.

moto undoes a refused transaction from a deep copy of every table that it names, and copies anew for each of
its writes: with some hundred rows a transaction takes seconds. Here only the rows that it names are kept.
A template takes moto a tenth of a second to read, for each stage; here it is read once. And a value of a row
is in DynamoDB's own words already, where moto tries every name that each of its ten members could go by. An
index is read by sorting its whole table, of which each key is read once here and not for each comparison; and
the methods of its classes are listed once and not for each request.
"""

import copy
import pickle
from collections.abc import Callable
from functools import cache
from typing import Any

_PLAIN = {"S", "N", "BOOL", "NULL"}


def make_quick() -> None:
    """Put these ways in the place of moto's, for good."""
    _keep_rows_only()
    _read_templates_once()
    _hand_out_plain_values()
    _sort_by_plain_keys()
    _list_methods_once()


def _keep_rows_only() -> None:
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    original = DynamoDBBackend.transact_write_items
    if original.__module__ == __name__:
        return

    def transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
        undo = [_undo(backend, op) for write in transact_items for op in write.values()]
        try:
            original(backend, transact_items)
        except Exception:
            for restore in undo:
                restore()
            raise

    Table.__deepcopy__ = lambda table, memo: table  # type: ignore[attr-defined]
    DynamoDBBackend.transact_write_items = transact_write_items  # type: ignore[assignment, method-assign]


def _read_templates_once() -> None:
    from moto.cloudformation.models import Stack

    original = Stack.parse_template
    if original.__module__ == __name__:
        return

    @cache
    def read(template: str) -> bytes:
        return pickle.dumps(original(template))

    def parse_template(template: str) -> Any:
        """A copy of its own for each stack: moto writes into it."""
        return pickle.loads(read(template))

    Stack.parse_template = staticmethod(parse_template)  # type: ignore[method-assign]


def _hand_out_plain_values() -> None:
    from moto.core.serialize import BaseJSONSerializer

    original = BaseJSONSerializer._serialize_type_structure
    if original.__module__ == __name__:
        return

    def serialize(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and len(value) == 1 and value.keys() <= _PLAIN:
            serialized[key] = value
        else:
            original(serializer, serialized, value, shape, key)

    BaseJSONSerializer._serialize_type_structure = serialize  # type: ignore[assignment, method-assign]


def _sort_by_plain_keys() -> None:
    from moto.dynamodb.models.table import Table

    def all_items(table: Any) -> list[Any]:
        rows = table.items.values()
        if table.range_key_attr is None:
            return sorted(rows, key=lambda row: row.hash_key.cast_value)
        items = (row for partition in rows for row in partition.values())
        return sorted(items, key=lambda row: (row.hash_key.cast_value, row.range_key.cast_value))

    Table.all_items = all_items  # type: ignore[assignment, method-assign]


def _list_methods_once() -> None:
    from moto.core import responses

    if not hasattr(responses.method_names_from_class, "cache_info"):
        responses.method_names_from_class = cache(responses.method_names_from_class)


def _undo(backend: Any, op: dict[str, Any]) -> Callable[[], None]:
    """What puts the row of one write back as it is now."""
    from moto.dynamodb.models.dynamo_type import DynamoType

    table = backend.get_table(op["TableName"])
    row = op.get("Key") or op["Item"]
    hash_key = DynamoType(row[table.hash_key_attr])
    range_key = DynamoType(row[table.range_key_attr]) if table.range_key_attr else None
    before = copy.deepcopy(table.get_item(hash_key, range_key))

    def restore() -> None:
        if before is None:
            table.delete_item(hash_key, range_key)
        elif range_key is None:
            table.items[hash_key] = before
        else:
            table.items[hash_key][range_key] = before

    return restore
