"""What the work takes: a unit's own numbers, and what it leaves to those above."""

import pytest

from chalicelib.analytics.effort import DEFAULTS, EXPLAINED, Effort, Own, effort_of
from chalicelib.core.errors import Conflict, NotAllowed, NotFound
from chalicelib.org.roles import Role
from tests.analytics.conftest import Office


def test_every_default_is_explained() -> None:
    assert set(DEFAULTS) == set(EXPLAINED)
    assert effort_of(()) == Effort(**DEFAULTS)


def test_hours_are_the_sum_of_all_work() -> None:
    assert Effort(60, 30, 15).hours(posts=3, answered=4, weeks=8) == 3 + 2 + 2


def test_the_nearest_unit_that_sets_a_number_wins(office: Office) -> None:
    admin, company = office.company.operator, office.company
    office.audience.set_effort(admin, company.root.unit_id, Own(post_minutes=90, upkeep_minutes=0))
    found = office.audience.set_effort(admin, company.warsaw.unit_id, Own(post_minutes=20))
    assert found.holds == Effort(20, DEFAULTS["answer_minutes"], 0)
    assert office.audience.effort(admin, company.tehran.unit_id).holds.post_minutes == 90
    rows = office.stage.history.of(f"unit#{company.warsaw.unit_id}")
    assert [row.details["post_minutes"] for row in rows if row.what == "effort set"] == [20]


def test_a_change_made_meanwhile_is_not_lost(office: Office) -> None:
    admin, unit_id = office.company.operator, office.company.warsaw.unit_id
    own = office.audience.set_effort(admin, unit_id, Own(20)).own
    assert own.version == 1
    office.audience.set_effort(admin, unit_id, Own(25, version=1))
    for stale in (0, 1):
        with pytest.raises(Conflict):
            office.audience.set_effort(admin, unit_id, Own(30, version=stale))
    assert office.audience.effort(admin, unit_id).own == Own(25, version=2)


def test_only_who_may_write_in_the_unit_sets_its_effort(office: Office) -> None:
    company = office.company
    manager = company.actor(company.person("Marzena", (Role.DISTRICT_MANAGER, company.warsaw)))
    office.audience.set_effort(manager, company.warsaw.unit_id, Own(20))
    with pytest.raises(NotAllowed):
        office.audience.set_effort(manager, company.tehran.unit_id, Own(20))
    analyst = company.actor(company.person("Ania", (Role.ANALYST, company.warsaw)))
    assert office.audience.effort(analyst, company.warsaw.unit_id).holds.post_minutes == 20
    with pytest.raises(NotAllowed):
        office.audience.set_effort(analyst, company.warsaw.unit_id, Own(10, version=1))
    with pytest.raises(NotFound):
        office.audience.effort(manager, "unit_nowhere")
