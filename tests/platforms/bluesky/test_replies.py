"""Answering somebody on Bluesky: the record names what it answers and the thread's root, by hash."""

from typing import Any

import pytest

from chalicelib.platforms.errors import Rejected
from chalicelib.platforms.port import Content, Found, ReplyTo
from tests.platforms.bluesky.pds import OLA, FakePds
from tests.platforms.support import NOW, Bench

POST = "app.bsky.feed.post"
QUESTION = f"at://{OLA}/{POST}/3kquestion"
ANSWER = Content("Dzień dobry!", language="pl", reply_to=ReplyTo(QUESTION, "ola.test"))


@pytest.fixture
def pds() -> FakePds:
    pds = FakePds()
    pds.records["3kquestion"] = {"$type": POST, "text": "?", "createdAt": "2026-11-22T11:00:00Z"}
    return pds


@pytest.fixture
def bench(pds: FakePds) -> Bench:
    return Bench("bluesky", pds)


def answered(bench: Bench) -> Any:
    checkpoint = bench.adapter.plan(ANSWER, NOW, "reply_1")
    checkpoint = bench.adapter.prepare(bench.account, ANSWER, checkpoint)
    bench.adapter.publish(bench.account, ANSWER, checkpoint)
    return checkpoint


def test_an_answer_to_a_first_post_has_it_as_parent_and_as_root(bench: Bench, pds: FakePds) -> None:
    checkpoint = answered(bench)
    written = pds.records[checkpoint["rkey"]]
    assert written["reply"]["parent"]["uri"] == QUESTION
    assert written["reply"]["root"] == written["reply"]["parent"]
    assert written["reply"]["parent"]["cid"]
    assert written["text"] == ANSWER.text


def test_an_answer_inside_a_thread_keeps_the_threads_root(bench: Bench, pds: FakePds) -> None:
    root = {"uri": f"at://{OLA}/{POST}/3kroot", "cid": "bafyroot"}
    pds.records["3kquestion"]["reply"] = {"root": root, "parent": root}
    written = pds.records[answered(bench)["rkey"]]
    assert written["reply"]["root"] == root
    assert written["reply"]["parent"]["uri"] == QUESTION


def test_the_same_answer_again_is_the_same_record(bench: Bench, pds: FakePds) -> None:
    checkpoint = answered(bench)
    pds.records["3kquestion"]["text"] = "edited meanwhile"
    again = bench.adapter.prepare(bench.account, ANSWER, checkpoint)
    bench.adapter.publish(bench.account, ANSWER, again)
    assert pds.commits == 1
    assert isinstance(bench.adapter.find(bench.account, ANSWER, again, NOW), Found)


def test_what_is_gone_cannot_be_answered_and_nothing_is_written(bench: Bench, pds: FakePds) -> None:
    pds.records.clear()
    with pytest.raises(Rejected, match="gone"):
        answered(bench)
    assert pds.records == {}
