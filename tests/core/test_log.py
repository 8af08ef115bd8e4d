"""Log lines are JSON without secrets; metrics are EMF that the alarms of infra/template.yaml find."""

import json
import logging
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from chalicelib.core import log as logs
from chalicelib.core.errors import Busy
from tests.core.conftest import Lines

ROOT = Path(__file__).parents[2]
TOKEN = "sb_" + "T0k3n-_" * 6 + "x"
LINK = "L" * 43
TEXT = "a private message that nobody may read"

log = logging.getLogger("chalicelib.tests")


def test_a_line_is_json_with_its_extras(lines: Lines) -> None:
    log.info("entry starts", extra={"entry": "e#1", "took_for": 1.5})

    (line,) = lines.read
    assert (line["level"], line["message"], line["entry"], line["took_for"]) == (
        "INFO",
        "entry starts",
        "e#1",
        1.5,
    )


@pytest.mark.parametrize("secret", [f"https://x.example/a/{LINK}", f"Authorization: Bearer {TOKEN}", TOKEN,
                                    "Bearer eyJhbGciOi.J9.x-y_z=="])  # fmt: skip
@pytest.mark.parametrize("place", ["message", "argument", "extra", "nested", "error", "cause"])
def test_a_secret_is_taken_out_wherever_it_stands(lines: Lines, secret: str, place: str) -> None:
    match place:
        case "message":
            log.info(f"got {secret} from them")  # noqa: G004 - just what must not happen
        case "argument":
            log.info("got %s", secret)
        case "extra":
            log.info("got", extra={"url": secret})
        case "nested":
            log.info("got", extra={"request": {"headers": [secret]}})
        case _:
            try:
                try:
                    raise Busy(secret)
                except Busy as cause:
                    if place == "error":
                        raise
                    raise RuntimeError(secret) from cause
            except (Busy, RuntimeError):
                log.exception("unexpected")

    (line,) = lines.read
    for part in (LINK, TOKEN, "eyJ"):
        assert part not in lines.text
    assert line["level"] in ("INFO", "ERROR")


def test_an_error_tells_its_type_and_place_but_not_what_it_quotes(lines: Lines) -> None:
    try:
        int(TEXT)
    except ValueError:
        log.exception("unexpected")

    (line,) = lines.read
    assert "ValueError" in line["exception"]
    assert "test_log.py" in line["exception"]
    assert TEXT not in lines.text


def test_what_the_model_says_of_a_wrong_value_is_not_logged(lines: Lines) -> None:
    from pydantic import BaseModel

    class Form(BaseModel):
        number: int

    try:
        Form.model_validate({"number": TEXT})
    except ValueError:
        log.exception("unexpected")

    assert "ValidationError" in lines.text
    assert TEXT not in lines.text


def test_what_aws_says_is_kept_for_ops(lines: Lines) -> None:
    try:
        raise ClientError(
            {"Error": {"Code": "AccessDenied", "Message": "not authorized to PutItem"}}, "PutItem"
        )
    except ClientError:
        log.exception("unexpected")

    assert "not authorized to PutItem" in lines.read[0]["exception"]


def test_half_a_surrogate_pair_does_not_break_the_log(lines: Lines) -> None:
    log.info("entry could not be handled", extra={"entry": "\ud800"})

    assert len(lines.text.splitlines()) == 1


# A fresh process, as Lambda has it: its own root handler, stdout


def told(script: str, stage: str = "prod") -> list[str]:
    lambdas_own = "import logging, sys; logging.getLogger().addHandler(logging.StreamHandler(sys.stdout));"
    done = subprocess.run(
        [sys.executable, "-c", lambdas_own + script], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"SIGNALBOX_STAGE": stage, "PATH": ""},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_lambdas_own_handler_does_not_write_a_line_a_second_time_and_unredacted() -> None:
    (line,) = told(
        "from chalicelib.core import log as l; l.logger();"
        f"logging.getLogger('chalicelib.org.routes').info('token {TOKEN}')"
    )
    assert json.loads(line)["message"] == "token [redacted]"
    assert json.loads(line)["service"] == "signalbox-prod"


def test_metrics_are_one_emf_line_that_the_alarms_find() -> None:
    (line,) = told(
        "from chalicelib.core import log as l; l.count('published'); l.count('published');"
        "l.measure_seconds('lateness_seconds', 0.25); l.count('ticks'); l.count('parked', 0);"
        "l.flush(); l.flush()"
    )
    emf = json.loads(line)

    (directive,) = emf["_aws"]["CloudWatchMetrics"]
    assert isinstance(emf["_aws"]["Timestamp"], int)
    assert emf["published"] == [1.0, 1.0]
    assert emf["lateness_seconds"] == [0.25]
    assert emf["parked"] == [0.0]
    for name in ("parked", "lateness_seconds", "ticks"):
        namespace, service, unit = _alarm_of(name)
        assert directive["Namespace"] == namespace
        assert directive["Dimensions"] == [["service"]]
        assert emf["service"] == service
        assert {"Name": name, "Unit": unit} in directive["Metrics"]


def _alarm_of(metric: str) -> tuple[str, str, str]:
    """(namespace, service, unit) that the template's alarm on a metric looks at."""
    text = (ROOT / "infra" / "template.yaml").read_text()
    found = re.search(
        rf"Namespace: (\w+)\n +MetricName: {metric}\n +Dimensions: .*Value: !Sub \"([^\"]+)\"", text
    )
    assert found, f"no alarm looks at {metric}"
    unit = "Seconds" if metric.endswith("_seconds") else "Count"
    return found[1], found[2].replace("${Stage}", "prod"), unit


def test_threads_that_count_side_by_side_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logs.flush()
    capsys.readouterr()
    with ThreadPoolExecutor(max_workers=10) as pool:
        list(pool.map(lambda n: logs.count(f"shared_{n % 3}"), range(900)))
    logs.flush()

    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(len(emf.get(f"shared_{n}", [])) for emf in counted for n in range(3)) == 900


def test_nothing_gathered_is_nothing_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.flush()
    capsys.readouterr()
    logs.flush()
    assert capsys.readouterr().out == ""
