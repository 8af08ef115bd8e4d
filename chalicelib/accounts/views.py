"""What the API answers about accounts: nothing that leads to a credential."""

from datetime import datetime

from pydantic import BaseModel

from chalicelib.accounts.model import Account, AccountClass, AccountStatus, RogueKind


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
    account_class: AccountClass
    languages: tuple[str, ...]
    goals: tuple[str, ...]
    confirm_by_at: datetime | None
    under_review_at: datetime | None
    quiet_until: datetime | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, account: Account) -> "AccountView":
        return cls.model_validate(account, from_attributes=True)


class AccountsPage(BaseModel):
    accounts: list[AccountView]
    cursor: str | None


class RecordView(AccountView):
    """All that the register has of an account."""

    external_id: str
    rogue_kind: RogueKind | None
    same_as: str | None
    contact: str
    policy_links: tuple[str, ...]
    second_factor_by: str
    recovery_by: str
    connected_apps: tuple[str, ...]
    description: str
    avatar_url: str
    avatar_hash: str
    verified: bool | None
    opened_at: datetime | None
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    last_post_at: datetime | None
    unreadable_since: datetime | None
    unreadable_why: str
    confirmed_at: datetime | None
    confirmed_by: str

    @classmethod
    def of(cls, account: Account) -> "RecordView":
        return cls.model_validate(account, from_attributes=True)


class RegisterPage(BaseModel):
    accounts: list[RecordView]
    cursor: str | None


class Exported(BaseModel):
    accounts: list[RecordView]


class ImportReport(BaseModel):
    """What an import did, or with `dry_run` would do; `ignored` names columns that only Signalbox writes."""

    dry_run: bool
    rows: int
    added: int
    changed: int
    unchanged: int
    ignored: list[str]
