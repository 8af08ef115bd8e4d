"""The large sample company's data: as many as it says, names that nobody tuned with, and a truth that is."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.discovery.likeness import plain
from chalicelib.dormancy.model import Expected, Pause, Season, sign_of
from infra.local.company import DISTRICTS, HEARD, PURPOSES
from infra.local.lookalikes import others
from infra.local.planted import (
    BRANDS,
    MASTODON,
    OFF_SEASON,
    PAUSE,
    SEASIDE,
    Brand,
    Planted,
    duplicates,
    ours,
)
from infra.local.truth import Outcome
from tests.discovery.kits import TUNING
from tests.local.conftest import World

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
SMALL_ON_MASTODON = 21


def test_the_company_has_320_accounts_in_24_districts() -> None:
    small = 1 + len(DISTRICTS) * len(PURPOSES) + len(HEARD)
    assert small + len(ours()) == 320
    assert len(DISTRICTS) + len({account.district for account in ours()}) == 24
    assert {brand.language for brand in BRANDS} == {"pl", "de", "en", "fa"}


def test_two_of_five_mastodon_profiles_that_look_like_ours_are_not() -> None:
    copies = [p for p in others() if p.is_wanted]
    own = SMALL_ON_MASTODON + sum(account.network == MASTODON for account in ours())
    assert {p.network for p in copies} == {MASTODON}
    assert len(copies) / (len(copies) + own) == pytest.approx(0.4, abs=0.01)


def test_no_name_stands_for_two_profiles() -> None:
    names = Counter(p.username.casefold() for p in (*ours(), *others()))
    assert [name for name, n in names.items() if n > 1] == []
    assert {first for first, _ in duplicates()} <= {account.username for account in ours()}


@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.handle)
def test_no_brand_place_or_trade_was_tuned_with(brand: Brand) -> None:
    names = {plain(text) for text in (brand.name, brand.handle, brand.district)}
    words = {word for word in brand.trade.casefold().split() if len(word) > 4}
    for firm in TUNING.firms:
        assert not names & {plain(firm.name), plain(firm.handle), *(plain(p) for p, _ in firm.places)}
        assert len(words & set(firm.trade.casefold().split())) < 2


def test_the_same_profiles_are_planted_each_time() -> None:
    first = ours(), others()
    ours.cache_clear()
    others.cache_clear()
    assert (ours(), others()) == first


def excused(account: Planted) -> Expected:
    today = NOW.date()
    starts_on, ends_on = (today + timedelta(days=n) for n in PAUSE)
    first, last = (today + timedelta(days=n) for n in OFF_SEASON)
    seasons = (Season(f"{first:%m-%d}", f"{last:%m-%d}"),) if account.district == SEASIDE else ()
    return Expected(seasons=seasons, pauses=(Pause(starts_on, ends_on),) if account.is_paused else ())


def test_the_truth_about_an_account_is_what_the_rules_say() -> None:
    for account in ours():
        posted_at = None if account.posted is None else NOW - timedelta(days=account.posted)
        if account.sign != "unreadable":
            assert sign_of(posted_at, NOW, NOW, excused(account)) == account.sign, account.username


def test_the_local_platform_takes_them_all(world: World) -> None:
    profiles = [planted.profile(NOW) for planted in (*ours(), *others())]
    answer = world.control.post("/_local/profiles", {"profiles": profiles})
    assert answer.status == 201, answer.text
    assert [made["username"] for made in answer.json] == [profile["username"] for profile in profiles]


def test_whatever_cannot_be_read_says_why() -> None:
    for account in ours():
        is_shut = account.state != "active" or bool(account.fails)
        assert is_shut == (account.sign == "unreadable"), account.username


def test_an_outcome_counts_what_is_right() -> None:
    found = Outcome(frozenset("abc"), frozenset("bcde"))
    assert (found.precision, found.recall) == (2 / 3, 2 / 4)
    assert found.wrong == ["a for nothing", "not d", "not e"]
    assert Outcome(frozenset(), frozenset("a")).precision == 1.0
