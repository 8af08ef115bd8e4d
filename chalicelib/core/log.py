"""Structured logs and metrics (Powertools), set up on first use so that importing a module stays cheap.

Logs carry ids and reasons, never texts, tokens or secrets; a filter takes out what looks like one anyway.
Metrics are CloudWatch Embedded Metric Format: lines in the log, no network call.
"""

import logging
import re
from functools import cache
from typing import Any

from chalicelib.core.settings import resource, stage

_SECRETS = re.compile(r"(?<=/a/)[A-Za-z0-9_-]{43}|(?<=Bearer )\S+|sb_[A-Za-z0-9_-]{20,}")


class _Redact(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        cleaned = _SECRETS.sub("[redacted]", message)
        if cleaned != message:
            record.msg, record.args = cleaned, None
        return True


@cache
def logger() -> Any:
    """The application's logger; `logging.getLogger(__name__)` anywhere below chalicelib writes through it."""
    from aws_lambda_powertools import Logger

    made = Logger(service=resource("app").removesuffix("-app"), name="chalicelib", log_uncaught_exceptions=False)
    made.addFilter(_Redact())
    for handler in made.handlers:
        handler.addFilter(_Redact())
    return made


@cache
def _metrics() -> Any:
    from aws_lambda_powertools import Metrics

    return Metrics(namespace="signalbox", service=f"signalbox-{stage()}")


def count(name: str, value: float = 1) -> None:
    """Add to a counter; it leaves with the next `flush`."""
    from aws_lambda_powertools.metrics import MetricUnit

    _metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)


def measure_seconds(name: str, seconds: float) -> None:
    """Record a duration; alarms read its maximum."""
    from aws_lambda_powertools.metrics import MetricUnit

    _metrics().add_metric(name=name, unit=MetricUnit.Seconds, value=seconds)


def flush() -> None:
    """Write the metrics gathered so far as one line of the log, if there are any."""
    metrics = _metrics()
    if metrics.metric_set:
        metrics.flush_metrics()
