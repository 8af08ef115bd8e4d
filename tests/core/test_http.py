"""The HTTP client against real sockets on loopback: deadlines, caps, TLS, kept connections, redaction."""

import datetime as dt
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import (
    Headers,
    HttpClient,
    HttpError,
    MaybeSent,
    NotSent,
    Request,
    Response,
    Urllib3Transport,
    multipart,
)
from tests.fakes.loopback import OK, LoopbackServer, Play, answering
from tests.fakes.transport import FakeTransport, client, reply

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "s3cret-t0ken"


Serving = Callable[..., LoopbackServer]


@pytest.fixture
def serving() -> Iterator[Serving]:
    with ExitStack() as servers:

        def start(play: Play, tls: ssl.SSLContext | None = None) -> LoopbackServer:
            return servers.enter_context(LoopbackServer(play, tls))

        yield start


def real_client(server: LoopbackServer) -> HttpClient:
    return HttpClient(FixedClock(NOW), allowed_hosts=frozenset({server.place}))


def ask(server: LoopbackServer, method: str = "POST", path: str = "/", **kwargs: object) -> Request:
    return Request(method, f"http://{server.place}{path}", **kwargs)  # type: ignore[arg-type]


# ---- what is sent, and what comes back


def test_a_request_arrives_whole_and_its_answer_comes_back(serving: Serving) -> None:
    server = serving(answering(OK))
    answer = real_client(server).send(ask(server, path="/a?b=c", headers={"X-One": "1"}, body=b"hello"))
    assert (answer.status, answer.json()) == (200, {"ok": True})
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert body == b"hello"
    assert f"host: {server.place}".encode() in head.lower()
    assert b"x-one: 1" in head.lower()
    assert b"accept-encoding: identity" in head.lower()


def test_a_post_without_a_body_says_so(serving: Serving) -> None:
    server = serving(answering(OK))
    real_client(server).send(ask(server))
    assert b"content-length: 0" in server.requests[0].lower()


def test_a_chunked_answer_is_read_whole(serving: Serving) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    server = serving(answering(chunked))
    assert real_client(server).send(ask(server)).body == b"abcde"


def test_a_redirect_is_an_answer_and_is_not_followed(serving: Serving) -> None:
    inside = serving(answering(OK))
    location = f"http://{inside.place}/".encode()
    server = serving(
        answering(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")
    )
    allowed = frozenset({server.place, inside.place})
    answer = HttpClient(FixedClock(NOW), allowed_hosts=allowed).send(ask(server, "GET"))
    assert answer.status == 302
    assert inside.connections == 0


def test_proxies_of_the_environment_are_ignored(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serving(answering(OK))
    server = serving(answering(OK))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{proxy.place}")
    real_client(server).send(ask(server))
    assert (proxy.connections, server.connections) == (0, 1)


# ---- failures, and whether the server may have seen the request


def test_a_refused_connection_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(NotSent) as caught:
        HttpClient(FixedClock(NOW), allowed_hosts=frozenset({place})).send(
            Request("POST", f"http://{place}/")
        )
    assert not caught.value.sent


def test_a_name_nobody_knows_is_not_sent() -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    transport = FakeTransport([])
    with pytest.raises(NotSent):
        HttpClient(FixedClock(NOW), resolver=nobody, transport=transport).send(
            Request("GET", "https://no.example/")
        )
    assert transport.requests == []


def test_a_name_too_long_for_dns_is_not_sent() -> None:
    with pytest.raises(NotSent):
        HttpClient(FixedClock(NOW)).send(Request("GET", f"https://{'a' * 64}.example/"))


def hang_up(server: LoopbackServer, connection: socket.socket) -> None:
    server.read_request(connection)


def reset(server: LoopbackServer, connection: socket.socket) -> None:
    server.read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def never_answer(server: LoopbackServer, connection: socket.socket) -> None:
    server.read_request(connection)
    time.sleep(6)


def drip_headers(server: LoopbackServer, connection: socket.socket) -> None:
    server.read_request(connection)
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 50:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def drip_body(server: LoopbackServer, connection: socket.socket) -> None:
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.05)


def never_read(_server: LoopbackServer, _connection: socket.socket) -> None:
    time.sleep(6)


@pytest.mark.parametrize("play", [never_answer, drip_headers, drip_body, never_read])
def test_the_deadline_cuts_every_slow_server_and_the_request_may_have_been_sent(
    serving: Serving, play: Play
) -> None:
    server = serving(play)
    request = ask(server, body=b"x" * 30_000_000, deadline_for=timedelta(seconds=0.4))
    started = time.monotonic()
    with pytest.raises(MaybeSent) as caught:
        real_client(server).send(request)
    assert time.monotonic() - started < 4
    assert caught.value.sent


@pytest.mark.parametrize(
    "play",
    [
        hang_up,
        reset,
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
        answering(b"not http at all\r\n\r\n"),
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        answering(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"),
        answering(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
    ],
    ids=["hang-up", "reset", "cut-short", "not-http", "bad-chunk", "compressed", "too-many-headers"],
)
def test_a_broken_answer_means_the_request_may_have_been_sent(serving: Serving, play: Play) -> None:
    server = serving(play)
    with pytest.raises(MaybeSent):
        real_client(server).send(ask(server))


def test_a_broken_answer_is_not_asked_for_again(serving: Serving) -> None:
    server = serving(hang_up)
    with pytest.raises(MaybeSent):
        real_client(server).send(ask(server, "GET"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_over_the_cap_is_dropped_after_the_cap(serving: Serving, declared: bool) -> None:
    size = 10_000_000
    sent = 0

    def flood(server: LoopbackServer, connection: socket.socket) -> None:
        nonlocal sent
        server.read_request(connection)
        length = f"Content-Length: {size}\r\n".encode() if declared else b""
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n")
        while sent < size:
            sent += connection.send(b"x" * 65_536)

    server = serving(flood)
    with pytest.raises(MaybeSent):
        real_client(server).send(ask(server, max_bytes=100_000))
    time.sleep(0.5)
    assert sent < size


# ---- TLS


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for a name and its key, as files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert_file, key_file


@pytest.mark.parametrize(("called", "trusted"), [("good.example", True), ("other.example", False)])
def test_the_certificate_is_checked_for_the_name_and_not_for_the_address(
    serving: Serving, tmp_path: Path, called: str, trusted: bool
) -> None:
    cert_file, key_file = certificate(tmp_path, "good.example")
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(cert_file, key_file)
    names: list[str | None] = []
    server_tls.sni_callback = lambda _socket, name, _context: names.append(name)
    server = serving(answering(OK), tls=server_tls)
    caller = HttpClient(
        FixedClock(NOW),
        resolver=lambda host, port: ["127.0.0.1"],
        transport=Urllib3Transport(FixedClock(NOW), tls=ssl.create_default_context(cafile=str(cert_file))),
        allowed_hosts=frozenset({f"{called}:{server.port}"}),
    )
    request = Request("POST", f"https://{called}:{server.port}/", {"Authorization": SECRET})
    if trusted:
        assert caller.send(request).status == 200
        assert f"host: {called}:{server.port}".encode() in server.requests[0].lower()
    else:
        with pytest.raises(NotSent):
            caller.send(request)
        assert server.requests == []
    assert names == [called]


def test_a_server_that_never_finishes_the_handshake_is_not_sent_and_keeps_the_deadline(
    serving: Serving,
) -> None:
    server = serving(never_read)
    request = Request("POST", f"https://{server.place}/", deadline_for=timedelta(seconds=0.4))
    started = time.monotonic()
    with pytest.raises(NotSent):
        real_client(server).send(request)
    assert time.monotonic() - started < 4


# ---- connections that are kept


def test_a_get_reuses_a_connection_and_a_post_never_does(serving: Serving) -> None:
    server = serving(answering(OK, OK, OK, OK))
    caller = real_client(server)
    for method in ("GET", "GET", "POST", "POST", "GET"):
        assert caller.send(ask(server, method)).status == 200
    assert server.connections == 3


def test_a_connection_that_was_closed_or_is_old_is_not_reused(serving: Serving) -> None:
    server = serving(answering(OK))
    clock = FixedClock(NOW)
    caller = HttpClient(clock, allowed_hosts=frozenset({server.place}))
    caller.send(ask(server, "GET"))
    time.sleep(0.5)
    assert caller.send(ask(server, "GET")).status == 200
    patient = serving(answering(OK, OK))
    caller = HttpClient(clock, allowed_hosts=frozenset({patient.place}))
    caller.send(ask(patient, "GET"))
    clock.advance(seconds=5)
    caller.send(ask(patient, "GET"))
    assert (server.connections, patient.connections) == (2, 2)


def test_a_kept_connection_is_not_used_for_a_name_that_has_moved(serving: Serving) -> None:
    server = serving(answering(OK, OK))
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    caller = HttpClient(
        FixedClock(NOW),
        resolver=lambda host, port: next(answers),
        allowed_hosts=frozenset({f"moving.example:{server.port}"}),
    )
    request = Request("GET", f"http://moving.example:{server.port}/")
    caller.send(request)
    with pytest.raises(NotSent):
        caller.send(request)
    assert len(server.requests) == 1


# ---- what is shown


def everything_said(error: BaseException) -> str:
    said = f"{error} {error!r} {error.args}"
    for inner in (error.__cause__, error.__context__):
        said += everything_said(inner) if inner else ""
    return said


def test_no_secret_query_or_body_is_shown_by_anything(serving: Serving) -> None:
    server = serving(hang_up)
    headers = {"Authorization": f"Bearer {SECRET}"}
    request = ask(server, path=f"/x?access_token={SECRET}", headers=headers, body=SECRET.encode())
    answer = Response(200, Headers({"Set-Cookie": SECRET}), SECRET.encode(), f"https://a.example/?t={SECRET}")
    said = f"{request!r} {request} {answer!r} {answer}"
    with pytest.raises(MaybeSent) as broken:
        real_client(server).send(request)
    said += everything_said(broken.value)
    for refused in (
        Request("GET", f"https://user:{SECRET}@a.example/"),
        Request("GET", f"https://a.example:1/?t={SECRET}"),
        Request("GET", f"https://a.example/ {SECRET}"),
        Request("GET", "https://a.example/", {"Authorization": f"{SECRET}\r\nX: y"}),
        Request("GET", "https://a.example/", {f"{SECRET}:": ""}),
    ):
        with pytest.raises(NotSent) as caught:
            HttpClient(FixedClock(NOW), transport=FakeTransport([])).send(refused)
        said += everything_said(caught.value) + repr(refused)
    assert SECRET not in said


def test_errors_carry_a_status_and_a_code_for_the_api() -> None:
    assert isinstance(MaybeSent("x"), HttpError)
    assert MaybeSent("x").as_dict() == {"error": "http_error", "message": "x"}


# ---- headers and helpers


def test_headers_are_found_in_any_case_and_repeated_ones_are_joined() -> None:
    headers = Headers([("X-A", "1"), ("x-a", "2"), ("B", "3")])
    assert headers["X-a"] == "1, 2"
    assert headers.get("b") == "3"
    assert headers.get("c") is None
    assert len(headers) == 2


@given(st.binary())
def test_reading_json_never_raises(body: bytes) -> None:
    Response(200, Headers(), body, "").json()


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 5_000, b'{"a":1,', b"\xff\xfe", b""])
def test_hostile_json_is_simply_not_json(body: bytes) -> None:
    assert Response(200, Headers(), body, "").json() is None


@pytest.mark.parametrize(
    ("header", "at"),
    [
        ("120", NOW + timedelta(seconds=120)),
        ("Sun, 22 Nov 2026 13:00:00 GMT", NOW + timedelta(hours=1)),
        ("", None),
        ("soon", None),
        ("99999999999999999999", None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, at: datetime | None) -> None:
    caller = client(FixedClock(NOW), FakeTransport([]))
    assert caller.retry_at(reply(429, headers={"Retry-After": header})) == at


def test_a_multipart_form_carries_text_and_bytes() -> None:
    content_type, body = multipart({"description": "سلام"}, {"file": ("a.png", b"\x89PNG\r\n", "image/png")})
    assert content_type.startswith("multipart/form-data; boundary=")
    assert "سلام".encode() in body
    assert b"\x89PNG\r\n" in body
    assert b"Content-Type: image/png" in body
