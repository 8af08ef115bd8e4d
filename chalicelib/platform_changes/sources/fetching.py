"""Getting what a source says now, unless it says that nothing has changed (RFC 9110 section 13)."""

import re
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.core.fetching import fetch as fetch_document
from chalicelib.core.http import HttpClient
from chalicelib.platform_changes.model import Source, SourceKind, SourceState

_FEED = "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5"
_PAGE = "text/html, text/markdown;q=0.9, */*;q=0.5"
_JSON = "application/json"
_ACCEPT = {
    SourceKind.FEED: _FEED,
    SourceKind.RELEASES: _FEED,
    SourceKind.STATUS: _JSON,
    SourceKind.SPEC: _JSON,
    SourceKind.SERVER: _JSON,
    SourceKind.VERSIONS: _PAGE,
    SourceKind.PAGE: _PAGE,
}
_BYTES_MOST = 2_000_000
_SPEC_BYTES_MOST = 8_000_000
_DEADLINE_FOR = timedelta(seconds=10)
_SPEC_DEADLINE_FOR = timedelta(seconds=25)
# What we send back as a header: one that could not be sent would make every later look fail.
_VALIDATOR = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,299}")


@dataclass(frozen=True)
class Answer:
    """What a source says; `etag` and `modified` are what to ask with the next time, or empty."""

    body: bytes
    content_type: str
    url: str
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True)
class Unchanged:
    """The source says what it said at the last look."""


def fetch(http: HttpClient, source: Source, state: SourceState) -> Answer | Unchanged:
    """What is at a source's address now. Raises NotFetched (core/fetching.py)."""
    is_spec = source.kind is SourceKind.SPEC
    known = {"If-None-Match": state.etag, "If-Modified-Since": state.modified}
    answer = fetch_document(
        http,
        source.url,
        _ACCEPT[source.kind],
        _SPEC_BYTES_MOST if is_spec else _BYTES_MOST,
        _SPEC_DEADLINE_FOR if is_spec else _DEADLINE_FOR,
        {name: value for name, value in known.items() if value},
    )
    if answer.status == 304:
        return Unchanged()
    return Answer(
        answer.body,
        answer.headers.get("Content-Type", "")[:200],
        answer.url,
        _validator(answer.headers.get("ETag", "")),
        _validator(answer.headers.get("Last-Modified", "")),
    )


def _validator(value: str) -> str:
    return value if _VALIDATOR.fullmatch(value) else ""
