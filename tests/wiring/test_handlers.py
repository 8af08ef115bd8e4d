"""Every Lambda by its name, and what it loads: Chalice checks little of this, and late (1.34, tried)."""

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
# What the first line of a Lambda must not pay for; each is loaded by the event that needs it.
HEAVY = (
    "boto3", "botocore", "pydantic", "jinja2", "urllib3", "regex", "imagesize", "aws_lambda_powertools",
    "zoneinfo",
    "email.mime", "html.parser", "asyncio", "ssl",
)  # fmt: skip


def in_fresh_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={"PATH": ""}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", EVENT_HANDLERS)
def test_a_handlers_name_leads_to_the_very_function_that_was_registered(name: str) -> None:
    module, _, attribute = EVENT_HANDLERS[name].rpartition(".")
    found = getattr(importlib.import_module(module), attribute)

    assert found is app.app.handler_map[name]
    assert attribute == name


@pytest.mark.parametrize("name", EVENT_HANDLERS)
def test_a_handlers_name_leads_to_it_in_a_fresh_process_without_the_app(name: str) -> None:
    module, _, attribute = EVENT_HANDLERS[name].rpartition(".")
    told = in_fresh_python(
        f"import sys, {module} as m; h = m.{attribute};"
        "print('app' in sys.modules, type(h).__name__, h.func.__name__)"
    )
    assert told.split() == ["False", "EventSourceHandler", name]


@pytest.mark.parametrize("module", sorted({h.rpartition(".")[0] for h in EVENT_HANDLERS.values()} | {"app"}))
def test_a_cold_start_loads_nothing_that_the_first_event_may_not_need(module: str) -> None:
    told = in_fresh_python(f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert told == "[]", f"importing {module} loads {told}; import it inside the function that needs it"


@pytest.mark.parametrize("name", EVENT_HANDLERS)
def test_a_job_loads_of_ours_only_its_own_room_and_the_door(name: str) -> None:
    """Services come with the first event; other packages' modules with the first entry that needs them."""
    module = EVENT_HANDLERS[name].rpartition(".")[0]
    told = in_fresh_python(
        f"import sys, {module}; print(*[m for m in sys.modules if m.startswith('chalicelib.')])"
    )
    core = {"clock", "endpoint_guard", "entry", "errors", "log", "settings"}
    parts = (
        "wiring",
        "wiring_kernel",
        "wiring_register",
        "wiring_finding",
        "wiring_posting",
        "wiring_changes",
    )
    wiring = {f"chalicelib.{part}" for part in parts}
    allowed = {module, module.rpartition(".")[0], "chalicelib.core", *wiring}
    assert set(told.split()) <= allowed | {f"chalicelib.core.{m}" for m in core}


def test_names_are_unique_across_the_app() -> None:
    """The second of two functions of one name would silently win."""
    names = [node.name for _, node, _ in registered()]
    assert sorted(names) == sorted(set(names))
    views = {entry.view_name for methods in app.app.routes.values() for entry in methods.values()}
    assert sorted(names) == sorted(views | set(EVENT_HANDLERS))


def test_handlers_are_functions_written_out_one_by_one() -> None:
    """One registered in a loop would run the loop's last: Chalice keeps the function's own name."""
    for path, node, is_at_top in registered():
        assert is_at_top, f"{path}: {node.name} is not at the top of its module"


def test_every_handler_stands_behind_our_own_decorators() -> None:
    """Chalice's middleware does not run for a blueprint's jobs in Lambda. A page has one function for all."""
    for path, node, _ in registered():
        innermost = ast.unparse(node.decorator_list[-1]).partition("(")[0]
        is_page = ast.unparse(node.body[-1]).startswith(("return _page(", "return _answer(", "return serve("))
        is_ours = innermost in ("endpoint", "open_endpoint", "job", "worker", "record_worker")
        assert is_ours or is_page, f"{path}: {node.name} stands bare"


def registered() -> list[tuple[str, ast.FunctionDef, bool]]:
    """(file, function, whether it is at the top of its module) of everything put on a blueprint."""
    trees = {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
        for path in sorted((ROOT / "chalicelib").rglob("*.py"))
    }
    return [
        (path, node, node in tree.body)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any("bp." in ast.unparse(d) for d in node.decorator_list)
    ]


@pytest.mark.parametrize("stage", CONFIG["stages"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_full_name_fits_into_64_characters(name: str, stage: str) -> None:
    assert len(f"{CONFIG['app_name']}-{stage}-{name}") <= 64


def test_a_stage_as_long_as_the_template_allows_still_fits() -> None:
    longest = re.search(
        r'AllowedPattern: "\[a-z\]\[a-z0-9\]\{0,(\d+)\}"', (ROOT / "infra/template.yaml").read_text()
    )
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

    assert CONFIG["lambda_functions"]["api_handler"]["lambda_timeout"] * 1000 == CALL_FOR


def test_a_lease_outlives_the_worker_and_a_message_outlives_the_lease() -> None:
    from chalicelib.core.work import LEASE_FOR

    for name in ("publish_posts", "run_chores"):
        assert LEASE_FOR.total_seconds() >= CONFIG["lambda_functions"][name]["lambda_timeout"] + 30


def test_a_view_of_a_public_page_and_the_api_are_all_there_is() -> None:
    paths: dict[str, Any] = app.app.routes
    known = (
        "/v1/",
        "/webhooks/",
        "/a/",
        "/b/",
        "/k/",
        "/d/",
        "/p/",
        "/r/",
        "/q/",
        "/c/",
        "/registry",
        "/report",
    )
    assert all(path.startswith(known) or path in ("/", "/openapi.json") for path in paths)
