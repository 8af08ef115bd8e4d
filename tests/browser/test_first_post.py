"""The walkthrough of docs/first-post.md, run as it stands there against the stack."""

import re
import subprocess

import pytest

from infra.package import ROOT
from tests.browser.stack import Office

pytestmark = pytest.mark.browser

PAGE = ROOT / "docs" / "first-post.md"
# All that is changed: where this stack's addresses are, and how long the reader has to paste.
CHANGES = {".local/stack.json": "{folder}/stack.json", "seconds=90": "seconds=15"}


def test_the_first_post_of_the_docs_is_published_by_its_own_commands(office: Office) -> None:
    script = "".join(
        re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    )
    for written, used in CHANGES.items():
        assert written in script
        script = script.replace(written, used.format(folder=office.folder))

    said = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )

    assert said.returncode == 0, said.stderr
    states = [
        line for line in said.stdout.splitlines() if line in ("in_review", "200", "approved", "1", "lifted")
    ]
    assert states == ["in_review", "in_review", "200", "approved", "1", "lifted"]
    assert '"already_out":[{' in said.stdout
