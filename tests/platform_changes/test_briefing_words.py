"""What a leader can say in a minute."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.words import LANGUAGES, Words
from chalicelib.platform_changes import briefing_words as plain
from chalicelib.platform_changes.briefing_model import Briefing, Down, Ending, OnRadar, Silent, Told
from chalicelib.platform_changes.model import Kind, Status
from chalicelib.platform_changes.radar_model import Decision

SINCE, UNTIL = datetime(2026, 11, 23, 6, tzinfo=UTC), datetime(2026, 11, 30, 6, tzinfo=UTC)
EMPTY = Briefing("2026-W49", SINCE, UNTIL, UNTIL, date(2026, 11, 30), "Europe/Warsaw")
ENGLISH = Words("en")
DAYS = st.none() | st.dates(date(2026, 11, 1), date(2028, 1, 1))
TEXTS = st.text(max_size=20)
TOLD = st.builds(
    Told, st.just("change_1"), st.sampled_from(["linkedin", "x", "flip%"]), st.sampled_from(Kind), TEXTS,
    TEXTS, st.just(""), st.sampled_from(Status), st.just(SINCE), DAYS, DAYS, st.booleans(),
    st.tuples(st.sampled_from(["publish", "reply", "new%s"])), st.integers(0, 400), st.integers(0, 30),
    st.just(()), TEXTS,
)  # fmt: skip
DOWN = st.builds(Down, st.just("x"), TEXTS, st.just(SINCE), st.none() | st.just(UNTIL))
ENDING = st.builds(Ending, st.just("x"), TEXTS, DAYS.filter(bool), st.just(3), st.just(1))
ON_RADAR = st.builds(
    OnRadar, st.just("p"), TEXTS, st.just(""), TEXTS, st.sampled_from(Decision), TEXTS, DAYS, TEXTS
)
BRIEFINGS = st.builds(
    replace,
    st.just(EMPTY),
    changed=st.lists(TOLD, max_size=3).map(tuple),
    open=st.lists(TOLD, max_size=3).map(tuple),
    outages=st.lists(DOWN, max_size=2).map(tuple),
    versions=st.lists(ENDING, max_size=2).map(tuple),
    silent=st.lists(st.just(Silent("k", "x", "Feed", "", SINCE, "why")), max_size=1).map(tuple),
    radar=st.lists(ON_RADAR, max_size=1).map(tuple),
)


def told(title: str, **more: Any) -> Told:
    fields = {"touches": True, "abilities": ("publish",), "accounts": 12, "units": 3, **more}
    return Told("change_1", "linkedin", Kind.BREAKING, title, "", "", Status.NEW, SINCE, **fields)


def minute(briefing: Briefing, language: str = "en") -> list[str]:
    words = Words(language)
    return [plain.said(words, line) for line in plain.minute(words, briefing)]


@given(BRIEFINGS, st.sampled_from(LANGUAGES))
def test_it_is_two_sentences_of_a_quiet_week_and_three_to_six_of_any_other(
    briefing: Briefing, language: str
) -> None:
    count = len(minute(briefing, language))
    assert count == 2 if briefing.is_quiet else 3 <= count <= 6


def test_a_week_is_told_as_somebody_would_say_it() -> None:
    top = told("Version 202512 is sunset", effective_on=date(2026, 12, 15), versions=("202512",))
    planned = told("Old uploads go away", due_on=date(2026, 12, 4), owner="Ola Ość")
    briefing = replace(
        EMPTY,
        changed=(top, replace(planned, kind=Kind.DEPRECATION)),
        open=(top, planned),
        versions=(
            Ending("linkedin", "202512", date(2026, 12, 15), 12, 3),
            Ending("facebook", "v21.0", date(2027, 1, 21), 118, 19),
        ),
    )
    assert minute(briefing) == [
        "2 changes at our platforms concern us this week.",
        "The most important one is from LinkedIn: “Version 202512 is sunset”.",
        "It takes effect on 15 December 2026 and is about publishing on 12 accounts.",
        "Version v21.0 of Facebook ends on 21 January 2027; we use it for 118 accounts.",
        "2 things with a date have nobody yet: who takes them?",
        "By 4 December 2026, Ola Ość takes care of “Old uploads go away”.",
    ]


def test_a_quiet_week_says_so_and_names_the_next_date() -> None:
    quiet = "It was a quiet week: nothing changed at our platforms that concerns us."
    assert minute(EMPTY) == [quiet, "No date lies ahead that we know of."]
    ahead = replace(EMPTY, open=(told("Old uploads go away", effective_on=date(2027, 3, 1)),))
    assert minute(ahead) == [quiet, "The next date is 1 March 2027, for LinkedIn: “Old uploads go away”."]


def test_a_version_that_ended_and_is_still_used_is_said_as_such() -> None:
    ended = Ending("facebook", "v20.0", date(2026, 9, 24), 1, 1)
    said = minute(replace(EMPTY, versions=(ended,)))
    assert said[1] == "Version v20.0 of Facebook ended on 24 September 2026; we use it: 1 account."


@pytest.mark.parametrize(
    ("outages", "sentence"),
    [
        ([(5, 8)], "X was down for 3 hours; that is over."),
        ([(5, None)], "X is down, for 5 days so far."),
        ([(5, 6), (7, 11)], "There were 2 outages, the longest at X: 4 hours."),
    ],
)
def test_outages_are_told_with_how_long_they_were(
    outages: list[tuple[int, int | None]], sentence: str
) -> None:
    def at(hours: int | None) -> Any:
        return None if hours is None else SINCE + timedelta(days=2, hours=hours)

    downs = tuple(Down("x", "Errors", at(began), at(ended)) for began, ended in outages)
    assert sentence in minute(replace(EMPTY, outages=downs))


@pytest.mark.parametrize(
    ("lasted_for", "text"),
    [
        (20, "1 minute"),
        (119 * 60, "119 minutes"),
        (120 * 60, "2 hours"),
        (47 * 3600, "47 hours"),
        (50 * 3600, "2 days"),
    ],
)
def test_a_length_is_told_as_roughly_as_people_tell_it(lasted_for: int, text: str) -> None:
    assert plain.length(ENGLISH, timedelta(seconds=lasted_for)) == text


def test_a_thing_to_do_says_what_and_for_whom_it_matters_and_who_does_it() -> None:
    late = told("Old\nuploads", effective_on=date(2026, 11, 27), abilities=("publish", "webhook", "poll"))
    (line,) = plain.lines(ENGLISH, replace(EMPTY, open=(late,)))
    assert (line.platform, line.name, line.who, line.is_late) == ("LinkedIn", "Old uploads", "", True)
    assert line.to_do == "Have our calls changed before this day. After it they fail."
    assert line.means == (
        "For us: publishing, hearing what comes in, fetching what comes in, 12 accounts, 3 units."
    )


def test_a_hidden_character_in_a_title_is_shown_and_turns_no_sentence_around() -> None:
    (_, sentence, *_) = minute(replace(EMPTY, changed=(told("Old \u202euploads"),)))
    assert sentence == "The most important one is from LinkedIn: “Old ⟨U+202E⟩uploads”."


@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.sampled_from(LANGUAGES))
def test_a_day_has_the_months_name_of_its_language(on: date, language: str) -> None:
    said = plain.day(Words(language), on)
    assert (f"{on:%B}" in said) == (language == "en")
    assert Words(language).number(on.year) in said
