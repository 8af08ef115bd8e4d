"""The zip's size, and each function's peak memory in a fresh process that handles one event on the stack."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bench.company import BENCH_STAGE, Company, aws_environment, draft_fields
from bench.deliveries import comments
from bench.imports import HELLO, Measured, Unpacked, probe
from bench.lambdas import http_event, queue_event, schedule_event, wake_event
from bench.report import Line, Section
from chalicelib.core.settings import resource
from chalicelib.core.timetable import Lane
from infra.local.stack import Stack
from infra.package import Package
from tests.fakes.mail_events import delay

LARGEST_ZIP_MB = 25
MOST_MEMORY_MB = 160
ROUNDS = 5
BATCH = 10  # messages that SQS gives a worker at once
DUE_AFTER = timedelta(seconds=4)  # time enough to sign a post off before it is due

# What an invocation answers when it did all of its work.
DONE: dict[str, Callable[[Any], bool]] = {
    HELLO: lambda answer: answer["statusCode"] == 200,
    "api_handler": lambda answer: answer["statusCode"] == 201,
    "dispatch_due": lambda answer: set(answer) == set(Lane),
    "publish_posts": lambda answer: answer == {"done": BATCH},
    "run_chores": lambda answer: answer == {"later": 1},
    "ingest_events": lambda answer: answer == {"done": BATCH},
    "note_bounces": lambda answer: answer == {"noted": 1},
    "ensure_rounds": lambda answer: set(answer) == {"put_back"},
    "check_dormant_accounts": lambda answer: set(answer) == {"enqueued"},
    "scan_for_lookalikes": lambda answer: set(answer) == {"begun"},
    "sample_audience": lambda answer: "sampled" in answer,
    "track_platform_changes": lambda answer: answer["sources"] > 0,
}
SCHEDULED = (
    "dispatch_due",
    "ensure_rounds",
    "check_dormant_accounts",
    "scan_for_lookalikes",
    "sample_audience",
    "track_platform_changes",
)


def zip_size(package: Package) -> Line:
    megabytes = package.zip_bytes / 2**20
    return Line("zip", f"{megabytes:.1f} MB", f"under {LARGEST_ZIP_MB} MB", megabytes < LARGEST_ZIP_MB)


def invoke_all(ours: Unpacked, hello: Unpacked, company: Company) -> dict[str, list[Measured]]:
    """Each function's first invocation, in turn, in fresh processes; they work in the bench stage."""
    environment = lambda_environment(company.stack)
    taken: dict[str, list[Measured]] = {name: [] for name in (HELLO, *ours.handlers)}
    token = company.token(company.author)
    for n in range(ROUNDS):
        variants = _due_variants(company)
        events = {
            HELLO: http_event("GET", "/", "", {}),
            "api_handler": _draft(company, token),
            "publish_posts": wake_event(Lane.PUBLISH, variants),
            "run_chores": wake_event(Lane.CHORES, [_asking(company)]),
            "ingest_events": queue_event("inbound", comments(BATCH * n, BATCH).queued()),
            "note_bounces": queue_event("bounces", [_delay(company)]),
            **{name: schedule_event() for name in SCHEDULED},
        }
        for name in taken:
            done = probe(hello if name == HELLO else ours, name, environment, events[name])
            if not DONE[name](done["answer"]):
                raise RuntimeError(f"{name} did not do its work: {done['answer']}")
            taken[name].append(done)
    return taken


def lambda_environment(stack: Stack) -> dict[str, str]:
    """What a function of the bench stage finds around it."""
    return {
        **aws_environment(stack),
        "PATH": os.environ.get("PATH", ""),
        "SIGNALBOX_STAGE": BENCH_STAGE,
        "HELLO_TABLE": resource("timetable", BENCH_STAGE),
        "HELLO_QUEUE": resource("inbound", BENCH_STAGE),
    }


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
    return http_event("POST", "/v1/posts", body, {"Authorization": f"Bearer {token}"})


def _delay(company: Company) -> str:
    """News of a mail that is late, which counts anew each time."""
    services = company.services
    return delay(services.org.person(company.lead.person_id).email, services.clock.now())


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
