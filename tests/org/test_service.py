"""Units, roles and tokens as the service keeps them, races included."""

import pytest

from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.core.history import Way
from chalicelib.org.model import Kind, Language, Status
from chalicelib.org.roles import Role
from tests.fakes.stage import Stage
from tests.org.company import Company, in_the_middle, outcome


def test_the_first_lead_may_do_everything_and_there_is_only_one_first(company: Company) -> None:
    actor = company.actor(company.lead)
    added = company.org.add_person(actor, "مریم رضایی", "maryam@example.org", "Asia/Tehran", Language.PERSIAN)
    assert company.org.person(added.person_id) == added
    with pytest.raises(Conflict, match="already"):
        company.org.first_lead("Druga", "Ktoś Inny", "k@example.org", "UTC", "pl", company.operator)


def test_an_operators_changes_are_in_history_under_their_arn(company: Company) -> None:
    rows = company.stage.history.of(f"person#{company.lead.person_id}")
    assert {(r.what, r.person_id, r.way) for r in rows} == {
        ("added", company.operator.person_id, Way.ADMIN),
        ("role granted", company.operator.person_id, Way.ADMIN),
    }


# Units


def test_a_unit_stands_where_its_kind_allows(company: Company) -> None:
    add = company.org.add_unit
    for kind, parent in (
        (Kind.COMPANY, company.root),
        (Kind.REGION, company.warsaw),
        (Kind.DISTRICT, add(company.operator, "Zespół", Kind.TEAM, company.warsaw.unit_id)),
    ):
        with pytest.raises(InvalidInput, match="cannot stand"):
            add(company.operator, "Źle", kind, parent.unit_id)
    with pytest.raises(InvalidInput, match="parent_id"):
        add(company.operator, "Sierota", Kind.TEAM, "unit_nobody")


def test_a_unit_is_led_by_somebody_who_is_here(company: Company) -> None:
    person = company.person("Kazimierz")
    unit = company.org.change_unit(company.operator, company.warsaw.unit_id, lead_id=person.person_id)
    assert (unit.lead_id, unit.version) == (person.person_id, 2)
    company.org.mark_left(company.operator, person.person_id)
    kept = company.org.change_unit(company.operator, company.warsaw.unit_id, goals=("więcej zasięgu",))
    assert kept.lead_id == person.person_id
    with pytest.raises(InvalidInput, match="lead_id: Kazimierz has left"):
        company.org.change_unit(company.operator, company.tehran.unit_id, lead_id=person.person_id)
    with pytest.raises(InvalidInput, match="lead_id"):
        company.org.add_unit(company.operator, "N", Kind.TEAM, company.tehran.unit_id, "person_nobody")
    interrupted = in_the_middle(
        company, lambda: company.org.change_unit(company.operator, company.warsaw.unit_id, name="Szybszy")
    )
    with pytest.raises(Conflict, match="look again"):
        interrupted.change_unit(company.operator, company.warsaw.unit_id, name="Wolniejszy")


def test_a_district_manager_changes_their_own_part_only(company: Company) -> None:
    manager = company.actor(company.person("هومن", (Role.DISTRICT_MANAGER, company.tehran)))
    team = company.org.add_unit(manager, "تیم شمال", Kind.TEAM, company.tehran.unit_id)
    assert team.path == (*company.tehran.path, team.unit_id)
    for unit in (company.warsaw, company.region, company.root):
        with pytest.raises(NotAllowed):
            company.org.change_unit(manager, unit.unit_id, name="Moje")
        with pytest.raises(NotAllowed):
            company.org.add_unit(manager, "Moje", Kind.TEAM, unit.unit_id)


# Grants


def test_the_same_role_on_the_same_thing_is_held_once(company: Company) -> None:
    person = company.person("Wacław")
    give = company.org.grant
    grant = give(company.operator, person.person_id, Role.AUTHOR, company.warsaw.unit_id)
    with pytest.raises(Conflict, match="Wacław holds"):
        give(company.operator, person.person_id, Role.AUTHOR, company.warsaw.unit_id)
    on_account = give(company.operator, person.person_id, Role.AUTHOR, company.warsaw.unit_id, "acc_1")
    assert set(company.org.grants_of(person.person_id)) == {grant, on_account}
    company.org.revoke_grant(company.operator, person.person_id, grant.grant_id)
    with pytest.raises(NotFound):
        company.org.revoke_grant(company.operator, person.person_id, grant.grant_id)
    assert company.org.grants_of(person.person_id) == (on_account,)
    assert company.org.holders(Role.AUTHOR, company.warsaw.unit_id) == []


def test_a_role_for_units_is_not_given_on_one_account(company: Company) -> None:
    person = company.person("Mirosław")
    with pytest.raises(InvalidInput, match="role"):
        company.org.grant(
            company.operator, person.person_id, Role.DISTRICT_MANAGER, company.warsaw.unit_id, "acc_1"
        )


def test_a_district_manager_hands_out_working_roles_below_and_never_power(company: Company) -> None:
    manager = company.actor(company.person("شیرین", (Role.DISTRICT_MANAGER, company.tehran)))
    person = company.person("Hanna")
    team = company.org.add_unit(company.operator, "تیم", Kind.TEAM, company.tehran.unit_id)

    def may(role: Role, unit_id: str) -> bool:
        return outcome(lambda: company.org.grant(manager, person.person_id, role, unit_id)) == "ok"

    working = {Role.AUTHOR, Role.APPROVER, Role.RESPONDER, Role.ANALYST}
    assert {r for r in Role if may(r, company.tehran.unit_id)} == working
    assert {r for r in Role if may(r, team.unit_id)} == working | {Role.DISTRICT_MANAGER}
    assert not any(may(r, u.unit_id) for r in Role for u in (company.warsaw, company.region, company.root))
    with pytest.raises(NotAllowed, match="lead"):
        company.org.revoke_grant(manager, company.lead.person_id, f"lead.{company.root.unit_id}")


def test_holders_are_those_on_exactly_that_unit_away_ones_included(company: Company) -> None:
    one = company.person("Ścibor", (Role.APPROVER, company.warsaw))
    company.person("بالا", (Role.APPROVER, company.region))
    company.person("inna rola", (Role.AUTHOR, company.warsaw))
    company.org.set_away(company.operator, one.person_id, company.lead.person_id, None)
    holders = company.org.holders(Role.APPROVER, company.warsaw.unit_id)
    assert [(p.person_id, p.status) for p in holders] == [(one.person_id, Status.AWAY)]


def test_every_change_has_a_row_and_no_row_has_a_token(company: Company, stage: Stage) -> None:
    person = company.person("Władysława", (Role.AUTHOR, company.warsaw))
    token = company.token(person)
    me = company.org.identify(token)
    company.org.change_person(me, person.person_id, name="Władka")
    company.org.revoke_grant(company.operator, person.person_id, f"author.{company.warsaw.unit_id}")
    (issued,) = company.org.tokens_of(me, person.person_id)
    company.org.revoke_token(me, person.person_id, issued.token_id)
    company.org.change_unit(company.operator, company.warsaw.unit_id, goals=("zasięg",))
    company.org.mark_left(company.operator, person.person_id)
    assert company.history(f"person#{person.person_id}") == [
        "added", "changed", "left", "role granted", "role revoked", "token issued", "token revoked",
    ]  # fmt: skip
    assert company.history(f"unit#{company.warsaw.unit_id}") == ["added", "changed"]
    stored = company.everything_stored()
    assert token not in stored
    assert token.removeprefix("sb_") not in stored
    assert issued.token_hash in stored
