"""The one-machine stack for real: MiniStack with IAM enforced, both CloudFormation stacks, the packaged app.

One stack on its own ports and in its own folder serves every test of this file, in the order they have.
"""

import io
import json
import os
import re
import socket
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.api import Api
from infra.local.large import every
from infra.local.processes import StackError
from infra.local.stack import Machine, Stack
from tests.fakes.machine import free_base, own_machine

PROBE = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    return [outcome(*call) for call in event]

def outcome(service, operation, arguments):
    try:
        getattr(boto3.client(service), operation)(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with own_machine(tmp_path_factory.mktemp("stack")) as machine:
        yield machine


@pytest.fixture(scope="module")
def stack(machine: Machine) -> Stack:
    return machine.up(sample_company=False)[0]


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def roles(stack: Stack) -> dict[str, str]:
    """Each function's role, by the function's short name."""
    functions = stack.client("lambda").list_functions()["Functions"]
    return {
        function["FunctionName"].removeprefix("signalbox-local-"): function["Role"] for function in functions
    }


def as_function(stack: Stack, role: str, *calls: tuple[str, str, dict[str, Any]]) -> list[str]:
    """What AWS says to each call with that role's credentials: `allowed`, or the error's code."""
    functions = stack.client("lambda")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("probe.py", PROBE)
    functions.create_function(
        FunctionName="probe",
        Runtime="python3.11",
        Handler="probe.handler",
        Role=role,
        Code={"ZipFile": archive.getvalue()},
        Timeout=20,
    )
    try:
        answer = functions.invoke(FunctionName="probe", Payload=json.dumps(calls))
        outcomes: list[str] = json.loads(answer["Payload"].read())
        return outcomes
    finally:
        functions.delete_function(FunctionName="probe")


@contextmanager
def a_role(stack: Stack, allowed: dict[str, str]) -> Iterator[str]:
    """A function's role that allows each action on its resource and nothing else."""
    iam = stack.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statements = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in allowed.items()]
    role = iam.create_role(RoleName="probe", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    iam.put_role_policy(
        RoleName="probe", PolicyName="probe", PolicyDocument=json.dumps({"Statement": statements})
    )
    yield role["Role"]["Arn"]
    iam.delete_role_policy(RoleName="probe", PolicyName="probe")
    iam.delete_role(RoleName="probe")


def read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body


def wait_for_mail(stack: Stack, to: str) -> bytes:
    """The newest mail to an address, as it arrived; MiniStack sends in the background."""
    end_at = time.monotonic() + 20
    while time.monotonic() < end_at:
        if mails := json.loads(read(f"{stack.mail_url}/api/mails?to={to}")):
            return read(f"{stack.mail_url}/api/mails/{mails[0]['id']}/raw")
        time.sleep(0.05)
    raise AssertionError(f"no mail to {to}")


def test_everything_answers_where_the_stack_file_says(machine: Machine, stack: Stack) -> None:
    written = json.loads(machine.stack_file.read_text())
    assert written["api_url"] == stack.api_url
    for url in (written["platform_url"], written["mail_url"], written["aws_endpoint"] + "/_ministack/health"):
        assert status_of(url) == 200
    assert status_of(stack.api_url + "/no-such-route") == 403


def test_a_second_up_is_told_from_a_first(
    machine: Machine, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [service.pid() for service in machine.services]
    again, started = machine.up(sample_company=False)
    assert (again, started) == (stack, [])
    assert [service.pid() for service in machine.services] == before
    assert "nothing has changed" in capsys.readouterr().out


def test_nothing_listens_beyond_loopback(machine: Machine, stack: Stack) -> None:
    for port in machine.ports.values():
        with socket.socket() as elsewhere:
            elsewhere.bind(("127.0.0.2", port))


def test_every_queue_has_its_worker_and_the_tick_its_schedule(stack: Stack) -> None:
    mappings = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    served = {mapping["EventSourceArn"].rsplit(":", 1)[1] for mapping in mappings}
    lanes = ("publish", "chores", "inbound", "bounces")
    assert served == {f"signalbox-local-{lane}" for lane in lanes}
    rules = stack.client("events").list_rules()["Rules"]
    assert "rate(1 minute)" in [rule["ScheduleExpression"] for rule in rules]


def test_a_function_is_refused_what_its_policy_does_not_name(stack: Stack) -> None:
    another_stage = {"TableName": "signalbox-prod-posts", "Key": {"pk": {"S": "x"}, "sk": {"S": "x"}}}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("dynamodb", "delete_table", {"TableName": "signalbox-local-posts"}),
        ("dynamodb", "get_item", another_stage),
        ("iam", "list_users", {}),
    ]
    for name, role in roles(stack).items():
        refused = ["AccessDeniedException", "AccessDeniedException", "AccessDenied"]
        assert as_function(stack, role, *calls) == refused, name


def test_a_function_may_do_what_its_policy_names(stack: Stack) -> None:
    settings = ("ssm", "get_parameters_by_path", {"Path": "/signalbox/local/settings"})
    assert as_function(stack, roles(stack)["api_handler"], settings) == ["allowed"]


def test_permissions_are_checked_on_what_a_call_names(stack: Stack) -> None:
    here = "eu-central-1:000000000000"
    allowed = {
        "sqs:SendMessage": f"arn:aws:sqs:{here}:signalbox-local-publish",
        "ssm:GetParameters": f"arn:aws:ssm:{here}:parameter/signalbox/local/accounts/*",
        "ssm:GetParametersByPath": f"arn:aws:ssm:{here}:parameter/signalbox/local/settings",
        "ses:SendEmail": f"arn:aws:ses:{here}:identity/signalbox@signalbox.example",
    }
    entries = [{"Id": "1", "MessageBody": "x"}]
    to = {"ToAddresses": ["nobody@example.org"]}
    raw = {"Raw": {"Data": "U3ViamVjdDogeAoKeA=="}}

    def queue(name: str) -> dict[str, Any]:
        return {"QueueUrl": f"{stack.aws_endpoint}/000000000000/signalbox-local-{name}", "Entries": entries}

    accounts, settings = "/signalbox/local/accounts/", "/signalbox/local/settings"
    calls: list[tuple[str, str, dict[str, Any], str]] = [
        ("sqs", "send_message_batch", queue("publish"), "allowed"),
        ("sqs", "send_message_batch", queue("chores"), "AccessDenied"),
        ("ssm", "get_parameters", {"Names": [accounts + "a"]}, "allowed"),
        ("ssm", "get_parameters", {"Names": [accounts + "a", accounts + "b"]}, "allowed"),
        (
            "ssm",
            "get_parameters",
            {"Names": [accounts + "a", settings + "/company"]},
            "AccessDeniedException",
        ),
        ("ssm", "get_parameters_by_path", {"Path": settings}, "allowed"),
        ("ssm", "get_parameters_by_path", {"Path": "/signalbox/local"}, "AccessDeniedException"),
        (
            "sesv2",
            "send_email",
            {"FromEmailAddress": "signalbox@signalbox.example", "Destination": to, "Content": raw},
            "allowed",
        ),
        (
            "sesv2",
            "send_email",
            {"FromEmailAddress": "other@signalbox.example", "Destination": to, "Content": raw},
            "AccessDeniedException",
        ),
    ]
    with a_role(stack, allowed) as role:
        assert as_function(stack, role, *(call[:3] for call in calls)) == [call[3] for call in calls]


def test_a_mail_arrives_as_it_was_sent(stack: Stack) -> None:
    mail = EmailMessage()
    mail["From"] = "Sygnał <signalbox@signalbox.example>"
    mail["To"] = "Łucja <lucja@example.org>"
    mail["Subject"] = "Zatwierdź: سلام"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("żółw سلام")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", cid="<one>", disposition="inline")
    stack.client("sesv2").send_email(
        FromEmailAddress="signalbox@signalbox.example",
        Destination={"ToAddresses": ["lucja@example.org"]},
        Content={"Raw": {"Data": mail.as_bytes()}},
    )
    arrived = message_from_bytes(wait_for_mail(stack, "lucja@example.org"), policy=default_policy)
    for header in ("From", "To", "Subject", "Auto-Submitted"):
        assert arrived[header] == mail[header]
    assert [part.get_content_type() for part in arrived.walk()][1:] == ["text/plain", "image/png"]


def test_state_survives_down_and_up(machine: Machine, stack: Stack) -> None:
    bucket = re.sub(r".*/", "", stack.client("s3").list_buckets()["Buckets"][0]["Name"])
    stack.client("s3").put_object(Bucket=bucket, Key="kept", Body=b"bytes")
    stack.client("ssm").put_parameter(
        Name="/signalbox/local/accounts/kept", Value="secret", Type="SecureString"
    )
    stack.client("dynamodb").put_item(
        TableName="signalbox-local-idempotency", Item={"id": {"S": "kept"}, "data": {"S": "żółw سلام"}}
    )
    functions = roles(stack)
    assert machine.down() == [service.name for service in machine.services]
    assert [service.pid() for service in machine.services] == [None, None, None]

    again, _ = machine.up(sample_company=False)

    assert again == stack
    assert roles(stack) == functions
    assert stack.client("s3").get_object(Bucket=bucket, Key="kept")["Body"].read() == b"bytes"
    secret = stack.client("ssm").get_parameter(Name="/signalbox/local/accounts/kept", WithDecryption=True)
    assert secret["Parameter"]["Value"] == "secret"
    item = stack.client("dynamodb").get_item(
        TableName="signalbox-local-idempotency", Key={"id": {"S": "kept"}}
    )
    assert item["Item"]["data"]["S"] == "żółw سلام"
    assert status_of(stack.api_url + "/no-such-route") == 403


def test_other_ports_are_refused_while_there_is_state(machine: Machine, stack: Stack) -> None:
    moved = Machine(machine.folder, {"SIGNALBOX_PORT_BASE": str(free_base())})
    with pytest.raises(StackError, match=r"use that port again"):
        moved.up(sample_company=False)


def test_lost_state_is_made_anew(machine: Machine, stack: Stack) -> None:
    machine.down()
    for file in (machine.folder / "aws").glob("*.json"):
        file.unlink()
    machine.up(sample_company=False)
    with pytest.raises(ClientError, match="ParameterNotFound"):
        stack.client("ssm").get_parameter(Name="/signalbox/local/accounts/kept")
    assert status_of(stack.api_url + "/no-such-route") == 403


def test_the_sample_company_grows_and_stays_large(
    machine: Machine, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    grown, _ = machine.up(large=True)
    api = Api(grown.api_url, grown.tokens["lead"])
    assert len(every(api, "/v1/register", "accounts")) == 320
    assert sum(unit["kind"] == "district" for unit in api.get("/v1/units")["units"]) == 24
    capsys.readouterr()
    assert machine.up() == (grown, [])
    assert machine.up(large=True) == (grown, [])
    assert "grows" not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["http", "80", "70000", "-1"])
def test_a_port_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(StackError, match="SIGNALBOX_MAIL_PORT"):
        Machine(tmp_path, {**os.environ, "SIGNALBOX_MAIL_PORT": text})
