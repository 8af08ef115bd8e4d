"""What an approver finds in the mail: post, time, channels, pictures, one button, in their own language."""

from dataclasses import replace

import pytest

from chalicelib.approvals.model import Changed, What
from chalicelib.org.model import Language
from tests.approvals.office import Office
from tests.fakes.subject import channel, picture


def test_the_mail_says_what_when_where_who_and_what_happens_next(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.subject.shown = replace(
        office.subject.shown, changes=(Changed(What.TEXT, "old words", "new words"),)
    )
    office.asked()
    (mail,) = office.postbox.to(zoe)
    assert mail.subject == "Please approve: New tram line, Tuesday 24 November 2026, 13:00 (Warsaw)"
    for part in (mail.text, mail.html):
        for said in (
            "New tram line",
            "13:00 (Warsaw)",
            "Ada",
            "Nowa linia rusza",
            "@lotte",
            "old words",
            "new words",
        ):
            assert said in part
    assert "If you approve, this goes to 3 channels on Tuesday 24 November 2026, 13:00 (Warsaw)." in mail.text


def test_the_token_is_in_one_button_and_in_no_header(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.asked()
    (mail,) = office.postbox.to(zoe)
    token = office.token(zoe)
    assert token not in mail.subject
    assert mail.html.count(token) == mail.html.count("<a ") == mail.html.count("ses:no-track") == 1
    assert mail.text.count(token) == 1
    assert f'href="https://signalbox.test/a/{token}"' in mail.html


@pytest.mark.parametrize(
    ("language", "subject", "direction"),
    [
        (
            Language.POLISH,
            "Prosimy o zatwierdzenie: New tram line, wtorek 24 listopada 2026, 13:00 (Warsaw)",
            "ltr",
        ),
        (Language.PERSIAN, "لطفاً تأیید کنید: \u2068New tram line\u2069، ", "rtl"),
    ],
)
def test_the_mail_speaks_its_readers_language(
    office: Office, language: Language, subject: str, direction: str
) -> None:
    zoe = office.person("Zoe", language=language)
    office.policy(office.stage_of(zoe))
    office.asked()
    (mail,) = office.postbox.to(zoe)
    assert mail.subject.startswith(subject)
    assert f'<html lang="{language}" dir="{direction}">' in mail.html
    assert "Approve" not in mail.html + mail.text


def test_pictures_travel_inside_the_mail_while_they_are_small(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    small = [picture(f"p{n}", 900_000, f"picture {n}") for n in range(4)]
    large = picture("large", 1_000_001, "a large one")
    office.subject.shown = replace(
        office.subject.shown, channels=(channel(media=(*small, large)), channel("@b", media=(small[0],)))
    )
    office.asked()
    (mail,) = office.postbox.to(zoe)
    assert [len(i.data) for i in mail.images] == [900_000] * 3
    assert mail.html.count(f"cid:{mail.images[0].cid}") == 2
    assert mail.html.count("Open the page to see it") == 2
    assert mail.text.count("Open the page to see it") == 2
    assert "a large one" in mail.text


def test_a_film_is_not_read_into_a_mail(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))

    def read() -> bytes:
        raise AssertionError("a film is not read into a mail")

    film = replace(picture(), mime="video/mp4", read=read)
    office.subject.shown = replace(office.subject.shown, channels=(channel(media=(film,)),))
    office.asked()
    assert "Open the page to see it" in office.postbox.to(zoe)[0].text


def test_right_to_left_texts_keep_their_direction_in_any_readers_mail(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.subject.shown = replace(
        office.subject.shown,
        channels=(channel("@تراموا", "سلام تهران", display_name="تراموا", language="fa"),),
    )
    office.asked()
    (mail,) = office.postbox.to(zoe)
    assert '<div dir="auto" lang="fa"' in mail.html
    assert "<bdi>@تراموا</bdi>" in mail.html
    assert "\u2068@تراموا\u2069" in mail.text


def test_a_long_title_is_cut_in_the_subject_only(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.subject.shown = replace(office.subject.shown, title="long " * 40)
    office.asked()
    (mail,) = office.postbox.to(zoe)
    assert len(mail.subject) < 160
    assert ("long " * 40).strip() in mail.text
