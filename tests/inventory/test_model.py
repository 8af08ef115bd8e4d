"""The rules of a round: whose list an account is on, which answer counts, when a day's morning is."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import Problem
from chalicelib.inventory.model import Answer, asked_for, at_on, closes_at, proof_of, settled, shown_of
from chalicelib.inventory.page_form import Form, asked, whole
from tests.inventory.desk import Desk


def test_an_account_is_on_the_list_of_the_nearest_unit_that_is_asked() -> None:
    path = ("company", "region", "district", "team")
    assert asked_for(path, ["district", "company"]) == "district"
    assert asked_for(path, ["team", "district"]) == "team"
    assert asked_for(path, ["elsewhere"]) is None
    assert asked_for((), ["company"]) is None


@pytest.mark.parametrize(
    ("before", "given_now", "counts"),
    [
        (None, Answer.CONFIRMED, Answer.CONFIRMED),
        (Answer.CONFIRMED, Answer.CORRECTED, Answer.CORRECTED),
        (Answer.CORRECTED, Answer.CONFIRMED, Answer.CORRECTED),
        (Answer.ADDED, Answer.CONFIRMED, Answer.ADDED),
        (Answer.ADDED, Answer.CORRECTED, Answer.ADDED),
        (Answer.ADDED, Answer.DISOWNED, Answer.DISOWNED),
        (Answer.DISOWNED, Answer.ADDED, Answer.ADDED),
        (Answer.CONFIRMED, Answer.GONE, Answer.GONE),
    ],
)
def test_which_answer_counts_when_one_is_given_again(
    before: Answer | None, given_now: Answer, counts: Answer
) -> None:
    assert settled(before, given_now) == counts


def test_nine_in_the_morning_is_where_the_round_was_started_in_summer_and_winter() -> None:
    assert at_on(date(2026, 7, 1), time(9), "Europe/Warsaw") == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert at_on(date(2026, 12, 1), time(9), "Europe/Warsaw") == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert closes_at(date(2026, 10, 20), "Europe/Warsaw") == datetime(2026, 10, 27, 8, tzinfo=UTC)


def test_what_a_page_shows_of_an_account_makes_its_digest_and_daily_reads_do_not(desk: Desk) -> None:
    account = desk.account("zorza")
    before = shown_of(account)
    read = desk.amend(account, followers=5, last_post_at=desk.stage.clock.now() - timedelta(days=1))
    assert shown_of(read) == before
    for name, value in (("purpose", "x"), ("backup_id", desk.manager.person_id), ("contact", "a@b")):
        assert shown_of(desk.amend(account, **{name: value})) != before
    assert proof_of("confirm", "a") != proof_of("confirm", "b")
    assert proof_of("a", "bc") != proof_of("ab", "c")


@given(st.binary(max_size=400))
def test_no_body_breaks_a_form(raw: bytes) -> None:
    form = Form.parse(raw)
    problems: list[Problem] = []
    form.correction(problems)
    form.addition(problems)
    assert len(form.all_left) <= 20


@given(st.text(max_size=200))
def test_an_address_asks_for_an_id_or_a_number_or_nothing(text: str) -> None:
    assert asked({"a": text}, "a") in (text, "")
    assert 0 <= whole(text) < 10_000
