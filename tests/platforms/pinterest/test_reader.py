"""A Pinterest account read with its own token: its profile, and when its newest own pin was made."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import Activity, Profile
from tests.platforms.readers import Bench, recorded, ref
from tests.platforms.subscriptions import NOW, TOKEN, raised

ACCOUNT = ref("pinterest", "zolw", "2783136121146311751", access_token=TOKEN)


def test_a_profile_is_one_call_with_the_accounts_token() -> None:
    bench = Bench(ACCOUNT, [recorded("pinterest", "user_account")])
    assert bench.profile() == Profile(
        external_id="2783136121146311751",
        handle="zolw",
        display_name="Sklep Żółw",
        url="https://www.pinterest.com/zolw/",
        followers=10,
        last_post_at=None,
        status="active",
        description="Sklep Żółw 🐢",
        avatar_url="https://i.pinimg.com/600x600_R/ab/cd.jpg",
        links=("https://example.org",),
    )
    assert bench.calls() == ["GET /v5/user_account"]
    bench.check_token()


def test_the_newest_own_pin_is_one_call_whatever_the_order_and_not_a_saved_one() -> None:
    bench = Bench(ACCOUNT, [recorded("pinterest", "pins")])
    assert bench.activity() == Activity(datetime(2026, 11, 19, 8, 30, tzinfo=UTC), None, "active")
    assert bench.calls() == ["GET /v5/pins?page_size=25"]
    bench.check_token()


def test_a_saved_pin_counts_where_there_is_no_other() -> None:
    saved = {"id": "1", "created_at": "2026-11-21T08:30:00", "parent_pin_id": "2"}
    bench = Bench(ACCOUNT, [recorded("pinterest", "pins", items=[saved])])
    assert bench.activity().last_post_at == datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def test_who_has_no_pins_never_posted() -> None:
    assert Bench(ACCOUNT, [recorded("pinterest", "pins", items=[])]).activity().last_post_at is None


@pytest.mark.parametrize("missing", ["id", "username"])
def test_a_profile_without_an_id_or_a_name_is_not_believed(missing: str) -> None:
    bench = Bench(ACCOUNT, [recorded("pinterest", "user_account", **{missing: None})])
    assert type(raised(bench.profile)) is Unavailable


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("unauthorized", AuthExpired, "connect it again"),
        ("forbidden", AuthExpired, "Not authorized to access the user account"),
        ("bad_request", Rejected, "Invalid parameters"),
        ("broken", Unavailable, "asked again later"),
    ],
)
def test_each_error_of_the_documentation_has_its_place(
    name: str, kind: type[AdapterError], words: str
) -> None:
    for method in ("profile", "activity"):
        error = raised(getattr(Bench(ACCOUNT, [recorded("pinterest", name)]), method))
        assert type(error) is kind
        assert words in error.message


def test_a_limit_without_an_end_is_tried_after_five_minutes() -> None:
    error = raised(Bench(ACCOUNT, [recorded("pinterest", "too_many")]).activity)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(minutes=5)


def test_no_token_at_all_calls_nobody() -> None:
    bench = Bench(ACCOUNT, [], credentials={})
    assert type(raised(bench.activity)) is AuthExpired
    assert bench.transport.requests == []
