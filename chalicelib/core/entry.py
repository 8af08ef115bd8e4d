"""The decorators that jobs and workers stand behind: `@job` for schedules, `@worker` for queues.

Chalice middleware does not run for a blueprint's jobs in Lambda, and `bp.log` raises there, while its test
client runs both (aws/chalice#1566, #1615). So what must always hold is here, under Chalice's decorators.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from typing import Any

from chalicelib.core import log as logs
from chalicelib.core.errors import SignalboxError

_RAISED = "raised"
Record = dict[str, Any]
"""A message as SQS gives it to Lambda."""
Tasks = dict[str, Callable[[], str]]
"""What handles each message that can be read, by its receipt handle."""
Delete = Callable[[str, list[str]], None]
"""Deletes messages of a queue, by their receipt handles."""

log = logging.getLogger(__name__)


class BatchFailed(SignalboxError):
    """Some messages of a batch could not be handled; SQS gives those back, and after four times the DLQ."""


def job(function: Callable[[], dict[str, int]]) -> Callable[..., dict[str, int]]:
    """A scheduled job: takes nothing, returns a summary of counts; one log line at its start and its end."""

    @wraps(function)
    def run(event: Any) -> dict[str, int]:
        logger = logs.logger()
        logger.set_correlation_id(_request_id(event))
        log.info("job starts", extra={"job": function.__name__})
        started = time.monotonic()
        ending: dict[str, Any] = {"outcome": "failed"}
        try:
            summary = function()
            ending = {"outcome": "done", "summary": summary}
            return summary
        finally:
            logs.flush()
            took_for = round(time.monotonic() - started, 3)
            log.info("job ends", extra={"job": function.__name__, "took_for": took_for, **ending})

    return run


def worker(
    lane: str, parallel: int = 1, delete: Delete | None = None
) -> Callable[[Callable[[list[str]], Callable[[str], str]]], Callable[..., dict[str, int]]]:
    """A queue's worker. The function takes the batch's entry ids (to prepare) and returns what runs one."""

    def decorate(function: Callable[[list[str]], Callable[[str], str]]) -> Callable[..., dict[str, int]]:
        def begin(records: list[Record]) -> Tasks:
            ids = _entry_ids(records)
            run_one, failed = function(list(ids.values())), "entry could not be handled"
            return {h: partial(_attempt, run_one, i, failed, entry=i) for h, i in ids.items()}

        return _batches(function, begin, lane, parallel, delete)

    return decorate


def record_worker(
    queue: str, parallel: int = 1, delete: Delete | None = None
) -> Callable[[Callable[[], Callable[[str], str]]], Callable[..., dict[str, int]]]:
    """A worker for a queue whose messages are the records themselves (core/queues.py).

    The function returns what takes one body and says how it ended. A body that raises stays on the queue,
    whole, and reaches the dead-letter queue after four times; the others of its batch are deleted.
    """

    def decorate(function: Callable[[], Callable[[str], str]]) -> Callable[..., dict[str, int]]:
        def begin(records: list[Record]) -> Tasks:
            take, failed = function(), "a record could not be taken"
            return {
                r["receiptHandle"]: partial(_attempt, take, r["body"], failed, message_id=r.get("messageId"))
                for r in records
            }

        return _batches(function, begin, queue, parallel, delete)

    return decorate


def _batches(
    function: Callable[..., Any],
    begin: Callable[[list[Record]], Tasks],
    queue: str,
    parallel: int,
    delete: Delete | None,
) -> Callable[..., dict[str, int]]:
    """What Lambda calls with a batch: `begin` makes its tasks, leaving out what cannot be read.

    They run side by side in `parallel` threads: they wait on platforms, not on the CPU, and a slow one must
    not make the others late. Chalice cannot switch on partial batch answers, so when some fail the others are
    deleted here and the call raises BatchFailed.
    """

    @wraps(function)
    def run(event: Any) -> dict[str, int]:
        logger = logs.logger()
        logger.set_correlation_id(_request_id(event))
        records = event.to_dict()["Records"]
        log.info("worker starts", extra={"worker": function.__name__, "messages": len(records)})
        results: list[str] = []
        try:
            tasks = begin(records)
            with ThreadPoolExecutor(max_workers=max(1, min(parallel, len(tasks)))) as pool:
                results = list(pool.map(lambda task: task(), tasks.values()))
        finally:
            logs.flush()
            outcomes = dict(Counter(results))
            log.info("worker ends", extra={"worker": function.__name__, "outcomes": outcomes})
        done = [handle for handle, result in zip(tasks, results, strict=True) if result != _RAISED]
        failed = len(records) - len(done)
        if failed:
            if delete is not None and done:
                delete(queue, done)
            raise BatchFailed(f"{failed} of {len(records)} messages could not be handled")
        return outcomes

    return run


def _entry_ids(records: list[Record]) -> dict[str, str]:
    """Entry ids by receipt handle, of those messages that are wake-up calls."""
    ids: dict[str, str] = {}
    for record in records:
        try:
            entry_id = json.loads(record["body"])["entry"]
        except (ValueError, KeyError, TypeError, RecursionError):
            entry_id = None
        if isinstance(entry_id, str) and entry_id:
            ids[record["receiptHandle"]] = entry_id
        else:
            log.error("a message is not a wake-up call", extra={"message_id": record.get("messageId")})
    return ids


def _attempt(take: Callable[[str], str], said: str, failed: str, **about: Any) -> str:
    try:
        return take(said)
    except Exception:
        log.exception(failed, extra=about)
        return _RAISED


def _request_id(event: Any) -> str:
    return getattr(getattr(event, "context", None), "aws_request_id", None) or "local"
