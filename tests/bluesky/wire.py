"""The line between the app and a server: bytes as they are, until it is cut at one account's next post.

It knows one thing of what it carries: where a request ends, and whether it is a `putRecord` of some account.
"""

import json
import os
import signal
import socket
import threading
from collections import defaultdict
from contextlib import suppress
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
PUT = b"POST /xrpc/com.atproto.repo.putRecord "


class Cut(Enum):
    """Where a post is lost."""

    BEFORE_THE_SERVER = "the server never sees the call"
    AFTER_THE_SERVER = "the server answers, and nobody hears it"
    WITH_THE_WORKER = "the server answers, and the process that asked is killed before it can hear"


class Wire:
    """Listens on `port` and connects to `server_port`, both on loopback.

    `keys` are the record keys that each account's posts were sent under, lost ones too; a process is killed
    only if it is a child of the process `workers_of`.
    """

    def __init__(self, port: int, server_port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.keys: dict[str, list[str]] = defaultdict(list)
        self.workers_of: int | None = None
        self._server_port = server_port
        self._cuts: dict[str, tuple[Cut, threading.Event]] = {}
        self._listening = socket.create_server((LOOPBACK, port))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, did: str, where: Cut) -> threading.Event:
        """Lose the account's next post there; those after it go through. Set when it has been lost."""
        done = threading.Event()
        self._cuts[did] = where, done
        return done

    def connect(self) -> socket.socket:
        return socket.create_connection((LOOPBACK, self._server_port))

    def look(self, request: bytes) -> tuple[Cut, threading.Event] | None:
        """Notes the key of a post, and says whether it is to be lost."""
        if not request.startswith(PUT):
            return None
        call = json.loads(request.partition(b"\r\n\r\n")[2])
        self.keys[call["repo"]].append(call["rkey"])
        return self._cuts.pop(call["repo"], None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # else accept() would go on waiting
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=_Line(self, client).run, daemon=True).start()


class _Line:
    """One connection of the app's, and the one to the server that belongs to it."""

    def __init__(self, wire: Wire, client: socket.socket) -> None:
        self._wire = wire
        self._client = client
        self._server = wire.connect()
        self._losing: tuple[Cut, threading.Event] | None = None

    def run(self) -> None:
        """Carry requests there, one at a time; answers come back by a thread of their own."""
        back = threading.Thread(target=self._answers, daemon=True)
        back.start()
        with suppress(OSError):
            while request := _request(self._client):
                self._losing = self._wire.look(request)
                if self._losing and self._losing[0] is Cut.BEFORE_THE_SERVER:
                    self._losing[1].set()
                    break
                self._server.sendall(request)
        self._hang_up()
        back.join()
        self._client.close()
        self._server.close()

    def _answers(self) -> None:
        with suppress(OSError):
            while answer := self._server.recv(65_536):
                if self._losing:
                    where, done = self._losing
                    if where is Cut.WITH_THE_WORKER:
                        kill_worker(self._client.getpeername()[1], self._wire.workers_of)
                    done.set()
                    break
                self._client.sendall(answer)
        self._hang_up()

    def _hang_up(self) -> None:
        for side in (self._client, self._server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


def _request(client: socket.socket) -> bytes:
    """The next request with its body; empty when the client has hung up. It must say its Content-Length."""
    got, whole = b"", None
    while whole is None or len(got) < whole:
        chunk = client.recv(65_536)
        if not chunk:
            return b""
        got += chunk
        head, end, _ = got.partition(b"\r\n\r\n")
        if end:
            fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
            body = next((int(value) for name, _, value in fields if name == b"content-length"), 0)
            whole = len(head) + len(end) + body
    return got


def kill_worker(port: int, parent: int | None) -> None:
    """SIGKILL the process whose connection leaves from `port`; it must be a child of `parent`. Linux only."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1] == f"0100007F:{port:04X}"}
    for process in Path("/proc").glob("[0-9]*"):
        if _parent(process) == parent and sockets & _open(process):
            os.kill(int(process.name), signal.SIGKILL)
            return
    raise AssertionError(f"no child of process {parent} has a connection from port {port}")


def _parent(process: Path) -> int | None:
    with suppress(OSError):  # it has ended meanwhile
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return None


def _open(process: Path) -> set[str]:
    """What a process has open, as the system names it."""
    found = set()
    for descriptor in (process / "fd").iterdir():
        with suppress(OSError):
            found.add(str(descriptor.readlink()))
    return found
