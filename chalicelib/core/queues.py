"""Wake-up calls, and records.

A wake-up call says which timetable entry to look at, and nothing else: it may be lost, late or repeated
without harm, as the worker claims the entry by a conditional write. A record is the thing itself (an event
from a platform): it must not be lost, so sending it raises unless SQS took it.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib.core.errors import Busy
from chalicelib.core.settings import Settings

MAX_DELAY_FOR = 900  # seconds; the most that SQS accepts as DelaySeconds
MAX_BATCH_BYTES = 256_000  # SQS takes 262,144 in one call, one message or ten


class Queues:
    """The stage's queues: the lanes `publish` and `chores`, and `inbound` for records."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._urls: dict[str, str] = {}

    def wake(self, lane: str, wakes: Iterable[tuple[str, int]]) -> int:
        """Send (entry id, delay in whole seconds) pairs, ten to a call; returns how many SQS took."""
        pending = list(wakes)
        taken = 0
        for start in range(0, len(pending), 10):
            batch = [
                {
                    "Id": str(n),
                    "MessageBody": json.dumps({"entry": entry_id}),
                    "DelaySeconds": max(0, min(delay, MAX_DELAY_FOR)),
                }
                for n, (entry_id, delay) in enumerate(pending[start : start + 10])
            ]
            answer = self._client.send_message_batch(QueueUrl=self._url(lane), Entries=batch)
            taken += len(answer.get("Successful", []))
        return taken

    def send(self, queue: str, bodies: Iterable[str]) -> int:
        """Send records, as many to a call as SQS takes, and return the calls made; Busy unless all are in.

        Repeating it after an error may send some twice. Raises ValueError for a body over MAX_BATCH_BYTES.
        """
        calls = 0
        for batch in _batches(bodies):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(batch)]
            answer = self._client.send_message_batch(QueueUrl=self._url(queue), Entries=entries)
            calls += 1
            if len(answer.get("Successful", [])) < len(batch):
                raise Busy("the queue did not take everything; try again")
        return calls

    def delete(self, lane: str, receipt_handles: list[str]) -> None:
        """Delete messages that are done with, before a batch with failures is handed back."""
        for start in range(0, len(receipt_handles), 10):
            part = receipt_handles[start : start + 10]
            entries = [{"Id": str(n), "ReceiptHandle": h} for n, h in enumerate(part)]
            self._client.delete_message_batch(QueueUrl=self._url(lane), Entries=entries)

    def redrive(self, queue: str) -> int:
        """Move what is in a queue's dead letters back to the queue, and return how many.

        A message is deleted there only once it is here: a crash between the two leaves it in both.
        """
        dead, moved = f"{queue}-dlq", 0
        while True:
            got = self._client.receive_message(
                QueueUrl=self._url(dead), MaxNumberOfMessages=10, WaitTimeSeconds=1
            ).get("Messages", [])
            if not got:
                return moved
            self.send(queue, [message["Body"] for message in got])
            self.delete(dead, [message["ReceiptHandle"] for message in got])
            moved += len(got)

    def _url(self, lane: str) -> str:
        if lane not in self._urls:
            name = self._settings.queue(lane)
            self._urls[lane] = self._client.get_queue_url(QueueName=name)["QueueUrl"]
        return self._urls[lane]


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    """At most ten bodies to a batch, and at most MAX_BATCH_BYTES."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        weight = len(body.encode())
        if weight > MAX_BATCH_BYTES:
            raise ValueError(f"a record of {weight} bytes; the most is {MAX_BATCH_BYTES}")
        if batch and (len(batch) == 10 or size + weight > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += weight
    if batch:
        yield batch
