"""A stage inside moto, made by CloudFormation from infra/template.yaml, with a clock that is a value."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from chalicelib.core.clock import FixedClock, from_text
from chalicelib.core.database import Database
from chalicelib.core.history import History
from chalicelib.core.kernel import Kernel, Subscriptions
from chalicelib.core.links import Links
from chalicelib.core.queues import Queues
from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Lane
from chalicelib.subscriptions import SUBSCRIPTIONS


@dataclass
class Stage:
    """The AWS side of one stage, and the kernel on top of it."""

    settings: Settings
    clock: FixedClock
    dynamodb: Any
    sqs: Any
    ssm: Any
    s3: Any
    ses: Any
    database: Database
    queues: Queues
    secrets: Secrets
    links: Links
    history: History
    subscriptions: Subscriptions = field(default_factory=lambda: SUBSCRIPTIONS)

    @classmethod
    def create(cls, name: str, template: Path, clock: FixedClock) -> "Stage":
        boto3.client("cloudformation").create_stack(
            StackName=f"signalbox-{name}-data",
            TemplateBody=template.read_text(),
            Parameters=[
                {"ParameterKey": "Stage", "ParameterValue": name},
                {"ParameterKey": "PublicUrl", "ParameterValue": "https://signalbox.test"},
                {"ParameterKey": "MailFrom", "ParameterValue": "signalbox@company.test"},
            ],
        )
        ssm = boto3.client("ssm")
        path = f"/signalbox/{name}/settings"
        parameters = ssm.get_parameters_by_path(Path=path)["Parameters"]
        values = {p["Name"].rsplit("/", 1)[1]: p["Value"] for p in parameters}
        settings = Settings.from_parameters(name, values)
        ses = boto3.client("sesv2")
        ses.create_email_identity(EmailIdentity="company.test")
        ses.create_email_identity(EmailIdentity="signalbox@company.test")
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        database = Database(dynamodb, settings, sleep=lambda seconds: None)
        return cls(
            settings=settings,
            clock=clock,
            dynamodb=dynamodb,
            sqs=sqs,
            ssm=ssm,
            s3=boto3.client("s3"),
            ses=ses,
            database=database,
            queues=Queues(sqs, settings),
            secrets=Secrets(ssm, settings, clock),
            links=Links(database),
            history=History(database),
        )

    @classmethod
    @contextmanager
    def lent(cls, name: str, template: Path, clock: FixedClock) -> Iterator["Stage"]:
        """A stage that is gone at the end with all that is in it, and the mails that were sent meanwhile.

        moto looks through the queues, the parameters and the mails of all stages that ever were.
        """
        from moto.backends import get_backend
        from moto.core import DEFAULT_ACCOUNT_ID

        def moto(service: Any, region: str = boto3.session.Session().region_name) -> Any:
            return get_backend(service)[DEFAULT_ACCOUNT_ID][region]

        mails = moto("ses").sent_messages
        sent_before = len(mails)
        made = cls.create(name, template, clock)
        try:
            yield made
        finally:
            del mails[sent_before:]
            holders = [
                moto("cloudformation").stacks,
                moto("dynamodb").tables,
                moto("sns").topics,
                moto("sqs").queues,
                moto("ssm")._parameters,
                moto("s3", "aws").buckets,
            ]
            for holder in holders:
                for key in [
                    key for key in holder if f"signalbox-{name}-" in key or f"/signalbox/{name}/" in key
                ]:
                    del holder[key]

    @property
    def kernel(self) -> Kernel:
        return Kernel(self.database, self.queues, self.clock, self.subscriptions)

    def due(self, lane: Lane, until: datetime) -> list[tuple[str, datetime]]:
        """What `Timetable.due` says, by one look at its index and not by one for each shard."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.settings.table("timetable"), IndexName="due"
        )
        listed = sorted(
            (item["due_shard"]["S"], from_text(item["due_at"]["S"]), item["entry_id"]["S"])
            for page in pages
            for item in page["Items"]
        )
        return [(e, at) for shard, at, e in listed if shard.startswith(f"{lane}#") and at <= until]

    def wakes(self, lane: str) -> list[str]:
        """The bodies of the messages on a queue that are visible now; they are taken off it."""
        url = self.sqs.get_queue_url(QueueName=self.settings.queue(lane))["QueueUrl"]
        found: list[str] = []
        while True:
            got = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            if not got:
                return found
            for message in got:
                found.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
