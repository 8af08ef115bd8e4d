"""Which findings say the same: across sources, calls, versions, titles and dates."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.model import Finding, Kind, PlatformChange, Sighting, Touching
from chalicelib.platform_changes.operations import is_same_operation
from chalicelib.platform_changes.recording import joined, sighting_of, started
from chalicelib.platform_changes.rules import Verdict
from chalicelib.platform_changes.same import MOST_SIGHTINGS, alike, is_same

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BREAKING, DEPRECATION, NEW, OUTAGE = Kind.BREAKING, Kind.DEPRECATION, Kind.NEW, Kind.OUTAGE


def change(
    finding: Finding, kind: Kind = BREAKING, source: str = "feed", at: datetime = NOW
) -> PlatformChange:
    seen = sighting_of(finding, source, "", at)
    return started("change_1", "x", finding, Verdict(kind, True, "source"), Touching(), seen)


def same(
    one: Finding, other: Finding, kinds: tuple[Kind, Kind] = (BREAKING, BREAKING), source: str = "spec",
    days: float = 0,
) -> bool:  # fmt: skip
    return is_same(change(one, kinds[0]), other, kinds[1], source, NOW + timedelta(days=days))


def said(title: str = "Whatever", **more: object) -> Finding:
    return Finding("k", title, **more)  # type: ignore[arg-type]


TWEETS, REPLAY = ("POST /2/tweets",), ("POST /2/webhooks/replay",)


@pytest.mark.parametrize(("one", "other", "is_one"), [
    ("POST /2/tweets", "POST https://api.x.com/2/tweets/", True),
    ("POST /2/tweets", "/tweets", True),
    ("POST /2/tweets", "post /v2/Tweets?dry=1", True),
    ("GET /{page-id}/feed", "GET /v21.0/:id/feed", True),
    ("GET /2/users/{id}", "GET /users/<user>", True),
    ("GET com.atproto.repo.getRecord", "/xrpc/com.atproto.repo.getRecord", True),
    ("GET /me/threads", "GET /v1.0/{user-id}/threads", True),
    ("GET /me?fields=id", "GET /v1.0/{threads-user-id}", True),
    ("GET /me/threads_insights", "GET /{threads-user-id}/threads_insights", True),
    ("GET /someservice/v3/channels", "GET /v3/channels", True),
    ("GET https://api.example/someservice/v3/channels", "/channels", True),
    ("GET /someservice/v3/channels", "channels.list", True),
    ("GET /someservice/v3/commentThreads", "`commentThreads.list`", True),
    ("POST /v3/comments", "comments.insert", True),
    ("GET /someservice/v3/channels", "GET /other/v3/channels", False),
    ("GET /someservice/v3/channels", "GET /someservice/v2/channels", False),
    ("GET /someservice/v3/channels", "channels.update", False),
    ("GET /someservice/v3/channels", "channels.words", False),
    ("GET /2/users/me", "GET /2/users/{id}", False),
    ("GET /rest/networkSizes", "GET /rest/networkSizes/{urn}", False),
    ("POST /2/tweets", "GET /2/tweets", False),
    ("POST /2/tweets", "POST /1.1/tweets", False),
    ("POST /2/tweets", "POST /2/tweets/{id}", False),
    ("", "", False), ("POST", "POST", False), ("GET /", "GET /", False), ("GET /v2", "GET /v2", False),
])  # fmt: skip
def test_two_names_of_a_call(one: str, other: str, is_one: bool) -> None:
    assert is_same_operation(one, other) is is_one
    assert is_same_operation(other, one) is is_one


@pytest.mark.parametrize(("one", "other", "is_one"), [
    (said(operations=TWEETS), said("Other words", operations=TWEETS), True),
    (said(operations=TWEETS, fields=("a",)), said("Other", operations=TWEETS, fields=("a", "b")), True),
    (said(operations=TWEETS, fields=("a",)), said("Other", operations=TWEETS), True),
    (said(operations=TWEETS, fields=("a",)), said("Other", operations=TWEETS, fields=("b",)), False),
    (said(operations=TWEETS), said("Other words", operations=REPLAY), False),
    (said(versions=("v21.0",)), said("Other words", versions=("21.0",)), True),
    (said(versions=("v21.0",)), said("Other words", versions=("v22.0",)), False),
    (said(versions=("v21.0",)), said("Other words", versions=("v21.0", "v22.0", "v23.0")), False),
    (said("v21.0 of the pages interface ends"), said("v22.0 of the pages interface ends"), False),
    (said("Reply settings lose a value"), said("Direct messages lose a value"), False),
    (said("Reply settings lose the value everyone"),
     said("The value everyone of reply settings is lost"), True),
    (said("Sign-in"), said("Sign-in"), False),
    (said("A", effective_on=date(2026, 12, 1), operations=TWEETS),
     said("B", effective_on=date(2026, 12, 2), operations=TWEETS), True),
    (said("A", effective_on=date(2026, 12, 1), operations=TWEETS),
     said("B", effective_on=date(2026, 12, 9), operations=TWEETS), False),
    (said("A", effective_on=date(2026, 12, 1), operations=TWEETS), said("B", operations=TWEETS), True),
])  # fmt: skip
def test_what_two_sources_say(one: Finding, other: Finding, is_one: bool) -> None:
    assert same(one, other) is is_one
    assert same(other, one) is is_one


def test_only_kinds_that_agree_are_one() -> None:
    about = said(operations=TWEETS)
    assert same(about, about, (BREAKING, DEPRECATION))
    assert not same(about, about, (NEW, BREAKING))
    assert not same(about, about, (OUTAGE, BREAKING))


def test_what_is_months_apart_is_another_change_unless_the_day_is_the_same() -> None:
    about, dated = said(operations=TWEETS), said(operations=TWEETS, effective_on=date(2027, 6, 1))
    assert same(about, about, days=44)
    assert not same(about, about, days=46)
    assert same(dated, dated, days=150)


def test_a_source_that_repeats_its_title_tells_of_something_else() -> None:
    weekly = said("What is going on in our developer community")
    assert same(weekly, weekly, (NEW, NEW), "another_feed")
    assert not same(weekly, weekly, (NEW, NEW), "feed")


def test_an_incident_of_the_next_day_is_another_one() -> None:
    incident = said("Elevated error rates on publishing posts", hint=OUTAGE)
    assert same(incident, incident, (OUTAGE, OUTAGE), days=0.5)
    assert not same(incident, incident, (OUTAGE, OUTAGE), days=2)


def test_a_record_that_is_full_takes_no_more_sightings() -> None:
    about = said(operations=TWEETS)
    full = change(about)
    seen = tuple(Sighting(f"s{n}", "k", "", NOW) for n in range(MOST_SIGHTINGS))
    full = joined(full, about, Verdict(BREAKING, True, "source"), full.sightings[0])
    assert is_same(full, about, BREAKING, "spec", NOW)
    assert not is_same(replace(full, sightings=seen), about, BREAKING, "spec", NOW)


JUNE, AUGUST = date(2027, 6, 1), date(2027, 8, 1)


@pytest.mark.parametrize(("one", "other", "is_one"), [
    (said("202505 ends on 2027-06-01", versions=("202505",)),
     said("202505 ends on 2027-08-01", versions=("202505",)), True),
    (said("Replay ends June 1", operations=REPLAY),
     said("Replay ends August 1st, 2027", operations=REPLAY), True),
    (said("Text ends 1 June 2027", operations=TWEETS, fields=("text",)),
     said("Text ends 1 Aug. 2027", operations=TWEETS, fields=("text",)), True),
    (said("Parameters end", operations=TWEETS, fields=("text",)),
     said("Parameters end", operations=TWEETS, fields=("media",)), False),
    (said("A parameter ends", operations=TWEETS), said("Another scope", operations=TWEETS), False),
    (said("Parameters end", operations=TWEETS, fields=("text",)),
     said("Parameters end", operations=TWEETS), False),
    (said("202505 ends", versions=("202505",)), said("Labels in 202505", versions=("202505",)), False),
    (said("The weekly letter"), said("The weekly letter"), False),
    (said("What is new", operations=TWEETS), said("What is new", operations=REPLAY), False),
    (said("", operations=TWEETS), said("", operations=TWEETS), False),
])  # fmt: skip
def test_the_same_thing_with_another_day_is_one_only_from_the_same_source(
    one: Finding, other: Finding, is_one: bool
) -> None:
    before, after = replace(one, effective_on=JUNE), replace(other, effective_on=AUGUST)
    assert same(before, after, source="feed") is is_one
    assert same(after, before, source="feed") is is_one
    assert same(before, after, source="feed", days=100) is is_one
    assert not same(before, after, source="spec")
    assert not same(before, after, (OUTAGE, OUTAGE), source="feed")


def test_two_servers_that_set_limits_are_two_changes() -> None:
    one, other = said("one.example has set other limits."), said("two.example has set other limits.")
    assert not same(one, other, (Kind.LIMIT, Kind.LIMIT))
    assert same(one, one, (Kind.LIMIT, Kind.LIMIT))


names = st.lists(st.sampled_from(["POST /2/tweets", "/tweets", "GET /2/users/{id}", "v"]), max_size=2).map(
    tuple
)
findings = st.builds(
    Finding,
    key=st.just("k"),
    title=st.one_of(
        st.text(max_size=60), st.sampled_from(["reply settings lose a value", "v21.0 ends soon here"])
    ),
    effective_on=st.none() | st.dates(date(2026, 11, 1), date(2026, 12, 30)),
    operations=names,
    fields=st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple),
    versions=st.lists(st.sampled_from(["v21.0", "21.0", "v22.0", "🦊"]), max_size=2).map(tuple),
)
kinds = st.sampled_from(Kind)


@given(findings, findings, kinds, kinds, st.floats(0, 60))
def test_it_does_not_matter_which_was_first(
    one: Finding, other: Finding, k1: Kind, k2: Kind, days: float
) -> None:
    later = NOW + timedelta(days=days)
    assert is_same(change(one, k1, "a"), other, k2, "b", later) == is_same(
        change(other, k2, "b", later), one, k1, "a", NOW
    )


@given(findings, kinds)
def test_a_finding_with_a_call_or_a_version_is_the_same_as_itself(finding: Finding, kind: Kind) -> None:
    names_something = any(is_same_operation(o, o) for o in finding.operations) or any(
        v != "🦊" for v in finding.versions
    )
    if names_something and kind != OUTAGE:
        assert is_same(change(finding, kind), finding, kind, "feed", NOW)


@given(findings, findings, kinds)
def test_dates_that_contradict_are_never_one(one: Finding, other: Finding, kind: Kind) -> None:
    if one.effective_on and other.effective_on and abs((one.effective_on - other.effective_on).days) > 1:
        assert not is_same(change(one, kind), other, kind, "spec", NOW)


@given(st.text(max_size=200), st.text(max_size=200))
def test_likeness_is_between_nothing_and_one_and_the_same_both_ways(one: str, other: str) -> None:
    assert 0 <= alike(one, other) <= 1
    assert alike(one, other) == alike(other, one)
