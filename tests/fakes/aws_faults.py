"""What goes wrong between a worker and AWS, put in at botocore's own events, above moto.

Calls are counted, and what is planned for a call happens there: the process dies before or after AWS has
applied it, the answer is lost, AWS refuses, or something else happens first.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber


class Died(BaseException):
    """The process is gone: no handler of ours may see it."""


class Fault(StrEnum):
    """What happens to one call."""

    DIE_BEFORE = "the process dies before the call"
    DIE_AFTER = "the process dies after AWS applied the call"
    LOST_REQUEST = "the connection breaks before AWS got the request"
    LOST_ANSWER = "AWS applies the call and the answer is lost"
    THROTTLED = "AWS throttles"
    CONFLICT = "another transaction is under way on the item"
    BROKEN = "AWS answers 500 although it applied the call"


_CODES = {
    Fault.THROTTLED: "ProvisionedThroughputExceededException",
    Fault.CONFLICT: "TransactionConflictException",
}
_BOTOCORE_RETRIES = {"ProvisionedThroughputExceededException", "InternalServerError"}
_REASONS = {
    "ProvisionedThroughputExceededException": "ThrottlingError",
    "TransactionConflictException": "TransactionConflict",
}


@dataclass
class AwsFaults:
    """Faults by the number of the call, counted from 1 since `plan`; `calls` are the operations seen.

    `meanwhile` holds functions to run just before a call: what other processes do while this one is slow.
    Transactions are remembered by their ClientRequestToken, as DynamoDB does and moto does not.
    """

    client: Any
    fast: bool = True  # botocore does not really wait between its attempts
    remembers: bool = True
    calls: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    planned: dict[int, Fault] = field(default_factory=dict)
    meanwhile: dict[int, Callable[[], object]] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        events = self.client.meta.events
        service = self.client.meta.service_model.service_id.hyphenize()
        events.register_first(f"before-send.{service}", self._before)
        events.register_last("before-send", self._after)
        events.register_first(f"needs-retry.{service}", self._at_once)

    @contextmanager
    def plan(
        self,
        planned: Mapping[int, Fault] | None = None,
        meanwhile: Mapping[int, Callable[[], object]] | None = None,
    ) -> Iterator[None]:
        """Within this block calls are counted anew and fail as planned; plans nest, as processes do."""
        outer = self.calls, self.requests, self.planned, self.meanwhile
        self.calls, self.requests = [], []
        self.planned, self.meanwhile = dict(planned or {}), dict(meanwhile or {})
        try:
            yield
        finally:
            self.calls, self.requests, self.planned, self.meanwhile = outer

    def _before(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        self.calls.append(operation)
        body = request.body.decode() if isinstance(request.body, bytes) else request.body
        asked = json.loads(body) if body and body.startswith("{") else {}
        self.requests.append(asked)
        number = len(self.calls)
        fault = self.planned.get(number)
        other = self.meanwhile.pop(number, None)
        if other is not None:
            with self.plan():
                other()
        match fault:
            case Fault.DIE_BEFORE:
                raise Died
            case Fault.LOST_REQUEST:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Fault.THROTTLED | Fault.CONFLICT:
                return _instead(_refusal(request, operation, _CODES[fault]))
        token = asked.get("ClientRequestToken") if self.remembers else None
        is_known = token in self._tokens
        if fault is None:
            return _instead(_answer(request, 200, {})) if is_known else None
        if not is_known:
            applied = botocore_stubber(event_name, request)
            if token and applied is not None and applied.status_code == 200:
                self._tokens.add(token)
        if fault == Fault.DIE_AFTER:
            raise Died
        if fault == Fault.BROKEN:
            return _instead(_answer(request, 500, {"__type": "InternalServerError", "message": "broken"}))
        raise ReadTimeoutError(endpoint_url=request.url)

    def _after(self, **_: Any) -> None:
        botocore_stubber.enabled = True

    def _at_once(self, response: Any, caught_exception: Any, attempts: int, **_: Any) -> float | None:
        """botocore would wait up to seconds between its attempts; whether it tries again stays as it is."""
        broken = isinstance(caught_exception, ConnectionClosedError | ReadTimeoutError)
        refused = response is not None and response[1].get("Error", {}).get("Code") in _BOTOCORE_RETRIES
        return 0 if self.fast and (broken or refused) and attempts < 4 else None


def _instead(answer: AWSResponse) -> AWSResponse:
    """This answer and not moto's: botocore asks every handler, whatever the first one said."""
    botocore_stubber.enabled = False
    return answer


def _refusal(request: Any, operation: str, code: str) -> AWSResponse:
    if operation != "TransactWriteItems":
        return _answer(request, 400, {"__type": code, "message": code})
    reasons = [{"Code": _REASONS[code]}, {"Code": "None"}]
    cancelled = {"__type": "TransactionCanceledException", "Message": code, "CancellationReasons": reasons}
    return _answer(request, 400, cancelled)


def _answer(request: Any, status: int, body: dict[str, Any]) -> AWSResponse:
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, status, headers, MockRawResponse(json.dumps(body).encode()))
