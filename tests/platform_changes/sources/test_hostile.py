"""Bodies that were made to hurt: each is a snapshot or a changed shape, and neither grows nor takes long.

Work is counted in lines of ours that run, not in seconds: what took twice as long for a body twice as large
must not take four times as long.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from chalicelib.platform_changes.model import SourceKind
from chalicelib.platform_changes.sources.markdown import markdown_blocks
from chalicelib.platform_changes.sources.reader import ChangedShape, reader
from chalicelib.platform_changes.sources.text import html_blocks, plain
from tests.platform_changes.sources.kit import page, source

_BOMB = (
    "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a0 'lol'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + "]><rss version='2.0'><channel><title>&a9;</title></channel></rss>"
)
_HTML: dict[str, Callable[[int], str]] = {
    "tags that never close": lambda n: "<div>" * n,
    "formatting that never closes": lambda n: "<b><p>" * n,
    "remarks that never end": lambda n: "<!--" * n,
    "brackets": lambda n: "<" * n,
    "a tag that never ends": lambda n: "<a " + "x " * n,
    "attributes": lambda n: "<p " + "".join(f"a{i}=b " for i in range(n)) + ">x",
    "quotes that never end": lambda n: '<a b="' * n,
    "both quotes": lambda n: "<a b=\"'" * n + ">",
    "end tags": lambda n: "</nav></main>" * n,
    "asides": lambda n: "<nav>" * n + "</nav>" * n,
    "regions": lambda n: "<main>" * n,
    "scripts": lambda n: "<script>" * n,
    "tables": lambda n: "<table><tr><td>" * n,
    "code": lambda n: "<code>`" * n,
    "entities": lambda n: "&amp;&#x41;&bad" * n,
    "doctypes": lambda n: "<!doctype <?" * n,
}
_MARKDOWN: dict[str, Callable[[int], str]] = {
    "links": lambda n: "[" * n,
    "link ends": lambda n: "[a](" * n,
    "pictures": lambda n: "![" * n + "](" * n,
    "stars": lambda n: "*_" * n,
    "ticks": lambda n: "`" * n,
    "bars": lambda n: "|" * n,
    "labels": lambda n: "<Update " * n,
    "hashes": lambda n: "#" * n + " a",
    "backslashes": lambda n: "\\" * n,
    "fences": lambda n: "```\n" * n,
    "tags": lambda n: "<a" * n,
}


def lines_run(work: Callable[[], Any]) -> int:
    """How many lines of Python a call runs, whatever it ends in."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except ChangedShape:
        pass
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", list(_HTML))
def test_hostile_html_takes_no_more_than_its_length(name: str) -> None:
    small, large = (lines_run(lambda n=n: html_blocks(_HTML[name](n))) for n in (500, 1500))  # type: ignore[misc]
    assert large < 4 * small + 2000


@pytest.mark.parametrize("name", list(_HTML))
def test_two_megabytes_of_hostile_html_end(name: str) -> None:
    body = _HTML[name](600_000)[:2_000_000]
    try:
        found = html_blocks(body)
    except ChangedShape:
        return
    assert sum(len(block.text) for block in found) <= len(body)


@pytest.mark.parametrize("name", list(_MARKDOWN))
def test_two_megabytes_of_hostile_markdown_end(name: str) -> None:
    for body in (_MARKDOWN[name](600_000)[:2_000_000], (_MARKDOWN[name](2000)[:8000] + "\n") * 200):
        with suppress(ChangedShape):
            markdown_blocks(body)


@pytest.mark.parametrize("kind", list(SourceKind))
@pytest.mark.parametrize(
    "body",
    [
        _BOMB.encode(),
        b"<?xml version='1.0'?><rss version='2.0'>" + b"<a>" * 600_000,
        b"<rss version='2.0'><channel>" + b"<item/>" * 280_000 + b"</channel></rss>",
        b"[" * 2_000_000,
        b'{"a":' * 400_000,
        b'{"paths":{"a":' + b"9" * 1_000_000 + b"}}",
        b'{"version": "\\ud800", "incidents": [], "page": {"x": 1}}',
        b"\xff" * 2_000_000,
        b" " * 2_000_000,
        b"\xef\xbb\xbf",
        "\u202e\ufeff".encode() * 1000,
    ],
    ids=[
        "entities",
        "deep xml",
        "wide xml",
        "deep array",
        "deep json",
        "long number",
        "surrogate",
        "ff",
        "blank",
        "bom",
        "marks",
    ],
)
def test_no_body_hurts_any_reader(kind: SourceKind, body: bytes) -> None:
    asked = source(kind)
    for content_type in ("", "text/markdown", "text/html; charset=utf-7"):
        snapshot = {}
        with suppress(ChangedShape):
            snapshot = dict(reader(kind).read(asked, body, content_type))
        assert len(json.dumps(snapshot)) < 2_000_000


@pytest.mark.parametrize("kind", list(SourceKind))
def test_a_snapshot_is_plain_json_that_says_the_same_when_it_comes_back(kind: SourceKind) -> None:
    asked = source(kind)
    bodies = {
        SourceKind.FEED: "<rss version='2.0'><channel><item><title>1.2.3</title></item></channel></rss>",
        SourceKind.RELEASES: "<rss version='2.0'><channel><item><title>1.2.3</title></item></channel></rss>",
        SourceKind.STATUS: '{"page": {"name": "p"}, "incidents": []}',
        SourceKind.SPEC: '{"paths": {"/a": {"get": {"responses": {}}}}}',
        SourceKind.SERVER: '{"version": "4.4.0"}',
        SourceKind.PAGE: page("Words."),
        SourceKind.VERSIONS: page("# v26.0", "Words."),
    }
    read = reader(kind).read(asked, bodies[kind].encode(), "")
    assert json.loads(json.dumps(read)) == read


def test_a_wall_of_paragraphs_is_refused() -> None:
    with pytest.raises(ChangedShape, match="more than"):
        html_blocks("<p>a" * 30_000)
    with pytest.raises(ChangedShape, match="more than"):
        markdown_blocks("a\n\n" * 30_000)


def test_plain_text_stays_as_it_is_and_markup_is_taken_off() -> None:
    assert plain("a  b\n c") == "a b c"
    assert plain("1 < 2 &amp; 3 > 2") == "1 < 2 & 3 > 2"
    assert plain("<p>a<br>b</p><ul><li>c</li></ul>") == "a b c"
    assert plain("<a title='x > y' class=\"[&>p]:mt-4\">w</a>") == "w"


def test_markup_that_is_broken_throughout_is_given_up() -> None:
    with pytest.raises(ChangedShape, match="broken throughout"):
        html_blocks("<a <b>" * 1001)
