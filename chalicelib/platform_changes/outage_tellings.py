"""The mails of an outage: that work waits, and afterwards what became of it.

To the authors of what is due and the owners of its accounts, each with their own part, and to whoever keeps
the register, with all of it. A mail may come twice after a crash.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib.accounts.directory import network_name
from chalicelib.accounts.outages import Became, Line
from chalicelib.accounts.service import Accounts
from chalicelib.core.kernel import Kernel
from chalicelib.core.letters import Said, counted, letter
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.telling import tell_each
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark, one_line
from chalicelib.core.work import Later
from chalicelib.org.model import Person
from chalicelib.org.service import Org
from chalicelib.platform_changes.keepers import keepers
from chalicelib.platform_changes.outage_receipts import Receipts, counts
from chalicelib.platform_changes.outages import Outage, Outages

DUE_WITHIN = timedelta(hours=24)
RECEIPT_AFTER = timedelta(minutes=5)  # by then what waited has been tried again
MOST_LINES = 20

Due = Callable[[str, datetime], list[Line]]
"""What is still to go out on a platform by a time."""

BECAME = {
    Became.OUT: mark("Went out since"),
    Became.WAITS: mark("Still waits"),
    Became.LATE: mark("Too late to go out"),
    Became.UNKNOWN: mark("Nobody knows whether it is out"),
    Became.STOPPED: mark("Stopped for another reason"),
}
_TO_DO = (Became.LATE, Became.UNKNOWN, Became.STOPPED)
_ANSWER = mark("An answer")

_Lines = Mapping[str, Sequence[Line]]
"""By the id of the person whom they concern."""


class OutageTellings:
    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        accounts: Accounts,
        outages: Outages,
        receipts: Receipts,
        due: Due,
        mailer: Mailer,
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._outages = outages
        self._receipts = receipts
        self._due = due
        self._mailer = mailer
        self._settings = settings

    def tell_begun(self, claim: Claim) -> None:
        """Mail everybody concerned that work waits, unless the outage is over already."""
        outage = self._outages.get(claim.entry.ref)
        if not outage.is_on:
            return
        lines = self._due(outage.platform, outage.began_at + DUE_WITHIN)
        theirs, keeps = self._theirs(lines), self._keepers()

        def mail(person: Person) -> Mail:
            everything = lines if person.person_id in keeps else None
            return self._begun_mail(person, outage, theirs.get(person.person_id, ()), everything)

        self._tell_each(claim, {*theirs, *keeps}, mail)

    def tell_over(self, claim: Claim) -> None:
        """Mail the receipt to everybody concerned, once what waited has been tried again."""
        outage = self._outages.get(claim.entry.ref)
        tell_at = (outage.ended_at or outage.began_at) + RECEIPT_AFTER
        if self._kernel.clock.now() < tell_at:
            raise Later(tell_at, claim.entry.args)
        lines = self._receipts.of(outage.outage_id)
        theirs, keeps = self._theirs(lines), self._keepers()
        # Whoever was told that something of theirs is due is told that it need not wait.
        told = self._theirs(self._due(outage.platform, outage.began_at + DUE_WITHIN))

        def mail(person: Person) -> Mail:
            everything = lines if person.person_id in keeps else None
            return self._over_mail(person, outage, theirs.get(person.person_id, ()), everything)

        self._tell_each(claim, {*theirs, *told, *keeps}, mail)

    def _keepers(self) -> set[str]:
        return {person.person_id for person in keepers(self._org, self._kernel.clock.now())}

    def _theirs(self, lines: Iterable[Line]) -> _Lines:
        """Each author's, owner's and backup's lines, by whoever stands in for them now."""
        listed, now = list(lines), self._kernel.clock.now()
        accounts = self._accounts.get_many({line.account_id for line in listed})
        stand_ins: dict[str, Person | None] = {}
        theirs: dict[str, list[Line]] = {}
        for line in listed:
            account = accounts[line.account_id]
            found = set()
            for person_id in filter(None, (line.person_id, account.owner_id, account.backup_id)):
                if person_id not in stand_ins:
                    stand_ins[person_id] = self._org.stand_in(person_id, now)
                person = stand_ins[person_id]
                found |= {person.person_id} if person is not None else set()
            for person_id in found:
                theirs.setdefault(person_id, []).append(line)
        return theirs

    def _tell_each(self, claim: Claim, people: Iterable[str], mail: Callable[[Person], Mail]) -> None:
        """As core/telling.py does."""

        def send(person_id: str) -> None:
            self._mailer.send(mail(self._org.person(person_id)))

        tell_each(self._kernel.clock, claim, people, send)

    # The mails

    def _begun_mail(
        self, person: Person, outage: Outage, theirs: Sequence[Line], everything: Sequence[Line] | None
    ) -> Mail:
        words = Words(person.language)
        lines: list[Said] = [
            (mark("%(platform)s has an outage: %(title)s"), _named(outage)),
            (mark("Until it is over we try nothing there. What is due waits, and keeps its approval."), {}),
        ]
        if theirs:
            lines.append(
                counted(
                    "%(n)s post of yours, or to an account of yours, is due there within a day.",
                    "%(n)s posts of yours, or to accounts of yours, are due there within a day.",
                    len(theirs),
                )
            )
        lines.append(
            (mark("It goes out by itself afterwards. What is too late by then ends as its post says."), {})
        )
        if everything is not None:
            lines.append(
                counted(
                    "In the whole company %(n)s post is due there within a day.",
                    "In the whole company %(n)s posts are due there within a day.",
                    len(everything),
                )
            )
        facts = [(mark("Due"), self._line(words, line, person)) for line in theirs[:MOST_LINES]]
        return letter(
            words, self._settings.company, person.email,
            (mark("Outage: %(platform)s"), _named(outage)), lines,
            facts=facts, button=_button(outage),
            after=[*_more(theirs), *(_lift(outage) if everything is not None else ())],
        )  # fmt: skip

    def _over_mail(
        self, person: Person, outage: Outage, theirs: Sequence[Line], everything: Sequence[Line] | None
    ) -> Mail:
        words, shown = Words(person.language), theirs if everything is None else everything
        lines: list[Said] = [(mark("Work on %(platform)s goes on."), _named(outage))]
        if not shown:
            lines.append((mark("Nothing waited for it."), {}))
        to_do = [line for line in theirs if line.became in _TO_DO]
        if to_do:
            lines.append((mark("Please look at what did not go out: it is listed below."), {}))
        ended_at = outage.ended_at or outage.began_at
        facts = [
            (mark("Outage"), outage.title),
            (mark("Waited from"), words.moment(outage.began_at, person.zone)),
            (mark("Waited until"), words.moment(ended_at, person.zone)),
            (mark("Why it ended"), words.template(outage.ended_why)),
            *((BECAME[b], words.number(n)) for b, n in counts(shown).items() if n),
            *((BECAME[line.became], self._line(words, line, person)) for line in to_do[:MOST_LINES]),
        ]
        receipt = f"GET /v1/platform-changes/outages/{outage.outage_id}/receipt"
        return letter(
            words, self._settings.company, person.email,
            (mark("Over: the outage of %(platform)s"), _named(outage)), lines,
            facts=facts, button=_button(outage),
            after=[*_more(to_do), (mark("The whole receipt: %(call)s"), {"call": receipt})],
        )  # fmt: skip

    def _line(self, words: Words, line: Line, person: Person) -> str:
        account = self._accounts.get(line.account_id)
        title = one_line(line.title) if line.title else words.say(_ANSWER)
        return f"{title} · {account.handle} · {words.moment(line.due_at, person.zone)}"


def _named(outage: Outage) -> dict[str, object]:
    return {"platform": network_name(outage.platform), "title": outage.title}


def _button(outage: Outage) -> tuple[str, str] | None:
    return (mark("What the platform says"), outage.url) if outage.url else None


def _more(lines: Sequence[Line]) -> list[Said]:
    more = len(lines) - MOST_LINES
    return [counted("And %(n)s more.", "And %(n)s more.", more)] if more > 0 else []


def _lift(outage: Outage) -> list[Said]:
    call = f"POST /v1/platform-changes/outages/{outage.outage_id}/lift"
    return [(mark("To let work go on in spite of it: %(call)s"), {"call": call})]
