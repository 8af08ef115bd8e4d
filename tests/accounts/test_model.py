"""Addresses of servers and handles, in the one spelling that they are compared in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.accounts.model import plain_handle, server_address

HOSTS = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}(\.[A-Za-z]{2,6}){1,2}", fullmatch=True)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("HTTPS://Mastodon.Example/", "https://mastodon.example"),
        ("https://mastodon.example:443", "https://mastodon.example"),
        ("http://127.0.0.1:4571", "http://127.0.0.1:4571"),
        ("https://[2606:4700::1111]:8443/", "https://[2606:4700::1111]:8443"),
    ],
)
def test_a_server_has_one_spelling(said: str, kept: str) -> None:
    assert server_address(said) == kept


@pytest.mark.parametrize(
    "text",
    [
        "mastodon.example", "ftp://mastodon.example", "https://", "https://:443", "https://a.example/users/x",
        "https://a.example?x=1", "https://a.example#x", "https://user:pass@a.example", "https://a.example:99999",
        "https://a.example:port", "https://łódź.example", "https://a.example\r\nHost: b", "https://[::1", "",
    ],
)  # fmt: skip
def test_what_is_not_just_a_server_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be the address of a server"):
        server_address(text)


@given(st.text(max_size=80) | st.from_regex(r"https?://[a-zA-Z0-9.:/\[\]@?#_-]{0,40}", fullmatch=True))
def test_any_text_is_refused_or_comes_out_stable(text: str) -> None:
    try:
        server = server_address(text)
    except ValueError:
        return
    assert server_address(server) == server == server.lower()


@given(name=st.sampled_from(["zorza", "Zażółć", "صبا"]), host=HOSTS, other=HOSTS)
def test_a_handle_loses_its_own_server_and_keeps_another(name: str, host: str, other: str) -> None:
    server = server_address(f"https://{host}")
    for spelling in (name, f"@{name}", f" @{name}@{host} ", f"{name}@{host.upper()}"):
        assert plain_handle(spelling, server) == name
    if other.casefold() != host.casefold():
        assert plain_handle(f"{name}@{other}", server) == f"{name}@{other}"
