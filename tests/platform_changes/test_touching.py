"""What of ours a change concerns: by call, field, version and words, counted with what stands behind it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.model import Kind, Touching
from chalicelib.platform_changes.touching import (
    Mine,
    Said,
    both,
    names_a_call_of_ours,
    of_surfaces,
    touched,
)
from chalicelib.platforms.surfaces import HOOK, Surface

PUBLISH = Surface(
    "publish", "publish", "POST", "/2/tweets", frozenset({"text", "media.media_ids"}),
    frozenset({"data", "errors"}), frozenset({"data.id"}),
)  # fmt: skip
READ = Surface(
    "read", "read", "GET", "/2/users/{id}", frozenset({"user.fields"}), uses=frozenset({"public_metrics"})
)
PICTURES = Surface("pictures", "publish", "POST", "/rest/images", frozenset({"initializeUploadRequest"}))
RECORD = Surface("record", "publish", "POST", "/xrpc/com.atproto.repo.putRecord")
HEARD = Surface("heard", "webhook", HOOK, "activity", uses=frozenset({"post.mention.create"}))
LIMITS = Surface(
    "limits",
    "publish",
    "GET",
    "/api/v2/instance",
    uses=frozenset({"configuration.statuses", "user", "user.id"}),
)
THREADS = Surface("threads", "poll", "GET", "/someservice/v3/threads", uses=frozenset({"nextPageToken"}))
ALL = (PUBLISH, READ, PICTURES, RECORD, HEARD, LIMITS, THREADS)
MINE = (Mine("u1", "v21.0"), Mine("u1", "v22.0"), Mine("u2", "v22.0"))


def names(kind: Kind = Kind.BREAKING, **more: Any) -> tuple[str, ...]:
    return touched(Said(**more), kind, ALL, MINE).surfaces


@pytest.mark.parametrize(("said", "wanted"), [
    ({"operations": ("POST /2/tweets",)}, ("publish",)),
    ({"operations": ("POST /2/tweets", "GET /users/:id")}, ("publish", "read")),
    ({"operations": ("GET /2/tweets/search/recent",)}, ()),
    ({"operations": ("POST /2/tweets",), "fields": ("media_ids",), "is_exact": True}, ("publish",)),
    ({"operations": ("POST /2/tweets",), "fields": ("card_uri",), "is_exact": True}, ()),
    ({"operations": ("POST /2/tweets",), "fields": ("card_uri",)}, ("publish",)),
    ({"operations": ("POST /2/tweets",), "fields": ("made_with_ai",), "is_exact": True,
      "text": "The field made_with_ai is required now."}, ("publish",)),
    ({"fields": ("public_metrics",)}, ("read",)),
    ({"fields": ("whatever",)}, ()),
    ({"text": "The POST /2/tweets endpoint will be slower."}, ("publish",)),
    ({"text": "See https://api.x.com/2/users/12 and/or others"}, ()),
    ({"text": "Call `GET /2/users/{id}` as before"}, ("read",)),
    ({"text": "posts and/or pictures"}, ()),
    ({"title": "The Images API"}, ("pictures",)),
    ({"title": "the image endpoint"}, ("pictures",)),
    ({"title": "Imagesque APIs"}, ()),
    ({"text": "com.atproto.repo.putRecord validates more."}, ("record",)),
    ({"text": "Send initializeUploadRequest with an owner."}, ("pictures",)),
    ({"text": "public_metrics loses a number"}, ("read",)),
    ({"text": "This text is about data and errors."}, ()),
    ({"operations": ("GET /2/users",), "text": "GET /2/users answers more"}, ("read",)),
    ({"text": "`GET /2/users` answers more"}, ("read",)),
    ({"operations": ("GET /2/users",), "is_exact": True}, ()),
    ({"operations": ("DELETE /2/users",)}, ()),
    ({"operations": ("POST /2/tweets",), "text": "Not GET /2/tweets"}, ("publish",)),
    ({"text": "A call of threads.list costs one more."}, ("threads",)),
    ({"text": "A call of threads.insert costs one more."}, ()),
    ({"operations": ("GET /2/spaces",), "text": "So does threads.list."}, ("threads",)),
    ({"operations": ("GET /2/spaces",), "text": "public_metrics of a space"}, ()),
    ({"fields": ("configuration.statuses.most",), "is_exact": True}, ("limits",)),
    ({"fields": ("configuration.statuses",), "is_exact": True}, ("limits",)),
    ({"fields": ("configuration.polls.most",), "is_exact": True}, ()),
    ({"fields": ("user.address",), "is_exact": True}, ()),
    ({}, ()),
])  # fmt: skip
def test_what_a_change_names_is_what_it_touches(said: dict[str, Any], wanted: tuple[str, ...]) -> None:
    assert names(**said) == wanted


@pytest.mark.parametrize(
    ("operations", "wanted"),
    [(("GET /2/users", "GET /2/users/{id}"), ("one",)), (("GET /2/users",), ("many",))],
)
def test_a_path_without_its_last_id_is_the_call_of_ours_that_has_none(
    operations: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    many, one = replace(READ, name="many", path="/2/users"), replace(READ, name="one")
    said = Said(operations=operations)
    found = touched(said, Kind.LIMIT, (many, one), MINE).surfaces
    assert set(wanted) <= set(found)
    assert ("one" in found) == ("GET /2/users/{id}" in operations)


def test_what_stands_behind_it_is_counted() -> None:
    assert touched(Said(operations=("POST /2/tweets",)), Kind.LIMIT, ALL, MINE) == Touching(
        ("publish",), 3, 2
    )
    assert touched(Said(operations=("POST /2/tweets",)), Kind.LIMIT, ALL, ()) == Touching(("publish",), 0, 0)


def test_a_version_concerns_those_who_use_it() -> None:
    everything = tuple(surface.name for surface in ALL)
    ending = Said(versions=("v21.0",), fields=("x",))
    assert touched(ending, Kind.DEPRECATION, ALL, MINE) == Touching(everything, 1, 1)
    assert touched(Said(versions=("22.0",)), Kind.BREAKING, ALL, MINE) == Touching(everything, 2, 2)
    assert not touched(Said(versions=("v20.0",)), Kind.BREAKING, ALL, MINE)
    assert not touched(Said(versions=("v22.0",)), Kind.NEW, ALL, MINE)
    other_call = Said(versions=("v22.0",), operations=("GET /ads",))
    assert not touched(other_call, Kind.BREAKING, ALL, MINE)


def test_an_outage_that_names_nothing_concerns_everything() -> None:
    assert len(names(Kind.OUTAGE, title="Major outage")) == len(ALL)
    assert names(Kind.OUTAGE, title="The Images API is down") == ("pictures",)


def test_a_person_says_what_it_touches() -> None:
    assert of_surfaces(["read", "publish"], ALL, MINE).surfaces == ("publish", "read")
    assert not of_surfaces([], ALL, MINE)
    with pytest.raises(KeyError, match="writing"):
        of_surfaces(["read", "writing"], ALL, MINE)


def test_only_a_named_call_of_ours_overrules_a_rule() -> None:
    assert names_a_call_of_ours(Said(operations=("POST /2/tweets",)), ALL)
    assert not names_a_call_of_ours(Said(title="The Images API"), ALL)


texts = st.text(max_size=300) | st.sampled_from(
    ["POST /2/tweets", "/" * 300, "a.b" * 200, "a_" * 300, "{<:" * 99]
)
said = st.builds(
    Said,
    title=texts,
    text=texts,
    operations=st.lists(texts | st.sampled_from([s.operation for s in ALL]), max_size=3).map(tuple),
    fields=st.lists(texts | st.sampled_from(["text", "media_ids"]), max_size=3).map(tuple),
    versions=st.lists(texts | st.just("v21.0"), max_size=3).map(tuple),
    is_exact=st.booleans(),
)


@given(said, st.sampled_from(Kind))
def test_what_is_touched_is_ours_and_counted_right(about: Said, kind: Kind) -> None:
    found = touched(about, kind, ALL, MINE)
    assert set(found.surfaces) <= {surface.name for surface in ALL}
    assert found.accounts <= len(MINE)
    assert found.units <= found.accounts
    assert bool(found) == (found.accounts > 0)


@given(said, said, st.sampled_from(Kind))
def test_two_sightings_touch_what_either_touches(one: Said, other: Said, kind: Kind) -> None:
    first, second = touched(one, kind, ALL, MINE), touched(other, kind, ALL, MINE)
    assert set(both(first, second).surfaces) == set(first.surfaces) | set(second.surfaces)
    assert both(first, second).accounts == both(second, first).accounts


@given(said)
def test_an_operation_of_ours_is_never_missed(about: Said) -> None:
    named = replace(about, operations=(*about.operations, "POST /2/tweets"), is_exact=False)
    assert "publish" in touched(named, Kind.BREAKING, ALL, MINE).surfaces
