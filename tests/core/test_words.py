"""Languages, times and the characters that hide."""

import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.words import LANGUAGES, LOCALE, Words, best_language, one_line, visible
from infra.messages import compiled, extracted, po_file, problems, read

NINE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_every_message_is_translated_and_every_catalogue_is_fresh() -> None:
    assert problems() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_its_source(language: str) -> None:
    po = po_file(language)
    assert po.with_suffix(".mo").read_bytes() == compiled(po.read_bytes(), language)


def test_translations_are_in_their_own_script() -> None:
    latin = re.compile(r"%\(\w+\)s|[^A-Za-z]")
    for message in read("fa"):
        if message.id:
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            assert not any(latin.sub("", str(form)) for form in forms), message.id


def test_the_extraction_finds_code_and_templates() -> None:
    found = {m.id if isinstance(m.id, str) else m.id[0] for m in extracted()}
    assert {"Monday", "Approve", "Please approve: %(title)s"} <= found
    assert (Path(LOCALE) / "pl" / "LC_MESSAGES" / "signalbox.mo").exists()


@pytest.mark.parametrize(
    ("language", "zone", "said"),
    [
        ("en", "Europe/Warsaw", "Tuesday 24 November 2026, 09:00 (Warsaw)"),
        ("pl", "Europe/Warsaw", "wtorek 24 listopada 2026, 09:00 (Warsaw)"),
        ("fa", "Asia/Tehran", "سه‌شنبه ۲۴ نوامبر ۲۰۲۶، ساعت ۱۱:۳۰ (\u2068Tehran\u2069)"),
        ("en", "America/New_York", "Tuesday 24 November 2026, 03:00 (New York)"),
    ],
)
def test_times_are_told_where_and_how_the_reader_lives(language: str, zone: str, said: str) -> None:
    assert Words(language).moment(NINE, zone) == said


def test_the_hour_that_comes_twice_says_which_one_it_is() -> None:
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    said = [Words("en").moment(at, "Europe/Warsaw") for at in (first, second)]
    assert said == [
        "Sunday 25 October 2026, 02:30 (Warsaw, UTC+02:00)",
        "Sunday 25 October 2026, 02:30 (Warsaw, UTC+01:00)",
    ]


@pytest.mark.parametrize(
    ("n", "polish"),
    [
        (1, "1 kanał,"),
        (2, "2 kanały,"),
        (5, "5 kanałów,"),
        (12, "12 kanałów,"),
        (22, "22 kanały,"),
        (112, "112 kanałów,"),
    ],
)
def test_plurals_are_polish(n: int, polish: str) -> None:
    said = Words("pl").say_n(
        "%(n)s channel, as people will see it", "%(n)s channels, as people will see them", n
    )
    assert said.startswith(polish)


def test_a_name_of_the_other_direction_is_isolated() -> None:
    assert Words("en").say("Asked by: %(who)s", who="امید") == "Asked by: \u2068امید\u2069"
    assert Words("en").say("Asked by: %(who)s", who="Ada") == "Asked by: Ada"
    assert Words("fa").say("Asked by: %(who)s", who="Ada").endswith("\u2068Ada\u2069")


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("gap\u202egpj.exe", "gap⟨U+202E⟩gpj.exe"),
        ("a\u200bb\u2060c\ufeff", "a⟨U+200B⟩b⟨U+2060⟩c⟨U+FEFF⟩"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("می\u200cروم", "می\u200cروم"),
        ("pay\u200cpal", "pay⟨U+200C⟩pal"),
        ("👩\u200d🚒 👩🏽\u200d🚒", "👩\u200d🚒 👩🏽\u200d🚒"),
        ("🏴\U000e0067\U000e0062\U000e007f", "🏴\U000e0067\U000e0062\U000e007f"),
        ("x\U000e0067", "x⟨U+E0067⟩"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("bell\x07nul\x00", "bell⟨U+0007⟩nul⟨U+0000⟩"),
        ("half \ud83d", "half \ufffd"),
    ],
)
def test_hidden_characters_are_shown_by_their_number(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@given(st.text())
def test_nothing_hidden_is_left_and_nothing_visible_is_changed(text: str) -> None:
    kept = {"\u200c", "\u200d", "\n", "\t"} | {chr(c) for c in range(0xE0020, 0xE0080)}
    shown = visible(text)
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not [c for c in shown if unicodedata.bidirectional(c) in bidi]
    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in kept]
    if text.isprintable() and text.isascii():
        assert shown == text


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("pl-PL,pl;q=0.9,en;q=0.8", "pl"),
        ("fa", "fa"),
        ("de,fr;q=0.5", "en"),
        ("", "en"),
        ("xx," * 9999 + "pl", "en"),
    ],
)
def test_the_browsers_language_is_taken_where_we_speak_it(header: str, language: str) -> None:
    assert best_language(header) == language
