"""Changes and cancels after the sign-off, in every state: nothing goes out that is not signed as it is."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account
from chalicelib.core.errors import Conflict
from chalicelib.core.timetable import Lane
from chalicelib.publishing.model import Post
from tests.fakes.box import Box
from tests.org.api import Api
from tests.publishing.api import Desk
from tests.publishing.pictures import png


@pytest.fixture
def desk(box: Box) -> Iterator[Desk]:
    with Desk.open(box) as opened:
        yield opened


@pytest.fixture
def author(desk: Desk) -> Api:
    return desk.api(desk.box.author)


CONTENT_CHANGES: dict[str, Any] = {
    "text": {"text": "other words"},
    "language": {"language": "fa"},
    "time": {"publish_at": "2026-11-24T12:00:00Z"},
    "late policy": {"late": {"action": "drop", "grace_minutes": 30}},
    "override": {"overrides": {"first": {"text": "own words"}}},
    "media": {"media": ["a file"]},
    "targets": {"targets": ["only the second"]},
}


def patch_of(desk: Desk, change: str, first: Account, second: Account) -> dict[str, Any]:
    patch = dict(CONTENT_CHANGES[change])
    if change == "override":
        patch["overrides"] = {first.account_id: {"text": "own words"}}
    if change == "media":
        patch["media"] = [{"media_id": ready_picture(desk), "alt": "a dot"}]
    if change == "targets":
        patch["targets"] = [second.account_id]
    return patch


def ready_picture(desk: Desk) -> str:
    library, box = desk.box.services.media, desk.box
    media, form = library.begin_upload(box.author.by, "dot.png", "image/png")
    box.stage.s3.put_object(Bucket=box.stage.settings.media_bucket, Key=form["fields"]["key"], Body=png())
    assert library.check(box.author.by, media.media_id).state == "ready"
    return media.media_id


def in_state(desk: Desk, state: str, *accounts: Account) -> Post:
    """A post whose variants have come to this state after the sign-off, nothing being out."""
    box, services = desk.box, desk.box.services
    late = {"action": "hold" if state == "held, late" else "publish", "grace_minutes": 30}
    post = box.signed(list(accounts), in_=60, late=late)
    match state:
        case "held":
            services.holds.set(box.lead.by, "all", "", "stop")
            desk.work()
        case "held, late":
            box.stage.clock.advance(minutes=5)
            box.run_due()
        case "late":
            box.stage.clock.advance(hours=2)
            box.run_due()
        case "refused" | "put off" | "disconnected":
            box.stage.clock.advance(seconds=60)
            fault = {"refused": "422", "put off": "429", "disconnected": "401"}[state]
            box.networks.fault = lambda r: fault if r.url.endswith("/api/v1/statuses") else None
            box.run_due()
            box.networks.fault = lambda r: None
    return services.posts.get(post.post_id)


STATES = {
    "scheduled": "scheduled", "held": "held", "held, late": "held", "late": "late", "refused": "refused",
    "put off": "scheduled", "disconnected": "held",
}  # fmt: skip


@pytest.mark.parametrize(
    ("state", "changes"),
    [("scheduled", list(CONTENT_CHANGES)), *((s, ["text", "targets"]) for s in STATES if s != "scheduled")],
)
def test_a_content_change_in_any_state_before_publishing_voids_the_sign_off(
    desk: Desk, author: Api, toots: Account, state: str, changes: list[str]
) -> None:
    second = desk.box.account("zorza2")
    for change in changes:
        post = in_state(desk, state, toots, second)
        assert desk.box.states(post) == [STATES[state]] * 2, change
        patch = patch_of(desk, change, toots, second)
        if change != "time":
            patch["publish_at"] = (desk.box.now + timedelta(minutes=5)).isoformat()
        status, changed = author("PATCH", f"/v1/posts/{post.post_id}", patch)
        assert (status, changed["state"]) == (200, "draft"), (change, changed)
        assert {v["state"] for v in changed["variants"]} == {"draft"}, change
        row = next(
            r for r in desk.box.services.history.of(f"post#{post.post_id}") if r.what == "sign-off voided"
        )
        assert change.split()[0] in (row.why or "").replace("publish at", "time"), row
        for hold in desk.box.services.holds.all():
            desk.box.services.holds.lift(desk.box.lead.by, hold.hold_id, "done")
        desk.box.stage.clock.advance(minutes=6)
        desk.box.run_due()
        assert desk.box.networks.toots == [], change


def test_a_changed_post_is_approved_again_and_goes_out_as_it_now_is(
    desk: Desk, author: Api, toots: Account
) -> None:
    for state in ("scheduled", "late", "refused", "put off"):
        post = in_state(desk, state, toots)
        text = f"after {state}"
        patch = {"text": text, "publish_at": (desk.box.now + timedelta(minutes=10)).isoformat()}
        assert author("PATCH", f"/v1/posts/{post.post_id}", patch)[0] == 200
        desk.approve(post.post_id)
        desk.box.stage.clock.advance(minutes=10)
        desk.box.run_due()
        assert [t.text for t in desk.box.networks.posts(text)] == [text]
        assert desk.box.states(desk.box.services.posts.get(post.post_id)) == ["published"]
    assert len(desk.box.networks.toots) == 4


def test_title_tags_and_order_do_not_void_the_sign_off(desk: Desk, author: Api, toots: Account) -> None:
    second = desk.box.account("zorza2")
    post = desk.box.signed([toots, second], in_=60)
    patch = {"title": "Nowy tytuł", "tags": ["Promo"], "targets": [second.account_id, toots.account_id]}
    status, changed = author("PATCH", f"/v1/posts/{post.post_id}", patch)
    assert (status, changed["state"], changed["tags"]) == (200, "approved", ["promo"])
    assert {v["state"] for v in changed["variants"]} == {"scheduled"}
    desk.box.stage.clock.advance(seconds=60)
    assert desk.box.run_due() == ["done", "done"]
    assert len(desk.box.networks.toots) == 2


@pytest.mark.parametrize("fault", [None, "drop_after", "drop"])
def test_once_publishing_has_begun_a_change_and_a_cancel_are_refused(
    desk: Desk, author: Api, toots: Account, fault: str | None
) -> None:
    second = desk.box.account("zorza2")
    post = desk.box.signed([toots, second], in_=1)
    desk.box.stage.clock.advance(seconds=1)
    left = [fault]
    desk.box.networks.fault = lambda r: left.pop() if left and r.url.endswith("/api/v1/statuses") else None
    desk.box.services.publish_worker.run(desk.box.variant(post).entry_id)
    for method, path, body in (
        ("PATCH", "", {"text": "other"}),
        ("POST", "/reschedule", {"publish_at": "2026-11-24T12:00:00Z"}),
        ("POST", "/cancel", {"why": "no"}),
    ):
        status, answer = author(method, f"/v1/posts/{post.post_id}{path}", body)
        assert (status, answer["error"]) == (409, "conflict")
        assert answer["message"] == "publishing has begun; copy the post to change what is not out yet"


def test_what_was_sent_again_after_an_unknown_outcome_can_not_be_changed(
    desk: Desk, author: Api, toots: Account
) -> None:
    """Not found is not yet not there: a changed text under a new key could stand beside the first."""
    post = desk.box.signed([toots], in_=1)
    desk.box.stage.clock.advance(seconds=1)
    desk.box.networks.fault = lambda r: "drop" if r.url.endswith("/api/v1/statuses") else None
    desk.box.run_due()
    for _ in range(20):
        desk.box.stage.clock.advance(seconds=30)
        desk.box.run_due(Lane.CHORES)
        if desk.box.states(post) == ["scheduled"]:
            break
    assert desk.box.states(post) == ["scheduled"]
    assert author("PATCH", f"/v1/posts/{post.post_id}", {"text": "other"})[0] == 409


def test_a_begin_between_the_look_and_the_commit_of_a_change_refuses_the_change(
    desk: Desk, toots: Account
) -> None:
    post = desk.box.signed([toots], in_=1)
    desk.box.stage.clock.advance(seconds=1)
    posts = desk.box.services.posts
    database, pending = desk.box.services.kernel.database, [True]
    transact = database.transact

    def begin_first(writes: Any) -> None:
        if pending:
            pending.pop()
            desk.box.run_due()
        transact(writes)

    database.transact = begin_first  # type: ignore[method-assign]
    with pytest.raises(Conflict, match=r"publishing has begun|somebody else"):
        posts.change(desk.box.author, post.post_id, {"text": "other"})
    assert [t.text for t in desk.box.networks.toots] == ["Dzień dobry!"]
    assert desk.box.states(posts.get(post.post_id)) == ["published"]


# Cancelling


@pytest.mark.parametrize("state", STATES)
def test_a_post_is_cancelled_in_any_state_before_publishing(
    desk: Desk, author: Api, toots: Account, state: str
) -> None:
    post = in_state(desk, state, toots)
    status, cancelled = author("POST", f"/v1/posts/{post.post_id}/cancel", {"why": "nieaktualne"})
    assert (status, cancelled["state"], cancelled["summary"]) == (200, "cancelled", {"cancelled": 1}), (
        cancelled
    )
    assert author("POST", f"/v1/posts/{post.post_id}/cancel", {"why": "again"})[0] == 200
    for hold in desk.box.services.holds.all():
        desk.box.services.holds.lift(desk.box.lead.by, hold.hold_id, "done")
    desk.box.run_until_quiet(hours=2)
    assert desk.box.networks.toots == []
    assert author("POST", f"/v1/posts/{post.post_id}/submit")[0] == 409


def test_a_cancelled_post_that_is_given_a_new_time_is_a_draft_again(
    desk: Desk, author: Api, toots: Account
) -> None:
    post = desk.box.signed([toots], in_=60)
    path = f"/v1/posts/{post.post_id}"
    author("POST", f"{path}/cancel", {"why": "no"})
    at = (desk.box.now + timedelta(hours=2)).isoformat()
    assert author("POST", f"{path}/reschedule", {"publish_at": at})[1]["state"] == "draft"
    desk.approve(post.post_id)
    desk.box.run_until_quiet(hours=3)
    assert len(desk.box.networks.toots) == 1
