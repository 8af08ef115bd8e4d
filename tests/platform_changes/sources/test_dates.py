"""Which day a text says that its change takes effect on."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.sources.dates import dates_in, effective_on, stated_date, without_dates

_DAYS = st.dates(date(2015, 1, 1), date(2045, 12, 31))
_FORMATS = (
    "{d:%B} {d.day}, {d:%Y}",
    "{d.day} {d:%B} {d:%Y}",
    "{d:%b} {d.day} {d:%Y}",
    "{d:%Y-%m-%d}",
    "the {d.day}th of {d:%B}, {d:%Y}",
)
_SAYS = (
    "This is effective {}.",
    "The endpoint will be sunset on {}.",
    "Please migrate by {} at the latest.",
    "From {} calls without it will be rejected.",
    "The old version is available until {}",
    "Starting {}, the field `id` will no longer be answered.",
    "The change takes effect on {}, for everybody.",
    "Sunset date: {}",
)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("The deprecation is effective March 25, 2026 at 12:00 PM ET.", date(2026, 3, 25)),
        ("Move to the new endpoint by 2026-05-15, please.", date(2026, 5, 15)),
        ("You must move to the new endpoint by 2026-05-15.", date(2026, 5, 15)),
        ("From 15 June 2026 the metric is no longer answered.", date(2026, 6, 15)),
        ("It will be sunset on July 1st, 2027.", date(2027, 7, 1)),
        ("It is deprecated from March 1, 2026 and will be removed on June 1, 2026.", date(2026, 6, 1)),
        ("Deprecated as of March 1, 2026. It will be removed on June 1, 2026.", date(2026, 6, 1)),
        ("This will be removed on 31.12.2026.", date(2026, 12, 31)),
        ("This will be removed on 03.04.2026.", None),
        ("It will be sunset in June 2027.", date(2027, 6, 1)),
        ("Last updated on March 3, 2026.", None),
        ("Released October 7, 2025. We fixed things.", None),
        ("On 2026-01-02 there were 3 outages.", None),
        ("See our post of March 3, 2026.", None),
        ("This will be removed on February 30, 2026.", None),
        ("Nothing.", None),
    ],
)
def test_the_day_of_effect_is_the_one_that_the_words_before_it_name(text: str, day: date | None) -> None:
    assert effective_on(text) == day


def test_a_day_without_a_year_is_the_next_one_after_the_text_was_published() -> None:
    assert effective_on("Effective March 18, names change.", date(2026, 3, 13)) == date(2026, 3, 18)
    assert effective_on("It will be removed on January 5.", date(2026, 12, 20)) == date(2027, 1, 5)
    assert effective_on("Effective March 18, names change.") is None


@given(_DAYS, st.sampled_from(_FORMATS), st.sampled_from(_SAYS), st.text(max_size=40))
def test_every_way_to_write_a_day_is_read_back(day: date, written: str, says: str, noise: str) -> None:
    text = says.format(written.format(d=day))
    assert effective_on(text) == day
    assert effective_on(f"{text}\n{noise.translate(dict.fromkeys(map(ord, '0123456789')))}") == day


@given(
    _DAYS,
    st.sampled_from(_FORMATS),
    st.sampled_from(("Last updated {}", "Published on {}.", "Copyright {}", "{}")),
)
def test_a_day_on_which_something_was_only_written_is_no_day_of_effect(
    day: date, written: str, says: str
) -> None:
    assert effective_on(says.format(written.format(d=day))) is None


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300), st.none() | st.dates())
def test_any_text_has_a_day_or_none(text: str, published: date | None) -> None:
    found = effective_on(text, published)
    assert found is None or isinstance(found, date)


@given(st.text(alphabet="MarchJun 0123456789-./,ofbyuntileffective", max_size=300))
def test_what_looks_like_a_date_and_is_none_breaks_nothing(text: str) -> None:
    found = effective_on(text)
    assert found is None or isinstance(found, date)


@given(_DAYS, st.sampled_from(_FORMATS))
def test_a_cell_of_a_table_states_its_one_date(day: date, written: str) -> None:
    assert stated_date(written.format(d=day)) == day
    assert stated_date(f"Extended to {written.format(d=day)}") == day


def test_a_cell_with_no_whole_date_or_with_two_states_none() -> None:
    assert stated_date("TBD") is None
    assert stated_date("July 2019") is None
    assert stated_date("May 1, 2026 or June 1, 2026") is None


def test_the_dates_in_a_text_are_all_of_its_whole_days_and_the_ends_of_its_months() -> None:
    text = "On March 3, 2026 and 2026-04-05 we met; from February 2028 we meet by 5 May."
    assert dates_in(text) == (date(2026, 3, 3), date(2026, 4, 5), date(2028, 2, 29))
    assert without_dates("It ends on 2026-04-05 at noon") == "It ends on   at noon"
