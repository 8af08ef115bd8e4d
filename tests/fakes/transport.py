"""A transport that answers from a function or a script and records what it was asked."""

import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from chalicelib.core.clock import Clock
from chalicelib.core.http import Headers, HttpClient, Request, Response

PUBLIC_ADDRESS = "93.184.216.34"

Answer = Response | Exception
Answering = Callable[[Request], Answer]


def reply(
    status: int = 200, data: Any = None, headers: dict[str, str] | None = None, body: bytes | None = None
) -> Response:
    """An answer whose body is `data` as JSON, or `body` as it is."""
    content = body if body is not None else b"" if data is None else json.dumps(data).encode()
    return Response(status, Headers({"Content-Type": "application/json", **(headers or {})}), content, "")


class FakeTransport:
    """Answers by calling a function, or from a list of answers in order; exceptions are raised.

    `requests` holds what was sent, and `listeners` hear what any fake sends. A script that runs out fails the
    test that asked for more.
    """

    listeners: ClassVar[list[Callable[[Request], None]]] = []

    def __init__(self, answers: Answering | Iterable[Answer]) -> None:
        self.requests: list[Request] = []
        self.addresses: list[list[str]] = []
        self._answering: Answering
        if callable(answers):
            self._answering = answers
        else:
            script = iter(answers)
            self._answering = lambda request: next(script)

    def send(self, request: Request, addresses: list[str]) -> Response:
        self.requests.append(request)
        for listener in self.listeners:
            listener(request)
        self.addresses.append(addresses)
        try:
            answer = self._answering(request)
        except StopIteration:
            raise AssertionError(f"nobody expected {request!r}") from None
        if isinstance(answer, Exception):
            raise answer
        return Response(answer.status, answer.headers, answer.body, request.url)


def client(clock: Clock, transport: FakeTransport) -> HttpClient:
    """An HTTP client over the fake, for which every host has one public address."""
    return HttpClient(clock, resolver=lambda host, port: [PUBLIC_ADDRESS], transport=transport)
