"""What the API answers about the versions that we call."""

from collections.abc import Iterable
from datetime import date

from pydantic import BaseModel

from chalicelib.platform_changes.versions import State, VersionLine


class AccountOnIt(BaseModel):
    account_id: str
    handle: str


class VersionView(BaseModel):
    """`ends_on` is the first day without it; `ends_on_here` is what our code says, `ends_on_there` what the
    platform's own table says, and `disagree` that these differ.

    `accounts` call it, of `units`; `named` are the first of them. `is_own`: they ask for it themselves.
    """

    platform: str
    version: str
    is_own: bool
    state: State
    ends_on: date | None
    ends_on_here: date | None
    ends_on_there: date | None
    disagree: bool
    days_left: int | None
    newest: str | None
    accounts: int
    units: int
    named: list[AccountOnIt]
    set_in: str | None

    @classmethod
    def of(cls, line: VersionLine) -> "VersionView":
        named = [AccountOnIt(account_id=account_id, handle=handle) for account_id, handle in line.named]
        return cls(**{**vars(line), "named": named}, disagree=line.disagree)


class VersionsView(BaseModel):
    versions: list[VersionView]

    @classmethod
    def of(cls, lines: Iterable[VersionLine]) -> "VersionsView":
        return cls(versions=[VersionView.of(line) for line in lines])
