"""Where adapters keep their sessions with a network: SSM, like every secret."""

from typing import Any

from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings


class SsmSessions:
    """Sessions by account. What `get` gives may be five minutes old, which costs a sign-in, not a post."""

    def __init__(self, secrets: Secrets, settings: Settings) -> None:
        self._secrets = secrets
        self._settings = settings

    def get(self, account_id: str) -> dict[str, Any] | None:
        found = self._secrets.find(self._settings.secret_path("sessions", account_id))
        return dict(found) if found else None

    def put(self, account_id: str, session: dict[str, Any]) -> None:
        self._secrets.put(self._settings.secret_path("sessions", account_id), session)


class NoSessions:
    """For trying out credentials: every call signs in with just these, and nothing stays behind."""

    def get(self, account_id: str) -> dict[str, Any] | None:
        return None

    def put(self, account_id: str, session: dict[str, Any]) -> None:
        pass
