"""A TikTok account read with its own token: its profile, and when its newest public video came out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import Activity, Profile
from tests.fakes.transport import reply
from tests.platforms.readers import Bench, recorded, ref
from tests.platforms.subscriptions import NOW, TOKEN, raised

ACCOUNT = ref("tiktok", "tiktoker", "723f24d7-e717-40f8-a2b6-cb8464cd23b4", access_token=TOKEN)


def videos(*seconds: object, **more: object) -> Bench:
    data = {"videos": [{"id": str(at), "create_time": at} for at in seconds], "has_more": False, **more}
    return Bench(ACCOUNT, [recorded("tiktok", "videos", data=data)])


def test_a_profile_is_one_call_with_the_accounts_token() -> None:
    bench = Bench(ACCOUNT, [recorded("tiktok", "user")])
    assert bench.profile() == Profile(
        external_id="723f24d7-e717-40f8-a2b6-cb8464cd23b4",
        handle="tiktoker",
        display_name="Tik Toker",
        url="https://www.tiktok.com/@tiktoker",
        followers=15234,
        last_post_at=None,
        status="active",
        description="Sklep Żółw 🐢 https://example.org",
        avatar_url="https://p19-sign.tiktokcdn-us.com/avatar-large.jpeg?x-expires=1643000000",
        verified=False,
    )
    fields = (
        "open_id,avatar_url,avatar_large_url,display_name,bio_description,profile_deep_link,is_verified,"
        "username,follower_count"
    )
    assert bench.calls() == [f"GET /v2/user/info/?fields={fields}"]
    bench.check_token()


def test_an_account_without_a_name_is_linked_as_tiktok_links_it() -> None:
    user = {"open_id": "1", "profile_deep_link": "https://vm.tiktok.com/ZMJcAYaVL/"}
    profile = Bench(ACCOUNT, [recorded("tiktok", "user", data={"user": user})]).profile()
    assert (profile.url, profile.handle, profile.verified) == ("https://vm.tiktok.com/ZMJcAYaVL/", "", None)


def test_the_newest_video_is_one_call_though_an_old_one_is_pinned_before_it() -> None:
    bench = Bench(ACCOUNT, [recorded("tiktok", "videos")])
    assert bench.activity() == Activity(datetime.fromtimestamp(1763600000, UTC), None, "active")
    assert bench.calls() == ["POST /v2/video/list/?fields=id,create_time"]
    assert bench.transport.requests[0].body == b'{"max_count": 20}'
    bench.check_token()


def test_who_has_no_public_videos_never_posted() -> None:
    assert videos().activity() == Activity(None, None, "active")


def test_an_empty_page_before_others_is_not_never() -> None:
    assert type(raised(videos(has_more=True).activity)) is Unavailable


def test_a_time_that_is_still_to_come_is_not_believed() -> None:
    ahead = int((NOW + timedelta(days=2)).timestamp())
    assert videos(1600000000, ahead, "x", None, -5).activity().last_post_at == datetime.fromtimestamp(
        1600000000, UTC
    )


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("access_token_invalid", AuthExpired, "connect it again"),
        ("scope_not_authorized", AuthExpired, "video.list"),
        ("invalid_params", Rejected, "The request parameters are invalid"),
        ("internal_error", Unavailable, "asked again later"),
    ],
)
def test_each_error_of_the_documentation_has_its_place(
    name: str, kind: type[AdapterError], words: str
) -> None:
    for method in ("profile", "activity"):
        error = raised(getattr(Bench(ACCOUNT, [recorded("tiktok", name)]), method))
        assert type(error) is kind
        assert words in error.message


def test_an_error_in_a_success_is_an_error() -> None:
    error = {"code": "internal_error", "message": "no", "log_id": "1"}
    bench = Bench(ACCOUNT, [recorded("tiktok", "videos", error=error)])
    assert type(raised(bench.activity)) is Unavailable


def test_a_limit_lasts_a_minute_unless_tiktok_says_otherwise() -> None:
    limited = recorded("tiktok", "rate_limit_exceeded")
    error = raised(Bench(ACCOUNT, [limited]).profile)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(minutes=1)
    named = replace(limited, headers=reply(429, headers={"Retry-After": "600"}).headers)
    error = raised(Bench(ACCOUNT, [named]).profile)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(minutes=10)


def test_no_token_at_all_calls_nobody() -> None:
    bench = Bench(ACCOUNT, [], credentials={})
    assert type(raised(bench.profile)) is AuthExpired
    assert bench.transport.requests == []
