"""Who is told of a clock, in whose language, and what the mail says and keeps to itself."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.words import Words
from chalicelib.inbox.settings import Own
from chalicelib.inbox.targets import Ladder, Rung, Step, Targets
from chalicelib.inbox.tellings import age
from chalicelib.org.model import Actor, Language, operator
from chalicelib.org.roles import Role
from chalicelib.platforms.inbound import Author, InboundKind
from tests.fakes.stage import Stage
from tests.inbox.clockwork import Clockwork, text_of

ONLY_FIRST = Targets({f"{kind}.resolution": 90 * 86400 for kind in ("comment", "message", "mention")})


@pytest.fixture
def works(stage: Stage) -> Clockwork:
    made = Clockwork.open(stage)
    made.set(Own(targets=ONLY_FIRST))
    return made


def told(works: Clockwork) -> list[list[str]]:
    """The names of those who were told, ring by ring."""
    rows = works.box.services.history.of(f"conversation#{works.id()}")
    names = {**{i: p.name for i, p in works.people.items()}, works.box.lead.person_id: "Maja"}
    return [[names[p] for p in r.details["told"]] for r in rows if r.what == "clock rang"]


def mail_of(works: Clockwork, actor: Actor) -> Any:
    email = works.box.services.org.person(actor.person_id).email
    (mail,) = [m for m in works.mails() if m["To"] == email]
    return mail


def test_warnings_reach_the_team_while_nobody_has_it(works: Clockwork) -> None:
    works.says()
    works.runs(hours=20)
    assert told(works) == [["Paweł"], ["Paweł"]]


def test_warnings_reach_whoever_has_it(works: Clockwork) -> None:
    other = works.join("Ola", Role.RESPONDER)
    works.says()
    works.inbox.moves.assign(works.box.lead, works.id(), other.person_id)
    works.runs(hours=13)
    assert told(works) == [["Ola"]]


def test_a_breach_reaches_the_lead_of_the_unit_too_and_the_ladder_climbs_from_there(works: Clockwork) -> None:
    boss = works.join("Bożena", Role.AUTHOR)
    works.box.services.org.change_unit(operator("test", works.now), works.district_id, lead_id=boss.person_id)
    works.says()
    works.inbox.moves.assign(works.box.lead, works.id(), works.responder.person_id)
    works.runs(hours=30)
    assert told(works) == [
        ["Paweł"], ["Paweł"], ["Paweł", "Bożena", "Darya"], ["Paweł"], ["Paweł"], ["Darya"], ["Maja"],
    ]  # fmt: skip


def test_where_nobody_stands_on_a_rung_the_next_one_up_is_told(works: Clockwork) -> None:
    org, admin = works.box.services.org, operator("test", works.now)
    org.mark_left(admin, works.responder.person_id)
    org.mark_left(admin, works.manager.person_id)
    works.says()
    works.runs(hours=13)
    assert told(works) == [["Maja"]]


def test_whoever_is_away_is_stood_in_for_and_nobody_is_told_twice(works: Clockwork) -> None:
    deputy = works.join("Ola", Role.RESPONDER)
    works.box.services.org.set_away(works.responder, works.responder.person_id, deputy.person_id, None)
    works.says()
    works.runs(hours=13)
    assert told(works) == [["Ola"]]


def test_responders_of_the_account_alone_are_of_the_team(works: Clockwork) -> None:
    org, admin = works.box.services.org, operator("test", works.now)
    ola = works.join("Ola", Role.AUTHOR)
    org.grant(admin, ola.person_id, Role.RESPONDER, works.district_id, works.account.account_id)
    works.says()
    works.runs(hours=13)
    assert told(works) == [["Ola", "Paweł"]]


def test_a_unit_may_have_a_ladder_of_its_own(works: Clockwork) -> None:
    ladder = Ladder((Step(Rung.LEAD, 600), Step(Rung.TEAM, 1200)))
    works.set(Own(targets=ONLY_FIRST, escalation=ladder))
    works.says()
    works.runs(hours=30)
    assert told(works)[3:] == [["Maja"], ["Paweł"]]


def test_the_mail_says_who_waits_where_since_when_and_what_to_do(works: Clockwork) -> None:
    lead = works.box.lead
    works.set(Own(targets=ONLY_FIRST, escalation=Ladder((Step(Rung.LEAD, 60),))))
    works.says(happened_at=works.now - timedelta(hours=25))
    works.passes(seconds=1)
    mail = mail_of(works, lead)
    assert mail["Subject"] == "Still waiting, passed up: @ala.kot on mastodon"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = text_of(mail)
    for said in (
        "@ala.kot waits for our first answer on mastodon.",
        "Waiting for 25 hours, since Sunday 22 November 2026, 12:00 (Warsaw)",
        "It was due: Monday 23 November 2026, 12:00 (Warsaw)",
        "Nobody has this conversation yet.",
        "https://social.test/m1",
        f"Conversation number: {works.id()}",
    ):
        assert said in text
    html = mail.get_body(("html",)).get_content()
    assert 'href="https://social.test/m1"' in html
    assert "@ala.kot" in html


def test_no_word_of_a_message_is_in_a_mail(works: Clockwork) -> None:
    works.says(kind=InboundKind.MESSAGE, text="Mój PESEL to 44051401359", author=Author("a1", "ala"))
    works.runs(hours=13)
    (mail,) = works.mails()
    assert "PESEL" not in mail.as_string() + text_of(mail)


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        (Language.POLISH, "Minęła połowa czasu: @ala.kot, mastodon", "Czas oczekiwania: 12 godzin, od:"),
        (
            Language.PERSIAN,
            "نیمی از زمان گذشت: \u2068@ala.kot\u2069 در \u2068mastodon\u2069",
            "مدت انتظار: ۱۲ ساعت",
        ),
    ],
)
def test_the_mail_speaks_its_readers_language(
    works: Clockwork, language: Language, subject: str, said: str
) -> None:
    works.says()
    other = works.join("Ola", Role.RESPONDER, language)
    works.inbox.moves.assign(works.box.lead, works.id(), other.person_id)
    works.runs(hours=13)
    mail = mail_of(works, other)
    assert mail["Subject"] == subject
    assert said in text_of(mail)
    direction = "rtl" if language == Language.PERSIAN else "ltr"
    assert f'dir="{direction}"' in mail.get_body(("html",)).get_content()


def test_a_handle_cannot_forge_a_header_or_a_link(works: Clockwork) -> None:
    nasty = Author("a1", "x\r\nBcc: all@zorza.test\u202e" + "y" * 300, url="javascript:alert(1)")
    works.says(author=nasty, url="javascript:alert(2)")
    works.runs(hours=13)
    (mail,) = works.mails()
    assert mail["Bcc"] is None
    assert "javascript:" not in mail.as_string() + text_of(mail)
    assert len(mail["Subject"]) < 120


@pytest.mark.parametrize(
    ("minutes", "english", "polish", "persian"),
    [
        (1, "1 minute", "1 minuta", "۱ دقیقه"),
        (119, "119 minutes", "119 minut", "۱۱۹ دقیقه"),
        (120, "2 hours", "2 godziny", "۲ ساعت"),
        (47 * 60, "47 hours", "47 godzin", "۴۷ ساعت"),
        (48 * 60, "2 days", "2 dni", "۲ روز"),
        (-5, "0 minutes", "0 minut", "۰ دقیقه"),
    ],
)
def test_an_age_is_said_in_the_greatest_unit_that_has_two_of_it(
    minutes: int, english: str, polish: str, persian: str
) -> None:
    waited = timedelta(minutes=minutes)
    assert [age(Words(language), waited) for language in ("en", "pl", "fa")] == [english, polish, persian]
