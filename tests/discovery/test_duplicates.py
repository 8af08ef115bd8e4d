"""Pairs among our own accounts: found by what they share, the same in any order, and quickly."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.accounts.model import Account, AccountClass, AccountStatus
from chalicelib.discovery.duplicates import Because, duplicate_pairs

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def account(number: int, **more: Any) -> Account:
    return Account(
        **{
            "account_id": f"account_{number:05d}", "platform": "mastodon", "server": "https://a.test",
            "handle": f"handle{number}", "display_name": "", "external_id": "", "url": "", "followers": 10,
            "api_version": None, "unit_id": "unit_1", "owner_id": "p", "backup_id": None, "purpose": "",
            "audience": "", "credentials_path": "", "credentials_at": NOW, "created_at": NOW,
            "status": AccountStatus.LISTED, **more,
        }
    )  # fmt: skip


def found(*accounts: Account) -> list[tuple[str, str, tuple[Because, ...]]]:
    return [(p.keep.account_id[-1], p.other.account_id[-1], p.because) for p in duplicate_pairs(accounts)]


def test_same_purpose_audience_unit_and_network_is_a_pair_and_the_larger_one_is_kept() -> None:
    work = {"purpose": "Aktualności", "audience": "Klienci"}
    assert found(account(1, **work), account(2, **work, followers=900)) == [("2", "1", (Because.SAME_WORK,))]


def test_another_network_unit_or_language_is_no_pair() -> None:
    work = {"purpose": "news", "audience": "customers"}
    one = account(1, **work, languages=("pl",))
    for other in ({"platform": "bluesky"}, {"unit_id": "unit_2"}, {"languages": ("fa",)}):
        assert found(one, account(2, **{**work, "languages": ("pl",), **other})) == []


def test_names_and_handles_that_read_the_same_are_pairs_across_units() -> None:
    assert found(
        account(1, display_name="Zorza Kraków"), account(2, display_name="ZORZA KRAKOW", unit_id="u2")
    ) == [("2", "1", (Because.SAME_NAME,))]
    assert found(account(1, handle="zorza_official"), account(2, handle="zorza")) == [
        ("2", "1", (Because.SAME_HANDLE,))
    ]


def test_numbered_districts_are_no_duplicates() -> None:
    assert (
        found(
            account(1, display_name="Zorza 1", handle="zorza.d1x"),
            account(2, display_name="Zorza 2", handle="lodz"),
        )
        == []
    )


def test_one_letter_apart_counts_only_with_the_same_description() -> None:
    text = "Lodówki i pralki z serwisem w całej Polsce"
    one, other = {"display_name": "Zorza Dom"}, {"display_name": "Zorzą Domm"}
    assert found(account(1, **one, description=text), account(2, **other, description=text)) == [
        ("2", "1", (Because.SAME_DESCRIPTION,))
    ]
    assert found(account(1, **one), account(2, **other)) == []


def test_channels_told_apart_by_a_country_or_a_number_are_no_duplicates() -> None:
    assert (
        found(account(1, handle="zorza_pl"), account(2, handle="zorza_de"), account(3, handle="zorza7")) == []
    )


def test_what_is_not_ours_to_merge_is_left_out() -> None:
    for kind in set(AccountClass) - {AccountClass.OFFICIAL, AccountClass.DORMANT}:
        assert found(account(1, handle="zorza"), account(2, handle="zorza_real", account_class=kind)) == []


def test_of_three_alike_two_are_merged_into_the_strongest_and_what_is_lost_is_said() -> None:
    opened = NOW - timedelta(days=900)
    three = [
        account(1, handle="zorza"), account(2, handle="zorza_official", followers=70, policy_links=("https://z.pl",)),
        account(3, handle="zorza.real", verified=True, opened_at=opened),
    ]  # fmt: skip
    pairs = duplicate_pairs(three)
    assert [(p.keep.account_id[-1], p.other.account_id[-1]) for p in pairs] == [("3", "1"), ("3", "2")]
    lost = pairs[1].other_loses
    assert (lost.followers, lost.is_verified, lost.links) == (70, False, ("https://z.pl",))
    assert (pairs[1].keep_loses.is_verified, pairs[1].keep_loses.opened_at) == (True, opened)


@given(
    st.lists(st.sampled_from(["zorza", "zorza_official", "lidora", "lidora_support", "mehrava"]), max_size=8),
    st.randoms(),
)
def test_any_order_gives_the_same_pairs_and_merges_each_account_once(
    handles: list[str], chance: random.Random
) -> None:
    accounts = [account(n, handle=h) for n, h in enumerate(handles)]
    shuffled = list(accounts)
    chance.shuffle(shuffled)
    pairs = duplicate_pairs(accounts)
    assert duplicate_pairs(shuffled) == pairs
    merged = [p.other.account_id for p in pairs]
    assert len(merged) == len(set(merged))
    assert not set(merged) & {p.keep.account_id for p in pairs}


def test_five_thousand_accounts_of_one_network_take_moments() -> None:
    text = "Wspólny opis wszystkich kanałów w całym kraju"
    many = [
        account(n, display_name=f"Zorza {n % 900}", purpose="news", audience="all", description=text)
        for n in range(5000)
    ]
    started = time.process_time()
    pairs = duplicate_pairs(many)
    assert 4000 <= len(pairs) < 5000
    assert time.process_time() - started < 10
