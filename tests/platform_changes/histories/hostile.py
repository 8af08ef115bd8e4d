"""A server on loopback whose sources work, until they are told to turn into something that harms."""

import socket
from itertools import pairwise
from typing import Self

from chalicelib.core.http import Request, Response
from tests.fakes.loopback import LoopbackServer
from tests.fakes.transport import Answering

_HEAD = (
    "HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nETag: {etag}\r\n{more}\r\n"
)
BIG = 10_000_000
_BOMB = """<?xml version="1.0"?>
<!DOCTYPE rss [<!ENTITY a "spam spam spam spam spam">
{}
]>
<rss version="2.0"><channel><title>&z;</title><item><guid>1</guid><title>&z;</title></item></channel></rss>
"""
_PAGE = (
    b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Sign in to go on</h1></body></html>"
)


def bomb() -> bytes:
    """Entities of entities: each is ten of the one before, a billion of the first in all."""
    letters = "abcdefghiz"
    return _BOMB.format(
        "\n".join(f'<!ENTITY {one} "{f"&{of};" * 10}">' for of, one in pairwise(letters))
    ).encode()


TURNS = ("huge", "redirects", "html", "entities")


class Server:
    """Sources by their names: each answers what `serve` says, until it turns, and again once it is mended."""

    def __init__(self) -> None:
        self.most_sent = 0  # of one answer that was cut off
        self._turned: set[str] = set()
        self._web: Answering | None = None
        self._server = LoopbackServer(self._play)
        self.place = self._server.place

    def url(self, name: str) -> str:
        return f"http://{self.place}/{name}"

    def serve(self, web: Answering) -> None:
        self._web = web

    def turn(self, name: str) -> None:
        self._turned.add(name)

    def mend(self, name: str) -> None:
        self._turned.discard(name)

    def _play(self, server: LoopbackServer, connection: socket.socket) -> None:
        while server.read_request(connection):
            lines = server.requests.pop().decode("latin-1").split("\r\n")
            path, headers = (
                lines[0].split(" ")[1],
                dict(line.split(": ", 1) for line in lines[1:] if ": " in line),
            )
            name = path.strip("/").partition("/")[0]
            if name in self._turned:
                self._harm(connection, name, path)
            else:
                self._answer(connection, path, headers)

    def _answer(self, connection: socket.socket, path: str, headers: dict[str, str]) -> None:
        assert self._web is not None, "nobody said what to serve"
        known = {name.title(): value for name, value in headers.items()}
        answer = self._web(Request("GET", f"http://{self.place}{path}", known))
        assert isinstance(answer, Response)
        kind, etag = answer.headers.get("Content-Type", ""), answer.headers.get("ETag", "")
        _send(connection, answer.status, kind, answer.body, etag)

    def _harm(self, connection: socket.socket, name: str, path: str) -> None:
        if name == "huge":
            head = _HEAD.format(status=200, kind="application/rss+xml", length=BIG, etag="", more="")
            connection.sendall(head.encode())
            for number in range(1, BIG // 50_000 + 1):
                connection.sendall(b"<item/>   " * 5_000)
                self.most_sent = max(self.most_sent, number * 50_000)
        elif name == "redirects":
            more = f"Location: {path.rstrip('/')}/on\r\n"
            _send(connection, 302, "text/plain", b"", "", more)
        elif name == "html":
            _send(connection, 200, "text/html", _PAGE)
        else:
            _send(connection, 200, "application/rss+xml", bomb())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.close()


def _send(
    connection: socket.socket, status: int, kind: str, body: bytes, etag: str = "", more: str = ""
) -> None:
    head = _HEAD.format(status=status, kind=kind, length=len(body), etag=etag, more=more)
    connection.sendall(head.encode() + (b"" if status == 304 else body))
