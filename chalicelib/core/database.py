"""The only DynamoDB code: plain dictionaries in and out, conditions that say who lost, retried transactions.

Values are str, int, bool, None, list, dict and set[str]; floats and bytes are refused, because neither
survives a round trip unchanged.
"""

import random
import time
import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from chalicelib.core.errors import Busy, InvalidInput, Problem, SignalboxError
from chalicelib.core.expressions import Expression
from chalicelib.core.settings import Settings

Item = dict[str, Any]
T = TypeVar("T")
_TRANSIENT = {
    "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded",
    "TransactionInProgressException", "ThrottlingException", "ProvisionedThroughputExceededException",
    "TransactionConflictException", "InternalServerError",
}  # fmt: skip
_THROTTLED = {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}
_ATTEMPTS = 8
_LARGEST = 10**38  # DynamoDB keeps 38 digits of a number


class ConditionFailed(SignalboxError):
    """A condition did not hold; `old` is the item as it stood, or None where there was none."""

    def __init__(self, table: str, old: Item | None) -> None:
        super().__init__(f"a condition on {table} did not hold")
        self.table = table
        self.old = old


class TransactionRefused(SignalboxError):
    """A transaction was cancelled; `failures` holds (index of the write, the item as it stood)."""

    def __init__(self, failures: list[tuple[int, Item | None]]) -> None:
        super().__init__("a condition of the change did not hold")
        self.failures = failures


@dataclass(frozen=True)
class Write:
    """One action of a transaction; `otherwise` is raised when its condition is the one that failed."""

    action: str  # Put, Update, Delete or ConditionCheck
    table: str
    item_or_key: Item
    when: Expression | None = None
    update: Expression | None = None
    otherwise: SignalboxError | None = None


@dataclass(frozen=True)
class Read(Generic[T]):
    """A row that can be read together with others; `made` makes the value of it, or of None."""

    table: str
    key: Item
    made: Callable[[Item | None], T]


@dataclass(frozen=True)
class Page:
    """Some items in key order, and the key to continue after, or None at the end."""

    items: list[Item]
    after: Item | None


def encode(value: Any) -> dict[str, Any]:
    """A value in DynamoDB's typed form. Raises TypeError for a type that would not come back the same."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": str(value)}
        case int() if -_LARGEST < value < _LARGEST:
            return {"N": str(value)}
        case list() | tuple():
            return {"L": [encode(v) for v in value]}
        case dict():
            return {"M": {k: encode(v) for k, v in value.items() if v != set()}}
        case set() | frozenset() if value:
            return {"SS": sorted(value)}
    raise TypeError(f"this {type(value).__name__} cannot be stored")


def decode(typed: Mapping[str, Any]) -> Any:
    """The value that `encode` made."""
    ((kind, value),) = typed.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value)
        case "NULL":
            return None
        case "L":
            return [decode(v) for v in value]
        case "M":
            return {k: decode(v) for k, v in value.items()}
        case "SS":
            return set(value)
    raise TypeError(f"DynamoDB type {kind} is not one we write")


def encode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item's typed form; attributes that are None or an empty set are left out."""
    return {k: encode(v) for k, v in item.items() if v is not None and v != set()}


def decode_item(item: Mapping[str, Any]) -> Item:
    return {k: decode(v) for k, v in item.items()}


def _identity(table: str, key: Item) -> Hashable:
    return table, *sorted(key.items())


def _merged(*expressions: Expression | None) -> dict[str, Any]:
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    for expression in expressions:
        if expression is not None:
            names.update(expression.names)
            values.update({k: encode(v) for k, v in expression.values.items()})
    parts: dict[str, Any] = {}
    if names:
        parts["ExpressionAttributeNames"] = names
    if values:
        parts["ExpressionAttributeValues"] = values
    return parts


class Database:
    """The stage's tables, by short name: `posts` is `signalbox-<stage>-posts`."""

    def __init__(self, client: Any, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._settings = settings
        self._sleep = sleep

    def get(self, table: str, key: Item, consistent: bool = True) -> Item | None:
        """The item, strongly consistent unless told otherwise, or None."""
        request = {
            "TableName": self._settings.table(table),
            "Key": encode_item(key),
            "ConsistentRead": consistent,
        }
        answer = self._call(self._client.get_item, request)
        return decode_item(answer["Item"]) if "Item" in answer else None

    def read(self, read: Read[T]) -> T:
        """What the read makes of its row, strongly consistent."""
        return read.made(self.get(read.table, read.key))

    def get_many(self, table: str, keys: Iterable[Item]) -> list[Item]:
        """The items that exist, in no order; any number of keys, each read once."""
        return list(self._batch((table, key) for key in keys).values())

    def read_together(self, *reads: Read[Any]) -> list[Any]:
        """What each read makes of its row, in their order: strongly consistent, in one request.

        It is no snapshot: what must still hold when a change commits is a condition of that change.
        """
        found = self._batch((r.table, r.key) for r in reads)
        return [r.made(found.get(_identity(r.table, r.key))) for r in reads]

    def _batch(self, wanted: Iterable[tuple[str, Item]]) -> dict[Hashable, Item]:
        """The items that exist of any tables, by table and key, a hundred to a request."""
        unread = list({_identity(table, key): (table, key) for table, key in wanted}.values())
        names = {self._settings.table(table): table for table, _ in unread}
        keys = {table: sorted(key) for table, key in unread}
        found: dict[Hashable, Item] = {}
        attempt = 0
        while unread:
            now, unread = unread[:100], unread[100:]
            asked: dict[str, Any] = {}
            for table, key in now:
                part = asked.setdefault(self._settings.table(table), {"Keys": [], "ConsistentRead": True})
                part["Keys"].append(encode_item(key))
            answer = self._call(self._client.batch_get_item, {"RequestItems": asked})
            for name, items in answer["Responses"].items():
                table = names[name]
                for item in map(decode_item, items):
                    found[_identity(table, {part: item[part] for part in keys[table]})] = item
            left = [
                (names[name], decode_item(key))
                for name, part in answer.get("UnprocessedKeys", {}).items()
                for key in part["Keys"]
            ]
            if left:
                attempt = self._back_off(attempt, "the database left reads undone")
                unread = left + unread
        return found

    def query(
        self,
        table: str,
        key: Expression,
        *,
        index: str | None = None,
        limit: int | None = None,
        after: Item | None = None,
        forward: bool = True,
        filter_by: Expression | None = None,
    ) -> Page:
        """One page of a query; strongly consistent on the table, eventually on an index.

        Raises InvalidInput if `after` is no key of this query: it came from a caller's cursor.
        """
        request: dict[str, Any] = {
            "TableName": self._settings.table(table),
            "KeyConditionExpression": key.text,
            "ScanIndexForward": forward,
            **_merged(key, filter_by),
        }
        if filter_by is not None:
            request["FilterExpression"] = filter_by.text
        if index:
            request["IndexName"] = index
        else:
            request["ConsistentRead"] = True
        if limit:
            request["Limit"] = limit
        if after:
            request["ExclusiveStartKey"] = encode_item(after)
        try:
            answer = self._call(self._client.query, request)
        except self._client.exceptions.ClientError as error:
            if after and error.response["Error"]["Code"] == "ValidationException":
                raise InvalidInput([Problem("cursor", "leads nowhere; start without it")]) from error
            raise
        last = answer.get("LastEvaluatedKey")
        return Page([decode_item(i) for i in answer["Items"]], decode_item(last) if last else None)

    def query_all(
        self, table: str, key: Expression, *, index: str | None = None, filter_by: Expression | None = None
    ) -> Iterator[Item]:
        """Every item of a query, page by page."""
        after: Item | None = None
        while True:
            page = self.query(table, key, index=index, after=after, filter_by=filter_by)
            yield from page.items
            after = page.after
            if after is None:
                return

    def put(self, table: str, item: Item, when: Expression | None = None) -> None:
        """Write one item that is not part of a change (a cache, a counter's row).

        Raises ConditionFailed.
        """
        request: dict[str, Any] = {"TableName": self._settings.table(table), "Item": encode_item(item)}
        if when:
            request.update(
                ConditionExpression=when.text, ReturnValuesOnConditionCheckFailure="ALL_OLD", **_merged(when)
            )
        self._conditional(table, self._client.put_item, request)

    def update(self, table: str, key: Item, update: Expression, when: Expression | None = None) -> Item:
        """Update one item and return it as it now stands.

        Raises ConditionFailed with the item that stood in the way: a caller whose own first write was
        applied although its answer was lost recognises it there (botocore retries by itself).
        """
        request: dict[str, Any] = {
            "TableName": self._settings.table(table),
            "Key": encode_item(key),
            "UpdateExpression": update.text,
            "ReturnValues": "ALL_NEW",
            **_merged(update, when),
        }
        if when:
            request.update(ConditionExpression=when.text, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        return decode_item(self._conditional(table, self._client.update_item, request)["Attributes"])

    def transact(self, writes: list[Write]) -> None:
        """All writes or none; conflicts and throttles are tried again with jitter.

        Raises TransactionRefused when a condition failed, Busy when the database kept refusing.
        """
        actions = [self._action(w) for w in writes]
        attempt, token = 0, uuid.uuid4().hex
        while True:
            try:
                self._client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
                return
            except self._client.exceptions.TransactionCanceledException as error:
                reasons = error.response.get("CancellationReasons", [])
                codes = {r.get("Code", "None") for r in reasons} - {"None"}
                failures = [
                    (n, decode_item(r["Item"]) if r.get("Item") else None)
                    for n, r in enumerate(reasons)
                    if r.get("Code") == "ConditionalCheckFailed"
                ]
                if failures:
                    raise TransactionRefused(failures) from error
                if not codes <= _TRANSIENT:
                    raise
                attempt = self._back_off(attempt, "the database kept refusing the change", error)
                token = uuid.uuid4().hex
            except self._client.exceptions.ClientError as error:
                # It may be running still, or be done: with the same token, asking again does nothing twice.
                if error.response["Error"]["Code"] not in _TRANSIENT:
                    raise
                attempt = self._back_off(attempt, "the database kept refusing the change", error)

    def _action(self, write: Write) -> dict[str, Any]:
        body: dict[str, Any] = {"TableName": self._settings.table(write.table)}
        body["Item" if write.action == "Put" else "Key"] = encode_item(write.item_or_key)
        body.update(_merged(write.update, write.when))
        if write.update is not None:
            body["UpdateExpression"] = write.update.text
        if write.when is not None:
            body["ConditionExpression"] = write.when.text
            body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return {write.action: body}

    def _conditional(self, table: str, call: Callable[..., Any], request: dict[str, Any]) -> Any:
        try:
            return self._call(call, request)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            old = error.response.get("Item")
            raise ConditionFailed(table, decode_item(old) if old else None) from error

    def _call(self, call: Callable[..., Any], request: dict[str, Any]) -> Any:
        """One call; a transaction under way on the item is waited for. botocore has waited for throttles.

        Raises Busy.
        """
        attempt = 0
        while True:
            try:
                return call(**request)
            except self._client.exceptions.ClientError as error:
                code = error.response["Error"]["Code"]
                if code in _THROTTLED:
                    raise Busy("the database is too busy; try again in a moment") from error
                if code != "TransactionConflictException":
                    raise
                attempt = self._back_off(attempt, "the database kept refusing", error)

    def _back_off(self, attempt: int, sentence: str, cause: Exception | None = None) -> int:
        if attempt + 1 >= _ATTEMPTS:
            raise Busy(f"{sentence}; try again in a moment") from cause
        self._sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # nosec B311 - jitter
        return attempt + 1
