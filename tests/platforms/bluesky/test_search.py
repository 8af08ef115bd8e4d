"""Bluesky profiles found by words: one call of the AppView, which says no followers."""

from urllib.parse import parse_qs, urlsplit

from chalicelib.core.clock import FixedClock
from chalicelib.platforms import registry
from chalicelib.platforms.errors import Unavailable
from chalicelib.platforms.port import Searching
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client, reply
from tests.platforms.readers import recorded
from tests.platforms.subscriptions import NOW, raised


def searching(answer: Answer) -> tuple[Searching, FakeTransport]:
    clock, transport = FixedClock(NOW), FakeTransport([answer])
    found = registry.searching("bluesky", client(clock, transport), clock, MemorySessions())
    assert isinstance(found, Searching)
    return found, transport


def test_profiles_are_found_by_one_call_without_a_session() -> None:
    network, transport = searching(recorded("bluesky", "actors"))
    found = network.search("sklep żółw", "https://bsky.social", {})
    assert [(one.handle, one.display_name, one.followers) for one in found] == [
        ("brand.test", "Sklep Żółw 🐢", None),
        ("handle.invalid", "", None),
    ]
    assert found[1].url == "https://bsky.app/profile/did:plc:d5tbffnq6emirb74juoukyjp"
    (request,) = transport.requests
    address = urlsplit(request.url)
    assert (address.netloc, address.path) == ("public.api.bsky.app", "/xrpc/app.bsky.actor.searchActors")
    assert parse_qs(address.query) == {"q": ["sklep żółw"], "limit": ["100"]}
    assert "Authorization" not in request.headers


def test_what_is_no_profile_and_what_comes_twice_is_left_out() -> None:
    (first, second) = recorded("bluesky", "actors").json()["actors"]
    network, _ = searching(recorded("bluesky", "actors", actors=[None, {"did": 5}, first, first, second]))
    assert [one.handle for one in network.search("x", "", {})] == ["brand.test", "handle.invalid"]


def test_an_answer_without_a_list_is_not_nobody() -> None:
    network, _ = searching(reply(200, {}))
    assert type(raised(lambda: network.search("x", "", {}))) is Unavailable
