"""Stands where SES stands, and keeps what is sent."""

from dataclasses import dataclass, field

from chalicelib.core.errors import Busy
from chalicelib.core.mail import Mail
from chalicelib.org.model import Person


@dataclass
class Postbox:
    """`down`: it takes nothing for now; `refused` are addresses that it does not deliver to for now."""

    sent: list[Mail] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    down: bool = False

    def send(self, mail: Mail) -> str:
        if self.down or mail.to in self.refused:
            raise Busy("SES asked to slow down")
        self.sent.append(mail)
        return f"<{len(self.sent)}@email.amazonses.com>"

    def to(self, person: Person) -> list[Mail]:
        return [mail for mail in self.sent if mail.to == person.email]

    def subjects(self, person: Person) -> list[str]:
        return [mail.subject for mail in self.to(person)]
