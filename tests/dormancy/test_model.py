"""What silence means, by rules without a table."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dormancy.model import (
    Expected,
    Pause,
    Season,
    Sign,
    Standard,
    Threshold,
    expected,
    sign_of,
    silent_days,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
times = st.integers(0, 2500).map(lambda n: NOW - timedelta(days=n))
days = st.dates(date(2020, 1, 1), date(2026, 12, 31))
pauses = st.lists(st.tuples(days, days).map(lambda two: Pause(min(two), max(two))), max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("silent_for", "sign"),
    [(0, Sign.ACTIVE), (29, Sign.ACTIVE), (30, Sign.QUIET), (89, Sign.QUIET), (90, Sign.DORMANT)],
)
def test_an_account_is_quiet_after_thirty_days_and_dormant_after_ninety(silent_for: int, sign: Sign) -> None:
    assert sign_of(NOW - timedelta(days=silent_for), NOW, NOW, Expected()) == sign


def test_an_account_that_never_posted_has_its_time_from_when_it_came_to_us() -> None:
    assert sign_of(None, NOW - timedelta(days=2), NOW, Expected()) == Sign.ACTIVE
    assert sign_of(None, NOW - timedelta(days=95), NOW, Expected()) == Sign.DORMANT


def test_days_of_a_planned_pause_are_not_silence() -> None:
    standard = Expected(pauses=(Pause(date(2026, 8, 1), date(2026, 10, 31)),))
    assert silent_days(datetime(2026, 7, 31, tzinfo=UTC), NOW, standard) == 22


def test_a_season_may_go_over_new_year() -> None:
    winter = Season("11-01", "03-31")
    assert winter.covers(date(2026, 12, 24))
    assert winter.covers(date(2026, 3, 31))
    assert not winter.covers(date(2026, 4, 1))


def test_the_nearest_unit_decides_and_its_word_on_a_network_goes_first() -> None:
    company = Standard(Threshold(20, 60), {"x": Threshold(5, 10)}, (Season("07-01", "08-31"),))
    district = Standard(Threshold(40, 100), {})
    assert expected([company, district], "mastodon", ()).threshold == Threshold(40, 100)
    assert expected([company, Standard()], "x", ()).threshold == Threshold(5, 10)
    assert expected([company, district], "x", ()).seasons == company.seasons
    assert expected([company, Standard(seasons=())], "x", ()).seasons == ()
    assert expected([], "x", ()).threshold == Threshold()


@given(times, pauses)
def test_pauses_only_ever_shorten_a_silence(since: datetime, planned: tuple[Pause, ...]) -> None:
    with_pauses = silent_days(since, NOW, Expected(pauses=planned))
    assert 0 <= with_pauses <= silent_days(since, NOW, Expected())


@given(times, times)
def test_a_longer_silence_is_never_a_better_sign(one: datetime, other: datetime) -> None:
    order = list(Sign)
    earlier, later = sorted((one, other))
    assert order.index(sign_of(earlier, NOW, NOW, Expected())) >= order.index(
        sign_of(later, NOW, NOW, Expected())
    )
