"""Mails about a change that cannot wait for the weekly briefing, each with a link to its page."""

from collections.abc import Callable
from datetime import date, timedelta

from chalicelib.core.errors import NotFound
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
from chalicelib.platform_changes import countdown
from chalicelib.platform_changes.briefing_words import platform_name
from chalicelib.platform_changes.changes import Changes, is_told_at_once
from chalicelib.platform_changes.model import PlatformChange
from chalicelib.platform_changes.words import MEANS, facts

PURPOSE = "platform_change"
LINK_WORKS_FOR = timedelta(days=120)  # longer than the first mark of a countdown
CountedElsewhere = Callable[[str, tuple[str, ...], date], bool]


class ChangeTellings:
    """`counted_elsewhere` says of versions of a platform whether the version register tells of their end on a
    day, at the same marks.
    """

    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        links: Links,
        changes: Changes,
        mailer: Mailer,
        settings: Settings,
        counted_elsewhere: CountedElsewhere = lambda platform, versions, on: False,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._links = links
        self._changes = changes
        self._mailer = mailer
        self._settings = settings
        self._counted_elsewhere = counted_elsewhere

    def warn_of_change(self, claim: Claim) -> bool | None:
        """Tell of the mark of a countdown that has come, and wait for the next; nothing once it is done."""
        found = self._changes.store.find(claim.entry.ref)
        change = self._kernel.change(BY_JOB)
        mark_at = countdown.next_mark(found, change.now.date()) if found else None
        if found is None or mark_at is None:
            return None
        if mark_at[0] > change.now:
            raise Later(mark_at[0])
        goes_on = self._changes.told_next(
            change, found, mark_at[1], self._is_told_elsewhere(found, mark_at[1])
        )
        self._kernel.commit(change)
        return goes_on  # then the change has put the same entry on the timetable for the next mark

    def tell_change(self, claim: Claim) -> None:
        """Mail one person about one change; nothing if it was done or put aside meanwhile."""
        about = self._changes.store.find(claim.entry.ref)
        person = self._person(claim.entry.args["person"])
        what = claim.entry.args["what"]
        if about is None or not about.is_open or person is None or person.status == Status.LEFT:
            return
        if what == "urgent" and not is_told_at_once(about):
            return
        self._mailer.send(self._letter(person, about, what, self._link(about, person)))

    def _is_told_elsewhere(self, about: PlatformChange, mark: int) -> bool:
        if mark == countdown.DUE or about.effective_on is None or about.operations:
            return False
        return self._counted_elsewhere(about.platform, about.versions, about.effective_on)

    def _link(self, about: PlatformChange, person: Person) -> str:
        change = self._kernel.change(BY_JOB)
        expires_at = change.now + LINK_WORKS_FOR
        token, write = self._links.mint(PURPOSE, about.change_id, person.person_id, "", expires_at)
        change.add(write)
        change.record(f"platform_change#{about.change_id}", "link sent", to=person.person_id)
        self._kernel.commit(change)
        return f"{self._settings.public_url}/p/{token}"

    def _letter(self, person: Person, about: PlatformChange, what: str, url: str) -> Mail:
        words, today = Words(person.language), person.today(self._kernel.clock.now())
        network = platform_name(about.platform)
        has_come = countdown.has_come(about, today)
        lines: list[Said] = [(_HAS_COME if has_come else MEANS[about.kind], {})]
        if what == f"mark{countdown.DUE}":
            lines.insert(0, (mark("It was planned for today, and nobody has said that it is done."), {}))
        elif about.effective_on is not None and not has_come:
            days = (about.effective_on - today).days
            lines.append(counted("There is %(n)s day left.", "There are %(n)s days left.", days))
        if not about.owner_id:
            lines.append((mark("Nobody has taken it yet. The page has one button for that."), {}))
        return letter(
            words,
            self._settings.company,
            person.email,
            (_subject(what, has_come), {"network": network, "title": about.title}),
            lines,
            facts=facts(words, about, network, self._name(about.owner_id)),
            quote=about.text,
            button=(mark("Open the change"), url),
            after=[(mark("Number of the change: %(id)s"), {"id": about.change_id})],
        )

    def _person(self, person_id: str) -> Person | None:
        try:
            return self._org.person(person_id)
        except NotFound:
            return None

    def _name(self, person_id: str) -> str:
        person = self._person(person_id) if person_id else None
        return person.name if person else ""


_HAS_COME = mark("Its day has come: what we do there may have stopped working. Look whether it still works.")


def _subject(what: str, has_come: bool) -> str:
    if what == "urgent" and has_come:
        return mark("Has taken effect at %(network)s: %(title)s")
    if what == "urgent":
        return mark("Will stop working at %(network)s: %(title)s")
    if what == f"mark{countdown.DUE}":
        return mark("Due today, %(network)s: %(title)s")
    return mark("Not done yet, %(network)s: %(title)s")
