"""What README.md and docs/ name is there: links, files, make targets, routes, admin commands, runbooks."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import app
from chalicelib.approvals.page import Form
from chalicelib.inbox.forms import ClaimIn
from chalicelib.inbox.reply_forms import ReplyIn, SavedReplyIn
from chalicelib.inbox.settings_forms import NewInboxSettings
from chalicelib.publishing.forms import HoldIn, PostIn, ReleaseIn, Why
from infra.admin import main as admin

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
# Where a name in a page may start from: pages call `core/http.py` what stands below chalicelib/.
BELOW = (ROOT, ROOT / "chalicelib", ROOT / "docs", ROOT / "infra")
SEARCHED = (".chalice", "chalicelib", "docs", "infra", "tests")
MADE = ("build/", ".local", ".venv", "stack.json")  # by commands, and not in the repository
_FILE = re.compile(
    r"[\w.<>*-]+(?:/[\w.<>*-]+)*\.(?:py|md|json|yaml|toml|txt|lock|html|css|js|png)|[\w.<>-]+(?:/[\w.<>-]+)+/"
)


def each_page(name: str = "page") -> pytest.MarkDecorator:
    return pytest.mark.parametrize(name, PAGES, ids=IDS)


def written(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code(text: str) -> Iterator[str]:
    """What stands in backticks, in fences and in indented blocks."""
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    yield from re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    yield from re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", written(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page()
def test_every_link_leads_somewhere(page: Path) -> None:
    text = written(page)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    for link in links:
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{link} is not there"
        assert not anchor or anchor in anchors(file), f"{link} has no such heading"


@each_page()
def test_every_file_that_is_named_is_there(page: Path) -> None:
    for piece in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", written(page)):
        if not _FILE.fullmatch(piece) or piece.startswith(MADE):
            continue
        pattern = re.sub(r"<\w+>", "*", piece).rstrip("/")
        assert any(_named(pattern, page.parent)), f"{piece} is not there"


def _named(pattern: str, here: Path) -> Iterator[Path]:
    """Files of that name: a path from one of the places it may start from, a bare name anywhere."""
    if "/" not in pattern:
        yield from (file for folder in SEARCHED for file in (ROOT / folder).rglob(pattern))
        yield from ROOT.glob(pattern)
    for place in (*BELOW, here, *(p for p in (ROOT / "chalicelib").iterdir() if p.is_dir())):
        yield from place.glob(pattern)


@each_page()
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", written(ROOT / "Makefile"), re.MULTILINE))
    named = {
        target for piece in code(written(page)) for target in re.findall(r"\bmake ([a-z][a-z-]*)", piece)
    }
    assert named <= known, f"there is no make {', '.join(named - known)}"


@each_page()
def test_every_route_that_is_named_exists(page: Path) -> None:
    for piece in code(written(page)):
        for method, path in re.findall(
            r"(?:\b(GET|HEAD|POST|PUT|PATCH|DELETE) )?\"?(?:\$API)?((?:/v1|/a)/[\w/{}$~.-]+)", piece
        ):
            found = [methods for route, methods in app.app.routes.items() if _fits(route, path)]
            assert found, f"there is no route {path}"
            assert not method or any(method in methods for methods in found), f"{path} does not take {method}"


def _fits(route: str, path: str) -> bool:
    """Whether the path is the route's, its ids written as {id}, as $VARIABLE or as one."""
    return fnmatch(path, re.sub(r"{\w+}", "*", route)) and route.count("/") == path.count("/")


@each_page()
def test_every_admin_command_that_is_named_exists(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(code(written(page)))
    for command in re.findall(r"infra/admin\.py --stage \w+ ([a-z][a-z-]*)", text):
        with pytest.raises(SystemExit) as ending:
            admin(["--stage", "local", command, "--help"])
        assert ending.value.code == 0, capsys.readouterr().err


@pytest.mark.parametrize("source", ["infra/template.yaml", "infra/package.py"])
def test_every_alarm_has_its_runbook(source: str) -> None:
    named = re.findall(r"docs/runbooks/[\w-]+\.md", written(ROOT / source))
    assert named
    for runbook in named:
        assert (ROOT / runbook).exists(), f"{runbook} is not there"


def test_every_runbook_belongs_to_an_alarm() -> None:
    sources = written(ROOT / "infra" / "template.yaml") + written(ROOT / "infra" / "package.py")
    for runbook in sorted((ROOT / "docs" / "runbooks").glob("*.md")):
        assert f"docs/runbooks/{runbook.name}" in sources, f"no alarm leads to {runbook.name}"


def test_pictures_are_shown_and_small() -> None:
    pages = "".join(written(page) for page in PAGES)
    pictures = sorted((ROOT / "docs" / "pictures").glob("*"))
    assert pictures
    for picture in pictures:
        assert picture.name in pages, f"{picture.name} is shown nowhere"
        assert picture.stat().st_size < 250_000, f"{picture.name} is too big"


# The walkthrough itself is run by tests/browser; here its bodies are held against the models.


def test_the_bodies_of_the_walkthrough_are_what_the_api_takes() -> None:
    text = written(ROOT / "docs" / "first-post.md")
    filled = re.sub(r"'\"\$(\w+)\"'", lambda m: {"WHEN": "2026-12-01T10:00:00+00:00"}.get(m[1], m[1]), text)
    models: dict[str, type[BaseModel]] = {
        "/v1/posts": PostIn,
        "/v1/holds": HoldIn,
        "/v1/holds/$HOLD/lift": Why,
    }
    calls = re.findall(r"-X POST \"\$API([^\"]+)\"[^\n]*? -d '(.*?)'", filled, re.DOTALL)
    assert {path for path, _ in calls} == set(models)
    for path, body in calls:
        models[path].model_validate_json(body)
    decision = re.search(r"-d (verdict=\w+)", text)
    assert decision
    assert Form.parse(decision[1].encode()).verdict == "approve"


def test_the_bodies_of_the_inboxs_walkthrough_are_what_the_api_takes() -> None:
    text = written(ROOT / "docs" / "inbox.md")
    filled = re.sub(r"'\"\$\w+\"'", "1", text)
    models: dict[str, type[BaseModel]] = {
        "/v1/inbox/$CONVERSATION/claim": ClaimIn,
        "/v1/inbox/$CONVERSATION/replies": ReplyIn,
        "/v1/inbox/settings/$UNIT": NewInboxSettings,
        "/v1/inbox/saved-replies/$UNIT": SavedReplyIn,
    }
    calls = re.findall(r"-X (?:POST|PUT) \"\$API([^\"]+)\"[^\n]*? -d '(.*?)'", filled, re.DOTALL)
    assert {path for path, _ in calls} == set(models)
    for path, body in calls:
        models[path].model_validate_json(body)


def test_the_bodies_of_the_other_pages_are_what_the_api_takes() -> None:
    released = _body("restore.md", '{"action": "drop"')
    assert ReleaseIn.model_validate(released).action == "drop"
    assert HoldIn.model_validate(_body("restore.md", '{"scope"')).scope == "all"


def _body(page: str, start: str) -> Any:
    text = written(ROOT / "docs" / page)
    return json.JSONDecoder().raw_decode(text, text.index(start))[0]


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "failures.md").read_text())
    assert named
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(), f"{file} has no {name}"
