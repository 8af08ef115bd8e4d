"""Answering somebody on Mastodon: they are told, nobody sees more than before, and it is found again."""

from dataclasses import replace

import pytest

from chalicelib.platforms.errors import Rejected, Unavailable
from chalicelib.platforms.port import Absent, Content, Found, ReplyTo
from tests.platforms.mastodon.server import FakeServer
from tests.platforms.support import NOW, Bench

ANSWER = Content("Dzień dobry! Sprawdzamy.", language="pl", reply_to=ReplyTo("7001", "ola@other.example"))


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.others = {"7001": "public"}
    return server


@pytest.fixture
def bench(server: FakeServer) -> Bench:
    return Bench("mastodon", server)


def answered(bench: Bench, content: Content) -> dict[str, str]:
    checkpoint = bench.adapter.plan(content, NOW, "reply_1")
    checkpoint = bench.adapter.prepare(bench.account, content, checkpoint)
    bench.adapter.publish(bench.account, content, checkpoint)
    sent: dict[str, str] = bench.sent()
    return sent


def test_an_answer_stands_under_what_it_answers_and_names_who_wrote_it(bench: Bench) -> None:
    sent = answered(bench, ANSWER)
    assert sent["in_reply_to_id"] == "7001"
    assert sent["status"] == "@ola@other.example Dzień dobry! Sprawdzamy."
    assert bench.calls() == ["GET /api/v1/statuses/7001", "POST /api/v1/statuses"]


@pytest.mark.parametrize("text", ["@ola@other.example dzień dobry", "Cześć, @OLA@other.example!"])
def test_a_person_who_is_named_already_is_not_named_twice(bench: Bench, text: str) -> None:
    assert answered(bench, replace(ANSWER, text=text))["status"] == text


@pytest.mark.parametrize("text", ["@ola hej", "x@ola@other.example", "@ola@other.examples hej"])
def test_somebody_of_a_similar_name_is_somebody_else(bench: Bench, text: str) -> None:
    assert answered(bench, replace(ANSWER, text=text))["status"] == f"@ola@other.example {text}"


@pytest.mark.parametrize(
    ("theirs", "ours", "shown"),
    [
        ("public", "public", "public"),
        ("unlisted", "public", "unlisted"),
        ("private", "unlisted", "private"),
        ("direct", "public", "direct"),
        ("public", "direct", "direct"),
    ],
)
def test_an_answer_is_shown_to_no_more_people_than_the_question(
    bench: Bench, server: FakeServer, theirs: str, ours: str, shown: str
) -> None:
    server.others["7001"] = theirs
    assert answered(bench, replace(ANSWER, options={"visibility": ours}))["visibility"] == shown


def test_what_is_gone_cannot_be_answered_and_nothing_is_written(bench: Bench, server: FakeServer) -> None:
    server.others.clear()
    with pytest.raises(Rejected, match="gone"):
        answered(bench, ANSWER)
    assert server.statuses == []


def test_a_visibility_that_nobody_knows_is_not_taken_for_public(bench: Bench, server: FakeServer) -> None:
    server.others["7001"] = "friends-of-friends"
    with pytest.raises(Unavailable):
        answered(bench, ANSWER)
    assert server.statuses == []


def test_the_name_counts_towards_the_limit(bench: Bench) -> None:
    limits = bench.adapter.traits.limits
    plain = bench.adapter.count(replace(ANSWER, reply_to=None), limits)
    assert bench.adapter.count(ANSWER, limits) == plain + len("@ola ")  # a mention counts as its local part


def test_an_answer_is_found_by_its_text_and_by_what_it_answers(bench: Bench, server: FakeServer) -> None:
    answered(bench, ANSWER)
    look = bench.adapter.find
    assert isinstance(look(bench.account, ANSWER, {}, NOW), Found)
    elsewhere = replace(ANSWER, reply_to=ReplyTo("7002", "ola@other.example"))
    assert look(bench.account, elsewhere, {}, NOW) == Absent()
    assert look(bench.account, replace(ANSWER, reply_to=None), {}, NOW) == Absent()
