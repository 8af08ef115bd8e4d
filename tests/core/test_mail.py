"""Raw mails: their parts, what may not get into a header, and what SES is told."""

import email
from email import policy
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import Busy, InvalidInput
from chalicelib.core.mail import InlineImage, Mail, Mailer, MailRefused, mime
from chalicelib.core.settings import Settings
from tests.fakes.stage import Stage

SETTINGS = Settings("test", "https://signalbox.test", "signalbox@company.test", "bucket", "Żółta Łódź")
PICTURE = InlineImage("tram@signalbox", "image/png", b"\x89PNG\r\n" + bytes(range(256)))
MAIL = Mail("zofia@example.org", "Zgoda: «تراموا» 🚋", "tekst\nسلام", "<p>سلام</p>", (PICTURE,))


class Ses:
    """Keeps what it was asked to send, or fails as told."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._failure = failure

    def send_email(self, **request: Any) -> dict[str, str]:
        self.asked.append(request)
        if self._failure:
            raise self._failure
        return {"MessageId": "0102"}


def parsed(mail: Mail) -> Any:
    return email.message_from_bytes(mime(mail, SETTINGS.mail_from, SETTINGS.company), policy=policy.default)


def test_a_mail_has_text_and_html_with_its_pictures() -> None:
    message = parsed(MAIL)
    assert message.get_content_type() == "multipart/alternative"
    text, related = message.iter_parts()
    html, picture = related.iter_parts()
    assert related.get_content_type() == "multipart/related"
    assert text.get_content().split() == ["tekst", "سلام"]
    assert html.get_content().strip() == "<p>سلام</p>"
    assert picture["Content-ID"] == "<tram@signalbox>"
    assert picture.get_content() == PICTURE.data


def test_a_mail_says_that_a_machine_sent_it_and_for_whom() -> None:
    message = parsed(MAIL)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == MAIL.subject
    assert message["From"].addresses[0].display_name == "Żółta Łódź"
    assert message["To"].addresses[0].addr_spec == "zofia@example.org"


def test_every_byte_of_a_mail_is_ascii() -> None:
    assert mime(MAIL, SETTINGS.mail_from, SETTINGS.company).isascii()


@pytest.mark.parametrize(
    "mail",
    [
        Mail("a@b.pl", "hello\r\nBcc: eve@example.org", "", ""),
        Mail("a@b.pl", "hello\nX: y", "", ""),
        Mail("a@b.pl", "hello\u2028X: y", "", ""),
        Mail("a@b.pl\r\nBcc: eve@example.org", "hello", "", ""),
        Mail("a@b.pl, eve@example.org", "hello", "", ""),
        Mail("Eve <eve@example.org>", "hello", "", ""),
        Mail("", "hello", "", ""),
        Mail("nobody", "hello", "", ""),
    ],
)
def test_a_header_that_could_forge_another_never_reaches_ses(mail: Mail) -> None:
    ses = Ses()
    with pytest.raises(InvalidInput):
        Mailer(ses, SETTINGS).send(mail)
    assert ses.asked == []


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_subject_is_refused_or_stays_one_header(subject: str, to: str) -> None:
    try:
        raw = mime(Mail(to or "a@b.pl", subject, "text", "html"), SETTINGS.mail_from, SETTINGS.company)
    except (InvalidInput, UnicodeEncodeError):
        return
    message = email.message_from_bytes(raw, policy=policy.default)
    assert "Bcc" not in message
    assert sorted(message.keys()) == sorted(
        [
            "To",
            "From",
            "Subject",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "MIME-Version",
            "Content-Type",
        ]
    )


def test_ses_is_told_not_to_rewrite_links_and_to_tell_what_becomes_of_the_mail() -> None:
    ses = Ses()
    assert Mailer(ses, SETTINGS).send(MAIL) == "0102"
    (request,) = ses.asked
    assert request["ConfigurationOverrides"]["Tracking"]["ClickTrackingEnabled"] == "DISABLED"
    assert request["ConfigurationSetName"] == "signalbox-test-mail", "without it SES tells nobody of a bounce"
    assert request["Destination"] == {"ToAddresses": ["zofia@example.org"]}


def test_ses_itself_accepts_the_mail(stage: Stage) -> None:
    assert Mailer(stage.ses, stage.settings).send(MAIL)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("TooManyRequestsException", Busy),
        ("MessageRejected", MailRefused),
        ("AccountSuspendedException", MailRefused),
    ],
)
def test_what_ses_says_is_told_apart_by_whether_to_try_again(code: str, error: type[Exception]) -> None:
    failure = ClientError({"Error": {"Code": code, "Message": "to zofia@example.org"}}, "SendEmail")
    with pytest.raises(error) as refusal:
        Mailer(Ses(failure), SETTINGS).send(MAIL)
    assert "zofia" not in str(refusal.value)


def test_a_network_that_is_down_is_tried_again() -> None:
    with pytest.raises(Busy):
        Mailer(Ses(EndpointConnectionError(endpoint_url="https://email")), SETTINGS).send(MAIL)


@pytest.mark.parametrize(
    "subject",
    [
        (
            "لطفاً تأیید کنید: \u2068موزهٔ نور باز می‌شود و همه دعوت هستند\u2069، \u2068"
            "یکشنبه ۲۲ نوامبر ۲۰۲۶، ساعت ۱۹:۰۲ (\u2068Tehran\u2069)\u2069"
        ),
        "Prosimy o zgodę: Zażółć gęślą jaźń w Muzeum Światła wtorek 24 listopada 2026",
        "Please approve: a plain subject that is rather long, Tuesday 24 November 2026, 09:00",
    ],
)
def test_a_long_subject_in_any_script_arrives_with_its_spaces(subject: str) -> None:
    sent = mime(Mail("zofia@example.org", subject, "t", "<p>t</p>"), SETTINGS.mail_from, SETTINGS.company)
    assert str(email.message_from_bytes(sent, policy=policy.default)["Subject"]) == subject
    assert max(len(line) for line in sent.split(b"\r\n\r\n")[0].split(b"\r\n")) <= 78
