"""Mastodon profiles found by words on one server, with a token or without."""

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import Request
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AuthExpired, Rejected, Unavailable
from chalicelib.platforms.port import Profile, Searching
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client, reply
from tests.platforms.readers import recorded
from tests.platforms.subscriptions import NOW, TOKEN, raised


def search(answer: Answer, **credentials: str) -> tuple[Sequence[Profile], Request]:
    clock, transport = FixedClock(NOW), FakeTransport([answer])
    found = registry.searching("mastodon", client(clock, transport), clock, MemorySessions())
    assert isinstance(found, Searching)
    profiles = found.search("żółwie", "https://mastodon.social/", credentials)
    (request,) = transport.requests
    return profiles, request


def test_profiles_are_found_by_one_call_without_a_token() -> None:
    found, request = search(recorded("mastodon", "search"))
    assert [(one.handle, one.display_name, one.url) for one in found] == [
        ("catstar@catgram.jp", "catstar", "https://catgram.jp/@catstar"),
        ("catsareweird", "Cats Are Weird", "https://mastodon.social/@catsareweird"),
    ]
    assert [one.followers for one in found] == [318699, 318699]
    address = urlsplit(request.url)
    assert f"{address.netloc}{address.path}" == "mastodon.social/api/v2/search"
    assert parse_qs(address.query) == {"q": ["żółwie"], "type": ["accounts"], "limit": ["40"]}
    assert "Authorization" not in request.headers


def test_an_id_is_told_only_of_those_who_live_there() -> None:
    found, _ = search(recorded("mastodon", "search"))
    assert [one.external_id for one in found] == ["", "214293"]


def test_a_token_is_sent_where_there_is_one() -> None:
    _, request = search(recorded("mastodon", "search"), access_token=TOKEN)
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_server_for_members_only_and_a_bad_token_say_so() -> None:
    members_only, bad_token = recorded("mastodon", "members_only"), recorded("mastodon", "bad_token")
    assert type(raised(lambda: search(members_only))) is Rejected
    assert type(raised(lambda: search(bad_token, access_token=TOKEN))) is AuthExpired


def test_an_answer_without_a_list_is_not_nobody() -> None:
    for answer in (reply(200, {}), reply(200, []), reply(200, {"accounts": None})):
        assert type(raised(lambda answer=answer: search(answer))) is Unavailable  # type: ignore[misc]
    found, _ = search(recorded("mastodon", "search", accounts=[None, 5, {"id": 5}]))
    assert list(found) == []
