"""A Bluesky server in memory: sessions, blobs, handles and records, as a running PDS was seen to behave."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chalicelib.core.http import Request, Response
from tests.platforms.support import EXTERNAL_IDS, NOW, recorded

DID = EXTERNAL_IDS["bluesky"]
OLA = "did:plc:d5tbffnq6emirb74juoukyjp"


def token(serial: int, expires_at: datetime) -> str:
    """A JWT in form, with a serial number in it."""
    claims = json.dumps({"exp": int(expires_at.timestamp()), "jti": serial}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"


class FakePds:
    """`calls` are the names called, `records` what was written by key; `now` moves by hand."""

    def __init__(self, handles: dict[str, str] | None = None) -> None:
        self.handles = {"ola.test": OLA} if handles is None else handles
        self.records: dict[str, dict[str, Any]] = {}
        self.commits = 0
        self.calls: list[str] = []
        self.now = NOW
        self.access: set[str] = set()
        self.refresh: set[str] = set()
        self.password = "app-password-1234"
        self.active = True
        self._serial = 0

    def __call__(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        name = parts.path.removeprefix("/xrpc/")
        self.calls.append(name)
        params = {key: values[0] for key, values in parse_qs(parts.query).items()}
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        answer: Response = getattr(self, name.rpartition(".")[2])(request, params, bearer)
        return answer

    def sessions_end(self) -> None:
        """Every token there is stops working."""
        self.access.clear()
        self.refresh.clear()

    def createSession(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        if json.loads(request.body)["password"] != self.password:
            return recorded("bluesky", "bad_password")
        return self._session("session")

    def refreshSession(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        if bearer not in self.refresh:
            return recorded("bluesky", "expired_token")
        self.refresh.discard(bearer)
        return self._session("refreshed_session")

    def getSession(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        if bearer not in self.access:
            return recorded("bluesky", "bad_token")
        return recorded("bluesky", "account_about")

    def getProfile(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        return recorded("bluesky", "profile_shown")

    def listRecords(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        return recorded("bluesky", "records_listed")

    def resolveHandle(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        if params["handle"] not in self.handles:
            return recorded("bluesky", "handle_unknown")
        return recorded("bluesky", "handle_found", did=self.handles[params["handle"]])

    def uploadBlob(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        if bearer not in self.access:
            return recorded("bluesky", "bad_token")
        return recorded("bluesky", "blob")

    def putRecord(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        if bearer not in self.access:
            return recorded("bluesky", "expired_token")
        call = json.loads(request.body)
        known = self.records.get(call["rkey"])
        uri = f"at://{call['repo']}/{call['collection']}/{call['rkey']}"
        if known == call["record"]:
            return recorded("bluesky", "record_unchanged", uri=uri)
        if known is not None and "swapRecord" in call:
            return recorded("bluesky", "swap_refused")
        self.records[call["rkey"]] = call["record"]
        self.commits += 1
        return recorded("bluesky", "record_written", uri=uri)

    def getRecord(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        if not self.active:
            return recorded("bluesky", "record_missing_repo_deactivated")
        if params["rkey"] not in self.records:
            return recorded("bluesky", "record_missing")
        return recorded("bluesky", "record_read", value=self.records[params["rkey"]])

    def getRepoStatus(self, request: Request, params: dict[str, str], bearer: str) -> Response:  # noqa: N802
        return recorded("bluesky", "repo_active" if self.active else "repo_deactivated")

    def _session(self, name: str) -> Response:
        self._serial += 1
        access = token(self._serial, self.now + timedelta(hours=2))
        refresh = token(self._serial, datetime(2027, 2, 20, tzinfo=UTC))
        self.access.add(access)
        self.refresh.add(refresh)
        return recorded("bluesky", name, accessJwt=access, refreshJwt=refresh)
