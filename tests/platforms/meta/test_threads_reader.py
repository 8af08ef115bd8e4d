"""A Threads profile as it is read: what was shared there is not what was written."""

from datetime import UTC, datetime

import pytest

from chalicelib.platforms.errors import AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import Activity, Profile
from tests.fakes.transport import Answer, reply
from tests.platforms.readers import Bench, recorded, ref
from tests.platforms.subscriptions import TOKEN, raised

ME = ref("threads", "threadsapitestuser", "1234567", access_token=TOKEN)
LAST = datetime(2026, 10, 14, 5, 50, 50, tzinfo=UTC)
POSTS = "GET /v1.0/1234567/threads?fields=id,media_type,timestamp,username&limit=25"
SHARED = {"id": "1", "media_type": "REPOST_FACADE", "timestamp": "2026-11-21T23:17:39+0000"}
NEXT = {"cursors": {"after": "x"}, "next": "https://graph.threads.net/v1.0/x"}


def test_a_profile_is_three_calls() -> None:
    answers = [recorded("threads", name) for name in ("me", "threads_insights", "threads")]
    bench = Bench(ME, answers)
    assert bench.profile() == Profile(
        external_id="1234567",
        handle="threadsapitestuser",
        display_name="Threads API Test User",
        url="https://www.threads.com/@threadsapitestuser",
        followers=6378,
        last_post_at=LAST,
        status="active",
        description="This is my Threads bio.",
        avatar_url="https://scontent-sjc3-1.cdninstagram.com/link/to/profile/picture/on/threads/",
        verified=False,
        opened_at=None,
        links=(),
    )
    fields = "id,username,name,threads_profile_picture_url,threads_biography,is_verified"
    assert bench.calls() == [
        f"GET /v1.0/1234567?fields={fields}",
        "GET /v1.0/1234567/threads_insights?metric=followers_count",
        POSTS,
    ]
    bench.check_token()


def test_the_last_post_is_one_call_and_neither_a_share_nor_whatever_stands_first() -> None:
    bench = Bench(ME, [recorded("threads", "threads")])
    assert bench.activity() == Activity(LAST, None, "active")
    assert bench.calls() == [POSTS]


@pytest.mark.parametrize(
    ("page", "last"),
    [
        ({"data": []}, None),
        ({"data": [SHARED]}, None),
        ({"data": [SHARED] * 25, "paging": NEXT}, datetime(2026, 11, 21, 23, 17, 39, tzinfo=UTC)),
    ],
)
def test_who_only_shares_never_posted_unless_there_is_more_than_was_read(
    page: object, last: datetime | None
) -> None:
    assert Bench(ME, [reply(200, page)]).activity().last_post_at == last


def test_a_profile_with_another_name_than_ours_was_renamed() -> None:
    assert Bench(ME, [recorded("threads", "threads")], handle="brand").activity().status == "renamed"


@pytest.mark.parametrize("code", [10, 100])
def test_followers_are_left_out_where_the_access_does_not_cover_them(code: int) -> None:
    refused = reply(400, {"error": {"code": code, "message": "no"}})
    bench = Bench(ME, [recorded("threads", "me"), refused, recorded("threads", "threads")])
    assert (bench.profile().followers, len(bench.calls())) == (None, 3)


def test_a_limit_on_the_way_is_told() -> None:
    limited = reply(400, {"error": {"code": 4, "message": "no"}})
    assert type(raised(Bench(ME, [recorded("threads", "me"), limited]).profile)) is RateLimited


def test_before_its_number_is_known_the_profile_is_whom_the_token_is_of() -> None:
    bench = Bench(ME, [recorded("threads", "threads")], external_id="")
    bench.activity()
    assert bench.calls() == [POSTS.replace("1234567", "me")]


@pytest.mark.parametrize("answer", [reply(200), reply(200, {"data": 5}), reply(200, {"data": [{"id": "1"}]})])
def test_a_list_that_cannot_be_read_is_not_an_empty_one(answer: Answer) -> None:
    assert type(raised(Bench(ME, [answer]).activity)) is Unavailable
    assert type(raised(Bench(ME, [reply(200, {"username": "x"})]).profile)) is Unavailable


def test_an_account_that_lacks_what_is_needed_is_not_asked_for() -> None:
    assert type(raised(Bench(ME, [], credentials={}).activity)) is AuthExpired
    assert type(raised(Bench(ME, [], external_id="@me").profile)) is Rejected
