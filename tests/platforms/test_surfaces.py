"""Surfaces say what is really sent: each network is walked once, and what it sends is what they declare."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import Request, Response
from chalicelib.platforms import registry
from chalicelib.platforms.errors import NotReady
from chalicelib.platforms.port import ABILITIES, AccountRef, Content, ReplyTo
from chalicelib.platforms.surfaces import Surface, called
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import FakeTransport, client, reply
from tests.platforms import readers, support
from tests.platforms.bluesky.pds import FakePds
from tests.platforms.mastodon.server import FakeServer
from tests.platforms.sent import names_in
from tests.platforms.subscriptions import DOOR, NOW, SECRET, TOKEN

EVERY = pytest.mark.parametrize("name", registry.all_names())
Body = Any
Bodies = dict[str, Body]
"""What a network answers to each call, or a function of the request that says it."""


def in_pages(*items: Body) -> Callable[[Request], Body]:
    """An edge of Meta's: its items, and one empty page more."""

    def answer(request: Request) -> Body:
        if "after=" in request.url:
            return {"data": []}
        return {"data": list(items), "paging": {"next": "https://next.example", "cursors": {"after": "a"}}}

    return answer


def notifications(request: Request) -> Body:
    return {"notifications": [], "cursor": "more"} if "cursor=" not in request.url else {"notifications": []}


POST = {"id": "1_2", "created_time": "2026-11-22T10:00:00+0000", "comments": in_pages()(Request("GET", ""))}
APPS: Bodies = {
    "GET /{node}/subscribed_apps": in_pages({"id": "another app"}),
    "POST /{node}/subscribed_apps": {"success": True},
}
EMPTY_FEED = reply(200, body=b'<feed xmlns="http://www.w3.org/2005/Atom"/>')
THREAD = {
    "id": "t",
    "snippet": {
        "videoId": "v",
        "totalReplyCount": 9,
        "topLevelComment": {"id": "t", "snippet": {"publishedAt": "2026-11-22T11:59:00Z"}},
    },
}


def threads(request: Request) -> Body:
    more = {} if "pageToken=" in request.url else {"nextPageToken": "more"}
    return {"kind": "k", "items": [THREAD]} | more


BODIES: dict[str, Bodies] = {
    "facebook": APPS
    | {
        "GET /{page-id}": readers.recorded("facebook", "page"),
        "GET /{page-id}/feed": in_pages(POST),
        "GET /{post-id}/comments": in_pages({"id": "1_3"}),
    },
    "instagram": APPS
    | {
        "GET /{id}": lambda request: readers.recorded(
            "instagram", "page" if "instagram_business_account" in request.url else "user"
        )
    },
    "threads": {
        "GET /{id}": readers.recorded("threads", "me"),
        "GET /{id}/threads": readers.recorded("threads", "threads"),
        "GET /{id}/threads_insights": readers.recorded("threads", "threads_insights"),
    },
    "whatsapp": APPS,
    "x": {
        "GET /2/users/{id}": readers.recorded("x", "user"),
        "GET /2/users/by/username/{username}": readers.recorded("x", "user"),
        "GET /2/users/search": readers.recorded("x", "search"),
        "GET /2/webhooks": {
            "data": [
                {"id": "7", "url": f"{DOOR}/x", "valid": True},
                {"id": "8", "url": f"{DOOR}/x-refused", "valid": False},
            ]
        },
        "POST /2/webhooks": {"data": {}},
        "PUT /2/webhooks/{webhook_id}": {"data": {}},
        "POST /2/webhooks/replay": {"data": {}},
        "GET /2/activity/subscriptions": lambda request: {
            "data": [{"webhook_id": "7", "event_type": "dm.sent", "filter": {"user_id": "2244994945"}}],
            "meta": {} if "pagination_token" in request.url else {"next_token": "more"},
        },
        "POST /2/activity/subscriptions": {"data": {}},
    },
    "linkedin": {
        "GET /rest/organizations/{id}": readers.recorded("linkedin", "organization"),
        "GET /rest/organizations": readers.recorded("linkedin", "by_vanity_name"),
        "GET /rest/networkSizes/{urn}": readers.recorded("linkedin", "network_size"),
        "GET /rest/posts": readers.recorded("linkedin", "posts"),
        "GET /rest/images/{urn}": readers.recorded("linkedin", "image"),
        "GET /rest/eventSubscriptions/{key}": {"webhook": "https://elsewhere.example"},
        "PUT /rest/eventSubscriptions/{key}": {},
        "GET /rest/organizationalEntityNotifications": {"elements": []},
    },
    "tiktok": {
        "POST /v2/oauth/token/": {"access_token": "renewed", "refresh_token": "r", "expires_in": 86_400},
        "GET /v2/user/info/": readers.recorded("tiktok", "user"),
        "POST /v2/video/list/": readers.recorded("tiktok", "videos"),
    },
    "youtube": {
        "GET /youtube/v3/channels": readers.recorded("youtube", "channel"),
        "GET /youtube/v3/playlistItems": readers.recorded("youtube", "uploads"),
        "GET /youtube/v3/search": readers.recorded("youtube", "search"),
        "GET /youtube/v3/commentThreads": threads,
        "GET /youtube/v3/comments": lambda request: (
            {"kind": "k", "items": []} | ({} if "pageToken=" in request.url else {"nextPageToken": "more"})
        ),
        "GET /feeds/videos.xml": EMPTY_FEED,
        "GET /xml/feeds/videos.xml": EMPTY_FEED,
        "POST /subscribe": reply(202),
    },
    "pinterest": {
        "GET /user_account": readers.recorded("pinterest", "user_account"),
        "GET /pins": readers.recorded("pinterest", "pins"),
    },
}
# Account and credentials with which all calls of a network are made, and the handle that is looked up.
ACCESS = {
    "access_token": TOKEN, "app_secret": SECRET, "app_id": "1", "page_id": "2", "bearer_token": TOKEN
}  # fmt: skip
RENEWED = {"refresh_token": "r", "client_key": "k", "client_secret": SECRET}
OURS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "facebook": ("20531316728", ACCESS),
    "instagram": ("17841405822304914", ACCESS),
    "threads": ("1234567", ACCESS),
    "whatsapp": ("102290129340398", ACCESS),
    "x": ("2244994945", ACCESS),
    "linkedin": ("urn:li:organization:2414183", ACCESS | {"person_id": "zLq"}),
    "tiktok": ("open-id", ACCESS),
    "youtube": ("UC_x5XG1OV2P6uZZ5FSM9Ttw", {"api_key": "the-key"}),
    "pinterest": ("549755885175", ACCESS),
}


def answering(name: str) -> Callable[[Request], Response]:
    """A network that knows the calls of BODIES and no others."""
    bodies = BODIES[name]
    known = [
        Surface(operation, "", method, path) for operation in bodies for method, path in [operation.split()]
    ]

    def answer(request: Request) -> Response:
        (surface,) = called(known, request.method, urlsplit(request.url).path)
        body = bodies[surface.name]
        said = body(request) if callable(body) else body
        return said if isinstance(said, Response) else reply(200, said)

    return answer


def walked(name: str) -> list[Request]:
    """Everything that our code can ask of a network, asked once."""
    if name in registry.names():
        return _adapter_walked(name)
    transport, clock = FakeTransport(answering(name)), FixedClock(NOW)
    made = (client(clock, transport), clock, MemorySessions())
    external_id, credentials = OURS[name]
    server = getattr(registry.inbound_only(name), "default_server", "")
    account = AccountRef("account_1", name, "brand", server, external_id, credentials)
    servers = [server, "https://graph.facebook.com"] if name == "instagram" else [server]  # its two logins
    if name in registry.reading_names():
        reader = registry.reading(name, *made)
        for at, known in product(servers, (external_id, "")):
            reader.profile(replace(account, server=at, external_id=known))
        reader.profile(replace(account, credentials=ACCESS))
        reader.profile(replace(account, credentials=RENEWED if name == "tiktok" else ACCESS))
        reader.activity(account)
    if searching := registry.searching(name, *made):
        searching.search("brand", server, credentials)
    if watching := registry.watching(name, *made):
        for at, end in product(servers, ("", "-refused", "-unknown")):
            watching.renew(replace(account, server=at), f"{DOOR}/{name}{end}", SECRET)
    if polling := registry.polling(name, *made):
        first = polling.poll(account, "").cursor
        polling.poll(account, first.replace('"t":9', '"t":0'))  # then the thread has new answers
    if filling := registry.back_filling(name, *made):
        filling.missed(account, NOW - timedelta(hours=3), NOW - timedelta(hours=1))
    return transport.requests


def _adapter_walked(name: str) -> list[Request]:
    """Those that publish: a post with a picture that answers another, its search, and what is polled."""
    pds, server = FakePds(), FakeServer(slow=1)
    fake: Callable[[Request], Response] = pds if name == "bluesky" else server
    parent = f"at://{support.EXTERNAL_IDS['bluesky']}/app.bsky.feed.post/3k" if name == "bluesky" else "7001"
    pds.records["3k"] = {"text": "before", "createdAt": "2026-11-22T10:00:00Z"}
    server.others["7001"] = "public"
    others: Mapping[str, Body] = {
        "/xrpc/app.bsky.notification.listNotifications": notifications,
        "/xrpc/app.bsky.feed.getAuthorFeed": readers.recorded("bluesky", "author_feed"),
        "/xrpc/app.bsky.actor.searchActors": readers.recorded("bluesky", "actors"),
        "/api/v1/notifications": lambda request: [],
        "/api/v1/accounts/lookup": readers.recorded("mastodon", "account"),
        "/api/v1/accounts/23634": readers.recorded("mastodon", "account"),
        "/api/v2/search": readers.recorded("mastodon", "search"),
    }

    def answer(request: Request) -> Response:
        said = others.get(urlsplit(request.url).path) or fake(request)
        said = said(request) if callable(said) else said
        return said if isinstance(said, Response) else reply(200, said)

    bench = support.Bench(name, answer)
    adapter, account = bench.adapter, bench.account
    options = {"visibility": "public", "spoiler_text": "w", "sensitive": "true"} if name == "mastodon" else {}
    content = Content(support.PERSIAN, (support.PHOTO,), "fa", options, ReplyTo(parent, "ola.test"))
    adapter.limits(account)
    done = adapter.plan(content, NOW, "variant_1")
    for _ in range(2):
        try:
            done = adapter.prepare(account, content, done)
        except NotReady as error:
            done = error.checkpoint or done
    for number in range(40):  # a full page, so that the next is asked for too
        server.add(f"filler {number}", seconds=number)
    adapter.publish(account, content, done)
    adapter.find(account, content, done, NOW)
    pds.records.clear()
    adapter.find(account, content, done, NOW)
    for ours in (account, AccountRef("a", name, "brand.test", account.server, "", {})):
        adapter.profile(ours)
        adapter.activity(ours)
    adapter.profile(AccountRef("a", name, "brand.test", account.server, "23634", {}))
    bench.clock.advance(hours=1, minutes=58)
    adapter.prepare(account, Content("x"), adapter.plan(Content("x"), bench.clock.now(), "variant_2"))
    polling = registry.polling(name, client(bench.clock, bench.transport), bench.clock, bench.sessions)
    searching = registry.searching(name, client(bench.clock, bench.transport), bench.clock, bench.sessions)
    assert polling is not None
    assert searching is not None
    polling.poll(account, polling.poll(account, "").cursor)
    searching.search("brand", account.server, account.credentials)
    return bench.transport.requests


@EVERY
def test_what_is_sent_is_what_the_surfaces_declare(name: str) -> None:
    surfaces = registry.surfaces(name)
    sent: dict[str, set[str]] = {}
    for request in walked(name):
        found = called(surfaces, request.method, urlsplit(request.url).path)
        assert found, f"{request!r} is no surface of {name}"
        for surface in found:
            sent.setdefault(surface.operation, set()).update(names_in(request))
    assert sent == {s.operation: set(s.takes) for s in surfaces if s.calls_out}


@EVERY
def test_a_surface_names_what_it_reads_and_what_it_is_for(name: str) -> None:
    surfaces = registry.surfaces(name)
    assert len({surface.name for surface in surfaces}) == len(surfaces)
    assert len({surface.operation for surface in surfaces}) == len(surfaces)
    abilities = {*ABILITIES, "search", "poll", "webhook", "subscription", "connect"}
    for surface in surfaces:
        assert surface.ability in abilities
        top = {field.partition(".")[0] for field in surface.uses}
        # a metric's name is a value in its answer, and what a change of it names
        assert not surface.answers or top <= surface.answers | {"followers_count"}, surface.operation
        assert surface.calls_out or (surface.uses and not surface.takes)


def test_every_network_of_the_registry_has_surfaces() -> None:
    used = {*registry.names(), *registry.reading_names(), *registry.receiving_names()}
    assert set(registry.all_names()) == used
    assert registry.surfaces("myspace") == ()


@pytest.mark.parametrize(
    ("name", "method", "path", "operations"),
    [
        ("x", "GET", "/2/users/search", ["GET /2/users/search"]),
        ("x", "GET", "/2/users/12", ["GET /2/users/{id}"]),
        ("x", "GET", "/2/users/by/username/brand", ["GET /2/users/by/username/{username}"]),
        ("x", "DELETE", "/2/users/12", []),
        ("x", "GET", "/2/users/12/tweets", []),
        ("pinterest", "GET", "/v5/pins", ["GET /pins"]),
        ("facebook", "GET", "/v25.0/12/feed", ["GET /{page-id}/feed"]),
        ("facebook", "GET", "/v25.0/me", ["GET /{page-id}"]),
        ("instagram", "GET", "/v26.0/12", ["GET /{ig-user-id}", "GET /{page-id}"]),
        ("mastodon", "GET", "/api/v1/accounts/lookup", ["GET /api/v1/accounts/lookup"]),
        ("mastodon", "POST", "/api/v1/media", []),
        ("linkedin", "GET", "/rest/eventSubscriptions/(a:b,c:d)", ["GET /rest/eventSubscriptions/{key}"]),
    ],
)
def test_a_request_is_of_the_surface_with_most_of_its_words(
    name: str, method: str, path: str, operations: list[str]
) -> None:
    assert [surface.operation for surface in called(registry.surfaces(name), method, path)] == operations


@given(st.text(), st.text())
def test_no_request_is_too_strange_to_be_looked_up(method: str, path: str) -> None:
    for name in registry.all_names():
        surfaces = registry.surfaces(name)
        assert set(called(surfaces, method, path)) <= {s for s in surfaces if s.method == method}
