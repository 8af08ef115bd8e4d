"""Profiles planted on the local platform, read and found by the project's own readers over real HTTP."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import HttpClient
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import AccountRef, Activity, Profile, Reading, Searching
from infra.local.platform.avatars import picture
from tests.fakes.sessions import MemorySessions

World = Any
OPENED = "2021-03-04T10:00:00Z"
LAST = "2026-08-01T09:30:00Z"
NAMES = {"bluesky": "sklep-zolw.test", "mastodon": "sklep_zolw"}
NETWORKS = pytest.mark.parametrize("network", ["bluesky", "mastodon"])


class Reader:
    """One network's reader and search, calling the platform."""

    def __init__(self, world: World, network: str) -> None:
        self._world = world
        self._network = network
        self._clock = FixedClock(world.clock.now())
        self._server = f"http://127.0.0.1:{world.control.port}"
        self._http = HttpClient(self._clock, allowed_hosts=frozenset({f"127.0.0.1:{world.control.port}"}))

    @property
    def reading(self) -> Reading:
        return registry.reading(self._network, self._http, self._clock, MemorySessions())

    def ref(self, handle: str = "", external_id: str = "", **credentials: str) -> AccountRef:
        handle = handle or NAMES[self._network]
        return AccountRef("account_1", self._network, handle, self._server, external_id, credentials)

    def profile(self, *of: str, **credentials: str) -> Profile:
        return self.reading.profile(self.ref(*of, **credentials))

    def activity(self, *of: str, **credentials: str) -> Activity:
        return self.reading.activity(self.ref(*of, **credentials))

    def search(self, words: str) -> Sequence[Profile]:
        found = registry.searching(self._network, self._http, self._clock, MemorySessions())
        assert isinstance(found, Searching)
        return found.search(words, self._server, {})


@pytest.fixture
def reader(world: World) -> Callable[[str], Reader]:
    return lambda network: Reader(world, network)


def plant(world: World, *profiles: dict[str, Any]) -> list[dict[str, Any]]:
    answer = world.control.post("/_local/profiles", {"profiles": list(profiles)})
    assert answer.status == 201, answer.text
    planted: list[dict[str, Any]] = answer.json
    return planted


def shop(network: str, **changes: Any) -> dict[str, Any]:
    return {
        "network": network,
        "username": NAMES[network],
        "display_name": "Sklep Żółw",
        "note": "Buty i plecaki od 1987",
        "avatar": "zolw",
        "website": "https://zolw.example",
        "followers": 1204,
        "created_at": OPENED,
        "last_post_at": LAST,
        **({"password": "secret"} if network == "bluesky" else {"access_token": "token-zolw"}),
        **changes,
    }


@NETWORKS
def test_a_planted_profile_is_read_by_anybody_as_it_was_planted(
    world: World, reader: Callable[[str], Reader], network: str
) -> None:
    plant(world, shop(network, verified=True))
    profile = reader(network).profile()
    assert (profile.handle, profile.display_name, profile.followers) == (NAMES[network], "Sklep Żółw", 1204)
    assert (profile.description, profile.links) == ("Buty i plecaki od 1987", ("https://zolw.example",))
    opened = datetime(2021, 3, 4, tzinfo=UTC) if network == "mastodon" else datetime.fromisoformat(OPENED)
    assert (profile.opened_at, profile.status) == (opened, "active")
    assert profile.verified is (True if network == "bluesky" else None)
    assert profile.avatar_url.endswith(f"/avatars/{NAMES[network]}.png")


@NETWORKS
def test_the_last_post_is_told_to_the_second_for_one_call_once_the_id_is_known(
    world: World, reader: Callable[[str], Reader], network: str
) -> None:
    plant(world, shop(network))
    read = reader(network)
    external_id = read.profile().external_id
    before = sum(world.control.get("/_local/stats").json["requests"].values())
    activity = read.activity("", external_id)
    assert activity.last_post_at == datetime.fromisoformat(LAST)
    # The second look at the counts is itself counted.
    assert sum(world.control.get("/_local/stats").json["requests"].values()) - before == 2


@NETWORKS
def test_our_own_account_is_read_with_its_credentials(
    world: World, reader: Callable[[str], Reader], network: str
) -> None:
    planted = plant(world, shop(network))[0]
    mine = {name: planted[name] for name in ("password", "access_token") if name in planted}
    profile = reader(network).profile(**mine)
    assert (profile.display_name, profile.followers) == ("Sklep Żółw", 1204)
    activity = reader(network).activity("", profile.external_id, **mine)
    assert activity.last_post_at == datetime.fromisoformat(LAST)
    with pytest.raises((AuthExpired, Rejected)):
        reader(network).profile(**dict.fromkeys(mine, "not this one"))


@NETWORKS
def test_an_account_that_never_posted_says_so(
    world: World, reader: Callable[[str], Reader], network: str
) -> None:
    plant(world, shop(network, last_post_at=None))
    assert reader(network).activity().last_post_at is None
    assert reader(network).activity().status == "active"


@pytest.mark.parametrize(
    ("network", "state"),
    [
        ("bluesky", "takendown"),
        ("bluesky", "deactivated"),
        ("mastodon", "suspended"),
        ("mastodon", "limited"),
    ],
)
def test_a_closed_account_says_how_and_is_not_found_by_a_search(
    world: World, reader: Callable[[str], Reader], network: str, state: str
) -> None:
    (planted,) = plant(world, shop(network))
    external_id = planted.get("did", planted["id"])
    plant(world, {"network": network, "username": NAMES[network], "state": state})
    assert reader(network).profile("", external_id).status == state
    assert reader(network).activity("", external_id).status == state
    assert [one.handle for one in reader(network).search("żółw")] == (
        [NAMES[network]] if state == "limited" else []
    )
    mine = {"password": "secret"} if network == "bluesky" else {"access_token": "token-zolw"}
    if state in ("takendown", "suspended"):
        with pytest.raises(AuthExpired):
            reader(network).profile("", external_id, **mine)
    plant(world, {"network": network, "username": NAMES[network], "state": "active"})
    assert reader(network).profile("", external_id).followers == 1204


@NETWORKS
def test_nobody_by_that_name_is_not_found(reader: Callable[[str], Reader], network: str) -> None:
    assert reader(network).profile("nobody.test").status == "not found"
    assert reader(network).activity("nobody.test") == Activity(None, None, "not found")


@NETWORKS
def test_hundreds_are_planted_at_once_and_found_by_their_names_without_accents(
    world: World, reader: Callable[[str], Reader], network: str
) -> None:
    dot = ".test" if network == "bluesky" else ""
    crowd = [
        shop(network, username=f"zolw{number}{dot}", display_name=f"Żółw {number}", followers=number)
        | {"access_token": f"token-{number}"}
        for number in range(300)
    ]
    plant(world, *crowd, shop(network, username=f"anybody{dot}", display_name="Ktoś", note=""))
    found = reader(network).search("ZOLW")
    assert [one.handle for one in found] == [
        f"zolw{number}{dot}" for number in range(299, 299 - (100 if network == "bluesky" else 40), -1)
    ]
    assert [one.followers for one in found[:2]] == ([None, None] if network == "bluesky" else [299, 298])
    assert [one.handle for one in reader(network).search("żółw 123")] == [f"zolw123{dot}"]
    assert reader(network).search("nobody of that name") == ()


@NETWORKS
def test_an_account_whose_reads_fail_can_still_publish_and_others_are_read(
    world: World, reader: Callable[[str], Reader], network: str
) -> None:
    other = "other.test" if network == "bluesky" else "other"
    plant(world, shop(network), {"network": network, "username": other})
    world.misbehave(account=NAMES[network], route="reads", mode="500")
    for method in ("profile", "activity"):
        with pytest.raises(Unavailable):
            getattr(reader(network), method)()
    assert reader(network).profile(other).status == "active"
    rules = world.control.get("/_local/misbehave").json
    assert rules[0]["used"] == 2
    if network == "mastodon":
        mine = world.control.__class__(world.control.port, "token-zolw")
        assert mine.publish("Dzień dobry").status == 200
    world.misbehave(account=NAMES[network], route="reads", mode="none")
    assert reader(network).profile().status == "active"


@NETWORKS
def test_reads_can_be_limited(world: World, reader: Callable[[str], Reader], network: str) -> None:
    plant(world, shop(network))
    world.misbehave(account=NAMES[network], route="reads", mode="429", retry_after=120)
    with pytest.raises(RateLimited) as caught:
        reader(network).activity()
    assert caught.value.until == world.clock.now() + timedelta(seconds=120)


def test_planting_twice_changes_and_adds_nothing(world: World, reader: Callable[[str], Reader]) -> None:
    for network in ("bluesky", "mastodon"):
        first = plant(world, shop(network))
        assert plant(world, shop(network)) == first
        plant(world, {"network": network, "username": NAMES[network], "followers": 7})
        profile = reader(network).profile()
        assert (profile.followers, profile.display_name) == (7, "Sklep Żółw")
    assert len(world.control.get("/_local/accounts").json) == 4
    stats = world.control.get("/_local/stats").json["statuses_created_by_account"]
    assert stats == {"sklep-zolw.test": 1, "sklep_zolw": 1}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"followers": -1}, "followers"),
        ({"followers": True}, "followers"),
        ({"verified": "yes"}, "verified"),
        ({"created_at": "2021-03-04"}, "created_at"),
        ({"last_post_at": 5}, "last_post_at"),
        ({"state": "deactivated"}, "state"),
        ({"avatar": 5}, "avatar"),
        ({"username": "no spaces"}, "username"),
    ],
)
def test_one_wrong_profile_plants_none(world: World, wrong: dict[str, Any], said: str) -> None:
    good = {"username": "good"}
    answer = world.control.post("/_local/profiles", {"profiles": [good, {"username": "bad", **wrong}]})
    assert answer.status == 422
    assert answer.json["error"].startswith("profile 1: ")
    assert said in answer.json["error"]
    assert world.stranger.get("/api/v1/accounts/lookup?acct=good").status == 404


def test_profiles_of_a_taken_name_or_token_plant_none(world: World) -> None:
    for bad in (
        {"network": "bluesky", "username": "taken.test"},
        {"username": "x", "access_token": "token-anna"},
    ):
        profiles = [{"username": "taken.test"}, bad]
        assert world.control.post("/_local/profiles", {"profiles": profiles}).status == 422
        assert world.stranger.get("/api/v1/accounts/lookup?acct=taken.test").status == 404
    refused: list[dict[str, Any]] = [{}, {"profiles": []}, {"profiles": "x"}, {"profiles": [{}] * 2_001}]
    for nothing in refused:
        assert world.control.post("/_local/profiles", nothing).status == 422


def test_a_stranger_may_neither_resolve_nor_leaf_through(world: World) -> None:
    for query in ("resolve=true", "offset=20"):
        path = f"/api/v2/search?q=anna&type=accounts&{query}"
        assert world.stranger.get(path).status == 401
        assert world.anna.get(path).status == 200
    assert world.stranger.get("/api/v2/search?q=anna&type=statuses").json["accounts"] == []


def test_a_picture_is_a_png_and_a_copy_of_it_is_nearly_the_same(world: World) -> None:
    plant(world, shop("mastodon"), shop("bluesky", avatar="zolw~2"))
    shown = world.stranger.get("/avatars/sklep_zolw.png")
    assert (shown.status, shown.headers["Content-Type"]) == (200, "image/png")
    assert shown.body == picture("zolw")
    assert struct.unpack(">II", shown.body[16:24]) == (96, 96)
    copied = world.stranger.get("/avatars/sklep-zolw.test.png").body
    assert copied != shown.body
    assert world.stranger.get("/avatars/anna.png").status == 404
    assert "/avatars/sklep_zolw.png" in world.stranger.get("/@sklep_zolw").text


def test_a_suspended_accounts_page_shows_no_posts(world: World) -> None:
    plant(world, shop("mastodon", post="Zapraszamy!"))
    assert "Zapraszamy!" in world.stranger.get("/@sklep_zolw").text
    plant(world, {"username": "sklep_zolw", "state": "suspended"})
    page = world.stranger.get("/@sklep_zolw").text
    assert "Zapraszamy!" not in page
    assert "This account is suspended." in page
