"""The approval page: what a link shows and what its form does, without a line of script.

GET and HEAD only look. Every link that leads nowhere gets the same answer, byte for byte, in the language
that the browser asks for; the other pages speak the language of the person the link was sent to.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from chalicelib.approvals.mails import TEMPLATES
from chalicelib.approvals.model import Preview, Verdict
from chalicelib.approvals.service import MAX_WORDS, Approvals
from chalicelib.approvals.view import Seen, View
from chalicelib.approvals.wording import SaidChange, Told, changes_said, consequence, told
from chalicelib.core import log as metrics
from chalicelib.core.clock import Clock
from chalicelib.core.errors import Busy, InvalidInput
from chalicelib.core.link_page import Page, dead, form_fields, page
from chalicelib.core.pages import HtmlWords
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words

_STATUS = {Seen.STALE: 409, Seen.CODE_WRONG: 403}


@dataclass(frozen=True)
class Form:
    """What the page's form sends; a field that is missing or unreadable is empty."""

    verdict: Verdict | None = None
    words: str = ""
    code: str = ""
    proof: str = ""
    new_code: bool = False

    @classmethod
    def parse(cls, raw: bytes) -> "Form":
        """A body as browsers send it (x-www-form-urlencoded); a hostile one is an empty form."""
        given = form_fields(raw)
        return cls(
            verdict=Verdict(given["verdict"]) if given.get("verdict") in set(Verdict) else None,
            words=given.get("words", ""),
            code="".join(c for c in given.get("code", "")[:40] if not c.isspace() and c != "-"),
            proof=given.get("proof", "")[:64],
            new_code="new_code" in given,
        )

    @property
    def digits(self) -> str:
        """The code in ASCII digits, whichever the keyboard writes; empty if it is not digits."""
        return "".join(str(int(c)) for c in self.code) if self.code.isdecimal() else self.code and "-"


class ApprovalPage:
    def __init__(self, approvals: Approvals, settings: Settings, clock: Clock) -> None:
        self._approvals = approvals
        self._settings = settings
        self._clock = clock

    def show(self, token: str, accept_language: str) -> Page:
        """The page of a link. Changes nothing."""
        return self._reply(self._approvals.look(token), Form(), accept_language)

    def decide(self, token: str, raw: bytes, accept_language: str) -> Page:
        """What the form's button asks for. A body without a decision shows the page, as GET does."""
        form = Form.parse(raw)
        if form.verdict is None:
            return self.show(token, accept_language)
        code = "" if form.new_code else form.digits
        try:
            view = self._approvals.decide(token, form.verdict, form.words, code or None, form.proof)
        except InvalidInput:
            return self._reply(self._approvals.look(token), form, accept_language, problem="words")
        except Busy:
            return self._reply(self._approvals.look(token), form, accept_language, problem="busy")
        return self._reply(view, form, accept_language)

    def _reply(self, view: View, form: Form, accept_language: str, problem: str = "") -> Page:
        if view.seen == Seen.DEAD or view.person is None:
            metrics.count("dead_links")
            return dead(accept_language, self._settings.company)
        words = Words(view.person.language)
        w, now = HtmlWords(words), self._clock.now()
        status = _STATUS.get(view.seen, 200)
        asks = view.seen in (Seen.OPEN, Seen.CODE_WANTED, Seen.CODE_WRONG)
        shows = Told("", ()) if asks else told(w, words, view, now)
        will = None
        if asks and view.request and view.preview:
            will = consequence(w, words, view.request, view.preview, view.person, now)
            status = {"words": 400, "busy": 503}.get(problem, status)
        return page(
            TEMPLATES,
            "page.html",
            words,
            self._settings.company,
            status=status,
            image_origins=_origins(view.preview) if asks else (),
            view=view,
            told=shows,
            max_words=MAX_WORDS,
            form=form,
            problem=problem,
            consequence=will,
            changes=_changes(words, view),
            moment=_moment(words, view, view.person.zone),
            sender_time=_sender_time(words, view),
        )


def _sender_time(words: Words, view: View) -> str:
    """The time where the author is, if that is not where the reader is."""
    if view.preview is None or view.person is None or view.preview.zone == view.person.zone:
        return ""
    return _moment(words, view, view.preview.zone)


def _moment(words: Words, view: View, zone: str) -> str:
    return words.moment(view.preview.publish_at, zone) if view.preview and view.preview.publish_at else ""


def _changes(words: Words, view: View) -> list[SaidChange]:
    if view.preview is None or view.person is None:
        return []
    return changes_said(words, view.preview.changes, view.person.zone)


def _origins(preview: Preview | None) -> set[str]:
    """Where this page's pictures come from; an address that is not http(s) is not shown at all."""
    urls = [urlsplit(m.url) for c in preview.channels for m in c.media] if preview else []
    return {f"{u.scheme}://{u.netloc}" for u in urls if u.scheme in ("http", "https") and u.netloc}
