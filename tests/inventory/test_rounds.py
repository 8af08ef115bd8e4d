"""Rounds over time: who is asked, reminded and called in, by a clock that is a value, and the report."""

from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import AccountClass
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed
from chalicelib.inventory.model import PartState, Round, RoundState
from chalicelib.org.model import Kind, Language
from chalicelib.org.roles import Role
from tests.inventory.desk import Desk


def subjects(desk: Desk, person: Any) -> list[str]:
    return [mail.subject.split(":")[0] for mail in desk.postbox.to(person)]


def day(round_: Round, before: int) -> date:
    return round_.due_on - timedelta(days=before)


def test_every_managed_district_and_department_is_asked_and_its_managers_get_one_mail(desk: Desk) -> None:
    company = desk.company
    unmanaged = company.org.add_unit(
        company.operator, "Bez kierownika", Kind.DISTRICT, company.region.unit_id
    )
    second = company.person("Druga kierowniczka", (Role.DISTRICT_MANAGER, company.warsaw))
    desk.account("zorza")
    desk.account("zespołu", desk.team)
    desk.account("obok", unmanaged)
    desk.account("cudze", account_class=AccountClass.CANDIDATE, owner_id="")
    desk.account("dawne", account_class=AccountClass.RETIRED)
    round_ = desk.start()
    assert set(round_.unit_ids) == {company.warsaw.unit_id, company.tehran.unit_id}
    assert round_.outside == 1
    assert (round_.reminders, round_.state) == ((7, 3, 0), RoundState.OPEN)
    assert desk.counts(round_) == desk.recount(round_) == {"left": 2}
    assert set(desk.part(round_).asked_ids) == {desk.manager.person_id, second.person_id}
    for person in (desk.manager, desk.other, second):
        assert len(desk.postbox.to(person)) == 1
    assert desk.postbox.to(desk.manager)[0].subject == (
        "Please look through your accounts by 2026-12-14: Autumn"
    )
    assert len(desk.postbox.sent) == 3


def test_without_managers_every_unit_below_the_company_is_asked_and_the_lead_answers(desk: Desk) -> None:
    company = desk.company
    for person, unit in ((desk.manager, company.warsaw), (desk.other, company.tehran)):
        company.org.revoke_grant(
            company.operator, person.person_id, f"{Role.DISTRICT_MANAGER}.{unit.unit_id}"
        )
    desk.account("zorza")
    round_ = desk.start()
    assert round_.unit_ids == (company.region.unit_id,)
    assert desk.part(round_, company.region).asked_ids == (company.lead.person_id,)
    assert desk.counts(round_, company.region) == {"left": 1}


def test_a_round_that_cannot_be_is_refused_with_every_problem(desk: Desk) -> None:
    today = desk.stage.clock.now().date()
    with pytest.raises(InvalidInput) as refused:
        desk.rounds.start(desk.lead, {"name": "x", "due_on": today, "unit_ids": ["unit_x", "unit_y"]})
    assert [p.field for p in refused.value.problems] == ["due_on", "unit_ids", "unit_ids"]
    with pytest.raises(NotAllowed):
        desk.rounds.start(desk.actor(desk.manager), {"name": "x", "due_on": today + timedelta(days=9)})
    assert desk.rounds.store.rounds(10) == ([], None)


def test_reminders_come_a_week_three_days_before_and_on_the_day_to_who_has_not_finished(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    desk.pass_to(day(round_, 8))
    assert len(desk.postbox.to(desk.manager)) == 1
    desk.press(desk.other, "finish")
    for before, mails in ((7, 2), (3, 3)):
        desk.pass_to(day(round_, before), 7)
        assert len(desk.postbox.to(desk.manager)) == mails - 1, "not before nine in the morning"
        desk.pass_to(day(round_, before), 9)
        assert len(desk.postbox.to(desk.manager)) == mails
    first, *_, last = desk.postbox.to(desk.manager)
    assert last.subject == "Reminder: your accounts, by 2026-12-14: Autumn"
    assert "1 account of yours has no answer yet." in last.text
    desk.press(desk.manager, "confirm", account)  # by the new link; the old one works too
    assert first.text != last.text
    desk.press(desk.manager, "finish")
    desk.pass_to(day(round_, 0))
    assert len(desk.postbox.to(desk.manager)) == 3
    assert len(desk.postbox.to(desk.other)) == 1


def test_on_the_due_date_whoever_is_above_is_asked_too_and_after_the_grace_it_closes(desk: Desk) -> None:
    account, silent = desk.account("zorza"), desk.account("cisza", desk.company.tehran)
    round_ = desk.start()
    desk.press(desk.manager, "confirm", account)
    desk.press(desk.manager, "finish")
    desk.pass_to(day(round_, 0), 13)
    assert subjects(desk, desk.company.lead) == []
    desk.pass_to(day(round_, 0))
    org = desk.org
    lead = org.change_person(desk.company.operator, desk.company.lead.person_id, language=Language.ENGLISH)
    assert desk.part(round_, desk.company.tehran).asked_ids == (desk.other.person_id, lead.person_id)
    assert len(desk.postbox.to(lead)) == 1
    assert desk.show(lead).status == 200
    desk.pass_to(day(round_, -6))
    assert desk.round(round_).is_open
    desk.pass_to(day(round_, -7))
    closed = desk.round(round_)
    assert (closed.state, closed.closed_by) == (RoundState.CLOSED, "system")
    assert desk.part(round_).state == PartState.FINISHED
    assert desk.part(round_, desk.company.tehran).state == PartState.UNANSWERED
    report = desk.postbox.to(lead)[-1]
    assert report.subject == "What the round brought: Autumn"
    for told in (
        "Confirmed: 1", "Not answered: 1", "Dzielnica Łazienki: 1 confirmed, 0 corrected",
        f"No answer about: {silent.handle} (Mastodon)", "هومن",
    ):  # fmt: skip
        assert told in report.text.replace("\u2068", "").replace("\u2069", "")
    assert desk.now(silent).under_review_at is None


def test_a_round_that_everybody_has_finished_ends_on_its_day(desk: Desk) -> None:
    round_ = desk.start()
    for person in (desk.manager, desk.other):
        desk.press(person, "finish")
    desk.pass_to(day(round_, 0))
    assert desk.round(round_).state == RoundState.CLOSED
    assert len(desk.postbox.to(desk.company.lead)) == 1
    desk.pass_to(day(round_, -8))
    assert len(desk.postbox.to(desk.company.lead)) == 1


def test_a_deputy_is_asked_and_answers_while_the_manager_is_away(desk: Desk) -> None:
    account = desk.account("zorza")
    deputy = desk.company.person("Zastępca")
    manager = desk.manager.person_id
    desk.org.set_away(desk.company.operator, manager, deputy.person_id, None)
    round_ = desk.start()
    assert desk.part(round_).asked_ids == (deputy.person_id,)
    assert desk.press(deputy, "confirm", account).status == 200
    assert desk.now(account).confirmed_by == deputy.person_id
    desk.org.return_from_away(desk.company.operator, manager)
    assert desk.show(deputy).status == 410
    desk.pass_to(day(round_, 7))
    assert desk.part(round_).asked_ids == (manager,)
    assert desk.show(desk.manager).status == 200


def test_where_the_manager_leaves_or_mails_bounce_the_next_above_is_asked_at_once(desk: Desk) -> None:
    round_ = desk.start()
    lead = desk.company.lead
    desk.leaves(desk.manager)
    desk.work()
    assert desk.part(round_).asked_ids == (lead.person_id,)
    assert len(desk.postbox.to(lead)) == 1
    assert desk.show(lead).status == 200
    desk.unreachable(desk.org.person(desk.other.person_id))
    desk.work()
    assert desk.part(round_, desk.company.tehran).asked_ids == (lead.person_id,)
    assert len(desk.postbox.to(lead)) == 2
    desk.pass_to(day(round_, 7))
    assert len(desk.postbox.to(lead)) == 3


def test_who_leaves_while_they_stand_in_is_replaced_and_nothing_that_is_finished_is_asked_again(
    desk: Desk,
) -> None:
    deputy = desk.company.person("Zastępca")
    desk.org.set_away(desk.company.operator, desk.manager.person_id, deputy.person_id, None)
    round_ = desk.start()
    assert desk.press(desk.other, "finish").status == 200
    for person in (deputy, desk.other):
        desk.leaves(person)
    desk.work()
    assert desk.part(round_).asked_ids == (desk.company.lead.person_id,)
    assert desk.part(round_, desk.company.tehran).asked_ids == (desk.other.person_id,)


def test_what_is_imported_joins_the_list_and_what_is_retired_leaves_it_by_a_reminder(
    desk: Desk,
) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    for n in range(90):
        desk.account(f"plik{n}")
    desk.amend(account, account_class=AccountClass.RETIRED)
    assert desk.counts(round_) == {"left": 1}
    desk.pass_to(day(round_, 7))
    assert desk.counts(round_) == desk.recount(round_) == {"left": 90, "gone": 1}


def test_the_lead_reminds_and_closes_by_hand_and_nobody_else(desk: Desk) -> None:
    desk.account("zorza")
    round_ = desk.start()
    for act in (desk.rounds.remind, desk.rounds.close):
        with pytest.raises(NotAllowed):
            act(desk.actor(desk.manager), round_.round_id)
    desk.rounds.remind(desk.lead, round_.round_id)
    desk.work()
    assert len(desk.postbox.to(desk.manager)) == 2
    with pytest.raises(Conflict, match="less than an hour ago"):
        desk.rounds.remind(desk.lead, round_.round_id)
    desk.stage.clock.advance(hours=1)
    desk.rounds.remind(desk.lead, round_.round_id)
    desk.rounds.close(desk.lead, round_.round_id)
    desk.work()
    for act in (desk.rounds.remind, desk.rounds.close):
        with pytest.raises(Conflict, match="is closed"):
            act(desk.lead, round_.round_id)
    sent = len(desk.postbox.sent)
    desk.pass_to(day(round_, -9))
    assert len(desk.postbox.sent) == sent, "a closed round reminds nobody"
    assert desk.part(round_).closed_at is not None


def test_a_chore_that_runs_twice_opens_nothing_twice(desk: Desk) -> None:
    desk.account("zorza")
    round_ = desk.start()

    class Again:
        entry = type("Entry", (), {"ref": round_.round_id, "args": {"what": "due 7"}})

    before = desk.dump()
    desk.asking.open_round(Again())  # type: ignore[arg-type]
    assert desk.dump() == before
    desk.rounds.close(desk.lead, round_.round_id)
    desk.work()
    sent = len(desk.postbox.sent)
    closed = desk.part(round_)
    desk.asking.settle(Again())  # type: ignore[arg-type]
    desk.asking.remind(Again())  # type: ignore[arg-type]
    assert desk.part(round_) == closed
    assert len(desk.postbox.sent) == sent


@pytest.mark.parametrize("language", Language)
def test_every_mail_is_in_its_readers_language(desk: Desk, language: Language) -> None:
    for person in (desk.manager, desk.other, desk.company.lead):
        desk.org.change_person(desk.company.operator, person.person_id, language=language)
    account = desk.account("zorza", owner_id=desk.manager.person_id)
    desk.account("nikt", desk.company.tehran)
    round_ = desk.start()
    desk.press(desk.manager, "disown", account, whose=desk.company.tehran.unit_id)
    desk.pass_to(day(round_, -7))
    kinds = {mail.subject for mail in desk.postbox.sent}
    assert len(kinds) == 5
    for mail in desk.postbox.sent:
        assert "%(" not in mail.subject + mail.text
        assert "⟨U+" not in mail.subject + mail.text
