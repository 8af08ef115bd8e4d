"""Mails, reminders, deputies, up the tree, and the end: what the chores do as time passes."""

import re
from datetime import timedelta

from chalicelib.approvals.model import OnSilence, Verdict
from chalicelib.approvals.view import Seen
from chalicelib.core.timetable import Lane
from chalicelib.org.model import Person
from chalicelib.org.roles import Role
from tests.approvals.office import Office


def test_everybody_of_the_stage_gets_a_link_of_their_own(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_))
    request = office.asked()
    assert len({*office.tokens(zoe), *office.tokens(max_)}) == 2
    assert "approval asked for" in [r.what for r in office.stage.history.of(request.subject)]


def test_only_hashes_of_tokens_are_stored(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.asked()
    assert office.token(zoe) not in str(office.dump())


def test_who_does_not_answer_is_reminded_and_who_did_is_not(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_, quorum="all", within_for=20, remind_after=5))
    office.asked()
    office.approvals.decide(office.token(zoe), Verdict.APPROVE, "")
    office.work_for(11)
    assert len(office.postbox.to(zoe)) == 1
    subjects = [m.subject for m in office.postbox.to(max_)]
    assert [s.startswith("Reminder") for s in subjects] == [False, True, True]


def test_somebody_who_goes_away_meanwhile_is_stood_in_for_at_the_reminder(office: Office) -> None:
    zoe, dee = office.person("Zoe"), office.person("Dee")
    office.policy(office.stage_of(zoe, within_for=20, remind_after=5))
    request = office.asked()
    office.away(zoe, dee)
    office.work_for(5)
    assert office.approvals.decide(office.token(dee), Verdict.APPROVE, "").seen == Seen.DECIDED
    assert office.state(request) == "granted"


def test_silence_goes_up_the_tree_lead_by_lead_and_then_expires(office: Office) -> None:
    zoe, boss = office.person("Zoe"), office.person("Boss")
    office.org.change_unit(office.operator, office.district.unit_id, lead_id=boss.person_id)
    office.policy(office.stage_of(zoe, within_for=4, remind_after=24))
    request = office.asked()
    office.work_for(4)
    assert [len(office.tokens(p)) for p in (zoe, boss, office.lead)] == [1, 1, 0]
    office.work_for(4)
    assert [len(office.tokens(p)) for p in (zoe, boss, office.lead)] == [1, 1, 1]
    office.work_for(4)
    assert office.state(request) == "expired"
    assert office.subject.settlements(request) == ["expired"]
    assert "Not approved in time" in office.postbox.to(office.ada)[0].subject
    assert office.approvals.look(office.token(zoe)).seen == Seen.SETTLED


def test_whoever_was_asked_by_escalation_may_decide(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_, quorum="all", within_for=4))
    request = office.asked()
    office.approvals.decide(office.token(max_), Verdict.APPROVE, "")
    office.work_for(4)
    office.approvals.decide(office.token(office.lead), Verdict.APPROVE, "")
    assert office.state(request) == "granted"


def test_an_author_who_leads_the_unit_is_not_asked_by_escalation(office: Office) -> None:
    zoe = office.person("Zoe")
    office.org.change_unit(office.operator, office.district.unit_id, lead_id=office.ada.person_id)
    office.policy(office.stage_of(zoe, within_for=4))
    office.asked()
    office.work_for(4)
    assert office.postbox.to(office.ada) == []
    assert len(office.tokens(office.lead)) == 1


def test_a_stage_that_expires_does_not_ask_anybody_else(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe, within_for=4, on_silence=OnSilence.EXPIRE))
    request = office.asked()
    office.work_for(4)
    assert office.state(request) == "expired"
    assert not office.tokens(office.lead)


def test_a_stage_that_reminds_goes_on_until_the_posts_time(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe, within_for=6, remind_after=6, on_silence=OnSilence.REMIND))
    request = office.asked()
    office.work_for(23)
    assert office.state(request) == "open"
    assert len(office.tokens(zoe)) == 4
    office.work_for(1)
    assert office.state(request) == "expired"


def test_one_address_that_fails_does_not_mail_the_others_twice(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_))
    office.postbox.refused.add(max_.email)
    office.open()
    assert office.work() == ["later"]
    office.stage.clock.advance(minutes=1)
    assert office.work() == ["failed"]
    office.postbox.refused.clear()
    office.stage.clock.advance(minutes=2)
    assert office.work() == ["later"]
    assert [len(office.postbox.to(p)) for p in (zoe, max_)] == [1, 1]


def test_an_approver_who_cannot_be_reached_is_parked_for_ops_to_see(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.postbox.refused.add(zoe.email)
    request = office.open()
    for _ in range(8):
        office.work()
        office.stage.clock.advance(hours=1)
    (parked,) = office.kernel.timetable.parked()
    assert parked.ref == request.request_id


def test_a_decision_takes_the_request_off_the_timetable(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.asked()
    office.approvals.decide(office.token(zoe), Verdict.APPROVE, "")
    ahead = office.stage.clock.now() + timedelta(days=60)
    assert list(office.kernel.timetable.due(Lane.CHORES, ahead)) == []


def test_the_code_is_mailed_once_a_minute_and_works_for_ten(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe), code=True)
    request = office.asked()
    token = office.token(zoe)
    assert office.press(token, "approve").html.count('name="code"') == 1
    assert "less than a minute ago" in office.press(token, "approve").html
    office.work()
    code = _code(office, zoe)
    assert code not in str(office.dump())
    assert code not in office.postbox.to(zoe)[-1].subject
    office.stage.clock.advance(minutes=11)
    assert "does not work any more" in office.press(token, "approve", code=code).html
    office.press(token, "approve", new_code="1")
    office.work()
    assert "Approved" in office.press(token, "approve", code=_code(office, zoe)).html
    assert office.subject.settlements(request) == ["granted"]


def test_five_wrong_codes_end_the_guessing(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe), code=True)
    request = office.asked()
    token = office.token(zoe)
    office.press(token, "approve")
    office.work()
    code = _code(office, zoe)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    replies = [office.press(token, "approve", code=wrong) for _ in range(5)]
    assert {r.status for r in replies} == {403}
    assert "You have <bdi>4</bdi> tries left" in replies[0].html
    assert "You have <bdi>1</bdi> try left" in replies[3].html
    assert office.press(token, "approve", code=code).status == 403
    assert office.state(request) == "open"


def test_ten_codes_are_all_that_anybody_gets(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe), code=True)
    office.asked()
    for _ in range(12):
        office.press(office.token(zoe), "approve")
        office.work()
        office.stage.clock.advance(seconds=61)
    assert len(office.postbox.to(zoe)) == 1 + 10


def test_a_code_is_of_one_person_and_one_request(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_), code=True)
    request = office.asked()
    office.press(office.token(zoe), "approve")
    office.work()
    assert office.press(office.token(max_), "approve", code=_code(office, zoe)).status == 403
    office.asked()
    assert office.press(office.token(zoe), "approve", code=_code(office, zoe)).status == 403
    assert office.state(request) == "open"


def test_the_holders_of_a_role_are_asked(office: Office) -> None:
    zoe, max_ = office.person("Zoe", Role.DISTRICT_MANAGER), office.person("Max", Role.DISTRICT_MANAGER)
    office.policy(office.stage_of(role=Role.DISTRICT_MANAGER, quorum="all"))
    request = office.asked()
    assert set(request.current.seats) == {zoe.person_id, max_.person_id}
    assert request.current.needed == 2


def _code(office: Office, person: Person) -> str:
    mails = [m for m in office.postbox.to(person) if "code" in m.subject]
    return str(re.findall(r"^\d{6}$", mails[-1].text, re.MULTILINE)[0])
