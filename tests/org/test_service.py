"""People, units and grants as the service keeps them, races and leaving included."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from chalicelib.core.database import TransactionRefused
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from chalicelib.core.history import Way
from chalicelib.org.model import Actor, Kind, Language, Person, Status
from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from tests.fakes.stage import Stage
from tests.org.company import Company, hasty_kernel, outcome


def in_the_middle(company: Company, meanwhile: Callable[[], object]) -> Org:
    """An Org that somebody else is quicker than: what they do happens right before its next commit."""
    return Org(hasty_kernel(company.stage, meanwhile))


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


def test_two_people_cannot_share_an_address_in_any_spelling(company: Company) -> None:
    add = company.org.add_person
    add(company.operator, "Łukasz Żak", "lukasz@example.org", "Europe/Warsaw", Language.POLISH)
    with pytest.raises(Conflict, match=r"LUKASZ@Example\.org"):
        add(company.operator, "Łukasz Ćwik", "LUKASZ@Example.org", "Europe/Warsaw", Language.POLISH)


def test_of_two_who_add_the_same_address_at_once_one_wins_and_one_hears_why(company: Company) -> None:
    def add(org: Org, name: str) -> Person:
        return org.add_person(company.operator, name, "x@example.org", "UTC", Language.POLISH)

    slower = in_the_middle(company, lambda: add(company.org, "Wójcik"))
    with pytest.raises(Conflict, match="somebody here has the e-mail address x@"):
        add(slower, "کاوه")
    assert [p.name for p in company.org.people(10)[0]] == ["Wójcik", company.lead.name]


def test_an_address_moves_with_its_owner_and_the_old_one_is_free_again(company: Company) -> None:
    person = company.person("Świętosława Brzęczyszczykiewicz")
    lead = company.actor(company.lead)
    changed = company.org.change_person(lead, person.person_id, email="nowa@example.org", name="Święta B.")
    assert (changed.email, changed.name, changed.version) == ("nowa@example.org", "Święta B.", 2)
    again = company.org.add_person(lead, "Inna", person.email, "UTC", Language.POLISH)
    with pytest.raises(Conflict):
        company.org.change_person(lead, again.person_id, email="NOWA@example.org")
    row = company.row(f"person#{person.person_id}", "changed")
    assert row.details["before"]["email"] == person.email
    assert row.details["after"] == {"email": "nowa@example.org", "name": "Święta B."}


def test_nobody_moves_their_own_address_but_everybody_their_own_zone(company: Company) -> None:
    person = company.person("سارا احمدی", (Role.AUTHOR, company.tehran))
    me = company.actor(person)
    assert company.org.change_person(me, person.person_id, zone="Europe/Warsaw").zone == "Europe/Warsaw"
    with pytest.raises(NotAllowed, match=r"people\.write.*lead"):
        company.org.change_person(me, person.person_id, email="evil@example.org")
    with pytest.raises(NotAllowed):
        company.org.change_person(me, company.lead.person_id, name="Podmiana")


def test_a_change_that_changes_nothing_writes_nothing(company: Company) -> None:
    before = company.history(f"person#{company.lead.person_id}")
    same = company.org.change_person(company.operator, company.lead.person_id, name=company.lead.name)
    assert same == company.lead
    assert company.history(f"person#{company.lead.person_id}") == before


def test_two_changes_at_once_do_not_overwrite_each_other(company: Company) -> None:
    person = company.person("Grażyna")
    late = in_the_middle(
        company, lambda: company.org.change_person(company.operator, person.person_id, zone="UTC")
    )
    with pytest.raises(Conflict, match="look again"):
        late.change_person(company.operator, person.person_id, name="Grażka")
    assert company.org.person(person.person_id).name == "Grażyna"


def test_people_are_listed_by_name_page_by_page(company: Company) -> None:
    names = {"Łucja", "Ądam", "بهار", "Bożena", "Czesław"}
    for name in names:
        company.person(name)
    seen: list[Person] = []
    after: str | None = ""
    while after is not None:
        page, after = company.org.people(2, after)
        assert len(page) <= 2
        seen += page
    assert {p.name for p in seen} == names | {company.lead.name}
    assert [p.name.casefold() for p in seen] == sorted(p.name.casefold() for p in seen)


@pytest.mark.parametrize("cursor", ["x" * 1025, "\ud800", "ż" * 600])
def test_a_cursor_that_no_listing_gave_out_leads_to_nothing(company: Company, cursor: str) -> None:
    assert company.org.people(10, cursor) == ([], None)


# Leaving


def test_whoever_left_is_not_signed_in_any_more_and_holds_nothing(company: Company) -> None:
    person = company.person("Ździsław Pędziwiatr", (Role.APPROVER, company.warsaw))
    token = company.token(person)
    assert company.org.identify(token).person_id == person.person_id
    assert company.org.holders(Role.APPROVER, company.warsaw.unit_id) == [person]
    left = company.org.mark_left(company.actor(company.lead), person.person_id, "emerytura")
    assert (left.status, left.left_at) == (Status.LEFT, company.stage.clock.now())
    with pytest.raises(NotSignedIn):
        company.org.identify(token)
    assert company.org.holders(Role.APPROVER, company.warsaw.unit_id) == []
    assert company.org.stand_in(person.person_id, company.stage.clock.now()) is None
    row = company.row(f"person#{person.person_id}", "left")
    assert (row.why, row.person_id, row.way) == ("emerytura", company.lead.person_id, Way.API)
    company.org.add_person(company.operator, "Ździsława", person.email, "UTC", Language.POLISH)


USES: dict[str, Callable[[Org, Actor, Company], object]] = {
    "add a person": lambda org, me, c: org.add_person(me, "Nowy", "n@example.org", "UTC", Language.POLISH),
    "change a person": lambda org, me, c: org.change_person(me, c.lead.person_id, name="Nowa"),
    "change themselves": lambda org, me, c: org.change_person(me, me.person_id, name="Nowa"),
    "send away": lambda org, me, c: org.set_away(me, c.lead.person_id, c.person("Zastępca").person_id, None),
    "add a unit": lambda org, me, c: org.add_unit(me, "تیم", Kind.TEAM, c.tehran.unit_id),
    "change a unit": lambda org, me, c: org.change_unit(me, c.tehran.unit_id, goals=("رشد",)),
    "grant": lambda org, me, c: org.grant(me, c.lead.person_id, Role.AUTHOR, c.tehran.unit_id),
    "revoke": lambda org, me, c: org.revoke_grant(me, c.lead.person_id, f"lead.{c.root.unit_id}"),
    "issue a token": lambda org, me, c: org.issue_token(me, c.lead.person_id, "dla innych"),
    "issue themselves one": lambda org, me, c: org.issue_token(me, me.person_id, "dla siebie"),
}


@pytest.mark.parametrize("use", USES)
def test_what_somebody_began_before_they_were_marked_left_does_not_commit(company: Company, use: str) -> None:
    person = company.person("Przemysław Gżegżółka", (Role.LEAD, company.root))
    me = company.actor(person)
    interrupted = in_the_middle(company, lambda: company.org.mark_left(company.operator, person.person_id))
    with pytest.raises((NotAllowed, Conflict)):
        USES[use](interrupted, me, company)
    assert company.org.person(person.person_id).status == Status.LEFT


def test_a_grant_does_not_reach_somebody_who_leaves_at_the_same_time(company: Company) -> None:
    person = company.person("نیلوفر")
    interrupted = in_the_middle(company, lambda: company.org.mark_left(company.operator, person.person_id))
    with pytest.raises(NotAllowed, match="not among the people here"):
        interrupted.grant(company.operator, person.person_id, Role.LEAD, company.root.unit_id)
    assert company.org.grants_of(person.person_id) == ()


def test_an_active_check_refuses_the_transaction_of_a_package_above(company: Company) -> None:
    person = company.person("Bogumił")
    stage = company.stage
    check = company.org.active_check(person.person_id)
    stage.database.transact([check])
    company.org.mark_left(company.operator, person.person_id)
    with pytest.raises(TransactionRefused):
        stage.database.transact([check])
    with pytest.raises(TransactionRefused):
        stage.database.transact([company.org.active_check("person_nobody")])


def test_nobody_leaves_twice_and_the_one_who_left_stays_as_they_were(company: Company) -> None:
    person = company.person("Mścisław")
    company.org.mark_left(company.operator, person.person_id)
    for call in (
        lambda: company.org.mark_left(company.operator, person.person_id),
        lambda: company.org.change_person(company.operator, person.person_id, name="Duch"),
        lambda: company.org.grant(company.operator, person.person_id, Role.AUTHOR, company.root.unit_id),
        lambda: company.org.issue_token(company.operator, person.person_id, "duch"),
    ):
        with pytest.raises(Conflict, match="Mścisław has left"):
            call()


def test_the_last_lead_neither_leaves_nor_loses_the_role(company: Company) -> None:
    with pytest.raises(Conflict, match="last lead"):
        company.org.mark_left(company.operator, company.lead.person_id)
    with pytest.raises(Conflict, match="last lead"):
        company.org.revoke_grant(company.operator, company.lead.person_id, f"lead.{company.root.unit_id}")
    second = company.person("فرهاد", (Role.LEAD, company.root))
    company.org.mark_left(company.operator, company.lead.person_id)
    with pytest.raises(Conflict, match="last lead"):
        company.org.mark_left(company.operator, second.person_id)


def test_of_two_leads_who_leave_at_once_one_stays(company: Company) -> None:
    second = company.person("Jadwiga", (Role.LEAD, company.root))
    interrupted = in_the_middle(company, lambda: company.org.mark_left(company.operator, second.person_id))
    with pytest.raises(Conflict, match="last lead"):
        interrupted.mark_left(company.operator, company.lead.person_id)


def test_a_lead_of_a_part_does_not_stand_for_the_company(company: Company) -> None:
    company.person("Wielisława", (Role.LEAD, company.warsaw))
    with pytest.raises(Conflict, match="last lead"):
        company.org.mark_left(company.operator, company.lead.person_id)


# Being away


def test_a_deputy_stands_in_until_the_end_of_the_last_day_where_the_person_lives(company: Company) -> None:
    org, clock = company.org, company.stage.clock  # Monday 2026-11-23, 15:30 in Tehran
    person, deputy = company.person("آرش"), company.person("Zbigniew")
    away = org.set_away(company.actor(person), person.person_id, deputy.person_id, date(2026, 11, 24))
    assert (away.status, away.deputy_id) == (Status.AWAY, deputy.person_id)
    assert org.stand_in(person.person_id, clock.now()) == deputy
    last_minute = clock.now().replace(day=24, hour=20, minute=29)
    assert org.stand_in(person.person_id, last_minute) == deputy
    assert org.stand_in(person.person_id, last_minute + timedelta(minutes=1)) == away


def test_whoever_returns_stands_for_themselves(company: Company) -> None:
    person, deputy = company.person("Żywia"), company.person("Dobrawa")
    with pytest.raises(Conflict, match="not away"):
        company.org.return_from_away(company.operator, person.person_id)
    company.org.set_away(company.operator, person.person_id, deputy.person_id, None)
    back = company.org.return_from_away(company.actor(person), person.person_id)
    assert (back.status, back.deputy_id) == (Status.ACTIVE, None)
    assert company.org.stand_in(person.person_id, company.stage.clock.now()) == back
    assert company.history(f"person#{person.person_id}") == [
        "added",
        "came back",
        "token issued",
        "went away",
    ]


def test_a_deputy_must_be_somebody_who_is_here_and_the_day_not_over(company: Company) -> None:
    person, gone = company.person("Ludmiła"), company.person("Rościsław")
    company.org.mark_left(company.operator, gone.person_id)
    me = company.actor(person)
    with pytest.raises(InvalidInput) as refusal:
        company.org.set_away(me, person.person_id, gone.person_id, date(2026, 11, 22))
    assert {p.field for p in refusal.value.problems} == {"until", "deputy_id"}
    for nobody in (person.person_id, "person_nobody"):
        with pytest.raises(InvalidInput, match="deputy_id"):
            company.org.set_away(me, person.person_id, nobody, None)
    with pytest.raises(NotAllowed):
        company.org.set_away(me, company.lead.person_id, person.person_id, None)


def test_two_people_cannot_send_each_other_away(company: Company) -> None:
    one, other = company.person("Bolesław"), company.person("مهسا")
    company.org.set_away(company.operator, one.person_id, other.person_id, None)
    with pytest.raises(InvalidInput, match="without anybody"):
        company.org.set_away(company.operator, other.person_id, one.person_id, None)


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
