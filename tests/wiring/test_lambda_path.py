"""Every job as Lambda runs it: its module alone, without app.py, on a real event, with clients over moto.

Chalice's test client runs app middleware and lets `bp.log` work; Lambda does neither (aws/chalice#1566).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys, types
from datetime import datetime, UTC
from pathlib import Path
from moto import mock_aws
with mock_aws():
    from chalicelib.core.clock import FixedClock
    from tests.fakes.stage import Stage
    Stage.create("lambda", Path("infra/template.yaml"), FixedClock(datetime.now(UTC)))
    from chalicelib.publishing import jobs
    context = types.SimpleNamespace(aws_request_id="r-1", get_remaining_time_in_millis=lambda: 60000)
    event = json.loads(sys.argv[2])
    try:
        print(json.dumps({"answer": getattr(jobs, sys.argv[1])(event, context)}))
    except Exception as error:
        print(json.dumps({"raised": type(error).__name__}))
    print(json.dumps({"app": "app" in sys.modules}))
"""


def invoke(name: str, event: object) -> tuple[dict[str, object], str]:
    """The answer of a fresh interpreter that stands for a Lambda, and its log."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name, json.dumps(event)],
        cwd=ROOT,
        env={**os.environ, "SIGNALBOX_STAGE": "lambda", "POWERTOOLS_LOG_LEVEL": "INFO"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert json.loads(lines[-1]) == {"app": False}
    return json.loads(lines[-2]), done.stdout + done.stderr


def message(body: str) -> dict[str, object]:
    record = {"body": body, "receiptHandle": "h", "messageId": "m", "eventSource": "aws:sqs"}
    return {"Records": [record]}


def test_the_tick_runs_and_says_so() -> None:
    schedule = {"version": "0", "id": "e", "detail-type": "Scheduled Event", "source": "aws.events",
                "account": "1", "time": "2026-11-22T00:00:00Z", "region": "eu-central-1", "resources": [],
                "detail": {}}  # fmt: skip
    answer, log = invoke("dispatch_due", schedule)
    assert answer == {"answer": {"publish": 0, "chores": 0}}
    assert "job starts" in log
    assert "job ends" in log
    assert '"correlation_id":"r-1"' in log
    assert '"ticks"' in log


@pytest.mark.parametrize("name", ["publish_posts", "run_chores"])
def test_a_worker_finds_a_wake_up_for_a_finished_entry_harmless(name: str) -> None:
    answer, log = invoke(name, message('{"entry": "publish#gone"}'))
    assert answer == {"answer": {"gone": 1}}
    assert "worker starts" in log
    assert "worker ends" in log


@pytest.mark.parametrize("body", ["", "not json", "[]", '{"entry": 7}', "[" * 2000, '{"other": "x"}'])
def test_a_message_that_is_no_wake_up_call_goes_back_to_the_queue(body: str) -> None:
    answer, _ = invoke("run_chores", message(body))
    assert answer == {"raised": "BatchFailed"}
