"""The rules that need no database: states, revisions, lateness, and wall-clock times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import Conflict
from chalicelib.publishing.forms import local_instant
from chalicelib.publishing.model import (
    BEGUN,
    TRANSITIONS,
    LateAction,
    LatePolicy,
    MediaUse,
    Override,
    Post,
    Variant,
    VariantState,
    lateness_verdict,
    revision_of,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_post(**changes: object) -> Post:
    post = Post(
        post_id="post_1", title="T", text="Zażółć gęślą jaźń", language="pl", media=(), targets=("a", "b"),
        overrides={}, publish_at=NOON, zone="Europe/Warsaw", tags=("x",), late=LatePolicy(), author_id="p",
        contributors=("p",), unit_ids=("u",), created_at=NOON,
    )  # fmt: skip
    return replace(post, **changes)  # type: ignore[arg-type]


A_PICTURE = MediaUse("m1", "d" * 64, "image/png", 10, "a lamp", 1, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Zażółć gęślą jaźń."},
        {"language": "en"},
        {"media": (A_PICTURE,)},
        {"targets": ("a",)},
        {"targets": ("a", "c")},
        {"publish_at": NOON + timedelta(seconds=1)},
        {"overrides": {"a": Override(text="own")}},
        {"overrides": {"a": Override(media=())}},
        {"overrides": {"a": Override(options={"visibility": "unlisted"})}},
        {"late": LatePolicy(LateAction.DROP)},
    ],
)
def test_whatever_approvers_sign_changes_the_revision(changes: dict[str, object]) -> None:
    assert revision_of(a_post(**changes)) != revision_of(a_post())


def test_the_description_of_a_picture_is_part_of_what_is_signed() -> None:
    other = replace(A_PICTURE, alt="another lamp")
    assert revision_of(a_post(media=(A_PICTURE,))) != revision_of(a_post(media=(other,)))


def test_a_title_or_a_tag_is_not_published_and_does_not_change_the_revision() -> None:
    assert revision_of(a_post(title="Other", tags=())) == revision_of(a_post())


def test_an_override_of_the_post_s_own_text_differs_from_none() -> None:
    assert revision_of(a_post(overrides={"a": Override(text="")})) != revision_of(a_post())


@given(st.text(), st.text())
def test_two_texts_have_one_revision_only_if_they_are_one_text(first: str, second: str) -> None:
    same = revision_of(a_post(text=first)) == revision_of(a_post(text=second))
    assert same == (first == second)


@given(st.sampled_from(list(VariantState)), st.sampled_from(list(VariantState)))
def test_a_variant_moves_only_as_the_table_says(before: VariantState, after: VariantState) -> None:
    variant = Variant("post_1", "a", "mastodon", "u", "r", before, NOON, NOON)
    if (before, after) in TRANSITIONS:
        assert variant.moved(after, NOON).state == after
    else:
        with pytest.raises(Conflict, match=f"a {before} variant cannot become {after}"):
            variant.moved(after, NOON)


def test_nothing_that_has_begun_goes_back_to_being_a_draft() -> None:
    assert not any(before in BEGUN and after == VariantState.DRAFT for before, after in TRANSITIONS)


def test_published_is_the_end() -> None:
    assert not any(before == VariantState.PUBLISHED for before, _ in TRANSITIONS)


def test_every_state_can_be_reached_from_draft() -> None:
    reached = {VariantState.DRAFT}
    while True:
        more = {after for before, after in TRANSITIONS if before in reached} | reached
        if more == reached:
            break
        reached = more
    assert reached == set(VariantState)


@given(st.sampled_from(list(LateAction)), st.integers(1, 1440), st.integers(-86_400, 172_800))
def test_a_post_within_its_minute_is_never_late_and_beyond_its_grace_never_goes_out(
    action: LateAction, grace: int, seconds: int
) -> None:
    verdict = lateness_verdict(LatePolicy(action, grace), NOON, NOON + timedelta(seconds=seconds))
    if seconds <= 60:
        assert verdict is None
    elif seconds > grace * 60 or action != LateAction.PUBLISH:
        assert verdict in (None, VariantState.HELD, VariantState.LATE, VariantState.CANCELLED)
        assert (verdict is None) == (action == LateAction.PUBLISH and seconds <= grace * 60)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 - wall clocks have no zone
    st.sampled_from(["Europe/Warsaw", "Asia/Tehran", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_a_wall_clock_time_is_taken_only_if_it_happens_exactly_once(wall: datetime, zone: str) -> None:
    wall = wall.replace(second=0, microsecond=0)
    instant, problem = local_instant(wall, zone)
    place = ZoneInfo(zone)
    shows_it = [
        moment
        for moment in (instant.astimezone(UTC) + timedelta(minutes=m) for m in range(-180, 181, 30))
        if moment.astimezone(place).replace(tzinfo=None) == wall
    ]
    assert (problem is None) == (len(shows_it) == 1)


@pytest.mark.parametrize(
    ("wall", "zone", "words"),
    [
        (datetime(2027, 3, 28, 2, 30), "Europe/Warsaw", "does not exist"),  # noqa: DTZ001
        (datetime(2026, 10, 25, 2, 30), "Europe/Warsaw", "comes twice"),  # noqa: DTZ001
        (datetime(2027, 3, 14, 2, 30), "America/New_York", "does not exist"),  # noqa: DTZ001
        (datetime(2026, 11, 1, 1, 30), "America/New_York", "comes twice"),  # noqa: DTZ001
    ],
)
def test_the_hour_that_daylight_saving_skips_or_repeats_is_refused_in_words(
    wall: datetime, zone: str, words: str
) -> None:
    _, problem = local_instant(wall, zone)
    assert problem is not None
    assert words in problem
    assert zone in problem
