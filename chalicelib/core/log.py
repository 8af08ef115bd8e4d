"""Structured logs and metrics (Powertools), set up on first use so that importing a module stays cheap.

Logs carry ids and reasons, never texts, tokens or secrets: what looks like one is taken out of the whole
line, and of an exception only its own words are kept where they are ours or AWS's.
Metrics are CloudWatch Embedded Metric Format: lines in the log, no network call.
"""

import logging
import re
import threading
import traceback
from functools import cache
from typing import Any

from chalicelib.core.errors import SignalboxError
from chalicelib.core.settings import APP, stage

# The tokens of mailed links, of the API and of others' APIs.
_SECRETS = re.compile(
    r"(?<=/[acdkqr]/)[A-Za-z0-9_-]{43}|(?<=Bearer )[A-Za-z0-9._~+/=-]+|sb_[A-Za-z0-9_-]{20,}"
)
_gathering = threading.Lock()  # a worker's threads count side by side, and Powertools' own sum is not safe


@cache
def logger() -> Any:
    """The application's logger; `logging.getLogger(__name__)` anywhere below chalicelib writes through it."""
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

    class Formatter(LambdaPowertoolsFormatter):
        def format(self, record: logging.LogRecord) -> str:
            return redacted(super().format(record))

        def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
            return told(ei[1])

    # Powertools names its logger after the service, and only what is below that name goes through it.
    made = Logger(
        service="chalicelib",
        log_uncaught_exceptions=False,
        logger_formatter=Formatter(serialize_stacktrace=False),
    )
    made.append_keys(service=f"{APP}-{stage()}")
    # Lambda's own root handler would write each line a second time, unredacted.
    logging.getLogger("chalicelib").propagate = False
    return made


def redacted(text: str) -> str:
    """The text without what looks like a token or an emailed link."""
    return _SECRETS.sub("[redacted]", text)


def told(error: BaseException | None) -> str:
    """An exception and its causes: types and places; a message only of those that never quote their input."""
    parts: list[str] = []
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"{frames}{type(error).__qualname__}{_words_of(error)}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nfrom ".join(parts)


def _words_of(error: BaseException) -> str:
    from botocore.exceptions import ClientError

    return f": {error}" if isinstance(error, SignalboxError | ClientError) else ""


@cache
def _metrics() -> Any:
    from aws_lambda_powertools import Metrics

    return Metrics(namespace="signalbox", service=f"{APP}-{stage()}")


def count(name: str, value: float = 1) -> None:
    """Add to a counter; it leaves with the next `flush`."""
    from aws_lambda_powertools.metrics import MetricUnit

    with _gathering:
        _metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)


def measure_seconds(name: str, seconds: float) -> None:
    """Record a duration; alarms read its maximum."""
    from aws_lambda_powertools.metrics import MetricUnit

    with _gathering:
        _metrics().add_metric(name=name, unit=MetricUnit.Seconds, value=seconds)


def flush() -> None:
    """Write the metrics gathered so far as one line of the log, if there are any."""
    metrics = _metrics()
    with _gathering:
        if metrics.metric_set:
            metrics.flush_metrics()
