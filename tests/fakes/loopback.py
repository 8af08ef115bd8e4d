"""A server on loopback that plays what a test tells it to, for what a fake transport cannot show."""

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

Play = Callable[["LoopbackServer", socket.socket], None]


class LoopbackServer:
    """Accepts on loopback and hands every connection to a function; counts connections, keeps requests."""

    def __init__(self, play: Play, tls: ssl.SSLContext | None = None) -> None:
        self.play = play
        self.tls = tls
        self.connections = 0
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.place = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._play, args=(accepted,), daemon=True).start()

    def _play(self, accepted: socket.socket) -> None:
        with accepted:
            try:
                connection = self.tls.wrap_socket(accepted, server_side=True) if self.tls else accepted
                with connection:
                    self.play(self, connection)
            except OSError:
                return

    def read_request(self, connection: socket.socket) -> bool:
        """One request, head and body, into `requests`; False at the end of the connection."""
        data = bytearray()
        while (end := data.find(b"\r\n\r\n")) < 0:
            if not _read_on(connection, data):
                return False
        lengths = [
            line.split(b":")[1]
            for line in data[:end].split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ]
        while len(data) < end + 4 + int(lengths[0] if lengths else 0):
            if not _read_on(connection, data):
                return False
        self.requests.append(bytes(data))
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=5)


def _read_on(connection: socket.socket, data: bytearray) -> bool:
    """False at the end of the connection: who reads on in spite of it never stops, and eats a core."""
    part = connection.recv(65_536)
    data += part
    return bool(part)


def answering(*answers: bytes) -> Play:
    """Plays the answers in order on one connection, then closes it."""

    def play(server: LoopbackServer, connection: socket.socket) -> None:
        for answer in answers:
            if not server.read_request(connection):
                return
            connection.sendall(answer)

    return play


OK = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'
