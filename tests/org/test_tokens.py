"""Signing in: a token works for its owner until it ends, and every other text gets the same answer."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.errors import InvalidInput, NotAllowed, NotFound, NotSignedIn
from chalicelib.org.roles import Role
from chalicelib.org.tokens import digest, new_text
from tests.org.company import Company

TOKEN_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def answer(company: Company, token: str) -> str:
    try:
        return company.org.identify(token).person_id
    except NotSignedIn as refusal:
        return refusal.message


def test_a_token_signs_its_owner_in_with_what_they_hold(company: Company) -> None:
    person = company.person("Agnieszka Śliwa", (Role.AUTHOR, company.warsaw), (Role.ANALYST, company.root))
    actor = company.org.identify(company.token(person))
    assert (actor.person_id, actor.name) == (person.person_id, "Agnieszka Śliwa")
    assert {(g.role, g.path) for g in actor.grants} == {
        (Role.AUTHOR, company.warsaw.path),
        (Role.ANALYST, company.root.path),
    }


def test_unknown_expired_revoked_and_left_get_the_same_answer(company: Company) -> None:
    org, admin = company.org, company.operator
    unknown = answer(company, new_text())
    expired, _ = org.issue_token(admin, company.lead.person_id, "krótki", timedelta(hours=1))
    person = company.person("Ewa")
    revoked, token = org.issue_token(admin, person.person_id, "odwołany")
    org.revoke_token(admin, person.person_id, token.token_id)
    gone = company.person("Stanisława")
    of_left = company.token(gone)
    org.mark_left(admin, gone.person_id)
    assert answer(company, revoked) == answer(company, of_left) == unknown
    company.stage.clock.advance(minutes=59, seconds=59)
    assert answer(company, expired) == company.lead.person_id
    company.stage.clock.advance(seconds=1)
    assert answer(company, expired) == unknown


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    guess=st.text(max_size=60)
    | st.text(TOKEN_CHARS, min_size=43, max_size=43).map("sb_".__add__)
    | st.text(TOKEN_CHARS, max_size=90)
)
def test_a_guess_is_nobody(company: Company, guess: str) -> None:
    company.token(company.lead)
    assert "does not work" in answer(company, guess)


SPOILS: list[Callable[[str], str]] = [
    str.lower, str.swapcase, lambda t: t + "A", lambda t: t[:-1], lambda t: t + "\n",
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_token_off_by_anything_is_no_token(company: Company, spoil: Callable[[str], str]) -> None:
    token = "sb_" + "Ab1" * 14 + "Z"
    assert digest(token) is not None
    assert digest(spoil(token)) != digest(token)
    assert "does not work" in answer(company, spoil(company.token(company.lead)))


def test_its_last_use_is_noted_at_most_once_an_hour(company: Company) -> None:
    person = company.person("Teodora")
    token, clock = company.token(person), company.stage.clock

    def last_used_at(minutes: int) -> float | None:
        clock.advance(minutes=minutes)
        me = company.org.identify(token)
        (kept,) = company.org.tokens_of(me, person.person_id)
        assert kept.last_used_at is not None
        return (clock.now() - kept.last_used_at).total_seconds() / 60

    writes: list[object] = []
    event = "before-call.dynamodb.UpdateItem"
    company.stage.dynamodb.meta.events.register(event, lambda **call: writes.append(call["params"]))
    assert [last_used_at(m) for m in (5, 30, 29, 1, 59)] == [0, 30, 59, 0, 59]
    assert len(writes) == 2


def test_a_person_sees_and_stops_their_own_tokens_and_nobody_elses(company: Company) -> None:
    one, other = company.person("Kinga"), company.person("پریسا")
    token, others = company.token(one), company.token(other)
    me = company.org.identify(token)
    (mine,) = company.org.tokens_of(me, one.person_id)
    assert mine.label == "dla testów"
    (theirs,) = company.org.tokens_of(company.operator, other.person_id)
    for call in (
        lambda: company.org.tokens_of(me, other.person_id),
        lambda: company.org.revoke_token(me, other.person_id, theirs.token_id),
        lambda: company.org.issue_token(me, one.person_id, "jeszcze jeden"),
    ):
        with pytest.raises(NotAllowed):
            call()
    with pytest.raises(NotFound):
        company.org.revoke_token(me, one.person_id, theirs.token_id)
    company.org.revoke_token(me, one.person_id, mine.token_id)
    assert "does not work" in answer(company, token)
    assert answer(company, others) == other.person_id
    company.org.revoke_token(company.operator, one.person_id, mine.token_id)
    assert company.history(f"person#{one.person_id}").count("token revoked") == 1


@pytest.mark.parametrize("lives_for", [timedelta(0), timedelta(seconds=-1), timedelta(days=367)])
def test_a_token_lives_for_at_most_a_year(company: Company, lives_for: timedelta) -> None:
    with pytest.raises(InvalidInput, match="lives_for"):
        company.org.issue_token(company.operator, company.lead.person_id, "wieczny", lives_for)
