"""Scores: bounded, symmetric where they should be, moved the right way by each piece of evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.words import Words
from chalicelib.discovery.likeness import How, forms, likeness
from chalicelib.discovery.reasons import AGAINST, SENTENCES, Why
from chalicelib.discovery.scoring import CANDIDATE, WEIGHTS, Face, local_part, score, with_word
from tests.discovery import kits
from tests.discovery.planted import Kit, Town, towns

NOW = datetime(2026, 11, 23, tzinfo=UTC)
OURS = Face(
    "zorza", "Zorza", "Lodówki i pralki z serwisem w całej Polsce", (0x5A5A_F0F0_1234_9ABC,), (), 9000, NOW
)
TEXTS = st.text(max_size=40)
FACES = st.builds(
    Face, handle=TEXTS, name=TEXTS, description=st.text(max_size=300),
    avatars=st.lists(st.integers(0, 2**64 - 1), max_size=3).map(tuple),
    links=st.lists(TEXTS, max_size=3).map(tuple), followers=st.none() | st.integers(0, 10**9),
    opened_at=st.none() | st.integers(0, 9000).map(lambda days: NOW - timedelta(days=days)),
)  # fmt: skip
NAMES = st.sampled_from(
    ["zorza", "zorza_official", "z0rza", "zorrza", "Zorza Kraków", "مهرآوا", "Θαλασσινό", "weber"]
)


@given(FACES, FACES)
@settings(max_examples=300)
def test_a_score_lies_between_nothing_and_all_whatever_is_compared(theirs: Face, ours: Face) -> None:
    found = score(theirs, ours, ("zorza.pl",), NOW)
    assert 0.0 <= found.value < 1.0
    for reason in found.reasons:
        assert reason.said(Words("en"))


@given(st.one_of(NAMES, TEXTS), st.one_of(NAMES, TEXTS))
@settings(max_examples=500)
def test_which_of_two_names_is_ours_makes_no_difference(one: str, other: str) -> None:
    assert likeness(forms(one), forms(other)) == likeness(forms(other), forms(one))
    assert 0.0 <= likeness(forms(one), forms(other)).value <= 1.0


@given(st.one_of(NAMES, TEXTS))
def test_a_name_is_the_same_as_itself_or_has_no_letters(name: str) -> None:
    found = likeness(forms(name), forms(name))
    assert (found.how == How.SAME) == bool(forms(name).plain)


@given(st.one_of(NAMES, TEXTS), st.one_of(NAMES, TEXTS), st.text(max_size=80))
def test_more_of_what_makes_us_alike_never_lowers_a_score(handle: str, name: str, words: str) -> None:
    stranger = Face(handle, name, words)
    before = score(stranger, OURS, ("zorza.pl",), NOW).value
    assert score(replace(stranger, avatars=OURS.avatars), OURS, ("zorza.pl",), NOW).value >= before
    assert (
        score(replace(stranger, links=("https://www.zorza.pl/x",)), OURS, ("zorza.pl",), NOW).value >= before
    )
    assert (
        score(replace(stranger, opened_at=NOW - timedelta(days=9)), OURS, ("zorza.pl",), NOW).value >= before
    )
    for why in (Why.REPORTED, Why.ON_OUR_SITE):
        assert with_word(score(stranger, OURS, (), NOW), why).value >= CANDIDATE


@given(st.one_of(NAMES, TEXTS), st.one_of(NAMES, TEXTS))
def test_what_speaks_against_never_raises_a_score(handle: str, name: str) -> None:
    stranger = Face(handle, name, "", (), (), 100, NOW - timedelta(days=500))
    before = score(stranger, OURS, (), NOW).value
    for changed in (
        replace(stranger, avatars=(~OURS.avatars[0] & (2**64 - 1),)),
        replace(stranger, description="Unofficial, not affiliated"),
        replace(stranger, followers=10**7),
        replace(stranger, opened_at=NOW - timedelta(days=3000)),
    ):
        assert score(changed, OURS, (), NOW).value <= before


@pytest.mark.parametrize(
    ("theirs", "ours", "how"),
    [
        ("zorza", "ZORZA", How.SAME),
        ("Zażółć", "zazolc", How.SAME),
        ("Kraków Zorza", "zorza krakow", How.SAME),
        ("zоrzа", "zorza", How.DRAWN),  # Cyrillic о and а
        ("z0rza", "zorza", How.DRAWN),
        ("rnikoma", "mikoma", How.DRAWN),
        ("𝐳𝐨𝐫𝐳𝐚", "zorza", How.SAME),  # mathematical letters are compatibility forms
        ("Iidora", "lidora", How.DRAWN),  # a capital i
        ("زيبا", "زیبا", How.DRAWN),  # Arabic yeh for Persian yeh
        ("zorza_official", "zorza", How.ADDED),
        ("supportzorza24", "zorza", How.ADDED),
        ("zorzapl", "zorza", How.ADDED),
        ("zorrza", "zorza", How.MISSPELLED),
        ("zorza_krakow", "zorza", How.WITHIN),
        ("pko", "pka", How.APART),  # too short to be misspelled
        ("zorza1", "zorza2", How.ADDED),
        ("", "zorza", How.APART),
        ("🙂", "🙂", How.APART),
    ],
)
def test_how_two_names_are_alike(theirs: str, ours: str, how: How) -> None:
    assert likeness(forms(theirs), forms(ours)).how == how


@pytest.mark.parametrize(
    ("handle", "part"),
    [
        ("@zorza@mastodon.social", "zorza"), ("zorza.bsky.social", "zorza"), ("zorza.pl", "zorza"),
        ("www.zorza.pl", "zorza"), ("zorza.official", "zorza.official"), ("zorza", "zorza"), ("..", ".."),
        ("", ""),
    ],
)  # fmt: skip
def test_the_part_of_a_handle_that_its_owner_chose(handle: str, part: str) -> None:
    assert local_part(handle) == part


def test_every_piece_of_evidence_has_a_sentence_and_a_weight_that_leaves_doubt() -> None:
    assert set(SENTENCES) == set(Why)
    assert all(0 < weight < 1 for weight in WEIGHTS.values())
    named = {why for why in Why if why.startswith(("handle", "name"))}
    assert set(WEIGHTS) | named == set(Why)
    assert set(WEIGHTS) >= AGAINST


def test_the_reasons_say_what_was_seen_strongest_first() -> None:
    theirs = Face(
        "z0rza_help", "Zorza", "Claim your prize on Telegram", OURS.avatars, ("https://zorza.pl",), 3
    )
    reasons = score(theirs, OURS, ("zorza.pl",), NOW).reasons
    said = [reason.said(Words("en")) for reason in reasons]
    assert said[0] == "Its picture is ours, or nearly: 64 of 64 marks agree"
    assert "It links to our own site zorza.pl" in said
    assert [r.counts for r in reasons if not r.is_against] == sorted(
        (r.counts for r in reasons), reverse=True
    )


def test_a_name_in_a_reason_can_neither_break_a_line_nor_run_on() -> None:
    theirs = Face("zorza", "Zorza\n\u202eofficial" + "x" * 9000)
    for reason in score(theirs, OURS, (), NOW).reasons:
        assert "\n" not in reason.said(Words("en"))
        assert len(reason.said(Words("en"))) < 400


def _numbers(planted: list[Town]) -> tuple[float, float]:
    wanted = taken = right = 0
    for town in planted:
        for one in town.found:
            best = max(score(one.face, ours, (town.firm.site,), NOW).value for ours in town.ours)
            wanted += one.is_wanted
            taken += best >= CANDIDATE
            right += one.is_wanted and best >= CANDIDATE
    return right / taken, right / wanted


@pytest.mark.parametrize("kit", [kits.TUNING, kits.HELD_OUT], ids=["tuning", "held out"])
def test_look_alikes_are_told_from_fans_and_namesakes(kit: Kit) -> None:
    precision, recall = _numbers(list(towns(kit, seed=7)))
    assert precision >= 0.95
    assert recall >= 0.95


def test_the_names_held_out_occur_nowhere_in_tuning() -> None:
    def said(kit: Kit) -> set[str]:
        return {w for f in kit.firms for w in (f.name, f.handle, f.trade, *(latin for _, latin in f.places))}

    assert not said(kits.TUNING) & said(kits.HELD_OUT)
