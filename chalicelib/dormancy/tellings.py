"""The mails about silent accounts: quiet, unreadable, dormant and asked about, being retired."""

from collections.abc import Iterable
from datetime import timedelta

from chalicelib.accounts.directory import network_name
from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.clock import to_text
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.letters import Said, counted, letter
from chalicelib.core.links import Links
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark
from chalicelib.dormancy.model import Review, Sign, Stage
from chalicelib.dormancy.reviews import Reviews
from chalicelib.dormancy.store import Store
from chalicelib.org.line import managers
from chalicelib.org.model import Person
from chalicelib.org.service import Org

PURPOSE = "dormancy"
LINK_FOR = timedelta(days=60)
_NETWORK, _ACCOUNT, _LAST = mark("Network"), mark("Account"), mark("Last post")


class Tellings:
    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        accounts: Accounts,
        reviews: Reviews,
        links: Links,
        mailer: Mailer,
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._reviews = reviews
        self._links = links
        self._mailer = mailer
        self._settings = settings
        self._store = Store(kernel.database)

    def ask_review(self, claim: Claim) -> None:
        """Mail whoever has the review now a link of their own, unless it was decided meanwhile."""
        review = self._store.review(claim.entry.ref)
        if (
            review is None
            or not review.is_open
            or not claim.entry.entry_id.endswith(to_text(review.asked_at))
        ):
            return
        account = self._accounts.get(review.account_id)
        for person in self._reviews.asked(review, self._kernel.clock.now()):
            self._mailer.send(self._ask_mail(person, account, review, self._link(review, person)))

    def tell_retiring(self, claim: Claim) -> None:
        """Mail the owner, or the managers where there is none, the link to the retirement's checklist."""
        review = self._store.review(claim.entry.ref)
        if review is None or review.stage != Stage.RETIRING:
            return
        account, now = self._accounts.get(review.account_id), self._kernel.clock.now()
        owner = self._org.stand_in(account.owner_id, now)
        for person in [owner] if owner else managers(self._org, account.unit_id, now):
            self._mailer.send(self._retiring_mail(person, account, review, self._link(review, person)))

    def tell_quiet(self, claim: Claim) -> None:
        """Mail the owner of an account that has become quiet: there is time before it is dormant."""
        account = self._accounts.get(claim.entry.ref)
        _, watch = self._store.watched(account.account_id)
        if watch is None or watch.sign != Sign.QUIET:
            return
        lines: list[Said] = [
            (mark("%(handle)s on %(platform)s has become quiet."), _named(account)),
            (mark("Post something there, plan a pause, or say that it is not needed any more."), {}),
        ]
        self._tell_owner(account, (mark("Quiet: %(handle)s on %(platform)s"), _named(account)), lines)

    def tell_unreadable(self, claim: Claim) -> None:
        """Mail the owner of an account that could not be read for days."""
        account = self._accounts.get(claim.entry.ref)
        if account.unreadable_since is None:
            return
        lines: list[Said] = [
            (mark("%(handle)s on %(platform)s cannot be read."), _named(account)),
            (mark("So nobody can tell whether it is in use. It is tried again each day."), {}),
        ]
        subject = (mark("Not readable: %(handle)s on %(platform)s"), _named(account))
        self._tell_owner(account, subject, lines, account.unreadable_why)

    def _tell_owner(self, account: Account, subject: Said, lines: Iterable[Said], why: str = "") -> None:
        now = self._kernel.clock.now()
        owner = self._org.stand_in(account.owner_id, now)
        for person in [owner] if owner else managers(self._org, account.unit_id, now):
            words = Words(person.language)
            facts = [*_facts(words, account, person), (mark("Reason"), why)]
            self._mailer.send(
                letter(words, self._settings.company, person.email, subject, lines, facts=facts)
            )

    def _link(self, review: Review, person: Person) -> str:
        change = self._kernel.change(BY_JOB)
        token, write = self._links.mint(
            PURPOSE, f"account#{review.account_id}", person.person_id, to_text(review.opened_at),
            change.now + LINK_FOR,
        )  # fmt: skip
        change.add(write)
        change.record(f"account#{review.account_id}", "asked about its silence", of=person.person_id)
        self._kernel.commit(change)
        return f"{self._settings.public_url}/d/{token}"

    def _ask_mail(self, person: Person, account: Account, review: Review, url: str) -> Mail:
        words = Words(person.language)
        days = (review.opened_at - review.silent_since).days
        lines: list[Said] = [
            (mark("What is to become of %(handle)s on %(platform)s?"), _named(account)),
            counted("It has been silent for %(n)s day.", "It has been silent for %(n)s days.", days),
            (mark("Keep it with a plan, hand it over, merge it with another one, or retire it."), {}),
        ]
        if review.stage != Stage.OWNER:
            lines.append((mark("You are asked because nobody before you has decided."), {}))
        return letter(
            words, self._settings.company, person.email,
            (mark("Dormant: %(handle)s on %(platform)s"), _named(account)), lines,
            facts=_facts(words, account, person), button=(mark("Look at it and decide"), url),
            after=[(mark("Without an answer in a week, whoever is above you is asked."), {})],
        )  # fmt: skip

    def _retiring_mail(self, person: Person, account: Account, review: Review, url: str) -> Mail:
        words = Words(person.language)
        lines: list[Said] = [
            (mark("%(handle)s on %(platform)s is being retired."), _named(account)),
            counted("%(n)s step is left.", "%(n)s steps are left.", len(review.left)),
            (mark("Each step needs a proof. With the last one it is retired and our keys are deleted."), {}),
        ]
        return letter(
            words, self._settings.company, person.email,
            (mark("To be retired: %(handle)s on %(platform)s"), _named(account)), lines,
            facts=_facts(words, account, person), button=(mark("Open the checklist"), url),
        )  # fmt: skip


def _named(account: Account) -> dict[str, object]:
    return {"handle": account.handle, "platform": network_name(account.platform)}


def _facts(words: Words, account: Account, person: Person) -> list[tuple[str, str]]:
    last = words.moment(account.last_post_at, person.zone) if account.last_post_at else ""
    return [(_NETWORK, network_name(account.platform)), (_ACCOUNT, account.handle), (_LAST, last)]
