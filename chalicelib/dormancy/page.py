"""The page behind a review's link: what is known of a silent account, and the four ways on or its checklist.

A decision spends the link. A checklist's link works until the last step has its proof.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from chalicelib.accounts.directory import network_name
from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.clock import to_text
from chalicelib.core.errors import Busy, Conflict, InvalidInput, Problem
from chalicelib.core.history import By, Way
from chalicelib.core.kernel import Kernel
from chalicelib.core.link_page import Page, dead, form_fields, notice, page
from chalicelib.core.links import Link, Links
from chalicelib.core.pages import HtmlWords, Templates
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, mark, one_line
from chalicelib.dormancy.model import Choice, Review, Stage, Step
from chalicelib.dormancy.reviews import MOST_WORDS, Decided, Reviews
from chalicelib.dormancy.store import Store
from chalicelib.dormancy.tellings import PURPOSE
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org

TEMPLATES = Templates(Path(__file__).parent / "templates")
STEPS = {
    Step.NOTICE: (mark("A last post is pinned that says where to go"), mark("Address of the post")),
    Step.REDIRECT: (mark("Links in its profile lead there"), mark("Address that they lead to")),
    Step.HANDLE: (
        mark("Its name is kept, or given up on purpose"),
        mark("Kept or given up, and who said so"),
    ),
    Step.ACCESS: (mark("Nobody and no tool has access any more"), mark("Who checked it")),
    Step.CREDENTIALS: (mark("Password and second factor are changed"), mark("Where the new ones are kept")),
}


@dataclass(frozen=True)
class Opened:
    """What a live link leads to."""

    link: Link
    person: Person
    account: Account
    review: Review


class ReviewPage:
    def __init__(
        self, kernel: Kernel, org: Org, accounts: Accounts, reviews: Reviews, links: Links, settings: Settings
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._reviews = reviews
        self._links = links
        self._company = settings.company
        self._store = Store(kernel.database)

    def show(self, token: str, accept_language: str) -> Page:
        """The page of a link. Changes nothing."""
        opened = self._open(token)
        return self._shown(opened, {}, ()) if opened else self._dead(accept_language)

    def send(self, token: str, raw: bytes, accept_language: str) -> Page:
        """What a button asks for. A body without one shows the page, as GET does."""
        opened, form = self._open(token), form_fields(raw)
        if opened is None:
            return self._dead(accept_language)
        is_checklist = opened.review.stage == Stage.RETIRING
        if form.get("step" if is_checklist else "choice") not in (set(Step) if is_checklist else set(Choice)):
            return self._shown(opened, {}, ())
        change = self._kernel.change(By(opened.person.person_id, Way.LINK))
        change.add(self._org.active_check(opened.person.person_id))
        try:
            if is_checklist:
                step, proof = Step(form["step"]), form.get("proof", "")
                self._reviews.prove_in(change, opened.review, step, proof, opened.person.person_id)
            else:
                choice = Choice(form["choice"])
                change.add(self._links.spend(opened.link, choice, change.now))
                self._reviews.decide_in(change, opened.review, _decided(form), opened.person.person_id)
            self._kernel.commit(change)
        except InvalidInput as error:
            return self._shown(opened, form, error.problems)
        except (Busy, Conflict) as error:  # somebody else was at it; what stands now is shown
            again = self._open(token)
            problem = Problem("", error.message)
            return self._shown(again, {}, (problem,)) if again else self._dead(accept_language)
        again = self._open(token)
        return self._shown(again, {}, ()) if again else self._dead(accept_language)

    def _open(self, token: str) -> Opened | None:
        link = self._links.find(token, PURPOSE)
        if link is None:
            return None
        person = self._org.person(link.person_id)
        account = self._accounts.find(link.subject.removeprefix("account#"))
        review = self._store.review(account.account_id) if account else None
        if account is None or review is None or person.status == Status.LEFT:
            return None
        if to_text(review.opened_at) != link.revision:  # an older review's
            return None
        is_over = link.expires_at <= self._kernel.clock.now()
        return None if is_over and link.outcome is None else Opened(link, person, account, review)

    def _dead(self, accept_language: str) -> Page:
        metrics.count("dead_links")
        return dead(accept_language, self._company)

    def _shown(self, opened: Opened, form: dict[str, str], problems: Any) -> Page:
        words = Words(opened.person.language)
        review, account = opened.review, opened.account
        is_mine = opened.link.person_id in {p.person_id for p in self._asked(review)} | {account.owner_id}
        if review.stage == Stage.RETIRING and opened.link.outcome is None and is_mine:
            shows: dict[str, Any] = {"steps": self._steps(words, review), "people": (), "others": ()}
        elif review.is_open and opened.link.outcome is None and is_mine:
            people, others = self._reviews.candidates(account)
            shows = {"steps": (), "people": people, "others": others}
        else:
            return notice(words, self._company, *self._told(words, opened))
        last = words.moment(account.last_post_at, opened.person.zone) if account.last_post_at else ""
        facts = (
            (words.say("Network"), network_name(account.platform)),
            (words.say("Name shown"), one_line(account.display_name)),
            (words.say("Purpose"), one_line(account.purpose)),
            (words.say("Last post"), last or words.say("never")),
            (words.say("Followers"), words.number(account.followers) if account.followers else ""),
            (words.say("You are"), one_line(opened.person.name)),
        )
        return page(
            TEMPLATES, "review.html", words, self._company,
            status=400 if problems else 200, account=account, review=review, form=form,
            facts=[(name, value) for name, value in facts if value],
            problems=[_problem_said(words, problem) for problem in problems],
            network=network_name, most_words=MOST_WORDS, **shows,
        )  # fmt: skip

    def _asked(self, review: Review) -> list[Person]:
        return self._reviews.asked(review, self._kernel.clock.now())

    def _steps(self, words: Words, review: Review) -> list[dict[str, Any]]:
        proofs = {done.step: done.proof for done in review.done}
        return [
            {"name": str(step), "what": words.say(what), "asks": words.say(asks), "proof": proofs.get(step)}
            for step, (what, asks) in STEPS.items()
        ]

    def _told(self, words: Words, opened: Opened) -> tuple[Any, tuple[Any, ...], str]:
        w, review = HtmlWords(words), opened.review
        handle = opened.account.handle
        if review.is_open:
            lines = (w.say("Somebody else decides about %(handle)s now.", handle=handle),)
            return w.say("Nothing is left for you to do"), lines, ""
        match review.choice:
            case Choice.KEEP:
                said = w.say("%(handle)s is kept. It is looked at again then.", handle=handle)
            case Choice.HAND_OVER:
                said = w.say("%(handle)s has a new owner, who is asked now.", handle=handle)
            case Choice.MERGE | Choice.RETIRE if review.stage == Stage.RETIRING:
                said = w.say(
                    "%(handle)s is being retired. Its owner has the checklist by mail.", handle=handle
                )
            case Choice.MERGE | Choice.RETIRE:
                said = w.say("%(handle)s is retired. Our keys to it are deleted.", handle=handle)
            case None:
                said = w.say("%(handle)s is in use again.", handle=handle)
        return w.say("This is decided. Thank you."), (said,), "good"


def _decided(form: dict[str, str]) -> Decided:
    choice = Choice(form["choice"])
    try:
        plan_on = date.fromisoformat(form.get("plan_on", ""))
    except ValueError:
        plan_on = None
    return Decided(
        choice,
        form.get("why", "").strip()[:MOST_WORDS],
        plan_on if choice == Choice.KEEP else None,
        (form.get("to_id") or None) if choice == Choice.HAND_OVER else None,
        (form.get("into_id") or None) if choice == Choice.MERGE else None,
    )


_SAID = {
    "plan_on": mark("Please choose the day, within a year, by which it posts again."),
    "to_id": mark("Please choose who takes it over."),
    "into_id": mark("Please choose the account that takes over its followers."),
    "proof": mark("Please say what proves it."),
}


def _problem_said(words: Words, problem: Problem) -> str:
    return words.say(
        _SAID.get(problem.field, mark("Somebody decided at the same moment. Please look again."))
    )
