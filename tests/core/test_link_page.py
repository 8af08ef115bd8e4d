"""The frame of every page behind an emailed link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.link_page import MAX_FORM_BYTES, broken, dead, form_fields, notice
from chalicelib.core.words import LANGUAGES, Words


def test_a_form_is_read_as_browsers_send_it() -> None:
    assert form_fields(b"words=a%0D%0Ab+c&go=1&go=2") == {"words": "a\nb c", "go": "2"}


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe=1", "name=ł".encode(), b"a=1&" * 50, b"a=" + b"x" * MAX_FORM_BYTES]
)
def test_a_hostile_body_is_an_empty_form(raw: bytes) -> None:
    assert form_fields(raw) == {}


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reading_of_a_form(raw: bytes) -> None:
    assert all("\x00" not in value for value in form_fields(raw).values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_dead_link_says_so_in_the_browsers_language_and_nothing_of_itself(language: str) -> None:
    page = dead(language, "Acme <b>")
    assert page.status == 410
    assert f'<html lang="{language}"' in page.html
    assert "Acme &lt;b&gt;" in page.html
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "script" not in page.headers["Content-Security-Policy"]


def test_an_error_of_ours_names_the_number_to_quote() -> None:
    page = broken("en", "Acme", "req-1")
    assert page.status == 500
    assert "req-1" in page.html


def test_a_notice_escapes_what_it_is_told() -> None:
    page = notice(Words("en"), "Acme", "<script>", ["<i>"], "good")
    assert "<script>" not in page.html
    assert "&lt;i&gt;" in page.html
