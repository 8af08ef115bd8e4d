"""The mails of an outage: to whom, with what of theirs, in whose language; and the receipt afterwards."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.accounts.model import Account
from chalicelib.core.mail import Mail
from chalicelib.org.model import Language, Person, operator
from chalicelib.org.roles import Role
from tests.fakes.downtime import publish_for
from tests.fakes.postbox import Postbox
from tests.fakes.stage import Stage
from tests.platform_changes.outage_desk import OutageDesk, page


@pytest.fixture
def desk(stage: Stage) -> OutageDesk:
    made = OutageDesk.open(stage)
    made.services.__dict__["mailer"] = Postbox()
    return made


@pytest.fixture
def toots(desk: OutageDesk) -> Account:
    return desk.box.account("zorza")


@pytest.fixture
def ops(desk: OutageDesk) -> Person:
    org, admin = desk.services.org, operator("test", desk.now)
    person = org.add_person(admin, "Otto", "otto@zorza.test", "Europe/Warsaw", Language.ENGLISH)
    org.grant(admin, person.person_id, Role.OPS, desk.box.unit_id)
    return person


def mails(desk: OutageDesk, to: str = "") -> list[Mail]:
    """What was sent since the last call, to those whose address begins so."""
    postbox = desk.services.__dict__["mailer"]
    found, postbox.sent = [m for m in postbox.sent if m.to.startswith(to)], []
    return found


def text(mail: Mail) -> str:
    return " ".join(mail.text.split())


def test_authors_and_owners_of_what_is_due_and_keepers_are_told_that_it_waits(
    desk: OutageDesk, toots: Account, ops: Person
) -> None:
    desk.box.signed([toots], "soon", in_=3600)
    desk.box.signed([toots], "in two days", in_=2 * 86_400)
    desk.looks(i1="major")
    desk.work("tell_outage")
    sent = {mail.to: text(mail) for mail in mails(desk)}
    assert set(sent) == {"maja@zorza.test", "zofia@zorza.test", "otto@zorza.test"}
    for to in ("maja@zorza.test", "zofia@zorza.test"):
        assert "Post soon" in sent[to]
        assert "in two days" not in sent[to]
        assert "https://status.test/i1" in sent[to]
    assert "1 post of yours, or to an account of yours, is due there within a day." in sent["maja@zorza.test"]
    assert "Mastodon has an outage: Posting fails (i1)" in sent["otto@zorza.test"]
    assert "In the whole company 1 post is due there within a day." in sent["otto@zorza.test"]
    assert "/lift" in sent["otto@zorza.test"]
    assert "/lift" not in sent["zofia@zorza.test"]


def test_nobody_is_told_of_an_outage_that_is_over_before_the_mail_goes(
    desk: OutageDesk, toots: Account
) -> None:
    desk.box.signed([toots], "soon", in_=3600)
    desk.looks(i1="major")
    desk.looks()
    desk.work("tell_outage#")
    assert mails(desk) == []


def test_the_receipt_comes_after_what_waited_was_tried_and_says_what_became_of_it(
    desk: OutageDesk, toots: Account, ops: Person
) -> None:
    box = desk.box
    box.signed([toots], "goes out", in_=60)
    box.signed([toots], "is late", in_=60, late={"action": "hold", "grace_minutes": 30})
    desk.looks(i1="major")
    desk.work()
    mails(desk)
    publish_for(desk.box, minutes=10)
    desk.looks()
    assert desk.work("tell_outage_over") == ["later"]
    assert mails(desk) == []
    publish_for(desk.box, minutes=5)
    assert desk.work("tell_outage_over") == ["done"]
    sent = {mail.to: text(mail) for mail in mails(desk)}
    assert set(sent) == {"maja@zorza.test", "zofia@zorza.test", "otto@zorza.test"}
    for said in ("Went out since: 1", "Too late to go out: 1", "Work on Mastodon goes on."):
        assert said in sent["otto@zorza.test"]
    assert "Post is late" not in sent["otto@zorza.test"]
    assert "Too late to go out: Post is late · zorza ·" in sent["maja@zorza.test"]
    assert "Post goes out" not in sent["maja@zorza.test"]


def test_whoever_was_told_that_something_is_due_is_told_that_it_is_over(
    desk: OutageDesk, toots: Account
) -> None:
    desk.box.signed([toots], "in three hours", in_=3 * 3600)
    desk.looks(i1="major")
    desk.work("tell_outage")
    mails(desk)
    publish_for(desk.box, minutes=10)
    desk.looks()
    publish_for(desk.box, minutes=6)
    desk.work("tell_outage_over")
    (mail,) = mails(desk, "zofia@")
    assert "Mastodon" in mail.subject


def test_one_address_that_fails_keeps_nobody_else_from_the_mail_and_is_tried_again(
    desk: OutageDesk, toots: Account, ops: Person
) -> None:
    postbox = desk.services.__dict__["mailer"]
    desk.box.signed([toots], "soon", in_=3600)
    desk.looks(i1="major")
    postbox.refused = {"otto@zorza.test"}
    assert desk.work("tell_outage") == ["later"]
    assert sorted(mail.to for mail in mails(desk)) == ["maja@zorza.test", "zofia@zorza.test"]
    postbox.refused = set()
    desk.box.stage.clock.advance(seconds=30)
    assert desk.work("tell_outage") == ["done"]
    assert [mail.to for mail in mails(desk)] == ["otto@zorza.test"]


def test_somebody_elses_posts_are_in_nobodys_mail_and_a_stand_in_gets_those_of_who_is_away(
    desk: OutageDesk, toots: Account, ops: Person
) -> None:
    org, admin = desk.services.org, operator("test", desk.now)
    org.set_away(admin, desk.box.author.person_id, ops.person_id, (desk.now + timedelta(days=5)).date())
    desk.box.signed([toots], "soon", in_=3600)
    desk.looks(i1="major")
    desk.work("tell_outage")
    sent = {mail.to: text(mail) for mail in mails(desk)}
    assert set(sent) == {"maja@zorza.test", "otto@zorza.test"}
    assert "Post soon" in sent["otto@zorza.test"]


def test_more_than_a_mail_holds_is_counted(desk: OutageDesk, toots: Account) -> None:
    for n in range(22):
        desk.box.signed([toots], f"story {n:02d}", in_=600 + n)
    desk.looks(i1="major")
    desk.work("tell_outage")
    (mail,) = mails(desk, "maja@")
    assert mail.text.count("Post story") == 20
    assert "And 2 more." in mail.text


def test_hostile_words_of_a_status_page_stay_words(desk: OutageDesk, toots: Account) -> None:
    (incident,) = desk.incidents({"i1": "major"})
    title = '<script>alert(1)</script> %(channel)s %s {{7*7}} "quotes"'
    desk.services.outages.heard(page(), [replace(incident, title=title)])
    desk.work("tell_outage")
    desk.looks()
    publish_for(desk.box, minutes=6)
    desk.work("tell_outage_over")
    for mail in mails(desk):
        assert title in mail.text
        assert "<script>" not in mail.html
