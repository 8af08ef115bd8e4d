"""The mail to whoever wrote an answer that was not sent, or of which nobody knows whether it was."""

from chalicelib.accounts.service import Accounts
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark, one_line
from chalicelib.inbox.reply_model import Reply, ReplyState
from chalicelib.inbox.reply_store import ReplyStore
from chalicelib.inbox.tellings import TEMPLATES
from chalicelib.org.model import Status
from chalicelib.org.service import Org

_LONGEST_NAME = 60  # in a subject
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
        if author.status != Status.LEFT:
            self._mailer.send(self._mail(reply, author.email, Words(author.language)))

    def _mail(self, reply: Reply, email: str, words: Words) -> Mail:
        account = self._accounts.get(reply.account_id)
        subject, what, to_do = _TOLD[reply.state]
        who = one_line(f"@{reply.to.handle.removeprefix('@')}" if reply.to.handle else reply.to.name) or "?"
        named = {
            "who": who if len(who) <= _LONGEST_NAME else who[: _LONGEST_NAME - 1] + "…",
            "platform": account.platform,
        }
        line = words.say(subject, **named)
        values = {
            "subject": line,
            "company": one_line(self._settings.company),
            "what": what,
            "to_do": to_do,
            "named": named,
            "reason": one_line(reply.reason or ""),
            "channel": one_line(f"{account.handle} ({account.platform})"),
            "conversation_id": reply.conversation_id,
        }
        text = TEMPLATES.text("told.txt", words, **values)
        return Mail(email, line, text, TEMPLATES.html("told.html", words, **values))
