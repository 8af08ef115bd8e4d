"""The walkthroughs of docs/first-post.md and docs/inbox.md, run as they stand there against the stack."""

import re
import subprocess
from pathlib import Path

import pytest

from infra.package import ROOT
from tests.browser.stack import Office

pytestmark = pytest.mark.browser

FIRST_POST, INBOX = ROOT / "docs" / "first-post.md", ROOT / "docs" / "inbox.md"
# All that is changed: where this stack's addresses are, and how long the reader has to paste.
CHANGES = {".local/stack.json": "{folder}/stack.json", "seconds=90": "seconds=15"}


def run(office: Office, *pages: Path) -> str:
    """What the pages' commands say, one page after the other in the same shell."""
    script = "".join(
        block
        for page in pages
        for block in re.findall(
            r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
    )
    for written, used in CHANGES.items():
        assert written in script
        script = script.replace(written, used.format(folder=office.folder))
    said = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=150, check=False
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


def test_the_commands_of_the_docs_publish_a_first_post_and_answer_the_first_comment(office: Office) -> None:
    said = run(office, FIRST_POST, INBOX)

    words = ("in_review", "200", "approved", "1", "lifted", "303", "answered", "ok")
    states = [line for line in said.splitlines() if line in words]
    published, inbox = ["in_review", "in_review", "200", "approved", "1", "lifted"], ["303", "1", "answered"]
    settings, webhook = ["1"], ["ok", "ok", "1"]
    assert states == [*published, *inbox, *settings, *webhook]
    assert '"already_out":[{' in said
    assert '"percent_in_time":100.0' in said
