"""Getting a source's document: conditionally, with few redirects, and never too much."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.core.fetching import NotFetched
from chalicelib.core.http import Headers, HttpClient, MaybeSent, Request, Response
from chalicelib.platform_changes.model import SourceKind, SourceState
from chalicelib.platform_changes.sources.fetching import Answer, Unchanged, fetch
from tests.platform_changes.sources.kit import source

FEED = source(SourceKind.FEED)
Pages = Mapping[str, tuple[int, dict[str, str], bytes]]
NEVER = SourceState("planted")


class Planted:
    """A transport that answers from a table of addresses, and keeps what it was asked."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.asked: list[Request] = []

    def send(self, request: Request, addresses: list[str]) -> Response:
        self.asked.append(request)
        status, headers, body = self.pages[request.url]
        if len(body) > request.max_bytes:
            raise MaybeSent("The answer is too large.")
        return Response(status, Headers(headers), body, request.url)


def client(transport: Planted, address: str = "93.184.216.34") -> HttpClient:
    return HttpClient(FixedClock(datetime(2026, 11, 23, tzinfo=UTC)), lambda host, port: [address], transport)


def test_the_first_look_gets_the_body_and_what_to_ask_with_next() -> None:
    told = {
        "Content-Type": "application/rss+xml",
        "ETag": '"a1"',
        "Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT",
    }
    transport = Planted({FEED.url: (200, told, b"<rss/>")})
    assert fetch(client(transport), FEED, NEVER) == Answer(
        b"<rss/>", "application/rss+xml", FEED.url, '"a1"', "Sun, 22 Nov 2026 10:00:00 GMT"
    )
    assert not {"If-None-Match", "If-Modified-Since"} & set(transport.asked[0].headers)
    assert "rss" in transport.asked[0].headers["Accept"]


def test_the_next_look_asks_with_it_and_hears_that_nothing_changed() -> None:
    transport = Planted({FEED.url: (304, {}, b"")})
    state = SourceState("planted", etag='"a1"', modified="Sun, 22 Nov 2026 10:00:00 GMT")
    assert fetch(client(transport), FEED, state) == Unchanged()
    asked = transport.asked[0].headers
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == ('"a1"', "Sun, 22 Nov 2026 10:00:00 GMT")


def test_an_unasked_304_is_no_answer() -> None:
    with pytest.raises(NotFetched, match="304"):
        fetch(client(Planted({FEED.url: (304, {}, b"")})), FEED, NEVER)


@pytest.mark.parametrize("etag", ["", "a\x7f", '"\u0142"', "x" * 400, " lead"])
def test_a_tag_that_could_not_be_sent_back_is_not_kept(etag: str) -> None:
    answer = fetch(client(Planted({FEED.url: (200, {"ETag": etag}, b"x")})), FEED, NEVER)
    assert isinstance(answer, Answer)
    assert answer.etag == ""


def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    hops: Pages = {f"https://planted.example/{n}": (302, {"Location": f"/{n + 1}"}, b"") for n in range(3)}
    end: Pages = {"https://planted.example/3": (200, {}, b"x")}
    start: Pages = {FEED.url: (301, {"Location": "/1"}, b"")}
    answer = fetch(client(Planted({**hops, **end, **start})), FEED, NEVER)
    assert isinstance(answer, Answer)
    assert answer.url == "https://planted.example/3"
    loop = Planted({FEED.url: (302, {"Location": FEED.url}, b"")})
    with pytest.raises(NotFetched, match="only led on"):
        fetch(client(loop), FEED, NEVER)
    assert len(loop.asked) == 4


@pytest.mark.parametrize(
    "place", ["http://planted.example/x", "ftp://planted.example/", "https://[::1", "https://a:9/"]
)
def test_a_redirect_to_where_we_may_not_go_is_not_followed(place: str) -> None:
    transport = Planted({FEED.url: (302, {"Location": place}, b"")})
    with pytest.raises(NotFetched):
        fetch(client(transport), FEED, NEVER)
    assert len(transport.asked) == 1


def test_a_private_address_is_never_asked() -> None:
    transport = Planted({FEED.url: (200, {}, b"x")})
    with pytest.raises(NotFetched, match="not a public address"):
        fetch(client(transport, "169.254.169.254"), FEED, NEVER)
    assert transport.asked == []


@pytest.mark.parametrize("kind", list(SourceKind))
def test_a_specification_may_be_8_mb_and_all_else_2_mb(kind: SourceKind) -> None:
    most = 8_000_000 if kind is SourceKind.SPEC else 2_000_000
    asked = source(kind)
    assert isinstance(fetch(client(Planted({asked.url: (200, {}, b"x" * most)})), asked, NEVER), Answer)
    with pytest.raises(NotFetched):
        fetch(client(Planted({asked.url: (200, {}, b"x" * (most + 1))})), asked, NEVER)


@pytest.mark.parametrize("status", [204, 206, 403, 404, 429, 500, 503])
def test_any_other_status_is_no_answer_and_is_named(status: int) -> None:
    with pytest.raises(NotFetched, match=str(status)):
        fetch(client(Planted({FEED.url: (status, {}, b"x")})), FEED, NEVER)
