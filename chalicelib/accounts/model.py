"""Accounts: one profile on one network, who looks after it, and whether it can be used now."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from chalicelib.platforms.port import AccountRef


class AccountStatus(StrEnum):
    ACTIVE = "active"
    CREDENTIALS_REFUSED = "credentials_refused"
    RESTRICTED = "restricted"  # by the network: new credentials do not mend it
    RETIRED = "retired"


@dataclass(frozen=True)
class Account:
    """`server` is a base URL; `handle`, `display_name`, `url` and `followers` are as the network last said.

    `quiet_until`: the network asked not to be called before. `credentials_path` is where SSM has the secret.
    """

    account_id: str
    platform: str
    server: str
    handle: str
    display_name: str
    external_id: str
    url: str
    followers: int | None
    api_version: str | None
    unit_id: str
    owner_id: str
    backup_id: str | None
    purpose: str
    audience: str
    credentials_path: str
    credentials_at: datetime
    created_at: datetime
    status: AccountStatus = AccountStatus.ACTIVE
    quiet_until: datetime | None = None
    version: int = 1

    def ref(self, credentials: dict[str, str]) -> AccountRef:
        """The account as adapters take it."""
        return AccountRef(
            self.account_id, self.platform, self.handle, self.server, self.external_id, credentials
        )


def server_address(text: str) -> str:
    """The base URL of a server in its one spelling: scheme and host in lower case, nothing behind them.

    Raises ValueError for anything that is more or less than that.
    """
    problem = "must be the address of a server like 'https://social.example', and nothing else"
    if not text.isascii() or not all(char.isalnum() or char in ".:/[]-_" for char in text):
        raise ValueError(problem)
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        raise ValueError(problem) from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.path not in ("", "/"):
        raise ValueError(problem)
    if (parts.scheme, parts.port) == ("https", 443):
        port = ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def plain_handle(handle: str, server: str) -> str:
    """A handle as the server itself says it: without a leading @ and without the server's own name."""
    host = urlsplit(server).hostname or ""
    cleaned = handle.strip().removeprefix("@")
    local, at, domain = cleaned.rpartition("@")
    return local if at and domain.casefold() == host else cleaned
