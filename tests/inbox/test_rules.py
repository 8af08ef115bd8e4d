"""Rules are data: what they are about, what they do, and that no spelling and no text gets around them."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.inbox.model import Priority
from chalicelib.inbox.rules import Actions, Conditions, Rule, folded, outcome_of
from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANY = Conditions(platforms=("mastodon",))


def event(text: str = "", **more: Any) -> InboundEvent:
    values: dict[str, Any] = {"author": Author("a1", "Ala.Kot"), "language": "pl-PL", "key": "k"} | more
    kind = values.pop("kind", InboundKind.COMMENT)
    key = values.pop("key")
    return InboundEvent("mastodon", kind, key, "ext", NOW, text=text, **values)


def holds(when: Conditions, given_event: InboundEvent, account_id: str = "acc_1") -> bool:
    rule = Rule("r", when, Actions(tags=("met",)))
    return outcome_of([rule], given_event, account_id).tags == ("met",)


def says(text: str, *keywords: str, every_keyword: bool = False, whole_words: bool = True) -> bool:
    when = Conditions(keywords=keywords, every_keyword=every_keyword, whole_words=whole_words)
    return holds(when, event(text))


# Spellings

WORDS = st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("To jest OSZUSTWO!", "oszustwo"),
        ("Żółty tramwaj w Łodzi", "zolty"),
        ("lodz jest piękna... w lodzi", "Łodzi"),
        ("STRASSE gesperrt", "straße"),
        ("Ｆｒｅｅ money", "free"),
        ("f\u200br\u00ade\u2060e money", "free"),
        ("این كتاب مي‌خواهم", "کتاب"),
        ("من می‌خواهم", "ميخواهم"),
        ("كلاهبرداری", "کلاهبرداري"),
        ("كَلاهبــرداری", "کلاهبرداری"),
        ("آب قطع است", "اب"),
        ("naïve café", "cafe"),
        ("cafe\u0301!", "café"),
        ("win   a\nprize", "win a prize"),
    ],
)
def test_a_keyword_is_found_however_it_is_spelt(text: str, keyword: str) -> None:
    assert says(text, keyword)


@pytest.mark.parametrize(
    ("text", "keyword"), [("spamalot", "spam"), ("no spa m", "spam"), ("a", "b"), ("", "x")]
)
def test_a_whole_word_is_not_found_inside_another(text: str, keyword: str) -> None:
    assert not says(text, keyword)


def test_a_part_of_a_word_is_found_where_parts_are_asked_for() -> None:
    assert says("spamalot", "spam", whole_words=False)
    assert says("antispam spam", "spam")


def test_any_keyword_will_do_unless_every_one_is_asked_for() -> None:
    assert says("a broken tram", "bus", "tram")
    assert not says("a broken tram", "bus", "tram", every_keyword=True)
    assert says("a tram and a bus", "bus", "tram", every_keyword=True)


@given(st.text(max_size=60))
@example("ﷺ")
@example("İstanbul")
def test_folding_twice_folds_no_further(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(WORDS, WORDS, WORDS)
def test_every_word_of_a_text_is_found_in_it(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    assert says(text, word) == bool(folded(word))


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5))
def test_a_whole_word_is_a_part_and_every_keyword_is_any(text: str, keywords: list[str]) -> None:
    assert not says(text, *keywords) or says(text, *keywords, whole_words=False)
    assert not says(text, *keywords, every_keyword=True) or says(text, *keywords)


def test_no_text_makes_a_rule_slow() -> None:
    keywords = tuple("a" * n + "b" for n in range(1, 80))
    rules = [Rule(f"r{n}", Conditions(keywords=keywords), Actions(tags=("x",))) for n in range(20)]
    started = time.process_time()
    outcome_of(rules, event("a" * 50_000), "acc_1")
    assert time.process_time() - started < 2


# The other conditions


@pytest.mark.parametrize(
    "when",
    [
        Conditions(account_ids=("acc_2", "acc_1")),
        Conditions(platforms=("mastodon",)),
        Conditions(kinds=("comment", "message")),
        Conditions(languages=("pl",)),
        Conditions(authors=("@ala.kot",)),
        Conditions(),
    ],
)
def test_a_condition_that_names_the_event_holds(when: Conditions) -> None:
    assert holds(when, event("x"))


@pytest.mark.parametrize(
    "when",
    [
        Conditions(account_ids=("acc_2",)),
        Conditions(platforms=("bluesky",)),
        Conditions(kinds=("message",)),
        Conditions(languages=("fa", "p")),
        Conditions(authors=("ala",)),
        Conditions(keywords=("y",)),
        Conditions(platforms=("mastodon",), keywords=("y",)),
        Conditions(keywords=("\u200c",)),
    ],
)
def test_a_condition_that_does_not_name_it_keeps_the_rule_away(when: Conditions) -> None:
    assert not holds(when, event("x"))


def test_a_message_without_an_author_has_no_handle() -> None:
    assert not holds(Conditions(authors=("ala.kot",)), event("x", author=None))


# Actions


def test_tags_add_up_and_the_first_rule_that_says_who_or_how_urgent_wins() -> None:
    rules = [
        Rule("own", ANY, Actions(tags=("a", "b"), assignee_id="p1")),
        Rule("above", ANY, Actions(tags=("b", "c"), assignee_id="p2", priority=Priority.HIGH)),
        Rule("top", ANY, Actions(priority=Priority.LOW)),
    ]
    outcome = outcome_of(rules, event(), "acc_1")
    assert (outcome.tags, outcome.assignee_id, outcome.priority) == (("a", "b", "c"), "p1", Priority.HIGH)
    assert outcome.ignore is None
    assert not outcome.crisis


def test_spam_is_ignored_with_the_name_of_the_rule() -> None:
    assert outcome_of([Rule("crypto", ANY, Actions(ignore=True))], event(), "acc_1").ignore == "spam: crypto"


def test_what_may_be_a_crisis_is_never_ignored() -> None:
    rules = [Rule("spam", ANY, Actions(ignore=True)), Rule("fire", ANY, Actions(crisis=True))]
    for order in (rules, rules[::-1]):
        outcome = outcome_of(order, event(), "acc_1")
        assert outcome.crisis
        assert outcome.ignore is None


def test_of_what_is_ignored_a_sample_stays_and_says_so() -> None:
    rule = Rule("spam", ANY, Actions(ignore=True, sample_every=10))
    outcomes = [outcome_of([rule, rule], event(key=f"k{n}"), "acc_1") for n in range(2000)]
    kept = [o for o in outcomes if o.ignore is None]
    assert 130 < len(kept) < 270
    assert all(o.tags == ("spam_sample",) for o in kept)
    assert all(o.tags == () for o in outcomes if o.ignore)
    assert outcomes == [outcome_of([rule, rule], event(key=f"k{n}"), "acc_1") for n in range(2000)]


def test_without_a_sample_all_spam_is_ignored() -> None:
    rule = Rule("spam", ANY, Actions(ignore=True))
    assert all(outcome_of([rule], event(key=f"k{n}"), "acc_1").ignore for n in range(100))
