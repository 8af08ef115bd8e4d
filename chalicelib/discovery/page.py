"""The triage page: each candidate beside the account that it resembles, why, and five buttons.

A link is used in one sitting: each button is a transaction of its own, and the page comes back without what
was decided. No picture is shown, since fetching one would tell its owner who looks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.accounts.directory import network_name
from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.errors import Busy, Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.core.link_page import Page, dead, form_fields, page
from chalicelib.core.pages import HtmlWords, Templates
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, mark
from chalicelib.discovery.asking import Asking
from chalicelib.discovery.model import Candidate, State
from chalicelib.discovery.triage import Triage, Verdict
from chalicelib.org.model import Actor
from chalicelib.org.service import Org

TEMPLATES = Templates(Path(__file__).parent / "templates")
_BUTTONS = frozenset(State) - {State.NEW}

DECIDED: Mapping[State, str] = {
    State.OFFICIAL: mark("%(handle)s is ours now, and on the register."),
    State.DUPLICATE: mark("%(handle)s is ours, and a duplicate."),
    State.FAN: mark("%(handle)s is a harmless fan."),
    State.IMPOSTOR: mark("%(handle)s is an impostor. A takedown can begin."),
    State.UNRELATED: mark("%(handle)s has nothing to do with us."),
}


@dataclass(frozen=True)
class Pair:
    """A candidate and the account of ours that it resembles, if that is still there."""

    found: Candidate
    ours: Account | None


class TriagePage:
    def __init__(
        self, asking: Asking, triage: Triage, org: Org, accounts: Accounts, settings: Settings
    ) -> None:
        self._asking = asking
        self._triage = triage
        self._org = org
        self._accounts = accounts
        self._company = settings.company

    def show(self, token: str, accept_language: str) -> Page:
        """The page of a link. Changes nothing."""
        actor = self._asking.of_link(token)
        return self._page(actor) if actor else self._dead(accept_language)

    def decide(self, token: str, raw: bytes, accept_language: str) -> Page:
        """What a button asks for. A body without a verdict shows the page, as GET does."""
        actor = self._asking.of_link(token)
        if actor is None:
            return self._dead(accept_language)
        form = form_fields(raw)
        if form.get("verdict") not in _BUTTONS or not form.get("candidate", "").startswith("candidate_"):
            return self._page(actor)
        w = HtmlWords(Words(self._org.person(actor.person_id).language))
        try:
            decided = self._triage.decide(actor, form["candidate"], Verdict(State(form["verdict"])))
        except NotFound:
            return self._page(actor)
        except Conflict:
            return self._page(actor, self._somebody(w, form["candidate"]), 409)
        except Busy:
            return self._page(actor, w.say("Many people decided at the same moment. Please try again."), 503)
        except (InvalidInput, NotAllowed):
            return self._page(actor, w.say("That cannot be decided here. Please ask your lead."), 403)
        return self._page(actor, w.say(DECIDED[decided.state], handle=decided.handle), is_good=True)

    def _somebody(self, w: HtmlWords, candidate_id: str) -> Any:
        """What somebody else has said of a candidate meanwhile."""
        found = self._triage.current(candidate_id)
        if found.state == State.NEW:
            return w.say("It changed since you opened this page. Please look again.")
        who = self._triage.decider(found)
        said = w.say(DECIDED[found.state], handle=found.handle)
        return w.say("%(who)s has decided already: %(said)s", who=who, said=said)

    def _dead(self, accept_language: str) -> Page:
        metrics.count("dead_links")
        return dead(accept_language, self._company)

    def _page(self, actor: Actor, said: Any = "", status: int = 200, is_good: bool = False) -> Page:
        words = Words(self._org.person(actor.person_id).language)
        found, count = self._asking.waiting(actor.person_id)
        ours = self._accounts.get_many(sorted({c.like_id for c in found if c.like_id}))
        pairs = [Pair(c, ours.get(c.like_id or "")) for c in found]
        return page(
            TEMPLATES, "triage.html", words, self._company,
            status=status, pairs=pairs, more=max(0, count - len(pairs)), said=said, is_good=is_good,
            network_name=network_name,
        )  # fmt: skip
