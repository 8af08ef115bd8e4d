"""The one way out over HTTP: one request, one answer, no retries, no redirects, no proxies.

What it raises says whether the server may have seen the request, since that decides whether a post may exist.
Nothing it raises or shows carries a header, a query or a body.
"""

import contextlib
import io
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.core.addresses import Resolver, is_public, resolve
from chalicelib.core.clock import Clock
from chalicelib.core.errors import SignalboxError
from chalicelib.core.urls import Target, shown

if TYPE_CHECKING:
    import socket
    import ssl

    from urllib3.connection import HTTPConnection

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
_CONNECT_SECONDS = 5.0
# Servers drop idle connections after 5 s at the earliest (Node's default); a frozen function outlives any.
_KEPT_FOR = timedelta(seconds=4)
_KEPT_MOST = 8


class HttpError(SignalboxError):
    """The request did not end in an answer; `sent` is False only when the server cannot have seen it."""

    status = 502
    code = "http_error"
    sent = True


class NotSent(HttpError):
    """Nothing reached the server: no such name, refused, or no trusted connection."""

    sent = False


class AddressRefused(NotSent):
    """The address is not one this application may call, so no connection was tried."""


class MaybeSent(HttpError):
    """The request began and no whole answer came back: it may have been carried out."""


class Headers(Mapping[str, str]):
    """Header fields by name in any case; a repeated field is joined by commas (RFC 9110 section 5.3)."""

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, str] = {}
        for name, value in fields.items() if isinstance(fields, Mapping) else fields:
            key = name.lower()
            self._fields[key] = f"{self._fields[key]}, {value}" if key in self._fields else value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


@dataclass(frozen=True, repr=False)
class Request:
    """One call. `deadline_for` covers connecting, sending and reading; the name lookup comes before it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    deadline_for: timedelta = timedelta(seconds=15)
    max_bytes: int = 1_048_576

    def __repr__(self) -> str:
        return f"Request({self.method} {shown(self.url)}, {len(self.body)} bytes)"


@dataclass(frozen=True, repr=False)
class Response:
    """A whole answer of any status."""

    status: int
    headers: Headers
    body: bytes
    url: str

    def json(self) -> Any:
        """The body as JSON, or None when it is not JSON; never raises, however hostile the body."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def __repr__(self) -> str:
        return f"Response({self.status} from {shown(self.url)}, {len(self.body)} bytes)"


class Transport(Protocol):
    def send(self, request: Request, addresses: list[str]) -> Response:
        """Carry out one request over a connection to one of the addresses. Raises NotSent or MaybeSent."""
        ...


class HttpClient:
    """Sends requests to public https addresses, and to `allowed_hosts` ("127.0.0.1:8091") as they are.

    `resolver` and `transport` are the seams.
    """

    def __init__(
        self,
        clock: Clock,
        resolver: Resolver = resolve,
        transport: Transport | None = None,
        allowed_hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._clock = clock
        self._resolver = resolver
        self._transport = transport or Urllib3Transport(clock)
        self._allowed_hosts = allowed_hosts

    def send(self, request: Request) -> Response:
        """The answer to one request, whatever its status; a redirect is an answer like any other.

        Raises AddressRefused, NotSent or MaybeSent.
        """
        target = self._checked(request)
        return self._transport.send(request, self._addresses(target, request))

    def retry_at(self, response: Response) -> datetime | None:
        """When `Retry-After` (RFC 9110 section 10.2.3) allows another try; None when it says nothing."""
        text = response.headers.get("Retry-After", "").strip()
        try:
            if text.isdecimal():
                return self._clock.now() + timedelta(seconds=int(text))
            parsed = parsedate_to_datetime(text)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def _checked(self, request: Request) -> Target:
        problem = ""
        try:
            target = Target.of(request.url)
        except ValueError as error:
            problem = str(error)
        if problem:
            raise AddressRefused(f"The address was not called: {problem}.")
        for name, value in request.headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise NotSent(f"{request!r} was not sent: a header has a character that may not be sent.")
        if not (request.method.isascii() and request.method.isalpha()):
            raise NotSent(f"A request to {shown(request.url)} was not sent: it has no proper method.")
        if target.host_and_port not in self._allowed_hosts and (target.scheme, target.port) != ("https", 443):
            raise AddressRefused(f"{shown(request.url)} was not called: only https on port 443 is allowed.")
        return target

    def _addresses(self, target: Target, request: Request) -> list[str]:
        addresses: list[str] = []
        with contextlib.suppress(OSError, UnicodeError):
            addresses = self._resolver(target.host, target.port)
        if not addresses:
            raise NotSent(f"{request!r} was not sent: nobody knows the host {target.host}.")
        if target.host_and_port not in self._allowed_hosts and not all(map(is_public, addresses)):
            raise AddressRefused(
                f"{shown(request.url)} was not called: {target.host} is not a public address."
            )
        return addresses


class _TimedSocket:
    """A socket that gives every operation what is left of one deadline, so that no drip can stretch it."""

    def __init__(self, sock: "socket.socket") -> None:
        self._sock = sock
        self.ends = 0.0

    def arm(self) -> None:
        """Raises TimeoutError when the deadline has passed."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self.arm()
            view = view[self._sock.send(view) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self, self._sock.makefile("rb", buffering=0)))

    def settimeout(self, _seconds: float | None) -> None:
        """The deadline decides; the connection's own idea of a timeout is not wanted."""

    def fileno(self) -> int:
        return self._sock.fileno()

    def close(self) -> None:
        self._sock.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, owner: _TimedSocket, raw: "socket.SocketIO") -> None:
        self._owner = owner
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._owner.arm()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Urllib3Transport:
    """Straight connections to the given addresses; certificate and Host header stand for the name.

    A connection is kept for the next GET only: a POST on one that the server has just closed could not be
    told from a lost answer, so every POST gets a connection of its own.
    """

    def __init__(self, clock: Clock, tls: "ssl.SSLContext | None" = None) -> None:
        self._clock = clock
        self._tls = tls
        self._kept: dict[tuple[str, str, int], tuple[HTTPConnection, datetime]] = {}

    def send(self, request: Request, addresses: list[str]) -> Response:
        """As Transport.send says. Raises MaybeSent for whatever goes wrong once the first byte may be out."""
        from http.client import HTTPException

        from urllib3.exceptions import HTTPError

        target = Target.of(request.url)
        ends = time.monotonic() + request.deadline_for.total_seconds()
        connection = self._take(target, addresses, request) or self._connect(target, addresses, request, ends)
        connection.sock.ends = ends
        try:
            response = _exchange(connection, target, request)
        except (OSError, HTTPException, HTTPError, ValueError) as error:
            problem = type(error).__name__
        else:
            self._keep(target, connection)
            return response
        connection.close()
        raise MaybeSent(f"{request!r} began, and no whole answer came back ({problem}).")

    def _connect(self, target: Target, addresses: list[str], request: Request, ends: float) -> Any:
        from http.client import HTTPException

        from urllib3.connection import HTTPConnection, HTTPSConnection
        from urllib3.exceptions import HTTPError

        problem = "no time left"
        for address in addresses:
            # halved, because urllib3 gives this time to the connection and then again to the TLS handshake
            left = min((ends - time.monotonic()) / 2, _CONNECT_SECONDS)
            if left <= 0:
                break
            connection: HTTPConnection
            if target.scheme == "https":
                connection = HTTPSConnection(
                    address,
                    target.port,
                    timeout=left,
                    ssl_context=self._context(),
                    server_hostname=target.host,
                )
            else:
                connection = HTTPConnection(address, target.port, timeout=left)
            try:
                connection.connect()
            except (OSError, HTTPException, HTTPError, ValueError) as error:
                problem = type(error).__name__
                connection.close()
            else:
                connection.sock = _TimedSocket(connection.sock)
                return connection
        raise NotSent(f"{request!r} was not sent: no connection ({problem}).")

    def _context(self) -> "ssl.SSLContext":
        if self._tls is None:
            import ssl

            self._tls = ssl.create_default_context()
        return self._tls

    def _take(self, target: Target, addresses: list[str], request: Request) -> Any:
        """A kept connection to a checked address that is still alive, if this request may use one."""
        if request.method != "GET":
            return None
        connection, since = self._kept.pop((target.scheme, target.host, target.port), (None, None))
        if connection is None or since is None:
            return None
        fresh = self._clock.now() - since < _KEPT_FOR
        if fresh and connection.host in addresses and connection.is_connected:
            return connection
        connection.close()
        return None

    def _keep(self, target: Target, connection: "HTTPConnection") -> None:
        if connection.sock is None:  # the server asked to close
            return
        key = (target.scheme, target.host, target.port)
        doomed = self._kept.pop(key, None)
        if doomed is None and len(self._kept) >= _KEPT_MOST:
            doomed = self._kept.pop(next(iter(self._kept)), None)
        if doomed is not None:
            doomed[0].close()
        self._kept[key] = (connection, self._clock.now())


def _exchange(connection: "HTTPConnection", target: Target, request: Request) -> Response:
    default_port = {"http": 80, "https": 443}[target.scheme]
    host = target.host_and_port.removesuffix(f":{default_port}")
    headers = {"User-Agent": "Signalbox", "Accept": "application/json", **request.headers, "Host": host}
    body = request.body or None
    connection.request(request.method, target.path, body=body, headers=headers, preload_content=False)
    answer = connection.getresponse()
    content = bytearray()
    while chunk := answer.read(65_536, decode_content=False):
        content += chunk
        if len(content) > request.max_bytes:
            raise ValueError("the answer is too large")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise ValueError("the answer is in an encoding that was not asked for")
    return Response(answer.status, Headers(answer.headers.items()), bytes(content), request.url)


def multipart(fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes, str]]) -> tuple[str, bytes]:
    """The content type and body of a multipart form (RFC 7578); a file is its name, bytes and media type."""
    from urllib3 import encode_multipart_formdata

    body, content_type = encode_multipart_formdata({**fields, **files})
    return content_type, body
