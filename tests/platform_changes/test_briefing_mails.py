"""One mail to each person and week, however often the chore runs and wherever it dies."""

from datetime import date, timedelta
from typing import Any, cast

import pytest

from chalicelib.core.links import token_digest
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.timetable import Claim, Lane
from chalicelib.org.model import Person
from chalicelib.platform_changes.briefing import MAIL
from chalicelib.platform_changes.briefing_mails import LINK_FOR, BriefingMails
from tests.fakes.stage import Stage
from tests.org.company import Company, hasty_kernel
from tests.platform_changes.briefing_desk import MONDAY, WEEK, Desk


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(Company.create(stage))


class WorkerKilledError(BaseException):
    """What Lambda does to a worker: no handler sees it."""


def everybody(desk: Desk) -> list[Person]:
    return [desk.company.lead, desk.ola, desk.hooman]


def mail_again(desk: Desk) -> None:
    """The chore is on the timetable once more, as after a restore or by hand."""
    change = desk.stage.kernel.change(desk.lead.by)
    change.chore(MAIL, WEEK, key=WEEK)
    change.record("briefings", "planned")
    desk.stage.kernel.commit(change)
    desk.work()


def test_everybody_gets_one_mail_in_their_language(desk: Desk) -> None:
    desk.change("Version 202512 is sunset", effective_on=date(2026, 12, 15))
    desk.monday()
    assert [len(desk.postbox.to(person)) for person in everybody(desk)] == [1, 1, 1]
    (english,) = desk.postbox.to(desk.ola)
    assert english.subject == "Platforms, week 49: 1 thing to do"
    assert "1 change at our platforms concerns us this week." in english.text
    assert "15 December 2026: LinkedIn · Version 202512 is sunset" in english.text
    (persian,) = desk.postbox.to(desk.hooman)
    assert 'dir="rtl"' in persian.html
    assert "۱۵ دسامبر ۲۰۲۶" in persian.text


def test_however_often_the_chore_runs_nobody_is_mailed_twice(desk: Desk) -> None:
    desk.monday()
    for _ in range(3):
        desk.stage.clock.advance(hours=1)
        mail_again(desk)
    assert len(desk.postbox.sent) == 3


@pytest.mark.parametrize("survives", [0, 1, 2])
@pytest.mark.parametrize("is_sent", [False, True])
def test_a_worker_that_dies_half_way_makes_no_second_mail(desk: Desk, survives: int, is_sent: bool) -> None:
    original = desk.postbox.send

    def send(mail: Mail) -> str:
        if len(desk.postbox.sent) == survives:
            if is_sent:
                original(mail)
            raise WorkerKilledError
        return original(mail)

    desk.postbox.send = send  # type: ignore[method-assign]
    with pytest.raises(WorkerKilledError):
        desk.monday()
    desk.postbox.send = original  # type: ignore[method-assign]
    desk.stage.clock.advance(seconds=121)  # the dead worker's lease
    desk.work()
    desk.stage.clock.advance(seconds=121)
    desk.work()
    mailed = [len(desk.postbox.to(person)) for person in everybody(desk)]
    assert max(mailed) == 1
    assert sum(mailed) == (3 if is_sent else 2)  # whose mail was begun is not known: it is not repeated


def test_of_two_workers_at_once_one_mails(desk: Desk) -> None:
    claims: list[Claim] = []
    desk.briefings.ensure()
    desk.stage.clock.set(MONDAY)
    desk.work(mail_briefing=claims.append)
    (claim,) = claims
    stage, org = desk.stage, desk.company.org
    kernel = hasty_kernel(stage, lambda: desk.mails.mail(claim))
    BriefingMails(kernel, org, stage.links, cast(Mailer, desk.postbox), stage.settings).mail(claim)
    assert [len(desk.postbox.to(person)) for person in everybody(desk)] == [1, 1, 1]


def test_an_address_that_fails_is_tried_again_alone(desk: Desk) -> None:
    desk.postbox.refused = {desk.ola.email}
    desk.monday()
    assert [len(desk.postbox.to(person)) for person in everybody(desk)] == [1, 0, 1]
    desk.postbox.refused = set()
    desk.stage.clock.advance(seconds=30)
    desk.work()
    assert [len(desk.postbox.to(person)) for person in everybody(desk)] == [1, 1, 1]


def test_when_no_mail_goes_out_the_chore_fails_and_comes_back(desk: Desk) -> None:
    desk.postbox.down = True
    desk.monday()
    entry = desk.stage.kernel.timetable.get(f"{MAIL}#{WEEK}")
    assert (entry.failures, entry.done_at) == (1, None)
    desk.postbox.down = False
    desk.stage.clock.advance(minutes=1)
    desk.work()
    assert len(desk.postbox.sent) == 3


def test_whoever_left_or_is_away_is_left_in_peace(desk: Desk) -> None:
    org = desk.company.org
    org.set_away(desk.company.operator, desk.ola.person_id, desk.hooman.person_id, None)
    org.mark_left(desk.company.operator, desk.hooman.person_id)
    desk.monday()
    assert [mail.to for mail in desk.postbox.sent] == [desk.company.lead.email]


def test_a_worker_stops_in_time_and_the_rest_is_mailed_at_once(desk: Desk) -> None:
    original = desk.postbox.send

    def slow(mail: Mail) -> str:
        desk.stage.clock.advance(seconds=50)
        return original(mail)

    desk.postbox.send = slow  # type: ignore[method-assign]
    desk.monday()
    assert len(desk.postbox.sent) == 1
    due = [entry_id for entry_id, _ in desk.stage.kernel.timetable.due(Lane.CHORES, desk.stage.clock.now())]
    assert due == [f"{MAIL}#{WEEK}"]
    desk.work()
    desk.work()
    assert sorted(len(desk.postbox.to(person)) for person in everybody(desk)) == [1, 1, 1]


def test_the_link_lives_for_400_days_and_its_token_is_stored_nowhere(desk: Desk) -> None:
    desk.monday()
    token = desk.token(desk.ola)
    link = desk.stage.links.find(token, "briefing")
    assert link is not None
    assert (link.subject, link.person_id) == (WEEK, desk.ola.person_id)
    assert link.expires_at == MONDAY + LINK_FOR == MONDAY + timedelta(days=400)
    stored: Any = desk.company.everything_stored()
    assert token not in stored
    assert token_digest(token) in stored
