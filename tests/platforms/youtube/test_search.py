"""Channels found by words: one search of the few that a day has, and one cheap look at what it found."""

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from chalicelib.core.clock import FixedClock
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AuthExpired, RateLimited
from chalicelib.platforms.port import Profile, Searching
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client
from tests.platforms.readers import recorded
from tests.platforms.subscriptions import NOW, TOKEN, raised

SERVER = "https://www.googleapis.com"


def search(answers: list[Answer], **credentials: str) -> tuple[Sequence[Profile], FakeTransport]:
    clock, transport = FixedClock(NOW), FakeTransport(answers)
    found = registry.searching("youtube", client(clock, transport), clock, MemorySessions())
    assert isinstance(found, Searching)
    return found.search("żółw & co", SERVER, credentials or {"api_key": TOKEN}), transport


def test_channels_come_in_the_order_of_the_search_with_handles_and_subscribers() -> None:
    found, transport = search([recorded("youtube", "search"), recorded("youtube", "channels")])
    assert [(one.handle, one.followers) for one in found] == [
        ("googledevelopers", 2300000),
        ("youtube", 40000000),
    ]
    assert [urlsplit(request.url).path for request in transport.requests] == [
        "/youtube/v3/search",
        "/youtube/v3/channels",
    ]
    first, second = (parse_qs(urlsplit(request.url).query) for request in transport.requests)
    assert (first["q"], first["type"], first["maxResults"]) == (["żółw & co"], ["channel"], ["50"])
    assert second["id"] == ["UC_x5XG1OV2P6uZZ5FSM9Ttw,UCBR8-60-B28hp2BmDPdntcQ"]
    assert all(request.headers["X-Goog-Api-Key"] == TOKEN for request in transport.requests)
    assert all(TOKEN not in request.url for request in transport.requests)


def test_nobody_found_is_one_call() -> None:
    found, transport = search([recorded("youtube", "search", items=[])])
    assert (list(found), len(transport.requests)) == ([], 1)


def test_a_channel_that_went_away_between_the_calls_is_left_out() -> None:
    found, _ = search([recorded("youtube", "search"), recorded("youtube", "channel")])
    assert [one.handle for one in found] == ["googledevelopers"]


def test_spent_searches_and_a_missing_key_say_so() -> None:
    error = raised(lambda: search([recorded("youtube", "quota_exceeded")]))
    assert isinstance(error, RateLimited)
    assert error.whole_app
    assert type(raised(lambda: search([], other="x"))) is AuthExpired
