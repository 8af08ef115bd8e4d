"""Mails about what did not go as planned: what happened, to which channel, and what to do next.

To the post's author and the account's owner (and backup), each in their own language and zone. A mail may
come twice after a crash; a post may not: the two are kept apart on purpose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import NotFound, SignalboxError
from chalicelib.core.kernel import Kernel
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.pages import Templates
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark, one_line
from chalicelib.core.work import Later
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org
from chalicelib.publishing.model import Post, Variant, VariantState
from chalicelib.publishing.store import PostStore

RETRY_FOR = timedelta(seconds=30)
TEMPLATES = Templates(Path(__file__).parent / "templates")


@dataclass(frozen=True)
class Outcome:
    """The words for one way that a variant can end up; messages for gettext."""

    subject: str
    what: str
    next_step: str


OUTCOMES = {
    VariantState.REFUSED: Outcome(
        mark("Refused: %(title)s on %(channel)s"),
        mark("%(channel)s refused this post. Nothing was published there."),
        mark("Change the post and submit it again; the other channels are not affected."),
    ),
    VariantState.UNKNOWN: Outcome(
        mark("Please look: %(title)s on %(channel)s"),
        mark("%(channel)s did not say whether this post was published. It is not sent again by itself."),
        mark("Open the account and look. Then settle the post: say that it is there, or that it is not."),
    ),
    VariantState.HELD: Outcome(
        mark("Held: %(title)s on %(channel)s"),
        mark("This post was stopped before it went to %(channel)s. Nothing was published there."),
        mark("When the reason is gone, release it: publish it now, give it another time, or drop it."),
    ),
    VariantState.LATE: Outcome(
        mark("Late: %(title)s on %(channel)s"),
        mark(
            "The time of this post passed before it could go to %(channel)s. It will not be "
            "published by itself."
        ),
        mark("Give it a new time and submit it again, or cancel it."),
    ),
    VariantState.CANCELLED: Outcome(
        mark("Dropped: %(title)s on %(channel)s"),
        mark(
            "The time of this post passed before it could go to %(channel)s, and its late "
            "policy drops it then."
        ),
        mark("Nothing needs to be done. To publish it after all, give it a new time and submit it again."),
    ),
}
CREDENTIALS = Outcome(
    mark("Connect again: %(channel)s"),
    mark("%(channel)s refuses our credentials. Posts to this account are held until it is connected again."),
    mark("Replace the account's credentials, then release what is held."),
)


class Tidings:
    def __init__(
        self,
        kernel: Kernel,
        store: PostStore,
        org: Org,
        accounts: Accounts,
        mailer: Mailer,
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._org = org
        self._accounts = accounts
        self._mailer = mailer
        self._settings = settings

    def tell_outcome(self, claim: Claim) -> None:
        """Mail about a variant, unless it has moved on since: an unknown that was found needs no mail."""
        variant = self._store.variant(claim.entry.ref)
        if variant is None or str(variant.state) != claim.entry.args["state"]:
            return
        post = self._store.post(variant.post_id)
        account = self._accounts.get(variant.account_id)
        people = {post.author_id, account.owner_id, account.backup_id}

        def send(person: Person) -> None:
            self._send(person, OUTCOMES[variant.state], account, variant.reason, post, variant)

        self._tell_each(claim, people, send)

    def tell_credentials_refused(self, claim: Claim) -> None:
        """Mail the owner and the backup of an account whose credentials were refused."""
        account = self._accounts.get(claim.entry.ref)

        def send(person: Person) -> None:
            self._send(person, CREDENTIALS, account, None, None, None)

        self._tell_each(claim, {account.owner_id, account.backup_id}, send)

    def _tell_each(self, claim: Claim, people: set[str | None], send: Callable[[Person], None]) -> None:
        """Mail everybody, though one address fails; who was mailed is kept, and the others are tried again.

        Raises Later when some could not be mailed, the error itself when none could.
        """
        told = set(filter(None, claim.entry.args.get("told", "").split(",")))
        newly, failure = set(), None
        for person in self._here(people):
            if person.person_id not in told:
                try:
                    send(person)
                    newly.add(person.person_id)
                except SignalboxError as error:
                    failure = error
        if failure is not None and newly:
            again = {**claim.entry.args, "told": ",".join(sorted(told | newly))}
            raise Later(self._kernel.clock.now() + RETRY_FOR, again)
        if failure is not None:
            raise failure

    def _send(
        self,
        person: Person,
        outcome: Outcome,
        account: Account,
        reason: str | None,
        post: Post | None,
        variant: Variant | None,
    ) -> None:
        words = Words(person.language)
        channel = one_line(f"{account.handle} ({account.platform})")
        title = one_line(post.title) if post else ""
        values = {
            "company": self._settings.company,
            "outcome": outcome,
            "channel": channel,
            "title": title,
            "reason": reason,
            "planned": words.moment(variant.due_at, person.zone) if variant else None,
            "post_id": post.post_id if post else None,
            "account_id": account.account_id,
        }
        self._mailer.send(
            Mail(
                to=person.email,
                subject=words.say(outcome.subject, title=title, channel=channel),
                text=TEMPLATES.text("tidings.txt", words, **values),
                html=TEMPLATES.html("tidings.html", words, **values),
            )
        )

    def _here(self, person_ids: set[str | None]) -> list[Person]:
        """Those of the people who have not left, in a stable order."""
        found = []
        for person_id in sorted(p for p in person_ids if p):
            try:
                person = self._org.person(person_id)
            except NotFound:
                continue
            if person.status != Status.LEFT:
                found.append(person)
        return found
