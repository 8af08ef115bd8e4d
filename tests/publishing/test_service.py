"""Posts as people handle them over the API: drafted, previewed, submitted, changed, cancelled, seen."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.accounts.model import Account
from chalicelib.org.roles import Role
from chalicelib.publishing.model import PostState
from tests.fakes.box import Box
from tests.org.api import Api
from tests.publishing.api import Desk


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
        "zone": "Mars/Base", "tags": ["a b"], "colour": "red",
        "late": {"action": "explode", "grace_minutes": 0}, "overrides": {"x": {"options": {"": "y"}}},
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


def test_a_list_reads_its_accounts_and_units_together(desk: Desk, author: Api, toots: Account) -> None:
    other = desk.box.account("other")
    for n in range(6):
        drafted(desk, author, toots, other, text=f"post {n}")
    author("GET", "/v1/posts")  # each unit is read once in a function's life
    with desk.box.counted() as asked:
        status, page = author("GET", "/v1/posts")
    assert (status, [len(p["variants"]) for p in page["posts"]]) == (200, [2] * 6)
    # The token and its person; a page of the listing, its posts, their accounts.
    assert asked == ["GetItem", "Query", "Query", "BatchGetItem", "BatchGetItem"]


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
