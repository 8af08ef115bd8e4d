"""Every job as Lambda runs it: its module alone, without app.py, on a real event, with clients over moto.

Chalice's test client runs app middleware and lets `bp.log` work; Lambda does neither (aws/chalice#1566).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NOON
from tests.fakes.mail_events import bounce

ROOT = Path(__file__).parents[2]
SCRIPT = """
import importlib, json, sys, types
from datetime import datetime, UTC
from pathlib import Path
from moto import mock_aws
with mock_aws():
    from chalicelib.core.clock import FixedClock
    from tests.fakes.stage import Stage
    Stage.create("lambda", Path("infra/template.yaml"), FixedClock(datetime.now(UTC)))
    jobs = importlib.import_module(sys.argv[3])
    context = types.SimpleNamespace(aws_request_id="r-1", get_remaining_time_in_millis=lambda: 60000)
    answers = []
    for event in json.loads(sys.argv[2]):
        try:
            answers.append(getattr(jobs, sys.argv[1])(event, context))
        except Exception as error:
            answers.append(type(error).__name__)
    print(json.dumps({"answers": answers, "app": "app" in sys.modules}))
"""


def invoke(
    name: str, *events: object, module: str = "chalicelib.publishing.jobs"
) -> tuple[list[object], str]:
    """What a fresh interpreter that stands for a Lambda answers or raises, event by event, and its log."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name, json.dumps(events), module],
        cwd=ROOT,
        env={**os.environ, "SIGNALBOX_STAGE": "lambda", "POWERTOOLS_LOG_LEVEL": "INFO"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert not told["app"], "a job loaded the app"
    return told["answers"], done.stdout + done.stderr


def message(body: str) -> dict[str, object]:
    record = {"body": body, "receiptHandle": "h", "messageId": "m", "eventSource": "aws:sqs"}
    return {"Records": [record]}


def test_the_tick_runs_and_says_so() -> None:
    schedule = {"version": "0", "id": "e", "detail-type": "Scheduled Event", "source": "aws.events",
                "account": "1", "time": "2026-11-22T00:00:00Z", "region": "eu-central-1", "resources": [],
                "detail": {}}  # fmt: skip
    answers, log = invoke("dispatch_due", schedule)

    assert answers == [{"publish": 0, "chores": 0}]
    assert "job starts" in log
    assert "job ends" in log
    assert '"correlation_id":"r-1"' in log
    assert '"ticks"' in log


@pytest.mark.parametrize("name", ["publish_posts", "run_chores"])
def test_a_worker_finds_a_finished_entry_harmless_and_sends_back_what_is_no_wake_up_call(name: str) -> None:
    hostile = ["", "not json", "[]", '{"entry": 7}', "[" * 2000, '{"other": "x"}']
    answers, log = invoke(name, message('{"entry": "publish#gone"}'), *map(message, hostile))

    assert answers == [{"gone": 1}] + ["BatchFailed"] * len(hostile)
    assert log.count("worker starts") == log.count("worker ends") == 1 + len(hostile)


def test_the_worker_of_bounces_leaves_strangers_alone_and_sends_back_what_is_no_event() -> None:
    hostile = ["", "not json", "[]", '{"eventType": 7}', "[" * 2000, '{"entry": "publish#gone"}']
    known = bounce("nobody@example.org", NOON)
    answers, log = invoke(
        "note_bounces", message(known), *map(message, hostile), module="chalicelib.org.jobs"
    )

    assert answers == [{"stranger": 1}] + ["BatchFailed"] * len(hostile)
    assert "nobody@example.org" not in log
