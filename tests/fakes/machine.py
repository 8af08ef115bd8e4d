"""A one-machine stack of a test's own, and looks at what is in it."""

import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from chalicelib.core.clock import from_text
from infra.local.api import wait
from infra.local.stack import PORTS, Machine, Stack
from infra.package import ROOT

Rows = dict[str, list[dict[str, Any]]]


def free_base() -> int:
    """A port with as many free ones after it as the stack takes."""
    for base in random.sample(range(21000, 29000, 10), 50):
        probes = [socket.socket() for _ in PORTS]
        try:
            for offset, probe in enumerate(probes):
                probe.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        else:
            return base
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


@contextmanager
def own_machine(folder: Path) -> Iterator[Machine]:
    """A machine that is not up yet, and is down at the end."""
    machine = Machine(folder, {"SIGNALBOX_PORT_BASE": str(free_base())})
    try:
        yield machine
    finally:
        machine.down()


def admin(machine: Machine, *arguments: str) -> str:
    """What `infra/admin.py --stage local` prints. Raises CalledProcessError when it fails."""
    environment = {"SIGNALBOX_LOCAL_DIR": str(machine.folder), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "infra/admin.py", "--stage", "local", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def rows(stack: Stack) -> Rows:
    """Every row of every table of the stage, by the table's short name, in an order that can be compared.

    But for those that change by themselves: what polls and checks of subscriptions go by.
    """
    client, plain = stack.client("dynamodb"), TypeDeserializer().deserialize
    prefix = f"signalbox-{stack.stage}-"
    found: Rows = {}
    for table in client.list_tables()["TableNames"]:
        if table.startswith(prefix):
            pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
            items = [{k: plain(v) for k, v in item.items()} for page in pages for item in page["Items"]]
            still = [item for item in items if not _goes_round(item)]
            found[table.removeprefix(prefix)] = sorted(still, key=lambda item: repr(sorted(item.items())))
    return found


def waiting(stack: Stack, queue: str) -> int:
    """How many messages a queue holds, those in hand and those delayed too."""
    sqs = stack.client("sqs")
    counts = sqs.get_queue_attributes(QueueUrl=queue_url(stack, queue), AttributeNames=["All"])["Attributes"]
    return sum(int(count) for name, count in counts.items() if name.startswith("ApproximateNumberOf"))


def queue_url(stack: Stack, queue: str) -> str:
    return str(stack.client("sqs").get_queue_url(QueueName=f"signalbox-{stack.stage}-{queue}")["QueueUrl"])


def wait_until_idle(stack: Stack) -> None:
    """Until no entry is worked on or about to begin, so that whatever changes next is the test's doing."""

    def idle() -> bool:
        soon = datetime.now(UTC) + timedelta(seconds=5)
        listed = [item for item in rows(stack)["timetable"] if "due_shard" in item]
        return all("owner" not in item and from_text(item["due_at"]) > soon for item in listed)

    wait(idle, "a timetable at rest")


def _goes_round(item: dict[str, Any]) -> bool:
    of_rounds = str(item.get("entry_id", "")).startswith(("poll#", "watch#"))
    return of_rounds or str(item.get("pk", "")).startswith("cursor#")
