"""Whoever stands in for whom, for any graph of deputies, circles and people who left among them."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.org.model import Person, Status
from chalicelib.org.store import person_item
from tests.org.company import Company

NAMES = ["Ola", "آرش", "Żaneta", "مریم", "Bartłomiej", "کیان"]
states = st.sampled_from(Status)
graphs = st.lists(st.tuples(states, st.none() | st.integers(0, 5)), min_size=6, max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs)
def test_a_stand_in_is_here_and_reached_through_people_who_are_away(
    company: Company, graph: list[tuple[Status, int | None]]
) -> None:
    people = _store(company, graph)
    for start in range(len(people)):
        found = company.org.stand_in(people[start].person_id, company.stage.clock.now())
        at: int | None = start
        steps = 0
        while at is not None and people[at].status == Status.AWAY and steps <= len(people):
            at, steps = graph[at][1], steps + 1
        if at is None or steps > len(people) or people[at].status == Status.LEFT:
            assert found is None
        else:
            assert found == people[at]
            assert found.status == Status.ACTIVE


def test_nobody_stands_in_for_nobody(company: Company) -> None:
    assert company.org.stand_in("person_nobody", company.stage.clock.now()) is None


def _store(company: Company, graph: list[tuple[Status, int | None]]) -> list[Person]:
    """People in any state, circles included, which the service would not let anybody make."""
    people: list[Person] = []
    for name, (status, deputy) in zip(NAMES, graph, strict=True):
        deputy_id = None if deputy is None else f"person_{deputy}"
        person = replace(company.lead, name=name, status=status, deputy_id=deputy_id)
        people.append(replace(person, person_id=f"person_{len(people)}"))
        company.stage.database.put("org", person_item(people[-1]))
    return people
