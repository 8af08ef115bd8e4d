"""A small client of the deployed API, for what runs on one machine: the company, the story, the bench."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

PATIENCE = 60.0


class ApiError(Exception):
    """The API refused; `status` and `answer` are what it said."""

    def __init__(self, method: str, path: str, status: int, answer: Any) -> None:
        super().__init__(f"{method} {path} answered {status}: {json.dumps(answer, ensure_ascii=False)}")
        self.status = status
        self.answer = answer


class Api:
    """JSON in and out, with one person's token."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, key: str | None = None) -> Any:
        return self.call("POST", path, body, {"Idempotency-Key": key} if key else {})

    def put(self, path: str, body: Any) -> Any:
        return self.call("PUT", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self.call("PATCH", path, body)

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """The answer's JSON. Raises ApiError for any status from 400 up."""
        request = urllib.request.Request(
            self._base_url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:  # nosec B310 - loopback
                text = answer.read()
        except urllib.error.HTTPError as error:
            raw = error.read()
            try:
                answer_body = json.loads(raw)
            except ValueError:
                answer_body = raw.decode("utf-8", "replace")[:500]
            raise ApiError(method, path, error.code, answer_body) from None
        return json.loads(text) if text else None


def fetch(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """(status, body) of a page or control address; an error status is an answer too."""
    request = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:  # nosec B310 - loopback
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def fetch_json(url: str, body: Any = None) -> Any:
    """The JSON at an address; with a body, posted there as JSON."""
    data = None if body is None else json.dumps(body).encode()
    _, text = fetch(url, data, {"Content-Type": "application/json"} if data else {})
    return json.loads(text)


def wait(look: Callable[[], Any], what: str) -> Any:
    """What `look` finds, asked twice a second. Raises TimeoutError, which says what did not come."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise TimeoutError(f"{what} did not come within {PATIENCE:.0f} s")
