"""One-line names, and the tree of units under any order of creation."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.errors import InvalidInput
from chalicelib.org.model import RANK, Kind, Unit, one_line
from tests.org.company import Company

PLACES = ["Łódź", "Śródmieście", "تهران", "مشهد", "Żoliborz", "کرمانشاه"]


@pytest.mark.parametrize(
    "name", ["Zażółć gęślą jaźń", "می‌خواهم", "نیلوفر حسینی", "O'Connor-Ćwik", "👩‍🚀 Ola"]
)
def test_a_name_of_any_language_stays_as_it_is(name: str) -> None:
    assert one_line(f"  {name} ") == name


@pytest.mark.parametrize("char", ["\r", "\n", "\0", "\u202e", "\u2066", "\u2028", "\u200f", "\ud800", "\x85"])
def test_a_name_cannot_break_a_line_or_turn_the_text_around(char: str) -> None:
    with pytest.raises(ValueError, match=f"U\\+{ord(char):04X}"):
        one_line(f"Zofia{char}Bcc: all@example.org")


@given(st.text())
def test_what_is_one_line_stays_one_line_and_is_normal(text: str) -> None:
    try:
        name = one_line(text)
    except ValueError:
        return
    assert name
    assert name.splitlines() == [name]
    assert name == name.strip() == unicodedata.normalize("NFC", name) == one_line(name)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(Kind), st.integers(0, 99), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    )
)
def test_a_path_leads_from_the_company_to_the_unit_however_the_tree_grew(
    company: Company, wishes: list[tuple[str, Kind, int, int]]
) -> None:
    org = company.org
    known = [company.root, company.region, company.warsaw]
    for name, kind, pick, milliseconds in wishes:
        company.stage.clock.advance(milliseconds=milliseconds)
        parent = known[pick % len(known)]
        allowed = kind != Kind.COMPANY and RANK[kind] >= RANK[parent.kind]
        try:
            made = org.add_unit(company.operator, name, kind, parent.unit_id)
        except InvalidInput:
            assert not allowed
        else:
            assert allowed
            known.append(made)
    units = org.units()
    by_id: dict[str, Unit] = {}
    for unit in units:  # each after those above it
        above = by_id[unit.parent_id].path if unit.parent_id else ()
        assert unit.path == (*above, unit.unit_id)
        assert unit.path[0] == company.root.unit_id
        by_id[unit.unit_id] = unit
    assert all(by_id[unit.unit_id] == unit for unit in known)
