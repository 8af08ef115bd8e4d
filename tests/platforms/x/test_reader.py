"""A profile on X as the app reads it, by its number or by its name, and what X says of one that is gone."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core.http import NotSent
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    OutOfCredit,
    RateLimited,
    Rejected,
    Unavailable,
)
from chalicelib.platforms.port import Activity, Profile
from tests.fakes.transport import Answer, reply
from tests.platforms.readers import Bench, recorded, ref
from tests.platforms.subscriptions import HTML, NOW, TOKEN, raised

ACCOUNT = ref("x", "@xdevelopers", "2244994945", bearer_token=TOKEN)
# X's own example of this post says 2026-07-24T21:23:23.000Z beside its id.
LAST = datetime(2026, 7, 24, 21, 23, 23, tzinfo=UTC)
ACTIVITY = "user.fields=public_metrics,most_recent_tweet_id,withheld"


def test_a_profile_is_one_call() -> None:
    bench = Bench(ACCOUNT, [recorded("x", "user")])
    profile = bench.profile()
    assert profile.last_post_at is not None
    assert timedelta(0) <= profile.last_post_at - LAST < timedelta(seconds=1)
    assert profile == Profile(
        external_id="2244994945",
        handle="XDevelopers",
        display_name="X Developers",
        url="https://x.com/XDevelopers",
        followers=583423,
        last_post_at=profile.last_post_at,
        status="active",
        description="The voice of the X developer community. https://t.co/ZdYtRiTJZg",
        avatar_url="https://pbs.twimg.com/profile_images/1267175364003901441/tBZNFAgA_normal.jpg",
        verified=True,
        opened_at=datetime(2013, 12, 14, 4, 35, 55, tzinfo=UTC),
        links=("https://developer.x.com/en/community", "https://docs.x.com"),
    )
    fields = f"{ACTIVITY},created_at,description,entities,profile_image_url,url,verified"
    assert bench.calls() == [f"GET /2/users/2244994945?{fields}"]
    bench.check_token()


@pytest.mark.parametrize("name", ["user", "user_of_the_openapi"])
def test_the_last_post_is_one_call_and_its_time_is_in_its_id(name: str) -> None:
    bench = Bench(ACCOUNT, [recorded("x", name)])
    activity = bench.activity()
    assert activity.last_post_at is not None
    assert activity.last_post_at.replace(microsecond=0) == LAST
    assert (activity.followers, activity.status) == (583423, "active")
    assert bench.calls() == [f"GET /2/users/2244994945?{ACTIVITY}"]


def test_who_never_posted_is_told_from_whom_x_does_not_tell_of() -> None:
    bench = Bench(ACCOUNT, [recorded("x", "user_who_never_posted")], handle="sklep_lodz")
    assert bench.activity() == Activity(None, 0, "active")
    silent = {"id": "1", "username": "xdevelopers", "public_metrics": {"tweet_count": 14052}}
    for user in (silent, {"id": "1"}, {**silent, "most_recent_tweet_id": "9" * 19}):
        bench = Bench(ACCOUNT, [reply(200, {"data": user})])
        assert type(raised(bench.activity)) is Unavailable


def test_an_unknown_number_is_found_by_the_name() -> None:
    bench = Bench(ACCOUNT, [recorded("x", "user")], external_id="")
    assert bench.profile().external_id == "2244994945"
    assert bench.calls()[0].startswith("GET /2/users/by/username/xdevelopers?")


@pytest.mark.parametrize(
    ("name", "status"),
    [("suspended", "suspended"), ("not_found", "not found"), ("not_found_404", "not found")],
)
def test_a_profile_that_is_gone_says_how(name: str, status: str) -> None:
    bench = Bench(ACCOUNT, [recorded("x", name)] * 2)
    assert bench.activity() == Activity(None, None, status)
    assert bench.profile() == Profile("2244994945", "xdevelopers", "", "", None, None, status)


def test_a_name_that_only_sounds_suspended_is_not() -> None:
    detail = {"detail": "Could not find user with username: [User has been suspended].", "title": "Not Found"}
    error = {**detail, "type": "https://api.twitter.com/2/problems/resource-not-found"}
    assert Bench(ACCOUNT, [reply(200, {"errors": [error]})]).activity().status == "not found"


def test_a_profile_with_another_name_than_ours_was_renamed_and_one_withheld_is_withheld() -> None:
    bench = Bench(ACCOUNT, [recorded("x", "user")], handle="brand")
    assert bench.activity().status == "renamed"
    user = {"id": "2244994945", "username": "XDevelopers", "withheld": {"scope": "user"}}
    assert Bench(ACCOUNT, [reply(200, {"data": user})]).profile().status == "withheld"


REFUSALS: dict[str, tuple[Answer, type[AdapterError]]] = {
    "401": (reply(401, {"title": "Unauthorized", "type": "about:blank"}), AuthExpired),
    "402": (recorded("x", "no_credits"), OutOfCredit),
    "usage cap": (
        reply(429, {"title": "UsageCapExceeded", "type": "https://api.x.com/2/problems/usage-capped"}),
        OutOfCredit,
    ),
    "an app that is not enrolled": (recorded("x", "not_enrolled"), AuthExpired),
    "403": (reply(403, {"title": "Forbidden", "detail": "no"}), Rejected),
    "400": (reply(400, {"title": "Invalid Request", "errors": [{"message": "bad"}]}), Rejected),
    "429": (reply(429, {"title": "Too Many Requests"}), RateLimited),
    "404 with a page": (reply(404, body=HTML), Unavailable),
    "503": (reply(503, body=HTML), Unavailable),
    "no connection": (NotSent("…"), Unavailable),
    "nothing": (reply(200), Unavailable),
    "a list": (reply(200, {"data": []}), Unavailable),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_whatever_cannot_be_read_is_one_of_the_classes(case: str) -> None:
    answer, kind = REFUSALS[case]
    bench = Bench(ACCOUNT, [answer] * 2)
    for error in (raised(bench.activity), raised(bench.profile)):
        assert type(error) is kind
        assert TOKEN not in error.message


def test_a_profile_without_id_or_name_is_none() -> None:
    for change in ({"id": "../1"}, {"id": 5}, {"username": "a b"}, {"username": None}):
        user = {"id": "1", "username": "a", **change}
        assert type(raised(Bench(ACCOUNT, [reply(200, {"data": user})]).profile)) is Unavailable


def test_an_account_that_lacks_what_is_needed_is_not_asked_for() -> None:
    assert type(raised(Bench(ACCOUNT, [], credentials={}).profile)) is AuthExpired
    assert type(raised(Bench(ACCOUNT, [], external_id="@x").activity)) is Rejected
    assert type(raised(Bench(ACCOUNT, [], external_id="", handle="łódź").profile)) is Rejected


def test_a_limit_ends_when_x_says_so() -> None:
    headers = {"x-rate-limit-reset": str(int(NOW.timestamp()) + 300)}
    error = raised(Bench(ACCOUNT, [reply(429, {"title": "Too Many Requests"}, headers)]).activity)
    assert isinstance(error, RateLimited)
    assert (error.until, error.whole_app) == (NOW + timedelta(minutes=5), True)
