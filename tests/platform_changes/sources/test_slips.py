"""Slips of the pen, and small edits that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.sources.slips import is_slip, words

SENTENCE = "Callers that read the list of replies get every reply with its author, before the post itself."
PLAIN = [
    n for n, word in enumerate(SENTENCE.split()) if len(word) >= 5 and word.isalpha() and word != "every"
]


def slip(one: str, other: str) -> bool:
    there, back = is_slip(words(one), words(other)), is_slip(words(other), words(one))
    assert there == back
    return there


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It was 1,000 befor.", "It was 1,000 before."),
        ("They are counted in an other way.", "They are counted in another way."),
        ("is refused, when the field is old", "is refused when the field is old"),
        ("the \u201cThreads API\u201d is here", 'the "Threads API" is here'),
        ("We recieve the comment", "We receive the comment"),
        ("Posts are listed by day", "Posts are listed by day."),
        ("Please read the notes", "Read the notes"),
        ("one \u2013 other", "one - other"),
    ],
)
def test_a_slip_that_is_mended_is_no_change(one: str, other: str) -> None:
    assert slip(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("An account has 100 posts", "An account has 10 posts"),
        ("An account has 1,000 posts", "An account has 1.000 posts"),
        ("Values may be -5", "Values may be 5"),
        ("Ask `GET /me/reply`", "Ask `GET /me/replys`"),
        ("The field `is_post` is here", "The field `is_posts` is here"),
        ("The field pageReach is here", "The field pageReachs is here"),
        ("The scope read_posts is here", "The scope reads_posts is here"),
        ("It ends on May 5", "It ends on May 6"),
        ("It ends in June", "It ends in July"),
        ("It is now read", "It is not read"),
        ("Callers should send it", "Callers would send it"),
        ("Callers may send it", "Callers must send it"),
        ("It is answered", "It is not answered"),
        ("It doesn't answer", "It does answer"),
        ("Posts and replies", "Posts or replies"),
        ("Calls are synchronous", "Calls are asynchronous"),
        ("Fields to include", "Fields to exclude"),
        ("It takes three", "It takes there"),
        ("It takes a READ right", "It takes a READS right"),
        ("Ask before posting", "Ask after posting"),
        ("posts before replies", "replies before posts"),
        ("Pages are read.", "Pages are read. Groups too."),
        ("string", "number"),
        ("", "Gone"),
    ],
)
def test_a_small_edit_that_changes_what_is_said_is_a_change(one: str, other: str) -> None:
    assert not slip(one, other)


@given(st.sampled_from(PLAIN), st.integers(1, 4), st.sampled_from("aeioustr"))
def test_one_letter_more_in_any_plain_word_is_a_slip(word: int, place: int, letter: str) -> None:
    said = SENTENCE.split()
    said[word] = said[word][:place] + letter + said[word][place:]
    assert slip(SENTENCE, " ".join(said))


@given(
    st.integers(0, len(SENTENCE.split())), st.sampled_from(["not", "must", "only", "30", "`id`", "no", "May"])
)
def test_a_word_of_weight_put_anywhere_is_a_change(place: int, word: str) -> None:
    said = SENTENCE.split()
    assert not slip(SENTENCE, " ".join([*said[:place], word, *said[place:]]))


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_are_compared_and_a_text_is_itself(one: str, other: str) -> None:
    assert slip(one, one)
    is_slip(words(one), words(other))
