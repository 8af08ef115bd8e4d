"""A week is written once, on Monday morning, and stays as it was written."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.core.errors import NotFound
from chalicelib.core.timetable import Claim
from chalicelib.org.model import Language
from chalicelib.platform_changes.briefing import WRITE, Briefings
from chalicelib.platform_changes.briefing_model import Down, Ending, Work
from chalicelib.platform_changes.model import Kind, SourceState, Status, Touching
from tests.fakes.stage import Stage
from tests.org.company import Company, hasty_kernel
from tests.platform_changes.briefing_desk import MONDAY, SOURCE, WEEK, Desk

DAY = timedelta(days=1)


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(Company.create(stage))


def test_the_job_puts_the_next_monday_on_the_timetable_once(desk: Desk) -> None:
    assert desk.briefings.ensure() == {"planned": 1}
    assert desk.briefings.ensure() == {"planned": 0}
    entry = desk.stage.kernel.timetable.get(f"{WRITE}#{WEEK}")
    assert (entry.due_at, entry.ref) == (MONDAY, WEEK)
    assert desk.company.history("briefings") == ["planned"]


def test_a_week_is_written_and_the_next_one_planned_in_the_same_transaction(desk: Desk) -> None:
    desk.monday()
    kept = desk.briefings.of(WEEK)
    assert (kept.since, kept.until, kept.on) == (MONDAY - 7 * DAY, MONDAY, date(2026, 11, 30))
    following = desk.stage.kernel.timetable.get(f"{WRITE}#2026-W50")
    assert following.due_at == MONDAY + 7 * DAY
    assert desk.company.history(f"briefing#{WEEK}").count("written") == 1


def test_a_week_that_is_written_again_stays_as_it_was(desk: Desk) -> None:
    desk.change("One")
    desk.monday()
    kept = desk.briefings.of(WEEK)
    desk.change("Another", seen_at=MONDAY - DAY)
    change = desk.stage.kernel.change(desk.lead.by)
    change.chore(WRITE, WEEK, key=WEEK)
    change.record("briefings", "planned")
    desk.stage.kernel.commit(change)
    assert "done" in desk.work()
    assert desk.briefings.of(WEEK) == kept


def test_a_briefing_tells_what_was_seen_since_the_last_one_and_nothing_twice(desk: Desk) -> None:
    desk.change("Before the week", seen_at=MONDAY - 8 * DAY)
    desk.change("On its first second", seen_at=MONDAY - 7 * DAY)
    desk.monday()
    desk.change("On the next week's first second", seen_at=MONDAY)
    desk.stage.clock.set(MONDAY + 7 * DAY)
    desk.work()
    assert [t.title for t in desk.briefings.of(WEEK).changed] == ["On its first second"]
    assert [t.title for t in desk.briefings.of("2026-W50").changed] == ["On the next week's first second"]


def test_weeks_in_which_nothing_ran_are_told_of_in_the_next_briefing(desk: Desk) -> None:
    desk.monday()
    desk.change("While the machines stood still", seen_at=MONDAY + 10 * DAY)
    desk.stage.kernel.database.transact([desk.stage.kernel.timetable.cancel(f"{WRITE}#2026-W50", MONDAY)])
    desk.stage.dynamodb.delete_item(
        TableName=desk.stage.settings.table("timetable"), Key={"entry_id": {"S": f"{WRITE}#2026-W50"}}
    )
    desk.stage.clock.set(MONDAY + 21 * DAY)
    desk.briefings.ensure()  # puts the latest and the next back
    desk.work()
    late = desk.briefings.of("2026-W52")
    assert late.since == MONDAY
    assert [told.title for told in late.changed] == ["While the machines stood still"]
    assert desk.stage.kernel.timetable.get(f"{WRITE}#2026-W53").due_at == MONDAY + 28 * DAY


def test_a_company_that_moved_west_gets_its_briefing_on_its_own_monday_morning(desk: Desk) -> None:
    desk.briefings.ensure()
    desk.company.org.change_person(desk.lead, desk.lead.person_id, zone="America/New_York")
    desk.stage.clock.set(MONDAY)
    desk.work()
    with pytest.raises(NotFound):
        desk.briefings.of(WEEK)
    desk.stage.clock.advance(hours=6)
    desk.work()
    assert desk.briefings.of(WEEK).until == MONDAY + timedelta(hours=6)


def test_two_workers_write_a_week_once(desk: Desk) -> None:
    desk.change("One")
    desk.briefings.ensure()
    desk.stage.clock.set(MONDAY)
    claim = desk.stage.kernel.timetable.claim(f"{WRITE}#{WEEK}", MONDAY, timedelta(seconds=1))
    assert isinstance(claim, Claim)
    kernel = hasty_kernel(desk.stage, lambda: desk.briefings.write(claim))
    Briefings(kernel, desk.company.org, desk.inputs).write(claim)
    assert desk.company.history(f"briefing#{WEEK}") == ["written"]


def test_what_is_to_be_done_is_sorted_by_date_and_says_what_it_is_about(desk: Desk) -> None:
    desk.change("Later", effective_on=date(2027, 3, 1))
    desk.change("Undated", kind=Kind.DEPRECATION)
    desk.change("Planned", status=Status.PLANNED, effective_on=date(2027, 2, 1), due_on=date(2026, 12, 2),
                owner_id=desk.ola.person_id)  # fmt: skip
    desk.change("Not ours to do", touching=Touching())
    desk.change("Done", status=Status.DONE)
    desk.change("Down", kind=Kind.OUTAGE)
    desk.versions = [
        Ending("linkedin", "202601", date(2027, 1, 15), 4, 1),
        Ending("linkedin", "202609", date(2027, 9, 15), 4, 1),
        Ending("linkedin", "202512", date(2026, 12, 15), 0, 0),
    ]
    desk.failing = [SourceState("li-changes", failing_since=MONDAY - 3 * DAY, failing_why="a page came")]
    desk.radar.add(desk.lead, desk.prospect())
    desk.monday()
    found = [(t.work, t.on, t.owner) for t in desk.briefings.of(WEEK).tasks]
    assert found == [
        (Work.CHANGE, date(2026, 12, 2), "Ola Ość"),
        (Work.REVIEW, date(2026, 12, 7), "Ola Ość"),
        (Work.VERSION, date(2027, 1, 15), ""),
        (Work.CHANGE, date(2027, 3, 1), ""),
        (Work.CHANGE, None, ""),
        (Work.SOURCE, None, ""),
    ]


def test_a_source_is_told_of_when_its_patience_is_over(desk: Desk) -> None:
    failing = SourceState("li-changes", failing_since=MONDAY - 2 * DAY, failing_why="a page came")
    gone = replace(failing, key="not-in-the-catalogue")
    desk.failing = [replace(failing, failing_since=MONDAY - 2 * DAY + timedelta(seconds=1)), gone]
    desk.monday()
    assert desk.briefings.of(WEEK).silent == ()
    desk.failing = [failing]
    (silent,) = desk.briefings.of().silent
    assert (silent.name, silent.platform, silent.why) == (SOURCE.name, "linkedin", "a page came")


def test_a_version_that_a_dated_change_speaks_of_is_to_be_done_once(desk: Desk) -> None:
    desk.change("202601 ends", versions=("202601",), effective_on=date(2027, 1, 15))
    desk.versions = [Ending("linkedin", "202601", date(2027, 1, 15), 4, 1)]
    desk.monday()
    assert [task.work for task in desk.briefings.of(WEEK).tasks] == [Work.CHANGE]


def test_what_touches_us_and_breaks_comes_first_among_what_changed(desk: Desk) -> None:
    desk.change("New and ours", kind=Kind.NEW)
    desk.change("Breaks others", touching=Touching())
    desk.change("Breaks us later", effective_on=date(2027, 1, 1))
    desk.change("Breaks us soon", effective_on=date(2026, 12, 1))
    desk.monday()
    titles = [told.title for told in desk.briefings.of(WEEK).changed]
    assert titles == ["Breaks us soon", "Breaks us later", "New and ours", "Breaks others"]


def test_a_quiet_week_is_one_in_which_nothing_concerns_us(desk: Desk) -> None:
    desk.change("Of others", touching=Touching())
    desk.change("Known for long", seen_at=MONDAY - 30 * DAY, effective_on=date(2027, 3, 1))
    desk.change("Judged not ours", status=Status.NOT_OURS)
    desk.monday()
    kept = desk.briefings.of(WEEK)
    assert kept.is_quiet
    soon = replace(kept.open[0], effective_on=kept.on + 14 * DAY)
    assert not replace(kept, open=(soon,)).is_quiet
    assert replace(kept, open=(replace(soon, effective_on=kept.on + 15 * DAY),)).is_quiet
    assert not replace(kept, outages=(Down("x", "Down", MONDAY - DAY, None),)).is_quiet


def test_one_platform_alone_is_told_of_on_request(desk: Desk) -> None:
    desk.change("Of LinkedIn")
    desk.change("Of Bluesky", platform="bluesky")
    desk.outages = [Down("bluesky", "Slow", MONDAY - DAY, None)]
    desk.radar.add(desk.lead, desk.prospect())
    desk.monday()
    alone = desk.briefings.of(WEEK, "linkedin")
    assert [t.title for t in alone.changed] == ["Of LinkedIn"]
    assert (alone.outages, alone.radar, alone.platforms) == ((), (), ("linkedin",))
    assert desk.briefings.of(WEEK).platforms == ("bluesky", "linkedin")


def test_without_a_week_it_is_what_there_is_to_tell_now(desk: Desk) -> None:
    desk.monday()
    desk.change("This morning", seen_at=MONDAY + timedelta(hours=1))
    desk.stage.clock.set(MONDAY + timedelta(hours=2))
    now = desk.briefings.of()
    assert (now.week, [t.title for t in now.changed]) == ("2026-W50", ["This morning"])
    assert desk.briefings.of(platform="bluesky").changed == ()


def test_a_flood_of_changes_fits_into_a_row_and_says_how_many_it_left_out(desk: Desk) -> None:
    for number in range(70):
        desk.change(f"{number} " + "ż" * 500, text="ف" * 5000)
    desk.monday()
    kept = desk.briefings.of(WEEK)
    assert (len(kept.changed), len(kept.open), kept.left_out) == (60, 60, 20)


def test_the_company_is_where_its_lead_lives(desk: Desk) -> None:
    org = desk.company.org
    tehran = {"zone": "Asia/Tehran", "language": Language.PERSIAN}
    org.change_person(desk.lead, desk.lead.person_id, **tehran)
    desk.briefings.ensure()
    entry = desk.stage.kernel.timetable.get(f"{WRITE}#{WEEK}")
    assert entry.due_at == datetime(2026, 11, 30, 3, 30, tzinfo=UTC)
