"""Imports point down DESIGN's tiers; private files stay private; no network's name leaks; only core reads
time, environment and secrets. Each failure is a sentence.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.platforms import registry

ROOT = Path(__file__).parents[2]

# DESIGN section 4, lowest first.
TIERS: tuple[tuple[str, ...], ...] = (
    ("core",),
    ("platforms", "notify"),
    ("org",),
    ("accounts", "training", "tools", "editorial", "assets"),
    ("access", "approvals", "oncall"),
    (
        "publishing",
        "inbox",
        "inventory",
        "dormancy",
        "discovery",
        "platform_changes",
        "consistency",
        "advocacy",
    ),
    ("takedowns",),
    ("crisis", "analytics", "resourcing"),
    (
        "webhooks",
        "console",
        "wiring",
        "wiring_finding",
        "wiring_posting",
        "wiring_changes",
        "wiring_register",
        "wiring_kernel",
        "subscriptions",
        "openapi",
        "routes",
        "app",
    ),
)
TIER = {package: tier for tier, packages in enumerate(TIERS) for package in packages}
PRIVATE = {"store", "routes", "jobs", "forms", "views"}  # `settings_forms` is as private as `forms`
EDGE = ("/routes.py", "_routes.py", "/jobs.py")
# Blueprints share the app's request, and the document is made from the app's routes: both ask when called.
ASKS_THE_APP = {("core/endpoint.py", "app"), ("openapi.py", "app")}


@dataclass(frozen=True)
class Imported:
    """One import: in which file and line, of what, and whether it runs when the module is loaded."""

    file: str
    line: int
    module: str
    is_at_top: bool

    @property
    def package(self) -> str:
        """Who imports: the package, or the module's own name at the top."""
        return self.file.partition("/")[0].removesuffix(".py")

    @property
    def target(self) -> str | None:
        """Which of our packages is imported, if it is one of ours."""
        if self.module == "app":
            return "app"
        parts = self.module.split(".")
        return parts[1] if parts[0] == "chalicelib" and len(parts) > 1 else None

    @property
    def inner(self) -> str:
        """The module inside the package: `store` of `chalicelib.org.store`."""
        parts = self.module.split(".")
        return parts[2] if len(parts) > 2 else ""


def imports_of(file: str, source: str) -> Iterator[Imported]:
    tree = ast.parse(source)
    at_top = {node for statement in tree.body for node in _loaded(statement)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "chalicelib":
            names = [f"chalicelib.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names] if _is_package(node.module) else []
            )
            names = names or ["." * node.level + (node.module or "")]
        else:
            continue
        for name in names:
            yield Imported(file, node.lineno, name, node in at_top)


def _is_package(module: str | None) -> bool:
    parts = (module or "").split(".")
    return parts[0] == "chalicelib" and (ROOT / "/".join(parts)).is_dir()


def _loaded(statement: ast.stmt) -> Iterator[ast.AST]:
    """What runs when the module is loaded: not the bodies of functions, nor what only type checkers read."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
        return
    yield statement
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield from _loaded(child)


def sources() -> dict[str, str]:
    """Every module's text by its path below chalicelib; app.py too."""
    folder = ROOT / "chalicelib"
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.py"))}
    return {**found, "app.py": (ROOT / "app.py").read_text()}


def broken(imported: Imported) -> str | None:
    """The sentence that says what is wrong with an import, or None."""
    at = f"{imported.file}:{imported.line}"
    if imported.module.startswith("."):
        return f"{at}: write `chalicelib...` in full; a relative import hides who needs whom"
    target, package = imported.target, imported.package
    if target is None or package == target:
        return None
    if (imported.file, target) in ASKS_THE_APP and not imported.is_at_top:
        return None
    for name in (package, target):
        if name not in TIER:
            return f"{at}: `{name}` has no tier; put it into the table of tests/wiring/test_imports.py"
    if target == "wiring" and imported.file.endswith(EDGE):
        return None
    if TIER[package] == len(TIERS) - 1:  # the top: what puts the packages together
        return None
    if TIER[target] >= TIER[package]:
        return f"{at}: `{package}` may not import `{target}`, which is not below it; say it with an event"
    if imported.inner.rpartition("_")[2] in PRIVATE:
        return f"{at}: `{package}` may not import `{target}`'s {imported.inner}, which is private"
    return None


def test_imports_point_down_and_private_files_stay_private() -> None:
    sentences = [
        sentence
        for file, source in sources().items()
        for imported in imports_of(file, source)
        if (sentence := broken(imported))
    ]
    assert not sentences, "\n" + "\n".join(sentences)


@pytest.mark.parametrize(
    ("file", "source", "sentence"),
    [
        (
            "org/service.py",
            "from chalicelib.publishing.model import Post",
            "`org` may not import `publishing`",
        ),
        ("accounts/service.py", "from chalicelib.approvals import model", "may not import `approvals`"),
        ("core/mail.py", "def f():\n import chalicelib.org.model", "`core` may not import `org`"),
        (
            "publishing/service.py",
            "from chalicelib.org.store import Store",
            "`org`'s store, which is private",
        ),
        ("publishing/service.py", "from chalicelib.org import store", "`org`'s store, which is private"),
        ("publishing/service.py", "from chalicelib import wiring", "may not import `wiring`"),
        ("org/service.py", "from .store import Store", "in full"),
        ("novelty/service.py", "from chalicelib.core import ids", "`novelty` has no tier"),
        ("core/endpoint.py", "import app", "`core` may not import `app`"),
        ("publishing/routes.py", "from chalicelib.wiring import services", None),
        ("core/endpoint.py", "def f():\n import app", None),
        ("publishing/service.py", "from chalicelib.approvals.model import Request", None),
    ],
)
def test_the_rule_itself(file: str, source: str, sentence: str | None) -> None:
    (imported,) = imports_of(file, source)
    found = broken(imported)
    assert (sentence is None and found is None) or (sentence is not None and sentence in (found or ""))


def test_every_package_is_a_capability_with_an_empty_init() -> None:
    for init in (ROOT / "chalicelib").rglob("__init__.py"):
        assert init.read_text() == "", f"{init.relative_to(ROOT)} is not empty"


def test_aws_is_spoken_to_in_core_alone() -> None:
    for file, source in sources().items():
        for imported in imports_of(file, source):
            library = imported.module.partition(".")[0]
            if library == "boto3":
                assert file == "core/cloud.py", f"{file}:{imported.line}: clients are made in core/cloud.py"
            if library == "botocore":
                assert file.startswith("core/"), f"{file}:{imported.line}: AWS is reached through core"


def test_http_is_spoken_in_one_file() -> None:
    libraries = {"urllib3", "requests", "httpx", "aiohttp", "socket", "ssl", "smtplib", "http"}
    for file, source in sources().items():
        for imported in imports_of(file, source):
            if imported.module.partition(".")[0] in libraries or imported.module == "urllib.request":
                assert file in ("core/http.py", "core/addresses.py"), (
                    f"{file}:{imported.line}: use core/http.py"
                )


SERVES = ("app.py", "routes.py", "core/endpoint.py", "core/link_page.py")


def test_chalice_is_known_to_the_edge_alone() -> None:
    for file, source in sources().items():
        for imported in imports_of(file, source):
            if imported.module.partition(".")[0] == "chalice":
                is_edge = file in SERVES or file.endswith((*EDGE, "/page.py"))
                assert is_edge, f"{file}:{imported.line}: only routes, jobs and the app know Chalice"


READERS = {
    "core/clock.py": "time and date",
    "core/cloud.py": "the endpoint of the one-machine stack",
    "core/settings.py": "the stage",
}
READ = re.compile(
    r"\bdatetime\.(now|utcnow|today)\b|\bdate\.today\b|\btime\.(time|time_ns|localtime|gmtime)\b"
    r"|\bos\.(environ|getenv|environb)\b|\bgetenv\("
)


def test_only_core_reads_time_environment_and_secrets() -> None:
    for file, source in sources().items():
        found = READ.search(_code(source))
        if found:
            assert file in READERS, f"{file} reads {found.group()}; ask the clock or the settings"


def test_only_core_sleeps_and_measures() -> None:
    for file, source in sources().items():
        if not file.startswith("core/"):
            assert "time" not in {i.module for i in imports_of(file, source)}, (
                f"{file}: waiting belongs to core"
            )


KNOW_ALL = (
    "platforms/registry.py", "platforms/links.py", "platforms/reserved.txt", "takedowns/channels.json",
    "platform_changes/data/sources.json", "platform_changes/data/rules.json",
)  # fmt: skip


def test_no_networks_name_outside_its_folder() -> None:
    pattern = re.compile("|".join(registry.names()), re.IGNORECASE)
    for path in sorted((ROOT / "chalicelib").rglob("*")):
        file = path.relative_to(ROOT / "chalicelib").as_posix()
        if path.suffix not in (".py", ".html", ".txt", ".json") or "__pycache__" in file:
            continue
        if file in KNOW_ALL or file.startswith(tuple(f"platforms/{n}/" for n in registry.names())):
            continue
        found = pattern.search(path.read_text())
        assert found is None, f"{file} names {found and found.group()}: it belongs into its platform's folder"


def _code(source: str) -> str:
    """The source without comments and texts."""
    kept = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type in (tokenize.NAME, tokenize.OP)
    ]
    return re.sub(r"\s*([.(])\s*", r"\1", " ".join(kept))
