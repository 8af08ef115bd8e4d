"""The mails of an approval: the question with its preview, the code, and how it ended.

Subjects carry the post's title and time, never a link. Pictures travel inside the mail while they are small.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.approvals.model import ChannelPreview, MediaPreview, Preview, Request, State
from chalicelib.approvals.wording import changes_said, consequence, decision_line
from chalicelib.core.clock import Clock
from chalicelib.core.mail import InlineImage, Mail
from chalicelib.core.pages import HtmlWords, Templates
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, one_line
from chalicelib.org.model import Person

TEMPLATES = Templates(Path(__file__).parent / "templates")
MAX_IMAGE_BYTES = 1_000_000
MAX_IMAGES_BYTES = 3_000_000
_INLINE = {"image/jpeg", "image/png", "image/gif", "image/webp"}
_LONGEST_TITLE = 80


@dataclass(frozen=True)
class Shown:
    """A channel with its media, each with the `cid` it stands under in the mail; empty for those left out."""

    channel: ChannelPreview
    media: tuple[tuple[MediaPreview, str], ...]


class Mails:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def ask(
        self, person: Person, request: Request, preview: Preview, url: str, reminds: bool, instead_of: str
    ) -> Mail:
        """The question, with one button that leads to the page; a deputy stands in for `instead_of`."""
        words = Words(person.language)
        now = self._clock.now()
        shown, images = _inlined(preview)

        def values(w: Any) -> dict[str, Any]:
            return {
                "preview": preview,
                "changes": changes_said(words, preview.changes, person.zone),
                "shown": shown,
                "url": url,
                "reminds": reminds,
                "instead_of": instead_of,
                "person": person,
                "request": request,
                "company": self._settings.company,
                "consequence": consequence(w, words, request, preview, person, now),
                "moment": words.moment(preview.publish_at, person.zone) if preview.publish_at else "",
                "ends": words.moment(request.expires_at, person.zone),
            }

        html = TEMPLATES.html("ask.html", words, **values(HtmlWords(words)))
        text = TEMPLATES.text("ask.txt", words, **values(words))
        return Mail(person.email, _subject(words, person, preview, reminds), text, html, images)

    def code(self, person: Person, preview: Preview, code: str) -> Mail:
        """The six digits; they stand in the body only."""
        words = Words(person.language)

        def lines(w: Any) -> list[Any]:
            return [
                w.say("This is the code for your decision about %(title)s.", title=_title(preview)),
                w.say(
                    "It works for ten minutes. If you did not ask for it, tell ops: somebody has your link."
                ),
            ]

        return self._note(
            person,
            words,
            words.say("Your code from %(company)s", company=one_line(self._settings.company)),
            lines,
            code=code,
        )

    def outcome(self, author: Person, request: Request, preview: Preview, by_name: str, comment: str) -> Mail:
        """How a request ended, for whoever asked; `comment` is the decider's."""
        words = Words(author.language)
        title = _title(preview)

        def lines(w: Any) -> list[Any]:
            if request.state == State.EXPIRED:
                first = w.say("Nobody approved %(title)s in time, so nothing goes out.", title=title)
                return [
                    first,
                    w.say("Choose a time and submit it again, or ask your lead who can approve it."),
                ]
            return [
                w.say("This is about %(title)s.", title=title),
                decision_line(w, words, request.decisions[-1], by_name, author.zone),
                w.say("Nothing goes out. Change the post and submit it again, or cancel it."),
            ]

        match request.state:
            case State.EXPIRED:
                subject = words.say("Not approved in time: %(title)s", title=title)
            case State.REJECTED:
                subject = words.say("Rejected: %(title)s", title=title)
            case _:
                subject = words.say("Changes asked for: %(title)s", title=title)
        return self._note(author, words, subject, lines, comment=comment)

    def unreached(self, author: Person, preview: Preview, who: str, able: list[str]) -> Mail:
        """An approver may not know of it; `able` are those who can still approve it, none if too few can."""
        words = Words(author.language)
        title = _title(preview)

        def lines(w: Any) -> list[Any]:
            stands = (
                w.say("These people can still approve it, and were asked: %(names)s.", names=", ".join(able))
                if able
                else w.say(
                    "Nobody else is asked by itself, so it may not be approved in time. Tell your lead."
                )
            )
            return [
                w.say("Our mail to %(who)s about %(title)s has not arrived.", who=who, title=title),
                stands,
                w.say(
                    "If the address is wrong, a lead can correct it: %(who)s is then asked at once.", who=who
                ),
            ]

        return self._note(
            author, words, words.say("Not reached: %(who)s, about %(title)s", who=who, title=title), lines
        )

    def _note(
        self, person: Person, words: Words, subject: str, lines: Any, code: str = "", comment: str = ""
    ) -> Mail:
        values = {"company": self._settings.company, "code": code, "comment": comment, "heading": subject}
        html = TEMPLATES.html("note.html", words, lines=lines(HtmlWords(words)), **values)
        text = TEMPLATES.text("note.txt", words, lines=lines(words), **values)
        return Mail(person.email, subject, text, html)


def _title(preview: Preview) -> str:
    title = one_line(preview.title)
    return title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"


def _subject(words: Words, person: Person, preview: Preview, reminds: bool) -> str:
    values: dict[str, object] = {"title": _title(preview)}
    if preview.publish_at is None:
        return (
            words.say("Reminder, please approve: %(title)s", **values)
            if reminds
            else words.say("Please approve: %(title)s", **values)
        )
    values["moment"] = words.moment(preview.publish_at, person.zone)
    if reminds:
        return words.say("Reminder, please approve: %(title)s, %(moment)s", **values)
    return words.say("Please approve: %(title)s, %(moment)s", **values)


def _inlined(preview: Preview) -> tuple[list[Shown], tuple[InlineImage, ...]]:
    """The channels with the pictures that fit into the mail; the same picture travels once."""
    images: dict[str, InlineImage] = {}
    room = MAX_IMAGES_BYTES
    shown = []
    for channel in preview.channels:
        media = []
        for one in channel.media:
            fits = one.mime in _INLINE and one.size <= MAX_IMAGE_BYTES
            if fits and one.url not in images and one.size <= room:
                images[one.url] = InlineImage(f"picture{len(images) + 1}@signalbox", one.mime, one.read())
                room -= one.size
            media.append((one, images[one.url].cid if fits and one.url in images else ""))
        shown.append(Shown(channel, tuple(media)))
    return shown, tuple(images.values())
