"""The project's own Bluesky adapter against the local platform, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import HttpClient
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import Absent, AccountRef, Adapter, Content, Found, Media, Unsure
from tests.fakes.sessions import MemorySessions

World = Any
TEXT = "سلام @ola.test! Zażółć 👩🏽‍🍳 https://example.org/a_(b)?q=1. #می‌شود"


@dataclass
class Brand:
    """One account of the platform and the adapter that speaks for it."""

    client: Any
    clock: FixedClock
    adapter: Adapter
    account: AccountRef
    sessions: MemorySessions

    def publish(self, content: Content, checkpoint: Any = None) -> Any:
        planned = checkpoint or self.adapter.plan(content, self.clock.now(), "variant_1")
        prepared = self.adapter.prepare(self.account, content, planned)
        return prepared, self.adapter.publish(self.account, content, prepared)

    def find(self, content: Content, checkpoint: Any) -> Any:
        return self.adapter.find(self.account, content, checkpoint, self.clock.now())


@pytest.fixture
def brand(world: World) -> Brand:
    client = world.bluesky("brand.test", display_name="Sklep Żółw 🐢")
    clock, sessions = FixedClock(world.clock.now()), MemorySessions()
    http = HttpClient(clock, allowed_hosts=frozenset({f"127.0.0.1:{client.port}"}))
    server = f"http://127.0.0.1:{client.port}"
    account = AccountRef("account_1", "bluesky", "brand.test", server, "", {"password": "secret"})
    return Brand(client, clock, registry.adapter("bluesky", http, clock, sessions), account, sessions)


def picture(data: bytes) -> Media:
    return Media(
        "media_1", sha256(data).hexdigest(), "image/png", len(data), 4, 2, "Park o świcie", lambda: data
    )


def test_a_text_with_facets_and_a_picture_is_published_found_and_shown(
    world: World, brand: Brand, png: Callable[[int, int], bytes]
) -> None:
    world.bluesky("ola.test")
    content = Content(TEXT, (picture(png(4, 2)),), "fa")
    checkpoint, published = brand.publish(content)
    assert published.external_id == f"at://{brand.client.did}/app.bsky.feed.post/{checkpoint['rkey']}"
    assert brand.find(content, checkpoint) == Found(published)
    page = world.stranger.get(urlsplit(published.url).path).text
    assert '<a href="/profile/ola.test">@ola.test</a>' in page
    assert 'href="https://example.org/a_(b)?q=1"' in page
    assert "#می‌شود</a>" in page
    assert 'alt="Park o świcie" width="4" height="2"' in page
    assert 'lang="fa"' in page


def test_the_profile_is_read_with_its_name_and_last_post(brand: Brand) -> None:
    assert brand.adapter.profile(brand.account).last_post_at is None
    brand.publish(Content("Dzień dobry"))
    shown = brand.adapter.profile(brand.account)
    assert (shown.external_id, shown.handle, shown.display_name) == (
        brand.client.did,
        "brand.test",
        "Sklep Żółw 🐢",
    )
    assert (shown.last_post_at, shown.followers, shown.status) == (brand.clock.now(), 0, "active")


def test_a_post_whose_answer_was_lost_is_found_and_sent_again_without_a_second(
    world: World, brand: Brand
) -> None:
    content = Content(TEXT)
    checkpoint = brand.adapter.prepare(
        brand.account, content, brand.adapter.plan(content, brand.clock.now(), "variant_1")
    )
    assert brand.find(content, checkpoint) == Absent()
    world.misbehave(mode="accept_then_drop", route="statuses", times=1)
    with pytest.raises(OutcomeUnknown):
        brand.adapter.publish(brand.account, content, checkpoint)
    assert isinstance(brand.find(content, checkpoint), Found)
    brand.adapter.publish(brand.account, content, checkpoint)
    stats = world.control.get("/_local/stats").json
    assert stats["statuses_created_by_account"] == {"brand.test": 1}
    assert stats["idempotent_replays"] == 1


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("429", RateLimited),
        ("500", OutcomeUnknown),
        ("502_html", OutcomeUnknown),
        ("200_error_json", OutcomeUnknown),
        ("200_empty", OutcomeUnknown),
        ("drop", OutcomeUnknown),
        ("token_revoked", Unavailable),
        ("suspended", AuthExpired),
    ],
)
def test_each_failure_is_sorted_as_the_adapter_promises(
    world: World, brand: Brand, mode: str, error: type[Exception]
) -> None:
    world.misbehave(mode=mode, route="statuses", account="brand.test", times=1)
    with pytest.raises(error):
        brand.publish(Content("Hello"))
    assert world.control.get("/_local/stats").json["statuses_created"] == 0


def test_a_revoked_password_ends_in_a_request_to_connect_again(world: World, brand: Brand) -> None:
    brand.publish(Content("Hello"))
    world.misbehave(mode="token_revoked", account="brand.test")
    with pytest.raises(Unavailable):
        brand.publish(Content("Again"))
    with pytest.raises(AuthExpired):
        brand.publish(Content("Again"))


def test_a_suspended_account_is_neither_found_nor_absent(world: World, brand: Brand) -> None:
    content = Content("Hello")
    checkpoint, _ = brand.publish(content)
    world.misbehave(mode="suspended", account="brand.test")
    assert isinstance(brand.find(content, checkpoint), Unsure)


def test_a_text_that_is_too_long_is_refused_and_not_written(brand: Brand) -> None:
    with pytest.raises(Rejected, match="grapheme too big"):
        brand.publish(Content("x" * 301))


def test_one_sign_in_serves_many_posts(world: World, brand: Brand) -> None:
    world.control.post("/_local/settings", {"session_limit": 2})  # the fixture's own was the first
    for number in range(40):
        content = Content(f"Post {number}")
        brand.publish(content, brand.adapter.plan(content, brand.clock.now(), f"variant_{number}"))
    requests = world.control.get("/_local/stats").json["requests"]
    assert requests["POST /xrpc/com.atproto.server.createSession"] == 2
    brand.sessions.kept.clear()
    with pytest.raises(RateLimited):
        brand.publish(Content("a new sign-in"))
