"""Events as SES publishes them to SNS, in the shapes that its developer guide documents."""

import json
from datetime import datetime
from typing import Any

from chalicelib.core.clock import to_text


def event(kind: str, to: str, sent_at: datetime, **parts: Any) -> str:
    """An event about a mail; `parts` is the object that goes with its kind."""
    mail = {
        "timestamp": to_text(sent_at),
        "source": "signalbox@company.test",
        "sourceArn": "arn:aws:ses:eu-central-1:123456789012:identity/signalbox@company.test",
        "sendingAccountId": "123456789012",
        "messageId": "0107019aa-000000",
        "destination": [to],
        "headersTruncated": False,
        "headers": [{"name": "Subject", "value": "Please approve"}],
        "commonHeaders": {"subject": "Please approve", "to": [to]},
        "tags": {"ses:configuration-set": ["signalbox-test-mail"]},
    }
    return json.dumps({"eventType": kind, "mail": mail, **parts})


def bounce(
    to: str, sent_at: datetime, kind: str = "Permanent", subtype: str = "General", final: str = ""
) -> str:
    """`final` is the address that the mail was forwarded to, if it is another one."""
    recipient = {
        "emailAddress": final or to,
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    }
    said = {
        "bounceType": kind,
        "bounceSubType": subtype,
        "bouncedRecipients": [recipient],
        "timestamp": to_text(sent_at),
        "feedbackId": "0107019ab-000000",
        "reportingMTA": "dsn; mta.example.org",
    }
    return event("Bounce", to, sent_at, bounce=said)


def complaint(to: str, sent_at: datetime, feedback: str = "abuse") -> str:
    said = {
        "complainedRecipients": [{"emailAddress": to}],
        "timestamp": to_text(sent_at),
        "feedbackId": "0107019ac-000000",
        "complaintSubType": None,
        "userAgent": "ExampleCorp Feedback Loop (V0.01)",
        "complaintFeedbackType": feedback,
        "arrivalDate": to_text(sent_at),
    }
    return event("Complaint", to, sent_at, complaint=said)


def delay(to: str, sent_at: datetime) -> str:
    said = {
        "timestamp": to_text(sent_at),
        "delayType": "TransientCommunicationFailure",
        "expirationTime": to_text(sent_at),
        "delayedRecipients": [
            {
                "emailAddress": to,
                "status": "4.4.1",
                "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host",
            }
        ],
    }
    return event("DeliveryDelay", to, sent_at, deliveryDelay=said)
