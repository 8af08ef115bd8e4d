"""The mail to whoever wrote an answer that was not sent, or of which nobody knows whether it was."""

from chalicelib.accounts.service import Accounts
from chalicelib.core.mail import Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import mark
from chalicelib.inbox.reply_model import ReplyState
from chalicelib.inbox.reply_store import ReplyStore
from chalicelib.inbox.tellings import name_of, told_mail
from chalicelib.org.model import Status
from chalicelib.org.service import Org

_TOLD = {
    ReplyState.REFUSED: (
        mark("Not sent: your answer to %(who)s on %(platform)s"),
        mark("Your answer to %(who)s was not sent. Nothing stands on %(platform)s."),
        mark("Change what the reason says and answer again, or pass the conversation on."),
    ),
    ReplyState.UNKNOWN: (
        mark("Please look: your answer to %(who)s on %(platform)s"),
        mark(
            "%(platform)s did not say whether it took your answer to %(who)s. It is not sent again by itself."
        ),
        mark(
            "Open the conversation there and look. Then settle the answer: say that it is there, or that "
            "it is not."
        ),
    ),
}


class ReplyTellings:
    def __init__(
        self, replies: ReplyStore, org: Org, accounts: Accounts, mailer: Mailer, settings: Settings
    ) -> None:
        self._replies = replies
        self._org = org
        self._accounts = accounts
        self._mailer = mailer
        self._settings = settings

    def tell_reply(self, claim: Claim) -> None:
        """Mail its author, without the customer's words; not if it has moved on since, or they have left."""
        reply = self._replies.find(claim.entry.ref)
        if reply is None or reply.state not in _TOLD:
            return
        author = self._org.person(reply.by_id)
        if author.status == Status.LEFT:
            return
        account = self._accounts.get(reply.account_id)
        named = {"who": name_of(reply.to), "platform": account.platform}
        said, reason, company = _TOLD[reply.state], reply.reason or "", self._settings.company
        mail = told_mail(author, account, reply.conversation_id, said, named, reason, company)
        self._mailer.send(mail)
