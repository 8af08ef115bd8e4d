"""What Chalice checks late or never (research on Chalice 1.34): names, handlers, policies, the real Lambda path."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import app
from chalicelib.subscriptions import SUBSCRIPTIONS

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = json.loads((ROOT / ".chalice" / "config.json").read_text())
JOBS = {"dispatch_due", "publish_posts", "run_chores"}
# What the first line of a job must not pay for; each is loaded by the entry that needs it.
HEAVY = ("boto3", "botocore", "pydantic", "jinja2", "urllib3", "regex", "aws_lambda_powertools", "zoneinfo")


def handlers() -> dict[str, str]:
    """Lambda name to handler string, as Chalice deploys them, without the API's."""
    return {h.name: h.handler_string for h in app.app.pure_lambda_functions + app.app.event_sources}


def in_fresh_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_config_names_exactly_the_functions_that_exist() -> None:
    assert set(CONFIG["lambda_functions"]) == set(handlers()) | {"api_handler"}
    assert set(handlers()) == JOBS


@pytest.mark.parametrize(("name", "handler"), sorted(handlers().items()))
def test_each_handler_string_leads_to_its_own_function_without_the_app(name: str, handler: str) -> None:
    module, _, function = handler.rpartition(".")
    code = (
        f"import sys, importlib; m = importlib.import_module({module!r}); f = getattr(m, {function!r});"
        f"print('app' in sys.modules, callable(f), {name!r} == {function!r})"
    )
    assert in_fresh_python(code) == "False True True"


@pytest.mark.parametrize("handler", sorted(handlers().values()))
def test_a_job_s_import_loads_nothing_heavy(handler: str) -> None:
    module = handler.rpartition(".")[0]
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert in_fresh_python(code) == "[]"


def test_the_api_s_import_loads_nothing_heavy() -> None:
    code = f"import sys, app; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert in_fresh_python(code) == "[]"


def test_full_function_names_fit_into_64_characters() -> None:
    longest_stage = "a" * 12  # infra/template.yaml's pattern
    for name in CONFIG["lambda_functions"]:
        assert len(f"{CONFIG['app_name']}-{longest_stage}-{name}") <= 64


def test_view_names_are_unique() -> None:
    views = [e.view_function for methods in app.app.routes.values() for e in methods.values()]
    names = [f"{v.__module__}.{v.__name__}" for v in set(views)]
    assert len({n.rpartition(".")[2] for n in names}) == len(set(names))


@pytest.mark.parametrize("name", sorted(CONFIG["lambda_functions"]))
def test_every_function_has_a_policy_of_its_own_that_names_its_rights(name: str) -> None:
    path = CONFIG["lambda_functions"][name]["iam_policy_file"]
    assert path == f"policies/{name}.json"
    for statement in json.loads((ROOT / ".chalice" / path).read_text())["Statement"]:
        actions, resources = _list(statement["Action"]), _list(statement["Resource"])
        assert not [a for a in actions if "*" in a], statement["Sid"]
        assert not [r for r in resources if r == "*" or r.endswith(":*:*")], statement["Sid"]


def test_no_function_may_change_or_delete_history() -> None:
    changing = {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
    for policy in (ROOT / ".chalice" / "policies").glob("*.json"):
        for statement in json.loads(policy.read_text())["Statement"]:
            if any(r.endswith("-history") for r in _list(statement["Resource"])):
                assert not changing & set(_list(statement["Action"])), f"{policy.name}: {statement['Sid']}"


def test_each_queue_has_a_dead_letter_queue_and_outlasts_its_worker_six_times() -> None:
    resources = _template()["Resources"]
    queues = {
        r["Properties"]["QueueName"]: r["Properties"]
        for r in resources.values()
        if r["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" in r["Properties"]
    }
    for lane, worker in (("publish", "publish_posts"), ("chores", "run_chores")):
        properties = queues[f"signalbox-${{Stage}}-{lane}"]
        timeout = CONFIG["lambda_functions"][worker]["lambda_timeout"]
        assert properties["VisibilityTimeout"] >= 6 * timeout
        assert properties["RedrivePolicy"]["maxReceiveCount"] >= 3


def test_each_alarm_has_its_runbook() -> None:
    alarms = [r for r in _template()["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) >= 6
    for alarm in alarms:
        runbook = alarm["Properties"]["AlarmDescription"].rpartition(" - ")[2]
        assert (ROOT / runbook).exists(), runbook


def test_every_chore_that_is_caused_has_a_handler_and_every_handler_a_cause() -> None:
    caused = {kind for kinds in SUBSCRIPTIONS.values() for kind in kinds}
    for path in (ROOT / "chalicelib").rglob("*.py"):
        text = path.read_text()
        caused |= set(re.findall(r'\.chore\(\s*"(\w+)"', text))
        caused |= set(re.findall(r'^_KIND = "(\w+)"', text, re.MULTILINE))
    handled = set(
        re.findall(r'^ {12}"(\w+)": lambda', (ROOT / "chalicelib/wiring.py").read_text(), re.MULTILINE)
    )
    assert caused == handled


def test_every_event_that_is_emitted_is_subscribed_and_the_other_way_round() -> None:
    emitted = set()
    for path in (ROOT / "chalicelib").rglob("*.py"):
        emitted |= set(re.findall(r'"((?:Post|Variant|Credentials)[A-Z][A-Za-z]+)"', path.read_text()))
    assert emitted == set(SUBSCRIPTIONS)


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _plain(loader: Any, suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


def _template() -> Any:
    """infra/template.yaml, with CloudFormation's short forms read as their plain argument."""
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", _plain)
    return yaml.load((ROOT / "infra" / "template.yaml").read_text(), loader)
