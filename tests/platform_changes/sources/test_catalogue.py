"""The list of sources is whole and well-formed."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.core.urls import Target
from chalicelib.platform_changes.model import SourceKind
from chalicelib.platform_changes.sources import catalogue
from chalicelib.platform_changes.sources.catalogue import sources
from chalicelib.platform_changes.sources.reader import reader

_FILE = Path(catalogue.__file__).parents[1] / "data" / "sources.json"
_PLATFORMS = {
    *("facebook", "instagram", "threads", "x", "linkedin"),
    *("tiktok", "youtube", "bluesky", "mastodon", "pinterest"),
}
# research/platforms.md A5: what can be read by a program
_ADDRESSES = (
    "https://docs.x.com/changelog/rss.xml",
    "https://www.linkedin-apistatus.com/api/v2/summary.json",
    "https://learn.microsoft.com/en-us/linkedin/marketing/integrations/recent-changes",
    "https://www.pintereststatus.com/api/v2/summary.json",
    "https://github.com/pinterest/api-description/releases.atom",
    "https://api.x.com/2/openapi.json",
    "https://www.googleapis.com/discovery/v1/apis/youtube/v3/rest",
    "https://developers.google.com/youtube/v3/revision_history",
    "https://developers.facebook.com/docs/graph-api/changelog",
    "https://developers.facebook.com/docs/graph-api/changelog/versions/",
    "https://pypi.org/rss/project/facebook-business/releases.xml",
    "https://developers.facebook.com/docs/threads/changelog",
    "https://developers.tiktok.com/doc/changelog",
    "https://docs.bsky.app/blog/rss.xml",
    "https://github.com/bluesky-social/atproto/releases.atom",
    "https://github.com/mastodon/mastodon/releases.atom",
    "https://{server}/api/v2/instance",
)


def test_every_platform_has_a_source() -> None:
    assert {source.platform for source in sources().values()} == _PLATFORMS


@pytest.mark.parametrize("address", _ADDRESSES)
def test_every_address_that_we_know_is_a_source(address: str) -> None:
    assert address in {source.url for source in sources().values()}


@pytest.mark.parametrize("key", list(sources()))
def test_a_source_can_be_looked_at(key: str) -> None:
    source = sources()[key]
    assert source.key == key
    assert key.startswith(f"{source.platform}-")
    assert reader(source.kind)
    for url in filter(None, (source.url, source.page_url)):
        assert Target.of(url.replace("{server}", "planted.example")).scheme == "https"
    assert source.known in ("page", "third_party", "memory")
    if source.kind is SourceKind.STATUS:
        assert source.every_for == timedelta(minutes=5)
    else:
        assert timedelta(hours=3) <= source.every_for <= timedelta(hours=12)
    assert source.patience_for >= 4 * source.every_for


def test_the_file_says_nothing_that_is_not_read() -> None:
    known = {
        "platform",
        "kind",
        "name",
        "url",
        "page_url",
        "every_minutes",
        "patience_hours",
        "known",
        "options",
    }
    options = {"section", "version", "named", "group", "components", "prefix", "format"}
    for told in json.loads(_FILE.read_text(encoding="utf-8"))["sources"].values():
        assert set(told) <= known
        assert set(told.get("options", {})) <= options
