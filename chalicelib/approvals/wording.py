"""The sentences that say what a decision does and how things stand, the same in mails and on pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.approvals.model import (
    Changed,
    Decision,
    IfLate,
    Preview,
    Request,
    State,
    Value,
    Verdict,
    What,
    decided,
)
from chalicelib.approvals.view import Seen, View
from chalicelib.core.words import Words, mark, one_line, visible
from chalicelib.org.model import Person

MOST_CHANNELS = 8  # named in one heading; of the others there is a number
_CHANGED = {
    What.TIME: mark("Time"),
    What.IF_LATE: mark("If the time passes before it is out"),
    What.LANGUAGE: mark("Language"),
    What.ADDED: mark("Channels added"),
    What.TAKEN_OFF: mark("Channels taken off"),
    What.TEXT: mark("Text"),
    What.PICTURES: mark("Pictures"),
    What.OPTIONS: mark("Options"),
}


class Sayer(Protocol):
    """Words for plain text, HtmlWords for HTML."""

    def say(self, message: str, **values: object) -> Any: ...

    def say_n(self, one: str, many: str, n: int, **values: object) -> Any: ...


@dataclass(frozen=True)
class Told:
    """A heading, what to say below it, and the tone: good, bad, wait or plain."""

    heading: Any
    lines: tuple[Any, ...]
    tone: str = "plain"


@dataclass(frozen=True)
class SaidChange:
    """A difference in words: the heading, whose it is, and how it was and is, each line safe to show."""

    what: str
    channels: tuple[str, ...]
    more: int
    before: str
    after: str


def changes_said(words: Words, changes: tuple[Changed, ...], zone: str) -> list[SaidChange]:
    """What changed, in the reader's language; times are told where `zone` is."""
    said = []
    for change in changes:
        before, after = _value_said(words, change.before, zone), _value_said(words, change.after, zone)
        if change.what == What.PICTURES and before == after:
            after = words.say("other pictures, described in the same words")
        channels = tuple(map(one_line, change.channels[:MOST_CHANNELS]))
        more = len(change.channels) - len(channels)
        said.append(SaidChange(words.say(_CHANGED[change.what]), channels, more, before, after))
    return said


def _value_said(words: Words, value: Value, zone: str) -> str:
    match value:
        case datetime():
            return words.moment(value, zone)
        case IfLate("publish", minutes):
            return words.say_n(
                "it goes out up to %(n)s minute late", "it goes out up to %(n)s minutes late", minutes
            )
        case IfLate("hold"):
            return words.say("it is held until somebody decides")
        case IfLate():
            return words.say("it is dropped")
        case tuple():
            return "\n".join(one_line(p.alt) or words.say("without a description") for p in value)
        case _:
            return visible(value)


def consequence(
    w: Sayer, words: Words, request: Request, preview: Preview, person: Person, now: datetime
) -> Any:
    """What happens if this person approves now."""
    after = decided(request, Decision(person.person_id, Verdict.APPROVE, request.stage, "", now))
    if after.state == State.OPEN and after.stage == request.stage:
        return w.say_n(
            "If you approve, %(n)s more person must approve as well.",
            "If you approve, %(n)s more people must approve as well.",
            after.missing(),
        )
    if after.state == State.OPEN:
        return w.say("If you approve, the next stage is asked: %(stage)s.", stage=after.current.name)
    if preview.publish_at is None:
        return w.say_n(
            "If you approve, this goes to %(n)s channel at once.",
            "If you approve, this goes to %(n)s channels at once.",
            len(preview.channels),
        )
    if preview.publish_at <= now:
        return w.say(
            "The time of this post has passed. If you approve, nothing goes out by itself: %(author)s is "
            "told and picks a new time.",
            author=preview.asked_by,
        )
    return w.say_n(
        "If you approve, this goes to %(n)s channel on %(moment)s.",
        "If you approve, this goes to %(n)s channels on %(moment)s.",
        len(preview.channels),
        moment=words.moment(preview.publish_at, person.zone),
    )


def told(w: Sayer, words: Words, view: View, now: datetime) -> Told:
    """How things stand, for every view of a live link but an open one."""
    match view.seen:
        case Seen.STALE:
            return _stale(w, view)
        case Seen.DECIDED:
            return _decided(w, words, view, now)
        case _:
            return _stands(w, words, view)


def _stale(w: Sayer, view: View) -> Told:
    if view.asked_again:
        line = w.say("A new mail with the changed version was sent to you. Please decide there.")
    elif view.newer is not None:
        line = w.say("Others were asked about the changed version. Nothing more is needed from you.")
    else:
        line = w.say("The changed version is not up for approval yet. You may get a new mail about it.")
    return Told(
        w.say("This post was changed"), (w.say("You cannot decide about the earlier version."), line), "wait"
    )


def _decided(w: Sayer, words: Words, view: View, now: datetime) -> Told:
    request, preview, person = _parts(view)
    match request.state:
        case State.GRANTED:
            if preview.publish_at is not None and preview.publish_at <= now:
                line = w.say(
                    "Its time had passed, so nothing goes out by itself. %(author)s picks a new time.",
                    author=preview.asked_by,
                )
            elif preview.publish_at is None:
                line = w.say("It goes out now.")
            else:
                line = w.say_n(
                    "It goes to %(n)s channel on %(moment)s.",
                    "It goes to %(n)s channels on %(moment)s.",
                    len(preview.channels),
                    moment=words.moment(preview.publish_at, person.zone),
                )
            return Told(w.say("Approved. Thank you."), (line,), "good")
        case State.CHANGES_ASKED:
            line = w.say(
                "%(author)s gets your comment. Nothing goes out before a new approval.",
                author=preview.asked_by,
            )
            return Told(w.say("You asked for changes"), (line,), "wait")
        case State.REJECTED:
            line = w.say("%(author)s gets your reason. Nothing goes out.", author=preview.asked_by)
            return Told(w.say("Rejected"), (line,), "bad")
        case _:
            return Told(w.say("Your approval is recorded. Thank you."), (_waiting(w, request),), "good")


def _stands(w: Sayer, words: Words, view: View) -> Told:
    request, _, person = _parts(view)
    lines = [
        decision_line(
            w, words, d, "" if d.person_id == person.person_id else view.names[d.person_id], person.zone
        )
        for d in request.decisions
    ]
    match request.state:
        case State.OPEN:
            heading, tone, lines = (
                w.say("Nothing more is needed from you"),
                "good",
                [*lines, _waiting(w, request)],
            )
        case State.GRANTED:
            heading, tone = w.say("This is approved"), "good"
        case State.CHANGES_ASKED:
            heading, tone = w.say("Changes were asked for"), "wait"
        case State.REJECTED:
            heading, tone = w.say("This is rejected"), "bad"
        case State.EXPIRED:
            heading, tone = w.say("The time to decide is over"), "wait"
            lines.append(w.say("The author is told, and may ask again."))
        case _:
            heading, tone = w.say("This post was changed"), "wait"
            lines.append(w.say("The earlier decision no longer counts."))
    return Told(heading, tuple(lines), tone)


def decision_line(w: Sayer, words: Words, decision: Decision, name: str, zone: str) -> Any:
    """Who decided what, and when; an empty name is the reader's own."""
    moment = words.moment(decision.at, zone)
    match decision.verdict, bool(name):
        case Verdict.APPROVE, True:
            return w.say("%(who)s approved this: %(moment)s.", who=name, moment=moment)
        case Verdict.APPROVE, False:
            return w.say("You approved this: %(moment)s.", moment=moment)
        case Verdict.ASK_CHANGES, True:
            return w.say("%(who)s asked for changes: %(moment)s.", who=name, moment=moment)
        case Verdict.ASK_CHANGES, False:
            return w.say("You asked for changes: %(moment)s.", moment=moment)
        case _, True:
            return w.say("%(who)s rejected this: %(moment)s.", who=name, moment=moment)
        case _:
            return w.say("You rejected this: %(moment)s.", moment=moment)


def _waiting(w: Sayer, request: Request) -> Any:
    return w.say_n(
        "In the stage %(stage)s, %(n)s more person must approve.",
        "In the stage %(stage)s, %(n)s more people must approve.",
        request.missing(),
        stage=request.current.name,
    )


def _parts(view: View) -> tuple[Request, Preview, Person]:
    assert view.request is not None
    assert view.preview is not None
    assert view.person is not None
    return view.request, view.preview, view.person
