"""Where adapters keep their sessions with a network: SSM, like every secret."""

from typing import Any

from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings


class SsmSessions:
    """Sessions by account. What `get` gives may be five minutes old, which costs a sign-in, not a post.

    One that says `rotates` has a token that works once: no copy of it is kept, and each `get` asks SSM.
    """

    def __init__(self, secrets: Secrets, settings: Settings) -> None:
        self._secrets = secrets
        self._settings = settings

    def get(self, account_id: str) -> dict[str, Any] | None:
        path = self._path(account_id)
        found = self._secrets.find(path)
        self._forget_rotating(path, found)
        return dict(found) if found else None

    def put(self, account_id: str, session: dict[str, Any]) -> None:
        path = self._path(account_id)
        self._secrets.put(path, session)
        self._forget_rotating(path, session)

    def _path(self, account_id: str) -> str:
        return self._settings.secret_path("sessions", account_id)

    def _forget_rotating(self, path: str, session: dict[str, str] | None) -> None:
        if session and session.get("rotates"):
            self._secrets.forget(path)


class NoSessions:
    """For trying out credentials: every call signs in with just these, and nothing stays behind."""

    def get(self, account_id: str) -> dict[str, Any] | None:
        return None

    def put(self, account_id: str, session: dict[str, Any]) -> None:
        pass
