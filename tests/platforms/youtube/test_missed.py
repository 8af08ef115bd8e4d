"""Videos that an outage kept away, read from the channel's feed."""

from datetime import timedelta

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import NotSent
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AdapterError, Rejected, Unavailable
from chalicelib.platforms.inbound import BackFilling, InboundEvent
from chalicelib.platforms.signing import when_iso
from chalicelib.platforms.youtube.webhook import YouTubeWebhook
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client, reply
from tests.platforms.subscriptions import HTML, NOW, raised, ref
from tests.platforms.webhooks import events, fixture

FEED = fixture("youtube", "video.xml")
(VIDEO,) = events(YouTubeWebhook(), FEED)
UPDATED = VIDEO.edited_at or NOW
ACCOUNT = ref("youtube", "https://www.youtube.com", "UCzolwzolwzolwzolwzolw12", {})


def missed(answer: Answer, before: timedelta, after: timedelta) -> list[InboundEvent]:
    clock, transport = FixedClock(NOW), FakeTransport([answer])
    filling = registry.back_filling("youtube", client(clock, transport), clock, MemorySessions())
    assert isinstance(filling, BackFilling)
    pieces = filling.missed(ACCOUNT, UPDATED - before, UPDATED + after)
    assert [r.url for r in transport.requests] == [
        "https://www.youtube.com/feeds/videos.xml?channel_id=UCzolwzolwzolwzolwzolw12"
    ]
    return [event for piece in pieces for event in YouTubeWebhook().normalise(piece)]


def test_a_missed_video_is_the_same_event_as_its_push() -> None:
    assert missed(reply(200, body=FEED), timedelta(0), timedelta(0)) == [VIDEO]
    assert when_iso(VIDEO.key.partition(":")[2]) == UPDATED


def test_a_video_of_another_time_is_left_out() -> None:
    second = timedelta(seconds=1)
    assert missed(reply(200, body=FEED), -second, 2 * second) == []
    assert missed(reply(200, body=FEED), 2 * second, -second) == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(404, body=HTML), Rejected),
        (reply(500, body=HTML), Unavailable),
        (reply(200, body=HTML), Unavailable),
        (reply(200, body=b"<!DOCTYPE x [<!ENTITY a 'b'>]><feed/>"), Unavailable),
        (NotSent("…"), Unavailable),
    ],
)
def test_a_feed_that_cannot_be_read_says_so(answer: Answer, kind: type[AdapterError]) -> None:
    assert type(raised(lambda: missed(answer, timedelta(0), timedelta(0)))) is kind
