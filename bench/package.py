"""The zip's size, and each function's peak memory in a fresh process that handles one event on the stack."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bench.company import BENCH_STAGE, Company, aws_environment, draft_fields
from bench.imports import HELLO, Measured, Unpacked, probe
from bench.report import Line, Section
from chalicelib.core.timetable import Lane
from infra.package import Package

LARGEST_ZIP_MB = 25
MOST_MEMORY_MB = 160
ROUNDS = 5
BATCH = 10  # messages that SQS gives publish_posts at once
DUE_AFTER = timedelta(seconds=4)  # time enough to sign a post off before it is due

# What an invocation answers when it did all of its work.
DONE: dict[str, Callable[[Any], bool]] = {
    HELLO: lambda answer: answer["statusCode"] == 200,
    "api_handler": lambda answer: answer["statusCode"] == 201,
    "dispatch_due": lambda answer: set(answer) == set(Lane),
    "publish_posts": lambda answer: answer == {"done": BATCH},
    "run_chores": lambda answer: answer == {"later": 1},
}


def zip_size(package: Package) -> Line:
    megabytes = package.zip_bytes / 2**20
    return Line("zip", f"{megabytes:.1f} MB", f"under {LARGEST_ZIP_MB} MB", megabytes < LARGEST_ZIP_MB)


def invoke_all(ours: Unpacked, hello: Unpacked, company: Company) -> dict[str, list[Measured]]:
    """Each function's first invocation, in turn, in fresh processes; they work in the bench stage."""
    environment = {
        **aws_environment(company.stack),
        "PATH": os.environ.get("PATH", ""),
        "SIGNALBOX_STAGE": BENCH_STAGE,
        "HELLO_TABLE": f"signalbox-{BENCH_STAGE}-timetable",
    }
    taken: dict[str, list[Measured]] = {name: [] for name in (HELLO, *ours.handlers)}
    token = company.token(company.author)
    for _ in range(ROUNDS):
        variants = _due_variants(company)
        events = {
            HELLO: _http("GET", "/", "", {}),
            "api_handler": _draft(company, token),
            "dispatch_due": _tick(),
            "publish_posts": _messages(variants),
            "run_chores": _messages([_asking(company)]),
        }
        for name in taken:
            done = probe(hello if name == HELLO else ours, name, environment, events[name])
            if not DONE[name](done["answer"]):
                raise RuntimeError(f"{name} did not do its work: {done['answer']}")
            taken[name].append(done)
    return taken


def measure(package: Package, taken: dict[str, list[Measured]]) -> Section:
    section = Section(
        "Package and memory",
        "Peak resident memory of a fresh process that imports the handler and handles one event on the "
        f"stack, the most of {ROUNDS}: the events of the section before, {BATCH} variants published side by "
        "side. They have no pictures, which would come on top at their own size.",
        [zip_size(package)],
    )
    section.data["zip_bytes"] = package.zip_bytes
    for name, rounds in taken.items():
        megabytes = max(one["peak"] for one in rounds) / 2**20
        section.data[name] = round(megabytes, 1)
        if name == HELLO:
            section.lines.append(Line(name, f"{megabytes:.0f} MB"))
            continue
        met = megabytes < MOST_MEMORY_MB
        section.lines.append(Line(name, f"{megabytes:.0f} MB", f"under {MOST_MEMORY_MB} MB", met))
    return section


def _draft(company: Company, token: str) -> dict[str, Any]:
    publish_at = company.services.clock.now() + timedelta(hours=1)
    fields = draft_fields(company.accounts[:4], "Zapalamy światła! 💡 #zorza", publish_at)
    body = json.dumps({**fields, "publish_at": publish_at.isoformat()})
    return _http("POST", "/v1/posts", body, {"Authorization": f"Bearer {token}"})


def _due_variants(company: Company) -> list[str]:
    """Ten variants that are due; nothing but the process that is measured will touch them."""
    clock = company.services.clock
    due_at = clock.now() + DUE_AFTER
    post = company.signed(company.accounts[:BATCH], f"Światło {due_at.isoformat()}", due_at)
    clock.sleep((due_at - clock.now()).total_seconds())
    return [f"publish#{post.post_id}~{account_id}" for account_id in post.targets]


def _asking(company: Company) -> str:
    services = company.services
    post = company.draft(company.accounts[:4], "Zapalamy światła!", services.clock.now() + timedelta(hours=1))
    post = services.posts.submit(company.author, post.post_id)
    return f"ask_approvers#{post.request_id}"


def _messages(entry_ids: list[str]) -> dict[str, Any]:
    def record(n: int, entry_id: str) -> dict[str, Any]:
        return {
            "messageId": str(n),
            "receiptHandle": str(n),
            "body": json.dumps({"entry": entry_id}),
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-central-1:000000000000:signalbox-{BENCH_STAGE}-{Lane.PUBLISH}",
            "awsRegion": "eu-central-1",
        }

    return {"Records": [record(n, entry_id) for n, entry_id in enumerate(entry_ids)]}


def _tick() -> dict[str, Any]:
    return {
        "version": "0",
        "id": "bench",
        "account": "000000000000",
        "region": "eu-central-1",
        "detail": {},
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": "2026-01-01T00:00:00Z",
        "resources": [],
    }


def _http(method: str, path: str, body: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", **headers},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"resourcePath": path, "httpMethod": method, "requestId": "bench", "identity": {}},
        "body": body,
        "isBase64Encoded": False,
    }
