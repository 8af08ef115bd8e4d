"""Mastodon accounts read: ours by their tokens, anybody's without one where the server lets them be seen."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import Activity, Profile
from tests.fakes.transport import Answer, reply
from tests.platforms.readers import FIXTURES, Bench, recorded, ref
from tests.platforms.subscriptions import NOW, TOKEN, raised

ANYBODY = ref("mastodon", "@Gargron", "1")
OURS = ref("mastodon", "Gargron", "1", access_token=TOKEN)
STATUSES = "GET /api/v1/accounts/1/statuses?limit=20&exclude_reblogs=true&exclude_replies=true"
LAST = datetime(2026, 11, 20, 22, 29, 46, 493000, tzinfo=UTC)
PROFILE = Profile(
    external_id="1",
    handle="Gargron",
    display_name="Eugen",
    url="https://mastodon.social/@Gargron",
    followers=318699,
    last_post_at=datetime(2026, 11, 20, tzinfo=UTC),
    status="active",
    description=(
        "Developer of Mastodon and administrator of mastodon.social. I post service announcements, #updates."
    ),
    avatar_url="https://files.mastodon.social/accounts/avatars/000/000/001/static/d96d39a0abb45b92.png",
    opened_at=datetime(2016, 3, 16, tzinfo=UTC),
    links=("https://www.patreon.com/mastodon", "https://zeonfederated.com"),
)


def said(name: str, **changes: object) -> Answer:
    return recorded("mastodon", name, **changes)


def page(first: int = 0) -> Answer:
    """The recorded page of statuses, from one of them on; the first is a direct message."""
    text = (FIXTURES / "mastodon" / "statuses.json").read_text(encoding="utf-8")
    return reply(200, json.loads(text)["body"][first:])


def test_anybodys_profile_is_one_call_without_a_token() -> None:
    bench = Bench(ANYBODY, [said("account")])
    assert bench.profile() == PROFILE
    assert bench.calls() == ["GET /api/v1/accounts/1"]
    assert "Authorization" not in bench.transport.requests[0].headers


def test_a_profile_that_is_not_known_yet_is_looked_up_by_its_handle() -> None:
    bench = Bench(ANYBODY, [said("account")], external_id="", handle="@zolw@sklep.example")
    assert bench.profile() == PROFILE
    assert bench.calls() == ["GET /api/v1/accounts/lookup?acct=zolw@sklep.example"]


def test_our_profile_proves_its_token() -> None:
    bench = Bench(OURS, [said("account")])
    assert bench.profile() == PROFILE
    assert bench.calls() == ["GET /api/v1/accounts/verify_credentials"]
    bench.check_token()


@pytest.mark.parametrize("account", [ANYBODY, OURS], ids=["stranger", "ours"])
def test_the_last_post_is_one_call_with_the_accounts_figures_and_no_direct_message(account: object) -> None:
    bench = Bench(ANYBODY if account == ANYBODY else OURS, [page()])
    assert bench.activity() == Activity(LAST, 318699, "active")
    assert bench.calls() == [STATUSES]
    assert ("Authorization" in bench.transport.requests[0].headers) == (account == OURS)


def test_an_unknown_accounts_last_post_takes_its_id_first() -> None:
    bench = Bench(ANYBODY, [said("account"), page(1)], external_id="")
    assert bench.activity().last_post_at == LAST
    assert bench.calls() == ["GET /api/v1/accounts/lookup?acct=Gargron", STATUSES]


def test_where_there_is_no_own_post_the_day_of_the_last_answer_or_boost_counts() -> None:
    bench = Bench(ANYBODY, [reply(200, []), said("account")])
    assert bench.activity() == Activity(datetime(2026, 11, 20, tzinfo=UTC), 318699, "active")
    found = Bench(ANYBODY, [said("account"), reply(200, [])], external_id="")
    assert found.activity().last_post_at == datetime(2026, 11, 20, tzinfo=UTC)


def test_who_has_posted_nothing_at_all_never_posted() -> None:
    bench = Bench(ANYBODY, [reply(200, []), said("account", last_status_at=None, statuses_count=0)])
    assert bench.activity() == Activity(None, 318699, "active")


def test_a_suspended_account_whose_list_is_empty_says_that_it_is_suspended() -> None:
    assert Bench(ANYBODY, [said("suspended")]).profile().status == "suspended"
    assert Bench(ANYBODY, [reply(200, []), said("suspended")]).activity() == Activity(None, 0, "suspended")


@pytest.mark.parametrize("wrong", ["limited", "moved"])
def test_what_is_wrong_with_an_account_that_posts_is_told_with_its_statuses(wrong: str) -> None:
    statuses = json.loads(page(1).body)  # type: ignore[union-attr]
    statuses[0]["account"][wrong] = {"id": "2"} if wrong == "moved" else True
    assert Bench(ANYBODY, [reply(200, statuses)]).activity() == Activity(LAST, 318699, wrong)


@pytest.mark.parametrize("name", ["not_found", "gone"])
def test_an_account_that_is_gone_is_told_by_its_status(name: str) -> None:
    profile = Bench(ANYBODY, [said(name)]).profile()
    assert (profile.external_id, profile.status) == ("1", "not found")
    assert Bench(ANYBODY, [said(name)]).activity() == Activity(None, None, "not found")
    assert Bench(ANYBODY, [said(name)], external_id="").activity() == Activity(None, None, "not found")


@pytest.mark.parametrize(
    ("name", "token", "kind", "words"),
    [
        ("bad_token", TOKEN, AuthExpired, "connect it again"),
        ("disabled", TOKEN, AuthExpired, "Your login is currently disabled"),
        ("members_only", "", Rejected, "who have an account there"),
        ("broken", "", Unavailable, "500"),
    ],
)
def test_each_refusal_has_its_place(name: str, token: str, kind: type[AdapterError], words: str) -> None:
    for method in ("profile", "activity"):
        error = raised(getattr(Bench(OURS if token else ANYBODY, [said(name)]), method))
        assert type(error) is kind
        assert words in error.message


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "This API requires an authenticated user"),
        (401, "The access token is invalid"),
        (403, "This action is not allowed"),
        (422, "This method requires an authenticated user"),
    ],
)
def test_a_server_for_members_says_so_of_strangers_and_nothing_of_credentials(
    status: int, words: str
) -> None:
    for account in (ANYBODY, replace(ANYBODY, external_id="")):
        for method in ("profile", "activity"):
            error = raised(getattr(Bench(account, [reply(status, {"error": words})]), method))
            assert type(error) is Rejected
            assert error.message.startswith("This Mastodon server shows profiles only to people who have an")
            assert not isinstance(error, AuthExpired)


def test_a_question_that_a_server_does_not_take_is_not_taken_for_a_closed_door() -> None:
    no = reply(422, {"error": "Validation failed: acct is too long"})
    assert "Validation failed" in raised(Bench(ANYBODY, [no]).profile).message
    closed = reply(422, {"error": "This method requires an authenticated user"})
    assert "only to people" not in raised(Bench(OURS, [closed]).profile).message


def test_a_limit_ends_when_the_server_says() -> None:
    error = raised(Bench(ANYBODY, [said("too_many")]).activity)
    assert isinstance(error, RateLimited)
    assert error.until == NOW.replace(minute=4)


def test_credentials_without_a_token_are_not_read_as_a_strangers() -> None:
    for method in ("profile", "activity"):
        bench = Bench(ANYBODY, [], credentials={"access_token": ""})
        assert type(raised(getattr(bench, method))) is AuthExpired
        assert bench.transport.requests == []


def test_a_post_of_the_time_to_come_is_not_the_last() -> None:
    statuses = json.loads(page(1).body)  # type: ignore[union-attr]
    statuses.insert(0, {**statuses[0], "created_at": "2031-01-01T00:00:00.000Z"})
    assert Bench(ANYBODY, [reply(200, statuses)]).activity().last_post_at == LAST
