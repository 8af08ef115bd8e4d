"""Both local servers on free ports, with a clock that moves only when a test moves it."""

from __future__ import annotations

import http.client
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform.app import Platform
from infra.local.platform.serving import Server
from infra.local.platform.settings import Settings
from infra.local.platform.store import Store


@dataclass
class Clock:
    """The time, as a value."""

    at: datetime = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Client:
    """Talks HTTP to one server, a new connection for each call."""

    port: int
    token: str | None = None
    timeout: float = 10

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"], raw = "application/json", json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request(method, path, raw, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.call("POST", path, body, **options)

    def publish(self, status: str, key: str | None = None, **fields: Any) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        return self.post("/api/v1/statuses", {"status": status, **fields}, headers=headers)

    def upload(self, data: bytes, **fields: str) -> Answer:
        parts = [
            f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        head = '--cut\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        raw = "".join(parts).encode() + head.encode() + data + b"\r\n--cut--\r\n"
        return self.post(
            "/api/v2/media", raw=raw, headers={"Content-Type": "multipart/form-data; boundary=cut"}
        )


@dataclass
class World:
    """A running platform with two accounts."""

    clock: Clock
    control: Client
    anna: Client
    maryam: Client
    account_ids: dict[str, str] = field(default_factory=dict)

    @property
    def stranger(self) -> Client:
        return Client(self.control.port)

    def statuses(self, username: str, query: str = "", reader: Client | None = None) -> Answer:
        return (reader or self.stranger).get(f"/api/v1/accounts/{self.account_ids[username]}/statuses{query}")

    def misbehave(self, **rule: Any) -> None:
        assert self.control.post("/_local/misbehave", rule).status == 200


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client() -> type[Client]:
    return Client


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[World]:
    store = Store(tmp_path, clock.now)
    server = Server(0, Platform(store, Settings(), clock.now).wsgi)
    server.start()
    control = Client(server.port)
    ids = {}
    for username, display_name in (("anna", "Anna Kowalska"), ("maryam", "مریم احمدی")):
        made = control.post(
            "/_local/accounts",
            {"username": username, "display_name": display_name, "access_token": f"token-{username}"},
        )
        ids[username] = made.json["id"]
    yield World(clock, control, Client(server.port, "token-anna"), Client(server.port, "token-maryam"), ids)
    server.stop()
    store.close()


@pytest.fixture
def png() -> Callable[[int, int], bytes]:
    """Makes a one-colour PNG of a size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def make(width: int, height: int) -> bytes:
        rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(min(height, 64))))
        header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

    return make
