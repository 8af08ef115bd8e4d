"""People as the service keeps them: joining, changing, leaving and being away, races included."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from chalicelib.core.database import TransactionRefused
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotSignedIn
from chalicelib.core.history import Way
from chalicelib.org.model import Actor, Kind, Language, Person, Status
from chalicelib.org.roles import Role
from chalicelib.org.service import Org
from tests.org.company import Company, in_the_middle


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
