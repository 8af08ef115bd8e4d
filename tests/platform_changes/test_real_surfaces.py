"""What real sources name is found among the calls that our code really makes."""

from datetime import date
from typing import Any

import pytest

from chalicelib.platform_changes.model import Finding, Kind
from chalicelib.platform_changes.recording import said_of
from chalicelib.platform_changes.sources.catalogue import sources
from chalicelib.platform_changes.sources.reader import reader
from chalicelib.platform_changes.touching import Mine, touched
from chalicelib.platforms.registry import surfaces

DISCOVERY = b"""{"revision": "%s", "resources": {"channels": {"methods": {"list": {
    "id": "youtube.channels.list", "path": "youtube/v3/channels", "httpMethod": "GET",
    "parameters": {"id": {"type": "string", "location": "query"}%s}}}}}}"""


def touches(platform: str, finding: Finding) -> bool:
    kind = finding.hint or Kind.BREAKING
    return bool(touched(said_of(finding), kind, surfaces(platform), [Mine("u")]))


@pytest.mark.parametrize(("platform", "more", "wanted"), [
    ("threads", {"operations": ("GET /me",)}, True),
    ("threads", {"operations": ("GET /me/threads",)}, True),
    ("threads", {"text": "A call of `GET /me/threads_insights` counts twice."}, True),
    ("threads", {"operations": ("POST /me/threads_publish",)}, False),
    ("linkedin", {"operations": ("GET /rest/networkSizes",), "text": "The old edgeType is refused."}, True),
    ("linkedin", {"text": "GET /rest/networkSizes refuses the old spelling."}, True),
    ("linkedin", {"operations": ("GET /rest/adAccounts",)}, False),
    ("youtube", {"text": "The search.list method has a quota of its own."}, True),
    ("youtube", {"text": "`commentThreads.list` loses an order."}, True),
    ("youtube", {"text": "`captions.download` and videos.insert lose a parameter."}, False),
    ("youtube", {"operations": ("GET /v3/channels",)}, True),
    ("youtube", {"operations": ("GET /youtube/v3/videos",)}, False),
    ("mastodon", {"fields": ("configuration.statuses.max_characters",), "hint": Kind.LIMIT,
                  "is_exact": True}, True),
    ("mastodon", {"fields": ("configuration.polls.max_options",), "hint": Kind.LIMIT,
                  "is_exact": True}, False),
])  # fmt: skip
def test_what_names_a_call_of_ours_touches_us(platform: str, more: dict[str, Any], wanted: bool) -> None:
    assert touches(platform, Finding("k", "Something is removed", **more)) is wanted


def test_a_parameter_that_leaves_the_discovery_document_touches_us() -> None:
    source = sources()["youtube-spec"]
    spec = reader(source.kind)
    handle = b', "forHandle": {"type": "string", "location": "query"}'
    before, after = (
        spec.read(source, DISCOVERY % part, "application/json") for part in ((b"1", handle), (b"2", b""))
    )
    (found,) = spec.compare(source, before, after, date(2026, 11, 23))
    assert found.hint == Kind.BREAKING
    assert touches("youtube", found)


@pytest.mark.parametrize("hint", [None, Kind.BREAKING])
def test_a_text_under_a_heading_that_says_its_kind_is_read_as_every_text(hint: Kind | None) -> None:
    text = "GET /rest/networkSizes: the spelling `COMPANY_FOLLOWED` is refused."
    named = Finding("k", "Changes", text, hint=hint, operations=("GET /rest/networkSizes",))
    assert touches("linkedin", named)
    assert touches("linkedin", Finding("k", "Changes", text, hint=hint, fields=("COMPANY_FOLLOWED",)))
