"""A WebSub hub and publisher on loopback, by the W3C recommendation: topics, subscriptions, deliveries.

It asks a callback whether it meant the subscription before it counts, and signs what it delivers. The
callback is a function of the test: the hub hands it what it would send.
"""

import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs

Ask = Callable[[str, Mapping[str, str]], tuple[int, str]]
"""GET of a callback with a query: the status and body of the answer."""
Deliver = Callable[[str, Mapping[str, str], bytes], int]
"""POST to a callback with headers and a body: the status of the answer."""


@dataclass(frozen=True)
class Page:
    """What a path of the publisher answers."""

    body: str = ""
    content_type: str = "application/atom+xml"
    links: tuple[str, ...] = ()
    status: int = 200
    location: str = ""


@dataclass
class Subscriber:
    """A subscription that its callback has confirmed."""

    callback: str
    topic: str
    secret: str
    lease: int


@dataclass
class Hub:
    """`pages` by path; `redirects` of the hub's own path by status; `digest` is what it signs with."""

    ask: Ask
    deliver: Deliver
    pages: dict[str, Page] = field(default_factory=dict)
    redirects: dict[str, int] = field(default_factory=dict)
    digest: str = "sha1"
    lease: int | None = None
    answer: int = 202
    requests: list[tuple[str, str]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    subscribers: dict[str, Subscriber] = field(default_factory=dict)

    def __enter__(self) -> Self:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.requests.append(("GET", self.path))
                page = hub.pages.get(
                    self.path.partition("?")[0], Page("no such page", "text/plain", status=404)
                )
                headers = [("Content-Type", page.content_type), *(("Link", link) for link in page.links)]
                if page.location:
                    headers.append(("Location", page.location))
                self._send(page.status, headers, page.body.encode())

            def do_POST(self) -> None:
                hub.requests.append(("POST", self.path))
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path in hub.redirects:
                    self._send(hub.redirects[self.path], [("Location", f"{hub.url}/hub")], b"")
                    return
                # A real hub answers first and asks the callback later; here a test need not wait for it.
                if hub.answer == 202:
                    hub.take({name: values[0] for name, values in parse_qs(body.decode()).items()})
                self._send(hub.answer, [], b"the hub says no" if hub.answer >= 400 else b"")

            def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: pytest shows what matters."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.place}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, form: dict[str, str]) -> None:
        """A request to subscribe or unsubscribe: it counts once the callback has said that it meant it."""
        self.forms.append(form)
        mode, topic, callback = form["hub.mode"], form["hub.topic"], form["hub.callback"]
        challenge = secrets.token_urlsafe(24)
        lease = self.lease if self.lease is not None else int(form.get("hub.lease_seconds", "86400"))
        query = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": challenge}
        if mode == "subscribe":
            query["hub.lease_seconds"] = str(lease)
        status, body = self.ask(callback, query)
        if not (200 <= status < 300 and body == challenge):
            self.refused.append(topic)
        elif mode == "subscribe":
            self.subscribers[callback] = Subscriber(callback, topic, form.get("hub.secret", ""), lease)
        else:
            del self.subscribers[callback]

    def publish(self, topic: str, raw: bytes, signature: str | None = None) -> list[int]:
        """Deliver to all who subscribed to the topic; `signature` in place of the right one, "" for none."""
        answers = []
        for one in self.subscribers.values():
            if one.topic == topic:
                right = f"{self.digest}={hmac.new(one.secret.encode(), raw, self.digest).hexdigest()}"
                given = right if signature is None else signature
                headers = {"content-type": "application/atom+xml"} | (
                    {"x-hub-signature": given} if given else {}
                )
                answers.append(self.deliver(one.callback, headers, raw))
        return answers
