"""Row 23 of the failure matrix: the mail to an approver bounces, is suppressed, complained about or delayed.

The author and the next in line know of it before the post's time. A link that was forwarded is no approval
where the unit asks for a code.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.approvals.model import OnSilence, Request, Verdict
from chalicelib.approvals.view import Seen
from chalicelib.core.timetable import Lane
from chalicelib.org.bounces import Bounces
from chalicelib.org.model import Person
from tests.approvals.office import Office
from tests.fakes.mail_events import bounce, complaint, delay


def happens(office: Office, body: str) -> None:
    """SES says something of a mail that was just sent, and the chores run."""
    Bounces(office.kernel).take(body)
    while office.work():
        pass


def bounces(office: Office, person: Person) -> None:
    office.stage.clock.advance(minutes=1)
    happens(office, bounce(person.email, office.stage.clock.now()))


def told(office: Office) -> list[str]:
    """The subjects of what the author was mailed."""
    return [m.subject for m in office.postbox.to(office.ada)]


def rows(office: Office, request: Request, what: str) -> list[dict[str, object]]:
    return [dict(r.details) for r in office.stage.history.of(request.subject) if r.what == what]


def waiting(office: Office, **more: Any) -> tuple[Person, Person, Request]:
    """Zoe is asked, and Boss leads her unit; the post goes out in a day."""
    zoe, boss = office.person("Zoe"), office.person("Boss")
    office.org.change_unit(office.operator, office.district.unit_id, lead_id=boss.person_id)
    office.policy(office.stage_of(zoe, within_for=72, **more))
    return zoe, boss, office.asked()


@pytest.mark.parametrize("event", ["bounce", "suppressed", "complaint"])
def test_when_an_approvers_mail_fails_the_author_and_the_next_in_line_know_at_once(
    office: Office, event: str
) -> None:
    zoe, boss, request = waiting(office)
    at = office.stage.clock.now()
    body = {
        "bounce": bounce(zoe.email, at),
        "suppressed": bounce(zoe.email, at, subtype="OnAccountSuppressionList"),
        "complaint": complaint(zoe.email, at),
    }[event]
    happens(office, body)
    assert office.stage.clock.now() == at, "long before the post's time"
    assert told(office) == ["Not reached: Zoe, about New tram line"]
    assert office.approvals.decide(office.token(boss), Verdict.APPROVE, "").seen == Seen.DECIDED
    assert office.state(request) == "granted"
    (row,) = rows(office, request, "approver not reached")
    assert (row["person"], row["to"]) == (zoe.person_id, [boss.person_id])


def test_the_author_reads_who_was_not_reached_and_on_whom_it_depends(office: Office) -> None:
    zoe, _, _ = waiting(office)
    bounces(office, zoe)
    (mail,) = office.postbox.to(office.ada)
    for part in (mail.text, mail.html):
        assert "Zoe" in part
        assert "has not arrived" in part
        assert "These people can still approve it, and were asked: " in part
        assert "Boss" in part
        assert "/a/" not in part


def test_the_next_in_line_is_asked_and_not_reminded(office: Office) -> None:
    zoe, boss, _ = waiting(office)
    bounces(office, zoe)
    (mail,) = office.postbox.to(boss)
    assert mail.subject.startswith("Please approve")


def test_the_next_in_line_is_reminded_with_the_stage_and_once(office: Office) -> None:
    zoe, boss, request = waiting(office, remind_after=5)
    bounces(office, zoe)
    office.work_for(6)
    assert not any("unreachable" in r for r in rows(office, request, "approval asked for")), "known already"
    assert [m.subject.startswith("Reminder") for m in office.postbox.to(boss)] == [False, True]
    assert len(office.postbox.to(zoe)) == 1


def test_the_same_bounce_again_tells_nobody_again(office: Office) -> None:
    zoe, boss, request = waiting(office)
    body = bounce(zoe.email, office.stage.clock.now())
    for _ in range(3):
        happens(office, body)
        bounces(office, zoe)
    assert len(told(office)) == len(office.postbox.to(boss)) == 1
    assert len(rows(office, request, "approver not reached")) == 1


def test_who_answered_before_the_bounce_is_not_passed_over(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_, quorum="all"))
    office.asked()
    office.approvals.decide(office.token(zoe), Verdict.APPROVE, "")
    bounces(office, zoe)
    assert told(office) == []
    assert office.tokens(office.lead) == []


def test_when_others_of_the_stage_can_still_sign_nobody_further_is_asked(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_))
    office.asked()
    bounces(office, zoe)
    assert "were asked: Max." in office.postbox.to(office.ada)[0].text
    assert office.tokens(office.lead) == []
    bounces(office, max_)
    assert len(office.tokens(office.lead)) == 1, "now it depends on nobody else"


def test_each_of_several_who_are_not_reached_is_stood_in_for(office: Office) -> None:
    zoe, max_, boss = office.person("Zoe"), office.person("Max"), office.person("Boss")
    office.org.change_unit(office.operator, office.district.unit_id, lead_id=boss.person_id)
    office.policy(office.stage_of(zoe, max_, quorum="all"))
    request = office.asked()
    bounces(office, zoe)
    bounces(office, max_)
    for person in (boss, office.lead):
        assert office.approvals.decide(office.token(person), Verdict.APPROVE, "").seen == Seen.DECIDED
    assert office.state(request) == "granted"


def test_when_nobody_is_left_to_ask_the_author_is_told_that(office: Office) -> None:
    zoe, boss, request = waiting(office)
    for person in (zoe, boss, office.lead):
        bounces(office, person)
    assert len(told(office)) == 3
    assert "Nobody else is asked by itself" in office.postbox.to(office.ada)[-1].text
    assert office.state(request) == "open", "an address may be corrected in time"


@pytest.mark.parametrize("silence", [OnSilence.EXPIRE, OnSilence.REMIND])
def test_a_stage_that_silence_does_not_take_further_is_not_taken_further(
    office: Office, silence: OnSilence
) -> None:
    zoe, boss, request = waiting(office, on_silence=silence)
    bounces(office, zoe)
    assert office.tokens(boss) == []
    assert "Nobody else is asked by itself" in office.postbox.to(office.ada)[0].text
    assert office.state(request) == "open"


def test_who_is_known_to_be_unreachable_gets_no_mail_and_nobody_waits_for_them(office: Office) -> None:
    zoe, boss, _ = waiting(office)
    bounces(office, zoe)
    before = len(office.postbox.to(zoe))
    request = office.open()
    while office.work():
        pass
    assert len(office.postbox.to(zoe)) == before
    assert len(office.postbox.to(boss)) == len(told(office)) == 2
    asked = rows(office, request, "approval asked for")
    assert [r["unreachable"] for r in asked if "unreachable" in r] == [[zoe.person_id]]
    assert sorted(r["to"] == [boss.person_id] for r in asked) == [False, True]
    office.work_for(23)
    assert len(told(office)) == 2


def test_a_corrected_address_is_asked_at_once(office: Office) -> None:
    zoe, boss, request = waiting(office)
    bounces(office, zoe)
    zoe = office.org.change_person(office.operator, zoe.person_id, email="zoe@new.example.org")
    while office.work():
        pass
    assert office.approvals.decide(office.token(zoe), Verdict.APPROVE, "").seen == Seen.DECIDED
    assert office.state(request) == "granted"
    assert len(office.postbox.to(boss)) == 1
    assert len(rows(office, request, "approver asked again")) == 1


def test_a_corrected_address_that_bounces_too_is_told_again(office: Office) -> None:
    zoe, boss, _ = waiting(office)
    bounces(office, zoe)
    zoe = office.org.change_person(office.operator, zoe.person_id, email="zoe@new.example.org")
    while office.work():
        pass
    bounces(office, zoe)
    assert len(told(office)) == 2
    assert len(office.postbox.to(boss)) == 1


def test_a_delayed_mail_has_until_hours_before_the_posts_time(office: Office) -> None:
    zoe, boss, request = waiting(office)
    happens(office, delay(zoe.email, office.stage.clock.now()))
    office.work_for(19)
    assert (told(office), office.tokens(boss)) == ([], [])
    office.work_for(1)
    assert told(office) == ["Not reached: Zoe, about New tram line"]
    assert office.subject.shown.publish_at is not None
    left_for = office.subject.shown.publish_at - office.stage.clock.now()
    assert left_for == timedelta(hours=4)
    assert office.approvals.decide(office.token(boss), Verdict.APPROVE, "").seen == Seen.DECIDED
    assert office.state(request) == "granted"


def test_a_mail_that_is_delayed_shortly_before_the_posts_time_is_told_at_once(office: Office) -> None:
    soon = office.stage.clock.now() + timedelta(hours=2)
    office.subject.shown = replace(office.subject.shown, publish_at=soon)
    zoe, boss, _ = waiting(office)
    happens(office, delay(zoe.email, office.stage.clock.now()))
    assert len(told(office)) == len(office.postbox.to(boss)) == 1


def test_who_answers_a_delayed_mail_in_time_is_not_passed_over(office: Office) -> None:
    zoe, boss, _ = waiting(office)
    happens(office, delay(zoe.email, office.stage.clock.now()))
    office.work_for(3)
    office.approvals.decide(office.token(zoe), Verdict.APPROVE, "")
    office.work_for(21)
    assert told(office) == []
    assert office.postbox.to(boss) == []


def test_after_the_posts_time_and_after_the_end_nobody_is_bothered(office: Office) -> None:
    zoe, boss = office.person("Zoe"), office.person("Boss")
    office.org.change_unit(office.operator, office.district.unit_id, lead_id=boss.person_id)
    office.policy(office.stage_of(zoe, within_for=72), late_approval=True)
    office.asked()
    office.work_for(25)
    before = len(told(office))
    bounces(office, zoe)
    assert (len(told(office)), office.tokens(boss)) == (before, [])


def test_a_request_that_was_withdrawn_meanwhile_is_left_alone(office: Office) -> None:
    zoe, boss, request = waiting(office)
    office.void(request)
    bounces(office, zoe)
    assert told(office) == []
    assert office.postbox.to(boss) == []


def test_a_bounce_while_the_mails_of_the_stage_go_out_loses_none_of_them(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_, quorum="all"))
    office.postbox.refused.add(max_.email)
    office.open()
    office.work()
    bounces(office, zoe)
    office.postbox.refused.clear()
    office.stage.clock.advance(minutes=2)
    while office.work():
        pass
    assert len(office.tokens(max_)) == len(office.tokens(zoe)) == 1
    assert len(office.tokens(office.lead)) >= 1


def test_who_was_not_reached_in_one_stage_is_seen_to_in_the_next(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_, name="first"), office.stage_of(zoe, name="second"))
    request = office.asked()
    bounces(office, zoe)
    office.approvals.decide(office.token(max_), Verdict.APPROVE, "")
    while office.work():
        pass
    assert len(told(office)) == 2
    assert office.approvals.decide(office.token(office.lead), Verdict.APPROVE, "").seen == Seen.DECIDED
    assert office.state(request) == "granted"


def test_a_request_that_is_settled_leaves_nothing_to_do(office: Office) -> None:
    zoe, boss, _ = waiting(office)
    happens(office, delay(zoe.email, office.stage.clock.now()))
    bounces(office, zoe)
    office.approvals.decide(office.token(boss), Verdict.APPROVE, "")
    office.work_for(30)
    ahead = office.stage.clock.now() + timedelta(days=60)
    assert list(office.kernel.timetable.due(Lane.CHORES, ahead)) == []
    assert len(told(office)) == 1


def test_a_forwarded_link_alone_does_not_approve_where_the_unit_asks_for_a_code(office: Office) -> None:
    """The code goes to the approver's own address, when somebody presses the button."""
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe), code=True)
    request = office.asked()
    forwarded = office.token(zoe)
    assert office.press(forwarded, "approve").status == 200
    assert office.press(forwarded, "approve", code="000000").status in (200, 403)
    assert office.state(request) == "open"
    office.work()
    assert "code" in office.postbox.to(zoe)[-1].subject
