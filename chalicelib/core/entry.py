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
from functools import wraps
from typing import Any

from chalicelib.core import log as logs
from chalicelib.core.errors import SignalboxError

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
    lane: str, parallel: int = 1, delete: Callable[[str, list[str]], None] | None = None
) -> Callable[[Callable[[list[str]], Callable[[str], str]]], Callable[..., dict[str, int]]]:
    """A queue's worker. The function takes the batch's entry ids (to prepare) and returns what runs one.

    Messages of a batch run side by side in `parallel` threads: they wait on platforms, not on the CPU, and a
    slow one must not make the others late. Chalice cannot switch on partial batch answers, so when some
    fail the others are deleted here and the call raises BatchFailed.
    """

    def decorate(function: Callable[[list[str]], Callable[[str], str]]) -> Callable[..., dict[str, int]]:
        @wraps(function)
        def run(event: Any) -> dict[str, int]:
            logger = logs.logger()
            logger.set_correlation_id(_request_id(event))
            records = event.to_dict()["Records"]
            log.info("worker starts", extra={"worker": function.__name__, "messages": len(records)})
            ids, failed = _read(records)
            results: list[str] = []
            try:
                run_one = function(list(ids.values()))
                with ThreadPoolExecutor(max_workers=max(1, min(parallel, len(ids)))) as pool:
                    results = list(pool.map(lambda entry_id: _attempt(run_one, entry_id), ids.values()))
            finally:
                logs.flush()
                outcomes = dict(Counter(results))
                log.info("worker ends", extra={"worker": function.__name__, "outcomes": outcomes})
            done: list[str] = []
            for handle, outcome in zip(ids, results, strict=True):
                (failed if outcome == "raised" else done).append(handle)
            if failed:
                if delete is not None and done:
                    delete(lane, done)
                raise BatchFailed(f"{len(failed)} of {len(records)} messages could not be handled")
            return outcomes

        return run

    return decorate


def record_worker(
    queue: str, parallel: int = 1, delete: Callable[[str, list[str]], None] | None = None
) -> Callable[[Callable[[], Callable[[str], str]]], Callable[..., dict[str, int]]]:
    """A worker for a queue whose messages are the records themselves (core/queues.py).

    The function returns what takes one body and says how it ended. A body that raises stays on the queue,
    whole, and reaches the dead-letter queue after four times; the others of its batch are deleted.
    """

    def decorate(function: Callable[[], Callable[[str], str]]) -> Callable[..., dict[str, int]]:
        @wraps(function)
        def run(event: Any) -> dict[str, int]:
            logger = logs.logger()
            logger.set_correlation_id(_request_id(event))
            records = event.to_dict()["Records"]
            log.info("worker starts", extra={"worker": function.__name__, "messages": len(records)})
            results: list[str] = []
            try:
                take = function()
                with ThreadPoolExecutor(max_workers=max(1, min(parallel, len(records)))) as pool:
                    results = list(pool.map(lambda record: _take(take, record), records))
            finally:
                logs.flush()
                outcomes = dict(Counter(results))
                log.info("worker ends", extra={"worker": function.__name__, "outcomes": outcomes})
            handles = [record["receiptHandle"] for record in records]
            done = [h for h, r in zip(handles, results, strict=True) if r != "raised"]
            if len(done) < len(records):
                if delete is not None and done:
                    delete(queue, done)
                raise BatchFailed(f"{len(records) - len(done)} of {len(records)} records could not be taken")
            return outcomes

        return run

    return decorate


def _take(take: Callable[[str], str], record: dict[str, Any]) -> str:
    try:
        return take(record["body"])
    except Exception:
        log.exception("a record could not be taken", extra={"message_id": record.get("messageId")})
        return "raised"


def _read(records: list[dict[str, Any]]) -> tuple[dict[str, str], list[str]]:
    """Entry ids by receipt handle, and the handles of messages that are not wake-up calls."""
    ids: dict[str, str] = {}
    unreadable: list[str] = []
    for record in records:
        try:
            entry_id = json.loads(record["body"])["entry"]
        except (ValueError, KeyError, TypeError, RecursionError):
            entry_id = None
        if isinstance(entry_id, str) and entry_id:
            ids[record["receiptHandle"]] = entry_id
        else:
            log.error("a message is not a wake-up call", extra={"message_id": record.get("messageId")})
            unreadable.append(record["receiptHandle"])
    return ids, unreadable


def _attempt(run_one: Callable[[str], str], entry_id: str) -> str:
    try:
        return run_one(entry_id)
    except Exception:
        log.exception("entry could not be handled", extra={"entry": entry_id})
        return "raised"


def _request_id(event: Any) -> str:
    return getattr(getattr(event, "context", None), "aws_request_id", None) or "local"
