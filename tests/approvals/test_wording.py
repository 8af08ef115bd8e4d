"""What changed, put into words: each kind of change, in each language, with the reader's own clock."""

from datetime import UTC, datetime

import pytest

from chalicelib.approvals.model import Changed, IfLate, Pictured, What
from chalicelib.approvals.wording import MOST_CHANNELS, changes_said
from chalicelib.core.words import LANGUAGES, Words

NINE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
TEN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def said(language: str, change: Changed) -> tuple[str, str, str]:
    (one,) = changes_said(Words(language), (change,), "Europe/Warsaw")
    return one.what, one.before, one.after


@pytest.mark.parametrize(
    ("language", "heading", "before", "after"),
    [
        (
            "en",
            "Time",
            "Tuesday 24 November 2026, 09:00 (Warsaw)",
            "Tuesday 24 November 2026, 10:00 (Warsaw)",
        ),
        (
            "pl",
            "Termin",
            "wtorek 24 listopada 2026, 09:00 (Warsaw)",
            "wtorek 24 listopada 2026, 10:00 (Warsaw)",
        ),
        (
            "fa",
            "زمان",
            "سه‌شنبه ۲۴ نوامبر ۲۰۲۶، ساعت ۰۹:۰۰ (\u2068Warsaw\u2069)",
            "سه‌شنبه ۲۴ نوامبر ۲۰۲۶، ساعت ۱۰:۰۰ (\u2068Warsaw\u2069)",
        ),
    ],
)
def test_a_change_of_time_is_told_by_the_readers_clock(
    language: str, heading: str, before: str, after: str
) -> None:
    assert said(language, Changed(What.TIME, NINE, TEN)) == (heading, before, after)


@pytest.mark.parametrize(
    ("language", "minutes", "words"),
    [
        ("en", 1, "it goes out up to 1 minute late"),
        ("en", 30, "it goes out up to 30 minutes late"),
        ("pl", 1, "ukaże się najwyżej 1 minutę po terminie"),
        ("pl", 22, "ukaże się najwyżej 22 minuty po terminie"),
        ("pl", 30, "ukaże się najwyżej 30 minut po terminie"),
        ("fa", 30, "تا ۳۰ دقیقه دیرتر منتشر می‌شود"),
    ],
)
def test_what_happens_to_a_late_post_is_told_with_its_minutes(
    language: str, minutes: int, words: str
) -> None:
    change = Changed(What.IF_LATE, IfLate("hold", 30), IfLate("publish", minutes))
    assert said(language, change)[2] == words


def test_every_kind_of_change_reads_otherwise_in_every_language() -> None:
    readings = {(language, what): said(language, Changed(what))[0] for language in LANGUAGES for what in What}
    assert len(set(readings.values())) == len(LANGUAGES) * len(What)
    ends = {
        said(language, Changed(What.IF_LATE, IfLate(a, 1)))[1]
        for language in LANGUAGES
        for a in ("hold", "drop")
    }
    assert len(ends) == 2 * len(LANGUAGES)


def test_pictures_are_told_by_their_descriptions_one_to_a_line() -> None:
    before = (Pictured("a", "A tram\nat dawn"), Pictured("b", ""))
    assert said("en", Changed(What.PICTURES, before, ())) == (
        "Pictures", "A tram at dawn\nwithout a description", "",
    )  # fmt: skip


def test_another_picture_with_the_same_description_is_not_told_as_no_change() -> None:
    change = Changed(What.PICTURES, (Pictured("a", "A tram"),), (Pictured("b", "A tram"),))
    assert said("pl", change)[1:] == ("A tram", "inne obrazy, opisane tymi samymi słowami")


def test_a_hidden_character_in_a_changed_text_or_name_is_shown() -> None:
    change = Changed(What.TEXT, "pay\u202epal", "paypal", ("zor\u200bza (mastodon)",))
    (one,) = changes_said(Words("en"), (change,), "UTC")
    assert (one.before, one.channels) == ("pay⟨U+202E⟩pal", ("zor⟨U+200B⟩za (mastodon)",))


def test_a_change_on_320_channels_names_a_few_and_counts_the_others() -> None:
    change = Changed(What.TEXT, "old", "new", tuple(f"a{n} (mastodon)" for n in range(320)))
    (one,) = changes_said(Words("en"), (change,), "UTC")
    assert (len(one.channels), one.more) == (MOST_CHANNELS, 320 - MOST_CHANNELS)
