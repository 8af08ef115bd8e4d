"""The page on which a manager answers for their accounts, in one sitting on a phone, behind a mailed link.

GET and HEAD only look. Each POST is one transaction for each account, about the account as the page showed
it. The link works until the round ends; "I am finished" says that nothing more is coming.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.clock import from_text, to_text
from chalicelib.core.errors import Busy, InvalidInput, Problem
from chalicelib.core.history import History
from chalicelib.core.kernel import Kernel
from chalicelib.core.link_page import Page, dead, page
from chalicelib.core.pages import Templates
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, mark
from chalicelib.inventory.adding import Adding, networks
from chalicelib.inventory.answers import NOT_MINE, NOT_OURS, Answers, Outcome, Sitting
from chalicelib.inventory.lines import FIELDS, SAID, Changed, Lines, changes_of
from chalicelib.inventory.model import Answer, asked_for, counter
from chalicelib.inventory.page_form import PER_PAGE, Form, asked, whole
from chalicelib.inventory.people import People
from chalicelib.org.model import Unit

_BUTTONS = ("confirm", "confirm_all", "correct", "disown", "add", "finish", "reopen")
_MOST_CHANGES = 50  # rows of an account's history that are looked at
_BUSY = mark("Many people changed this at the same moment. Please try again.")
_STALE = mark("It changed since you opened this page. Please look again.")
_TOLD = {
    Outcome.DONE: mark("Noted. Thank you."),
    Outcome.GONE: mark("Some of it could not be noted. Please look at what is left."),
    Outcome.SHUT: mark("This list is finished. Open it again to change something."),
    Outcome.STALE: _STALE,
}
TEMPLATES = Templates(Path(__file__).parent / "templates")
Query = Mapping[str, str] | None


class RoundPage:
    def __init__(
        self,
        kernel: Kernel,
        accounts: Accounts,
        answers: Answers,
        adding: Adding,
        people: People,
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._answers = answers
        self._adding = adding
        self._people = people
        self._lines = Lines(accounts, people)
        self._history = History(kernel.database)
        self._settings = settings

    def show(self, token: str, query: Query, accept_language: str) -> Page:
        """The page of a link: the list, one account (`u`, `a`), or the form for another. Changes nothing."""
        sitting = self._answers.find(token)
        if sitting is None:
            return self._dead(accept_language)
        if not sitting.round_.is_open or sitting.is_finished:
            return self._summary(sitting)
        if asked(query, "a"):
            shown = self._account(sitting, asked(query, "u"), asked(query, "a"), asked(query, "p"))
            return shown or self._list(sitting, asked(query, "p"))
        return self._add(sitting) if asked(query, "add") else self._list(sitting, asked(query, "p"))

    def act(self, token: str, raw: bytes, query: Query, accept_language: str) -> Page:
        """What a button asks for. A body that asks for nothing shows the page, as GET does."""
        form, sitting = Form.parse(raw), self._answers.find(token)
        if sitting is None:
            return self._dead(accept_language)
        if form.do not in _BUTTONS:
            return self.show(token, query, accept_language)
        try:
            outcome = self._do(sitting, form)
        except InvalidInput as refusal:
            return self._again(token, form, query, accept_language, "", 400, refusal.problems)
        except Busy:
            return self._again(token, form, query, accept_language, _BUSY, 503)
        if outcome == Outcome.STALE:
            return self._again(token, form, query, accept_language, _STALE, 409)
        now = self._answers.find(token)
        if now is None:
            return self._dead(accept_language)
        if not now.round_.is_open or now.is_finished:
            return self._summary(now)
        status = 200 if outcome == Outcome.DONE else 409
        return self._list(now, asked(query, "p"), _TOLD[outcome], status)

    def _do(self, sitting: Sitting, form: Form) -> Outcome:
        """What became of it. Raises InvalidInput, with every problem, where nothing was changed."""
        problems = list[Problem]()
        match form.do:
            case "confirm":
                return self._answers.confirm(sitting, form.about)
            case "confirm_all":
                return self._confirm_all(sitting, form)
            case "correct":
                said = form.correction(problems)
                return self._answers.correct(sitting, form.about, said, problems)
            case "disown":
                why = form.reason(problems)
                return self._answers.disown(sitting, form.about, form.whose, why, problems)
            case "add":
                new = form.addition(problems)
                return self._adding.add(sitting, new, problems)
            case "finish":
                self._answers.finish(sitting)
            case "reopen":
                self._answers.reopen(sitting)
        return Outcome.DONE

    def _confirm_all(self, sitting: Sitting, form: Form) -> Outcome:
        """Each for itself: what has changed since, or has nobody who looks after it, is left."""
        outcomes = set[Outcome]()
        for about in form.all_left:
            try:
                outcomes.add(self._answers.confirm(sitting, about))
            except InvalidInput:
                outcomes.add(Outcome.GONE)
        return Outcome.DONE if outcomes <= {Outcome.DONE} else Outcome.GONE

    # What is shown

    def _again(
        self,
        token: str,
        form: Form,
        query: Query,
        accept_language: str,
        told: str,
        status: int,
        problems: Iterable[Problem] = (),
    ) -> Page:
        """The form that was sent, as it was typed, with what is wrong, over the record as it is now."""
        sitting = self._answers.find(token)
        if sitting is None:
            return self._dead(accept_language)
        if not sitting.round_.is_open or sitting.is_finished:
            return self._summary(sitting)
        if form.do == "add":
            return self._add(sitting, form, told, status, problems)
        shown = self._account(
            sitting, form.unit, form.account, asked(query, "p"), form, told, status, problems
        )
        return shown or self._list(sitting, asked(query, "p"), told or _TOLD[Outcome.GONE], status)

    def _list(self, sitting: Sitting, number: str, told: str = "", status: int = 200) -> Page:
        questions = self._answers.questions(sitting)
        pages = max(1, -(-len(questions) // PER_PAGE))
        here = min(max(1, whole(number)), pages)
        lines = self._lines.of(sitting, questions[(here - 1) * PER_PAGE : here * PER_PAGE])
        return self._page(
            "round.html", sitting, status, told=told, lines=lines, here=here, pages=pages,
            left=[line.key for line in lines if line.is_left],
            is_partly_finished=any(part.finished_at for part in sitting.parts),
        )  # fmt: skip

    def _account(
        self,
        sitting: Sitting,
        unit_id: str,
        account_id: str,
        number: str,
        typed: Form | None = None,
        told: str = "",
        status: int = 200,
        problems: Iterable[Problem] = (),
    ) -> Page | None:
        """The forms of one account; None if there is nothing for them to answer about it."""
        question, part = self._answers.question(sitting, unit_id, account_id), sitting.part(unit_id)
        if question is None or part is None:
            return None
        lines = self._lines.of(sitting, [(part, question)])
        if not lines or not lines[0].seen:
            return None
        line, form = lines[0], Form.of(lines[0].account, unit_id, lines[0].seen)
        if typed is not None:
            form = typed.seen_now(line.seen) if typed.do in ("correct", "disown") else form
        own = [sitting.units[u] for u in sitting.units[line.account.unit_id].path if u in sitting.units]
        near = own[own.index(sitting.units[unit_id]) :]
        return self._page(
            "account.html", sitting, status, told=told, line=line, form=form, back=whole(number),
            problems=_by_field(problems),
            changes=self._changes(sitting, typed) if status == 409 else [],
            people=self._people.of(near, form.owner, form.backup, sitting.person.person_id),
            others=self._others(sitting, unit_id), not_ours=NOT_OURS, not_mine=NOT_MINE,
        )  # fmt: skip

    def _add(
        self,
        sitting: Sitting,
        typed: Form | None = None,
        told: str = "",
        status: int = 200,
        problems: Iterable[Problem] = (),
    ) -> Page:
        form = typed or Form(owner=sitting.person.person_id, unit=sitting.parts[0].unit_id)
        units = self._own(sitting)
        tops = [sitting.units[part.unit_id] for part in sitting.parts]
        return self._page(
            "add.html", sitting, status, told=told, form=form, problems=_by_field(problems),
            networks=networks(), units=units, people=self._people.of(tops, sitting.person.person_id),
        )  # fmt: skip

    def _summary(self, sitting: Sitting) -> Page:
        """What was answered: of a finished list, which can be reopened, or of a round that has ended."""
        return self._page(
            "summary.html", sitting, 200, rows=_summary(sitting), can_reopen=sitting.round_.is_open
        )

    def _page(self, name: str, sitting: Sitting, status: int, **values: Any) -> Page:
        words, now = Words(sitting.person.language), self._kernel.clock.now()
        total = sum(part.total for part in sitting.parts)
        left = sum(part.left for part in sitting.parts)
        return page(
            TEMPLATES,
            name,
            words,
            self._settings.company,
            status=status,
            round=sitting.round_,
            person=sitting.person,
            names=[sitting.units[part.unit_id].name for part in sitting.parts],
            due_on=words.digits(sitting.round_.due_on.isoformat()),
            total=total,
            answered=total - left,
            at=to_text(now),
            said=SAID,
            fields=FIELDS,
            **{"told": "", "is_wrong": status != 200, **values},
        )

    def _changes(self, sitting: Sitting, typed: Form | None) -> list[Changed]:
        """What the account's history says since the page was made."""
        if typed is None:
            return []
        try:
            made_at = from_text(typed.at)
        except ValueError:
            return []
        if made_at.tzinfo is None:
            return []
        rows, _ = self._history.page_of(f"account#{typed.account}", _MOST_CHANGES, to_text(made_at))
        return changes_of(rows, sitting, self._people)

    def _own(self, sitting: Sitting) -> list[Unit]:
        """The units whose accounts are theirs to list."""
        theirs = {part.unit_id for part in sitting.parts}
        units = sitting.units.values()
        return [u for u in units if asked_for(u.path, sitting.round_.unit_ids) in theirs]

    def _others(self, sitting: Sitting, unit_id: str) -> list[Unit]:
        """The units that an account of this one may belong to instead."""
        units = sitting.units.values()
        return [u for u in units if asked_for(u.path, sitting.round_.unit_ids) != unit_id]

    def _dead(self, accept_language: str) -> Page:
        metrics.count("dead_links")
        return dead(accept_language, self._settings.company)


def _by_field(problems: Iterable[Problem]) -> dict[str, str]:
    """The problem of each field, and the first of a field that has several."""
    found: dict[str, str] = {}
    for problem in problems:
        found.setdefault(problem.field, problem.message)
    return found


def _summary(sitting: Sitting) -> list[tuple[str, int]]:
    """How many questions have which answer, by the words for it."""
    counts = [(SAID[a], sum(getattr(part, counter(a)) for part in sitting.parts)) for a in Answer]
    left = sum(part.left for part in sitting.parts)
    return [(name, n) for name, n in (*counts, (mark("Not answered"), left)) if n]
