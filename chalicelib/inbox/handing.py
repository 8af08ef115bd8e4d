"""The mails to colleagues whom somebody calls: a conversation is passed up to them, or a note names them."""

from chalicelib.accounts.service import Accounts
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import mark, one_line
from chalicelib.inbox.clocks import BREACH, Line
from chalicelib.inbox.model import Conversation, State
from chalicelib.inbox.store import InboxStore
from chalicelib.inbox.tellings import name_of, told_mail
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org

_LONGEST_NOTE = 1000
_PASSED_UP = (
    mark("Passed up: %(who)s on %(platform)s"),
    mark("%(by)s passes the conversation with %(who)s on %(platform)s up to you."),
    mark("Take it, answer, or pass it on to somebody who can."),
)
_NAMED = (
    mark("%(by)s names you: %(who)s on %(platform)s"),
    mark("%(by)s names you in a note about the conversation with %(who)s on %(platform)s."),
    mark("Read the note, and answer there or in a note of your own."),
)


class Handing:
    def __init__(
        self,
        store: InboxStore,
        org: Org,
        accounts: Accounts,
        mailer: Mailer,
        settings: Settings,
        line: Line,
    ) -> None:
        self._store = store
        self._org = org
        self._accounts = accounts
        self._mailer = mailer
        self._settings = settings
        self._line = line

    def tell_passed_up(self, claim: Claim) -> None:
        """Mail those who answer for the unit, but not whoever passed it up; nobody once it is taken."""
        conversation, args = self._store.find(claim.entry.ref), claim.entry.args
        if conversation is None or conversation.state != State.ESCALATED:
            return
        for person_id in self._line.people(conversation, BREACH, claim.entry.due_at):
            if person_id != args["by"]:
                self._tell(person_id, args["by"], conversation, _PASSED_UP, conversation.reason)

    def tell_named(self, claim: Claim) -> None:
        """Mail those whom a note names."""
        conversation, args = self._store.find(claim.entry.ref), claim.entry.args
        if conversation is None:
            return
        note = next((n for n in self._store.notes(conversation) if n.note_id == args["note"]), None)
        for person_id in note.mentions if note else ():
            self._tell(person_id, args["by"], conversation, _NAMED, note.text if note else "")

    def _tell(
        self, person_id: str, by_id: str, conversation: Conversation, said: tuple[str, str, str], words: str
    ) -> None:
        person = self._org.person(person_id)
        if person.status != Status.LEFT:
            self._mailer.send(self._mail(person, self._org.person(by_id).name, conversation, said, words))

    def _mail(
        self, person: Person, by: str, conversation: Conversation, said: tuple[str, str, str], reason: str
    ) -> Mail:
        account = self._accounts.get(conversation.account_id)
        named = {"who": name_of(conversation.customer), "platform": account.platform, "by": one_line(by)}
        shown = one_line(reason)[:_LONGEST_NOTE]
        company, conversation_id = self._settings.company, conversation.conversation_id
        return told_mail(person, account, conversation_id, said, named, shown, company)
