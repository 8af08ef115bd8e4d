import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from chalicelib.core.expressions import where
from tests.fakes.stage import Stage

RESERVED = sorted(word.lower() for word in ReservedKeywords.get_reserved_keywords())


def test_every_name_is_aliased_and_every_value_kept() -> None:
    made = where("state = :s AND attribute_not_exists(owner)", s="held")

    assert made.text == "#state = :s AND attribute_not_exists(#owner)"
    assert made.names == {"#state": "state", "#owner": "owner"}
    assert made.values == {":s": "held"}


def test_each_step_of_a_path_is_aliased() -> None:
    assert where("details.why = :w", w="x").text == "#details.#why = :w"


@pytest.mark.parametrize("word", ["size", "contains", "begins_with"])
def test_a_functions_name_is_an_attribute_where_no_bracket_follows(word: str) -> None:
    assert where(f"{word} = :v AND {word} (a)", v=1).text == f"#{word} = :v AND {word} (#a)"


def test_every_reserved_word_can_be_a_name(stage: Stage) -> None:
    assert len(RESERVED) > 500
    for start in range(0, len(RESERVED), 50):
        words = RESERVED[start : start + 50]
        update = where("SET " + ", ".join(f"{w} = :v" for w in words), v="x")
        condition = where(" AND ".join(f"attribute_not_exists({w})" for w in words))

        item = stage.database.update("links", {"token_hash": f"t{start}"}, update, condition)

        assert set(words) <= set(item)


@given(st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True))
def test_any_lower_case_name_is_aliased_in_every_kind_of_expression(name: str) -> None:
    for text in (f"{name} = :v", f"SET {name} = :v", f"REMOVE {name}", f"ADD {name} :v", f"size({name}) > :v",
                 f"NOT begins_with({name}, :v)", f"{name} BETWEEN :v AND :v", f"{name} IN (:v)"):  # fmt: skip
        made = where(text, v=1)
        assert made.names == {f"#{name}": name}
        assert f"#{name}" in made.text
