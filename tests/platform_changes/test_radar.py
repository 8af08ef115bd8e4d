"""New platforms: judged, decided about, and looked at again on their day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.org.model import Actor, Person
from chalicelib.org.roles import Role
from chalicelib.platform_changes.radar import REMIND
from chalicelib.platform_changes.radar_model import Decision, Judged, Level
from tests.fakes.stage import Stage
from tests.org.company import Company
from tests.platform_changes.briefing_desk import Desk

EIGHT = datetime(2026, 12, 7, 7, tzinfo=UTC)  # where its owner lives


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(Company.create(stage))


def actor(desk: Desk, person: Person) -> Actor:
    return Actor(person.person_id, person.name, desk.company.org.grants_of(person.person_id))


def reminders(desk: Desk, person: Person) -> list[str]:
    return [subject for subject in desk.postbox.subjects(person) if subject.startswith("Look again")]


def problems(desk: Desk, **fields: object) -> set[str]:
    with pytest.raises(InvalidInput) as refused:
        desk.radar.add(desk.lead, desk.prospect(**fields))
    return {problem.field for problem in refused.value.problems}


def test_a_platform_is_put_on_the_radar_judged_again_and_taken_off(desk: Desk) -> None:
    added = desk.radar.add(desk.lead, desk.prospect())
    risk = Judged(Level.HIGH, "Rules on minors are unclear.")
    fields = desk.prospect(decision=Decision.REFUSE, why="Too young.", review_on=None, risk=risk)
    judged = desk.radar.judge(desk.lead, added.prospect_id, fields, added.version)
    assert desk.radar.all() == [judged] == [desk.radar.get(added.prospect_id)]
    assert (judged.risk, judged.decision, judged.version) == (risk, Decision.REFUSE, 2)
    assert judged.added_at == added.added_at
    desk.radar.remove(desk.lead, added.prospect_id)
    assert desk.radar.all() == []
    subject = f"radar#{added.prospect_id}"
    assert desk.company.history(subject) == ["judged", "put on the radar", "taken off the radar"]
    with pytest.raises(NotFound):
        desk.radar.get(added.prospect_id)


def test_its_owner_is_reminded_once_in_the_morning_of_its_day(desk: Desk) -> None:
    desk.radar.add(desk.lead, desk.prospect())
    desk.stage.clock.set(EIGHT - timedelta(seconds=1))
    desk.work()
    assert reminders(desk, desk.ola) == []
    desk.stage.clock.set(EIGHT)
    desk.work()
    desk.stage.clock.advance(days=1)
    desk.work()
    assert reminders(desk, desk.ola) == ["Look again: Flip"]


def test_a_review_that_was_moved_is_reminded_of_on_its_new_day_only(desk: Desk) -> None:
    added = desk.radar.add(desk.lead, desk.prospect())
    fields = desk.prospect(review_on=date(2026, 12, 14))
    desk.radar.judge(desk.lead, added.prospect_id, fields, 1)
    desk.stage.clock.set(EIGHT)
    desk.work()
    assert reminders(desk, desk.ola) == []
    desk.stage.clock.advance(days=7)
    desk.work()
    assert reminders(desk, desk.ola) == ["Look again: Flip"]


@pytest.mark.parametrize("what", ["decided", "removed"])
def test_what_is_settled_is_not_reminded_of(desk: Desk, what: str) -> None:
    added = desk.radar.add(desk.lead, desk.prospect())
    if what == "removed":
        desk.radar.remove(desk.lead, added.prospect_id)
    else:
        fields = desk.prospect(decision=Decision.JOIN, review_on=None)
        desk.radar.judge(desk.lead, added.prospect_id, fields, 1)
    desk.stage.clock.set(EIGHT)
    assert desk.work() == []
    entry = desk.stage.kernel.timetable.get(f"{REMIND}#{added.prospect_id}")
    assert entry.done_at is not None


def test_the_leads_are_reminded_of_what_somebody_left_behind(desk: Desk) -> None:
    desk.radar.add(desk.lead, desk.prospect())
    desk.company.org.mark_left(desk.company.operator, desk.ola.person_id)
    desk.stage.clock.set(EIGHT)
    desk.work()
    assert len(desk.postbox.to(desk.company.lead)) == 1
    assert desk.postbox.to(desk.ola) == []


def test_all_that_is_wrong_with_an_evaluation_is_said_at_once(desk: Desk) -> None:
    assert problems(desk, review_on=None, owner_id="person_x") == {"review_on", "owner_id"}
    assert problems(desk, decision=Decision.TRY, review_on=None) == {"review_on"}
    assert problems(desk, decision=Decision.REFUSE, review_on=None) == {"why"}
    assert problems(desk, review_on=date(2026, 11, 23)) == {"review_on"}  # today
    assert problems(desk, review_on=date(2028, 11, 23)) == {"review_on"}
    desk.company.org.mark_left(desk.company.operator, desk.ola.person_id)
    assert problems(desk) == {"owner_id"}


def test_of_two_who_judge_at_once_the_second_looks_again(desk: Desk) -> None:
    added = desk.radar.add(desk.lead, desk.prospect())
    desk.radar.judge(desk.lead, added.prospect_id, desk.prospect(), 1)
    with pytest.raises(Conflict):
        desk.radar.judge(desk.lead, added.prospect_id, desk.prospect(), 1)


def test_only_leads_and_ops_judge(desk: Desk) -> None:
    added = desk.radar.add(actor(desk, desk.ola), desk.prospect())
    author = actor(desk, desk.person("Autor", Role.AUTHOR, "en"))
    for refused in (
        lambda: desk.radar.add(author, desk.prospect()),
        lambda: desk.radar.judge(author, added.prospect_id, desk.prospect(), 1),
        lambda: desk.radar.remove(author, added.prospect_id),
    ):
        with pytest.raises(NotAllowed):
            refused()


def test_the_briefing_tells_of_what_was_judged_this_week_and_of_reviews_ahead(desk: Desk) -> None:
    desk.radar.add(desk.lead, desk.prospect(name="Judged this week", review_on=date(2027, 6, 1)))
    desk.radar.add(desk.lead, desk.prospect(name="To be looked at", review_on=date(2026, 12, 20)))
    assert {seen.name for seen in desk.briefings.of().radar} == {"Judged this week", "To be looked at"}
    desk.stage.clock.advance(days=14)
    assert {seen.name for seen in desk.briefings.of().radar} == {"To be looked at"}
