"""Every Lambda by its name: Chalice checks none of this before it is deployed (research: style.md, C4 to C9)."""

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import app

ROOT = Path(__file__).parents[2]
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())
EVENT_HANDLERS = {source.name: source.handler_string for source in app.app.event_sources}
FUNCTIONS = ["api_handler", *EVENT_HANDLERS]


@pytest.mark.parametrize("name", EVENT_HANDLERS)
def test_a_handlers_name_leads_to_the_very_function_that_was_registered(name: str) -> None:
    module, _, attribute = EVENT_HANDLERS[name].rpartition(".")
    found = getattr(importlib.import_module(module), attribute)

    assert found is app.app.handler_map[name]
    assert attribute == name


@pytest.mark.parametrize("name", EVENT_HANDLERS)
def test_a_handlers_name_leads_to_it_in_a_fresh_process_without_the_app(name: str) -> None:
    module, _, attribute = EVENT_HANDLERS[name].rpartition(".")
    script = (
        f"import sys, {module} as m; h = m.{attribute};"
        "assert callable(h) and 'app' not in sys.modules, 'the app was loaded';"
        "print(type(h).__name__, h.func.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, env={"PATH": ""})

    assert done.stdout.split() == ["EventSourceHandler", name], done.stderr


def test_names_are_unique_across_the_app() -> None:
    """The second of two functions of one name would silently win."""
    names: list[str] = []
    for path in [*(ROOT / "chalicelib").rglob("routes.py"), *(ROOT / "chalicelib").rglob("jobs.py")]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and any("bp." in ast.unparse(d) for d in node.decorator_list):
                names.append(node.name)
    assert sorted(names) == sorted(set(names))
    registered = {entry.view_name for methods in app.app.routes.values() for entry in methods.values()}
    assert sorted(names) == sorted(registered | set(EVENT_HANDLERS))


def test_handlers_are_functions_written_out_one_by_one() -> None:
    """One registered in a loop would run the loop's last (aws/chalice keeps the function's own name)."""
    for path in [*(ROOT / "chalicelib").rglob("routes.py"), *(ROOT / "chalicelib").rglob("jobs.py")]:
        tree = ast.parse(path.read_text())
        top = {id(node) for node in tree.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any("bp." in ast.unparse(d) for d in node.decorator_list):
                assert id(node) in top, f"{path.name}: {node.name} is not at the top of its module"


@pytest.mark.parametrize("stage", CONFIG["stages"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_full_name_fits_into_64_characters(name: str, stage: str) -> None:
    assert len(f"{CONFIG['app_name']}-{stage}-{name}") <= 64


def test_a_stage_as_long_as_the_template_allows_still_fits() -> None:
    longest = re.search(r'AllowedPattern: "\[a-z\]\[a-z0-9\]\{0,(\d+)\}"', (ROOT / "infra/template.yaml").read_text())
    assert longest
    assert max(len(f"signalbox-{'x' * (int(longest[1]) + 1)}-{name}") for name in FUNCTIONS) <= 64


def test_the_configuration_names_exactly_the_functions_that_exist() -> None:
    assert sorted(CONFIG["lambda_functions"]) == sorted(FUNCTIONS)
    assert CONFIG["autogen_policy"] is False


def test_each_function_has_a_policy_of_its_own() -> None:
    files = {name: made["iam_policy_file"] for name, made in CONFIG["lambda_functions"].items()}

    assert files == {name: f"policies/{name}.json" for name in FUNCTIONS}
    existing = {f"policies/{p.name}" for p in (ROOT / ".chalice" / "policies").iterdir()}
    assert existing == set(files.values())


def test_a_functions_environment_is_set_by_stage_where_chalice_reads_it() -> None:
    """On a function at the top level Chalice drops it without a word."""
    assert all("environment_variables" not in made for made in CONFIG["lambda_functions"].values())
    for stage, made in CONFIG["stages"].items():
        assert made["environment_variables"] == {"SIGNALBOX_STAGE": stage}


def test_each_function_says_how_long_and_how_large_it_may_be() -> None:
    for name, made in CONFIG["lambda_functions"].items():
        assert 0 < made["lambda_timeout"] <= 900, name
        assert 128 <= made["lambda_memory_size"] <= 1024, name
    assert CONFIG["lambda_functions"]["api_handler"]["lambda_timeout"] == 29  # API Gateway's own limit
    assert CONFIG["lambda_functions"]["dispatch_due"]["lambda_timeout"] < 60  # the next tick comes by then


def test_the_idempotency_of_calls_knows_how_long_a_call_can_run() -> None:
    from chalicelib.core.idempotency import CALL_FOR

    assert CALL_FOR == CONFIG["lambda_functions"]["api_handler"]["lambda_timeout"] * 1000


def test_a_lease_outlives_the_worker_and_a_message_outlives_the_lease() -> None:
    from chalicelib.core.work import LEASE_FOR

    for name in ("publish_posts", "run_chores"):
        assert LEASE_FOR.total_seconds() >= CONFIG["lambda_functions"][name]["lambda_timeout"] + 30


def test_every_handler_stands_behind_our_own_decorators() -> None:
    """Chalice's middleware does not run for a blueprint's jobs in Lambda."""
    ours = {"endpoint", "open_endpoint", "page", "job", "worker"}
    for path in [*(ROOT / "chalicelib").rglob("routes.py"), *(ROOT / "chalicelib").rglob("jobs.py")]:
        for node in ast.parse(path.read_text()).body:
            decorators = [ast.unparse(d) for d in getattr(node, "decorator_list", [])]
            if any(d.startswith("bp.") for d in decorators):
                innermost = decorators[-1].partition("(")[0]
                assert innermost in ours, f"{path.parent.name}/{path.name}: {decorators[-1]} on {node.name}"  # type: ignore[attr-defined]


def test_a_view_of_a_public_page_and_the_api_are_all_there_is() -> None:
    paths: dict[str, Any] = app.app.routes
    assert all(path.startswith(("/v1/", "/a/")) or path in ("/", "/openapi.json") for path in paths)
