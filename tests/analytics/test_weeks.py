"""Posts are counted once, weeks are sampled once, and both only where somebody could hear what came back."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.accounts.model import AccountClass, AccountStatus, RogueKind
from chalicelib.analytics.store import Store, Week
from chalicelib.analytics.weeks import last_week, week_of
from chalicelib.core.timetable import Claim, Entry, Lane
from tests.analytics.conftest import Office
from tests.conftest import NOON

MONDAY = date(2026, 11, 23)  # NOON's own


def weeks(office: Office, monday: date = MONDAY) -> dict[str, Week]:
    return {week.handle: week for week in Store(office.stage.database).weeks(monday)}


@given(st.timedeltas(timedelta(), timedelta(days=5000)).map(lambda later: NOON + later))
def test_the_last_week_is_over_everywhere_and_no_older_than_it_must_be(now: datetime) -> None:
    monday = last_week(now)
    ends_at = datetime(monday.year, monday.month, monday.day, 12, tzinfo=UTC) + timedelta(days=7)
    assert monday.weekday() == 0
    assert ends_at <= now < ends_at + timedelta(days=7)
    assert week_of(monday + timedelta(days=6)) == monday


def test_a_week_is_over_when_its_sunday_is_over_in_the_last_zone() -> None:
    assert last_week(NOON - timedelta(milliseconds=1)) == MONDAY - timedelta(days=14)
    assert last_week(NOON) == MONDAY - timedelta(days=7)


def test_a_post_counts_once_however_often_its_chore_runs(office: Office) -> None:
    account = office.account("glos")
    office.publish(account, "post_a")
    office.publish(account, "post_b")
    entry = Entry("again", Lane.CHORES, "count_published", f"post_a~{account.account_id}", office.now)
    for _ in range(3):
        office.weeks.count_published(Claim(entry, "worker", office.now))
    office.pass_week()
    assert weeks(office)["glos"].posts == {"post_a", "post_b"}


def test_a_post_that_is_counted_after_its_weeks_sample_still_counts(office: Office) -> None:
    account = office.account("glos")
    office.publish(account, "post_a")
    office.pass_week()
    Store(office.stage.database).add_post(account.account_id, MONDAY, "post_late")
    assert office.weeks.sample() == {"sampled": 0, "taken_before": 1}
    assert weeks(office)["glos"].posts == {"post_a", "post_late"}


def test_a_post_counts_in_the_week_in_which_it_went_out(office: Office) -> None:
    account = office.account("glos")
    office.stage.clock.set(NOON + timedelta(days=6, hours=11, minutes=59))
    office.publish(account, "post_sunday")
    office.stage.clock.advance(minutes=2)
    office.publish(account, "post_monday")
    office.publish(account, "post_found_later", office.now - timedelta(minutes=2))
    for _ in range(2):
        office.stage.clock.advance(hours=12)
        office.weeks.sample()
        office.stage.clock.advance(days=7)
    assert weeks(office)["glos"].posts == {"post_sunday", "post_found_later"}
    assert weeks(office, MONDAY + timedelta(days=7))["glos"].posts == {"post_monday"}


def test_a_sample_has_the_whole_week_and_nothing_else(office: Office) -> None:
    account = office.account("glos")
    office.hear(account, volume=3, reactions=5, shares=2)
    office.stage.clock.advance(days=6)
    office.hear(account, volume=1, answered=2)
    office.stage.clock.advance(days=1)
    office.hear(account, volume=50)
    office.stage.clock.advance(hours=1)
    assert office.weeks.sample() == {"sampled": 1, "taken_before": 0}
    week = weeks(office)["glos"]
    assert (week.volume, week.answered, week.reactions, week.shares) == (4, 2, 5, 2)
    assert (week.followers, week.sampled_at) == (1000, office.now)


def test_reactions_that_were_taken_back_leave_no_debt(office: Office) -> None:
    account = office.account("glos")
    office.hear(account, reactions=-3)
    office.pass_week()
    assert weeks(office)["glos"].reactions == 0


def test_a_missed_day_is_made_up_for_and_a_second_run_changes_nothing(office: Office) -> None:
    account = office.account("glos")
    office.stage.clock.advance(days=9)
    assert office.weeks.sample()["sampled"] == 1
    before = weeks(office)["glos"]
    office.save(replace(account, followers=5))
    office.stage.clock.advance(days=1)
    assert office.weeks.sample() == {"sampled": 0, "taken_before": 1}
    assert weeks(office)["glos"] == before


def test_a_week_in_which_nobody_could_hear_is_no_week(office: Office) -> None:
    listed, rogue = AccountStatus.LISTED, AccountClass.ROGUE
    office.account("listed", status=listed)
    office.account("refused", status=AccountStatus.CREDENTIALS_REFUSED)
    office.account("retired", status=AccountStatus.RETIRED, account_class=AccountClass.RETIRED)
    office.account("duplicate", account_class=AccountClass.DUPLICATE, same_as="account_other")
    office.account("fan", status=listed, account_class=rogue, rogue_kind=RogueKind.FAN)
    office.account("later", created_at=NOON + timedelta(days=1))  # not there for all of the week
    assert office.pass_week() == {"sampled": 0, "taken_before": 0}


def test_a_dormant_account_still_costs_and_is_counted(office: Office) -> None:
    office.account("cisza", account_class=AccountClass.DORMANT)
    assert office.pass_week()["sampled"] == 1
