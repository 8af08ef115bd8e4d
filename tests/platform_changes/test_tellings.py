"""Who is told of a change, when and how often: at once, at each mark before its day, not once it is done."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.org.model import Language
from chalicelib.org.roles import Role
from chalicelib.platform_changes import countdown
from chalicelib.platform_changes.changes import WARN
from chalicelib.platform_changes.model import Kind, PlatformChange, Status, Touching
from chalicelib.platform_changes.tellings import ChangeTellings
from tests.conftest import NOON
from tests.platform_changes.conftest import LINK, Office


def test_what_breaks_us_is_told_at_once_to_those_who_keep_the_register(office: Office) -> None:
    office.account()
    office.breaking()
    office.work()
    assert {mail.to for mail in office.postbox.sent} == {office.lead.email, office.ops.email}
    (mail,) = office.postbox.to(office.ops)
    assert mail.subject == "Will stop working at X: POST /2/tweets requires a new scope"
    for said in (
        "publish a post",
        "1 account",
        "Calls without it will be rejected.",
        "180 days left",
        "Nobody has taken",
    ):
        assert said in mail.text
    assert len(set(LINK.findall(mail.text))) == 1
    office.quiet()
    office.found("Again", "It will be removed.", source="x_spec", operations=("POST /2/tweets",))
    office.work()
    assert office.postbox.sent == [], "once"


@pytest.mark.parametrize(
    "title", ["New polls", "Rate limits for POST /2/tweets were lowered", "GET /2/spaces is removed"]
)
def test_what_does_not_break_us_waits_for_the_briefing(office: Office, title: str) -> None:
    office.account()
    office.found(title)
    office.work()
    assert office.postbox.sent == []


@pytest.mark.parametrize("days", [-40, -1, 0])
def test_what_has_taken_effect_before_it_was_seen_is_told_once_and_said_so(office: Office, days: int) -> None:
    office.account()
    office.breaking(effective_on=(office.now + timedelta(days=days)).date())
    office.work()
    (mail,) = office.postbox.to(office.ops)
    assert mail.subject == "Has taken effect at X: POST /2/tweets requires a new scope"
    assert "Its day has come" in mail.text
    assert "unless our code changes before" not in mail.text
    assert "days left" not in mail.text
    office.quiet()
    office.found("Again", "It was removed.", source="x_spec", operations=("POST /2/tweets",))
    office.pass_time(days=100)
    assert office.postbox.sent == []


def test_what_took_effect_and_does_not_touch_us_is_silent(office: Office) -> None:
    office.account()
    office.found("GET /2/spaces was removed", effective_on=date(2026, 11, 1), operations=("GET /2/spaces",))
    office.pass_time(days=2)
    assert office.postbox.sent == []


def test_what_was_told_as_coming_is_told_once_more_when_it_is_seen_to_have_come(office: Office) -> None:
    office.account()
    made = office.breaking(effective_on=(office.now + timedelta(days=3)).date())
    office.pass_time(days=4)
    office.quiet()
    for source in ("x_spec", "x_page"):
        office.found("It is gone", "It was removed.", source=source, operations=("POST /2/tweets",))
    office.work()
    assert office.postbox.subjects(office.ops) == [
        "Has taken effect at X: POST /2/tweets requires a new scope"
    ]
    assert len(office.get(made).sightings) == 3


def test_a_correction_alone_does_not_tell_again_that_its_day_has_come(office: Office) -> None:
    office.account()
    made = office.breaking(effective_on=(office.now + timedelta(days=3)).date())
    office.pass_time(days=4)
    office.quiet()
    office.changes.correct(office.actor(office.ops), made.change_id, office.get(made).version, {"title": "T"})
    office.work()
    assert office.postbox.sent == []


def _counted_elsewhere(office: Office, ends_on: date) -> None:
    mailer: Any = office.postbox
    settings = office.stage.settings
    tellings = ChangeTellings(
        office.kernel, office.org, office.stage.links, office.changes, mailer, settings,
        lambda platform, versions, on: (platform, versions, on) == ("linkedin", ("202511",), ends_on),
    )  # fmt: skip
    office.handlers |= {WARN: tellings.warn_of_change}


def test_the_end_of_a_version_that_is_counted_down_elsewhere_is_not_mailed_twice(office: Office) -> None:
    office.account("linkedin")
    made = _table(office, 40)
    assert made.effective_on is not None
    _counted_elsewhere(office, made.effective_on)
    office.quiet()
    office.pass_time(days=41)
    assert office.postbox.sent == []
    assert office.get(made).warned == (1, 7, 30, 90)


def test_what_a_version_loses_on_another_day_is_counted_down_here(office: Office) -> None:
    office.account("linkedin")
    made = _table(office, 40)
    _counted_elsewhere(office, date(2028, 1, 1))
    office.quiet()
    office.pass_time(days=41)
    assert len(office.postbox.to(office.ops)) == 3
    assert made.effective_on


def test_the_owner_of_a_version_that_is_counted_down_elsewhere_is_still_warned(office: Office) -> None:
    office.account("linkedin")
    made = _table(office, 40)
    assert made.effective_on is not None
    _counted_elsewhere(office, made.effective_on)
    plan = {"status": "planned", "owner_id": office.author.person_id, "due_on": made.effective_on}
    office.changes.correct(office.actor(office.lead), made.change_id, made.version, plan)
    office.quiet()
    office.pass_time(days=41)
    assert {mail.to for mail in office.postbox.sent} == {office.author.email}
    assert len(office.postbox.sent) == 4, "30, 7 and 1 days before, and on the day of the plan"


def test_a_platform_where_we_are_not_disturbs_nobody(office: Office) -> None:
    made = office.breaking()
    office.work()
    assert (office.postbox.sent, made.touching.accounts) == ([], 0)
    assert office.entries() == {}


def test_a_second_source_that_makes_it_urgent_has_it_told(office: Office) -> None:
    office.account()
    office.found("Scopes of media", "The metric is counted otherwise.")
    office.work()
    assert office.postbox.sent == []
    made = office.found("Scopes of media", "It is removed from POST /2/tweets", source="x_spec")
    assert made is not None
    office.work()
    assert len(office.postbox.sent) == 2


def test_a_dated_change_is_counted_down_until_it_is_done(office: Office) -> None:
    office.account()
    made = office.breaking(effective_on=(office.now + timedelta(days=100)).date())
    office.quiet()
    told = []
    for _ in range(101):
        office.pass_time(days=1)
        if office.postbox.sent:
            told.append(((made.effective_on - office.now.date()).days, len(office.postbox.sent)))  # type: ignore[operator]
            office.postbox.sent.clear()
    assert told == [(90, 2), (30, 2), (7, 2), (1, 2)]
    assert office.get(made).warned == (1, 7, 30, 90)
    assert office.entries() == {}


def test_what_is_done_is_not_told_of_again(office: Office) -> None:
    office.account()
    made = office.breaking(effective_on=(office.now + timedelta(days=20)).date())
    office.quiet()
    assert office.get(made).warned == (30, 90), "told at once: those marks have passed"
    office.changes.correct(office.actor(office.ops), made.change_id, made.version, {"status": "done"})
    assert office.entries() == {}
    office.pass_time(days=30)
    assert office.postbox.sent == []


def test_a_mark_that_was_missed_is_told_once_and_only_the_most_urgent(office: Office) -> None:
    office.account()
    made = office.breaking(effective_on=(office.now + timedelta(days=100)).date())
    office.quiet()
    office.stage.clock.advance(days=94)
    office.work()
    assert [m.subject for m in office.postbox.to(office.ops)] == [
        "Not done yet, X: POST /2/tweets requires a new scope"
    ]
    assert "6 days left" in office.postbox.to(office.ops)[0].text
    assert office.get(made).warned == (7, 30, 90)


def test_another_day_begins_the_countdown_anew(office: Office) -> None:
    office.account()
    made = office.breaking(effective_on=(office.now + timedelta(days=5)).date())
    office.quiet()
    later = {"effective_on": (office.now + timedelta(days=60)).date()}
    moved = office.changes.correct(office.actor(office.ops), made.change_id, made.version, later)
    office.pass_time(days=31)
    assert len(office.postbox.to(office.ops)) == 2, "30 days before; and 90, which had passed"
    assert set(office.get(moved).warned) >= {30, 90}


def _table(office: Office, days: int) -> PlatformChange:
    """What a table says of a version that our account asks for."""
    ends_on = (office.now + timedelta(days=days)).date()
    made = office.found(
        f"202511 ends on {ends_on}", platform="linkedin", source="linkedin-versions", versions=("202511",),
        effective_on=ends_on, hint=Kind.DEPRECATION,
    )  # fmt: skip
    assert made is not None
    return made


def test_a_day_that_its_source_moves_is_the_same_record_and_is_counted_down_to(office: Office) -> None:
    office.account("linkedin")
    made = _table(office, 60)
    office.quiet()
    office.stage.clock.advance(days=10)
    moved = _table(office, 100)
    assert moved.change_id == made.change_id
    assert (moved.effective_on, moved.title) == (date(2027, 3, 13), "202511 ends on 2027-03-13")
    assert "moved to another day" in office.history(made)
    (row,) = [r for r in office.stage.history.of(f"platform_change#{made.change_id}") if "moved" in r.what]
    assert (row.details["from"], row.details["to"]) == ("2027-01-22", "2027-03-13")
    told, ends_on = [], date(2027, 3, 13)
    for _ in range(101):
        office.pass_time(days=1)
        if office.postbox.sent:
            told.append(((ends_on - office.now.date()).days, len(office.postbox.sent)))
            office.postbox.sent.clear()
    assert told == [(90, 2), (30, 2), (7, 2), (1, 2)]


def test_a_day_that_a_person_gave_is_not_moved_by_a_source(office: Office) -> None:
    office.account("linkedin")
    made = _table(office, 60)
    day = (office.now + timedelta(days=30)).date()
    office.changes.correct(office.actor(office.ops), made.change_id, made.version, {"effective_on": day})
    moved = _table(office, 100)
    assert (moved.change_id, moved.effective_on, len(moved.sightings)) == (made.change_id, day, 2)


def test_a_plan_that_is_due_reminds_its_owner_alone(office: Office) -> None:
    made = office.breaking(effective_on=None)
    plan = {
        "status": "planned",
        "owner_id": office.author.person_id,
        "due_on": (office.now + timedelta(days=3)).date(),
    }
    office.changes.correct(office.actor(office.lead), made.change_id, made.version, plan)
    office.pass_time(days=4)
    assert office.postbox.subjects(office.author) == ["Due today, X: POST /2/tweets requires a new scope"]
    assert len(office.postbox.sent) == 1
    office.pass_time(days=9)
    assert len(office.postbox.sent) == 1


def test_whoever_is_away_is_stood_in_for_and_whoever_left_is_not_told(office: Office) -> None:
    office.account()
    office.org.set_away(office.operator, office.ops.person_id, office.author.person_id, None)
    made = office.breaking()
    office.work()
    assert {mail.to for mail in office.postbox.sent} == {office.lead.email, office.author.email}
    other = office.org.add_person(office.operator, "Ola Ops", "ola@example.org", "Europe/Warsaw", "en")
    office.org.grant(office.operator, other.person_id, Role.OPS, office.root.unit_id)
    office.found("GET /2/users/{id} is removed", operations=("GET /2/users/{id}",))
    office.org.mark_left(office.operator, other.person_id)
    office.postbox.sent.clear()
    office.work()
    assert other.email not in {mail.to for mail in office.postbox.sent}
    assert made.change_id


def test_a_mail_that_waited_until_it_was_done_is_not_sent(office: Office) -> None:
    office.account()
    made = office.breaking()
    office.changes.correct(office.actor(office.ops), made.change_id, made.version, {"status": "not_ours"})
    office.work()
    assert office.postbox.sent == []


@pytest.mark.parametrize("language", [Language.POLISH, Language.PERSIAN])
def test_each_is_told_in_their_language(office: Office, language: Language) -> None:
    office.org.change_person(office.operator, office.ops.person_id, language=language)
    office.account()
    office.breaking(title="zły\u202eodwrócony\nwiersz was removed")
    office.work()
    (mail,) = office.postbox.to(office.ops)
    assert f'<html lang="{language}"' in (mail.html or "")
    assert "\u202e" not in mail.text + mail.subject
    assert "\n" not in mail.subject


days = st.dates(date(2026, 1, 1), date(2028, 1, 1))


@given(
    effective_on=st.none() | days, due_on=st.none() | days, today=days, status=st.sampled_from(Status),
    kind=st.sampled_from(Kind), accounts=st.integers(0, 2),
)  # fmt: skip
def test_a_countdown_ends_and_never_repeats_a_mark(
    effective_on: date | None, due_on: date | None, today: date, status: Status, kind: Kind, accounts: int
) -> None:
    change = PlatformChange(
        "c",
        "x",
        kind,
        "t",
        "",
        NOON,
        (),
        status,
        effective_on,
        Touching(("s",), accounts, accounts),
        due_on=due_on,
    )
    told: list[int] = []
    while (found := countdown.next_mark(change, today)) is not None:
        at, mark = found
        assert change.is_open
        assert mark not in told
        told.append(mark)
        today = max(today, at.date())
        from dataclasses import replace

        warned = countdown.told_by(change, today)
        assert mark in warned
        change = replace(change, warned=warned)
    dated = [mark for mark in told if mark != countdown.DUE]
    assert dated == sorted(dated, reverse=True), "nearer and nearer"
