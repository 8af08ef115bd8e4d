"""Which addresses this application may connect to, when people or platforms choose the host.

`ipaddress.is_global` is not enough: it is true for NAT64, 6to4 and multicast, which can all lead inside.
So IPv6 is an allow-list (the global unicast block) and IPv4 a deny-list (IANA's special-purpose blocks).
"""

import socket
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Resolver = Callable[[str, int], list[str]]
"""Host and port to addresses as text, in the order to try them. Raises OSError when there are none."""

# https://www.iana.org/assignments/iana-ipv4-special-registry and the multicast and reserved blocks above it
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# https://www.iana.org/assignments/iana-ipv6-special-registry: everything else in it (mapped, NAT64, unique
# local, link-local) lies outside the global unicast block, and so does multicast.
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    ip_network(block)
    for block in (
        "2001::/23",  # Teredo 2001::/32 and ORCHID among them
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address
        "3fff::/20",
    )
)


def is_public(address: str) -> bool:
    """Whether an address, as text, belongs to the public internet; False for text that is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        return parsed in _GLOBAL_UNICAST_V6 and not any(parsed in block for block in _NOT_PUBLIC_V6)
    return not any(parsed in block for block in _NOT_PUBLIC_V4)


def resolve(host: str, port: int) -> list[str]:
    """Every address the system knows for a host, IPv4 first, since a function may have no way out over IPv6.

    Raises OSError when the name is unknown. The system's resolver bounds the time it takes.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    in_order = sorted(found, key=lambda answer: answer[0] != socket.AF_INET)
    return list(dict.fromkeys(str(answer[4][0]) for answer in in_order))
