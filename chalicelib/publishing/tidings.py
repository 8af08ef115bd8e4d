"""Mails about what did not go as planned: what happened, to which channel, and what to do next.

To the post's author and the account's owner (and backup), each in their own language and zone. A mail may
come twice after a crash; a post may not: the two are kept apart on purpose.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.clock import to_text
from chalicelib.core.database import Item
from chalicelib.core.errors import NotFound
from chalicelib.core.kernel import Kernel
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.pages import Templates
from chalicelib.core.settings import Settings
from chalicelib.core.telling import tell_each, told_of
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark, one_line
from chalicelib.core.work import Later
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org
from chalicelib.publishing.holds import Hold, Holds
from chalicelib.publishing.model import Post, VariantState
from chalicelib.publishing.store import PostStore, post_read

TOLD_AGAIN_FOR = timedelta(hours=1)  # while a hold stands: how often what it met since is told
SETTLED_FOR = timedelta(minutes=1)  # a receipt's line is there this long after the time on it, and not later
MOST_POSTS, MOST_CHANNELS = 20, 8  # of one kind in one mail; of the others there is a number
_LONGEST_REASON = 80  # in a subject
TEMPLATES = Templates(Path(__file__).parent / "templates")


@dataclass(frozen=True)
class Outcome:
    """The words for one way that a variant can end up; messages for gettext.

    `among_others` takes the place of `next_step` for a post of several channels, which cannot be changed once
    one of them has begun.
    """

    subject: str
    what: str
    next_step: str
    among_others: str = ""

    def to_do(self, post: Post | None) -> str:
        is_one_of_many = post is not None and len(post.targets) > 1
        return self.among_others if is_one_of_many and self.among_others else self.next_step


OUTCOMES = {
    VariantState.REFUSED: Outcome(
        mark("Refused: %(title)s on %(channel)s"),
        mark("%(channel)s refused this post. Nothing was published there."),
        mark("Change the post and submit it again."),
        mark(
            "While no channel has it yet, change the post and submit it again. Once one has it, draft a new "
            "post for this channel alone; the others are not affected."
        ),
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
        mark(
            "While no channel has it yet, give it a new time and submit it again, or cancel it. Once one has "
            "it, draft a new post for this channel alone, or leave it."
        ),
    ),
    VariantState.CANCELLED: Outcome(
        mark("Dropped: %(title)s on %(channel)s"),
        mark(
            "The time of this post passed before it could go to %(channel)s, and its late "
            "policy drops it then."
        ),
        mark("Nothing needs to be done. To publish it after all, give it a new time and submit it again."),
        mark(
            "Nothing needs to be done. To publish it after all, draft a new post for this channel alone; "
            "while no channel has it yet, a new time for this one does as well."
        ),
    ),
}
APPROVED_LATE = Outcome(
    mark("Late: %(title)s"),
    mark("This post was approved after its time. It will not be published by itself."),
    mark("Give it a new time and submit it again, or cancel it."),
)
CREDENTIALS = Outcome(
    mark("Connect again: %(channel)s"),
    mark("%(channel)s refuses our credentials. Posts to this account are held until it is connected again."),
    mark("Replace the account's credentials, then release what is held."),
)
# What happened to an account: its new status, or what is wrong with what comes from it.
ACCOUNT = {
    "credentials_refused": CREDENTIALS,
    "restricted": Outcome(
        mark("Restricted: %(channel)s"),
        mark("The platform has restricted %(channel)s. Posts to this account are held."),
        mark("Do on the platform what it asks for. Then set the account active, and release what is held."),
    ),
    "lost": Outcome(
        mark("Nothing comes in: %(channel)s"),
        mark("Comments and messages to %(channel)s do not reach Signalbox: its subscription does not work."),
        mark("Do what the reason says. Signalbox looks again by itself, and then fetches what it can."),
    ),
    "unchecked": Outcome(
        mark("Not checked: %(channel)s"),
        mark("Signalbox cannot ask whether comments and messages to %(channel)s still reach it."),
        mark("Do what the reason says. Until then, open the account now and then and look."),
    ),
    "silent": Outcome(
        mark("Silent: %(channel)s"),
        mark("Nothing has come from %(channel)s for much longer than usual."),
        mark("Open the account and look. If there are comments that are not in the inbox, tell ops."),
    ),
}


# What a hold met, as its receipt calls it: the heading, and what to do.
MET = {
    "stopped": (
        mark("Stopped: %(n)s"),
        mark(
            "Nothing was published there. When the reason is gone, a lead or a district manager releases "
            "each: publish it now, give it another time, or drop it."
        ),
    ),
    "in_flight": (
        mark("On its way when the hold came: %(n)s"),
        mark("These could not be called back. Open the accounts and look; delete there what must not stand."),
    ),
    "already_out": (
        mark("Out already, in the day before the hold: %(n)s"),
        mark("A hold takes nothing back. Look at these, and delete on the accounts what must not stand."),
    ),
}
Posts = dict[tuple[str, str], list[str]]  # (id, title) of a post to its channels


@dataclass(frozen=True)
class Line:
    """One post in a mail, with channels of the reader's and how many more there are."""

    title: str
    channels: tuple[str, ...]
    more: int


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
        self._holds = Holds(kernel, store)

    def tell_outcome(self, claim: Claim) -> None:
        """Mail about a variant, a post that was approved too late, or what a hold met.

        The entry's reference says which: a variant's id, `post#<id>` or `hold#<id>`.
        """
        kind, _, ref = claim.entry.ref.rpartition("#")
        match kind:
            case "hold":
                self._tell_hold(claim, self._holds.get(ref))
            case "post":
                self._tell_late(claim, self._store.post(ref))
            case _:
                self._tell_variant(claim, ref)

    def tell_credentials_refused(self, claim: Claim) -> None:
        """Mail the owner and the backup of an account whose credentials were refused."""
        account = self._accounts.get(claim.entry.ref)

        def send(person: Person) -> None:
            self._send(person, CREDENTIALS, account=account)

        self._tell_each(claim, {account.owner_id, account.backup_id}, send)

    def tell_account(self, claim: Claim) -> None:
        """Mail the owner and the backup of an account what happened to it (`what`, of ACCOUNT) and `why`."""
        account, args = self._accounts.get(claim.entry.ref), claim.entry.args

        def send(person: Person) -> None:
            self._send(person, ACCOUNT[args["what"]], account=account, reason=args["why"])

        self._tell_each(claim, {account.owner_id, account.backup_id}, send)

    def _tell_variant(self, claim: Claim, variant_id: str) -> None:
        """Unless it has moved on since: an unknown that was found needs no mail."""
        variant = self._store.variant(variant_id)
        if variant is None or str(variant.state) != claim.entry.args["state"]:
            return
        post = self._store.post(variant.post_id)
        account = self._accounts.get(variant.account_id)

        def send(person: Person) -> None:
            outcome, due_at = OUTCOMES[variant.state], variant.due_at
            self._send(person, outcome, post, account=account, due_at=due_at, reason=variant.reason)

        self._tell_each(claim, {post.author_id, account.owner_id, account.backup_id}, send)

    def _tell_late(self, claim: Claim, post: Post) -> None:
        """One mail to each person concerned, with the channels that are theirs: all are the author's.

        Unless the post was changed or cancelled since, which takes its request from it.
        """
        if post.request_id != claim.entry.args["request"]:
            return
        channels: dict[str | None, list[str]] = {}
        accounts = self._accounts.get_many(post.targets)
        for account in (accounts[account_id] for account_id in post.targets):
            for person_id in {post.author_id, account.owner_id, account.backup_id}:
                channels.setdefault(person_id, []).append(_name(account))

        def send(person: Person) -> None:
            theirs = channels[person.person_id]
            self._send(person, APPROVED_LATE, post, channels=theirs, due_at=post.publish_at)

        self._tell_each(claim, channels, send)

    def _tell_hold(self, claim: Claim, hold: Hold) -> None:
        """One mail to each author, owner and backup of what the hold met up to `until`.

        Raises Later while the hold stands: who comes under it afterwards hears of it, too, but once an hour.
        """
        args = claim.entry.args
        since, until = args.get("since", ""), args["until"]
        met = self._met([i for i in self._holds.receipt(hold.hold_id) if since < i["at"] <= until])
        setter = self._here({hold.by_id})

        def send(person: Person) -> None:
            self._send_hold(person, hold, setter[0].name if setter else "", met[person.person_id])

        self._tell_each(claim, met, send)
        if hold.state == "active":
            again_at = self._kernel.clock.now() + TOLD_AGAIN_FOR
            raise Later(again_at, {"since": until, "until": to_text(again_at - SETTLED_FOR)})

    def _met(self, receipt: list[Item]) -> dict[str | None, dict[str, Posts]]:
        """A receipt by whom it concerns, by outcome, and by post."""
        post_ids = dict.fromkeys(line["post_id"] for line in receipt)
        post_of = dict(
            zip(post_ids, self._kernel.database.read_together(*map(post_read, post_ids)), strict=True)
        )
        accounts = self._accounts.get_many(line["account_id"] for line in receipt)
        met: dict[str | None, dict[str, Posts]] = {}
        for line in receipt:
            post, account = post_of[line["post_id"]], accounts[line["account_id"]]
            for person_id in {post.author_id, account.owner_id, account.backup_id}:
                posts = met.setdefault(person_id, {}).setdefault(line["outcome"], {})
                posts.setdefault((post.post_id, post.title), []).append(_name(account))
        return met

    def _tell_each(self, claim: Claim, people: Iterable[str | None], send: Callable[[Person], None]) -> None:
        """As core/telling.py does, whoever of them has not left."""
        here = {person.person_id: person for person in self._here(set(people) - told_of(claim))}
        tell_each(self._kernel.clock, claim, here, lambda person_id: send(here[person_id]))

    def _send(
        self,
        person: Person,
        outcome: Outcome,
        post: Post | None = None,
        *,
        account: Account | None = None,
        channels: list[str] | None = None,
        due_at: datetime | None = None,
        reason: str | None = None,
    ) -> None:
        """About one account's part (`account`), or about a post on several of the person's `channels`."""
        words = Words(person.language)
        title = one_line(post.title) if post else ""
        channel = _name(account) if account else ""
        values = {
            "outcome": outcome,
            "next_step": outcome.to_do(post),
            "channel": channel,
            "line": _line("", channels) if channels else None,
            "title": title,
            # Ours has a translation; a platform's own words have none, and come back as they are.
            "reason": words.template(reason) if reason else None,
            "planned": words.moment(due_at, person.zone) if due_at else None,
            "post_id": post.post_id if post else None,
            "account_id": account.account_id if account else None,
        }
        subject = words.say(outcome.subject, title=title, channel=channel)
        self._mail(person, words, "tidings", subject, values)

    def _send_hold(self, person: Person, hold: Hold, set_by: str, met: dict[str, Posts]) -> None:
        words, reason = Words(person.language), one_line(hold.reason)
        short = reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 1] + "…"
        parts = []
        for outcome, (heading, next_step) in MET.items():
            posts = met.get(outcome, {})
            if posts:
                shown = list(posts.items())[:MOST_POSTS]
                lines = [_line(title, sorted(names)) for (_, title), names in shown]
                count = words.number(sum(map(len, posts.values())))
                parts.append((heading, count, lines, len(posts) - len(lines), next_step))
        values = {
            "at": words.moment(hold.at, person.zone),
            "reason": reason,
            "set_by": one_line(set_by),
            "parts": parts,
            "hold_id": hold.hold_id,
        }
        self._mail(person, words, "hold", words.say("A hold was set: %(reason)s", reason=short), values)

    def _mail(
        self, person: Person, words: Words, template: str, subject: str, values: dict[str, Any]
    ) -> None:
        values = {**values, "subject": subject, "company": self._settings.company}
        text = TEMPLATES.text(f"{template}.txt", words, **values)
        html = TEMPLATES.html(f"{template}.html", words, **values)
        self._mailer.send(Mail(person.email, subject, text, html))

    def _here(self, person_ids: Iterable[str | None]) -> list[Person]:
        """Those of the people who have not left, in a stable order."""
        found = []
        for person_id in sorted({p for p in person_ids if p}):
            try:
                person = self._org.person(person_id)
            except NotFound:
                continue
            if person.status != Status.LEFT:
                found.append(person)
        return found


def _name(account: Account) -> str:
    return one_line(f"{account.handle} ({account.platform})")


def _line(title: str, channels: list[str]) -> Line:
    shown = tuple(channels[:MOST_CHANNELS])
    return Line(one_line(title), shown, len(channels) - len(shown))
