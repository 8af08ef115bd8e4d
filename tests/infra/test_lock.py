"""The locks: what is installed everywhere, and nothing that belongs to one machine."""

import re

import pytest

from infra.package import ROOT


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()[1:]
    return dict(line.split("==") for line in lines)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_names_and_versions_only(name: str) -> None:
    for line in (ROOT / name).read_text().splitlines()[1:]:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9A-Za-z.+]*", line), line


def test_what_ships_is_what_is_tested() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize("kind", ["requirements", "requirements-dev"])
def test_every_named_requirement_is_locked(kind: str) -> None:
    lines = (ROOT / f"{kind}.txt").read_text().splitlines()
    named = {re.split(r"[\[<>=!~ ]", line)[0] for line in lines if line and line[0] not in "#-"}
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in named} <= pins(f"{kind}.lock").keys()
