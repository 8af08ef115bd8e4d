"""The page of a change behind its mailed link, made for a phone: what it is, and one press for what to do.

GET and HEAD only look. Each POST is one transaction, refused if the change is not as the page showed it. The
link works for as long as its holder may write to the register.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from chalicelib.core import log as metrics
from chalicelib.core.errors import Busy, Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.core.history import By, Way
from chalicelib.core.kernel import Kernel
from chalicelib.core.link_page import Page, dead, form_fields, page
from chalicelib.core.links import Links
from chalicelib.core.pages import HtmlWords, Templates
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, one_line
from chalicelib.org.model import Actor, Person
from chalicelib.org.model import Status as PersonStatus
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platform_changes.briefing_words import KINDS, platform_name
from chalicelib.platform_changes.changes import Changes
from chalicelib.platform_changes.model import MOVES, Kind, PlatformChange, Status
from chalicelib.platform_changes.recording import web
from chalicelib.platform_changes.tellings import PURPOSE
from chalicelib.platform_changes.words import MEANS, STATUSES, facts

TEMPLATES = Templates(Path(__file__).parent / "templates")
KIND = "kind"
_MOVES = frozenset({KIND, Status.PLANNED, Status.TRIAGED, Status.DONE, Status.NOT_OURS})


@dataclass(frozen=True)
class Form:
    """What the page's form sends; what is missing or unreadable is empty."""

    move: str = ""
    seen: int = 0
    due_on: date | None = None
    kind: str = ""

    @classmethod
    def parse(cls, raw: bytes) -> "Form":
        given = form_fields(raw)
        seen = given.get("seen", "")
        return cls(
            move=given.get("move", "")[:20],
            seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0,
            due_on=_date(given.get("due_on", "")),
            kind=given.get("kind", "")[:20],
        )

    @property
    def asks(self) -> bool:
        return self.move in _MOVES

    def corrections(self, person_id: str) -> dict[str, Any]:
        """Raises InvalidInput for a plan without a day, and for a kind that there is not."""
        if self.move == KIND:
            if self.kind not in set(Kind):
                raise InvalidInput(())
            return {"kind": self.kind}
        if self.move == Status.PLANNED:
            if self.due_on is None:
                raise InvalidInput(())
            return {"status": Status.PLANNED, "due_on": self.due_on, "owner_id": person_id}
        return {"status": self.move}


class ChangePage:
    def __init__(self, kernel: Kernel, org: Org, links: Links, changes: Changes, settings: Settings) -> None:
        self._kernel = kernel
        self._org = org
        self._links = links
        self._changes = changes
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
        person, about = found
        try:
            self._act(person, about, form)
        except InvalidInput:
            return self._page(person, about, "words", 400)
        except Busy:
            return self._page(person, about, "busy", 503)
        except (Conflict, NotAllowed):
            now = self._find(token)
            return self._page(*now, "meanwhile", 409) if now else self._dead(accept_language)
        now = self._find(token)
        return self._page(*now, done=True) if now else self._dead(accept_language)

    def _act(self, person: Person, about: PlatformChange, form: Form) -> None:
        corrections = form.corrections(person.person_id)
        change = self._kernel.change(By(person.person_id, Way.LINK))
        change.add(self._org.active_check(person.person_id))
        self._changes.correct_in(change, about, form.seen, corrections)
        self._kernel.commit(change)

    def _find(self, token: str) -> tuple[Person, PlatformChange] | None:
        """Whoever holds the link, and the change; None for a link that leads nowhere, whatever the reason."""
        link = self._links.find(token, PURPOSE)
        if link is None or link.expires_at <= self._kernel.clock.now():
            return None
        try:
            person = self._org.person(link.person_id)
            about = self._changes.get(link.subject)
        except NotFound:
            return None
        if person.status == PersonStatus.LEFT or not self._may(person, about):
            return None
        return person, about

    def _may(self, person: Person, about: PlatformChange) -> bool:
        actor = Actor(person.person_id, person.name, self._org.grants_of(person.person_id), Way.LINK)
        return actor.may(Right.CHANGES_WRITE) or person.person_id == about.owner_id

    def _dead(self, accept_language: str) -> Page:
        metrics.count("dead_links")
        return dead(accept_language, self._settings.company)

    def _page(
        self, person: Person, about: PlatformChange, problem: str = "", status: int = 200, done: bool = False
    ) -> Page:
        words, network = Words(person.language), platform_name(about.platform)
        w = HtmlWords(words)
        today = person.today(self._kernel.clock.now())
        ways = MOVES[about.status]
        sightings = dict.fromkeys((seen.source, web(seen.url)) for seen in about.sightings[:10])
        return page(
            TEMPLATES,
            "change.html",
            words,
            self._settings.company,
            status=status,
            about=about,
            kind=words.say(KINDS[about.kind]),
            state=words.say(STATUSES[about.status]),
            means=words.say(MEANS[about.kind]),
            facts=[
                (words.say(name), value)
                for name, value in facts(words, about, network, self._name(about.owner_id))
                if value
            ],
            sightings=list(sightings),
            notes=[(words.moment(n.at, person.zone), self._name(n.by_id), n.text) for n in about.notes],
            ways={str(way) for way in ways},
            kinds=[(str(kind), words.say(name)) for kind, name in KINDS.items()],
            planned_on=about.due_on or max(today, about.effective_on or today),
            today=today,
            problem=problem,
            done=done,
            title=w.say("%(network)s: %(title)s", network=network, title=one_line(about.title)),
        )

    def _name(self, person_id: str) -> str:
        try:
            return self._org.person(person_id).name if person_id else ""
        except NotFound:
            return ""


def _date(text: str) -> date | None:
    """A day as a browser's field of dates sends it."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
