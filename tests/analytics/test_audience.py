"""Which account is worth its work: pure rules, held to what may never happen."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.analytics.audience import (
    LEAST_FOLLOWERS,
    LEAST_PEERS,
    LEAST_POSTS,
    LEAST_WEEKS,
    Assessment,
    Facts,
    Trouble,
    Verdict,
    assess,
    ranked,
)
from chalicelib.analytics.wording import sentence_of
from chalicelib.core.words import LANGUAGES, Words

USUAL = Facts(
    "usual", "mastodon", "unit_a", "usual", weeks=8, posts=16, answered=10, response=40, reach=80,
    followers=1000, followers_before=900, hours=20.0,
)  # fmt: skip


def among_usual(*facts: Facts) -> dict[str, Assessment]:
    """What is made of accounts among enough usual ones of another unit."""
    peers = [replace(USUAL, account_id=f"peer{n}", unit_id="unit_b") for n in range(LEAST_PEERS + 2)]
    return {one.facts.account_id: one for one in assess([*facts, *peers])}


def judged(**changes: object) -> Assessment:
    return among_usual(replace(USUAL, **changes))["usual"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.WORTH_IT),
        ({"response": 20, "reach": 40}, Verdict.WORTH_IT),  # half of what is usual is enough
        ({"response": 19}, Verdict.REACH_ONLY),
        ({"response": 0}, Verdict.REACH_ONLY),
        ({"reach": 39}, Verdict.RESPONSE_ONLY),
        ({"response": 19, "reach": 39}, Verdict.NEITHER),
        ({"hours": 200.0, "followers": 20_000}, Verdict.NEITHER),
        ({"weeks": LEAST_WEEKS - 1}, Verdict.TOO_EARLY),
        ({"posts": LEAST_POSTS - 1}, Verdict.TOO_EARLY),
        ({"posts": 0, "is_posted_past_us": True}, Verdict.TOO_EARLY),
        ({"followers": LEAST_FOLLOWERS - 1}, Verdict.TOO_EARLY),
        ({"followers": None}, Verdict.UNREADABLE),
        ({"trouble": Trouble.NOT_CONNECTED}, Verdict.UNREADABLE),
        ({"trouble": Trouble.CANNOT_BE_READ}, Verdict.UNREADABLE),
        ({"platform": "bluesky"}, Verdict.TOO_FEW),
    ],
)
def test_what_comes_back_decides(changes: dict[str, object], verdict: Verdict) -> None:
    one = judged(**changes)
    assert one.verdict == verdict
    is_compared = verdict not in (Verdict.TOO_EARLY, Verdict.TOO_FEW, Verdict.UNREADABLE)
    assert (one.score is not None) == (one.rank is not None) == (one.rates is not None) == is_compared


def test_at_the_medians_the_score_is_half() -> None:
    one = judged()
    assert (one.score, one.rank) == (50, 1)
    assert one.usual is not None
    assert one.usual.rates == one.rates
    assert one.rates is not None
    assert (one.rates.response_per_hour, one.rates.response_per_1000) == (2, 5)
    assert (one.rates.reach_per_hour, one.rates.reach_per_1000) == (4, 10)


def test_one_account_fewer_than_needed_is_too_few_to_compare() -> None:
    some = [replace(USUAL, account_id=f"a{n}") for n in range(LEAST_PEERS)]
    assert {one.verdict for one in assess(some)} == {Verdict.WORTH_IT}
    assert {one.verdict for one in assess(some[1:])} == {Verdict.TOO_FEW}


def test_silence_of_a_whole_platform_is_not_the_accounts_fault() -> None:
    some = [replace(USUAL, account_id=f"a{n}", response=0, reach=0) for n in range(LEAST_PEERS)]
    assert {one.verdict for one in assess(some)} == {Verdict.UNREADABLE}


def test_where_no_reactions_are_told_the_messages_alone_decide() -> None:
    some = [replace(USUAL, account_id=f"a{n}", reach=0) for n in range(LEAST_PEERS)]
    weak = replace(some[0], account_id="weak", response=1)
    found = {one.facts.account_id: one for one in assess([*some, weak])}
    assert found["a0"].verdict == Verdict.WORTH_IT
    assert found["weak"].verdict == Verdict.NEITHER
    assert "not told here" in sentence_of(found["a0"], Words("en"))


def test_hours_are_moved_to_the_best_account_of_the_same_unit() -> None:
    weak = replace(USUAL, account_id="weak", handle="cisza", response=2, reach=4)
    good = replace(USUAL, account_id="good", handle="glos", response=60)
    best = replace(USUAL, account_id="best", handle="chor", response=90)
    one = among_usual(weak, good, best)["weak"]
    assert one.better_id == "best"
    said = sentence_of(one, Words("en"))
    assert said.startswith("Little comes back to cisza: move its 2.5 h a week to chor")
    assert "messages 0.1 (usual here: 2)" in said


def test_hours_are_moved_nowhere_that_is_not_clearly_better() -> None:
    weak = replace(USUAL, account_id="weak", response=2, reach=4)
    elsewhere = replace(USUAL, account_id="elsewhere", unit_id="unit_c", response=90)
    broken = replace(USUAL, account_id="broken", response=90, trouble=Trouble.CANNOT_BE_READ)
    one = among_usual(weak, elsewhere, broken)["weak"]
    assert (one.verdict, one.better_id) == (Verdict.NEITHER, None)
    assert "or retire it" in sentence_of(one, Words("en"))


def test_numbers_are_written_as_the_reader_writes_them() -> None:
    weak = among_usual(replace(USUAL, account_id="weak", response=2, reach=4))["weak"]
    assert "2,5 h" in sentence_of(weak, Words("pl"))
    assert "۲٫۵" in sentence_of(weak, Words("fa"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "changes",
    [
        {}, {"response": 0}, {"reach": 0}, {"response": 0, "reach": 0}, {"weeks": 1}, {"posts": 1},
        {"posts": 0, "is_posted_past_us": True}, {"followers": 3}, {"followers": None},
        {"platform": "bluesky"}, *({"trouble": trouble} for trouble in Trouble),
    ],
)  # fmt: skip
def test_every_verdict_is_said_in_every_language(language: str, changes: dict[str, object]) -> None:
    said = sentence_of(judged(handle="żółć\u202e", **changes), Words(language))
    assert "%(" not in said
    assert "\u202e" not in said  # an account's name turns no sentence around


# What may never happen

counts = st.one_of(st.just(0), st.integers(0, 10_000))
sums: dict[str, st.SearchStrategy[object]] = {
    "account_id": st.uuids().map(str),
    "unit_id": st.sampled_from(["unit_a", "unit_b"]),
    "handle": st.just("konto"),
    "answered": counts,
    "response": counts,
    "reach": counts,
    "hours": st.floats(0.5, 3000),
}
telling = st.builds(
    Facts,
    **sums,
    platform=st.sampled_from(["mastodon", "bluesky"]),
    weeks=st.integers(LEAST_WEEKS, 52),
    posts=st.integers(LEAST_POSTS, 300),
    followers=st.integers(LEAST_FOLLOWERS, 10**7),
)
any_at_all = st.builds(
    Facts,
    **sums,
    platform=st.sampled_from(["mastodon", "bluesky", "pinterest"]),
    weeks=st.integers(0, 52),
    posts=st.integers(0, 300),
    followers=st.one_of(st.none(), st.integers(0, 10**7)),
    trouble=st.sampled_from([None, *Trouble]),
)
companies = st.builds(
    lambda some, others: list({f.account_id: f for f in (*some, *others)}.values()),
    st.lists(telling, min_size=9, max_size=16),
    st.lists(any_at_all, max_size=5),
)


@settings(deadline=None)
@given(companies)
def test_every_account_is_ranked_once_and_scores_are_bounded(facts: list[Facts]) -> None:
    found = assess(facts)
    assert sorted(one.facts.account_id for one in found) == sorted(f.account_id for f in facts)
    scores = [one.score for one in found if one.score is not None]
    assert all(0 <= score <= 100 for score in scores)
    assert scores == sorted(scores, reverse=True)
    assert [one.score is None for one in found] == sorted(one.score is None for one in found)
    ranks = [one.rank for one in found if one.rank is not None]
    assert ranks == [1 + sum(other > score for other in scores) for score in scores]
    assert [one.place for one in found] == sorted(one.place for one in found)


@settings(deadline=None)
@given(companies, st.data())
def test_more_response_or_reach_for_equal_work_never_ranks_lower(
    facts: list[Facts], data: st.DataObject
) -> None:
    n = data.draw(st.integers(0, len(facts) - 1))
    one, response, reach = facts[n], data.draw(counts), data.draw(counts)
    more = replace(one, response=one.response + response, reach=one.reach + reach)
    before = _one(assess(facts), facts[n])
    after = _one(assess([*facts[:n], more, *facts[n + 1 :]]), facts[n])
    if before.score is not None:
        assert after.score is not None
        assert after.score >= before.score
        assert after.rank is not None
        assert before.rank is not None
        assert after.rank <= before.rank


def _one(found: list[Assessment], facts: Facts) -> Assessment:
    return next(one for one in found if one.facts.account_id == facts.account_id)


@settings(deadline=None)
@given(companies, st.randoms(use_true_random=False))
def test_the_order_in_which_accounts_come_changes_nothing(facts: list[Facts], random: object) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert assess(shuffled) == assess(facts)
    assert ranked(assess(facts)) == assess(facts)
