"""What the API takes about people and units: every problem at once, each under its field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from chalicelib.core.endpoint import parse_body
from chalicelib.core.errors import InvalidInput
from chalicelib.org import forms

PERSON = {
    "name": "Zażółć Gęślą",
    "email": "z.g+posty@poczta.example.org",
    "zone": "Europe/Warsaw",
    "language": "pl",
}


def fields_refused(form: type[BaseModel], body: dict[str, Any]) -> set[str]:
    with pytest.raises(InvalidInput) as refusal:
        parse_body(form, json.dumps(body).encode())
    return {p.field for p in refusal.value.problems}


def test_a_person_with_four_wrong_fields_hears_of_all_four() -> None:
    wrong = {
        "name": "A\r\nBcc: b@example.org",
        "email": "a@b",
        "zone": "Europa/Warszawa",
        "language": "de",
        "x": 1,
    }
    assert fields_refused(forms.NewPerson, wrong) == {"name", "email", "zone", "language", "x"}
    assert fields_refused(forms.NewPerson, {}) == set(PERSON)


@pytest.mark.parametrize("email", [
    "a@example.org\r\nBcc: b@example.org", "a@example.org\n", "a b@example.org", "a@example..org", "a@-x.org",
    "<a@example.org>", "a@example.org,b@example.org", "łódź@example.org", "@example.org",
    "a@" + "x" * 64 + ".org",
    "a" * 65 + "@example.org", "a@" + "x." * 130 + "org",
])  # fmt: skip
def test_only_one_plain_address_is_an_address(email: str) -> None:
    assert fields_refused(forms.NewPerson, {**PERSON, "email": email}) == {"email"}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tehran", "Europe/Kyiv", "America/Argentina/Buenos_Aires"])
def test_a_zone_of_the_iana_list_is_taken(zone: str) -> None:
    assert parse_body(forms.NewPerson, json.dumps({**PERSON, "zone": zone}).encode()).zone == zone


@pytest.mark.parametrize("zone", ["localtime", "../../etc/passwd", "Europe", "europe/warsaw", "", "CEST"])
def test_what_is_not_on_the_list_is_no_zone(zone: str) -> None:
    assert fields_refused(forms.NewPerson, {**PERSON, "zone": zone}) == {"zone"}


def test_a_grant_is_on_a_unit_or_on_an_account() -> None:
    assert fields_refused(forms.NewGrant, {"role": "author"}) == {"body"}
    assert fields_refused(forms.NewGrant, {"role": "author", "unit_id": "u", "account_id": "a"}) == {"body"}
    assert fields_refused(forms.NewGrant, {"role": "boss", "unit_id": "a/b"}) == {"role", "unit_id"}


def test_only_what_is_sent_changes_and_null_where_it_means_something() -> None:
    change = parse_body(forms.UnitChange, b'{"lead_id": null, "goals": ["zasi\\u0119g"]}')
    assert change.changes == {"lead_id": None, "goals": ("zasięg",)}
    assert parse_body(forms.PersonChange, b"{}").changes == {}
    assert fields_refused(forms.PersonChange, {"name": None, "zone": None}) == {"name", "zone"}
    assert fields_refused(forms.UnitChange, {"goals": ["cel"] * 21}) == {"goals"}
    assert fields_refused(forms.NewToken, {"label": "a", "lives_for_days": 367}) == {"lives_for_days"}


@given(st.text(max_size=40).map(lambda t: t + "@example.org") | st.emails())
def test_an_address_that_is_taken_is_one_line_of_ascii(text: str) -> None:
    try:
        address = forms.email_address(text)
    except ValueError:
        return
    assert address.isascii()
    assert address.isprintable()
    assert address.count("@") == 1
    assert not set(address) & set(' ,;<>"\\()')
