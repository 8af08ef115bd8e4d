"""What a platform says of a publishing job settles the variant, whichever comes first: its word or ours."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.accounts.model import Account
from chalicelib.core.timetable import Lane
from chalicelib.platforms.errors import OutcomeUnknown
from chalicelib.platforms.inbound import InboundEvent, InboundKind
from chalicelib.publishing.model import Post
from tests.webhooks.conftest import Porch
from tests.webhooks.test_ingest import told

JOB = "v_pub_url~v2.123"


def publishes_by_job(porch: Porch) -> None:
    """As TikTok does: the call gives a job's number, and how it ended is told later."""

    def publish(account: Any, content: Any, checkpoint: Any) -> Any:
        said = OutcomeUnknown("TikTok works on it.")
        said.checkpoint = {"publish_id": JOB}
        raise said

    adapter: Any = porch.box.services.adapters("mastodon")
    adapter.publish = publish


def result(account: Account, porch: Porch, outcome: str = "published", **details: str) -> InboundEvent:
    return InboundEvent(
        "mastodon",
        InboundKind.PUBLISH_RESULT,
        f"job:{outcome}:{details}",
        account.external_id,
        porch.stage.clock.now(),
        external_id=JOB,
        details={"outcome": outcome, **details},
    )


@pytest.fixture
def account(porch: Porch) -> Account:
    return porch.box.account("zorza")


def begun(porch: Porch, account: Account) -> Post:
    """A post whose only variant has been handed to the platform."""
    post = porch.box.signed([account])
    porch.stage.clock.advance(seconds=60)
    porch.box.run_due()
    assert porch.box.states(post) == ["unknown"]
    return post


def test_a_job_that_ended_well_publishes_an_unknown_variant(porch: Porch, account: Account) -> None:
    publishes_by_job(porch)
    post = begun(porch, account)
    good = result(account, porch, post_id="7001", url="https://social.test/7001")
    assert told(porch, good, good) == ["done", "seen"]
    variant = porch.box.variant(post)
    assert (variant.state, variant.external_id, variant.url) == (
        "published",
        "7001",
        "https://social.test/7001",
    )
    porch.box.run_until_quiet(hours=1)
    assert porch.box.states(post) == ["published"]
    assert [r.what for r in porch.stage.history.of(f"post#{post.post_id}")].count(
        "published: the platform says so"
    ) == 1


def test_a_job_that_failed_refuses_the_variant_and_says_why(porch: Porch, account: Account) -> None:
    publishes_by_job(porch)
    post = begun(porch, account)
    assert told(porch, result(account, porch, "failed", reason="The video is too long.")) == ["done"]
    assert (porch.box.variant(post).state, porch.box.variant(post).reason) == (
        "refused",
        "The video is too long.",
    )
    porch.box.run_due(Lane.CHORES)
    assert any("Refused" in m["Subject"] for m in porch.mails())


def test_a_word_that_comes_before_we_know_the_jobs_number_is_found_by_reconcile(
    porch: Porch, account: Account
) -> None:
    publishes_by_job(porch)
    assert told(porch, result(account, porch, post_id="7001")) == ["done"]
    post = begun(porch, account)
    porch.stage.clock.advance(seconds=31)
    porch.box.run_due(Lane.CHORES)
    assert (porch.box.variant(post).state, porch.box.variant(post).external_id) == ("published", "7001")


def test_the_number_of_the_post_that_comes_later_is_added(porch: Porch, account: Account) -> None:
    publishes_by_job(porch)
    post = begun(porch, account)
    told(porch, result(account, porch))
    assert (porch.box.variant(post).state, porch.box.variant(post).external_id) == ("published", None)
    told(porch, result(account, porch, post_id="7001"))
    assert porch.box.variant(post).external_id == "7001"
    failed = result(account, porch, "failed")
    told(porch, failed)
    assert porch.box.states(post) == ["published"], "what is published stays published"


def test_a_result_during_the_call_settles_it_and_the_publishers_own_word_does_not_undo_it(
    porch: Porch, account: Account
) -> None:
    publishes_by_job(porch)
    post = porch.box.signed([account])
    porch.stage.clock.advance(seconds=60)
    store = porch.box.services.post_store

    def publish(ref: Any, content: Any, checkpoint: Any) -> Any:
        kernel = porch.box.services.kernel
        variant = porch.box.variant(post)
        change = kernel.change(porch.box.author.by)
        store.save_variant(change, replace(variant, checkpoint=f'{{"publish_id":"{JOB}"}}'), variant)
        change.record(f"post#{post.post_id}", "the job is known")
        kernel.commit(change)
        assert told(porch, result(account, porch, post_id="7001")) == ["done"]
        raise OutcomeUnknown("The answer was lost.")

    adapter: Any = porch.box.services.adapters("mastodon")
    adapter.publish = publish
    porch.box.run_until_quiet(hours=1)
    assert (porch.box.variant(post).state, porch.box.variant(post).external_id) == ("published", "7001")


def test_a_result_of_somebody_elses_job_is_kept_and_does_nothing(porch: Porch, account: Account) -> None:
    assert told(porch, result(account, porch)) == ["done"]
    rows = porch.stage.history.of(f"account#{account.account_id}")
    assert [r.what for r in rows].count("publish result of a job not known yet") == 1
