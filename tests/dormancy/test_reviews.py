"""Who is asked what becomes of a dormant account, and what follows from the answer."""

from datetime import timedelta

import pytest

from chalicelib.accounts.model import Account
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed
from chalicelib.dormancy.model import Choice, Stage, Step
from chalicelib.dormancy.reviews import Decided
from chalicelib.org.roles import Role
from tests.dormancy.conftest import DORMANT, OFFICIAL, RETIRED, Watch


@pytest.fixture
def silent(watch: Watch) -> Account:
    account = watch.account("cisza", 120)
    watch.days(1)
    return account


def decide(watch: Watch, account: Account, choice: Choice, **more: object) -> None:
    decided = Decided(choice, **more)  # type: ignore[arg-type]
    watch.reviews.decide(watch.desk.admin, account.account_id, decided)


def test_silence_goes_up_to_the_manager_and_then_to_the_lead(watch: Watch, silent: Account) -> None:
    watch.desk.stage.clock.advance(days=6)
    watch.days(1)
    assert watch.review(silent).stage == Stage.MANAGER
    assert watch.desk.postbox.subjects(watch.desk.manager) == ["Dormant: cisza on Mastodon"]
    assert "nobody before you has decided" in watch.desk.postbox.sent[-1].text
    watch.desk.stage.clock.advance(days=6)
    watch.days(1)
    assert watch.review(silent).stage == Stage.LEAD
    assert len(watch.desk.postbox.subjects(watch.desk.company.lead)) == 1
    watch.desk.stage.clock.advance(days=6)
    watch.days(1)  # and asked again
    assert len(watch.desk.postbox.subjects(watch.desk.company.lead)) == 2


def test_kept_with_a_plan_it_is_left_alone_until_the_day_and_looked_at_again_then(
    watch: Watch, silent: Account
) -> None:
    plan_on = (watch.now + timedelta(days=60)).date()
    decide(watch, silent, Choice.KEEP, plan_on=plan_on, why="jesienna kampania")
    assert watch.now_is(silent).account_class == OFFICIAL
    before = len(watch.desk.postbox.sent)
    watch.days(3)
    assert watch.now_is(silent).account_class == OFFICIAL
    assert len(watch.desk.postbox.sent) == before
    watch.desk.stage.clock.advance(days=57 + 90)
    watch.days(2)
    assert watch.now_is(silent).account_class == DORMANT
    assert watch.review(silent).is_open


def test_handed_over_its_new_owner_is_asked_next(watch: Watch, silent: Account) -> None:
    other = watch.desk.company.person("Nowy Właściciel")
    decide(watch, silent, Choice.HAND_OVER, to_id=other.person_id)
    watch.work()
    assert watch.now_is(silent).owner_id == other.person_id
    assert watch.review(silent).asked_ids == (other.person_id,)
    assert watch.token(other)
    watch.desk.stage.clock.advance(days=5)
    watch.days(1)
    assert watch.review(silent).stage == Stage.OWNER  # a week of their own


def test_retiring_needs_each_proof_and_retires_with_the_last(watch: Watch, silent: Account) -> None:
    decide(watch, silent, Choice.RETIRE)
    *first, last = Step
    for step in first:
        watch.reviews.prove(watch.desk.admin, silent.account_id, step, f"zgłoszenie {step}")
        assert watch.now_is(silent).account_class == DORMANT
    with pytest.raises(Conflict, match="proven already"):
        watch.reviews.prove(watch.desk.admin, silent.account_id, first[0], "jeszcze raz")
    with pytest.raises(InvalidInput):
        watch.reviews.prove(watch.desk.admin, silent.account_id, last, "  ")
    watch.reviews.prove(watch.desk.admin, silent.account_id, last, "sejf 7")
    assert watch.now_is(silent).account_class == RETIRED
    assert watch.review(silent).stage == Stage.CLOSED
    assert [done.proof for done in watch.review(silent).done][-1] == "sejf 7"


def test_merging_names_the_account_that_takes_over(watch: Watch, silent: Account) -> None:
    other = watch.account("glos", 1)
    decide(watch, silent, Choice.MERGE, into_id=other.account_id)
    assert watch.now_is(silent).same_as == other.account_id
    assert watch.review(silent).stage == Stage.RETIRING


def test_a_decided_review_is_not_decided_twice(watch: Watch, silent: Account) -> None:
    decide(watch, silent, Choice.RETIRE)
    with pytest.raises(Conflict, match="decided already"):
        decide(watch, silent, Choice.RETIRE)


@pytest.mark.parametrize(
    ("decided", "field"),
    [
        (Decided(Choice.KEEP), "plan_on"),
        (Decided(Choice.HAND_OVER), "to_id"),
        (Decided(Choice.HAND_OVER, to_id="person_nobody"), "to_id"),
        (Decided(Choice.MERGE, into_id="account_nowhere"), "into_id"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_says_which_field(
    watch: Watch, silent: Account, decided: Decided, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        watch.reviews.decide(watch.desk.admin, silent.account_id, decided)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert watch.review(silent).is_open


def test_only_who_may_write_in_the_unit_decides(watch: Watch, silent: Account) -> None:
    stranger = watch.desk.company.person("Obca", (Role.DISTRICT_MANAGER, watch.desk.company.tehran))
    with pytest.raises(NotAllowed):
        watch.reviews.decide(watch.desk.company.actor(stranger), silent.account_id, Decided(Choice.RETIRE))
