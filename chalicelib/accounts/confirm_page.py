"""The page on which an owner confirms an account's record, or says that it is not theirs."""

from pathlib import Path
from typing import Any

from chalicelib.accounts.confirmations import Answered, Confirmations, Shown
from chalicelib.accounts.directory import network_name
from chalicelib.core import log as metrics
from chalicelib.core.errors import Busy
from chalicelib.core.link_page import Page, dead, form_fields, notice, page
from chalicelib.core.pages import HtmlWords, Templates
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words

TEMPLATES = Templates(Path(__file__).parent / "templates")


class ConfirmPage:
    def __init__(self, confirmations: Confirmations, settings: Settings) -> None:
        self._confirmations = confirmations
        self._company = settings.company

    def show(self, token: str, accept_language: str) -> Page:
        """The page of a link. Changes nothing."""
        return self._page(self._confirmations.look(token), accept_language)

    def answer(self, token: str, raw: bytes, accept_language: str) -> Page:
        """What a button asks for. A body without an answer shows the page, as GET does."""
        form = form_fields(raw)
        said = form.get("answer")
        if said not in ("right", "not_mine"):
            return self.show(token, accept_language)
        try:
            shown = self._confirmations.answer(token, said == "right", form.get("version", ""))
        except Busy:
            return self._page(self._confirmations.look(token), accept_language, "busy")
        return self._page(shown, accept_language, "changed")

    def _page(self, shown: Shown, accept_language: str, problem: str = "") -> Page:
        account, person = shown.account, shown.person
        if shown.answered == Answered.DEAD or account is None or person is None:
            metrics.count("dead_links")
            return dead(accept_language, self._company)
        words = Words(person.language)
        w = HtmlWords(words)
        if shown.answered != Answered.OPEN:
            return notice(words, self._company, *_told(w, shown))
        facts = (
            (words.say("Network"), network_name(account.platform)),
            (words.say("Account"), account.handle),
            (words.say("Name shown"), account.display_name),
            (words.say("Purpose"), account.purpose),
            (words.say("Audience"), account.audience),
            (words.say("Languages"), ", ".join(account.languages)),
            (words.say("Published contact"), account.contact),
        )
        return page(
            TEMPLATES,
            "confirm.html",
            words,
            self._company,
            status={"busy": 503, "changed": 409}.get(problem, 200),
            account=account,
            facts=[(name, value) for name, value in facts if value],
            platform=network_name(account.platform),
            problem=problem,
        )


def _told(w: Any, shown: Shown) -> tuple[Any, tuple[Any, ...], str]:
    handle = shown.account.handle if shown.account else ""
    match shown.answered:
        case Answered.CONFIRMED:
            return (
                w.say("Confirmed. Thank you."),
                (w.say("You are asked about %(handle)s again in half a year.", handle=handle),),
                "good",
            )
        case Answered.NOT_MINE:
            return (
                w.say("Noted: it is not yours."),
                (w.say("The manager of its unit is told, and finds somebody for it."),),
                "wait",
            )
    return (
        w.say("Somebody else looks after it now"),
        (w.say("Nothing is left for you to do about %(handle)s.", handle=handle),),
        "",
    )
