"""What becomes of one variant, for each thing that a platform, a person or a clock can do to it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.core.errors import Conflict
from chalicelib.core.http import Request
from chalicelib.core.timetable import Claim, Lane
from chalicelib.platforms.errors import OutcomeUnknown
from chalicelib.platforms.port import FOREVER, Published
from chalicelib.publishing.model import VariantState
from tests.fakes.box import Box


def unsafe(request: Request) -> bool:
    """Whether this is the call that creates a post."""
    return request.url.endswith(("/api/v1/statuses", "com.atproto.repo.putRecord"))


def fail_once(box: Box, fault: str) -> None:
    """The next call that creates a post goes wrong in this way."""
    left = [fault]
    box.networks.fault = lambda request: left.pop() if left and unsafe(request) else None


def test_an_approved_post_is_published_at_its_second_on_every_channel(
    box: Box, toots: Account, skies: Account
) -> None:
    post = box.signed([toots, skies], "Zapalamy światła! 💡")
    box.stage.clock.advance(seconds=59)
    assert box.run_due() == []

    box.stage.clock.advance(seconds=1)
    assert box.run_due() == ["done", "done"]

    assert box.states(post) == ["published", "published"]
    assert len(box.networks.posts("Zapalamy światła! 💡")) == 2
    published = box.variant(post)
    assert published.published_at == post.publish_at
    assert published.url
    assert published.url.startswith("https://social.test/@zorza/")


def test_a_wake_up_that_comes_early_publishes_nothing(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=600)
    assert box.services.publish_worker.run(box.variant(post).entry_id) == "early"
    assert box.networks.toots == []


def test_a_wake_up_within_its_second_waits_for_it(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=60)
    box.stage.clock.advance(seconds=59.2)
    assert box.services.publish_worker.run(box.variant(post).entry_id) == "done"
    assert box.variant(post).published_at == post.publish_at


def test_a_record_that_is_prepared_ahead_is_dated_at_its_second(box: Box, skies: Account) -> None:
    post = box.signed([skies], "Punktualnie ⏰", in_=60)
    box.stage.clock.advance(seconds=59.2)
    assert box.services.publish_worker.run(box.variant(post).entry_id) == "done"
    (made,) = filter(unsafe, box.networks.requests)
    record = json.loads(made.body or b"")["record"]
    assert datetime.fromisoformat(record["createdAt"]) == post.publish_at


def test_the_same_message_five_times_and_hours_later_makes_one_post(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    outcomes = [box.services.publish_worker.run(box.variant(post).entry_id) for _ in range(5)]
    box.stage.clock.advance(hours=6)
    outcomes.append(box.services.publish_worker.run(box.variant(post).entry_id))
    assert outcomes == ["done"] + ["gone"] * 5
    assert len(box.networks.toots) == 1


@pytest.mark.parametrize(
    "fault",
    ["drop_after", "500_after", "500", "502_html", "200_error_json", "200_empty", "drop", "redirect"],
)
def test_an_answer_that_is_not_documented_is_unknown_and_is_not_sent_again(
    box: Box, toots: Account, fault: str
) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    fail_once(box, fault)

    box.run_due()

    assert box.states(post) == ["unknown"]
    calls = sum(unsafe(r) for r in box.networks.requests)
    box.stage.clock.advance(seconds=20)
    box.run_due()
    assert sum(unsafe(r) for r in box.networks.requests) == calls == 1


def test_a_lost_answer_is_found_by_reconcile_and_its_id_is_kept(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    fail_once(box, "drop_after")

    box.run_until_quiet()

    assert box.states(post) == ["published"]
    assert box.variant(post).external_id == box.networks.toots[0].external_id
    assert len(box.networks.toots) == 1


def test_a_timeline_that_lags_ten_minutes_gives_no_second_post(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    box.networks.hidden_for = timedelta(minutes=10)
    fail_once(box, "drop_after")

    box.run_until_quiet()

    assert box.states(post) == ["published"]
    assert len(box.networks.toots) == 1


@pytest.mark.parametrize(
    ("idempotent_for", "state", "calls"), [(None, "unknown", 1), (FOREVER, "published", 2)]
)
def test_what_is_not_found_is_sent_again_only_where_the_network_refuses_a_second_one(
    box: Box, toots: Account, idempotent_for: timedelta | None, state: str, calls: int
) -> None:
    adapter = box.services.adapters("mastodon")
    adapter.traits = replace(adapter.traits, idempotent_for=idempotent_for)
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    fail_once(box, "drop")

    box.run_until_quiet()

    assert box.states(post) == [state]
    assert sum(unsafe(r) for r in box.networks.requests) == calls


def test_two_matching_posts_are_left_for_a_person(box: Box, toots: Account) -> None:
    post = box.signed([toots], "Twice", in_=1)
    box.stage.clock.advance(seconds=1)
    fail_once(box, "drop_after")
    box.run_due()
    box.networks._add("zorza", "9999", "Twice", 0)

    box.run_until_quiet()

    variant = box.variant(post)
    assert variant.state == VariantState.UNKNOWN
    assert "2 posts on the account match" in (variant.reason or "")


def test_a_person_settles_what_nobody_could_find(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    box.networks.fault = lambda r: "drop_after" if unsafe(r) else "500" if r.method == "GET" else None
    box.run_until_quiet()
    variant = box.variant(post)
    assert variant.state == VariantState.UNKNOWN
    assert "look yourself" in (variant.reason or "")

    settled = box.services.variants.settle_unknown(
        box.lead.by, variant.variant_id, True, "https://social.test/@zorza/1", "I saw it"
    )

    assert settled.state == VariantState.PUBLISHED
    with pytest.raises(Conflict, match="only an unknown one"):
        box.services.variants.settle_unknown(box.lead.by, variant.variant_id, False, "", "again")


def test_a_refusal_is_final_says_why_and_leaves_the_siblings_alone(
    box: Box, toots: Account, skies: Account
) -> None:
    post = box.signed([toots, skies], in_=1)
    box.stage.clock.advance(seconds=1)
    box.networks.fault = lambda r: "422" if r.url.endswith("/api/v1/statuses") else None

    box.run_until_quiet()

    assert box.states(post) == ["refused", "published"]
    assert "refused the post" in (box.variant(post).reason or "")


def test_a_rate_limit_waits_as_long_as_the_platform_asks_and_burns_nothing(box: Box, toots: Account) -> None:
    first, second = box.signed([toots], "one", in_=1), box.signed([toots], "two", in_=2)
    box.stage.clock.advance(seconds=2)
    fail_once(box, "429")

    assert sorted(box.run_due()) == ["later", "later"]  # the second does not even call

    assert sum(unsafe(r) for r in box.networks.requests) == 1
    box.run_until_quiet()
    assert box.states(first) == box.states(second) == ["published"]


def test_refused_credentials_hold_the_account_and_tell_its_owner_once_connected_again(
    box: Box, toots: Account, skies: Account
) -> None:
    post = box.signed([toots, skies], in_=1)
    box.stage.clock.advance(seconds=1)
    box.networks.fault = lambda r: "401" if r.url.endswith("/api/v1/statuses") else None

    box.run_until_quiet()

    assert box.states(post) == ["held", "published"]
    assert box.services.accounts.get(toots.account_id).status == AccountStatus.CREDENTIALS_REFUSED
    later = box.signed([toots], "later", in_=1)
    box.stage.clock.advance(seconds=1)
    calls = len(box.networks.requests)
    box.run_due()
    assert box.states(later) == ["held"]
    assert len(box.networks.requests) == calls


def test_a_platform_that_is_down_is_tried_again_until_the_post_is_late(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    box.networks.fault = lambda r: "refuse"

    box.run_until_quiet(hours=4)

    assert box.states(post) == ["late"]
    assert box.networks.toots == []


@pytest.mark.parametrize(
    ("action", "minutes", "state"),
    [
        ("publish", 10, "published"),
        ("publish", 31, "late"),
        ("hold", 2, "held"),
        ("drop", 2, "cancelled"),
        ("hold", 0.5, "published"),
    ],
)
def test_late_is_a_decision(box: Box, toots: Account, action: str, minutes: float, state: str) -> None:
    post = box.signed([toots], in_=1, late={"action": action, "grace_minutes": 30})
    box.stage.clock.advance(seconds=1 + 60 * minutes)
    box.run_due()
    assert box.states(post) == [state]


def test_what_is_published_is_the_revision_that_was_approved_or_nothing(box: Box, toots: Account) -> None:
    post = box.signed([toots], "approved words", in_=1)
    changed = box.services.posts.change(box.author, post.post_id, {"text": "other words"})
    box.stage.clock.advance(seconds=5)

    box.run_until_quiet()

    assert box.networks.toots == []
    assert changed.state == "draft"
    assert changed.signed_revision is None


def test_a_change_that_races_the_begin_is_refused_or_stops_it(box: Box, toots: Account) -> None:
    """Both orders: the edit first (nothing goes out), and the begin first (the edit is refused)."""
    for edit_first in (True, False):
        post = box.signed([toots], f"approved {edit_first}", in_=1)
        box.stage.clock.advance(seconds=1)
        edits: list[str] = []

        def edit(request: Request, post_id: str = post.post_id, edits: list[str] = edits) -> None:
            if not unsafe(request) or edits:
                return
            try:
                box.services.posts.change(box.author, post_id, {"text": "changed"})
                edits.append("changed")
            except Conflict as refusal:
                edits.append(refusal.message)

        if edit_first:
            box.services.posts.change(box.author, post.post_id, {"text": "changed"})
        else:
            box.networks.fault = edit
        box.run_due()
        texts = [t.text for t in box.networks.toots if t.text.startswith(("approved", "changed"))]
        if edit_first:
            assert texts == []
        else:
            assert texts == ["approved False"]
            assert edits == ["publishing has begun; copy the post to change what is not out yet"]


def test_the_state_of_every_variant_is_in_the_history_of_its_post(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    box.run_due()
    rows = box.services.history.of(f"post#{post.post_id}")
    whats = {row.what for row in rows}
    assert whats == {"drafted", "submitted", "approved", "publishing begun", "published"}
    assert {str(row.way) for row in rows} == {"api", "job"}


@pytest.mark.parametrize("has_published", [False, True])
def test_a_worker_that_died_before_the_marker_is_replaced_and_the_zombie_cannot_begin(
    box: Box, toots: Account, has_published: bool
) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    timetable, entry_id = box.services.kernel.timetable, box.variant(post).entry_id
    adapter: Any = box.services.adapters("mastodon")
    prepares = [adapter.prepare]

    def prepare_through_the_lease(*args: Any) -> Any:
        """The first one ends when somebody else has the entry."""
        adapter.prepare = prepares.pop()
        box.stage.clock.advance(seconds=121)
        if has_published:
            assert box.run_due() == ["done"]
        else:
            assert isinstance(timetable.claim(entry_id, box.now, timedelta(seconds=120)), Claim)
        return adapter.prepare(*args)

    adapter.prepare = prepare_through_the_lease
    assert box.services.publish_worker.run(entry_id) == "taken"
    assert not prepares
    assert sum(unsafe(r) for r in box.networks.requests) == len(box.networks.toots) == int(has_published)


@pytest.mark.parametrize("has_run", [False, True])
def test_an_answer_that_comes_after_the_lease_is_kept_as_the_proof_that_it_is(
    box: Box, toots: Account, has_run: bool
) -> None:
    """Whether the worker that has the entry now made the variant unknown already, or not yet."""
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    timetable, entry_id = box.services.kernel.timetable, box.variant(post).entry_id
    adapter: Any = box.services.adapters("mastodon")
    publish = adapter.publish

    def publish_through_the_lease(*args: Any) -> Any:
        published = publish(*args)
        box.stage.clock.advance(seconds=121)
        if has_run:
            assert box.run_due() == ["done"]
            assert box.states(post) == ["unknown"]
        else:
            assert isinstance(timetable.claim(entry_id, box.now, timedelta(seconds=120)), Claim)
        return published

    adapter.publish = publish_through_the_lease
    box.services.publish_worker.run(entry_id)
    (toot,) = box.networks.toots
    assert (box.variant(post).state, box.variant(post).external_id) == ("published", toot.external_id)
    box.run_until_quiet()
    assert len(box.networks.toots) == 1


def test_the_answer_to_an_earlier_call_does_not_end_a_later_one(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    adapter: Any = box.services.adapters("mastodon")

    def later_call(*args: Any) -> Published:
        raise OutcomeUnknown("The answer was lost.")

    def earlier_call(*args: Any) -> Published:
        adapter.publish = later_call
        box.stage.clock.advance(seconds=121)
        while box.variant(post).fence < 2:
            box.run_due()
            box.run_due(Lane.CHORES)
            box.stage.clock.advance(seconds=30)
        return Published("1", "https://social.test/@zorza/1")

    adapter.publish = earlier_call
    assert box.services.publish_worker.run(box.variant(post).entry_id) == "taken"
    assert (box.variant(post).state, box.variant(post).external_id) == ("unknown", None)


def test_a_worker_asks_the_database_four_times_for_one_publication(box: Box, toots: Account) -> None:
    """Claim, look, begin, finish: lateness is the number of requests before the call to the platform."""
    box.signed([toots], "the first reads the path of the unit", in_=1)
    box.stage.clock.advance(seconds=1)
    box.run_due()
    entry_id = box.variant(box.signed([toots], in_=1)).entry_id
    box.stage.clock.advance(seconds=1)
    with box.counted() as asked:
        assert box.services.publish_worker.run(entry_id) == "done"
    assert asked == ["UpdateItem", "BatchGetItem", "TransactWriteItems", "TransactWriteItems"]


def test_a_chore_lane_never_publishes(box: Box, toots: Account) -> None:
    box.run_due(Lane.CHORES)  # what a new account starts
    box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    assert box.run_due(Lane.CHORES) == []
    assert box.networks.toots == []
