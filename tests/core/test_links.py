"""Emailed links: what is stored is no use to a thief, and one link decides once."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB
from chalicelib.core.links import Link
from tests.fakes.aws_faults import AwsFaults, Fault
from tests.fakes.stage import Stage


def mint(stage: Stage, purpose: str = "approve") -> str:
    token, write = stage.links.mint(
        purpose, "post#1", "person_a", "rev1", stage.clock.now() + timedelta(days=2)
    )
    stage.database.transact([write])
    return token


def found(stage: Stage, token: str) -> Link:
    link = stage.links.find(token, "approve")
    assert link is not None
    return link


def spend(stage: Stage, link: Link, outcome: str = "approved") -> None:
    change = stage.kernel.change(BY_JOB)
    change.add(stage.links.spend(link, outcome, change.now))
    change.record("post#1", outcome)
    stage.kernel.commit(change)


def test_a_link_leads_to_what_it_was_made_for(stage: Stage) -> None:
    link = found(stage, mint(stage))

    assert (link.subject, link.person_id, link.revision) == ("post#1", "person_a", "rev1")


def test_the_token_itself_is_stored_nowhere(stage: Stage) -> None:
    token = mint(stage)

    rows = stage.dynamodb.scan(TableName=stage.settings.table("links"))["Items"]

    assert len(rows) == 1
    assert token not in str(rows)
    assert stage.links.find(rows[0]["token_hash"]["S"], "approve") is None


def test_looking_changes_nothing(stage: Stage) -> None:
    token = mint(stage)
    before = stage.dynamodb.scan(TableName=stage.settings.table("links"))["Items"]
    for _ in range(20):
        stage.links.find(token, "approve")

    assert stage.dynamodb.scan(TableName=stage.settings.table("links"))["Items"] == before


def test_a_link_of_another_purpose_does_not_exist(stage: Stage) -> None:
    assert stage.links.find(mint(stage, "sign_in"), "approve") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(token=st.text(max_size=60) | st.text("Aa0_-", min_size=43, max_size=43))
def test_what_is_no_token_of_ours_finds_nothing(stage: Stage, token: str) -> None:
    assert stage.links.find(token, "approve") is None


def test_a_link_is_spent_once(stage: Stage) -> None:
    link = found(stage, mint(stage))
    spend(stage, link)

    with pytest.raises(Conflict, match="already used, or has expired"):
        spend(stage, link, "rejected")
    assert found(stage, mint(stage)).outcome is None
    assert [r.what for r in stage.history.of("post#1")] == ["approved"]


def test_an_expired_link_decides_nothing_and_can_still_be_explained(stage: Stage) -> None:
    token = mint(stage)
    stage.clock.advance(days=2)

    with pytest.raises(Conflict):
        spend(stage, found(stage, token))
    assert found(stage, token).spent_at is None


def test_a_decision_whose_answer_was_lost_counts_once(shaky: Stage, faults: AwsFaults) -> None:
    link = found(shaky, mint(shaky))
    faults.remembers = False
    with faults.plan({1: Fault.LOST_ANSWER}):
        spend(shaky, link)

    assert [r.what for r in shaky.history.of("post#1")] == ["approved"]
