"""Entries of the register expire: owners are asked each half-year, and silence puts an account under review.

One entry of the timetable for each account we stand by, `confirm_account#<id>`, which `Listing.amend` moves
with the record. A mail may come twice after a crash; a review begins once.
"""

import logging
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.accounts.directory import network_name
from chalicelib.accounts.listing import entry_id_of, schedule_asking
from chalicelib.accounts.model import ASKED_BEFORE_FOR, REVIEW_GRACE_FOR, Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.history import BY_JOB, By, Way
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.letters import Said, letter
from chalicelib.core.links import Link, Links
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark
from chalicelib.core.work import Later
from chalicelib.org.line import managers
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org

PURPOSE = "confirm"
NOT_MINE = "its owner says that it is not theirs"
_NOT_CONFIRMED = "nobody confirmed it in time"
_PER_CHANGE = 50  # entries in one transaction, each with its row of history
_PLATFORM, _HANDLE, _PURPOSE = mark("Network"), mark("Account"), mark("Purpose")

log = logging.getLogger(__name__)


class Answered(StrEnum):
    """What a link's page shows."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    NOT_MINE = "not_mine"
    PASSED_ON = "passed_on"  # somebody else looks after it now
    DEAD = "dead"


@dataclass(frozen=True)
class Shown:
    """What a link leads to; `account` and `person` are None for a dead one."""

    answered: Answered
    account: Account | None = None
    person: Person | None = None


class Confirmations:
    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        accounts: Accounts,
        links: Links,
        mailer: Mailer,
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._links = links
        self._mailer = mailer
        self._settings = settings

    # The daily look

    def put_back(self) -> int:
        """Put the entry of each account that lost it (a table restored, a row deleted) back on the timetable;
        how many there were.

        Those that are there stay as they are, parked ones too; what is under review waits for a person and
        has none. Running it again changes nothing.
        """
        ids = {entry_id_of(account_id): account_id for account_id in self._accounts.standing_ids()}
        rows = self._kernel.database.get_many("timetable", [{"entry_id": entry_id} for entry_id in ids])
        there = {row["entry_id"] for row in rows if "due_shard" in row}
        missing = [account_id for entry_id, account_id in ids.items() if entry_id not in there]
        put_back = 0
        for start in range(0, len(missing), _PER_CHANGE):
            # The index may lag behind a review or a retirement: the records decide.
            found = self._accounts.get_many(missing[start : start + _PER_CHANGE]).values()
            lost = [a for a in found if a.confirm_by_at is not None and a.under_review_at is None]
            if not lost:
                continue
            change = self._kernel.change(BY_JOB)
            for account in lost:
                schedule_asking(change, account)
                change.record(_subject(account), "put back on the timetable")
            self._kernel.commit(change)
            put_back += len(lost)
        if put_back:
            log.warning("lost entries were put back on the timetable", extra={"count": put_back})
        return put_back

    # Chores

    def confirm_account(self, claim: Claim) -> bool | None:
        """Ask whoever owns the account or, when the time is over, put it under review.

        Raises Later for the day on which it is to be looked at again.
        """
        account = self._accounts.find(claim.entry.ref)
        if account is None or not account.is_standing or account.confirm_by_at is None:
            return None
        now, ask_at = self._kernel.clock.now(), account.confirm_by_at - ASKED_BEFORE_FOR
        if account.under_review_at is not None:
            self._ask(account)  # whoever was named meanwhile
            return None
        if now < ask_at:
            raise Later(ask_at)
        if now < account.confirm_by_at:
            self._ask(account)
            raise Later(account.confirm_by_at)
        change = self._kernel.change(BY_JOB)
        self.put_under_review(change, account, _NOT_CONFIRMED)
        change.add(self._kernel.timetable.finish(claim, change.now))
        self._kernel.commit(change)
        return True

    def put_under_review(self, change: Change, account: Account, why: str) -> Account:
        """Add to a change that nobody stands by the record any more; its manager is told."""
        after = self._accounts.amend(
            change, account, what="put under review", why=why, under_review_at=change.now
        )
        change.emit("AccountUnderReview", account.account_id, why=why)
        return after

    def tell_under_review(self, claim: Claim) -> None:
        """Mail the managers of the account's unit what to do, unless it was confirmed meanwhile."""
        account = self._accounts.get(claim.entry.ref)
        if account.under_review_at is None:
            return
        for person in managers(self._org, account.unit_id, self._kernel.clock.now()):
            self._mailer.send(self._review_mail(person, account, claim.entry.args["why"]))

    def _ask(self, account: Account) -> None:
        """Mail a fresh link to the owner or whoever stands in; where nobody does, silence says the rest."""
        now = self._kernel.clock.now()
        person = self._org.stand_in(account.owner_id, now)
        if person is None:
            return
        ends = (account.confirm_by_at or now) + REVIEW_GRACE_FOR
        change = self._kernel.change(BY_JOB)
        revision = str(account.version)
        token, write = self._links.mint(PURPOSE, _subject(account), person.person_id, revision, ends)
        change.add(write)
        change.record(_subject(account), "confirmation asked for", of=person.person_id)
        self._kernel.commit(change)
        self._mailer.send(self._ask_mail(person, account, f"{self._settings.public_url}/k/{token}"))

    # The link's page

    def look(self, token: str) -> Shown:
        """What a link leads to. Changes nothing."""
        link, shown = self._of(token)
        return shown if link else Shown(Answered.DEAD)

    def answer(self, token: str, is_right: bool, version: str) -> Shown:
        """Confirm the record as it was in the version they saw, or say that it is not theirs; the link is
        spent by it, and so once only.

        A second answer shows what the first one was, and one about another version shows the record as it is
        now, still open. Raises Busy when the database kept refusing.
        """
        link, shown = self._of(token)
        if link is None or shown.account is None or shown.answered != Answered.OPEN:
            return shown
        if version != str(shown.account.version):
            return shown
        change = self._kernel.change(By(link.person_id, Way.LINK))
        outcome = Answered.CONFIRMED if is_right else Answered.NOT_MINE
        change.add(self._org.active_check(link.person_id))
        change.add(self._links.spend(link, outcome, change.now))
        if is_right:
            self._accounts.confirm(change, shown.account, link.person_id)
        elif shown.account.under_review_at is None:
            self.put_under_review(change, shown.account, NOT_MINE)
            change.unschedule(entry_id_of(shown.account.account_id))  # until there is another owner
        else:
            change.record(_subject(shown.account), "disowned", why=NOT_MINE)
            change.emit("AccountUnderReview", shown.account.account_id, why=NOT_MINE)
        try:
            self._kernel.commit(change)
        except Conflict:  # answered already, or the record is another one now
            return self._of(token)[1]
        return Shown(outcome, self._accounts.get(shown.account.account_id), shown.person)

    def _of(self, token: str) -> tuple[Link | None, Shown]:
        link = self._links.find(token, PURPOSE)
        if link is None:
            return None, Shown(Answered.DEAD)
        person = self._org.person(link.person_id)
        account = self._accounts.find(link.subject.removeprefix("account#"))
        if account is None or person.status == Status.LEFT:
            return link, Shown(Answered.DEAD)
        if link.outcome is not None:
            return link, Shown(Answered(link.outcome), account, person)
        now = self._kernel.clock.now()
        if link.expires_at <= now or not account.is_standing:
            return link, Shown(Answered.DEAD)
        owner = self._org.stand_in(account.owner_id, now)
        is_theirs = link.person_id == account.owner_id or (owner and owner.person_id == link.person_id)
        return link, Shown(Answered.OPEN if is_theirs else Answered.PASSED_ON, account, person)

    # Mails

    def _ask_mail(self, person: Person, account: Account, url: str) -> Mail:
        words = Words(person.language)
        due_at = account.confirm_by_at or self._kernel.clock.now()
        is_late = account.under_review_at is not None
        lines: list[Said] = [
            (mark("Is what we know about %(handle)s on %(platform)s still right?"), _named(account)),
            (
                mark("Nobody has confirmed it in time, so it is under review.")
                if is_late
                else mark("Each account is confirmed twice a year, this one until %(moment)s."),
                {} if is_late else {"moment": words.moment(due_at, person.zone)},
            ),
        ]
        return letter(
            words,
            self._settings.company,
            person.email,
            (mark("Please confirm: %(handle)s on %(platform)s"), _named(account)),
            lines,
            facts=self._facts(account),
            button=(mark("Look at it and confirm"), url),
            after=[(mark("If it is not yours, say so there, and its manager finds somebody else."), {})],
        )

    def _review_mail(self, person: Person, account: Account, why: str) -> Mail:
        words = Words(person.language)
        begun = account.under_review_at or self._kernel.clock.now()
        reason = (
            mark("Its owner, %(name)s, says that it is not theirs.")
            if why == NOT_MINE
            else mark("Its owner, %(name)s, has not confirmed it in time.")
        )
        return letter(
            words,
            self._settings.company,
            person.email,
            (mark("Under review: %(handle)s on %(platform)s"), _named(account)),
            [
                (mark("%(handle)s on %(platform)s is under review."), _named(account)),
                (reason, {"name": self._name(account.owner_id)}),
                (mark("Name an owner who is there, or ask this one to confirm it."), {}),
                (
                    mark("From %(moment)s on, only a lead can publish there."),
                    {"moment": words.moment(begun + REVIEW_GRACE_FOR, person.zone)},
                ),
            ],
            facts=self._facts(account),
            after=[(mark("Account number: %(id)s"), {"id": account.account_id})],
        )

    def _facts(self, account: Account) -> list[tuple[str, str]]:
        network = network_name(account.platform)
        return [(_PLATFORM, network), (_HANDLE, account.handle), (_PURPOSE, account.purpose)]

    def _name(self, person_id: str) -> str:
        try:
            return self._org.person(person_id).name
        except NotFound:
            return person_id


def _subject(account: Account) -> str:
    return f"account#{account.account_id}"


def _named(account: Account) -> dict[str, object]:
    return {"handle": account.handle, "platform": network_name(account.platform)}
