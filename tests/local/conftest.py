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
from urllib.parse import urlencode

import pytest
from werkzeug.wrappers import Response

from infra.local.platform.app import Platform
from infra.local.platform.database import Database
from infra.local.platform.settings import Settings
from infra.local.serving.server import Server


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


POST = "app.bsky.feed.post"


@dataclass
class BlueskyClient(Client):
    """A Bluesky account of the platform, signed in."""

    did: str = ""
    handle: str = ""
    refresh: str = ""

    def query(self, name: str, **params: Any) -> Answer:
        return self.get(f"/xrpc/{name}?{urlencode(params, doseq=True)}")

    def run(self, name: str, **body: Any) -> Answer:
        return self.post(f"/xrpc/{name}", body)

    def sign_in(self, password: str = "secret") -> Answer:
        answer = self.run("com.atproto.server.createSession", identifier=self.handle, password=password)
        if answer.status == 200:
            self.token, self.refresh = answer.json["accessJwt"], answer.json["refreshJwt"]
        return answer

    def write(self, method: str, rkey: str | None, text: str, swap: Any = "absent", **fields: Any) -> Answer:
        record = {"$type": POST, "text": text, "createdAt": "2026-11-22T14:00:00.000Z", **fields}
        key = {"rkey": rkey} if rkey else {}
        swapped = {} if swap == "absent" else {"swapRecord": swap}
        called = f"com.atproto.repo.{method}Record"
        return self.run(called, repo=self.did, collection=POST, record=record, **key, **swapped)

    def put(self, rkey: str, text: str, **fields: Any) -> Answer:
        return self.write("put", rkey, text, **fields)

    def records(self, **params: Any) -> Answer:
        return self.query("com.atproto.repo.listRecords", repo=self.did, collection=POST, **params)

    def blob(self, data: bytes, mime: str = "image/png") -> Any:
        headers = {"Content-Type": mime}
        return self.post("/xrpc/com.atproto.repo.uploadBlob", raw=data, headers=headers).json["blob"]


@dataclass
class World:
    """A running platform with two Mastodon accounts, and Bluesky ones on request."""

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

    def bluesky(self, handle: str, **fields: Any) -> BlueskyClient:
        """A new Bluesky account, signed in."""
        wanted = {"network": "bluesky", "username": handle, "password": "secret", **fields}
        made = self.control.post("/_local/accounts", wanted)
        assert made.status == 201, made.text
        client = BlueskyClient(self.control.port, did=made.json["did"], handle=handle)
        assert client.sign_in().status == 200
        return client

    def misbehave(self, **rule: Any) -> None:
        assert self.control.post("/_local/misbehave", rule).status == 200


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client() -> type[Client]:
    return Client


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One listening socket for all tests; each puts a platform of its own behind it."""
    server = Server(0, Response("no test is running"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def world(tmp_path: Path, clock: Clock, server: Server) -> Iterator[World]:
    db = Database(tmp_path, clock.now)
    server.app = Platform(db, Settings()).wsgi
    control = Client(server.port)
    ids = {}
    for username, display_name in (("anna", "Anna Kowalska"), ("maryam", "مریم احمدی")):
        made = control.post(
            "/_local/accounts",
            {"username": username, "display_name": display_name, "access_token": f"token-{username}"},
        )
        ids[username] = made.json["id"]
    yield World(clock, control, Client(server.port, "token-anna"), Client(server.port, "token-maryam"), ids)
    server.app = Response("the test is over")
    db.close()


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
