"""Failure matrix row 27: what must never be called, by whatever spelling, and never is."""

from datetime import UTC, datetime
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.addresses import is_public, resolve
from chalicelib.core.clock import FixedClock
from chalicelib.core.http import AddressRefused, HttpClient, Request
from tests.fakes.loopback import OK, LoopbackServer, answering
from tests.fakes.transport import PUBLIC_ADDRESS, FakeTransport, reply

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "169.254.169.254",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "0",
        "localhost",
        "[::1]",
        "[::]",
        "[::ffff:169.254.169.254]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::7f00:1]",
        "[2002:a9fe:a9fe::]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[100::1]",
        "224.0.0.1",
        "255.255.255.255",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "192.0.0.192",
        "198.18.0.1",
        "0.0.0.0",
    ],
)
def test_an_address_inside_is_refused_by_the_real_resolver_and_never_called(host: str) -> None:
    with LoopbackServer(answering(OK)) as server:
        for url in (f"https://{host}:{server.port}/", f"http://{host}:{server.port}/"):
            with pytest.raises(AddressRefused):
                HttpClient(FixedClock(NOW)).send(Request("GET", url))
        assert server.connections == 0
    transport = FakeTransport([])
    with pytest.raises(AddressRefused):
        HttpClient(FixedClock(NOW), transport=transport).send(Request("GET", f"https://{host}/"))
    assert transport.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///proc/self/environ",
        "ftp://example.org/",
        "gopher://example.org/",
        "http://example.org/",
        "https://example.org:9001/",
        "https://example.org:22/",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://user:pass@example.org/",
        "https://user@example.org/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org\\.evil/",
        "https://example.org/a b",
        "https://exa\tmple.org/",
        "https://example.org/\r\nHost: evil",
        "https://①②⑦.⓪.⓪.①/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https:///etc/passwd",
        "https:example.org",
        "//example.org/",
        "",
    ],
)
def test_an_address_of_the_wrong_form_is_refused_before_anything_is_looked_up(url: str) -> None:
    looked_up: list[str] = []

    def watching(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return [PUBLIC_ADDRESS]

    transport = FakeTransport([])
    with pytest.raises(AddressRefused):
        HttpClient(FixedClock(NOW), resolver=watching, transport=transport).send(Request("GET", url))
    assert looked_up == []
    assert transport.requests == []


def test_one_address_inside_among_public_ones_refuses_the_name() -> None:
    transport = FakeTransport([reply()])
    caller = HttpClient(
        FixedClock(NOW), resolver=lambda host, port: [PUBLIC_ADDRESS, "10.0.0.5"], transport=transport
    )
    with pytest.raises(AddressRefused):
        caller.send(Request("GET", "https://rebind.example/"))
    assert transport.requests == []


def test_a_name_that_changes_its_address_is_looked_up_once_and_called_where_it_was_checked() -> None:
    answers = iter([[PUBLIC_ADDRESS], ["127.0.0.1"]])
    transport = FakeTransport([reply()])
    caller = HttpClient(FixedClock(NOW), resolver=lambda host, port: next(answers), transport=transport)
    caller.send(Request("GET", "https://rebind.example/"))
    assert transport.addresses == [[PUBLIC_ADDRESS]]


def test_allowing_one_port_of_a_host_allows_no_other() -> None:
    with LoopbackServer(answering(OK)) as server:
        caller = HttpClient(FixedClock(NOW), allowed_hosts=frozenset({"127.0.0.1:1"}))
        with pytest.raises(AddressRefused):
            caller.send(Request("GET", f"http://{server.place}/"))
        assert server.connections == 0


def test_public_addresses_are_public() -> None:
    for address in (PUBLIC_ADDRESS, "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001::1"):
        assert is_public(address)


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_in_any_ipv6_dress_is_never_public(number: int) -> None:
    dresses = {
        "mapped": 0xFFFF << 32 | number,
        "compatible": number,
        "NAT64": 0x64FF9B << 96 | number,
        "NAT64 of one's own": 0x64FF9B0001 << 80 | number,
        "6to4": 0x2002 << 112 | number << 80,
        "Teredo": 0x20010000 << 96 | number ^ 0xFFFFFFFF,
    }
    assert [name for name, value in dresses.items() if is_public(str(IPv6Address(value)))] == []


@given(st.text())
def test_text_that_is_no_address_is_not_public_and_raises_nothing(text: str) -> None:
    assert isinstance(is_public(text), bool)


def test_the_real_resolver_lists_each_address_once() -> None:
    addresses = resolve("localhost", 443)
    assert addresses
    assert len(addresses) == len(set(addresses))
