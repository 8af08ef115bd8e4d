"""10,000 mixed events through the deployed door to the inbox: what is there in the end, and how soon.

When a message is visible is read from a stream on the inbox table, switched on for the bench: it shows a row
once its transaction is committed. A reader asks for what is new ten times a second.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread
from typing import Any

from bench.company import Company
from bench.crowd import DUPLICATES, EDITED, REMOVED, WRITTEN, Crowd, Event
from bench.deliveries import CLIENTS, Answered, Delivery, post_all
from bench.report import Line, Section
from bench.wave import percentile
from chalicelib.core.database import decode_item
from chalicelib.core.settings import resource

EVENTS = 10_000
CALM, CALM_EVERY = 100, 0.2  # deliveries of one event each, and the seconds between them
WARM_UP = 50
LOOKED_EVERY = 0.1
GIVE_UP_FOR = 600.0
TRIES = 5  # a platform, too, sends again what was not answered by 200


class Watch:
    """Notes when each message's row is first there; a thread of its own between `with` and its end."""

    def __init__(self, company: Company) -> None:
        self.seen_at: dict[str, float] = {}
        table = resource("inbox", company.stack.stage)
        company.cloud.dynamodb.update_table(
            TableName=table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        )
        arn = company.cloud.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._streams = company.stack.client("dynamodbstreams")
        (shard,) = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._next = self._streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        self._over = Flag()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            answer = self._streams.get_records(ShardIterator=self._next)
            self._next, at = answer["NextShardIterator"], time.time()
            for record in answer["Records"]:
                kind, _, rest = record["dynamodb"]["Keys"]["sk"]["S"].partition("#")
                if kind == "message" and rest:
                    self.seen_at.setdefault(rest.partition("#")[2], at)
            if not answer["Records"]:
                time.sleep(LOOKED_EVERY)


@dataclass(frozen=True)
class Rows:
    """What stands in the inbox: the messages by the platform's id, and how many were counted as new."""

    messages: dict[str, list[dict[str, Any]]]
    counted: int


def measure(company: Company) -> Section:
    """`company` is where the functions are deployed, with its accounts connected."""
    section = Section(
        "From the door to the inbox",
        f"{EVENTS:,} different events of Facebook, LinkedIn, WhatsApp and X (comments, messages, replies, "
        f"our own answers, edits, deletions), out of order, and {DUPLICATES:.0%} of all that is told was "
        "told before; posted as fast as the deployed door takes them, and taken in by the deployed worker "
        "meanwhile. In the end every event is looked for in the table: its message's row, the edit's text, "
        "or that the text is gone. Doubled are second rows of a message, and messages that the numbers "
        "counted twice. Visible after: from the first 200 for a message until a stream on the inbox table, "
        "read ten times a second, shows its row.",
    )
    crowd = Crowd(company.services.clock.now())
    with Watch(company) as watch:
        _post(company, crowd.deliveries(crowd.events(WARM_UP)))
        _settle(company)
        calm = crowd.events(CALM)
        answered = _post(company, _calmly(crowd, calm), clients=2)
        _settle(company)
        half, most = _lags(watch, answered)
        section.lines.append(
            Line("in calm hours: visible after, p50 and p99", f"{half:.2f} s and {most:.2f} s")
        )
        section.data["calm"] = {"p50": half, "p99": most}
        _flood(section, company, crowd, watch)
    return section


def _flood(section: Section, company: Company, crowd: Crowd, watch: Watch) -> None:
    events = crowd.events(EVENTS)
    told = crowd.told(events)
    started = time.time()
    answered = _post(company, list(crowd.deliveries(told)))
    posted_for = time.time() - started
    _settle(company)
    drained_for = time.time() - started
    half, most = _lags(watch, answered)
    rows = _rows(company)
    there = sum(1 for event in events if _is_there(event, rows))
    messages = {event.said.external_id for event in events if event.what == WRITTEN}
    stored = sum(1 for external_id in messages if external_id in rows.messages)
    customers = sum(1 for found in rows.messages.values() if not found[0]["own"])
    second_rows = sum(len(found) - 1 for found in rows.messages.values())
    doubled, lost = max(second_rows, rows.counted - customers), len(events) - there
    dead = _waiting(company, "inbound-dlq")
    found = (there, doubled, lost)
    section.lines[:0] = [
        Line(
            f"of {EVENTS:,} events: in the inbox, doubled, lost", ", ".join(f"{n:,}" for n in found),
            f"{EVENTS:,}, 0, 0", found == (EVENTS, 0, 0), f"{dead} dead letters" if dead else "",
        ),
        Line(
            "rows of the messages among them", f"{stored:,}", f"{len(messages):,}", stored == len(messages)
        ),
        Line(
            "customers' messages that the numbers counted, all in all", f"{rows.counted:,}",
            f"{customers:,}", rows.counted == customers,
        ),
        Line("told in all, in deliveries", f"{len(told):,} in {len({a.delivery for a in answered}):,}"),
        Line("all answered by 200 after", f"{posted_for:.0f} s"),
        Line("all taken in after", f"{drained_for:.0f} s: {len(told) / drained_for:.0f} a second"),
        Line("visible after, p50 and p99", f"{half:.1f} s and {most:.1f} s"),
    ]  # fmt: skip
    section.data["flood"] = {
        "told": len(told), "in_the_inbox": there, "doubled": doubled, "lost": lost, "messages": len(messages),
        "rows": stored, "customers": customers, "counted": rows.counted, "dead_letters": dead,
        "posted_for": posted_for, "drained_for": drained_for, "p50": half, "p99": most,
        "of_each": dict(Counter(f"{event.said.platform} {event.what}" for event in told)),
    }  # fmt: skip


def _calmly(crowd: Crowd, events: list[Event]) -> Iterator[Delivery]:
    due_at = time.time()
    for event in events:
        time.sleep(max(0.0, due_at - time.time()))
        yield from crowd.deliveries([event])
        due_at += CALM_EVERY


def _post(company: Company, deliveries: Iterable[Delivery], clients: int = CLIENTS) -> list[Answered]:
    """Every delivery's 200; what got none is sent again. Raises RuntimeError when the door never takes it."""
    taken: list[Answered] = []
    for _ in range(TRIES):
        answered = post_all(company.stack.api_url, deliveries, clients)
        taken += [one for one in answered if one.status == 200]
        refused = [one for one in answered if one.status != 200]
        if not refused:
            return taken
        deliveries = [one.delivery for one in refused]
        time.sleep(1)
    raise RuntimeError(f"the door did not take {len(refused)} deliveries: {refused[0].status}")


def _settle(company: Company) -> None:
    """Until nothing is on the queue or in a worker's hands. Raises RuntimeError when that never happens."""
    until = time.monotonic() + GIVE_UP_FOR
    empty = 0
    while empty < 3:
        if time.monotonic() > until:
            raise RuntimeError(f"the inbound queue was not empty after {GIVE_UP_FOR:.0f} s")
        empty = 0 if _waiting(company, "inbound") else empty + 1
        time.sleep(0.2)


def _waiting(company: Company, queue: str) -> int:
    """How many messages are on a queue, those that a worker has included."""
    sqs = company.cloud.sqs
    url = sqs.get_queue_url(QueueName=resource(queue, company.stack.stage))["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def _lags(watch: Watch, answered: list[Answered]) -> tuple[float, float]:
    """p50 and p99 of the seconds from a message's first 200 to its row."""
    first: dict[str, float] = {}
    for one in answered:
        for name in one.delivery.about:
            what, _, external_id = name.partition(" ")
            if what == WRITTEN:
                first[external_id] = min(one.answered_at, first.get(external_id, one.answered_at))
    time.sleep(3 * LOOKED_EVERY)
    lags = sorted(watch.seen_at[i] - at for i, at in first.items() if i in watch.seen_at)
    return percentile(lags, 0.5), percentile(lags, 0.99)


def _rows(company: Company) -> Rows:
    messages: dict[str, list[dict[str, Any]]] = {}
    counted = 0
    pages = company.cloud.dynamodb.get_paginator("scan").paginate(
        TableName=resource("inbox", company.stack.stage)
    )
    for item in (decode_item(item) for page in pages for item in page["Items"]):
        if item["pk"].startswith("conv#") and item["sk"].startswith("message#"):
            messages.setdefault(item["external_id"], []).append(item)
        elif item["pk"].startswith("numbers#unit#"):
            counted += sum(n for name, n in item.items() if name.startswith("volume_"))
    return Rows(messages, counted)


def _is_there(event: Event, rows: Rows) -> bool:
    row = rows.messages.get(event.said.external_id, [{}])[0]
    if event.what == EDITED:
        return bool(row.get("text") == event.said.text)
    if event.what == REMOVED:
        return "deleted_at" in row and not row.get("text")
    return bool(row)
