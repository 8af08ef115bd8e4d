"""What SES says became of our mails: it bounced, was suppressed or complained about, or is delayed.

Each mail has one addressee, so an event is about the address that the mail was sent to: a bounce itself may
name another one, where somebody's mail is forwarded. Events come late, twice and out of order.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.errors import Busy, Conflict, InvalidInput, Problem
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.org import store as rows
from chalicelib.org.model import Person, Reach

# SES sends this text, which is no event, when a topic becomes its destination.
_GREETING = "Successfully validated SNS topic"
_ROUNDS = 4  # changes of the same person that may overtake ours before we give up


@dataclass(frozen=True)
class MailEvent:
    """What became of one mail; `is_lasting` where no later mail to this address will arrive either."""

    to: str
    sent_at: datetime
    why: str
    is_lasting: bool


def read_event(body: str) -> MailEvent | None:
    """An event as SES publishes it to SNS; None for one that says nothing against the address.

    Raises InvalidInput for anything else. Source:
    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    """
    if body.startswith(_GREETING):
        return None
    try:
        event = json.loads(body)
        kind = event["eventType"]
        mail = event["mail"]
        (to,) = mail["destination"]
        sent_at = datetime.fromisoformat(mail["timestamp"])
        verdict = _verdict(kind, event)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput([Problem("body", "is not an event that SES documents")]) from error
    if not isinstance(to, str) or sent_at.utcoffset() != timedelta(0):
        raise InvalidInput([Problem("mail", "names no address, or no time in UTC")])
    return MailEvent(to, sent_at, *verdict) if verdict else None


def _verdict(kind: str, event: dict[str, Any]) -> tuple[str, bool] | None:
    """Why the mail failed, and whether that lasts. Raises KeyError for an unknown kind."""
    if kind == "Bounce":
        # A soft bounce may also be an automatic reply: it says little of the next mail.
        lasts = {"Permanent": True, "Transient": False, "Undetermined": False}[event["bounce"]["bounceType"]]
        is_suppressed = "Suppress" in event["bounce"].get("bounceSubType", "")
        return ("suppressed" if is_suppressed else "bounced") if lasts else "delayed", lasts
    if kind == "Complaint":
        took_it_back = event["complaint"].get("complaintFeedbackType") == "not-spam"
        return None if took_it_back else ("complained", True)
    others = ("Send", "Delivery", "Open", "Click", "Reject", "Rendering Failure", "Subscription")
    return {**dict.fromkeys(others), "DeliveryDelay": ("delayed", False)}[kind]


def heard(reach: Reach, event: MailEvent, now: datetime) -> Reach:
    """What is known after an event; the same if it tells nothing new: heard before, or of the time before."""
    if reach.since is not None and event.sent_at < reach.since:
        return reach
    is_new = reach.failed_at is None or event.sent_at > reach.failed_at
    failed_at = event.sent_at if is_new else reach.failed_at
    if event.is_lasting and reach.unreachable_at is None:
        return replace(reach, unreachable_at=now, why=event.why, failed_at=failed_at)
    if not event.is_lasting and is_new and reach.unreachable_at is None:
        return replace(reach, delayed=reach.delayed + 1, failed_at=failed_at)
    return replace(reach, failed_at=failed_at)


class Bounces:
    """Marks people whose address does not work; whoever waits for them hears of it by an event."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._store = rows.Store(kernel.database)

    def take(self, body: str) -> str:
        """Note one event; how it ended: `ignored`, `stranger`, `known` or `noted`.

        Raises InvalidInput for what is no event of SES, and Busy while the person keeps being changed.
        """
        event = read_event(body)
        if event is None:
            return "ignored"
        for _ in range(_ROUNDS):
            person = self._store.holder_of(event.to)
            if person is None:
                return "stranger"  # they have left, or have another address by now
            reach = heard(person.reach, event, self._kernel.clock.now())
            if reach == person.reach:
                return "known"
            try:
                self._note(person, reach, event)
            except Conflict:
                continue
            return "noted"
        raise Busy("the person was changed again and again; the event is taken up later")

    def _note(self, person: Person, reach: Reach, event: MailEvent) -> None:
        change = self._kernel.change(BY_JOB)
        rows.save_person(change, person, replace(person, reach=reach))
        subject = f"person#{person.person_id}"
        if person.reach.unreachable_at is None and reach.unreachable_at is not None:
            change.record(subject, "address found unreachable", event.why)
        else:
            change.record(subject, "mail delayed" if event.why == "delayed" else "mail failed", event.why)
        change.emit("ReachChanged", person.person_id)
        self._kernel.commit(change)
