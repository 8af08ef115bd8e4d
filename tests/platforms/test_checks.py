"""Problems in plain words, found without calling anybody."""

from dataclasses import replace

import pytest

from chalicelib.platforms import registry
from chalicelib.platforms.port import Content, Problem
from tests.platforms.support import PHOTO, POLISH, Bench

EVERY = pytest.mark.parametrize("name", registry.names())


def problems(name: str, content: Content) -> list[Problem]:
    bench = Bench(name, [])
    return list(bench.adapter.problems(content, registry.traits(name).limits))


@EVERY
def test_a_text_at_the_limit_has_no_problem_and_one_more_is_one_over(name: str) -> None:
    most = registry.traits(name).limits.characters
    assert problems(name, Content("ż" * most)) == []
    (problem,) = problems(name, Content("ż" * (most + 1)))
    assert (problem.field, problem.over) == ("text", 1)
    assert f"{most + 1} characters" in problem.message
    assert f"allows {most}" in problem.message


def test_a_short_text_of_large_emoji_is_over_in_bytes() -> None:
    (problem,) = problems("bluesky", Content("👨‍👩‍👧‍👦" * 121))
    assert (problem.field, problem.over) == ("text", 25)
    assert "3025 bytes" in problem.message


@EVERY
def test_every_problem_is_told_at_once(name: str) -> None:
    limits = registry.traits(name).limits
    bad = replace(PHOTO, mime="application/pdf", alt="x" * (limits.alt_characters + 3))
    heavy = replace(PHOTO, size=limits.media_rules[0].most_bytes + 7)
    content = Content("", (bad, heavy, *[PHOTO] * limits.media), "persian please", {"colour": "red"})
    found = {problem.field: problem.over for problem in problems(name, content)}
    assert found == {
        "media": 2,
        "media[0].alt": 3,
        "media[0]": None,
        "media[1]": 7,
        "language": None,
        "options.colour": None,
    }


@EVERY
@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\ud800b", "\x7f"])
def test_a_character_that_servers_break_on_is_a_problem(name: str, text: str) -> None:
    assert [problem.field for problem in problems(name, Content(text))] == ["text"]
    assert [problem.field for problem in problems(name, Content("x", (replace(PHOTO, alt=text),)))] == [
        "media[0].alt"
    ]


@EVERY
@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_nothing_at_all_is_a_problem_unless_there_is_a_picture(name: str, text: str) -> None:
    assert [problem.field for problem in problems(name, Content(text))] == ["text"]
    assert problems(name, Content(text, (PHOTO,))) == []


@EVERY
def test_line_breaks_tabs_and_any_script_are_no_problem(name: str) -> None:
    assert problems(name, Content(f"{POLISH}\r\n\tسلام\u200c \u200fשלום 你好", language="fa-IR")) == []


def test_pixels_are_limited_and_videos_stand_alone_where_the_network_says_so() -> None:
    wide = replace(PHOTO, width=10_000, height=4_000)
    assert [problem.over for problem in problems("mastodon", Content("x", (wide,)))] == [
        40_000_000 - 33_177_600
    ]
    video = replace(PHOTO, mime="video/mp4")
    assert problems("mastodon", Content("x", (video,))) == []
    assert [problem.field for problem in problems("mastodon", Content("x", (PHOTO, video)))] == ["media[1]"]


def test_options_are_checked_against_what_the_network_takes() -> None:
    fine = {"visibility": "unlisted", "spoiler_text": "uwaga", "sensitive": "true"}
    assert problems("mastodon", Content("x", options=fine)) == []
    wrong = {"visibility": "everyone", "spoiler_text": "a\x00", "sensitive": "yes"}
    assert {problem.field for problem in problems("mastodon", Content("x", options=wrong))} == {
        "options.visibility",
        "options.spoiler_text",
        "options.sensitive",
    }
