"""Comments that an outage kept from a page, listed and brought into the form of the webhook."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core.http import Response
from chalicelib.platforms.errors import AuthExpired, Unavailable
from chalicelib.platforms.inbound import InboundEvent, InboundKind
from chalicelib.platforms.meta.configuration import GRAPH_VERSION
from chalicelib.platforms.meta.facebook import FacebookWebhook
from tests.fakes.transport import reply
from tests.platforms.subscriptions import (
    HTML,
    TOKEN,
    Bench,
    check_no_secret_is_shown,
    everything_logged,
    raised,
    ref,
)
from tests.platforms.webhooks import only

PAGE_ID = "100064583471102"
POST_ID = f"{PAGE_ID}_1198837625012734"
PAGE = ref("facebook", "https://graph.facebook.com", PAGE_ID, {"access_token": TOKEN})
MADE = datetime.fromtimestamp(1791278623, UTC)
SINCE, UNTIL = MADE - timedelta(hours=1), MADE + timedelta(hours=1)
COMMENT = {
    "id": "1198837625012734_5520817364092219",
    "from": {"id": "6321557154518", "name": "Zażółć Gęślą"},
    "message": "Pytanie: ile to kosztuje? 👩🏽‍🍳 سلام",
    "created_time": MADE.strftime("%Y-%m-%dT%H:%M:%S+0000"),
}
ANSWER = {
    "id": "1198837625012734_5520817364092300",
    "from": {"id": PAGE_ID, "name": "The page"},
    "message": "42 zł",
    "created_time": datetime.fromtimestamp(1791279000, UTC).isoformat(),
    "parent": {"id": COMMENT["id"]},
}
OWN_POST = {
    "id": POST_ID,
    "from": {"id": PAGE_ID, "name": "The page"},
    "message": "Our post",
    "created_time": COMMENT["created_time"],
}


def feed(*comments: object, **post: object) -> Response:
    return reply(200, {"data": [{**OWN_POST, "comments": {"data": list(comments)}, **post}]})


def missed(bench: Bench, since: datetime = SINCE, until: datetime = UNTIL) -> list[InboundEvent]:
    pieces = bench.back_filling.missed(bench.account, since, until)
    return [e for piece in pieces for e in FacebookWebhook().normalise(json.loads(json.dumps(piece)))]


def test_a_missed_comment_has_the_key_and_the_facts_that_its_delivery_has() -> None:
    (found,) = missed(Bench(PAGE, [feed(COMMENT)]))
    assert found == only(FacebookWebhook(), "comment")


def test_an_answer_of_the_page_itself_is_its_own_and_in_its_thread() -> None:
    (found,) = missed(Bench(PAGE, [feed(ANSWER)]))
    assert found == only(FacebookWebhook(), "comment_answer")


def test_a_visitors_post_is_a_mention_and_the_pages_own_is_nothing() -> None:
    visitor = {"from": COMMENT["from"], "comments": {"data": []}}
    (found,) = missed(Bench(PAGE, [feed(**visitor)]))
    assert (found.kind, found.external_id, found.own) == (InboundKind.MENTION, POST_ID, False)
    assert missed(Bench(PAGE, [feed()])) == []
    assert missed(Bench(PAGE, [feed(**{"from": None})])) == []


def test_only_what_was_written_in_that_time_counts() -> None:
    for since, until, count in ((MADE, MADE, 1), (MADE + timedelta(seconds=1), UNTIL, 0), (SINCE, SINCE, 0)):
        assert len(missed(Bench(PAGE, [feed(COMMENT)]), since, until)) == count


def test_one_call_asks_for_posts_and_their_new_comments() -> None:
    bench = Bench(PAGE, [feed(COMMENT)])
    missed(bench)
    assert bench.calls() == [f"GET /{GRAPH_VERSION}/{PAGE_ID}/feed"]
    assert f"comments.filter(stream).since({int(SINCE.timestamp())})" in bench.query()["fields"]


def test_comments_that_did_not_come_with_their_post_are_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    paging = {"cursors": {"after": "QVFI"}, "next": f"https://graph.facebook.com/x?access_token={TOKEN}"}
    some = {"data": [COMMENT], "paging": paging}
    bench = Bench(PAGE, [feed(comments=some), reply(200, some), reply(200, {"data": [ANSWER]})])
    with everything_logged(caplog):
        found = missed(bench)
    assert [event.external_id for event in found] == [COMMENT["id"], ANSWER["id"]]
    assert bench.calls()[1:] == [f"GET /{GRAPH_VERSION}/{POST_ID}/comments"] * 2
    assert bench.query()["after"] == "QVFI"
    check_no_secret_is_shown(PAGE, bench.transport.requests, caplog, found)


@pytest.mark.parametrize(
    "strange",
    [
        {"id": "1", "message": "no time"},
        {"id": "1", "created_time": 5},
        {"id": "1", "created_time": COMMENT["created_time"], "message": "half \ud800 a pair"},
        {"id": "1", "created_time": COMMENT["created_time"], "message": [[]] * 3, "from": float("nan")},
        7,
    ],
)
def test_a_comment_that_cannot_be_read_costs_no_other(strange: object) -> None:
    found = missed(Bench(PAGE, [feed(strange, COMMENT)]))
    assert [event.external_id for event in found] == [COMMENT["id"]]


@pytest.mark.parametrize("strange", [7, {}, {"id": "../me"}, {"id": POST_ID, "comments": 7}])
def test_a_post_that_cannot_be_read_costs_no_other(strange: object) -> None:
    data = [strange, {**OWN_POST, "comments": {"data": [COMMENT]}}]
    assert len(missed(Bench(PAGE, [reply(200, {"data": data})]))) == 1


def test_asking_twice_gives_the_same_keys() -> None:
    bench = Bench(PAGE, [feed(COMMENT, ANSWER), feed(COMMENT, ANSWER)])
    assert [event.key for event in missed(bench)] == [event.key for event in missed(bench)]


def test_a_back_fill_that_is_refused_says_so() -> None:
    assert type(raised(lambda: missed(Bench(PAGE, [reply(500, body=HTML)])))) is Unavailable
    without = ref("facebook", "https://graph.facebook.com", PAGE_ID, {})
    assert type(raised(lambda: missed(Bench(without, [])))) is AuthExpired
