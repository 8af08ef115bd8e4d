"""Policies: inherited down the tree, only ever tightened, and the strictest of several units."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.approvals.model import ALL, ANY, DEFAULT_POLICY, Ask, OnSilence, Policy, RequestStage, Stage
from chalicelib.approvals.policy import loosenings, merged, strictest
from chalicelib.core.errors import InvalidInput, NotAllowed
from chalicelib.org.model import Kind
from chalicelib.org.roles import Role
from tests.approvals.office import Office

PEOPLE = ("a", "b", "c", "d")
stages = st.builds(
    lambda people, quorum, silence, hours: Stage(
        "S", tuple(sorted(people)), quorum=quorum, on_silence=silence, within_for=hours
    ),
    st.sets(st.sampled_from(PEOPLE), min_size=1),
    st.sampled_from([ANY, ALL, "2", "3"]),
    st.sampled_from(OnSilence),
    st.integers(1, 5),
).filter(lambda s: s.quorum in (ANY, ALL) or int(s.quorum) <= len(s.people))


def satisfied(stage: Stage, people: frozenset[str]) -> bool:
    named = frozenset(stage.people)
    needed = {ANY: 1, ALL: len(named)}.get(stage.quorum) or int(stage.quorum)
    return len(named & people) >= needed


EVERY_SET = [frozenset(c) for n in range(5) for c in combinations(PEOPLE, n)]


@given(stages, stages)
def test_a_policy_that_is_let_through_is_never_looser(parent: Stage, child: Stage) -> None:
    if not loosenings(Policy((parent,)), Policy((child,))):
        assert all(satisfied(parent, people) for people in EVERY_SET if satisfied(child, people))
        assert child.within_for <= parent.within_for


@given(stages, stages)
def test_a_merged_policy_satisfies_both(parent: Stage, child: Stage) -> None:
    both = merged(Policy((parent,)), Policy((child,)))
    for people in EVERY_SET:
        if all(satisfied(s, people) for s in both.stages):
            assert satisfied(parent, people)
            assert satisfied(child, people)


demands = st.builds(
    lambda people, n: (tuple(sorted(people)), min(n, len(people))),
    st.sets(st.sampled_from(PEOPLE), min_size=1),
    st.integers(1, 4),
)


@given(st.lists(demands, min_size=1, max_size=4))
def test_the_strictest_of_several_units_satisfies_each(given_: list[tuple[tuple[str, ...], int]]) -> None:
    lines = [[RequestStage("S", f"u{n}", p, k, 1, 1, OnSilence.EXPIRE)] for n, (p, k) in enumerate(given_)]
    found = strictest(lines)
    for people in EVERY_SET:
        if all(len(set(s.seats) & people) >= s.needed for s in found):
            assert all(len(set(p) & people) >= k for p, k in given_)


@given(
    st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from([None, "x", "y", "z"])), unique=True, max_size=8
    )
)
def test_each_person_fills_at_most_one_seat(asks: list[tuple[str, str | None]]) -> None:
    stage = RequestStage(
        "S", "u", ("x", "y", "z"), 3, 1, 1, OnSilence.EXPIRE, tuple(Ask(p, s) for p, s in asks)
    )
    people = frozenset(p for p, _ in asks)
    assert stage.fills(people) == _most_seats(stage, sorted(people))


def _most_seats(stage: RequestStage, people: list[str], free: tuple[str, ...] = ("x", "y", "z")) -> int:
    if not people:
        return 0
    first, rest = people[0], people[1:]
    best = _most_seats(stage, rest, free)
    for seat in stage.seats_of(first):
        if seat in free:
            best = max(best, 1 + _most_seats(stage, rest, tuple(s for s in free if s != seat)))
    return best


def test_a_stage_that_is_not_named_again_is_inherited() -> None:
    legal, district = Stage("Legal", ("a",)), Stage("District", ("b",))
    assert [s.name for s in merged(Policy((legal,)), Policy((district,))).stages] == ["District", "Legal"]
    assert [s.name for s in merged(Policy((legal,)), Policy((legal, district))).stages] == [
        "Legal",
        "District",
    ]


@pytest.mark.parametrize(
    ("child", "demand"),
    [
        (Policy((Stage("S", ("a", "b"), quorum=ANY),)), "demands all of: a, b"),
        (Policy((Stage("S", ("a",), quorum=ALL),)), "demands all of: a, b"),
        (Policy((Stage("S", ("a", "b"), quorum=ALL, within_for=99),)), "24 hours at most"),
        (
            Policy((Stage("S", ("a", "b"), quorum=ALL, within_for=2, on_silence=OnSilence.ESCALATE),)),
            "'remind'",
        ),
        (Policy((Stage("T", ("a",)),), code=False), "demands a code"),
        (Policy((Stage("T", ("a",)),), late_approval=True), "ends requests at the post's time"),
    ],
)
def test_a_loosening_is_refused_in_words_that_name_the_demand(child: Policy, demand: str) -> None:
    parent = Policy(
        (Stage("S", ("a", "b"), None, ALL, 24, 8, OnSilence.REMIND),), code=True, late_approval=False
    )
    assert demand in " ".join(p.message for p in loosenings(parent, child))


def test_a_unit_without_a_policy_has_its_parents_and_nobody_has_the_default(office: Office) -> None:
    zoe = office.person("Zoe")
    of = office.approvals.policies.of
    assert (of(office.district.unit_id).own, of(office.district.unit_id).effective) == (None, DEFAULT_POLICY)
    office.policy(office.stage_of(zoe), unit=office.root, code=True)
    assert of(office.district.unit_id).effective == of(office.root.unit_id).effective
    assert of(office.district.unit_id).effective.code is True


def test_a_parent_that_is_tightened_later_wins(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_))
    office.policy(office.stage_of(zoe, max_, quorum="all"), unit=office.root)
    assert [s.needed for s in office.open().stages] == [2]


def test_a_post_for_several_units_takes_the_strictest_of_them(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    north = office.org.add_unit(office.operator, "Północ", Kind.DISTRICT, office.root.unit_id)
    office.org.grant(office.operator, zoe.person_id, Role.DISTRICT_MANAGER, office.district.unit_id)
    office.org.grant(office.operator, max_.person_id, Role.DISTRICT_MANAGER, north.unit_id)
    pr = office.person("Pr")
    office.policy(
        office.stage_of(pr, name="PR"),
        office.stage_of(name="District", role=Role.DISTRICT_MANAGER),
        unit=office.root,
    )
    stages_, _ = office.approvals.policies.for_request([office.district.unit_id, north.unit_id], frozenset())
    assert [(s.name, s.seats) for s in stages_] == [
        ("PR", (pr.person_id,)),
        ("District", (max_.person_id,)),
        ("District", (zoe.person_id,)),
    ]


def test_everything_wrong_with_a_policy_is_said_at_once(office: Office) -> None:
    gone = office.person("Gone")
    office.leave(gone)
    with pytest.raises(InvalidInput) as refusal:
        office.policy(
            Stage("A"),
            Stage("A", ("nobody",)),
            office.stage_of(gone, name="B", quorum="3"),
            Stage("C", ("x", "x")),
        )
    said = str(refusal.value)
    for part in (
        "names nobody",
        "two stages 'A'",
        "there is no person nobody",
        "Gone has left",
        "only 1 named",
        "twice",
    ):
        assert part in said


def test_an_all_stage_with_a_leaver_says_so_when_a_post_is_submitted(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_, quorum="all"))
    office.leave(max_)
    with pytest.raises(InvalidInput, match="needs Max, who left"):
        office.open()


def test_all_holders_of_a_role_are_not_taken_for_two_of_them() -> None:
    two, every = Stage("S", role=Role.APPROVER, quorum="2"), Stage("S", role=Role.APPROVER, quorum=ALL)
    assert loosenings(Policy((two,)), Policy((every,)))
    assert len(merged(Policy((two,)), Policy((every,))).stages) == 2


def test_a_role_is_looked_for_up_the_line_although_people_are_named(office: Office) -> None:
    zoe, far = office.person("Zoe"), office.person("Far", Role.APPROVER, unit=office.root)
    office.policy(office.stage_of(zoe, role=Role.APPROVER, quorum="all"))
    assert office.open().current.seats == (zoe.person_id, far.person_id)


def test_setting_a_policy_needs_the_right_on_that_unit(office: Office) -> None:
    manager = office.person("Manager", Role.DISTRICT_MANAGER)
    actor = office.org.identify(office.org.issue_token(office.operator, manager.person_id, "t")[0])
    policy = Policy((office.stage_of(manager),))
    office.approvals.policies.set(actor, office.district.unit_id, policy)
    with pytest.raises(NotAllowed):
        office.approvals.policies.set(actor, office.root.unit_id, policy)
    assert "approval policy set" in [
        r.what for r in office.stage.history.of(f"unit#{office.district.unit_id}")
    ]
