"""Sources that turn into something that harms, over sockets, next to nine that work."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.http import HttpClient
from chalicelib.platform_changes.sources.reader import ChangedShape, reader
from tests.fakes.stage import Stage
from tests.platform_changes.conftest import Office
from tests.platform_changes.histories import hostile
from tests.platform_changes.histories.history import at, load, names
from tests.platform_changes.histories.replay import Watch, source_of

LOOKED_AT = [name for name in names() if not load(name).held_out]


@pytest.fixture
def office(stage: Stage) -> Office:
    """A company that was there before the histories begin."""
    stage.clock.set(at("2025-11-01"))
    return Office.create(stage)


@pytest.fixture
def bad_web() -> Iterator[hostile.Server]:
    with hostile.Server() as server:
        yield server


def test_bad_sources_harm_no_other_and_are_told_after_their_patience(
    office: Office, bad_web: hostile.Server
) -> None:
    """Over sockets: nine that work, and four that worked and then turn into something else."""
    good = [load(name) for name in LOOKED_AT if name != "status"][:9]
    turned = {name: replace(load("feed_rss"), name=name, url=bad_web.url(name)) for name in hostile.TURNS}
    histories = [*(replace(one, url=bad_web.url(one.name)) for one in good), *turned.values()]
    office.stage.clock.set(at("2026-05-01"))
    http = HttpClient(office.stage.clock, allowed_hosts=frozenset({bad_web.place}))
    sources = [source_of(one) for one in histories]
    watch = Watch(office, sources, http)
    for history in histories:
        watch.follow(history)
    bad_web.serve(watch.web)
    for source in sources:
        watch.look(source)
    assert watch.tracker.failing() == []

    for name in turned:
        bad_web.turn(name)
    bad = {source.key for source in sources[len(good) :]}
    for hours in (0, 24, 48):
        office.stage.clock.set(at("2026-10-25") + timedelta(hours=hours))
        for source in sources:
            watch.look(source)
        office.work()
    assert {state.key for state in watch.tracker.failing()} == bad
    for source in sources[: len(good)]:
        state = watch.changes.store.state(source.key)
        assert state.failing_since is None
        assert state.looked_at == office.now
    subjects = office.postbox.subjects(office.ops)
    told = [subject for subject in subjects if "We hear nothing new" in subject]
    assert len(told) == len(bad)
    assert all(any(source.name in subject for subject in told) for source in sources if source.key in bad)
    assert 0 < bad_web.most_sent < hostile.BIG  # nobody reads ten megabytes to the end


def test_a_source_that_works_again_is_told_once(office: Office, bad_web: hostile.Server) -> None:
    history = replace(load("feed_rss"), name="entities", url=bad_web.url("entities"))
    office.stage.clock.set(at("2026-05-01"))
    http = HttpClient(office.stage.clock, allowed_hosts=frozenset({bad_web.place}))
    source = source_of(history)
    watch = Watch(office, [source], http)
    watch.follow(history)
    bad_web.serve(watch.web)
    watch.look(source)
    before = len(watch.records("x"))
    bad_web.turn("entities")
    for _ in range(5):
        office.stage.clock.advance(hours=20)
        watch.look(source)
    bad_web.mend("entities")
    for _ in range(3):
        office.stage.clock.advance(hours=6)
        watch.look(source)
    office.work()
    subjects = office.postbox.subjects(office.ops)
    assert len([subject for subject in subjects if "hear of X again" in subject]) == 1
    assert watch.tracker.failing() == []
    assert len(watch.records("x")) >= before


@pytest.mark.parametrize("name", LOOKED_AT)
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_answer_that_was_cut_or_spoiled_is_refused_or_read(name: str, data: st.DataObject) -> None:
    history = load(name)
    body = bytearray(data.draw(st.sampled_from(history.looks)).body.encode())
    cut = data.draw(st.integers(0, len(body)))
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=8)):
        body[place] = data.draw(st.integers(0, 255))
    source = source_of(history)
    read = reader(source.kind)
    first = read.read(source, history.looks[0].body.encode(), history.content_type)
    try:
        snapshot = read.read(source, bytes(body[:cut]), history.content_type)
    except ChangedShape:
        return
    kept = json.loads(json.dumps(snapshot))
    read.compare(source, first, kept, history.looks[-1].at.date())
