"""What Signalbox would do over hours, done now: functions called, the timetable's entries brought forward.

For a stack on this machine, as its root. The entries, and what works on them, are what they would be; only
their time is another one.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.database import decode_item, encode_item
from chalicelib.core.records import from_item
from chalicelib.core.timetable import Entry, due_shard

_LOOKED_EVERY = 0.3
# https://docs.aws.amazon.com/eventbridge/latest/ref/overview-event-structure.html
_TICK = {
    "version": "0", "id": "now", "detail-type": "Scheduled Event", "source": "aws.events", "account": "",
    "region": "", "time": "", "resources": [], "detail": {},
}  # fmt: skip
Wanted = Callable[[Entry], bool]


def invoke(stack: Any, function: str) -> dict[str, Any]:
    """Call a scheduled function as its rule would, for its answer. Raises RuntimeError when it fails."""
    answer = stack.client("lambda").invoke(
        FunctionName=f"signalbox-{stack.stage}-{function}",
        Payload=json.dumps(_TICK),
    )
    said: dict[str, Any] = json.loads(answer["Payload"].read() or b"{}")
    if "FunctionError" in answer:
        raise RuntimeError(f"{function} failed: {said}")
    return said


def entries(stack: Any, prefix: str) -> list[Entry]:
    """The entries whose ids begin so, done or not."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(
        TableName=_table(stack), FilterExpression="begins_with(entry_id, :p)",
        ExpressionAttributeValues={":p": {"S": prefix}}, ConsistentRead=True,
    )  # fmt: skip
    return [from_item(Entry, decode_item(item)) for page in pages for item in page["Items"]]


def hurry(stack: Any, prefix: str, again: bool = False, wanted: Wanted = lambda entry: True) -> int:
    """Have the entries whose ids begin so worked on now; `again`: those that are done, too.

    Returns how many were brought forward. What somebody works on is left alone.
    """
    known = [e for e in entries(stack, prefix) if e.owner is None and e.parked_at is None and wanted(e)]
    late = [entry for entry in known if again or entry.done_at is None]
    now = to_text(datetime.now(UTC))
    for entry in late:
        values = {":n": now, ":s": due_shard(entry), ":f": entry.fence}
        stack.client("dynamodb").update_item(
            TableName=_table(stack),
            Key=encode_item({"entry_id": entry.entry_id}),
            UpdateExpression="SET due_at = :n, due_shard = :s, releases = :f REMOVE done_at, expires_at",
            ExpressionAttributeValues=encode_item(values),
        )
    if late:
        invoke(stack, "dispatch_due")
    return len(late)


def settle(stack: Any, prefix: str, again: bool = False, within: float = 300.0) -> int:
    """As `hurry`, until nothing of it is open, what was put off brought forward too; how many there were.

    Raises TimeoutError after `within` seconds.
    """
    until = time.monotonic() + within
    total = hurry(stack, prefix, again)
    while left := [entry for entry in entries(stack, prefix) if entry.done_at is None]:
        if time.monotonic() > until:
            raise TimeoutError(f"{len(left)} entries are still open, such as {left[0].entry_id}")
        time.sleep(_LOOKED_EVERY)
        now = datetime.now(UTC)
        if all(entry.owner is None and entry.due_at > now for entry in left):
            hurry(stack, prefix)
    return total


def rest(stack: Any, within: float = 120.0) -> None:
    """Wait until nothing is worked on and nothing due. Raises TimeoutError after `within` seconds."""
    until = time.monotonic() + within
    while busy := [e for e in entries(stack, "") if _is_at_work(e)]:
        if time.monotonic() > until:
            raise TimeoutError(f"{len(busy)} entries are still at work, such as {busy[0].entry_id}")
        time.sleep(_LOOKED_EVERY)


def _is_at_work(entry: Entry) -> bool:
    is_open = entry.done_at is None and entry.parked_at is None
    return is_open and (entry.owner is not None or entry.due_at <= datetime.now(UTC))


def _table(stack: Any) -> str:
    return f"signalbox-{stack.stage}-timetable"
