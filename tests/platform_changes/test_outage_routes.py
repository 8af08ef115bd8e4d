"""Outages over HTTP, and receipts that tell each caller what they may read."""

from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

import app
from chalicelib.org.model import Actor
from chalicelib.org.roles import Role
from chalicelib.platform_changes.outage_routes import bp
from tests.fakes.downtime import publish_for
from tests.fakes.stage import Stage
from tests.inbox.letters import Letterbox, said
from tests.org.api import Api, serving
from tests.platform_changes.outage_desk import OutageDesk

PATH = "/v1/platform-changes/outages"


@pytest.fixture
def desk(stage: Stage) -> OutageDesk:
    return OutageDesk.open(stage)


@pytest.fixture
def client(desk: OutageDesk) -> Iterator[Client]:
    if PATH not in app.app.routes:
        app.app.register_blueprint(bp)
    with serving(desk.services) as client:
        yield client


def api(client: Client, desk: OutageDesk, actor: Actor) -> Api:
    token, _ = desk.services.org.issue_token(desk.box.lead, actor.person_id, "tests")
    return Api(client, token)


def test_an_outage_is_declared_shown_listed_and_lifted(client: Client, desk: OutageDesk) -> None:
    lead, author = api(client, desk, desk.box.lead), api(client, desk, desk.box.author)
    status, made = lead("POST", PATH, {"platform": "mastodon", "title": "Posting fails"})
    assert (status, made["by_id"], made["ended_at"]) == (201, desk.box.lead.person_id, None)
    one = f"{PATH}/{made['outage_id']}"
    assert author("GET", one)[1] == made
    assert author("GET", PATH)[1] == {"outages": [made], "cursor": None}
    assert author("POST", f"{one}/lift", {"why": "x"})[0] == 403
    assert author("POST", PATH, {"platform": "mastodon", "title": "x"})[0] == 403
    status, lifted = lead("POST", f"{one}/lift", {"why": "It works for us."})
    assert (status, lifted["ended_why"], lifted["incidents"][0]["source"]) == (
        200,
        "It works for us.",
        "person",
    )
    assert lead("POST", f"{one}/lift", {"why": "again"})[0] == 409
    assert lead("GET", f"{PATH}/outage_none")[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {"platform": "friendster", "title": "x"},
        {"platform": "mastodon", "title": "a\nb"},
        {"platform": "mastodon", "title": "x", "url": "javascript:alert(1)"},
        {"platform": "mastodon"},
        {"platform": "mastodon", "title": "x", "more": 1},
    ],
)
def test_what_cannot_be_declared_says_so(client: Client, desk: OutageDesk, body: dict[str, Any]) -> None:
    status, answer = api(client, desk, desk.box.lead)("POST", PATH, body)
    assert status in (400, 422), answer
    assert answer["problems"]


def test_a_receipt_counts_everything_and_shows_each_caller_what_they_may_read(
    client: Client, desk: OutageDesk
) -> None:
    """A post and an answer of one district, seen by the lead, an author without the inbox, and a stranger."""
    letterbox = Letterbox.open(desk.box)
    here, elsewhere = letterbox.units
    responder = letterbox.responders[0]
    letterbox.take(said(desk.now))
    post = desk.box.signed([letterbox.accounts[0]], "waits", in_=1)
    desk.looks(i1="major")
    c = letterbox.conversation()
    reply = desk.services.replies.submit(responder, c.conversation_id, "We look.", c.version, language="en")
    publish_for(desk.box, seconds=5)
    assert desk.services.chores_worker.run(reply.entry_id) == "later"

    one = f"{PATH}/{desk.services.outages.page(1)[0][0].outage_id}/receipt"
    waits = {"waits": 2, "out": 0, "late": 0, "unknown": 0, "stopped": 0}
    refs = {desk.box.variant(post).variant_id: "post", reply.ref: "answer"}

    def seen(actor: Actor) -> dict[str, str]:
        status, answer = api(client, desk, actor)("GET", one)
        assert (status, answer["counts"]) == (200, waits)
        return {line["ref"]: line["what"] for line in answer["lines"]}

    assert seen(desk.box.lead) == seen(responder) == refs
    assert seen(letterbox.person(Role.AUTHOR, here)) == {desk.box.variant(post).variant_id: "post"}
    assert seen(letterbox.person(Role.RESPONDER, elsewhere)) == {}

    desk.looks()
    desk.box.stage.clock.advance(minutes=3)
    desk.box.run_due()
    desk.services.chores_worker.run(reply.entry_id)
    _, answer = api(client, desk, desk.box.lead)("GET", one)
    assert answer["counts"] == {**waits, "waits": 0, "out": 2}
    assert {line["became"] for line in answer["lines"]} == {"out"}
    assert all(line["url"] for line in answer["lines"])
