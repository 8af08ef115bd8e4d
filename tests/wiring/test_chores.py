"""Every chore that somebody schedules has a handler, every handler a chore, every event its subscribers."""

import ast
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.subscriptions import SUBSCRIPTIONS
from chalicelib.wiring import Services
from tests.conftest import NOON

ROOT = Path(__file__).parents[2]


def calls(method: str) -> dict[str, str]:
    """First argument of every `.method("...")` in the code, by its module's constant too, and where it is."""
    found = {}
    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        tree = parsed(path)
        constants = constants_near(path)
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            first = constants.get(ast.unparse(node.args[0]), node.args[0])
            if node.func.attr == method and isinstance(first, ast.Constant):
                found[str(first.value)] = f"{path.name}:{node.lineno}"
    return found


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def constants_near(path: Path) -> dict[str, ast.Constant]:
    """The constants of a module and, where it has none of that name, of the others of its package."""
    found: dict[str, ast.Constant] = {}
    for file in (*sorted(path.parent.glob("*.py")), path):
        for node in parsed(file).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                found[ast.unparse(node.targets[0])] = node.value
    return found


def literals(file: str) -> set[str]:
    """Every text in a file that looks like an event's name."""
    tree = ast.parse((ROOT / file).read_text())
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return {t for t in texts if re.fullmatch(r"([A-Z][a-z]+){2,}", t)}


@pytest.fixture
def handled() -> set[str]:
    return set(Services(SimpleNamespace(), FixedClock(NOON), of_stage="dev")._chores())


def test_every_scheduled_chore_has_a_handler(handled: set[str]) -> None:
    scheduled = calls("chore")
    missing = {kind: at for kind, at in scheduled.items() if kind not in handled}
    assert not missing, f"nobody handles {missing}; add it to wiring.py"


def test_every_subscribed_chore_has_a_handler(handled: set[str]) -> None:
    for event, kinds in SUBSCRIPTIONS.items():
        assert set(kinds) <= handled, f"nobody handles {set(kinds) - handled} of {event}; add it to wiring.py"


def test_every_handler_is_for_a_chore_that_somebody_schedules(handled: set[str]) -> None:
    subscribed = {kind for kinds in SUBSCRIPTIONS.values() for kind in kinds}
    idle = handled - subscribed - set(calls("chore")) - _entries()
    assert not idle, f"nobody schedules {idle}; take it out of wiring.py"


def _entries() -> set[str]:
    """Kinds of entries that are made by hand, not by `change.chore`."""
    kinds = set()
    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        tree = parsed(path)
        constants = constants_near(path)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Entry" and len(node.args) > 2:
                kind = constants.get(ast.unparse(node.args[2]), node.args[2])
                if isinstance(kind, ast.Constant):
                    kinds.add(str(kind.value))
    return kinds


def test_every_event_that_is_emitted_is_known_and_every_known_one_is_emitted() -> None:
    emitted = set(calls("emit"))
    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        if ".emit(" in path.read_text() and path.parent.name != "core":
            emitted |= literals(path.relative_to(ROOT).as_posix()) & set(SUBSCRIPTIONS)
    assert set(calls("emit")) <= set(SUBSCRIPTIONS)
    assert emitted == set(SUBSCRIPTIONS)


def test_every_kind_of_entry_that_is_made_by_hand_is_handled(handled: set[str]) -> None:
    assert _entries() - handled == {"publish"}
    wiring = (ROOT / "chalicelib" / "wiring.py").read_text()
    assert 'Lane.PUBLISH, {"publish": self.publisher.publish}' in wiring


def test_a_handler_is_found_when_its_chore_comes() -> None:
    """By name: a misspelt service or method would only show in Lambda, when the first such chore comes."""
    services = Services(SimpleNamespace(), FixedClock(NOON), of_stage="dev")
    claim = Claim(Entry("e", Lane.CHORES, "kind", "ref", NOON), "owner", NOON)
    for handler in services._chores().values():
        # It gets as far as asking AWS, which is not there.
        with pytest.raises(
            AttributeError, match=r"SimpleNamespace' object has no attribute '(ssm|dynamodb|sqs|s3)'"
        ):
            handler(claim)
