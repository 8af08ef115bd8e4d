"""The API through Chalice's own test client, as API Gateway would call it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chalice.test import Client

import app
from chalicelib import wiring


@contextmanager
def serving(services: wiring.Services) -> Iterator[Client]:
    """A client of the whole app over these services."""
    wiring.use(services)
    try:
        with Client(app.app) as client:
            yield client
    finally:
        wiring.use(None)


@dataclass
class Api:
    """Calls as one person; a call gives status and body."""

    client: Client
    token: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        raw = json.dumps(body).encode() if body is not None else b""
        response = self.client.http.request(method, path, headers=sent, body=raw)
        assert response.headers["Cache-Control"] == "no-store"
        return response.status_code, json.loads(response.body) if response.body else None
