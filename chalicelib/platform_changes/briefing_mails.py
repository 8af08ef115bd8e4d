"""The mail of a briefing: one to each person and week, with what to say in a minute and what to do by when.

Its link works for 400 days and only shows. A feed reader keeps that address, so it outlives a year; the week
a year ago can be compared; and it stops for whoever leaves, because each opening looks whether they are here.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta

from chalicelib.core.errors import Conflict, SignalboxError
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.letters import Said, counted, letter
from chalicelib.core.links import Links
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark
from chalicelib.core.work import Later
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org
from chalicelib.platform_changes import briefing_words as plain
from chalicelib.platform_changes.briefing_model import Briefing
from chalicelib.platform_changes.briefing_store import BriefingStore

PURPOSE = "briefing"
LINK_FOR = timedelta(days=400)
RETRY_FOR = timedelta(seconds=30)
MAILED_AT_ONCE_FOR = timedelta(seconds=45)  # half of a worker's time
_MOST_TASKS = 8  # that the mail names; the page has them all
_A_PAGE = 100

log = logging.getLogger(__name__)


class BriefingMails:
    def __init__(self, kernel: Kernel, org: Org, links: Links, mailer: Mailer, settings: Settings) -> None:
        self._kernel = kernel
        self._org = org
        self._links = links
        self._mailer = mailer
        self._settings = settings
        self._store = BriefingStore(kernel.database)

    def mail(self, claim: Claim) -> None:
        """Mail a week's briefing to everybody who is here and not away, nobody twice.

        That a mail begins is committed before it is sent: if a worker dies in between, nobody knows whether
        it went out, and it is not sent again; the log says whose. Raises Later when some could not be mailed
        or there was no time, the error itself when none could.
        """
        briefing = self._store.find(claim.entry.ref)
        if briefing is None:
            return
        ended = self._store.mailed(briefing.week)
        failure: SignalboxError | None = None
        started, sent = self._kernel.clock.now(), 0
        for person in self._everybody():
            state = ended.get(person.person_id)
            if state == "begun":
                log.warning("not known whether a briefing was mailed", extra={"person": person.person_id})
            if state in ("begun", "sent"):
                continue
            if self._kernel.clock.now() - started > MAILED_AT_ONCE_FOR:
                raise Later(self._kernel.clock.now())
            try:
                sent += self._mail(person, briefing)
            except SignalboxError as error:
                failure = error
        if failure is not None:
            if not sent:
                raise failure
            raise Later(self._kernel.clock.now() + RETRY_FOR)

    def _everybody(self) -> Iterator[Person]:
        now, after = self._kernel.clock.now(), ""
        while True:
            people, start = self._org.people(_A_PAGE, after)
            yield from (p for p in people if p.status != Status.LEFT and not p.is_away(now))
            if start is None:
                return
            after = start

    def _mail(self, person: Person, briefing: Briefing) -> bool:
        """Whether it was sent; not, if another worker is at it. Raises what the mailer raises."""
        week, change = briefing.week, self._kernel.change(BY_JOB)
        token, link = self._links.mint(PURPOSE, week, person.person_id, "", change.now + LINK_FOR)
        change.add(link)
        change.add(self._org.active_check(person.person_id))
        self._store.begin_mail(change, week, person.person_id)
        change.record(f"briefing#{week}", "mailed", to=person.person_id)
        try:
            self._kernel.commit(change)
        except Conflict:
            return False
        try:
            self._mailer.send(self._letter(person, briefing, f"{self._settings.public_url}/b/{token}"))
        except SignalboxError:
            self._store.end_mail(week, person.person_id, "failed", self._kernel.clock.now())
            raise
        self._store.end_mail(week, person.person_id, "sent", self._kernel.clock.now())
        return True

    def _letter(self, person: Person, briefing: Briefing, url: str) -> Mail:
        words = Words(person.language)
        lines = plain.lines(words, briefing)
        week = words.number(int(briefing.week[-2:]))
        subject: Said = (mark("Platforms, week %(week)s: a quiet week"), {"week": week})
        if not briefing.is_quiet:
            subject = counted(
                "Platforms, week %(week)s: %(n)s thing to do",
                "Platforms, week %(week)s: %(n)s things to do",
                len(lines),
                week=week,
            )
        after: list[Said] = [
            (mark("The page has everything, and prints well. The link is yours alone, and only shows."), {}),
            (mark("As a feed, for your reader: %(address)s"), {"address": f"{url}/feed.xml"}),
        ]
        return letter(
            words,
            self._settings.company,
            person.email,
            subject,
            plain.minute(words, briefing),
            facts=[_fact(words, line) for line in lines[:_MOST_TASKS] if line.task.on is not None],
            button=(mark("Open the briefing"), url),
            after=after,
        )


def _fact(words: Words, line: plain.Line) -> tuple[str, str]:
    """A date, and what is to be done by then by whom."""
    on = plain.day(words, line.task.on) if line.task.on else ""
    parts = (words.isolated(line.platform), words.isolated(line.name), words.isolated(line.who))
    return on, " · ".join(part for part in parts if part)
