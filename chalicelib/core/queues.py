"""Wake-up calls: a message says which timetable entry to look at, and nothing else.

A message may be lost, late or repeated without harm: the worker claims the entry by a conditional write.
"""

import json
from collections.abc import Iterable
from typing import Any

from chalicelib.core.settings import Settings

MAX_DELAY_FOR = 900  # seconds; the most that SQS accepts as DelaySeconds


class Queues:
    """The stage's queues by lane: `publish` and `chores`."""

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

    def delete(self, lane: str, receipt_handles: list[str]) -> None:
        """Delete messages that are done with, before a batch with failures is handed back."""
        for start in range(0, len(receipt_handles), 10):
            part = receipt_handles[start : start + 10]
            entries = [{"Id": str(n), "ReceiptHandle": h} for n, h in enumerate(part)]
            self._client.delete_message_batch(QueueUrl=self._url(lane), Entries=entries)

    def _url(self, lane: str) -> str:
        if lane not in self._urls:
            name = self._settings.queue(lane)
            self._urls[lane] = self._client.get_queue_url(QueueName=name)["QueueUrl"]
        return self._urls[lane]
