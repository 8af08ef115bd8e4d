"""A Facebook page as it is read: one call for all of it, one for when it last posted."""

from datetime import UTC, datetime

import pytest

from chalicelib.core.http import NotSent
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.meta.configuration import GRAPH_VERSION
from chalicelib.platforms.meta.graph import NotPermitted
from chalicelib.platforms.port import Activity, Profile
from tests.fakes.transport import Answer, reply
from tests.platforms.readers import Bench, recorded, ref
from tests.platforms.subscriptions import HTML, TOKEN, raised

PAGE = ref("facebook", "facebookapp", "20531316728", access_token=TOKEN)
LAST = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)


def test_a_page_tells_all_that_it_has_in_one_call() -> None:
    bench = Bench(PAGE, [recorded("facebook", "page")])
    assert bench.profile() == Profile(
        external_id="20531316728",
        handle="facebookapp",
        display_name="Facebook App",
        url="https://www.facebook.com/facebookapp/",
        followers=214507731,
        last_post_at=LAST,
        status="active",
        description="The Facebook app. Stay in touch.",
        avatar_url="https://scontent.xx.fbcdn.net/v/t39/page.jpg?oh=1&oe=2",
        verified=True,
        opened_at=None,
        links=("http://www.facebook.com", "www.meta.com"),
    )
    (call,) = bench.calls()
    assert call.startswith(f"GET /{GRAPH_VERSION}/20531316728?fields=id,followers_count,")
    bench.check_token()


def test_the_last_post_is_one_call_and_a_pinned_older_post_is_not_taken_for_it() -> None:
    bench = Bench(PAGE, [recorded("facebook", "page")])
    assert bench.activity() == Activity(LAST, 214507731, "active")
    fields = "id,followers_count,is_published,published_posts.limit(5){created_time}"
    assert bench.calls() == [f"GET /{GRAPH_VERSION}/20531316728?fields={fields}"]


def test_a_page_that_never_posted_says_so_and_one_that_is_hidden_too() -> None:
    bench = Bench(PAGE, [recorded("facebook", "page_without_posts")] * 2)
    assert bench.activity() == Activity(None, 0, "unpublished")
    profile = bench.profile()
    assert (profile.handle, profile.url) == ("100064583471102", "https://www.facebook.com/100064583471102")
    assert (profile.verified, profile.status, profile.links) == (False, "unpublished", ())


def test_before_its_number_is_known_the_page_is_whom_the_token_is_of() -> None:
    bench = Bench(PAGE, [recorded("facebook", "page")], external_id="")
    assert bench.profile().external_id == "20531316728"
    assert bench.calls()[0].startswith(f"GET /{GRAPH_VERSION}/me?")


def test_the_version_and_the_proof_come_from_the_credentials() -> None:
    credentials = {"access_token": TOKEN, "api_version": "v26.0", "app_secret": "s"}
    bench = Bench(PAGE, [recorded("facebook", "page")], credentials=credentials)
    bench.activity()
    assert bench.calls()[0].startswith("GET /v26.0/20531316728?")
    assert "appsecret_proof=" in bench.calls()[0]
    wrong = Bench(PAGE, [], credentials={"access_token": TOKEN, "api_version": "26"})
    assert type(raised(wrong.activity)) is VersionGone


def error(code: int, status: int = 400, **more: object) -> Answer:
    return reply(status, {"error": {"message": "(#1) Words", "code": code, **more}})


REFUSALS: dict[str, tuple[Answer, type[AdapterError]]] = {
    "gone, or not for us": (recorded("facebook", "gone"), Rejected),
    "an ended token": (error(190, 401, error_subcode=463), AuthExpired),
    "a missing permission": (error(10, 403), NotPermitted),
    "blocked": (error(368), AuthExpired),
    "an app's limit": (error(4), RateLimited),
    "a page's limit": (error(32), RateLimited),
    "an error in a 200": (error(190, 200), AuthExpired),
    "a passing fault": (error(2, 500, is_transient=True), Unavailable),
    "a page of HTML": (reply(502, body=HTML), Unavailable),
    "no connection": (NotSent("…"), Unavailable),
    "nothing": (reply(200), Unavailable),
    "no id": (recorded("facebook", "page", id=None), Unavailable),
    "posts that are none": (recorded("facebook", "page", published_posts={"data": 5}), Unavailable),
    "posts without a time": (recorded("facebook", "page", published_posts={"data": [{}]}), Unavailable),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_whatever_cannot_be_read_is_one_of_the_classes(case: str) -> None:
    answer, kind = REFUSALS[case]
    bench = Bench(PAGE, [answer] * 2)
    for error in (raised(bench.activity), raised(bench.profile)):
        assert type(error) is kind
        assert TOKEN not in error.message


def test_a_post_of_tomorrow_is_not_the_last() -> None:
    posts = [{"created_time": "2027-03-01T00:00:00+0000"}, {"created_time": "2026-11-01T00:00:00+0000"}]
    bench = Bench(PAGE, [recorded("facebook", "page", published_posts={"data": posts})])
    assert bench.activity().last_post_at == datetime(2026, 11, 1, tzinfo=UTC)


def test_an_account_that_lacks_what_is_needed_is_not_asked_for() -> None:
    assert type(raised(Bench(PAGE, [], credentials={}).profile)) is AuthExpired
    assert type(raised(Bench(PAGE, [], external_id="../me").activity)) is Rejected
