"""What `Asking` makes of an answer around its network's own table, and pieces that are made of lists."""

from datetime import timedelta

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import AddressRefused, MaybeSent, NotSent, Request, Response
from chalicelib.platforms.asking import Asking, bounded, pieces_of
from chalicelib.platforms.errors import AdapterError, Rejected, Unavailable
from chalicelib.platforms.linkedin.webhook import LinkedInWebhook
from tests.fakes.transport import Answer, FakeTransport, client, reply
from tests.platforms.subscriptions import NOW, raised

GET = Request("GET", "https://network.example/")


def asking(answer: Answer, refused: AdapterError | None = None) -> Asking:
    def sort(response: Response) -> AdapterError | None:
        return refused

    return Asking(client(FixedClock(NOW), FakeTransport([answer])), "The network", sort)


def test_an_object_or_no_body_is_an_answer() -> None:
    assert asking(reply(200, {"a": 1})).ask(GET) == {"a": 1}
    assert asking(reply(204)).ask(GET) == {}


@pytest.mark.parametrize("status", [200, 500])
def test_a_refusal_counts_whatever_the_status(status: int) -> None:
    refused = Rejected("no")
    assert raised(lambda: asking(reply(status, {"error": 1}), refused).ask(GET)) is refused


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(200, [1]), Unavailable),
        (reply(200, body=b"\xff"), Unavailable),
        (reply(302), Unavailable),
        (reply(404), Unavailable),
        (NotSent("…"), Unavailable),
        (MaybeSent("…"), Unavailable),
        (AddressRefused("…"), Rejected),
    ],
)
def test_everything_else_says_nothing(answer: Answer, kind: type[AdapterError]) -> None:
    assert type(raised(lambda: asking(answer).ask(GET))) is kind


def test_a_time_to_wait_for_is_neither_past_nor_days_away() -> None:
    asked = (timedelta(days=-1), timedelta(minutes=5), timedelta(days=9))
    waits = [bounded(NOW + each, NOW) - NOW for each in asked]
    assert waits == [timedelta(seconds=2), timedelta(minutes=5), timedelta(days=1)]


def test_bodies_take_the_way_of_a_delivery_and_a_bad_one_costs_no_other() -> None:
    good = {"type": "LEAD_ACTION", "leadType": "SPONSORED"}
    bad = {"type": "LEAD_ACTION", "text": "\udfff"}
    found = pieces_of(LinkedInWebhook(), [bad, good, {}], NOW)
    assert [piece["notification"] for piece in found] == [good]
