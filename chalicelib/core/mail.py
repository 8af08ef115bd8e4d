"""Mail through SES: raw MIME that we build ourselves, so that headers, parts and pictures are exactly ours.

SES may rewrite every link to track clicks, which would hand a decision's link to its redirector; that is
switched off for each message. SES gives a message its own Message-ID, which `send` returns.
"""

import logging
from dataclasses import dataclass
from typing import Any

from chalicelib.core.errors import Busy, InvalidInput, Problem, SignalboxError
from chalicelib.core.settings import Settings, resource

_LATER = {"TooManyRequestsException", "LimitExceededException", "ThrottlingException", "InternalServiceError"}

log = logging.getLogger(__name__)


class MailRefused(SignalboxError):
    """SES will not send this mail however often it is asked; the message says why."""

    status = 502
    code = "mail_refused"


@dataclass(frozen=True)
class InlineImage:
    """A picture that the HTML part shows as `cid:<cid>`."""

    cid: str
    mime: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """One mail to one person."""

    to: str
    subject: str
    text: str
    html: str
    images: tuple[InlineImage, ...] = ()


class Mailer:
    """Sends mails from the stage's own address."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def send(self, mail: Mail) -> str:
        """Send, and return the Message-ID that SES gave.

        Raises InvalidInput for a header that could forge another, MailRefused, and Busy: it may work later.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.send_email(
                FromEmailAddress=self._settings.mail_from,
                Destination={"ToAddresses": [mail.to]},
                ConfigurationSetName=resource("mail", self._settings.stage),  # SES tells what becomes of it
                Content={"Raw": {"Data": mime(mail, self._settings.mail_from, self._settings.company)}},
                ConfigurationOverrides={
                    "Tracking": {"ClickTrackingEnabled": "DISABLED", "OpenTrackingEnabled": "DISABLED"}
                },
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _LATER:
                raise Busy(f"SES asked to slow down ({code}); the mail is tried again") from error
            raise MailRefused(
                f"SES refused the mail ({code}); check the sender identity and the address"
            ) from error
        except BotoCoreError as error:
            raise Busy("SES could not be reached; the mail is tried again") from error
        message_id: str = answer["MessageId"]
        log.info("mail sent", extra={"message_id": message_id})
        return message_id


def mime(mail: Mail, sender: str, sender_name: str) -> bytes:
    """The message: alternative(text, related(html, pictures)), marked as sent by a machine (RFC 3834).

    Raises InvalidInput for line breaks or control characters in a header, and unless `to` is one address.
    """
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.policy import SMTP

    headers = {"to": mail.to, "subject": mail.subject, "from": sender_name}
    problems = [
        Problem(k, "must be one line without control characters") for k, v in headers.items() if _breaks(v)
    ]
    if problems:
        raise InvalidInput(problems)
    message = EmailMessage(SMTP.clone(cte_type="7bit"))
    try:
        message["To"] = Address(addr_spec=mail.to)
    except Exception as error:  # email's address parser also fails with IndexError and AttributeError
        raise InvalidInput([Problem("to", "is not one e-mail address")]) from error
    message["From"] = Address(sender_name, addr_spec=sender)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    html_part = list(message.iter_parts())[1]
    for image in mail.images:
        kind, _, subtype = image.mime.partition("/")
        html_part.add_related(image.data, kind, subtype, cid=f"<{image.cid}>", disposition="inline")
    return _subject_line(mail.subject) + message.as_bytes()


def _subject_line(subject: str) -> bytes:
    """The Subject header. EmailMessage folds long non-ASCII ones so that spaces between words are lost
    (python/cpython#92081): only white space inside an encoded word survives (RFC 2047, 6.2).
    """
    from email.header import Header

    charset = "us-ascii" if subject.isascii() else "utf-8"
    folded = Header(subject, charset, header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {folded}\r\n".encode("ascii")


def _breaks(header: str) -> bool:
    return any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in header)
