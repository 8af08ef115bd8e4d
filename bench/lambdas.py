"""Events as AWS hands them to a function: a request, messages of a queue, a tick of a schedule."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bench.company import BENCH_STAGE

REGION, ACCOUNT = "eu-central-1", "000000000000"


def http_event(
    method: str,
    path: str,
    body: str,
    headers: Mapping[str, str],
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A request as API Gateway passes it on; `path` is the route, and `parameters` what stands in it."""
    return {
        "resource": path,
        "path": path.format(**parameters or {}),
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", **headers},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": dict(parameters) if parameters else None,
        "stageVariables": None,
        "requestContext": {"resourcePath": path, "httpMethod": method, "requestId": "bench", "identity": {}},
        "body": body,
        "isBase64Encoded": False,
    }


def wake_event(lane: str, entry_ids: Iterable[str]) -> dict[str, Any]:
    """Wake-up calls for timetable entries."""
    return queue_event(lane, (json.dumps({"entry": entry_id}) for entry_id in entry_ids))


def queue_event(queue: str, bodies: Iterable[str]) -> dict[str, Any]:
    """A batch of a queue's messages."""

    def record(n: int, body: str) -> dict[str, Any]:
        return {
            "messageId": str(n),
            "receiptHandle": str(n),
            "body": body,
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:signalbox-{BENCH_STAGE}-{queue}",
            "awsRegion": REGION,
        }

    return {"Records": [record(n, body) for n, body in enumerate(bodies)]}


def schedule_event() -> dict[str, Any]:
    return {
        "version": "0",
        "id": "bench",
        "account": ACCOUNT,
        "region": REGION,
        "detail": {},
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": "2026-01-01T00:00:00Z",
        "resources": [],
    }
