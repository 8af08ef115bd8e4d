"""After a hold commits, no begin in its scope commits; and everything it met is on its receipt."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account
from chalicelib.core.database import Read
from chalicelib.core.errors import Conflict
from chalicelib.core.http import Request
from chalicelib.core.timetable import Lane
from chalicelib.publishing.model import VariantState
from tests.fakes.box import Box


def outcomes(box: Box, hold_id: str) -> dict[str, int]:
    counted: dict[str, int] = {}
    for line in box.services.holds.receipt(hold_id):
        counted[line["outcome"]] = counted.get(line["outcome"], 0) + 1
    return counted


def after_the_look(box: Box, happens: Callable[[], object]) -> None:
    """Once, between what the next worker reads of its variant and what it does then."""
    database = box.services.kernel.database
    read, left = database.read_together, [happens]

    def read_then(*reads: Read[Any]) -> list[Any]:
        found = read(*reads)
        if left:
            left.pop()()
        return found

    database.read_together = read_then  # type: ignore[method-assign]


def test_a_held_post_is_not_published(box: Box, toots: Account, skies: Account) -> None:
    post = box.signed([toots, skies], in_=10)
    hold = box.services.holds.set(box.lead.by, "all", "", "Fire at the plant")
    box.stage.clock.advance(seconds=10)

    box.run_until_quiet()

    assert box.states(post) == ["held", "held"]
    assert box.networks.toots == []
    assert outcomes(box, hold.hold_id) == {"stopped": 2}
    assert box.services.holds.get(hold.hold_id).counted


@pytest.mark.parametrize(
    ("scope", "value_of"),
    [
        ("unit", lambda box, account: box.unit_id),
        ("account", lambda box, account: account.account_id),
        ("platform", lambda box, account: "mastodon"),
        ("tag", lambda box, account: "museum"),
    ],
)
def test_a_hold_covers_its_scope_and_nothing_else(
    box: Box, toots: Account, skies: Account, scope: str, value_of: object
) -> None:
    post = box.signed([toots], in_=10, tags=["museum"])
    other = box.signed([skies], "other", in_=10, tags=["offers"])
    box.services.holds.set(box.lead.by, scope, value_of(box, toots), "why")  # type: ignore[operator]
    box.stage.clock.advance(seconds=10)
    box.run_until_quiet()
    assert box.states(post) == ["held"]
    assert box.states(other) == (["held"] if scope == "unit" else ["published"])


def test_a_hold_that_commits_between_the_look_and_the_begin_stops_it(box: Box, toots: Account) -> None:
    """The race itself: the worker has read an open gate, and the hold commits before its begin."""
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    after_the_look(box, lambda: box.services.holds.set(box.lead.by, "all", "", "now"))
    box.run_due()
    assert box.states(post) == ["held"]
    assert box.networks.toots == []


def test_a_hold_on_a_tag_that_came_after_the_look_stops_what_has_it_now(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1, tags=["offers"])
    box.stage.clock.advance(seconds=1)

    def tag_and_hold() -> None:
        box.services.posts.change(box.author, post.post_id, {"tags": ["museum"]})
        box.services.holds.set(box.lead.by, "tag", "museum", "now")

    after_the_look(box, tag_and_hold)
    box.run_due()
    assert box.states(post) == ["held"]
    assert box.networks.toots == []


def test_a_hold_elsewhere_between_the_look_and_the_begin_stops_nothing(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    after_the_look(box, lambda: box.services.holds.set(box.lead.by, "platform", "bluesky", "now"))
    box.run_due()
    assert box.states(post) == ["published"]
    assert len(box.networks.toots) == 1


def test_what_was_in_flight_when_the_hold_came_is_on_its_receipt(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    holds: list[str] = []

    def hold_during_the_call(request: Request) -> None:
        if request.url.endswith("/statuses") and request.method == "POST":
            hold = box.services.holds.set(box.lead.by, "all", "", "too late")
            holds.append(hold.hold_id)
            box.run_due(Lane.CHORES)

    box.networks.fault = hold_during_the_call
    box.run_due()
    assert box.states(post) == ["published"]
    assert outcomes(box, holds[0]) == {"in_flight": 1}


def test_what_went_out_in_the_last_day_is_on_the_receipt(box: Box, toots: Account) -> None:
    box.signed([toots], "old", in_=1)
    box.stage.clock.advance(seconds=1)
    box.run_due()
    box.stage.clock.advance(hours=25)
    box.signed([toots], "new", in_=1)
    box.stage.clock.advance(seconds=1)
    box.run_due()
    hold = box.services.holds.set(box.lead.by, "account", toots.account_id, "Check what we said")
    box.run_until_quiet()
    assert outcomes(box, hold.hold_id) == {"already_out": 1}


def test_lifting_a_hold_releases_nothing_by_itself(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=1)
    hold = box.services.holds.set(box.lead.by, "all", "", "wait")
    box.run_until_quiet()
    box.services.holds.lift(box.lead.by, hold.hold_id, "over")
    box.run_until_quiet(hours=1)
    assert box.states(post) == ["held"]

    after = box.signed([toots], "after", in_=1)
    box.stage.clock.advance(seconds=1)
    box.run_due()
    assert box.states(after) == ["published"]


def test_release_is_decided_variant_by_variant(box: Box, toots: Account, skies: Account) -> None:
    third = box.account("zorza_two")
    post = box.signed([toots, skies, third], in_=10)
    hold = box.services.holds.set(box.lead.by, "all", "", "wait")
    box.run_until_quiet(hours=1)
    ids = [v.variant_id for v in box.services.posts.variants(post)]
    release = box.services.variants.release

    release(box.lead.by, ids[0], "publish", None, "checked", (hold.hold_id,))
    release(box.lead.by, ids[1], "reschedule", box.now + timedelta(hours=2), "tomorrow", (hold.hold_id,))
    release(box.lead.by, ids[2], "drop", None, "not now", (hold.hold_id,))
    box.run_due()

    assert box.states(post) == ["published", "scheduled", "cancelled"]
    box.stage.clock.advance(hours=2)
    box.run_due()
    assert box.states(post) == ["published", "published", "cancelled"]


def test_a_release_from_one_hold_does_not_pass_another(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=10)
    first = box.services.holds.set(box.lead.by, "all", "", "one")
    box.run_until_quiet(hours=1)
    variant = box.variant(post)
    box.services.variants.release(box.lead.by, variant.variant_id, "publish", None, "fine", (first.hold_id,))
    second = box.services.holds.set(box.lead.by, "platform", "mastodon", "two")
    box.run_until_quiet(hours=1)
    assert box.variant(post).state == VariantState.HELD
    assert box.variant(post).hold_id == second.hold_id


def test_a_held_post_whose_sign_off_was_voided_cannot_be_released(box: Box, toots: Account) -> None:
    post = box.signed([toots], in_=3600)
    box.services.holds.set(box.lead.by, "all", "", "wait")
    box.run_due(Lane.CHORES)
    held = box.variant(post)
    assert held.state == VariantState.HELD
    box.services.posts.change(box.author, post.post_id, {"text": "other"})
    with pytest.raises(Conflict):
        box.services.variants.release(box.lead.by, held.variant_id, "publish", None, "go", ())


def test_no_interleaving_of_begins_and_holds_lets_one_through(box: Box, toots: Account) -> None:
    """60 random orders of workers' steps and a hold: what begins after the hold's commit is nothing."""
    for seed in range(60):
        chance = random.Random(seed)
        post = box.signed([toots], f"order {seed}.", in_=1)
        box.stage.clock.advance(seconds=1)
        database = box.services.kernel.database
        transact = database.transact
        step, hold_at = [0], chance.randint(0, 4)
        held: list[str] = []

        def maybe_hold(
            writes: list[object], at: int = hold_at, step: list[int] = step, held: list[str] = held
        ) -> None:
            step[0] += 1
            if step[0] == at and not held:
                held.append("setting")
                held.append(box.services.holds.set(box.lead.by, "all", "", "now").hold_id)
            transact(writes)  # type: ignore[arg-type]  # noqa: B023 - called within this turn only

        database.transact = maybe_hold  # type: ignore[method-assign, assignment]
        if hold_at == 0:
            held += ["setting", box.services.holds.set(box.lead.by, "all", "", "now").hold_id]
        box.run_due()
        database.transact = transact  # type: ignore[method-assign]
        if not held:
            continue
        rows = box.services.history.of(f"post#{post.post_id}")
        begun = [r.at for r in rows if r.what == "publishing begun"]
        hold_row = box.services.history.of(f"hold#{held[1]}")[0]
        sent = len(box.networks.posts(f"order {seed}."))
        assert sent == len(begun)
        if begun and step[0]:
            assert hold_at > 1, f"seed {seed}: begun at {begun} although the hold was set at {hold_row.at}"
        box.services.holds.lift(box.lead.by, held[1], "next")
        box.run_until_quiet(hours=0.1)
