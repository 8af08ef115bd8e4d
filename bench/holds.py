"""A hold in the middle of 1,000 due variants: when the last one began, and whether its receipt adds up.

The order is that of the commits: a stream on the history table, switched on for the bench, lists every row
in the order in which its transaction was committed, here in one shard. The hold's own row and each
`publishing begun` are rows of that table, written in the very transactions that set the hold and that begin.
"""

import time
from datetime import UTC, datetime
from typing import Any

from bench.company import Company
from bench.report import Line, Section
from bench.storm import GIVE_UP_FOR, MANY, set_up
from bench.wave import Wave, created, wait_for
from infra.local.api import Api, fetch_json

HELD_TAG = "held"
HALF_WAY = 400  # posts on the platform when the hold is set; some hundred more are on their way then
COUNTED_FOR = 240.0


def _start_stream(company: Company) -> None:
    """Have the history table list its rows in the order of their commits, from now on."""
    company.cloud.dynamodb.update_table(
        TableName=company.services.settings.table("history"),
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )


def measure(company: Company) -> Section:
    section = Section(
        "A hold in the storm",
        f"{MANY:,} variants are due in the same second; when the platform has {HALF_WAY} of them, a lead "
        "sets a hold by POST /v1/holds. Whether one began after it is read from a stream on the history "
        "table: it has the hold's row and every `publishing begun` in the order of their commits (one shard "
        "here). On AWS the transactions themselves keep that order: a begin checks the epoch of a gate row "
        "that the hold's transaction moves, so of the two the later one is refused.",
    )
    wave = set_up(company, "held", HELD_TAG)
    _start_stream(company)
    api = Api(company.stack.api_url, company.token(company.lead))
    _wait_until_due(wave)
    api.get("/v1/holds")  # a warm function, as in any busy hour
    wait_for(company.stack, wave, HALF_WAY, GIVE_UP_FOR)
    mails = _mails(company)
    asked = time.monotonic()
    api.get("/v1/holds")
    listed_for = time.monotonic() - asked
    asked = time.monotonic()
    hold = api.post("/v1/holds", {"scope": "tag", "value": HELD_TAG, "reason": "A drill"})
    answered_for, answered_at = time.monotonic() - asked, datetime.now(UTC)
    receipt = _counted(api, hold["hold_id"])
    counted_for = (datetime.now(UTC) - answered_at).total_seconds()
    rows = _committed(company)
    begun_before, begun_after = _begun(rows, wave, f"hold#{hold['hold_id']}")
    made = created(company.stack) - wave.before
    on_platform = sum(made[handle] for handle in wave.words)
    parts = {name: len(receipt[name]) for name in ("stopped", "in_flight", "already_out")}
    out = parts["in_flight"] + parts["already_out"]
    section.lines += [
        Line("begun after the hold was committed", f"{begun_after}", "0", begun_after == 0),
        Line("begun before it", f"{begun_before}"),
        Line("POST /v1/holds answered in", f"{answered_for:.2f} s"),
        Line("GET /v1/holds just before it", f"{listed_for:.2f} s"),
        Line(
            "receipt: stopped + in flight + already out", " + ".join(f"{n:,}" for n in parts.values()),
            f"{wave.size:,} in all", sum(parts.values()) == wave.size,
        ),
        Line(
            "on the platform in the end", f"{on_platform:,}", f"{out:,}, as in flight and already out",
            on_platform == out == begun_before,
        ),
        Line("receipt complete after", f"{counted_for:.1f} s"),
        Line("mails sent meanwhile", f"{_mails(company) - mails:,}"),
    ]  # fmt: skip
    section.data |= {
        **parts, "begun_before": begun_before, "begun_after": begun_after, "answered_for": answered_for,
        "listed_for": listed_for,
        "counted_for": counted_for, "on_platform": on_platform,
    }  # fmt: skip
    return section


def _mails(company: Company) -> int:
    return len(fetch_json(f"{company.stack.mail_url}/api/mails"))


def _wait_until_due(wave: Wave) -> None:
    time.sleep(max(0.0, wave.due_at.timestamp() - time.time()))


def _counted(api: Api, hold_id: str) -> dict[str, Any]:
    """The receipt once it is complete. Raises RuntimeError when it never was."""
    until = time.monotonic() + COUNTED_FOR
    while time.monotonic() < until:
        receipt: dict[str, Any] = api.get(f"/v1/holds/{hold_id}")
        if receipt["hold"]["counted"]:
            return receipt
        time.sleep(1)
    raise RuntimeError(f"the receipt was not complete after {COUNTED_FOR:.0f} s")


def _committed(company: Company) -> list[tuple[str, str]]:
    """(subject, what) of every history row since the stream began, in the order of their commits."""
    table = company.services.settings.table("history")
    described = company.cloud.dynamodb.describe_table(TableName=table)["Table"]
    streams = company.stack.client("dynamodbstreams")
    arn = described["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    rows: list[tuple[str, str]] = []
    while True:
        answer = streams.get_records(ShardIterator=iterator)
        if not answer["Records"]:
            return rows
        images = [record["dynamodb"]["NewImage"] for record in answer["Records"]]
        rows += [(image["subject"]["S"], image["what"]["S"]) for image in images]
        iterator = answer["NextShardIterator"]


def _begun(rows: list[tuple[str, str]], wave: Wave, hold: str) -> tuple[int, int]:
    """How many of the wave's variants began before the hold's row, and after it."""
    place = rows.index((hold, "hold set"))
    subjects = {f"post#{post_id}" for post_id in wave.post_ids}

    def begun(part: list[tuple[str, str]]) -> int:
        return sum(1 for subject, what in part if subject in subjects and what == "publishing begun")

    return begun(rows[:place]), begun(rows[place:])
