"""A stage inside moto, made by CloudFormation from infra/template.yaml, with a clock that is a value."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from chalicelib.core.clock import FixedClock
from chalicelib.core.database import Database
from chalicelib.core.history import History
from chalicelib.core.kernel import Kernel, Subscriptions
from chalicelib.core.links import Links
from chalicelib.core.queues import Queues
from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings
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

    @property
    def kernel(self) -> Kernel:
        return Kernel(self.database, self.queues, self.clock, self.subscriptions)

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
