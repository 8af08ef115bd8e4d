"""Holds, releases and settled unknowns over the API: who may, on what, and what becomes of the variant."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account
from chalicelib.core.timetable import Lane
from chalicelib.org.roles import Role
from chalicelib.publishing.model import Post
from tests.fakes.box import Box
from tests.org.api import Api
from tests.publishing.api import Desk


@pytest.fixture
def desk(box: Box) -> Iterator[Desk]:
    with Desk.open(box) as opened:
        yield opened


@pytest.fixture
def lead(desk: Desk) -> Api:
    return desk.api(desk.box.lead)


@pytest.fixture
def praga(desk: Desk) -> str:
    return desk.unit("Praga").unit_id


@pytest.fixture
def manager(desk: Desk, praga: str) -> Api:
    return desk.api(desk.person("Kierownik", Role.DISTRICT_MANAGER, unit_id=praga))


@pytest.fixture
def own(desk: Desk, praga: str) -> Account:
    return desk.box.account("praga", unit_id=praga)


def hold(api: Api, scope: str, value: str = "") -> tuple[int, Any]:
    return api("POST", "/v1/holds", {"scope": scope, "value": value, "reason": "awaria"})


def release(api: Api, post: Post, action: str = "publish", **more: Any) -> tuple[int, Any]:
    path = f"/v1/variants/{post.post_id}~{post.targets[0]}/release"
    return api("POST", path, {"action": action, "why": "po awarii", **more})


def held(desk: Desk, *accounts: Account) -> Post:
    """A post that a hold has stopped."""
    post = desk.box.signed(list(accounts), in_=60)
    desk.work()
    desk.box.stage.clock.advance(seconds=60)
    desk.box.run_due()
    assert set(desk.box.states(post)) == {"held"}
    return post


# Who may hold what


def test_a_lead_holds_anything(desk: Desk, lead: Api, praga: str, own: Account) -> None:
    for scope, value in (
        ("all", ""), ("unit", praga), ("account", own.account_id), ("platform", "mastodon"), ("tag", "Promo"),
    ):  # fmt: skip
        status, made = hold(lead, scope, value)
        assert (status, made["scope"], made["value"]) == (201, scope, value.lower())


def test_a_district_manager_holds_their_own_part_and_nothing_wider(
    desk: Desk, manager: Api, praga: str, own: Account, toots: Account
) -> None:
    below = desk.unit("Saska Kępa", praga).unit_id
    for scope, value in (("unit", praga), ("unit", below), ("account", own.account_id)):
        assert hold(manager, scope, value)[0] == 201, scope
    for scope, value in (
        ("all", ""), ("unit", desk.box.unit_id), ("account", toots.account_id), ("platform", "mastodon"),
        ("tag", "x"),
    ):  # fmt: skip
        status, answer = hold(manager, scope, value)
        assert (status, answer["error"]) == (403, "not_allowed"), scope


def test_a_hold_that_could_stop_nothing_is_refused(desk: Desk, lead: Api) -> None:
    """Whoever sets it believes that something has stopped."""
    assert hold(lead, "unit", "unit_none")[0] == 404
    assert hold(lead, "account", "account_none")[0] == 404
    assert "choose one of" in hold(lead, "platform", "myspace")[1]["problems"][0]["message"]
    for scope, value in (("unit", ""), ("tag", ""), ("tag", " promo "), ("tag", "two words"), ("world", "x")):
        assert hold(lead, scope, value)[0] == 400, (scope, value)


def test_a_hold_on_a_tag_covers_it_in_any_capitals(desk: Desk, lead: Api, toots: Account) -> None:
    assert hold(lead, "tag", "PROMO")[0] == 201
    author = desk.api(desk.box.author)
    _, post = author("POST", "/v1/posts", desk.body([toots], tags=["Promo"], in_=60))
    signed = desk.box.sign(desk.box.services.posts.get(post["post_id"]))
    desk.box.stage.clock.advance(seconds=60)
    desk.box.run_due()
    assert desk.box.states(signed) == ["held"]


def test_a_manager_does_not_lift_the_companys_hold(desk: Desk, lead: Api, manager: Api, praga: str) -> None:
    wide, narrow = hold(lead, "all")[1], hold(manager, "unit", praga)[1]
    assert manager("POST", f"/v1/holds/{wide['hold_id']}/lift", {"why": "x"})[0] == 403
    assert manager("POST", f"/v1/holds/{narrow['hold_id']}/lift", {"why": "x"})[1]["state"] == "lifted"
    listed = manager("GET", "/v1/holds")[1]["holds"]
    assert {(h["scope"], h["state"]) for h in listed} == {("all", "active"), ("unit", "lifted")}


# The receipt


def test_the_receipt_says_what_was_stopped_and_what_was_out_already(
    desk: Desk, lead: Api, toots: Account, own: Account
) -> None:
    out = desk.box.signed([toots], in_=1)
    desk.box.stage.clock.advance(seconds=1)
    desk.box.run_due()
    waiting = desk.box.signed([toots, own], in_=60)
    _, made = hold(lead, "account", toots.account_id)
    desk.work()
    _, receipt = lead("GET", f"/v1/holds/{made['hold_id']}")
    assert receipt["hold"]["counted"] is True
    assert [line["post_id"] for line in receipt["stopped"]] == [waiting.post_id]
    assert [line["post_id"] for line in receipt["already_out"]] == [out.post_id]
    assert receipt["already_out"][0]["url"].startswith("https://social.test/")
    assert receipt["in_flight"] == []


# Releasing


@pytest.mark.parametrize("lifted", [False, True])
def test_a_held_variant_is_released_and_goes_out(desk: Desk, lead: Api, toots: Account, lifted: bool) -> None:
    _, made = hold(lead, "all")
    post = held(desk, toots)
    if lifted:
        lead("POST", f"/v1/holds/{made['hold_id']}/lift", {"why": "po awarii"})
        desk.box.run_due()
        assert desk.box.states(post) == ["held"], "lifting floods nothing"
    status, variant = release(lead, post)
    assert (status, variant["state"]) == (200, "scheduled")
    desk.box.run_due()
    assert desk.box.states(post) == ["published"]
    assert release(lead, post)[0] == 409


def test_a_hold_after_the_release_stops_it_again(desk: Desk, lead: Api, toots: Account) -> None:
    hold(lead, "all")
    post = held(desk, toots)
    assert release(lead, post)[0] == 200
    hold(lead, "account", toots.account_id)
    desk.box.run_due()
    assert desk.box.states(post) == ["held"]
    assert desk.box.networks.toots == []


def test_a_manager_releases_from_their_own_hold_but_not_past_the_companys(
    desk: Desk, lead: Api, manager: Api, praga: str, own: Account
) -> None:
    assert hold(manager, "unit", praga)[0] == 201
    post = held(desk, own)
    assert release(manager, post)[0] == 200
    _, wide = hold(lead, "all")
    desk.box.run_due()
    assert desk.box.states(post) == ["held"]
    status, answer = release(manager, post)
    assert (status, answer["error"]) == (403, "not_allowed")
    assert desk.box.states(post) == ["held"]
    lead("POST", f"/v1/holds/{wide['hold_id']}/lift", {"why": "x"})
    assert release(manager, post)[0] == 200
    desk.box.run_due()
    assert desk.box.states(post) == ["published"]


def test_a_manager_drops_what_is_theirs_under_any_hold(
    desk: Desk, lead: Api, manager: Api, own: Account
) -> None:
    hold(lead, "all")
    post = held(desk, own)
    status, variant = release(manager, post, "drop")
    assert (status, variant["state"]) == (200, "cancelled")
    assert release(manager, held(desk, own), "drop")[0] == 200
    desk.box.run_until_quiet(hours=2)
    assert desk.box.networks.toots == []


def test_a_released_variant_may_be_given_another_time(desk: Desk, lead: Api, toots: Account) -> None:
    hold(lead, "all")
    post = held(desk, toots)
    for at in ("2020-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", None):
        status, answer = release(lead, post, "reschedule", at=at)
        assert (status, answer["problems"][0]["field"]) == (400, "at"), at
    assert release(lead, post, "reschedule", at="2026-11-25T12:00:00")[0] == 400  # without an offset
    later = desk.box.now + timedelta(hours=30)
    assert release(lead, post, "reschedule", at=later.isoformat())[0] == 200
    desk.box.stage.clock.advance(hours=29)
    desk.box.run_due()
    assert desk.box.networks.toots == []
    desk.box.stage.clock.set(later)
    desk.box.run_due()
    assert desk.box.states(post) == ["published"]


def test_an_author_neither_holds_nor_releases(desk: Desk, lead: Api, toots: Account) -> None:
    hold(lead, "all")
    post = held(desk, toots)
    author = desk.api(desk.box.author)
    assert hold(author, "account", toots.account_id)[0] == 403
    assert release(author, post)[0] == 403


# Settling


def test_a_person_settles_an_unknown_outcome_for_their_own_accounts_only(
    desk: Desk, toots: Account, manager: Api
) -> None:
    author = desk.api(desk.box.author)
    for is_there, state in ((True, "published"), (False, "refused")):
        post = desk.box.signed([toots], in_=1)
        desk.box.stage.clock.advance(seconds=1)
        desk.box.networks.fault = lambda r: "drop"
        desk.box.run_due()
        path = f"/v1/variants/{post.post_id}~{toots.account_id}/settle"
        body = {
            "is_there": is_there,
            "url": "https://social.test/@zorza/1" if is_there else "",
            "why": "I looked",
        }
        assert manager("POST", path, body)[0] == 404
        assert author("POST", path, {**body, "url": "javascript:alert(1)"})[0] == 400
        status, variant = author("POST", path, body)
        assert (status, variant["state"]) == (200, state)
        assert author("POST", path, body)[0] == 409
        desk.box.stage.clock.advance(minutes=20)
        desk.box.run_due(Lane.CHORES)
        assert desk.box.states(post) == [state]
        row = next(r for r in desk.box.services.history.of(f"post#{post.post_id}") if r.why == "I looked")
        assert (row.person_id, str(row.way)) == (desk.box.author.person_id, "api")
