"""Who may import whom (docs/layout.md): downward only, and from another package only its public files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.platforms import registry

ROOT = Path(__file__).parents[2]
BOX = ROOT / "chalicelib"
TIERS = {
    "core": 0,
    "platforms": 1,
    "org": 2,
    "accounts": 3,
    "approvals": 4,
    "publishing": 5,
    "subscriptions": 6,
    "wiring": 7,
    "openapi": 7,
    "routes": 8,
    "app": 9,
}
PUBLIC = {"model", "service", "events", "roles", "errors", "port", "registry", "sessions", "forms"}
MAY_IMPORT_WIRING = {"routes", "jobs"}
ONLY_IN_CORE = ("boto3", "urllib3", "socket")


def modules() -> list[Path]:
    return sorted(BOX.rglob("*.py"))


def package_of(path: Path) -> str:
    parts = path.relative_to(BOX).parts
    return parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", modules(), ids=named)
def test_imports_point_down_and_stay_out_of_private_files(path: Path) -> None:
    package = package_of(path)
    for target in imports_of(path):
        if not target.startswith("chalicelib.") or package in ("wiring", "__init__"):
            continue
        other, _, rest = target.removeprefix("chalicelib.").partition(".")
        if other == package or other not in TIERS:
            continue
        if other == "wiring" and path.stem in MAY_IMPORT_WIRING:
            continue
        assert TIERS[other] < TIERS[package], f"{named(path)}: `{package}` may not import `{other}`"
        file = rest.split(".")[0]
        if other != "core" and file and (BOX / other / f"{file}.py").exists():
            assert file in PUBLIC, f"{named(path)}: `{other}.{file}` is private to `{other}`"


@pytest.mark.parametrize("path", modules(), ids=named)
def test_the_time_the_environment_and_the_clients_are_read_in_core_only(path: Path) -> None:
    if package_of(path) == "core":
        return
    tree = ast.parse(path.read_text())
    names = {name.split(".")[0] for name in imports_of(path)}
    assert not names & set(ONLY_IN_CORE), f"{named(path)} imports {names & set(ONLY_IN_CORE)}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("environ", "getenv"), f"{named(path)}:{node.lineno} reads the environment"
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
            holder = node.value
            is_clock = isinstance(holder, ast.Name) and holder.id in ("datetime", "date", "time")
            assert not is_clock, f"{named(path)}:{node.lineno} reads the time; take it from the clock"


@pytest.mark.parametrize("network", registry.names())
def test_no_network_is_named_outside_its_own_folder(network: str) -> None:
    allowed = {BOX / "platforms" / network, BOX / "platforms" / "registry.py"}
    for path in modules():
        if any(place == path or place in path.parents for place in allowed):
            continue
        assert network not in path.read_text().lower(), f"{named(path)} names {network}"


@pytest.mark.parametrize("path", sorted(BOX.rglob("__init__.py")), ids=named)
def test_every_init_file_is_empty(path: Path) -> None:
    assert path.read_text() == ""
