"""Targets and ladders come from the nearest unit that sets them."""

from datetime import timedelta

import pytest

from chalicelib.inbox.calendar import Calendar, Shift
from chalicelib.inbox.model import ClockKind
from chalicelib.inbox.rules import Actions, Conditions, Rule
from chalicelib.inbox.settings import Own, RuleBook
from chalicelib.inbox.targets import KINDS, USUAL_FOR, Ladder, Rung, Step, Targets
from tests.fakes.stage import Stage
from tests.inbox.clockwork import Clockwork


@pytest.fixture
def works(stage: Stage) -> Clockwork:
    return Clockwork.open(stage)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clock", ClockKind)
def test_without_settings_everything_is_due_within_a_day(kind: str, clock: ClockKind) -> None:
    assert Targets().of(kind, clock) == USUAL_FOR == 24 * 3600
    assert Targets({f"{kind}.{clock}": 60}).of(kind, clock) == 60


def test_the_usual_ladder_climbs_from_the_assignee_to_the_lead_an_hour_at_a_time() -> None:
    rungs = [Rung.ASSIGNEE, Rung.TEAM, Rung.DISTRICT_MANAGER, Rung.LEAD]
    assert Ladder().steps == tuple(Step(rung, 3600) for rung in rungs)


def test_the_nearest_unit_that_says_something_wins_value_by_value(works: Clockwork) -> None:
    settings, company = works.box.services.inbox_settings, works.box.unit_id
    office, quick = Calendar("Asia/Tehran", (Shift(0, 0, 60),)), Ladder((Step(Rung.LEAD, 60),))
    mine, theirs = (
        Rule(name, Conditions(keywords=(name,)), Actions(crisis=True)) for name in ("own", "above")
    )
    above = Targets({"comment.first_answer": 60, "message.first_answer": 120})
    works.set(Own(targets=above, calendar=office, escalation=quick, rules=RuleBook((theirs,))), company)
    works.set(Own(targets=Targets({"comment.first_answer": 30}), rules=RuleBook((mine,))))

    held = settings.of(works.district_id)
    assert held.targets.of("comment", ClockKind.FIRST_ANSWER) == 30
    assert held.targets.of("message", ClockKind.FIRST_ANSWER) == 120
    assert held.targets.of("comment", ClockKind.RESOLUTION) == USUAL_FOR
    assert (held.calendar, held.ladder) == (office, quick)
    assert [rule.name for rule in held.rules] == ["own", "above"]
    assert works.box.services.inbox_rules.of((company, works.district_id)) == (mine, theirs)
    assert settings.of(company).rules == (theirs,)


def test_a_change_made_elsewhere_holds_here_half_a_minute_later(works: Clockwork) -> None:
    from chalicelib.inbox.settings import InboxSettings

    services = works.box.services
    elsewhere = InboxSettings(services.kernel, services.org, lambda: services.accounts)
    assert elsewhere.of(works.district_id).targets == Targets()
    works.set(Own(targets=Targets({"comment.first_answer": 30})))
    assert elsewhere.of(works.district_id).targets == Targets()
    works.box.stage.clock.advance(seconds=30)
    assert elsewhere.of(works.district_id).targets == Targets({"comment.first_answer": 30})


def test_a_ladder_without_steps_ends_with_the_breach(works: Clockwork) -> None:
    works.set(Own(targets=Targets({"comment.resolution": 90 * 86400}), escalation=Ladder(())))
    works.says(happened_at=works.now - timedelta(hours=30))
    works.passes(seconds=1)
    works.runs(hours=30)
    assert [step for _, _, step in works.rung()] == [3]
