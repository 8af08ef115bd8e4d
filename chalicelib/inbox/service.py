"""The inbox: takes in what platforms tell, records what we answered, and shows it to whoever may see it."""

from datetime import datetime
from itertools import islice

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.kernel import Change, Kernel
from chalicelib.inbox.access import Access, Wanted
from chalicelib.inbox.apply import Application
from chalicelib.inbox.model import Conversation, Counting, Message, Note, Outcome, Ruling, Timing
from chalicelib.inbox.moves import Moves
from chalicelib.inbox.store import NEWEST_FIRST, InboxStore
from chalicelib.org.model import Actor
from chalicelib.org.service import Org
from chalicelib.platforms.inbound import InboundEvent, InboundKind

MOST_EXAMINED = 400  # conversations looked at for one page, however few of them a filter lets by


class Inbox:
    """`moves` is what people do with conversations, `access` who may."""

    def __init__(
        self, kernel: Kernel, org: Org, accounts: Accounts, clocks: Timing, rules: Ruling, numbers: Counting
    ) -> None:
        self._org = org
        self._accounts = accounts
        self._clocks = clocks
        self._rules = rules
        self._numbers = numbers
        self._paths: dict[str, tuple[str, ...]] = {}  # units are never moved
        self.store = InboxStore(kernel.database)
        self.access = Access(self.store, org)
        self.moves = Moves(kernel, self.store, org, self.access, clocks)

    # From platforms

    def take(
        self, change: Change, event: InboundEvent, account: Account, received_at: datetime, stale: bool
    ) -> None:
        """Add what an event means for the inbox to the change, with a history row; the caller commits.

        Any order and number of the same events gives the same rows. The commit raises Conflict when
        somebody changed the conversation meanwhile: make a new change and take the event again.
        """
        application = Application(self.store, self._clocks, self._numbers, change, account)
        application.take(event, received_at, stale, lambda: self._ruled(event, account))

    def tally(self, change: Change, event: InboundEvent, account: Account) -> None:
        """Add a reaction or share to the numbers; one that was taken back counts against them."""
        one = -1 if event.details.get("removed") else 1
        what = "reactions" if event.kind == InboundKind.REACTION else "shares"
        unit_id, account_id = account.unit_id, account.account_id
        self._numbers.count(change, unit_id, account_id, event.happened_at, None, **{what: one})

    def sent(self, change: Change, conversation: Conversation, message: Message) -> Conversation:
        """Add an answer that went out from here to the change: it ends the lock and the answer clocks.

        Returns the conversation as it will be saved; the platform's echo of the answer changes nothing more.
        The commit raises Conflict when somebody changed the conversation since it was read.
        """
        account = self._accounts.get(conversation.account_id)
        return Application(self.store, self._clocks, self._numbers, change, account).sent(
            conversation, message
        )

    def _ruled(self, event: InboundEvent, account: Account) -> Outcome:
        path = self._paths.get(account.unit_id)
        if path is None:
            path = self._paths[account.unit_id] = self._org.unit(account.unit_id).path
        return self._rules.apply(self._rules.of(path), event, account)

    # For readers

    def get(self, actor: Actor, conversation_id: str) -> Conversation:
        """Raises NotFound."""
        return self.access.visible(actor, conversation_id)

    def messages(
        self, conversation: Conversation, limit: int, before: str = ""
    ) -> tuple[list[Message], str | None]:
        """A page of messages, newest first, and where the next one starts."""
        return self.store.messages(conversation, limit, before)

    def notes(self, conversation: Conversation) -> list[Note]:
        """The latest hundred notes, oldest first."""
        return self.store.notes(conversation)

    def page(
        self, actor: Actor, wanted: Wanted, limit: int, after: str = ""
    ) -> tuple[list[Conversation], str | None]:
        """A page of what the actor may see, and where the next one starts.

        What is to be done comes by when it is due, what is over by when it ended, latest first. It reads as
        much for a hundred conversations as for a hundred thousand; with a filter that lets few by, a page
        may be short, and the next one goes on. Raises NotFound for a unit that is not there.
        """
        paths = self.access.paths()
        listings = self.access.listings(actor, wanted, paths)
        at_once = max(10, min(limit, 2 * limit // max(1, len(listings))))
        keys = self.store.listed(listings, after, wanted.group in NEWEST_FIRST, at_once)
        found: list[Conversation] = []
        examined = 0
        while examined < MOST_EXAMINED:
            batch = list(islice(keys, limit))
            known = self.store.get_many(conversation_id for _, conversation_id in batch)
            for place, conversation_id in batch:
                after = place
                conversation = known.get(conversation_id)
                if conversation is None or not wanted.fits(conversation, paths):
                    continue
                if self.access.sees(actor, conversation, paths):
                    found.append(conversation)
                    if len(found) == limit:
                        return found, after
            examined += len(batch)
            if len(batch) < limit:
                return found, None
        return found, after
