"""Each function may do what it needs where it needs it; the template has what functions stand on."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import app
from chalicelib.core.settings import resource as full_name

ROOT = Path(__file__).parents[2]
POLICIES = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / ".chalice/policies").glob("*.json"))
}
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())
QUEUES = {source.name: source.queue for source in app.app.event_sources if hasattr(source, "queue")}


class _Template(yaml.SafeLoader):  # type: ignore[misc]
    """YAML with CloudFormation's short functions."""


def _function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {tag: value}


_Template.add_multi_constructor("!", _function)
RESOURCES: dict[str, Any] = yaml.load((ROOT / "infra/template.yaml").read_text(), _Template)["Resources"]


def named(kind: str, key: str) -> dict[str, Any]:
    """Resources of a type by their names, without `signalbox-<stage>-`."""
    found = {}
    for resource in RESOURCES.values():
        if resource["Type"] == kind:
            name = resource["Properties"][key]
            text = name["Sub"] if isinstance(name, dict) else name
            found[text.removeprefix("signalbox-${Stage}-")] = resource["Properties"]
    return found


def statements() -> list[tuple[str, dict[str, Any]]]:
    return [(name, s) for name, policy in POLICIES.items() for s in policy["Statement"]]


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    ("name", "statement"), statements(), ids=lambda v: v if isinstance(v, str) else v["Sid"]
)
def test_no_policy_is_wider_than_it_says(name: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    for action in listed(statement["Action"]):
        assert re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action), f"{name} may {action}"
        assert action != "dynamodb:Scan", "what is due, listed or found has an index"
    for resource in listed(statement["Resource"]):
        assert resource.startswith("arn:aws:"), f"{name} reaches {resource}"
        last = resource.split(":", 5)[5]
        assert "signalbox" in last or statement["Sid"] == "Mail", f"{name} reaches {resource}"


@pytest.mark.parametrize("name", POLICIES)
def test_every_table_and_queue_of_a_policy_exists(name: str) -> None:
    tables = set(named("AWS::DynamoDB::Table", "TableName"))
    queues = set(named("AWS::SQS::Queue", "QueueName"))
    for statement in POLICIES[name]["Statement"]:
        for resource in listed(statement["Resource"]):
            service, last = resource.split(":")[2], resource.split(":", 5)[5]
            if service == "dynamodb":
                assert last.split("/")[1].removeprefix("signalbox-*-") in tables, resource
            if service == "sqs":
                assert last.removeprefix("signalbox-*-") in queues, resource


def test_nobody_may_empty_a_table_or_touch_roles() -> None:
    for name, statement in statements():
        for action in listed(statement["Action"]):
            assert action.partition(":")[0] in ("dynamodb", "sqs", "ssm", "s3", "ses", "logs"), (
                f"{name}: {action}"
            )
            assert "DeleteTable" not in action
            assert "Purge" not in action


def may(name: str, action: str, ending: str) -> bool:
    return any(
        action in listed(s["Action"]) and any(r.endswith(ending) for r in listed(s["Resource"]))
        for s in POLICIES[name]["Statement"]
    )


# The tick and the rounds only put entries back, and a week's sample is numbers that were counted already.
CHANGE_NOTHING = ("dispatch_due", "ensure_rounds", "sample_audience")


@pytest.mark.parametrize("name", [n for n in POLICIES if n not in CHANGE_NOTHING])
def test_whoever_changes_something_may_append_its_history_and_read_it_back(name: str) -> None:
    assert may(name, "dynamodb:PutItem", "-history")
    assert may(name, "dynamodb:GetItem", "-history"), "a commit recognises itself by its history row"


WAKES = {  # what is given back is nudged on its own lane; polls send records
    "publish": {"publish", "chores"},
    "chores": {"publish", "chores", "inbound"},
    "bounces": {"chores"},
    "inbound": {"publish", "chores"},
}


def test_each_worker_takes_from_its_own_queue_and_wakes_what_it_causes_work_for() -> None:
    queues = {name: queue.rpartition("-")[2] for name, queue in QUEUES.items()}
    for name, own in queues.items():
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
            assert {q for q in queues.values() if may(name, action, f"-{q}")} == {own}
        assert {q for q in queues.values() if may(name, "sqs:SendMessage", f"-{q}")} == WAKES[own]


def test_the_tick_reads_the_due_index_and_writes_nothing() -> None:
    actions = {a for s in POLICIES["dispatch_due"]["Statement"] for a in listed(s["Action"])}
    assert {a for a in actions if a.startswith("dynamodb:")} == {"dynamodb:Query"}


def test_only_chores_send_mail_and_only_the_api_stores_credentials() -> None:
    assert {n for n in POLICIES if may(n, "ses:SendEmail", "identity/*")} == {"run_chores"}
    assert {n for n in POLICIES if may(n, "ssm:PutParameter", "accounts/*")} == {"api_handler"}


def test_a_mail_is_sent_with_the_set_that_tells_what_becomes_of_it() -> None:
    name = RESOURCES["MailSet"]["Properties"]["Name"]["Sub"]
    assert name == full_name("mail", "${Stage}"), "core/mail.py sends with this name"
    assert may("run_chores", "ses:SendEmail", "configuration-set/signalbox-*-mail")
    told = RESOURCES["BouncesDestination"]["Properties"]["EventDestination"]
    assert (told["Enabled"], set(told["MatchingEventTypes"])) == (
        True,
        {"bounce", "complaint", "deliveryDelay"},
    )
    assert told["SnsDestination"] == {"TopicARN": {"Ref": "BouncesTopic"}}
    carried = RESOURCES["BouncesSubscription"]["Properties"]
    assert carried["TopicArn"] == {"Ref": "BouncesTopic"}
    assert carried["Endpoint"] == {"GetAtt": "BouncesQueue.Arn"}
    assert carried["RawMessageDelivery"] is True, "the worker reads the event itself, not SNS's envelope"


@pytest.mark.parametrize("name", ["BouncesTopicPolicy", "BouncesQueuePolicy"])
def test_nobody_but_ses_and_our_topic_may_say_what_became_of_a_mail(name: str) -> None:
    (statement,) = RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]
    principal, (condition,) = statement["Principal"]["Service"], statement["Condition"].values()
    assert (name, principal) in (
        ("BouncesTopicPolicy", "ses.amazonaws.com"),
        ("BouncesQueuePolicy", "sns.amazonaws.com"),
    )
    assert "aws:SourceArn" in condition


def test_only_chores_delete_credentials_and_only_when_an_account_retires() -> None:
    assert {n for n in POLICIES if may(n, "ssm:DeleteParameter", "accounts/*")} == {"run_chores"}


# Queues


@pytest.mark.parametrize("name", QUEUES)
def test_a_workers_queue_waits_six_timeouts_and_has_dead_letters(name: str) -> None:
    queues = named("AWS::SQS::Queue", "QueueName")
    lane = QUEUES[name].rpartition("-")[2]
    queue = queues[lane]
    timeout = CONFIG["lambda_functions"][name]["lambda_timeout"]

    assert queue["VisibilityTimeout"] >= 6 * timeout
    assert queue["SqsManagedSseEnabled"] is True
    redrive = queue["RedrivePolicy"]
    assert redrive["maxReceiveCount"] >= 3
    target = RESOURCES[redrive["deadLetterTargetArn"]["GetAtt"].split(".")[0]]
    assert target["Properties"]["QueueName"]["Sub"].endswith(f"-{lane}-dlq")
    assert target["Properties"]["MessageRetentionPeriod"] == 14 * 86400, "as long as SQS keeps one"


def test_a_lane_is_a_queue_with_a_worker() -> None:
    from chalicelib.core.timetable import Lane

    assert {queue.rpartition("-")[2] for queue in QUEUES.values()} >= {str(lane) for lane in Lane}


def test_every_dead_letter_queue_has_an_alarm() -> None:
    watched = {
        dimension["Value"]["GetAtt"].split(".")[0]
        for alarm in _alarms().values()
        for dimension in alarm["Dimensions"]
        if dimension["Name"] == "QueueName"
    }
    dead = {
        key
        for key, r in RESOURCES.items()
        if r["Type"] == "AWS::SQS::Queue" and "dlq" in str(r["Properties"])
    }
    assert watched == {key for key in dead if key.endswith("DeadLetters")}
    assert len(watched) == len(QUEUES)


# Tables


def test_every_table_of_ours_is_kept_and_can_be_restored() -> None:
    for key, resource in RESOURCES.items():
        if resource["Type"] == "AWS::DynamoDB::Table" and key != "IdempotencyTable":
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), key
            assert resource["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], (
                key
            )
            assert resource["Properties"]["SSESpecification"]["SSEEnabled"], key
            assert resource["Properties"]["BillingMode"] == "PAY_PER_REQUEST", key


def test_history_is_never_swept() -> None:
    assert "TimeToLiveSpecification" not in RESOURCES["HistoryTable"]["Properties"]


# Alarms


def _alarms() -> dict[str, Any]:
    return named("AWS::CloudWatch::Alarm", "AlarmName")


@pytest.mark.parametrize("name", _alarms())
def test_an_alarm_tells_somebody_and_names_a_runbook_that_exists(name: str) -> None:
    alarm = _alarms()[name]
    runbook = re.search(r"Runbook - (docs/runbooks/[a-z-]+\.md)$", alarm["AlarmDescription"])

    assert runbook, f"{name} names no runbook"
    assert len((ROOT / runbook[1]).read_text()) > 300
    assert alarm["AlarmActions"] == [{"Ref": "OpsTopic"}]
    assert alarm["TreatMissingData"] == ("breaching" if name == "dispatch-silent" else "notBreaching")


def test_every_runbook_belongs_to_an_alarm() -> None:
    named_in = (ROOT / "infra/template.yaml").read_text() + (ROOT / "infra/package.py").read_text()
    for runbook in (ROOT / "docs" / "runbooks").glob("*.md"):
        assert f"docs/runbooks/{runbook.name}" in named_in, f"no alarm leads to {runbook.name}"


def test_a_command_that_a_runbook_names_exists() -> None:
    admin = (ROOT / "infra" / "admin.py").read_text()
    for runbook in (ROOT / "docs" / "runbooks").glob("*.md"):
        for command in re.findall(r"infra/admin\.py --stage \w+ ([a-z-]+)", runbook.read_text()):
            assert f"def {command.replace('-', '_')}(" in admin, (
                f"{runbook.name} names {command}, which is not there"
            )


def test_every_metric_that_an_alarm_watches_is_counted_by_the_code() -> None:
    code = "".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    for name, alarm in _alarms().items():
        if alarm["Namespace"] == "signalbox":
            named = alarm["MetricName"]
            of_a_network = rf'f"{named.rpartition("_")[0]}_\{{\w+\.platform\}}"'
            counted = rf'metrics\.(count|measure_seconds)\(\s*("{named}"|{of_a_network})'
            assert re.search(counted, code), name
