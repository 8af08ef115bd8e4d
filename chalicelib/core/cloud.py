"""The AWS clients, made when first asked for, and a clock that trusts AWS more than its own machine.

boto3 is imported here and nowhere else.
"""

import os
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from chalicelib.core.clock import Clock, SystemClock

BELIEVED_FOR = timedelta(seconds=3)  # the Date header has whole seconds, and an answer takes a while


class AwsClock:
    """The machine's clock, corrected when AWS's answers show that it is wrong.

    A worker whose clock is ten minutes fast would publish ten minutes early. Every answer of AWS carries a
    Date; when it is more than three seconds away from ours, the difference is added.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._offset = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self._offset

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def learn(self, date_header: str | None) -> None:
        """Take note of an answer's Date; one that cannot be read is ignored."""
        if not date_header:
            return
        try:
            theirs = parsedate_to_datetime(date_header).astimezone(UTC)
        except ValueError:
            return
        away = theirs - self._clock.now()
        self._offset = away if abs(away) > BELIEVED_FOR else timedelta()


class Cloud:
    """One boto3 client per service; each AWS answer teaches the clock."""

    def __init__(self, clock: AwsClock) -> None:
        self._clock = clock

    @cached_property
    def dynamodb(self) -> Any:
        return self._client("dynamodb", 50)

    @cached_property
    def sqs(self) -> Any:
        return self._client("sqs", 20)

    @cached_property
    def ssm(self) -> Any:
        return self._client("ssm", 20)

    @cached_property
    def s3(self) -> Any:
        return self._client("s3", 20)

    @cached_property
    def sesv2(self) -> Any:
        return self._client("sesv2", 10)

    def _client(self, service: str, connections: int) -> Any:
        import boto3
        from botocore.config import Config

        local = bool(os.environ.get("AWS_ENDPOINT_URL"))
        config = Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 4},
            max_pool_connections=connections,
            # botocore puts its own together anew for each call, which is a tenth of a call's CPU time.
            user_agent="signalbox",
            # One machine has no names below its own: the bucket goes into the path there.
            s3={"addressing_style": "path"} if local else None,
        )
        client = boto3.client(service, config=config)
        service_id = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"after-call.{service_id}", self._learn)
        return client

    def _learn(self, http_response: Any, **_: Any) -> None:
        self._clock.learn(http_response.headers.get("date"))
