"""What an idle tick reads when much is queued and nothing is due: it should not depend on how much."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bench.bulk import AT_ONCE, put_all
from bench.company import Company
from bench.recorder import Recorder
from bench.report import Line, Section
from chalicelib.core.clock import FixedClock
from chalicelib.core.database import encode_item
from chalicelib.core.timetable import Entry, Lane

QUEUED = (10, 10_000, 100_000)


def measure(company: Company) -> Section:
    section = Section(
        "Capacity of an idle tick",
        "Read units of one Dispatcher.dispatch with that many entries queued and none of them due: its real "
        "requests, counted by AWS's published rules. A query of an index costs half a unit for every 4 KB it "
        "looks at, and never less.",
    )
    clock = FixedClock(company.services.clock.now())
    there = company.at(clock)
    dynamodb = company.stack.client("dynamodb")
    # A function reads the settings when it starts, not at each tick.
    table = there.services.settings.table("timetable")
    _empty(dynamodb, table)
    queued, units = 0, []
    for wanted in QUEUED:
        _fill(table, there, queued, wanted)
        queued = wanted
        recorder = Recorder(there.cloud, dynamodb)
        started = time.monotonic()
        with recorder.during("tick"):
            sent = there.services.dispatcher.dispatch()
        took_for = time.monotonic() - started
        reads = sum(request.read_units for request in recorder.of("tick"))
        writes = sum(request.write_units for request in recorder.of("tick"))
        units.append(reads)
        section.lines.append(
            Line(f"{wanted:,} queued", f"{reads:g} read units", f"{units[0]:g}", reads == units[0])
        )
        section.data[str(wanted)] = {
            "read_units": reads, "write_units": writes, "requests": len(recorder.of("tick")), "sent": sent,
            "seconds_on_the_one_machine_aws": round(took_for, 2),
        }  # fmt: skip
        if any(sent.values()) or writes:
            raise RuntimeError(f"the tick was not idle: {sent}")
    return section


def _empty(dynamodb: Any, table: str) -> None:
    """Forget what the sections before left: nothing runs in this stage, so it is due."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="entry_id")
    for key in [item for page in pages for item in page["Items"]]:
        dynamodb.delete_item(TableName=table, Key=key)


def _fill(table: str, company: Company, already: int, wanted: int) -> None:
    """Entries due from tomorrow on, over both lanes and all shards, as Timetable.add would put them."""
    first_at = company.services.clock.now() + timedelta(days=1)

    def entries(start: int) -> Iterator[dict[str, Any]]:
        for n in range(start, min(start + AT_ONCE, wanted)):
            lane = Lane.CHORES if n % 4 == 0 else Lane.PUBLISH
            entry = Entry(f"bench#{n}", lane, "publish", f"bench~{n}", first_at + timedelta(seconds=n))
            yield encode_item(company.services.kernel.timetable.add(entry).item_or_key)

    put_all(table, range(already, wanted, AT_ONCE), entries)
