"""An Instagram professional account as it is read, connected by Facebook's login or by Instagram's own."""

from datetime import UTC, datetime

import pytest

from chalicelib.platforms.errors import AdapterError, AuthExpired, Rejected, Unavailable
from chalicelib.platforms.meta.configuration import GRAPH_VERSION
from chalicelib.platforms.port import Activity, Profile
from tests.fakes.transport import Answer, reply
from tests.platforms.readers import Bench, recorded, ref
from tests.platforms.subscriptions import TOKEN, raised

ID = "17841405822304914"
OWN_LOGIN = ref("instagram", "@Metricsaurus", ID, access_token=TOKEN)
FACEBOOK_LOGIN = {"server": "https://graph.facebook.com"}
LAST = datetime(2026, 11, 13, 8, 25, 28, tzinfo=UTC)
ACTIVITY = "id,username,followers_count,media_count,media.limit(5){timestamp}"


def test_an_account_tells_all_that_it_has_in_one_call() -> None:
    bench = Bench(OWN_LOGIN, [recorded("instagram", "me")])
    assert bench.profile() == Profile(
        external_id=ID,
        handle="metricsaurus",
        display_name="Metricsaurus",
        url="https://www.instagram.com/metricsaurus/",
        followers=64363,
        last_post_at=LAST,
        status="active",
        description="Dino data crunching app 🦖",
        avatar_url="https://scontent-sjc3-1.cdninstagram.com/v/t51.2885-15/119360396_n.jpg"
        "?_nc_cat=105&oe=6103DFA4",
        verified=None,
        opened_at=None,
        links=("http://www.metricsaurus.com/",),
    )
    fields = f"user_id,{ACTIVITY},name,biography,website,profile_picture_url"
    assert bench.calls() == [f"GET /{GRAPH_VERSION}/{ID}?fields={fields}"]
    bench.check_token()


def test_the_last_post_is_one_call_by_either_login() -> None:
    own = Bench(OWN_LOGIN, [recorded("instagram", "me")])
    facebook = Bench(OWN_LOGIN, [recorded("instagram", "user")], **FACEBOOK_LOGIN)
    assert own.activity() == facebook.activity() == Activity(LAST, 64363, "active")
    assert own.calls() == [f"GET /{GRAPH_VERSION}/{ID}?fields=user_id,{ACTIVITY}"]
    assert facebook.calls() == [f"GET /{GRAPH_VERSION}/{ID}?fields={ACTIVITY}"]


def test_a_number_that_is_not_known_yet_is_found_by_the_token_or_the_page() -> None:
    own = Bench(OWN_LOGIN, [recorded("instagram", "me")], external_id="")
    assert own.profile().external_id == ID
    assert own.calls()[0].startswith(f"GET /{GRAPH_VERSION}/me?")
    credentials = {"access_token": TOKEN, "page_id": "20531316728"}
    of_page = Bench(
        OWN_LOGIN,
        [recorded("instagram", "page")] * 2,
        external_id="",
        credentials=credentials,
        **FACEBOOK_LOGIN,
    )
    assert of_page.profile().external_id == ID
    assert of_page.activity().last_post_at == LAST
    fields = f"instagram_business_account{{{ACTIVITY}}}"
    assert of_page.calls()[1] == f"GET /{GRAPH_VERSION}/20531316728?fields={fields}"


def test_an_account_with_another_name_than_ours_was_renamed() -> None:
    bench = Bench(OWN_LOGIN, [recorded("instagram", "me")] * 2, handle="metrics")
    assert bench.activity().status == "renamed"
    assert bench.profile().handle == "metricsaurus"


def test_an_account_that_never_posted_has_no_media_and_counts_none() -> None:
    user = {"id": ID, "username": "metricsaurus", "followers_count": 3, "media_count": 0}
    assert Bench(OWN_LOGIN, [reply(200, user)]).activity() == Activity(None, 3, "active")


REFUSALS: dict[str, tuple[Answer, type[AdapterError]]] = {
    "media that are counted and not shown": (
        recorded("instagram", "user", media=None, media_count=427),
        Unavailable,
    ),
    "no id": (recorded("instagram", "user", id="x"), Unavailable),
    "an empty list": (reply(200, {"data": []}), Unavailable),
    "a list of nothing": (reply(200, {"data": [5]}), Unavailable),
    "media without a time": (recorded("instagram", "user", media={"data": [{"id": "1"}]}), Unavailable),
    "an ended token": (reply(400, {"error": {"code": 190, "error_subcode": 460}}), AuthExpired),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_whatever_cannot_be_read_is_one_of_the_classes(case: str) -> None:
    answer, kind = REFUSALS[case]
    bench = Bench(OWN_LOGIN, [answer] * 2)
    assert [type(raised(bench.activity)), type(raised(bench.profile))] == [kind] * 2


def test_a_page_without_an_account_says_what_to_do() -> None:
    credentials = {"access_token": TOKEN, "page_id": "20531316728"}
    bench = Bench(
        OWN_LOGIN,
        [recorded("instagram", "page_without_account"), reply(200, {})],
        external_id="",
        credentials=credentials,
        **FACEBOOK_LOGIN,
    )
    error = raised(bench.profile)
    assert type(error) is Rejected
    assert "connect the two" in error.message
    assert type(raised(bench.profile)) is Unavailable


def test_an_account_that_lacks_what_is_needed_is_not_asked_for() -> None:
    assert type(raised(Bench(OWN_LOGIN, [], credentials={}).profile)) is AuthExpired
    assert type(raised(Bench(OWN_LOGIN, [], external_id="metricsaurus").activity)) is Rejected
    assert "page_id" in raised(Bench(OWN_LOGIN, [], external_id="", **FACEBOOK_LOGIN).profile).message
