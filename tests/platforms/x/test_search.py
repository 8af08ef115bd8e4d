"""Finding profiles on X by words, with an account's own access, where it is paid for."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock
from chalicelib.platforms import registry
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    OutOfCredit,
    RateLimited,
    Rejected,
    Unavailable,
)
from chalicelib.platforms.port import Profile, Searching
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client, reply
from tests.platforms.readers import recorded
from tests.platforms.subscriptions import HTML, NOW, TOKEN, raised
from tests.platforms.x.test_oauth import EXAMPLE

SERVER = "https://api.x.com"
USER_ACCESS = {"access_token": TOKEN}


class Search:
    def __init__(self, *answers: Answer) -> None:
        self.transport = FakeTransport(answers)
        clock = FixedClock(NOW)
        found = registry.searching("x", client(clock, self.transport), clock, MemorySessions())
        assert isinstance(found, Searching)
        self.searching = found

    def __call__(self, words: str, credentials: Mapping[str, str] = USER_ACCESS) -> Sequence[Profile]:
        return self.searching.search(words, SERVER, credentials)

    @property
    def query(self) -> str:
        return parse_qs(urlsplit(self.transport.requests[-1].url).query)["query"][0]


def test_a_search_is_one_call_and_gives_whole_profiles() -> None:
    search = Search(recorded("x", "search"))
    first, second = search("python developer")
    assert (first.external_id, first.handle, first.followers) == ("2244994945", "XDevelopers", 583423)
    assert first.opened_at is not None
    assert first.links == ("https://developer.x.com/en/community", "https://docs.x.com")
    assert (second.handle, second.verified, second.last_post_at) == ("pythondev", False, None)
    (request,) = search.transport.requests
    sent = urlsplit(request.url)
    assert (request.method, sent.path) == ("GET", "/2/users/search")
    assert parse_qs(sent.query)["max_results"] == ["20"]
    assert "most_recent_tweet_id" in parse_qs(sent.query)["user.fields"][0]
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_keys_that_do_not_end_sign_every_search_anew() -> None:
    search = Search(*[recorded("x", "search_for_nobody")] * 2)
    assert search("brand", EXAMPLE) == search("brand", EXAMPLE) == []
    first, second = (request.headers["Authorization"] for request in search.transport.requests)
    assert first.startswith("OAuth oauth_consumer_key=")
    nonces = [re.findall('oauth_nonce="([0-9a-f]{32})"', header) for header in (first, second)]
    assert nonces[0] != nonces[1]
    for secret in (EXAMPLE["api_secret"], EXAMPLE["access_token_secret"]):
        assert secret not in str([(r.url, r.headers) for r in search.transport.requests])


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("Zażółć Gęślą-Jaźń", "Zazolc Gesla Jazn"),
        ("Łódź! @brand_pl", "Lodz brand_pl"),
        ("  l'Oréal \n Paris ", "l'Oreal Paris"),
        ("brand فارسی", "brand"),
        ("a" * 80, "a" * 50),
    ],
)
def test_words_are_asked_for_as_x_takes_them(words: str, query: str) -> None:
    search = Search(recorded("x", "search_for_nobody"))
    search(words)
    assert search.query == query


@given(st.text(max_size=200))
def test_no_words_make_a_query_that_x_refuses(words: str) -> None:
    search = Search(recorded("x", "search_for_nobody"))
    try:
        search(words)
    except Rejected:
        assert search.transport.requests == []
    else:
        assert re.fullmatch(r"[A-Za-z0-9_' ]{1,50}", search.query)


def test_words_of_which_x_would_see_nothing_are_not_searched_for() -> None:
    assert "Latin letters" in raised(lambda: Search()("فارسی")).message


@pytest.mark.parametrize("credentials", [{}, {"api_key": "k", "api_secret": "s"}])
def test_missing_credentials_are_named(credentials: dict[str, str]) -> None:
    error = raised(lambda: Search()("brand", credentials))
    assert type(error) is AuthExpired
    assert "access_token, access_token_secret" in error.message


def test_a_profile_that_cannot_be_read_costs_no_other() -> None:
    users = [7, {"id": "1"}, {"id": "2", "username": "b"}, {"id": "3", "username": "<b>"}]
    found = Search(reply(200, {"data": users, "meta": {}}))("brand")
    assert [profile.handle for profile in found] == ["b"]


REFUSALS: dict[str, tuple[Answer, type[AdapterError]]] = {
    "no credits": (recorded("x", "no_credits"), OutOfCredit),
    "no credits, as a 403": (
        reply(403, {"title": "Forbidden", "type": "https://api.x.com/2/problems/credits"}),
        OutOfCredit,
    ),
    "the app's access alone": (recorded("x", "app_only"), AuthExpired),
    "an app that is not enrolled": (recorded("x", "not_enrolled"), AuthExpired),
    "401": (reply(401, {"title": "Unauthorized", "detail": "Unauthorized"}), AuthExpired),
    "400": (reply(400, {"title": "Invalid Request", "detail": "query"}), Rejected),
    "429": (reply(429, {"title": "Too Many Requests"}), RateLimited),
    "503": (reply(503, body=HTML), Unavailable),
    "nothing": (reply(200), Unavailable),
    "no list": (reply(200, {"data": {"id": "1"}}), Unavailable),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_is_one_of_the_classes(case: str) -> None:
    answer, kind = REFUSALS[case]
    search = Search(answer)
    error = raised(lambda: search("brand"))
    assert type(error) is kind
    assert TOKEN not in error.message
