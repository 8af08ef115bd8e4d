"""YouTube channels, ours by their tokens and anybody's by the application's key."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import Activity, Profile, Reading
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, FakeTransport, client, reply
from tests.platforms.readers import Bench, recorded, ref
from tests.platforms.subscriptions import NOW, TOKEN, raised

CHANNEL = "UC_x5XG1OV2P6uZZ5FSM9Ttw"
ANYBODY = ref("youtube", "@googledevelopers", CHANNEL, api_key=TOKEN)
OURS = ref("youtube", "googledevelopers", CHANNEL, access_token=TOKEN)
PARTS = "part=snippet,statistics,status&maxResults=50"
UPLOADS = (
    "GET /youtube/v3/playlistItems?part=contentDetails&playlistId=UU_x5XG1OV2P6uZZ5FSM9Ttw"
    "&maxResults=50&fields=kind,items/contentDetails/videoPublishedAt"
)
PROFILE = Profile(
    external_id=CHANNEL,
    handle="googledevelopers",
    display_name="Google for Developers",
    url="https://www.youtube.com/@googledevelopers",
    followers=2300000,
    last_post_at=None,
    status="active",
    description="Subscribe to join a community of creative developers. Explore more at developers.google.com",
    avatar_url="https://yt3.ggpht.com/a=s800",
    opened_at=datetime(2007, 8, 23, 0, 34, 43, tzinfo=UTC),
)


def channel(**changes: object) -> Answer:
    """The recorded channel with other parts."""
    whole = recorded("youtube", "channel").json()
    item = whole["items"][0]
    parts = {name: {**item[name], **part} for name, part in changes.items() if isinstance(part, dict)}
    return reply(200, {**whole, "items": [{**item, **parts}]})


def test_anybodys_channel_is_one_call_with_the_key_in_a_header() -> None:
    bench = Bench(ANYBODY, [recorded("youtube", "channel")])
    assert bench.profile() == PROFILE
    assert bench.calls() == [f"GET /youtube/v3/channels?{PARTS}&id={CHANNEL}"]
    sent = bench.transport.requests[0]
    assert (sent.headers["X-Goog-Api-Key"], TOKEN in sent.url) == (TOKEN, False)


def test_a_channel_that_is_not_known_yet_is_found_by_its_handle() -> None:
    bench = Bench(ANYBODY, [recorded("youtube", "channel")], external_id="")
    assert bench.profile() == PROFILE
    assert bench.calls() == [f"GET /youtube/v3/channels?{PARTS}&forHandle=@googledevelopers"]
    bench = Bench(ANYBODY, [recorded("youtube", "channel")], external_id="", handle=CHANNEL)
    bench.profile()
    assert bench.calls() == [f"GET /youtube/v3/channels?{PARTS}&id={CHANNEL}"]


def test_a_token_is_proven_by_asking_for_its_own_channel() -> None:
    bench = Bench(OURS, [recorded("youtube", "channel")])
    assert bench.profile() == PROFILE
    assert bench.calls() == [f"GET /youtube/v3/channels?{PARTS}&mine=true"]
    bench.check_token()


def test_hidden_subscribers_are_not_none_at_all() -> None:
    hidden = channel(statistics={"hiddenSubscriberCount": True, "subscriberCount": "0"})
    assert Bench(ANYBODY, [hidden]).profile().followers is None


def test_a_private_channel_and_one_without_a_handle_say_so() -> None:
    private = channel(status={"privacyStatus": "private"}, snippet={"customUrl": None})
    profile = Bench(ANYBODY, [private]).profile()
    assert (profile.status, profile.handle) == ("private", CHANNEL)
    assert profile.url == f"https://www.youtube.com/channel/{CHANNEL}"


def test_the_newest_upload_is_one_call_of_one_unit() -> None:
    bench = Bench(ANYBODY, [recorded("youtube", "uploads")])
    assert bench.activity() == Activity(datetime(2026, 11, 20, 17, 0, 31, tzinfo=UTC), None, "active")
    assert bench.calls() == [UPLOADS]


def test_an_unknown_channels_uploads_take_its_id_first() -> None:
    bench = Bench(ANYBODY, [recorded("youtube", "channel"), recorded("youtube", "uploads")], external_id="")
    assert bench.activity().last_post_at == datetime(2026, 11, 20, 17, 0, 31, tzinfo=UTC)
    assert bench.calls()[1:] == [UPLOADS]


@pytest.mark.parametrize("empty", ["playlist_not_found", "nothing in it"])
def test_a_channel_without_uploads_is_looked_at_once_more(empty: str) -> None:
    nothing = recorded("youtube", "uploads", items=[])
    answer = recorded("youtube", empty) if empty == "playlist_not_found" else nothing
    bench = Bench(ANYBODY, [answer, recorded("youtube", "channel")])
    assert bench.activity() == Activity(None, 2300000, "active")
    gone = Bench(ANYBODY, [answer, recorded("youtube", "no_channel")])
    assert gone.activity() == Activity(None, None, "not found")


def test_a_channel_without_uploads_that_was_found_by_its_handle_is_not_asked_for_again() -> None:
    bench = Bench(
        ANYBODY, [recorded("youtube", "channel"), recorded("youtube", "playlist_not_found")], external_id=""
    )
    assert bench.activity() == Activity(None, 2300000, "active")


@pytest.mark.parametrize(
    ("name", "status"),
    [("no_channel", "not found"), ("channel_closed", "not found"), ("channel_suspended", "suspended")],
)
def test_a_channel_that_is_gone_is_told_by_its_status(name: str, status: str) -> None:
    answer = recorded("youtube", name)
    profile = Bench(ANYBODY, [answer]).profile()
    assert (profile.external_id, profile.status, profile.followers) == (CHANNEL, status, None)
    assert Bench(ANYBODY, [answer, answer]).activity().status == status
    unknown = Bench(ANYBODY, [answer], external_id="")
    assert unknown.activity() == Activity(None, None, status)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("key_not_valid", AuthExpired, "apps/youtube"),
        ("key_blocked", AuthExpired, "apps/youtube"),
        ("unauthorized", AuthExpired, "connect it again"),
        ("backend_error", Unavailable, "asked again later"),
    ],
)
def test_each_error_of_the_documentation_has_its_place(
    name: str, kind: type[AdapterError], words: str
) -> None:
    for method in ("profile", "activity"):
        error = raised(getattr(Bench(ANYBODY, [recorded("youtube", name)]), method))
        assert type(error) is kind
        assert words in error.message


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 22, 7, 59, tzinfo=UTC), datetime(2026, 11, 22, 8, 0, tzinfo=UTC)),
        (datetime(2026, 7, 1, 12, 0, tzinfo=UTC), datetime(2026, 7, 2, 7, 0, tzinfo=UTC)),
        (datetime(2026, 11, 1, 8, 0, tzinfo=UTC), datetime(2026, 11, 2, 8, 0, tzinfo=UTC)),
    ],
    ids=["winter", "a minute before", "summer", "the day the clocks go back"],
)
def test_a_spent_quota_is_full_again_at_midnight_in_california_for_every_channel(
    now: datetime, until: datetime
) -> None:
    clock, transport = FixedClock(now), FakeTransport([recorded("youtube", "quota_exceeded")])
    reader: Reading = registry.reading("youtube", client(clock, transport), clock, MemorySessions())
    error = raised(lambda: reader.activity(ANYBODY))
    assert isinstance(error, RateLimited)
    assert (error.until, error.whole_app) == (until, True)


def test_too_many_calls_at_once_wait_for_a_minute_only() -> None:
    error = raised(Bench(ANYBODY, [recorded("youtube", "too_fast")]).activity)
    assert isinstance(error, RateLimited)
    assert (error.until, error.whole_app) == (NOW + timedelta(minutes=1), True)


def test_no_key_at_all_and_an_id_of_another_kind_call_nobody() -> None:
    bench = Bench(ANYBODY, [], credentials={})
    assert "apps/youtube" in raised(bench.profile).message
    assert type(raised(bench.activity)) is AuthExpired
    other = Bench(ANYBODY, [], external_id="HC1234")
    assert type(raised(other.activity)) is Rejected
    assert bench.transport.requests == other.transport.requests == []


def test_an_item_that_is_no_channel_is_passed_over() -> None:
    whole = recorded("youtube", "channel").json()
    said = reply(200, {**whole, "items": [{"id": "x"}, None, *whole["items"]]})
    assert Bench(replace(ANYBODY, external_id=""), [said]).profile() == PROFILE
