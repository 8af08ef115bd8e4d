"""Every right of every role, and how far a grant reaches, walked and not sampled where that is possible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import NotAllowed
from chalicelib.core.history import By, Way
from chalicelib.org.model import Actor, Grant, operator
from chalicelib.org.roles import FOR_ONE_ACCOUNT, HANDED_OUT, ROLE_RIGHTS, Right, Role, roles_with
from tests.conftest import NOON

UNITS = ("unit_a", "unit_b", "unit_c", "unit_d")
paths = st.lists(st.sampled_from(UNITS), max_size=4, unique=True).map(lambda below: ("unit_root", *below))
accounts = st.sampled_from(["acc_1", "acc_2"])

# Read out of the table by a person, role by role; a change of the table is a change of this, on purpose.
READS = "people.read units.read accounts.read posts.read holds.read changes.read"
EXPECTED = {
    "lead": f"{READS} people.write grants.write tokens.issue units.write policy.write accounts.write "
    "posts.write media.write holds.write inbox.read inbox.write inbox.manage register.read register.write "
    "takedowns.write changes.write history.read ops.write",
    "district_manager": f"{READS} grants.write units.write policy.write accounts.write posts.write "
    "media.write holds.write inbox.read inbox.write inbox.manage register.read register.write "
    "takedowns.write",
    "author": f"{READS} posts.write media.write",
    "approver": READS,
    "responder": f"{READS} inbox.read inbox.write",
    "analyst": f"{READS} inbox.read register.read",
    "ops": f"{READS} register.read history.read ops.write changes.write",
    "auditor": f"{READS} register.read history.read",
}


def actor(*grants: Grant) -> Actor:
    return Actor("person_1", "فاطمه", grants)


def held(role: Role, path: tuple[str, ...], account_id: str | None = None) -> Grant:
    return Grant("person_1", role, path[-1], path, "person_0", NOON, account_id)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("right", Right)
def test_a_role_brings_the_rights_of_its_row_and_no_other(role: Role, right: Right) -> None:
    somebody = actor(held(role, ("unit_root",)))
    expected = right in EXPECTED[role].split()
    assert somebody.may(right) == expected
    assert somebody.may(right, ("unit_root", "unit_a"), "acc_1") == expected
    assert (role in roles_with(right)) == expected
    if expected:
        somebody.require(right)
        somebody.require_on(right)
    else:
        for refuse in (somebody.require, somebody.require_on):
            with pytest.raises(NotAllowed, match=str(right)):
                refuse(right)


def test_the_table_names_every_role_and_every_right_is_held_by_somebody() -> None:
    assert set(ROLE_RIGHTS) == set(Role) == set(EXPECTED)
    assert frozenset().union(*ROLE_RIGHTS.values()) == set(Right)


def test_whoever_hands_out_roles_has_the_right_that_its_route_asks_for() -> None:
    for role in HANDED_OUT:
        assert Right.GRANTS_WRITE in ROLE_RIGHTS[role]
    for right in (Right.PEOPLE_WRITE, Right.TOKENS_ISSUE):
        assert roles_with(right) == [Role.LEAD]


@given(role=st.sampled_from(Role), path=paths, other=paths, account_id=st.none() | accounts)
def test_a_grant_on_a_unit_reaches_that_unit_and_what_is_below_and_nothing_else(
    role: Role, path: tuple[str, ...], other: tuple[str, ...], account_id: str | None
) -> None:
    somebody = actor(held(role, path))
    reaches = other[: len(path)] == path
    for right in Right:
        assert somebody.may(right, other, account_id) == (reaches and right in ROLE_RIGHTS[role])
        assert somebody.may(right) == (len(path) == 1 and right in ROLE_RIGHTS[role])


@given(role=st.sampled_from(sorted(FOR_ONE_ACCOUNT)), path=paths, other=paths, mine=accounts, theirs=accounts)
def test_a_grant_on_an_account_reaches_that_account_wherever_it_is_and_nothing_else(
    role: Role, path: tuple[str, ...], other: tuple[str, ...], mine: str, theirs: str
) -> None:
    somebody = actor(held(role, path, mine))
    for right in Right:
        assert somebody.may(right, other, theirs) == (mine == theirs and right in ROLE_RIGHTS[role])
        assert not somebody.may(right, path)
        assert not somebody.may(right)
    assert not any(somebody.may_hand_out(r, path) for r in Role)


@given(role=st.sampled_from(Role), own=paths, target=paths, given_role=st.sampled_from(Role))
def test_nobody_hands_out_more_than_their_table_says_nor_outside_their_part(
    role: Role, own: tuple[str, ...], target: tuple[str, ...], given_role: Role
) -> None:
    may = actor(held(role, own)).may_hand_out(given_role, target)
    inside = target[: len(own)] == own
    if role == Role.LEAD or (role == Role.DISTRICT_MANAGER and given_role in FOR_ONE_ACCOUNT):
        assert may == inside
    elif role == Role.DISTRICT_MANAGER and given_role == Role.DISTRICT_MANAGER:
        assert may == (inside and target != own)
    else:
        assert not may


def test_the_operator_may_everything_and_says_so_in_history() -> None:
    admin = operator("arn:aws:iam::1:user/ops", NOON)
    assert all(admin.may(right, ("unit_root", "unit_a"), "acc_1") and admin.may(right) for right in Right)
    assert all(admin.may_hand_out(role, ("unit_root",)) for role in Role)
    assert admin.by == By("arn:aws:iam::1:user/ops", Way.ADMIN)
    assert not admin.is_person


def test_a_refusal_names_the_right_the_place_and_who_could() -> None:
    with pytest.raises(NotAllowed, match=r"holds\.write on this unit.*lead or district manager"):
        actor().require_on(Right.HOLDS_WRITE, ("unit_root", "unit_a"))
    with pytest.raises(NotAllowed, match="on this account or its unit"):
        actor().require_on(Right.POSTS_WRITE, ("unit_root",), "acc_1")
    with pytest.raises(NotAllowed, match="on the company"):
        actor().require_on(Right.PEOPLE_WRITE)
