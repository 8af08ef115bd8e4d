"""A case is chased until it ends, further up the longer it waits, and looked at again after that."""

from datetime import timedelta
from itertools import pairwise

import pytest

from chalicelib.accounts.model import RogueKind
from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.org.roles import Role
from chalicelib.platforms.errors import RateLimited, Unavailable
from chalicelib.takedowns.chasing import Chasing
from chalicelib.takedowns.ladder import Ladder
from chalicelib.takedowns.model import (
    ACT_FOR,
    ESCALATES_AFTER,
    Case,
    Harm,
    State,
    chased,
    chased_after,
    rungs,
)
from tests.org.company import hasty_kernel
from tests.takedowns.desk import Desk

DAY = timedelta(days=1)


def claimed(desk: Desk, case: Case) -> Claim:
    """A worker's claim on the case's next mail."""
    now = desk.stage.clock.now()
    claim = desk.kernel.timetable.claim(f"chase_case#{case.case_id}", now, timedelta(minutes=2))
    assert isinstance(claim, Claim)
    return claim


@pytest.mark.parametrize("harm", Harm)
def test_a_case_that_waits_for_us_is_chased_at_the_pace_of_its_harm(desk: Desk, harm: Harm) -> None:
    case = desk.open(harm=harm)
    desk.quiet()
    pace = ACT_FOR[harm]
    desk.pass_time(seconds=pace.total_seconds() - 1)
    assert desk.postbox.sent == []
    desk.pass_time(seconds=2)
    assert {m.subject for m in desk.postbox.to(desk.owner)} == {"Please act: zorza_pomoc on bluesky"}
    assert desk.case(case).chase_at == case.opened_at + 2 * pace


@pytest.mark.parametrize("harm", Harm)
def test_who_hears_of_a_case_that_waits_grows_by_harm(desk: Desk, harm: Harm) -> None:
    desk.open(harm=harm)
    desk.quiet()
    heard = []
    for _ in range(8):
        desk.pass_time(seconds=ACT_FOR[harm].total_seconds())
        heard.append({m.to for m in desk.postbox.sent})
        desk.postbox.sent.clear()
    manager_after, lead_after = ESCALATES_AFTER[harm]
    for mails, people in enumerate(heard):
        wanted = {desk.owner.email}
        wanted |= {desk.manager.email} if mails >= manager_after else set()
        wanted |= {desk.lead.email} if mails >= lead_after else set()
        assert people == wanted, f"mail {mails + 1} of a case of {harm} harm"


def test_the_more_harm_the_sooner_and_the_higher() -> None:
    in_order = list(Harm)
    for less, more in pairwise(in_order):
        assert ACT_FOR[more] < ACT_FOR[less]
        assert ESCALATES_AFTER[more] < ESCALATES_AFTER[less]


@pytest.mark.parametrize("harm", Harm)
def test_the_platform_gets_its_usual_time_and_less_of_it_the_more_harm(desk: Desk, harm: Harm) -> None:
    case = desk.submitted(harm=harm)
    usual = desk.takedowns.answers_for(case)
    assert case.submitted_at is not None
    assert case.chase_at == case.submitted_at + chased_after(case, usual)
    assert chased_after(case, 10 * DAY) == {"low": 15, "medium": 10, "high": 5, "critical": 2.5}[harm] * DAY
    assert chased_after(case, timedelta(0)) == ACT_FOR[harm]
    assert case.chase_at is not None
    again = chased(case, case.chase_at, 10 * DAY).chase_at
    assert again is not None
    assert ACT_FOR[harm] <= again - case.chase_at <= chased_after(case, 10 * DAY)


def test_a_step_starts_the_mails_anew(desk: Desk) -> None:
    case = desk.open(harm="high")
    desk.pass_time(days=4)
    assert len(rungs(desk.case(case))) == 3
    after = desk.step(case, "submitted", "R-1")
    assert (after.chases, len(rungs(after))) == (0, 1)


def test_what_has_ended_is_not_chased(desk: Desk) -> None:
    for to in ("removed", "withdrawn"):
        case = desk.step(desk.open(desk.account(to)), to)
        assert "chase_case" not in desk.entries(case)
        assert case.chase_at is None
    desk.quiet()
    desk.pass_time(days=20)
    assert desk.postbox.sent == []


def test_a_mail_that_comes_after_the_step_it_asks_for_is_not_sent(desk: Desk) -> None:
    case = desk.open()
    desk.quiet()
    desk.stage.clock.advance(days=3)
    assert desk.chasing.chase_case(claimed(desk, case)) is True
    desk.step(case, "submitted", "R-1")
    desk.work()
    assert [m.subject for m in desk.postbox.sent] == ["Report handed in: zorza_pomoc on bluesky"]


def test_when_the_owner_is_away_or_gone_somebody_else_hears_of_it(desk: Desk) -> None:
    case = desk.open()
    deputy = desk.person("Piotr Zastępca")
    desk.org.set_away(desk.operator, desk.owner.person_id, deputy.person_id, None)
    desk.quiet()
    desk.pass_time(days=3, seconds=1)
    assert [m.to for m in desk.postbox.sent] == [deputy.email]
    desk.org.mark_left(desk.operator, desk.owner.person_id)
    desk.postbox.sent.clear()
    desk.pass_time(days=3)
    assert [m.to for m in desk.postbox.sent] == [desk.manager.email]
    assert desk.history(case).count("chased") == 2


def test_a_worker_that_comes_late_chases_nobody(desk: Desk) -> None:
    case = desk.open()
    desk.quiet()
    desk.stage.clock.advance(days=3)
    claim = claimed(desk, case)
    desk.stage.clock.advance(minutes=3)
    desk.chasing.chase_case(claimed(desk, case))
    with pytest.raises(Later):
        desk.chasing.chase_case(claim)
    assert desk.case(case).chases == 1


def test_of_two_workers_that_chase_at_once_one_is_refused(desk: Desk) -> None:
    case = desk.open()
    desk.quiet()
    desk.stage.clock.advance(days=3)
    claim = claimed(desk, case)
    slow = hasty_kernel(desk.stage, lambda: desk.chasing.chase_case(claim))
    with pytest.raises(Conflict):
        Chasing(slow, desk.accounts, desk.takedowns, Ladder(desk.org), desk.looks).chase_case(claim)
    assert desk.case(case).chases == 1


# Looks after the end


def test_what_was_removed_is_looked_at_after_30_and_90_days_and_then_closed(desk: Desk) -> None:
    case = desk.removed()
    desk.quiet()
    desk.pass_time(days=29)
    assert desk.network.asked == []
    desk.pass_time(days=2)
    assert [r for r in desk.history(case) if r.startswith("looked")] == ["looked: gone"]
    desk.pass_time(days=58)
    assert desk.case(case).state == State.REMOVED
    desk.pass_time(days=2)
    after = desk.case(case)
    assert (after.state, after.outcome, after.recheck_at) == (State.CLOSED, State.REMOVED, None)
    assert desk.entries(case) == set()


@pytest.mark.parametrize("days", [31, 91])
@pytest.mark.parametrize("external_id", ["", "id-of-another"])
def test_a_profile_that_is_back_reopens_the_case_and_tells(desk: Desk, days: int, external_id: str) -> None:
    account = desk.account()
    case = desk.removed(account=account)
    desk.pass_time(days=days - 2)
    desk.on_network(account, external_id=external_id)
    desk.postbox.sent.clear()
    desk.pass_time(days=2)
    after = desk.case(case)
    assert (after.state, after.outcome, after.ended_at) == (State.REOPENED, None, None)
    assert after.chase_at is not None
    assert desk.entries(case) == {"chase_case"}
    assert [m.subject for m in desk.postbox.to(desk.owner)] == ["It is back: zorza_pomoc on bluesky"]


def test_where_we_cannot_read_a_person_is_asked_to_look(desk: Desk) -> None:
    case = desk.removed(account=desk.account(platform="facebook"))
    desk.quiet()
    desk.pass_time(days=31)
    (mail,) = desk.postbox.to(desk.owner)
    assert mail.subject == "Please look whether it is back: zorza_pomoc on facebook"
    assert desk.network.asked == []
    desk.press(desk.token(desk.owner), move="reopened", words="It is there again.")
    assert desk.case(case).state == State.REOPENED


def test_a_network_that_does_not_answer_is_asked_again_and_then_a_person(desk: Desk) -> None:
    case = desk.removed()
    desk.quiet()
    desk.network.fails = Unavailable("Bluesky could not be reached.")
    desk.pass_time(days=30, hours=5)
    assert desk.postbox.sent == []
    desk.pass_time(hours=13)
    assert [m.subject for m in desk.postbox.sent] == [
        "Please look whether it is back: zorza_pomoc on bluesky"
    ]
    assert desk.case(case).rechecks == 1


def test_a_look_that_is_too_early_for_the_network_waits(desk: Desk) -> None:
    case = desk.removed()
    desk.quiet()
    desk.network.fails = RateLimited(desk.stage.clock.now() + timedelta(days=30, hours=2))
    desk.pass_time(days=30, hours=1)
    assert desk.case(case).rechecks == 0
    desk.network.fails = None
    desk.pass_time(hours=2)
    assert desk.case(case).rechecks == 1


def test_a_word_that_we_do_not_know_reopens_nothing(desk: Desk) -> None:
    account = desk.account()
    case = desk.removed(account=account)
    desk.on_network(account, status="limited")
    desk.pass_time(days=31)
    assert desk.case(case).state == State.REMOVED


def test_what_was_refused_and_goes_later_counts_as_removed(desk: Desk) -> None:
    case = desk.step(desk.step(desk.submitted(), "refused"), "closed")
    desk.pass_time(days=31)
    assert (desk.case(case).state, desk.case(case).outcome) == (State.REMOVED, State.REMOVED)


def test_what_was_refused_and_stays_is_told_once_a_look(desk: Desk) -> None:
    account = desk.account()
    case = desk.step(desk.step(desk.submitted(account=account), "refused"), "closed")
    desk.on_network(account)
    desk.quiet()
    desk.pass_time(days=91)
    assert [m.subject for m in desk.postbox.sent] == ["Still there: zorza_pomoc on bluesky"] * 2
    assert desk.case(case).state == State.CLOSED


def test_what_was_withdrawn_is_not_looked_at(desk: Desk) -> None:
    case = desk.step(desk.open(), "withdrawn")
    assert desk.entries(case) == set()


# Cases that open by themselves


def impostor_found(desk: Desk, account_id: str, **args: str) -> None:
    change = desk.kernel.change(BY_JOB)
    change.chore("open_case_for_impostor", account_id, None, "", **args)
    change.record(f"account#{account_id}", "told to be an impostor")
    desk.kernel.commit(change)
    desk.work()


def test_an_impostor_that_was_found_gets_a_case_for_whom_it_copies(desk: Desk) -> None:
    account, original = desk.account(), desk.official()
    desk.on_network(account)
    impostor_found(desk, account.account_id, original_id=original.account_id, harm="high")
    case_id = desk.takedowns.store.latest_of(account.account_id, "impersonation")
    whole = desk.takedowns.store.whole(case_id or "")
    assert (whole.case.owner_id, whole.case.harm) == (desk.owner.person_id, Harm.HIGH)
    assert [e.name for e in whole.evidence] == ["register", "bluesky"]
    assert "New takedown case: zorza_pomoc on bluesky" in [m.subject for m in desk.postbox.to(desk.owner)]


def test_an_impostor_that_is_told_twice_has_one_case(desk: Desk) -> None:
    account = desk.account()
    impostor_found(desk, account.account_id)
    first = desk.takedowns.store.latest_of(account.account_id, "impersonation")
    impostor_found(desk, account.account_id)
    assert desk.takedowns.store.latest_of(account.account_id, "impersonation") == first
    assert desk.takedowns.store.get(first or "").steps == 1


def test_an_impostor_that_is_found_after_its_removal_reopens_its_case(desk: Desk) -> None:
    account = desk.account()
    case = desk.removed(account=account)
    impostor_found(desk, account.account_id)
    assert desk.case(case).state == State.REOPENED


def test_where_nobody_is_named_the_manager_of_the_unit_has_the_case(desk: Desk) -> None:
    account = desk.account()
    impostor_found(desk, account.account_id, owner_id="nobody")
    case_id = desk.takedowns.store.latest_of(account.account_id, "impersonation")
    assert desk.takedowns.store.get(case_id or "").owner_id == desk.manager.person_id


def test_what_is_not_a_rogue_any_more_gets_no_case(desk: Desk) -> None:
    official = desk.official()
    impostor_found(desk, official.account_id)
    impostor_found(desk, "account_that_is_not")
    assert desk.takedowns.store.latest_of(official.account_id, "impersonation") is None
    assert official.rogue_kind is not RogueKind.IMPOSTOR


def test_a_case_of_a_unit_without_a_manager_belongs_to_the_lead(desk: Desk) -> None:
    account = desk.account(unit_id=desk.root.unit_id)
    impostor_found(desk, account.account_id)
    case_id = desk.takedowns.store.latest_of(account.account_id, "impersonation")
    assert desk.takedowns.store.get(case_id or "").owner_id == desk.lead.person_id
    assert desk.org.holders(Role.DISTRICT_MANAGER, desk.root.unit_id) == []


def test_what_a_person_reopens_is_chased_and_not_looked_at(desk: Desk) -> None:
    case = desk.removed()
    assert desk.entries(case) == {"recheck_case"}
    desk.step(case, "reopened", why="it is back")
    assert desk.entries(case) == {"chase_case"}
