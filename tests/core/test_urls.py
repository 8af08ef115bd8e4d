"""What is read out of an address, and what is never shown of one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.urls import Target, shown


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example", Target("https", "a.example", 443, "/")),
        ("HTTPS://A.Example:8443/x?y=z#f", Target("https", "a.example", 8443, "/x?y=z")),
        ("http://[::1]/x", Target("http", "::1", 80, "/x")),
        ("https://a.example?y", Target("https", "a.example", 443, "/?y")),
    ],
)
def test_an_address_is_read_as_it_is_called(url: str, target: Target) -> None:
    assert Target.of(url) == target


@pytest.mark.parametrize(
    "url",
    ["", "a.example", "ftp://a.example", "https://", "https://u@a.example", "https://a example", "https://ż.pl",
     "https://a.example:x", "https://a.example:70000", "https://a.example/\r\nX: y", "https://[::1", "https://a%00"],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  urlsplit has words of its own
        Target.of(url)
    assert shown(url) == "(an address that is not shown)"


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(url: str) -> None:
    try:
        Target.of(f"https://{url}")
    except ValueError:
        assert "not shown" in shown(f"https://{url}")


def test_neither_query_nor_fragment_is_shown() -> None:
    assert shown("https://[::1]:8443/x?token=secret#secret") == "https://[::1]:8443/x"
