"""The page of a case, behind a link that was mailed to one person: what stands there, and the next step.

GET and HEAD only look. Each POST is one transaction, refused if the case is not as the page showed it. The
link works until it expires, for as long as the case is its holder's, or of a unit where they may act.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.core import log as metrics
from chalicelib.core.errors import Busy, Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.core.history import By, Way
from chalicelib.core.kernel import Kernel
from chalicelib.core.link_page import Page, dead, form_fields, page
from chalicelib.core.links import Links
from chalicelib.core.pages import HtmlWords, Templates
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, one_line
from chalicelib.org.model import Actor, Person, Status
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.takedowns.chain import sha256
from chalicelib.takedowns.evidence import MAX_ITEMS, EvidenceRoom
from chalicelib.takedowns.model import (
    HARM_MEANS,
    LONGEST_REFERENCE,
    LONGEST_WHY,
    MOVES,
    Evidence,
    EvidenceKind,
    State,
    said,
)
from chalicelib.takedowns.service import Takedowns
from chalicelib.takedowns.store import MEANWHILE, Whole
from chalicelib.takedowns.tellings import PURPOSE
from chalicelib.takedowns.words import EVIDENCE, KINDS, STATES, TO_DO

TEMPLATES = Templates(Path(__file__).parent / "templates")
NOTE = "note"
_BUTTONS = (State.ANSWERED, State.REFUSED, State.REMOVED, State.REOPENED, State.CLOSED, State.WITHDRAWN)


@dataclass(frozen=True)
class Form:
    """What the page's form sends; what is missing or unreadable is empty."""

    move: str = ""
    seen: int = 0
    reference: str = ""
    words: str = ""

    @classmethod
    def parse(cls, raw: bytes) -> "Form":
        given = form_fields(raw)
        seen = given.get("seen", "")
        return cls(
            move=given.get("move", "")[:20],
            seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0,
            reference=one_line(given.get("reference", "")),
            words=given.get("words", "").strip(),
        )

    @property
    def asks(self) -> bool:
        return self.move == NOTE or self.move in set(State)


@dataclass(frozen=True)
class Item:
    """One item of evidence as the page shows it; `href` and `picture` are addresses that may be shown."""

    evidence: Evidence
    kind: str
    moment: str
    by: str
    href: str
    picture: str


class CasePage:
    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        links: Links,
        takedowns: Takedowns,
        room: EvidenceRoom,
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._links = links
        self._takedowns = takedowns
        self._room = room
        self._settings = settings

    def show(self, token: str, accept_language: str) -> Page:
        """The page of a link. Changes nothing."""
        found = self._find(token)
        return self._page(*found) if found else self._dead(accept_language)

    def act(self, token: str, raw: bytes, accept_language: str) -> Page:
        """What the form's button asks for. A body that asks for nothing shows the page, as GET does."""
        form, found = Form.parse(raw), self._find(token)
        if found is None or not form.asks:
            return self._page(*found) if found else self._dead(accept_language)
        person, whole = found
        try:
            self._act(person, whole, form)
        except InvalidInput:
            return self._page(person, whole, form, "words", 400)
        except Busy:
            return self._page(person, whole, form, "busy", 503)
        except (Conflict, NotAllowed):
            now = self._find(token)
            return self._page(*now, form, "meanwhile", 409) if now else self._dead(accept_language)
        now = self._find(token)
        return self._page(*now, done=form.move) if now else self._dead(accept_language)

    def _act(self, person: Person, whole: Whole, form: Form) -> None:
        case = whole.case
        if len(form.words) > LONGEST_WHY or len(form.reference) > LONGEST_REFERENCE:
            raise InvalidInput(())
        if case.version != form.seen:
            raise Conflict(MEANWHILE)
        change = self._kernel.change(By(person.person_id, Way.LINK))
        change.add(self._org.active_check(person.person_id))
        if form.move != NOTE:
            self._takedowns.move(change, case, State(form.move), form.reference, form.words)
        elif not form.words or case.evidence >= MAX_ITEMS:
            raise InvalidInput(())
        else:
            self._takedowns.note(change, case, EvidenceKind.NOTE, sha256(form.words), text=form.words)
        self._kernel.commit(change)

    def _find(self, token: str) -> tuple[Person, Whole] | None:
        """Whoever holds the link, and the case; None for a link that leads nowhere, whatever the reason."""
        link = self._links.find(token, PURPOSE)
        if link is None or link.expires_at <= self._kernel.clock.now():
            return None
        try:
            person = self._org.person(link.person_id)
            whole = self._takedowns.store.whole(link.subject)
            if person.status == Status.LEFT or not self._may(person, whole):
                return None
        except NotFound:
            return None
        return person, whole

    def _may(self, person: Person, whole: Whole) -> bool:
        if person.person_id == whole.case.owner_id:
            return True
        actor = Actor(person.person_id, person.name, self._org.grants_of(person.person_id), Way.LINK)
        return actor.may(Right.TAKEDOWNS_WRITE, self._org.unit(whole.case.unit_id).path)

    def _dead(self, accept_language: str) -> Page:
        metrics.count("dead_links")
        return dead(accept_language, self._settings.company)

    def _page(
        self,
        person: Person,
        whole: Whole,
        form: Form | None = None,
        problem: str = "",
        status: int = 200,
        done: str = "",
    ) -> Page:
        words, case = Words(person.language), whole.case
        w = HtmlWords(words)
        items = [self._item(words, person, e) for e in whole.evidence]
        channel = self._takedowns.form(whole)
        ways = MOVES[case.state]
        return page(
            TEMPLATES,
            "case.html",
            words,
            self._settings.company,
            status=status,
            image_origins={_origin(item.picture) for item in items if item.picture},
            case=case,
            person=person,
            kind=words.say(KINDS[case.kind]),
            harm=words.say(HARM_MEANS[case.harm]),
            state=words.say(STATES[case.state]),
            to_do=words.say(TO_DO[case.state]),
            profile=_web(case.url),
            chase=words.moment(case.chase_at, person.zone) if case.chase_at else "",
            look=words.moment(case.recheck_at, person.zone) if case.recheck_at else "",
            log=[
                (
                    words.say(said(whole.steps, s.place)),
                    words.moment(s.at, person.zone),
                    self._name(s.by_id),
                    s,
                )
                for s in whole.steps
            ],
            items=items,
            intact=self._room.intact(whole).is_whole,
            channel=channel,
            channel_url=_web(channel.url),
            can_submit=State.SUBMITTED in ways,
            buttons=[(to, words.say(ways[to])) for to in _BUTTONS if to in ways],
            form=form or Form(),
            problem=problem,
            done=done,
            most=LONGEST_WHY,
            most_reference=LONGEST_REFERENCE,
            title=w.say("Takedown case: %(handle)s", handle=one_line(case.handle)),
        )

    def _item(self, words: Words, person: Person, evidence: Evidence) -> Item:
        return Item(
            evidence,
            words.say(EVIDENCE[evidence.kind]),
            words.moment(evidence.captured_at, person.zone),
            self._name(evidence.captured_by),
            _web(evidence.text) if evidence.kind == EvidenceKind.LINK else "",
            self._room.view_url(evidence),
        )

    def _name(self, person_id: str) -> str:
        try:
            return self._org.person(person_id).name
        except NotFound:
            return ""  # a job


def _web(url: str) -> str:
    """The address if a browser may follow it: a platform or a report can name any scheme."""
    return url if url.startswith(("https://", "http://")) else ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
