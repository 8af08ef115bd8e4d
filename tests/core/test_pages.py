"""Templates and the headers of a page."""

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from chalicelib.core.pages import HtmlWords, Templates, page_headers
from chalicelib.core.words import Words


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    (tmp_path / "a.html").write_text(
        '<b>{{ say("Asked by: %(who)s", who=name) }}</b>{{ name }}{{ name|visible }}'
    )
    (tmp_path / "a.txt").write_text('{{ say("Asked by: %(who)s", who=name) }}')
    return Templates(tmp_path)


def test_html_is_escaped_and_text_is_not(templates: Templates) -> None:
    html = templates.html("a.html", Words("en"), name="<i>\u202e")
    assert html == "<b>Asked by: <bdi>&lt;i&gt;\u202e</bdi></b>&lt;i&gt;\u202e&lt;i&gt;⟨U+202E⟩"
    assert templates.text("a.txt", Words("en"), name="<i>") == "Asked by: <i>"


def test_a_value_that_is_missing_is_an_error(templates: Templates) -> None:
    with pytest.raises(UndefinedError):
        templates.html("a.html", Words("en"))


def test_a_value_that_looks_like_a_place_is_a_value() -> None:
    said = HtmlWords(Words("pl")).say(
        "%(who)s approved this: %(moment)s.", who="%(moment)s %s", moment="<now>"
    )
    assert said == "Zatwierdzone przez: <bdi>%(moment)s %s</bdi>, <bdi>&lt;now&gt;</bdi>."


def test_the_policy_allows_this_style_sheet_and_nothing_else() -> None:
    headers = page_headers("p{color:red}", ["https://media.test", "http://127.0.0.1:4566"])
    digest = base64.b64encode(hashlib.sha256(b"p{color:red}").digest()).decode()
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; "
        "img-src 'self' data: http://127.0.0.1:4566 https://media.test; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize(
    "origin", ["https://x.test; script-src *", "javascript:x", "https://x.test/path", "*"]
)
def test_an_origin_cannot_widen_the_policy(origin: str) -> None:
    with pytest.raises(ValueError, match="scheme and a host"):
        page_headers("", [origin])


def test_neither_jinja2_nor_gettext_is_loaded_before_a_page_is_made() -> None:
    code = (
        "import sys, chalicelib.approvals.routes, chalicelib.approvals.service, chalicelib.approvals.page;"
        "heavy = {'jinja2', 'gettext', 'markupsafe', 'pydantic', 'boto3', 'email.message'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
