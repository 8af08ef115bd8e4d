"""Listening to a network's answers: each sign once, and never at an answer's cost."""

import json
import logging
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import MaybeSent, Request, Response
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AdapterError
from chalicelib.platforms.hearing import Hearing
from chalicelib.platforms.port import Published
from chalicelib.platforms.signals import Signal, SignalKind
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client, reply
from tests.platforms.bluesky.pds import FakePds
from tests.platforms.mastodon.server import FakeServer
from tests.platforms.support import NOW, WITH_PHOTO, account

USER = "https://api.x.com/2/users/12"
ABOUT = "GET /2/users/{id}"
DATA = {"data": {"id": "12"}}


@dataclass
class Ear:
    """A client that listens to one network; `said` are its next answers, `heard` the signals."""

    platform: str
    said: list[Answer]
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    heard: list[Signal] = field(default_factory=list)

    def __post_init__(self) -> None:
        http = client(self.clock, FakeTransport(self.said))
        signs = registry.signs(self.platform)
        self.client = Hearing(http, self.clock, self.platform, signs, self.heard.append)

    def get(self, url: str, method: str = "GET") -> Response:
        return self.client.send(Request(method, url))

    @property
    def told(self) -> list[tuple[SignalKind, str, str]]:
        return [(signal.what, signal.about, signal.detail) for signal in self.heard]


def told(platform: str, url: str, answer: Response, method: str = "GET") -> list[tuple[SignalKind, str, str]]:
    ear = Ear(platform, [answer])
    ear.get(url, method)
    return ear.told


@pytest.mark.parametrize(
    ("headers", "what", "on"),
    [
        ({"Deprecation": "@1798761600"}, SignalKind.DEPRECATED, date(2027, 1, 1)),
        ({"Deprecation": "true"}, SignalKind.DEPRECATED, None),
        ({"Deprecation": "@" + "9" * 11}, SignalKind.DEPRECATED, date(5138, 11, 16)),
        ({"Deprecation": "@" + "9" * 4000}, SignalKind.DEPRECATED, None),
        ({"Sunset": "Fri, 01 Jan 2027 00:00:00 GMT"}, SignalKind.SUNSET, date(2027, 1, 1)),
        ({"Sunset": "soon"}, SignalKind.SUNSET, None),
    ],
)
def test_headers_of_an_end_are_heard_with_the_day_that_they_name(
    headers: dict[str, str], what: SignalKind, on: date | None
) -> None:
    ear = Ear("x", [reply(200, DATA, headers)])
    ear.get(USER)
    assert ear.heard == [Signal("x", what, ABOUT, on.isoformat() if on else "", on)]


def test_what_is_not_deprecated_is_not_heard() -> None:
    assert told("x", USER, reply(200, DATA, {"Deprecation": "?0"})) == []


@pytest.mark.parametrize(
    ("platform", "url", "answer", "detail"),
    [
        ("x", USER, reply(426), "426"),
        ("linkedin", "https://api.linkedin.com/rest/posts", reply(410), "410"),
        (
            "linkedin",
            "https://api.linkedin.com/rest/posts",
            reply(426, {"status": 426, "code": "NONEXISTENT_VERSION", "message": "Version 202505 is gone"}),
            "426 NONEXISTENT_VERSION",
        ),
        (
            "linkedin",
            "https://api.linkedin.com/rest/posts",
            reply(400, {"status": 400, "code": "VERSION_MISSING", "message": "…"}),
            "400 VERSION_MISSING",
        ),
        (
            "facebook",
            "https://graph.facebook.com/v25.0/12",
            reply(200, {"error": {"message": "(#2635) You are calling a deprecated version", "code": 2635}}),
            "200 2635",
        ),
        (
            "bluesky",
            "https://social.example/xrpc/com.atproto.server.getSession",
            reply(501, {"error": "MethodNotImplemented", "message": "Method Not Implemented"}),
            "501 MethodNotImplemented",
        ),
    ],
)
def test_a_version_that_is_gone_is_heard_in_each_networks_words(
    platform: str, url: str, answer: Response, detail: str
) -> None:
    assert [(what, said) for what, _, said in told(platform, url, answer)] == [
        (SignalKind.VERSION_GONE, detail)
    ]


def test_a_thing_that_is_gone_is_no_version_that_is_gone() -> None:
    assert told("mastodon", "https://social.example/api/v1/accounts/12", reply(410, {"error": "Gone"})) == []


def test_an_error_that_no_table_knows_is_heard_and_known_ones_are_not() -> None:
    problem = {"title": "x", "detail": "d", "type": "https://api.x.com/2/problems/moon-phase"}
    assert told("x", USER, reply(403, problem)) == [(SignalKind.UNKNOWN_ERROR, ABOUT, "403 moon-phase")]
    known = problem | {"type": "https://api.x.com/2/problems/client-forbidden"}
    assert told("x", USER, reply(403, known)) == []
    graph = "https://graph.facebook.com/v25.0/12"
    named = "GET /{page-id}"
    assert told("facebook", graph, reply(400, {"error": {"code": 4711}})) == [
        (SignalKind.UNKNOWN_ERROR, named, "400 4711")
    ]
    assert told("facebook", graph, reply(400, {"error": {"code": 190}})) == []


def test_an_error_whose_name_is_a_text_somebody_wrote_is_not_heard() -> None:
    problem = {"error": "Secret words of ola@brand.test", "message": "m"}
    url = "https://social.example/xrpc/com.atproto.server.getSession"
    assert told("bluesky", url, reply(400, problem)) == []


def test_a_network_that_is_broken_says_nothing_of_a_change() -> None:
    problem = {"error": "SomethingNew", "message": "m"}
    url = "https://social.example/xrpc/com.atproto.server.getSession"
    assert told("bluesky", url, reply(503, problem)) == []


def test_fields_that_the_documentation_does_not_name_are_heard() -> None:
    assert told("x", USER, reply(200, DATA | {"warnings": [], "notes": {}})) == [
        (SignalKind.UNKNOWN_FIELD, ABOUT, "notes"),
        (SignalKind.UNKNOWN_FIELD, ABOUT, "warnings"),
    ]
    assert told("mastodon", "https://social.example/api/v1/accounts/12", reply(200, {"new": 1})) == []


def test_fields_are_looked_at_once_in_a_minute_for_each_call() -> None:
    ear = Ear("x", [reply(200, DATA), reply(200, DATA | {"a": 1}), reply(200, DATA | {"b": 1})])
    ear.get(USER)
    ear.get(USER)
    ear.clock.advance(minutes=1)
    ear.get(USER)
    assert [detail for _, _, detail in ear.told] == ["b"]


@pytest.mark.parametrize(
    ("limit", "heard"),
    [("300", False), ("900", False), ("75", True), ("0", False), ("", False), ("75, 75;w=900", True)],
)
def test_a_limit_below_the_documented_one_is_heard(limit: str, heard: bool) -> None:
    said = told("x", USER, reply(200, DATA, {"x-rate-limit-limit": limit}))
    assert said == ([(SignalKind.SMALLER_LIMIT, ABOUT, "75 of 300")] if heard else [])


def test_each_signal_is_told_once_in_a_day() -> None:
    gone = reply(426)
    ear = Ear("x", [gone] * 3)
    ear.get(USER)
    ear.get(USER)
    assert len(ear.heard) == 1
    ear.clock.advance(hours=24)
    ear.get(USER)
    assert len(ear.heard) == 2


def test_a_server_that_says_something_new_each_time_is_heard_a_hundred_times_a_day() -> None:
    answers = [reply(400, {"error": f"New{n}", "message": "m"}) for n in range(500)]
    ear = Ear("bluesky", list(answers))
    for _ in answers:
        ear.get("https://social.example/xrpc/com.atproto.server.getSession")
    assert len(ear.heard) == 100


def test_a_call_that_is_no_surface_of_the_network_is_not_heard() -> None:
    assert told("x", "https://pictures.example/a.png", reply(426)) == []


# At no answer's cost


def test_a_listener_that_fails_does_not_lose_the_answer_and_is_logged_without_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(signal: Signal) -> None:
        raise RuntimeError("secret")

    clock = FixedClock(NOW)
    http = client(clock, FakeTransport([reply(426, {"said": 1})]))
    ear = Hearing(http, clock, "x", registry.signs("x"), broken)
    with caplog.at_level(logging.WARNING):
        assert ear.send(Request("GET", USER)).status == 426
    assert [record.getMessage() for record in caplog.records] == ["an answer was not listened to"]
    assert "secret" not in repr([vars(record) for record in caplog.records])


def test_what_was_not_answered_is_raised_as_it_was() -> None:
    ear = Ear("x", [MaybeSent("…")])
    with pytest.raises(MaybeSent):
        ear.get(USER)
    assert ear.heard == []


def test_a_time_to_wait_is_read_as_without_listening() -> None:
    answer = reply(429, headers={"Retry-After": "90"})
    assert Ear("x", []).client.retry_at(answer) == client(FixedClock(NOW), FakeTransport([])).retry_at(answer)


HOSTILE = [
    b"[" * 200_000,
    b'{"error":' * 50_000,
    b'{"error":{"code":NaN}}',
    b'{"error":{"code":1e999}}',
    b'{"error":[[]],"errors":[{"type":{}}],"code":[]}',
    b'{"errors":"x","title":7,"type":[],"data":null}',
    b'{"\xff":1}',
    json.dumps({"x" * 5_000: 1}).encode(),
    json.dumps({f"field{n}": 1 for n in range(20_000)}).encode(),
    b"\x00" * 1_000_000,
]


@pytest.mark.parametrize("name", registry.all_names())
@pytest.mark.parametrize("status", [200, 400, 403, 410, 426, 501])
def test_whatever_a_body_is_the_answer_arrives_as_it_was(name: str, status: int) -> None:
    surface = registry.surfaces(name)[0]
    url = "https://a.example" + surface.path.replace("{", "").replace("}", "")
    headers = {"Deprecation": "\x7f" * 3_000, "Sunset": "31 Feb", "RateLimit-Limit": "9" * 5_000}
    answers = [reply(status, headers=headers, body=body) for body in HOSTILE]
    ear = Ear(name, list(answers))
    for answer in answers:
        got = ear.get(url, surface.method)
        assert (got.status, got.body, got.headers) == (answer.status, answer.body, answer.headers)
    assert all(len(signal.detail) < 100 and signal.detail.isprintable() for signal in ear.heard)


@given(
    st.sampled_from(registry.all_names()),
    st.integers(200, 599),
    st.recursive(
        st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126)),
)
def test_no_answer_can_be_changed_by_listening(name: str, status: int, body: Any, header: str) -> None:
    surface = registry.surfaces(name)[0]
    named = {"Deprecation": header, "Sunset": header, "X-RateLimit-Limit": header}
    answer = reply(status, body, named)
    ear = Ear(name, [answer])
    got = ear.get("https://a.example" + surface.path.replace("{", "").replace("}", ""), surface.method)
    assert (got.status, got.body) == (answer.status, answer.body)


LAST_WORDS: list[Response | None] = [
    None,
    *(reply(status, {"error": "New", "message": "m"}) for status in (400, 403, 410, 422, 426, 500)),
    *(reply(200, body=body) for body in HOSTILE),
]


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize("last", LAST_WORDS)
def test_a_posts_outcome_is_the_same_whoever_listens(name: str, last: Response | None) -> None:
    def outcome(listening: bool) -> tuple[str, str]:
        server: FakePds | FakeServer = FakePds() if name == "bluesky" else FakeServer()

        def answer(request: Request) -> Response:
            is_post = request.url.endswith(("putRecord", "/api/v1/statuses"))
            made = server(request)
            made = last if is_post and last else made
            return Response(made.status, type(made.headers)({**made.headers, "Sunset": "x"}), made.body, "")

        def broken(signal: Signal) -> None:
            heard.append(signal)
            raise SystemError

        heard: list[Signal] = []
        clock = FixedClock(NOW)
        http = client(clock, FakeTransport(answer))
        hearing = Hearing(http, clock, name, registry.signs(name), broken)
        adapter = registry.adapter(name, hearing if listening else http, clock, MemorySessions())
        ref = account(name)
        ready = adapter.prepare(ref, WITH_PHOTO, adapter.plan(WITH_PHOTO, NOW, "variant_1"))
        try:
            published: Published = adapter.publish(ref, WITH_PHOTO, ready)
        except AdapterError as error:
            return type(error).__name__, error.message
        finally:
            assert bool(heard) == listening
        return "Published", published.external_id

    assert outcome(listening=True) == outcome(listening=False)
