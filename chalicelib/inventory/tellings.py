"""The mails of a round: asked, reminded, called in from above, handed an account, and the report at its end.

Whoever is asked for many units gets one mail with one link. A mail may come twice after a crash.
"""

from collections.abc import Iterator

from chalicelib.accounts.directory import network_name
from chalicelib.accounts.service import Accounts
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.letters import Said, counted, letter
from chalicelib.core.links import Links
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark
from chalicelib.inventory.answers import PURPOSE
from chalicelib.inventory.model import LINK_KEPT_FOR, Part, PartState, Round
from chalicelib.inventory.people import People
from chalicelib.inventory.report import Report, Reports, UnitReport
from chalicelib.inventory.store import Store
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org

_MOST_NAMED = 30  # accounts of one unit that the report's mail names; the API has them all
_MOST_UNITS = 12  # that a mail to whoever is asked names


class RoundTellings:
    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        accounts: Accounts,
        links: Links,
        people: People,
        reports: Reports,
        mailer: Mailer,
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._links = links
        self._people = people
        self._reports = reports
        self._mailer = mailer
        self._settings = settings
        self._store = Store(kernel.database)

    def tell(self, claim: Claim) -> None:
        """Mail one person what they are to know or do about a round; nothing, if nothing is left of it."""
        args, round_ = claim.entry.args, self._store.find_round(claim.entry.ref)
        person = self._people.find(args["person"])
        if round_ is None or person is None or person.status == Status.LEFT:
            return
        if args["what"] == "report":
            self._mailer.send(self._report(person, self._reports.whole(round_)))
            return
        parts = [p for p in self._store.parts(round_.round_id) if person.person_id in p.asked_ids]
        waiting = [p for p in parts if p.state != PartState.FINISHED and p.closed_at is None]
        if args["what"] == "moved":
            self._moved(person, round_, args["account"], bool(waiting) and round_.is_open)
        elif waiting and round_.is_open:
            self._mailer.send(self._ask(person, round_, waiting, args["what"], self._link(round_, person)))

    def _link(self, round_: Round, person: Person) -> str:
        change = self._kernel.change(BY_JOB)
        ends_at = round_.closes_at + LINK_KEPT_FOR
        token, write = self._links.mint(PURPOSE, round_.round_id, person.person_id, "", ends_at)
        change.add(write)
        change.record(round_.subject, "link sent", to=person.person_id)
        self._kernel.commit(change)
        return f"{self._settings.public_url}/r/{token}"

    def _ask(self, person: Person, round_: Round, parts: list[Part], what: str, url: str) -> Mail:
        words = Words(person.language)
        left, due_on = sum(part.left for part in parts), words.digits(round_.due_on.isoformat())
        names = self._unit_names(parts)
        if what == "asked":
            subject = mark("Please look through your accounts by %(day)s: %(round)s")
            lines: list[Said] = [
                (mark("We are making a list of every account that speaks for us. Which are yours?"), {}),
                counted(
                    "We know of %(n)s: say whether it is right, and add what is missing.",
                    "We know of %(n)s: say whether they are right, and add what is missing.",
                    left,
                )
                if left
                else (mark("We know of none yet: add those that you have."), {}),
            ]
        elif what == "escalated":
            subject = mark("Not finished: %(round)s")
            lines = [
                (mark("Today is the day, and these units have not finished their lists."), {}),
                counted(
                    "%(n)s account has no answer yet. Ask whoever manages it, or answer yourself.",
                    "%(n)s accounts have no answer yet. Ask whoever manages them, or answer yourself.",
                    left,
                ),
            ]
        else:
            subject = mark("Reminder: your accounts, by %(day)s: %(round)s")
            lines = [
                counted(
                    "%(n)s account of yours has no answer yet.",
                    "%(n)s accounts of yours have no answer yet.",
                    left,
                ),
                (mark("What you have answered is kept. When nothing is missing, press “I am finished”."), {}),
            ]
        return letter(
            words,
            self._settings.company,
            person.email,
            (subject, {"day": due_on, "round": round_.name}),
            lines,
            facts=[(mark("Units"), names), (mark("Wanted by"), due_on)],
            button=(mark("Open the list"), url),
            after=[(mark("The link is yours alone. You can stop and go on until the round ends."), {})],
        )

    def _moved(self, person: Person, round_: Round, account_id: str, is_asked: bool) -> None:
        """Somebody said that an account is of their unit."""
        account = self._accounts.find(account_id)
        if account is None or not account.is_ours:
            return
        words = Words(person.language)
        named = {"handle": account.handle, "platform": network_name(account.platform)}
        unit = self._org.unit(account.unit_id)
        mail = letter(
            words,
            self._settings.company,
            person.email,
            (mark("Is it yours? %(handle)s on %(platform)s"), named),
            [
                (mark("It was on another unit's list, and its manager says that it belongs to you."), {}),
                (mark("Look at who looks after it. If it is not yours either, tell your lead."), {}),
            ],
            facts=[
                (mark("Unit"), unit.name),
                (mark("Looked after by"), self._people.name(account.owner_id)),
                (mark("Purpose"), account.purpose),
            ],
            button=(mark("Open the list"), self._link(round_, person)) if is_asked else None,
            after=[(mark("Account number: %(id)s"), {"id": account.account_id})],
        )
        self._mailer.send(mail)

    def _report(self, person: Person, report: Report) -> Mail:
        words, round_ = Words(person.language), report.round_
        facts = [
            (mark("Confirmed"), words.number(report.total("confirmed"))),
            (mark("Corrected"), words.number(report.total("corrected"))),
            (mark("Added"), words.number(report.total("added"))),
            (mark("Not theirs"), words.number(report.total("disowned"))),
            (mark("Moved or retired by somebody else"), words.number(report.total("gone"))),
            (mark("Not answered"), words.number(report.total("left"))),
        ]
        lines: list[Said] = [(mark("The round has ended. This is what it brought:"), {})]
        lines += [_counts(words, one) for one in report.units]
        lines += [said for one in report.units for said in _unanswered(words, one)]
        after: list[Said] = [
            (
                mark("The whole list: %(address)s"),
                {"address": f"/v1/inventory/rounds/{round_.round_id}/report"},
            )
        ]
        if round_.outside:
            said = counted(
                "%(n)s account is in no unit that was asked.",
                "%(n)s accounts are in no unit that was asked.",
                round_.outside,
            )
            after.insert(0, said)
        subject = (mark("What the round brought: %(round)s"), {"round": round_.name})
        company = self._settings.company
        return letter(words, company, person.email, subject, lines, facts=facts, after=after)

    def _unit_names(self, parts: list[Part]) -> str:
        found = [self._org.unit(part.unit_id).name for part in parts[:_MOST_UNITS]]
        return " · ".join(found) + (" · …" if len(parts) > _MOST_UNITS else "")


def _counts(words: Words, one: UnitReport) -> Said:
    part = one.part
    names = ("confirmed", "corrected", "added", "disowned", "left")
    numbers = {name: words.number(getattr(part, name)) for name in names}
    line = mark(
        "%(unit)s: %(confirmed)s confirmed, %(corrected)s corrected, %(added)s added, "
        "%(disowned)s not theirs, %(left)s without an answer."
    )
    return line, {"unit": one.unit.name, **numbers}


def _unanswered(words: Words, one: UnitReport) -> Iterator[Said]:
    """Which accounts nobody answered for, and who was asked."""
    left = one.unanswered
    if not left:
        return
    named = ", ".join(f"{told.handle} ({told.platform})" for told in left[:_MOST_NAMED])
    more = ", …" if len(left) > _MOST_NAMED else ""
    who = ", ".join(one.managers)
    line = mark("%(unit)s, asked: %(people)s. No answer about: %(accounts)s")
    yield line, {"unit": one.unit.name, "people": who, "accounts": named + more}
