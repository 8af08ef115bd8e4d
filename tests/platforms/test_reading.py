"""What every reader of profiles must keep to, and every search, checked for each network in the registry."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import AddressRefused, MaybeSent, NotSent
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AdapterError, NotReady, OutcomeUnknown, RateLimited, Rejected
from chalicelib.platforms.port import AccountRef, Activity, Profile, Reading, Searching
from chalicelib.platforms.reading import count, link, links, past, words
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, Answering, FakeTransport, client, reply
from tests.platforms.readers import FIXTURES, Bench, ref
from tests.platforms.subscriptions import HTML, NOW, TOKEN

ROOT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("name", registry.reading_names())
EVERY_SEARCH = pytest.mark.parametrize("name", registry.searching_names())
# Where anybody may ask, with nothing.
FREE = {
    name
    for name in registry.reading_names()
    if registry.read_traits(name).anyone and not registry.read_traits(name).app_credentials
}
# What any of them may ask for; each takes what is its own.
CREDENTIALS = dict.fromkeys(
    ("access_token", "access_token_secret", "api_key", "api_secret", "bearer_token", "password"), TOKEN
)
IDS = {
    "bluesky": "did:plc:n5wlthd3vs75re5isolkzsax",
    "linkedin": "urn:li:organization:2414183",
    "tiktok": "723f24d7-e717-40f8-a2b6-cb8464cd23b4",
    "youtube": "UC_x5XG1OV2P6uZZ5FSM9Ttw",
}
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

HOSTILE: dict[str, Answer] = {
    "empty": reply(200),
    "no content": reply(204),
    "an empty object": reply(200, {}),
    "an empty list": reply(200, []),
    "null": reply(200, body=b"null"),
    "a page": reply(200, body=HTML),
    "cut short": reply(200, body=b'{"data": {"id": "1'),
    "too deep": reply(200, body=b'{"data":' * 50_000),
    "no number": reply(200, body=b'{"data": NaN, "id": Infinity}'),
    "a number too long": reply(200, body=b'{"id": ' + b"9" * 5_000 + b"}"),
    "a large number": reply(200, {"id": 10**300, "data": 10**300}),
    "wrong types": reply(200, {"id": [], "data": 5, "items": "x", "elements": {}, "records": None}),
    "lists of nothing": reply(200, {name: [None, 5, "x", []] for name in ("data", "items", "elements")}),
    "half a pair": reply(200, body=b'{"id": "\\ud800", "data": {"id": "\\ud800"}}'),
    "301": reply(301, headers={"Location": "https://elsewhere.example/"}),
    "401": reply(401, {"error": "no", "message": "no"}),
    "403 with a page": reply(403, body=HTML),
    "404": reply(404, {"error": "no", "message": "no"}),
    "429": reply(429, body=HTML),
    "500": reply(500, {"error": "no"}),
    "no connection": NotSent("…"),
    "no whole answer": MaybeSent("…"),
}


def account(name: str) -> AccountRef:
    return ref(
        name, "brand.test" if name == "bluesky" else "brand", IDS.get(name, "2244994945"), **CREDENTIALS
    )


def read(bench: Bench) -> list[Profile | Activity | AdapterError]:
    """What profile and activity came to; anything that is no AdapterError fails the test."""
    found: list[Profile | Activity | AdapterError] = []
    for method in (bench.profile, bench.activity):
        try:
            found.append(method())
        except AdapterError as error:
            found.append(error)
    return found


def check(said: Profile | Activity | AdapterError) -> None:
    """Whatever came is within bounds, can be stored and shows no access."""
    if isinstance(said, AdapterError):
        assert said.message
        assert not isinstance(said, OutcomeUnknown | NotReady)
        if isinstance(said, RateLimited):
            assert NOW < said.until <= NOW + timedelta(days=1)
    else:
        assert said.followers is None or (type(said.followers) is int and 0 <= said.followers < 10**12)
        for at in (said.last_post_at, said.opened_at if isinstance(said, Profile) else None):
            assert at is None or (at.tzinfo is not None and at <= NOW + timedelta(days=1))
        assert 0 < len(said.status) < 100
    if isinstance(said, Profile):
        texts = [said.external_id, said.handle, said.display_name, said.description, *said.links]
        assert all(len(text) <= 4_000 for text in texts)
        assert said.verified in (True, False, None)
        for address in (said.url, said.avatar_url):
            assert re.fullmatch(r"(https?://\S{1,2000})?", address)
    repr(said).encode("utf-8")
    assert TOKEN not in repr(said)


def test_all_ten_networks_can_be_read_and_four_searched() -> None:
    assert sorted(registry.reading_names()) == [
        "bluesky",
        "facebook",
        "instagram",
        "linkedin",
        "mastodon",
        "pinterest",
        "threads",
        "tiktok",
        "x",
        "youtube",
    ]
    assert sorted(registry.searching_names()) == ["bluesky", "mastodon", "x", "youtube"]


@EVERY
def test_what_reading_takes_is_told_in_full(name: str) -> None:
    traits = registry.read_traits(name)
    assert traits.platform == name
    assert traits.name
    assert re.fullmatch(r"https://[a-z0-9.-]+", traits.default_server)
    assert traits.rates
    assert all(rate.what and rate.most > 0 and rate.per_for > timedelta(0) for rate in traits.rates)
    assert traits.anyone or not traits.app_credentials
    assert traits.version is not None or traits.version_ends_on is None


@EVERY
def test_a_reader_is_one_and_making_it_calls_nobody(name: str) -> None:
    bench = Bench(account(name), [])
    assert isinstance(bench.reader, Reading)
    assert bench.transport.requests == []


def test_making_readers_loads_nothing_heavy() -> None:
    code = (
        "import sys; from datetime import UTC, datetime\n"
        "from chalicelib.core.clock import FixedClock; from chalicelib.core.http import HttpClient\n"
        "from chalicelib.platforms import registry\n"
        "class Nobody: pass\n"
        "clock = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))\n"
        "http = HttpClient(clock, transport=Nobody())\n"
        "[registry.reading(name, http, clock, Nobody()) for name in registry.reading_names()]\n"
        "[registry.searching(name, http, clock, Nobody()) for name in registry.searching_names()]\n"
        "print(sorted({'urllib3', 'regex', 'ssl', 'boto3', 'pydantic', 'lxml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@EVERY
@pytest.mark.parametrize("case", HOSTILE)
def test_an_empty_or_hostile_answer_is_an_adapters_error_or_a_bounded_value(name: str, case: str) -> None:
    for said in read(Bench(account(name), lambda request: HOSTILE[case])):
        check(said)


@EVERY
@pytest.mark.parametrize("case", ["empty", "a page", "wrong types", "500", "no connection", "429"])
def test_what_says_nothing_is_never_taken_for_an_account_that_never_posted(name: str, case: str) -> None:
    for said in read(Bench(account(name), lambda request: HOSTILE[case])):
        assert isinstance(said, AdapterError)


@EVERY
def test_an_address_inside_is_refused_for_good(name: str) -> None:
    for said in read(Bench(account(name), lambda request: AddressRefused("…"))):
        assert type(said) is Rejected


@pytest.mark.parametrize("name", sorted(set(registry.reading_names()) - FREE))
def test_nobody_is_asked_with_no_access_where_reading_takes_some(name: str) -> None:
    bench = Bench(account(name), [], credentials={})
    assert all(isinstance(said, AdapterError) for said in read(bench))
    assert bench.transport.requests == []


NOTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    NOTHING | st.sampled_from([10**400, -1, "9" * 30, "2026-11-20T10:15:00Z", "9999-12-31T23:59:59-23:59"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def bodies(name: str) -> list[Any]:
    """The recorded replies of a network, to be bent; an object where there are none."""
    found = sorted((FIXTURES / name).glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")).get("body", {}) for path in found] or [{"data": []}]


@st.composite
def bent(draw: st.DrawFn, body: Any) -> Any:
    """A reply in which one part, wherever it stands, is any other JSON."""
    whole = {"": copy.deepcopy(body)}
    place: Any = whole
    key: Any = ""
    while isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 9)):
        place = place[key]
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = draw(JSON)
    return whole[""]


@EVERY
@SLOW
@given(data=st.data())
def test_no_json_makes_a_reader_crash_or_leave_its_bounds(name: str, data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(bodies(name)).flatmap(bent) | JSON)
    status = data.draw(st.sampled_from([200, 200, 200, 200, 400, 401, 403, 404, 429, 500]))
    said = reply(status, body=json.dumps(body).encode("ascii"))
    for each in read(Bench(account(name), lambda request: said)):
        check(each)


# Bounds


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (0, 0),
        ("583423", 583423),
        (10**11, 10**11),
        *((said, None) for said in (10**11 + 1, -1, True, 1.0, "٣", "9" * 13, "", None)),
    ],
)
def test_a_number_is_whole_and_can_be_true(said: object, number: int | None) -> None:
    assert count(said) == number


@given(st.text() | st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE010)) | JSON)
def test_words_and_links_can_be_shown_and_stored(said: Any) -> None:
    for text in (words(said, 40), link(said), *links([said])):
        text.encode("utf-8")
        assert "\n" not in text
        assert text == text.strip()
    assert len(words(said, 40)) <= 40


def test_links_are_as_they_are_written_each_once_and_not_too_many() -> None:
    assert links(["example.org", " https://a.example \n", "example.org", 5, ""]) == (
        "example.org",
        "https://a.example",
    )
    assert len(links(str(number) for number in range(50))) == 20
    assert link("javascript:alert(1)") == link("https://a.example/\ud800") == ""


def test_a_time_a_little_ahead_is_another_clock_and_one_far_ahead_is_none() -> None:
    assert past(NOW + timedelta(hours=23), NOW) == NOW + timedelta(hours=23)
    assert past(NOW + timedelta(hours=25), NOW) is None


# Searches


def search(name: str, answers: Answering) -> Sequence[Profile] | AdapterError:
    clock = FixedClock(NOW)
    found = registry.searching(name, client(clock, FakeTransport(answers)), clock, MemorySessions())
    assert isinstance(found, Searching)
    try:
        return found.search("brand", registry.read_traits(name).default_server, CREDENTIALS)
    except AdapterError as error:
        return error


def test_a_network_that_finds_nobody_has_no_search() -> None:
    clock = FixedClock(NOW)
    assert registry.searching("tiktok", client(clock, FakeTransport([])), clock, MemorySessions()) is None


@EVERY_SEARCH
@pytest.mark.parametrize("case", HOSTILE)
def test_a_search_answered_with_anything_is_profiles_or_an_adapters_error(name: str, case: str) -> None:
    said = search(name, lambda request: HOSTILE[case])
    for each in [said] if isinstance(said, AdapterError) else said:
        check(each)


@EVERY_SEARCH
@SLOW
@given(data=st.data())
def test_no_json_makes_a_search_crash_or_leave_its_bounds(name: str, data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(bodies(name)).flatmap(bent) | JSON)
    said = search(name, lambda request: reply(200, body=json.dumps(body).encode("ascii")))
    for each in [said] if isinstance(said, AdapterError) else said:
        check(each)
