"""Posts as people handle them over the API: drafted, previewed, submitted, changed, cancelled, seen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.accounts.model import Account
from chalicelib.core.errors import Conflict
from chalicelib.core.timetable import Lane
from chalicelib.org.roles import Role
from chalicelib.publishing.model import Post, PostState
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


def problems(answer: Any) -> dict[str, str]:
    return {p["field"]: p["message"] for p in answer["problems"]}


def drafted(desk: Desk, author: Api, *targets: Account, **more: Any) -> Any:
    status, post = author("POST", "/v1/posts", desk.body(list(targets), **more))
    assert status == 201, post
    return post


# Drafting


def test_a_draft_with_everything_wrong_hears_of_everything_at_once(
    desk: Desk, author: Api, toots: Account
) -> None:
    _, media = author("POST", "/v1/media", {"name": "a.png", "mime": "image/png"})
    body = desk.body([toots, toots], publish_at="2026-11-20T12:00:00Z")
    body["targets"].append("account_none")
    body["media"] = [{"media_id": media["media_id"], "alt": "x"}, {"media_id": "media_none"}]
    body["overrides"] = {
        "account_other": {"text": "x"},
        toots.account_id: {"media": [{"media_id": "media_none"}]},
    }
    status, answer = author("POST", "/v1/posts", body)
    assert (status, answer["error"]) == (400, "invalid_input")
    told = [(p["field"], p["message"]) for p in answer["problems"]]
    assert told == [
        ("targets", "there is no account account_none"),
        ("targets", "names an account twice"),
        ("media", "file a.png is waiting; check its upload first"),
        ("media", "there is no file media_none"),
        ("overrides.account_other", "this account is not among the targets"),
        (f"overrides.{toots.account_id}.media", "there is no file media_none"),
        ("publish_at", "this time has passed; choose a later one"),
    ]
    assert author("GET", "/v1/posts")[1]["posts"] == []


def test_a_body_with_everything_wrong_hears_of_every_field(desk: Desk, author: Api) -> None:
    body = {
        "title": " ", "text": 7, "language": "Polish", "targets": [], "publish_at": "soon",
        "zone": "Mars/Base", "tags": ["a b"], "late": {"action": "explode", "grace_minutes": 0}, "colour": "red",
        "overrides": {"x": {"options": {"": "y"}}},
    }  # fmt: skip
    status, answer = author("POST", "/v1/posts", body)
    assert status == 400
    assert {f.split(".")[0] for f in problems(answer)} == set(body)


@pytest.mark.parametrize(
    ("wall", "words"),
    [("2027-03-28T02:30:00", "does not exist"), ("2027-10-31T02:30:00", "comes twice")],
)
def test_an_hour_that_daylight_saving_skips_or_repeats_is_refused_beside_other_problems(
    desk: Desk, author: Api, toots: Account, wall: str, words: str
) -> None:
    body = desk.body([toots], publish_at=wall)
    body["targets"].append("account_none")
    status, answer = author("POST", "/v1/posts", body)
    assert status == 400
    assert f"02:30 on {wall[:10]} {words} in Europe/Warsaw" in problems(answer)["publish_at"]
    assert "targets" in problems(answer)
    status, post = author("POST", "/v1/posts", desk.body([toots], publish_at=f"{wall}+01:00"))
    assert status == 201, post


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59"]
)
def test_a_time_at_the_edge_of_the_calendar_is_a_problem_and_not_a_crash(
    desk: Desk, author: Api, toots: Account, at: str
) -> None:
    assert problems(author("POST", "/v1/posts", desk.body([toots], publish_at=at))[1]).keys() == {
        "publish_at"
    }


def test_a_wall_clock_time_is_read_in_its_zone(desk: Desk, author: Api, toots: Account) -> None:
    post = drafted(desk, author, toots, publish_at="2026-12-24T18:00:00", zone="Asia/Tehran")
    assert datetime.fromisoformat(post["publish_at"]) == datetime(2026, 12, 24, 14, 30, tzinfo=UTC)
    path = f"/v1/posts/{post['post_id']}"
    _, moved = author("POST", f"{path}/reschedule", {"publish_at": "2026-12-24T19:00:00"})
    assert datetime.fromisoformat(moved["publish_at"]) == datetime(2026, 12, 24, 15, 30, tzinfo=UTC)
    moved_to = {"publish_at": "2026-12-24T19:00:00", "zone": "Europe/Warsaw"}
    _, moved = author("PATCH", path, moved_to)
    assert datetime.fromisoformat(moved["publish_at"]) == datetime(2026, 12, 24, 18, 0, tzinfo=UTC)
    assert author("PATCH", path, {"publish_at": "2027-03-28T02:30:00"})[0] == 400


def test_a_post_too_big_for_its_row_is_refused_in_words(desk: Desk, author: Api) -> None:
    accounts = [desk.box.account(f"a{n}") for n in range(6)]
    overrides = {a.account_id: {"text": "d" * 60_000} for a in accounts}
    status, answer = author("POST", "/v1/posts", desk.body(accounts, overrides=overrides))
    assert status == 400
    assert "the most is 350000" in problems(answer)["text"]
    post = drafted(desk, author, *accounts)
    assert author("PATCH", f"/v1/posts/{post['post_id']}", {"overrides": overrides})[0] == 400


def test_a_draft_is_kept_though_its_account_has_lost_its_credentials(
    desk: Desk, author: Api, toots: Account
) -> None:
    desk.box.stage.ssm.delete_parameter(Name=toots.credentials_path)
    desk.box.services.secrets.forget(toots.credentials_path)
    post = drafted(desk, author, toots)
    assert "connect it again" in problems(post)["mastodon zorza: account"]


# Previews


@pytest.mark.parametrize(
    ("text", "toot_count", "toot_over", "sky_count", "sky_over"),
    [
        ("a" * 300, 300, None, 300, None),
        ("ż" * 501, 501, 1, 501, 201),
        ("👩‍👩‍👧‍👦" * 301, 301, None, 301, 1),
        ("سلام دنیا " + "https://example.org/" + "x" * 300, 33, None, 330, 30),
    ],
)
def test_a_preview_counts_as_each_platform_counts_and_says_the_number_over(
    desk: Desk, author: Api, toots: Account, skies: Account,
    text: str, toot_count: int, toot_over: int | None, sky_count: int, sky_over: int | None,
) -> None:  # fmt: skip
    post = drafted(desk, author, toots, skies, text=text)
    _, answer = author("GET", f"/v1/posts/{post['post_id']}/preview")
    toot, sky = answer["variants"]
    assert (toot["characters"], toot["limit"], sky["limit"]) == (toot_count, 500, 300)
    assert sky["characters"] == sky_count
    assert [p["over"] for p in toot["problems"]] == ([toot_over] if toot_over else [])
    over = [p for p in sky["problems"] if p["over"] == sky_over]
    assert bool(over) == (sky_over is not None)
    for problem in over:
        assert f"{sky_over} over" in problem["message"]


def test_an_override_changes_one_channel_only(
    desk: Desk, author: Api, toots: Account, skies: Account
) -> None:
    own = {skies.account_id: {"text": "krótko"}}
    post = drafted(desk, author, toots, skies, text="d" * 400, overrides=own)
    assert post["problems"] == []
    _, answer = author("GET", f"/v1/posts/{post['post_id']}/preview")
    assert [v["text"] for v in answer["variants"]] == ["d" * 400, "krótko"]
    path = f"/v1/posts/{post['post_id']}"
    _, without = author("PATCH", path, {"targets": [toots.account_id]})
    assert without["overrides"] == {}
    _, answer = author("PATCH", path, {"overrides": own, "targets": [toots.account_id, toots.account_id]})
    assert problems(answer).keys() == {"targets", f"overrides.{skies.account_id}"}


def test_submit_is_refused_with_every_variants_problems(
    desk: Desk, author: Api, toots: Account, skies: Account
) -> None:
    own = {skies.account_id: {"options": {"colour": "red"}}}
    post = drafted(desk, author, toots, skies, text="x" * 600, overrides=own, in_=30)
    assert {p["field"] for p in post["problems"]} == {
        "mastodon zorza: text", "bluesky zorza.test: text", "bluesky zorza.test: options.colour",
    }  # fmt: skip
    desk.box.stage.clock.advance(seconds=120)
    status, answer = author("POST", f"/v1/posts/{post['post_id']}/submit")
    assert status == 400
    told = {(p["field"], p.get("over")) for p in answer["problems"]}
    assert told == {
        ("mastodon zorza: text", 100), ("bluesky zorza.test: text", 300),
        ("bluesky zorza.test: options.colour", None), ("publish_at", None),
    }  # fmt: skip
    assert desk.box.services.posts.get(post["post_id"]).state == PostState.DRAFT


# Changes after sign-off


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
        case "refused" | "put off":
            box.stage.clock.advance(seconds=60)
            fault = "422" if state == "refused" else "429"
            box.networks.fault = lambda r: fault if r.url.endswith("/api/v1/statuses") else None
            box.run_due()
            box.networks.fault = lambda r: None
    return services.posts.get(post.post_id)


STATES = {
    "scheduled": "scheduled", "held": "held", "held, late": "held", "late": "late", "refused": "refused",
    "put off": "scheduled",
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


# Versions, keys, pages


def test_of_two_who_change_the_same_version_one_is_refused(desk: Desk, author: Api, toots: Account) -> None:
    post = drafted(desk, author, toots)
    path = f"/v1/posts/{post['post_id']}"
    status, first = author("PATCH", path, {"text": "first", "version": post["version"]})
    assert (status, first["version"]) == (200, post["version"] + 1)
    status, answer = author("PATCH", path, {"text": "second", "version": post["version"]})
    assert (status, answer["message"]) == (409, "somebody else changed this post meanwhile; load it again")
    assert author("GET", path)[1]["text"] == "first"


def test_a_draft_sent_again_with_its_key_is_one_post(desk: Desk, author: Api, toots: Account) -> None:
    body, key = desk.body([toots]), {"Idempotency-Key": "one"}
    first, again = (author("POST", "/v1/posts", body, **key) for _ in range(2))
    assert first == again
    assert first[0] == 201
    assert len(author("GET", "/v1/posts")[1]["posts"]) == 1
    assert author("POST", "/v1/posts", {**body, "text": "other"}, **key)[0] == 409
    assert desk.api(desk.box.lead)("POST", "/v1/posts", body, **key)[1]["post_id"] != first[1]["post_id"]


def test_pages_give_every_post_once_though_others_are_added_between(
    desk: Desk, author: Api, toots: Account
) -> None:
    made = [drafted(desk, author, toots, in_=3600 + n % 3)["post_id"] for n in range(7)]
    seen: list[str] = []
    query = "?limit=2"
    while query:
        status, page = author("GET", f"/v1/posts{query}")
        assert status == 200
        seen += [p["post_id"] for p in page["posts"]]
        drafted(desk, author, toots, in_=9000)
        query = f"?limit=2&cursor={page['cursor']}" if page["cursor"] else ""
    assert sorted(p for p in seen if p in made) == sorted(made)
    assert len(seen) == len(set(seen))
    assert author("GET", "/v1/posts?cursor=bm9uc2Vuc2U")[0] == 400
    assert author("GET", "/v1/posts?state=cancelled")[1]["posts"] == []


# Who sees what


def test_posts_of_another_unit_are_not_there(desk: Desk, toots: Account) -> None:
    """Not allowed would tell that the id exists."""
    district = desk.unit("Praga")
    stranger = desk.api(desk.person("Obcy", Role.AUTHOR, unit_id=district.unit_id))
    manager = desk.api(desk.person("Kierownik", Role.DISTRICT_MANAGER, unit_id=district.unit_id))
    own = desk.box.account("praga", unit_id=district.unit_id)
    post = desk.box.signed([toots], in_=600)
    variant = f"{post.post_id}~{toots.account_id}"
    for who in (stranger, manager):
        for method, path, body in (
            ("GET", "", None), ("GET", "/preview", None), ("GET", "/history", None),
            ("PATCH", "", {"text": "x"}), ("POST", "/submit", None), ("POST", "/cancel", {"why": "x"}),
            ("POST", "/reschedule", {"publish_at": "2026-12-01T12:00:00Z"}),
        ):  # fmt: skip
            status, answer = who(method, f"/v1/posts/{post.post_id}{path}", body)
            assert (status, answer["message"]) == (404, f"there is no post {post.post_id}"), path
        assert who("GET", "/v1/posts")[1]["posts"] == []
        settle = {"is_there": False, "why": "x"}
        assert who("POST", f"/v1/variants/{variant}/settle", settle)[0] == 404
    assert manager("POST", f"/v1/variants/{variant}/release", {"action": "drop", "why": "x"})[0] == 404
    assert stranger("POST", "/v1/posts", desk.body([toots]))[0] == 403
    mixed = drafted(desk, desk.api(desk.box.author), toots, own)
    assert stranger("GET", f"/v1/posts/{mixed['post_id']}")[0] == 200
    assert stranger("PATCH", f"/v1/posts/{mixed['post_id']}", {"text": "x"})[0] == 403


def test_whoever_only_reads_sees_and_changes_nothing(desk: Desk, author: Api, toots: Account) -> None:
    analyst = desk.api(desk.person("Analityk", Role.ANALYST))
    post = drafted(desk, author, toots)
    path = f"/v1/posts/{post['post_id']}"
    assert analyst("GET", path)[1]["text"] == "Dzień dobry!"
    assert analyst("PATCH", path, {"text": "x"})[0] == 403


def test_a_role_on_one_account_reaches_posts_of_that_account_alone(desk: Desk, toots: Account) -> None:
    from chalicelib.org.model import operator

    other = desk.box.account("inne")
    person = desk.person("Tylko jedno")
    admin = operator("test", desk.box.now)
    org = desk.box.services.org
    org.grant(admin, person.person_id, Role.AUTHOR, desk.box.unit_id, toots.account_id)
    api = desk.api(person)
    post = drafted(desk, api, toots)
    assert [p["post_id"] for p in api("GET", "/v1/posts")[1]["posts"]] == [post["post_id"]]
    assert api("POST", "/v1/posts", desk.body([toots, other]))[0] == 403
    assert api("PATCH", f"/v1/posts/{post['post_id']}", {"targets": [other.account_id]})[0] == 403


# The revision


TEXT = st.text(max_size=20)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=TEXT, alt=TEXT, own=st.none() | TEXT, minutes=st.integers(5, 1000))
def test_a_post_comes_back_from_the_table_with_the_revision_it_was_saved_with(
    box: Box, toots: Account, text: str, alt: str, own: str | None, minutes: int
) -> None:
    overrides: dict[str, Any] = {toots.account_id: {"text": own, "media": None, "options": {}}}
    post = box.draft([toots], text, in_=60 * minutes, overrides=overrides, title=alt or "t")
    kept = box.services.posts.get(post.post_id)
    assert kept.revision == post.revision == kept.with_revision().revision
    assert (kept.text, kept.overrides[toots.account_id].text) == (text, own)
