"""The approval page: what a link shows and what its form does, without a line of script.

GET and HEAD only look. Every link that leads nowhere gets the same answer, byte for byte, in the language
that the browser asks for; the other pages speak the language of the person the link was sent to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from chalicelib.approvals.mails import TEMPLATES
from chalicelib.approvals.model import Preview, Verdict
from chalicelib.approvals.service import MAX_WORDS, Approvals
from chalicelib.approvals.view import Seen, View
from chalicelib.approvals.wording import SaidChange, Told, changes_said, consequence, told
from chalicelib.core import log as metrics
from chalicelib.core.clock import Clock
from chalicelib.core.errors import Busy, InvalidInput
from chalicelib.core.pages import HtmlWords, page_headers
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, best_language

MAX_FORM_BYTES = 40_000
_STATUS = {Seen.DEAD: 410, Seen.STALE: 409, Seen.CODE_WRONG: 403}


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
        try:
            fields = parse_qs(
                raw[: MAX_FORM_BYTES + 1].decode("ascii"), keep_blank_values=True, max_num_fields=12
            )
        except ValueError:
            return cls()
        if len(raw) > MAX_FORM_BYTES:
            return cls()
        given = {k: v[-1] for k, v in fields.items()}
        return cls(
            verdict=Verdict(given["verdict"]) if given.get("verdict") in set(Verdict) else None,
            words=given.get("words", "").replace("\r\n", "\n").replace("\x00", ""),
            code="".join(c for c in given.get("code", "")[:40] if not c.isspace() and c != "-"),
            proof=given.get("proof", "")[:64],
            new_code="new_code" in given,
        )

    @property
    def digits(self) -> str:
        """The code in ASCII digits, whichever the keyboard writes; empty if it is not digits."""
        return "".join(str(int(c)) for c in self.code) if self.code.isdecimal() else self.code and "-"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    html: str


class ApprovalPage:
    def __init__(self, approvals: Approvals, settings: Settings, clock: Clock) -> None:
        self._approvals = approvals
        self._settings = settings
        self._clock = clock

    def show(self, token: str, accept_language: str) -> Reply:
        """The page of a link. Changes nothing."""
        return self._reply(self._approvals.look(token), Form(), accept_language)

    def decide(self, token: str, raw: bytes, accept_language: str) -> Reply:
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

    def broken(self, number: str, accept_language: str) -> Reply:
        """The page for an error of ours; `number` leads ops to its cause in the log."""
        words = Words(best_language(accept_language))
        w = HtmlWords(words)
        lines = (
            w.say("This page does not know whether your decision was recorded. Please open the link again."),
            w.say("If it happens again, tell ops this number: %(number)s", number=number),
        )
        html = self._html(words, View(Seen.DEAD), Told(w.say("Something broke on our side"), lines, "bad"))
        return Reply(500, page_headers(_style()), html)

    def _html(self, words: Words, view: View, shows: Told, **values: object) -> str:
        return TEMPLATES.html(
            "page.html", words, view=view, told=shows, company=self._settings.company, style=_style(),
            max_words=MAX_WORDS,
            **{"form": Form(), "problem": "", "changes": (), "moment": "", "sender_time": "", **values},
        )  # fmt: skip

    def _reply(self, view: View, form: Form, accept_language: str, problem: str = "") -> Reply:
        if view.seen == Seen.DEAD:
            metrics.count("dead_links")
        words = Words(view.person.language if view.person else best_language(accept_language))
        w, now = HtmlWords(words), self._clock.now()
        status = _STATUS.get(view.seen, 200)
        asks = view.seen in (Seen.OPEN, Seen.CODE_WANTED, Seen.CODE_WRONG)
        shows = Told("", ()) if asks else told(w, words, view, now)
        will = None
        if asks and view.request and view.preview and view.person:
            will = consequence(w, words, view.request, view.preview, view.person, now)
            status = {"words": 400, "busy": 503}.get(problem, status)
        html = self._html(
            words,
            view,
            shows,
            form=form,
            problem=problem,
            consequence=will,
            changes=_changes(words, view),
            moment=_moment(words, view, view.person.zone) if view.person else "",
            sender_time=_sender_time(words, view),
        )
        return Reply(status, page_headers(_style(), _origins(view.preview) if asks else ()), html)


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


@cache
def _style() -> str:
    return (Path(__file__).parent / "templates" / "page.css").read_text(encoding="utf-8").strip()
