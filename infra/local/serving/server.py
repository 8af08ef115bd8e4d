"""A threaded HTTP/1.1 server on loopback that keeps connections alive and stops when told.

Werkzeug's own development server closes the connection after every answer; a load from fifty clients then
measures connection set-up instead of the platform.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, cast

from werkzeug.exceptions import InternalServerError
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"
LARGEST_DRAIN_BYTES = 1_000_000
STOP_GRACE_SECONDS = 2.0

log = logging.getLogger("infra.local")


class NoAnswerError(Exception):
    """Raised by an application that wants the connection closed with no answer at all."""


class Handler(WSGIRequestHandler):
    """Serves one connection, request after request, until the client or a timeout closes it."""

    protocol_version = "HTTP/1.1"
    timeout = 75
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def run_wsgi(self) -> None:
        """Answer one request; leftovers of its body are read away so that the next request starts clean."""
        environ = self.make_environ()
        length = environ.get("CONTENT_LENGTH", "0")
        if environ.get("wsgi.input_terminated"):
            self.close_connection = True
        elif length.isdecimal():
            environ["wsgi.input"] = LimitedStream(cast("IO[bytes]", self.rfile), int(length))
        else:
            self.send_error(400)
            self.close_connection = True
            return
        server = cast(Server, self.server)
        with server.request_in_flight():
            try:
                self._answer(server.app, environ)
            except NoAnswerError:
                self.close_connection = True
            except ConnectionError:
                self.close_connection = True
            except Exception:
                log.exception("%s %s failed", self.command, self.path)
                self.close_connection = True
                self._answer(InternalServerError(), environ)
        if not self.close_connection and not environ["wsgi.input"].is_exhausted:
            environ["wsgi.input"].read(LARGEST_DRAIN_BYTES)
            self.close_connection = not environ["wsgi.input"].is_exhausted

    def _answer(self, app: WSGIApplication, environ: WSGIEnvironment) -> None:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            started.append((status, headers))

        chunks: Iterable[bytes] = app(environ, cast("StartResponse", start_response))
        status, headers = started[-1]
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        if not any(name.lower() == "content-length" for name, _ in headers) and code not in ("204", "304"):
            self.close_connection = True
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            for chunk in chunks:
                self.wfile.write(chunk)
                self.wfile.flush()
            self.wfile.flush()
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """One plain line per request, for the log file."""
        log.info("%s %s %s", self.command, self.path, code)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (werkzeug's name)
        """Write to the log file instead of the terminal."""
        log.info(message, *args)


class Server(ThreadedWSGIServer):
    """The listening socket and its threads."""

    request_queue_size = 512

    def __init__(self, port: int, app: WSGIApplication) -> None:
        super().__init__(HOST, port, app, Handler)
        self._in_flight = 0
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        """Where a client on this machine reaches the server, without a closing slash."""
        return f"http://{HOST}:{self.port}"

    def request_in_flight(self) -> _InFlight:
        """A context that `stop` waits for."""
        return _InFlight(self)

    def count(self, change: int) -> None:
        """Add to the number of requests being answered."""
        with self._changed:
            self._in_flight += change
            self._changed.notify_all()

    def start(self) -> None:
        """Serve from a thread of its own and return at once."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Accept nothing more and give requests under way STOP_GRACE_SECONDS to finish."""
        self.shutdown()
        deadline = time.monotonic() + STOP_GRACE_SECONDS
        with self._changed:
            while self._in_flight and time.monotonic() < deadline:
                self._changed.wait(0.1)
        self.server_close()


class _InFlight:
    def __init__(self, server: Server) -> None:
        self._server = server

    def __enter__(self) -> None:
        self._server.count(1)

    def __exit__(self, *exc: object) -> None:
        self._server.count(-1)


def log_to(path: str | None) -> None:
    """Send this package's log to a file; without a path only errors are shown, on standard error."""
    handler: logging.Handler = logging.FileHandler(path) if path else logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO if path else logging.ERROR)
    log.propagate = False


def wait_for_signal(then: Callable[[], None]) -> None:
    """Block until SIGTERM or SIGINT, then call `then`."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    told.wait()
    then()
