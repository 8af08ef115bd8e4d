"""Every request the app makes to AWS, with what it costs: hooks on the boto3 clients, nothing replaced.

Items are looked at before and after each write by a client of the recorder's own. What the one-machine AWS
says the writes consumed (ReturnConsumedCapacity) is kept beside our own count, as a control.
"""

import email
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from typing import Any

from bench.units import Index, indexes_of, read_units, size_of, write_units


@dataclass
class Request:
    """One request: the phase it was made in, what it was, and its capacity units."""

    phase: str
    service: str
    operation: str
    items: list[str] = field(default_factory=list)  # what it touched, such as `Put posts`
    write_units: float = 0.0
    read_units: float = 0.0
    told_units: float = 0.0  # write units as the one-machine AWS counts them
    refused: bool = False


class Recorder:
    """Listens to the clients of a `Cloud`; `phase` names what is recorded from now on."""

    def __init__(self, cloud: Any, observer: Any) -> None:
        self.requests: list[Request] = []
        self.mails: list[str] = []
        self.phase = ""
        self._observer = observer
        self._indexes: dict[str, list[Index]] = {}
        self._keys: dict[str, list[str]] = {}
        self._before: list[Mapping[str, Any] | None] = []
        self._asked: Mapping[str, Any] = {}
        for service in ("dynamodb", "sqs", "ssm", "s3", "sesv2"):
            events = getattr(cloud, service).meta.events
            events.register(f"provide-client-params.{service}", self._asks)
            events.register(f"after-call.{service}", self._answered)

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        before, self.phase = self.phase, phase
        yield
        self.phase = before

    def of(self, *phases: str) -> list[Request]:
        return [request for request in self.requests if request.phase in phases]

    def _asks(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
        if model.service_model.service_name == "dynamodb":
            self._before = [self._item(table, key) for _, table, key in self._writes(model.name, params)]
            params = {**params, "ReturnConsumedCapacity": "INDEXES"}
        elif model.name == "SendEmail":
            self.mails.append(params["Content"]["Raw"]["Data"])
        self._asked = params
        return params

    def _answered(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        request = Request(self.phase, service, model.name)
        if service == "dynamodb":
            request.refused = "Error" in parsed
            self._count_writes(request, model.name)
            self._count_reads(request, model.name, parsed)
            if request.write_units:
                told = parsed.get("ConsumedCapacity", [])
                units = [one["CapacityUnits"] for one in (told if isinstance(told, list) else [told])]
                request.told_units = sum(units)
        self.requests.append(request)

    def _writes(
        self, operation: str, params: Mapping[str, Any]
    ) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """(action, table, key) of each item a request writes or checks."""
        if operation == "TransactWriteItems":
            for action, body in (next(iter(one.items())) for one in params["TransactItems"]):
                yield action, body["TableName"], self._key(body)
        elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
            yield operation.removesuffix("Item"), params["TableName"], self._key(params)

    def _count_writes(self, request: Request, operation: str) -> None:
        writes = list(self._writes(operation, self._asked))
        for (action, table, key), before in zip(writes, self._before, strict=True):
            after = self._item(table, key)
            request.items.append(f"{action} {_short(table)}")
            request.write_units += write_units(
                before, after, self._indexes[table], transacted=operation == "TransactWriteItems"
            )

    def _count_reads(self, request: Request, operation: str, parsed: Mapping[str, Any]) -> None:
        asked = self._asked
        if operation == "GetItem":
            request.items.append(f"Get {_short(asked['TableName'])}")
            consistent = bool(asked.get("ConsistentRead"))
            request.read_units += read_units(size_of(parsed.get("Item")), consistent)
        elif operation == "BatchGetItem":
            for table, wanted in asked["RequestItems"].items():
                request.items.append(f"Get {len(wanted['Keys'])} of {_short(table)}")
                found = parsed.get("Responses", {}).get(table, [])
                consistent = bool(wanted.get("ConsistentRead"))
                missing = len(wanted["Keys"]) - len(found)
                request.read_units += sum(read_units(size_of(item), consistent) for item in found)
                request.read_units += missing * read_units(0, consistent)
        elif operation == "Query":
            request.items.append(f"Query {_short(asked['TableName'])} {asked.get('IndexName', '')}".rstrip())
            size = sum(size_of(item) for item in parsed.get("Items", []))
            request.read_units += read_units(size, bool(asked.get("ConsistentRead")))

    def _key(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if "Key" in body:
            key: Mapping[str, Any] = body["Key"]
            return key
        return {name: body["Item"][name] for name in self._keys_of(body["TableName"])}

    def _item(self, table: str, key: Mapping[str, Any]) -> Mapping[str, Any] | None:
        self._keys_of(table)
        item: Mapping[str, Any] | None = self._observer.get_item(
            TableName=table, Key=key, ConsistentRead=True
        ).get("Item")
        return item

    def _keys_of(self, table: str) -> list[str]:
        if table not in self._keys:
            description = self._observer.describe_table(TableName=table)["Table"]
            self._indexes[table] = indexes_of(description)
            self._keys[table] = [part["AttributeName"] for part in description["KeySchema"]]
        return self._keys[table]


def mail_text(raw: bytes | str) -> str:
    """The plain text of a recorded mail."""
    data = raw if isinstance(raw, bytes) else raw.encode()
    message = email.message_from_bytes(data, policy=policy.default)
    body = message.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def calls(requests: list[Request]) -> Counter[str]:
    """How often each kind of request was made, in words."""
    return Counter(
        f"{request.service} {request.operation}" + (f": {_grouped(request.items)}" if request.items else "")
        + (" (refused)" if request.refused else "")
        for request in requests
    )  # fmt: skip


def _grouped(items: list[str]) -> str:
    return ", ".join(f"{n} x {item}" if n > 1 else item for item, n in Counter(items).items())


def _short(table: str) -> str:
    return table.split("-", 2)[2]
