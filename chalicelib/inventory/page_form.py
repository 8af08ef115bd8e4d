"""What the forms of a round's page send: hostile until read, and shown again when something is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from chalicelib.accounts.model import Account
from chalicelib.core.errors import Problem
from chalicelib.core.link_page import form_fields
from chalicelib.core.words import mark
from chalicelib.inventory.adding import Addition
from chalicelib.inventory.answers import About, Correction
from chalicelib.inventory.people import Named
from chalicelib.org.model import one_line

LONGEST = 300
PER_PAGE = 20
_MOST_TYPED = 2000  # of one field; what is longer is cut before it is looked at
_TOO_LONG = mark("This is too long. Please shorten it.")
_ONE_LINE = mark("Write it in one line, without hidden characters.")


@dataclass(frozen=True)
class Form:
    """Every field of every form, as it was typed; `do` is the button."""

    do: str = ""
    unit: str = ""
    account: str = ""
    seen: str = ""
    at: str = ""
    left: str = ""
    owner: str = ""
    owner_email: str = ""
    backup: str = ""
    backup_email: str = ""
    purpose: str = ""
    audience: str = ""
    contact: str = ""
    whose: str = ""
    why: str = ""
    address: str = ""
    platform: str = ""
    handle: str = ""

    @classmethod
    def parse(cls, raw: bytes) -> "Form":
        names = [field.name for field in fields(cls)]
        given = form_fields(raw, fields=len(names))
        long = {"left": 10 * _MOST_TYPED}
        return cls(**{n: given.get(n, "").strip()[: long.get(n, _MOST_TYPED)] for n in names})

    @classmethod
    def of(cls, account: Account, unit_id: str, seen: str) -> "Form":
        """The form of an account as it stands."""
        return cls(
            unit=unit_id, account=account.account_id, seen=seen, owner=account.owner_id,
            backup=account.backup_id or "", purpose=account.purpose, audience=account.audience,
            contact=account.contact,
        )  # fmt: skip

    @property
    def about(self) -> About:
        return About(self.unit, self.account, self.seen)

    @property
    def all_left(self) -> list[About]:
        """What stands on a page without an answer, for the button that confirms it all."""
        parts = (piece.split("/") for piece in self.left.split()[:PER_PAGE])
        return [About(*part) for part in parts if len(part) == 3]

    def correction(self, problems: list[Problem]) -> Correction:
        return Correction(
            Named(self.owner, self.owner_email),
            Named(self.backup, self.backup_email),
            _line("purpose", self.purpose, problems),
            _line("audience", self.audience, problems),
            _line("contact", self.contact, problems),
        )

    def reason(self, problems: list[Problem]) -> str:
        return _line("why", self.why, problems)

    def addition(self, problems: list[Problem]) -> Addition:
        owner = Named(self.owner, self.owner_email)
        purpose = _line("purpose", self.purpose, problems)
        return Addition(self.address, self.platform, self.handle, self.unit, owner, purpose)

    def seen_now(self, seen: str) -> "Form":
        """The same typed fields, about the record as it is shown now."""
        return replace(self, seen=seen)


def whole(text: str, default: int = 1) -> int:
    """A page's number as an address has it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else default


def asked(query: Mapping[str, str] | None, name: str) -> str:
    """What an address asks for; empty for what cannot be an id or a number."""
    text = (query or {}).get(name) or ""
    return text if len(text) <= 80 and text.isascii() and text.isprintable() else ""


def _line(field: str, text: str, problems: list[Problem]) -> str:
    cleaned = " ".join(text.split())
    if len(cleaned) > LONGEST:
        problems.append(Problem(field, _TOO_LONG))
        return ""
    try:
        return one_line(cleaned) if cleaned else ""
    except ValueError:
        problems.append(Problem(field, _ONE_LINE))
        return ""
