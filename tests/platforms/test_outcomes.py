"""Failure matrix row 6: whatever comes back from the unsafe call is one outcome, and nothing escapes."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.http import AddressRefused, MaybeSent, NotSent
from chalicelib.platforms import registry
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    NotReady,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.port import Absent, Content, Found, Several, Unsure
from tests.fakes.transport import Answer, reply
from tests.platforms.prepared import ready_to_publish
from tests.platforms.support import NOW, TEXT, Bench

EVERY = pytest.mark.parametrize("name", registry.names())
CLASSES = (AuthExpired, NotReady, OutcomeUnknown, RateLimited, Rejected, Unavailable, VersionGone)
HTML = b"<html><body>502 Bad Gateway</body></html>"

UNKNOWN: dict[str, Answer] = {
    "no answer in time, reset, over the cap, slow drip": MaybeSent("…"),
    "500": reply(500, {"error": "InternalServerError"}),
    "502 with a page": reply(502, body=HTML),
    "503": reply(503, {"error": "Service Unavailable"}),
    "504 empty": reply(504),
    "200 with an error": reply(200, {"error": "Something", "message": "went wrong"}),
    "200 empty": reply(200),
    "200 with a page": reply(200, body=HTML),
    "200 with a list": reply(200, []),
    "200 with null": reply(200, body=b"null"),
    "200 with wrong types": reply(200, {"id": 5, "uri": 5, "cid": []}),
    "200 with a strange id": reply(200, {"id": "../../x", "uri": "at://x", "cid": "y"}),
    "200 cut short": reply(200, body=b'{"id": "1'),
    "200 too deep": reply(200, body=b"[" * 100_000),
    "201": reply(201, {"id": "1"}),
    "202": reply(202, {"id": "1"}),
    "204": reply(204),
    "302": reply(302, headers={"Location": "https://elsewhere.example/"}),
    "307": reply(307, headers={"Location": "https://elsewhere.example/"}),
    "403 with a page": reply(403, body=HTML),
    "400 with a page": reply(400, body=HTML),
    "400 with a strange error": reply(400, {"error": {"code": 5}}),
    "401 empty": reply(401),
    "400 about another record": reply(400, {"error": "InvalidSwap", "message": "Record was at bafy"}),
    "418": reply(418, {"error": "teapot"}),
}

KNOWN: dict[str, tuple[Answer, type[AdapterError]]] = {
    "401": (reply(401, {"error": "The token is no good"}), AuthExpired),
    "403": (reply(403, {"error": "Your login is currently disabled"}), AuthExpired),
    "429 with a time": (reply(429, {"error": "Slow down"}, {"Retry-After": "60"}), RateLimited),
    "429 without": (reply(429, {"error": "Slow down"}), RateLimited),
    "429 with a page": (reply(429, body=HTML), RateLimited),
    "413": (reply(413, {"error": "PayloadTooLarge"}), Rejected),
    "no name, refused, no TLS": (NotSent("…"), Unavailable),
    "an address inside": (AddressRefused("…"), Rejected),
}


def outcome(name: str, answer: Answer) -> AdapterError:
    bench, checkpoint = ready_to_publish(name, TEXT, [answer])
    with pytest.raises(AdapterError) as caught:
        bench.adapter.publish(bench.account, TEXT, checkpoint)
    assert sum(isinstance(caught.value, kind) for kind in CLASSES) == 1
    return caught.value


@EVERY
@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_no_documented_answer_is_unknown(name: str, case: str) -> None:
    assert type(outcome(name, UNKNOWN[case])) is OutcomeUnknown


@EVERY
@pytest.mark.parametrize("case", KNOWN)
def test_a_documented_refusal_wrote_nothing(name: str, case: str) -> None:
    answer, kind = KNOWN[case]
    assert type(outcome(name, answer)) is kind


@EVERY
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    status=st.integers(100, 599),
    body=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["error", "id", "uri", "cid", "message", "url"]), inner, max_size=4
                )
            ),
        ),
    ),
    header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
)
def test_no_answer_at_all_escapes_as_anything_else(name: str, status: int, body: object, header: str) -> None:
    limits = {"Retry-After": header, "RateLimit-Reset": header, "X-RateLimit-Reset": header}
    answer = (
        reply(status, headers=limits, body=body) if isinstance(body, bytes) else reply(status, body, limits)
    )
    bench, checkpoint = ready_to_publish(name, TEXT, [answer])
    failed: AdapterError | None = None
    try:
        published = bench.adapter.publish(bench.account, TEXT, checkpoint)
    except AdapterError as error:
        failed = error
    if failed is None:
        assert status == 200
        assert published.external_id
        return
    assert sum(isinstance(failed, kind) for kind in CLASSES) == 1
    if isinstance(failed, RateLimited):
        assert NOW < failed.until <= NOW + timedelta(days=1)


@EVERY
@pytest.mark.parametrize("case", [*UNKNOWN, *KNOWN])
def test_no_answer_to_a_safe_step_is_ever_unknown(name: str, case: str) -> None:
    answer = UNKNOWN.get(case) or KNOWN[case][0]
    bench = Bench(name, lambda request: answer)
    with pytest.raises(AdapterError) as caught:
        bench.adapter.profile(bench.account)
    assert not isinstance(caught.value, OutcomeUnknown | NotReady)


@EVERY
@pytest.mark.parametrize("case", [*UNKNOWN, *KNOWN])
def test_no_answer_to_a_look_is_ever_absent_or_found(name: str, case: str) -> None:
    answer = UNKNOWN.get(case) or KNOWN[case][0]
    bench, checkpoint = ready_to_publish(name, TEXT, lambda request: answer)
    seen = bench.adapter.find(bench.account, TEXT, checkpoint, NOW)
    if case == "200 with a list" and name == "mastodon":
        assert seen == Absent()
    else:
        assert isinstance(seen, Unsure)
        assert (seen.until is not None) == case.startswith("429")


@EVERY
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "error",
                        "id",
                        "value",
                        "text",
                        "createdAt",
                        "created_at",
                        "content",
                        "media_attachments",
                        "active",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_a_look_at_anything_raises_nothing(name: str, body: object) -> None:
    bench, checkpoint = ready_to_publish(name, TEXT, lambda request: reply(200, body))
    seen = bench.adapter.find(bench.account, TEXT, checkpoint, NOW)
    assert isinstance(seen, Absent | Found | Several | Unsure)


@EVERY
def test_no_message_carries_a_secret_or_the_text(name: str) -> None:
    content = Content("a text that nobody may read in a log")
    for answer in [*UNKNOWN.values(), *(answer for answer, _ in KNOWN.values())]:
        bench, checkpoint = ready_to_publish(name, content, [answer])
        with pytest.raises(AdapterError) as caught:
            bench.adapter.publish(bench.account, content, checkpoint)
        said = f"{caught.value} {caught.value!r} {caught.value.as_dict()} {caught.value.__context__!r}"
        for secret in (content.text, *bench.account.credentials.values()):
            assert secret not in said


@EVERY
def test_publishing_is_one_request_whatever_it_answers(name: str) -> None:
    for answer in [*UNKNOWN.values(), *(answer for answer, _ in KNOWN.values())]:
        bench, checkpoint = ready_to_publish(name, TEXT, [answer])
        before = len(bench.transport.requests)
        with pytest.raises(AdapterError):
            bench.adapter.publish(bench.account, TEXT, checkpoint)
        assert len(bench.transport.requests) == before + 1
