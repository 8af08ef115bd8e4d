"""The page behind a review's link, as browsers and scanners meet it."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from chalicelib.accounts.model import Account
from chalicelib.dormancy.model import Stage, Step
from chalicelib.org.model import Language
from tests.dormancy.conftest import OFFICIAL, RETIRED, Watch


@pytest.fixture
def silent(watch: Watch) -> Account:
    account = watch.account("cisza", 120)
    watch.days(1)
    return account


def test_opening_the_page_a_hundred_times_changes_nothing(watch: Watch, silent: Account) -> None:
    token = watch.token(watch.desk.owner)
    before = watch.desk.company.everything_stored()
    for _ in range(100):
        assert watch.page.show(token, "en").status == 200
    for body in (b"", b"choice=", b"choice=explode", b"\xff", b"a=1&" * 50):
        assert watch.page.send(token, body, "en").status == 200
    assert watch.desk.company.everything_stored() == before


def test_keeping_it_needs_a_day_and_says_so_without_losing_the_plan(watch: Watch, silent: Account) -> None:
    page = watch.press(watch.desk.owner, choice="keep", plan_on="2020-01-01", why="<b>plan</b>")
    assert page.status == 400
    assert "Please choose the day" in page.html
    assert "&lt;b&gt;plan&lt;/b&gt;" in page.html
    plan_on = (watch.now + timedelta(days=30)).date().isoformat()
    page = watch.press(watch.desk.owner, choice="keep", plan_on=plan_on, why="plan")
    assert page.status == 200
    assert "This is decided. Thank you." in page.html
    assert watch.now_is(silent).account_class == OFFICIAL


def test_a_second_press_shows_what_was_decided(watch: Watch, silent: Account) -> None:
    first = watch.press(watch.desk.owner, choice="retire")
    again = watch.press(watch.desk.owner, choice="keep", plan_on="2027-01-01")
    assert "is being retired" in first.html
    assert again.status == 200
    assert watch.review(silent).stage == Stage.RETIRING


def test_the_checklist_is_done_on_a_page_of_its_own(watch: Watch, silent: Account) -> None:
    watch.press(watch.desk.owner, choice="retire")
    watch.work()
    assert watch.desk.postbox.subjects(watch.desk.owner)[-1] == "To be retired: cisza on Mastodon"
    for step in Step:
        assert watch.press(watch.desk.owner, step=step, proof=" ").status == 400
        page = watch.press(watch.desk.owner, step=step, proof=f"dowód {step}")
        assert page.status == 200
    assert "Our keys to it are deleted" in page.html
    assert watch.now_is(silent).account_class == RETIRED


def test_whoever_had_it_before_decides_nothing_any_more(watch: Watch, silent: Account) -> None:
    other = watch.desk.company.person("Nowa")
    people = {"to_id": other.person_id}
    watch.press(watch.desk.owner, choice="hand_over", **people)
    page = watch.page.send(watch.token(watch.desk.owner), urlencode({"choice": "retire"}).encode(), "en")
    assert "Nothing is left for you to do" in page.html
    assert watch.review(silent).stage == Stage.OWNER


def test_a_stranger_cannot_tell_one_dead_link_from_another(watch: Watch, silent: Account) -> None:
    token = watch.token(watch.desk.owner)
    never = watch.page.show("A" * 43, "en")
    watch.desk.stage.clock.advance(days=61)
    expired = watch.page.show(token, "en")
    assert never.status == 410
    assert expired == never
    assert watch.page.send(token, b"choice=retire", "en") == never


def test_a_person_who_has_left_decides_nothing(watch: Watch, silent: Account) -> None:
    token = watch.token(watch.desk.owner)
    watch.desk.company.org.mark_left(watch.desk.admin, watch.desk.owner.person_id)
    assert watch.page.send(token, b"choice=retire", "en").status == 410
    assert watch.review(silent).is_open


@pytest.mark.parametrize("language", [Language.POLISH, Language.PERSIAN])
def test_the_page_and_its_mail_speak_the_readers_language(watch: Watch, language: Language) -> None:
    org, admin = watch.desk.company.org, watch.desk.admin
    org.change_person(admin, watch.desk.owner.person_id, language=language)
    watch.account("cisza", 120)
    watch.days(1)
    page = watch.page.show(watch.token(watch.desk.owner), "en")
    assert f'<html lang="{language}"' in page.html
    assert "What is to become" not in page.html
    assert "Dormant" not in watch.desk.postbox.subjects(watch.desk.owner)[-1]
