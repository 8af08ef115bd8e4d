"""The inbound door: deliveries per second as deployed, and what one costs in CPU time and AWS calls."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

from chalice.test import Client

import app
from bench.company import Company
from bench.deliveries import CLIENTS, Delivery, comments, post_all
from bench.imports import BARE, KEEPING, Unpacked, probe
from bench.lambdas import http_event
from bench.package import lambda_environment
from bench.recorder import Recorder
from bench.report import Line, Section
from bench.wave import percentile
from chalicelib import wiring
from chalicelib.core.clock import FixedClock
from chalicelib.core.settings import resource

SIZE = 2000  # bytes of a delivery: one comment
KNOCKS_FOR = 10.0  # seconds
WARM_UP = 40
CALLS, PROCESSES = 200, 5
MOST_ADDED_MS = 2.0
BATCHES = {1: 1, 10: 1, 25: 3}  # events in a delivery, and the AWS calls that they may take


def measure(everybody: Company, company: Company, ours: Unpacked, hello: Unpacked) -> Section:
    """`everybody` is where the functions are deployed, `company` where nothing but the bench runs."""
    section = Section(
        "The inbound door",
        f"Signed Facebook comments of {SIZE:,} bytes. Deliveries a second: {CLIENTS} clients post to the "
        f"deployed API for {KNOCKS_FOR:g} s while nothing reads the queue behind it; they, MiniStack and the "
        "functions share this machine's cores. CPU: process time of a warm call of the packaged handler, "
        f"its SQS call included, over {CALLS} calls in a fresh process, best of {PROCESSES} in turn with a "
        "bare Chalice route that reads the same event's body and answers 200. AWS calls: all that the app "
        "makes for one warm delivery.",
    )
    _knock(section, everybody)
    _cpu(section, company, ours, hello)
    _calls(section, company)
    return section


def _knock(section: Section, everybody: Company) -> None:
    url, delivery = everybody.stack.api_url, comments(1, 1, SIZE)
    with queue_unread(everybody):
        post_all(url, [delivery] * WARM_UP)
        started = time.time()
        answered = post_all(url, _until(started + KNOCKS_FOR, delivery))
        took_for = max(one.answered_at for one in answered) - started
    taken = [one for one in answered if one.status == 200]
    answers = sorted(one.answered_at - one.sent_at for one in taken)
    half, most = percentile(answers, 0.5), percentile(answers, 0.99)
    section.lines += [
        Line("deliveries a second", f"{len(taken) / took_for:.0f}"),
        Line("answered after: p50 and p99", f"{1000 * half:.0f} ms and {1000 * most:.0f} ms"),
        Line(
            "answered with other than 200", f"{len(answered) - len(taken)}", "0", len(answered) == len(taken)
        ),
    ]
    section.data |= {"a_second": len(taken) / took_for, "p50": half, "p99": most, "answered": len(answered)}


def _until(end_at: float, delivery: Delivery) -> Iterator[Delivery]:
    for one in cycle([delivery]):
        if time.time() >= end_at:
            return
        yield one


@contextmanager
def queue_unread(company: Company) -> Iterator[None]:
    """Nothing reads the inbound queue meanwhile, and what came in is thrown away."""
    client = company.stack.client("lambda")
    (mapping,) = client.list_event_source_mappings(
        FunctionName=resource("ingest_events", company.stack.stage)
    )["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        queue = company.cloud.sqs.get_queue_url(QueueName=resource("inbound", company.stack.stage))[
            "QueueUrl"
        ]
        company.cloud.sqs.purge_queue(QueueUrl=queue)
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def _cpu(section: Section, company: Company, ours: Unpacked, hello: Unpacked) -> None:
    delivery = comments(1, 1, SIZE)
    event = http_event(
        "POST", "/webhooks/{platform}", delivery.body.decode(), delivery.headers, {"platform": "facebook"}
    )
    environment = lambda_environment(company.stack)
    places = ((ours, "api_handler"), (hello, BARE), (hello, KEEPING))
    each: dict[str, list[float]] = {name: [] for _, name in places}
    for _ in range(PROCESSES):
        for unpacked, name in places:
            done = probe(unpacked, name, environment, event, CALLS)
            if done["answer"]["statusCode"] != 200:
                raise RuntimeError(f"{name} did not take the delivery: {done['answer']}")
            each[name].append(1000 * done["each"])
    door, bare, keeping = (min(each[name]) for _, name in places)
    added = door - bare
    section.lines += [
        Line("CPU of a delivery, and of the bare route", f"{door:.2f} ms and {bare:.2f} ms"),
        Line("CPU of a route that only puts the body on the queue", f"{keeping:.2f} ms"),
        Line("CPU added", f"{added:.2f} ms", f"at most {MOST_ADDED_MS:g} ms", added <= MOST_ADDED_MS),
        Line("CPU of a delivery in the slowest of the processes", f"{max(each['api_handler']):.2f} ms"),
    ]
    section.data |= {"cpu_ms": each}


def _calls(section: Section, company: Company) -> None:
    there = company.at(FixedClock(company.services.clock.now()))
    recorder = Recorder(there.cloud, company.stack.client("dynamodb"))
    wiring.use(there.services)
    try:
        with Client(app.app) as client:
            _take(client, comments(1, 1, SIZE))
            for events in BATCHES:
                with recorder.during(str(events)):
                    _take(client, comments(1, events))
    finally:
        wiring.use(None)
    made = [len(recorder.of(str(events))) for events in BATCHES]
    wanted = list(BATCHES.values())
    section.lines.append(
        Line(
            f"AWS calls of a delivery of {_listed(BATCHES)} events", _listed(made),
            f"at most {_listed(wanted)}", all(n <= most for n, most in zip(made, wanted, strict=True)),
        )
    )  # fmt: skip
    section.data["calls"] = [f"{one.service} {one.operation}" for one in recorder.of(*map(str, BATCHES))]


def _take(client: Client, delivery: Delivery) -> None:
    answer = client.http.post(delivery.path, headers=delivery.headers, body=delivery.body)
    if answer.status_code != 200:
        raise RuntimeError(f"the door answered {answer.status_code}: {answer.body!r}")


def _listed(numbers: Any) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} and {last}"
