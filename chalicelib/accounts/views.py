"""What the API answers about accounts: nothing that leads to a credential."""

from datetime import datetime

from pydantic import BaseModel

from chalicelib.accounts.model import Account, AccountStatus


class AccountView(BaseModel):
    account_id: str
    platform: str
    server: str
    handle: str
    display_name: str
    url: str
    followers: int | None
    api_version: str | None
    unit_id: str
    owner_id: str
    backup_id: str | None
    purpose: str
    audience: str
    status: AccountStatus
    quiet_until: datetime | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, account: Account) -> "AccountView":
        return cls.model_validate(account, from_attributes=True)


class AccountsPage(BaseModel):
    accounts: list[AccountView]
    cursor: str | None
