"""Recorded histories of each kind of source, replayed by the clock through the real tracker and register.

histories/ says what was planted in each. What is wanted: all that breaks something is found, and fewer than
one record in twenty says nothing.
"""

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from chalicelib.platform_changes.model import SourceKind
from chalicelib.platform_changes.sources.catalogue import sources
from chalicelib.platform_changes.sources.reader import reader
from chalicelib.platform_changes.sources.versions import rows
from tests.platform_changes.histories.history import HERE, load, names
from tests.platform_changes.histories.make import make
from tests.platform_changes.histories.replay import Score, measured, source_of
from tests.platform_changes.histories.versions import version_rows

ALL = names()
LOOKED_AT = [name for name in ALL if not load(name).held_out]
MOST_FALSE = 0.05
Scores = Callable[[str], Score]


@pytest.fixture(scope="module")
def scores(moto_cloud: None) -> Scores:
    """The score of a history, which is replayed when it is first asked for."""
    return cache(lambda name: measured(load(name)))


# ---- the histories themselves


def test_every_kind_of_source_has_a_history() -> None:
    assert {load(name).kind for name in ALL} == {str(kind) for kind in SourceKind}


@pytest.mark.parametrize("name", ALL)
def test_a_history_is_long_and_some_of_it_is_only_noise(name: str) -> None:
    history = load(name)
    bodies = [look.body for look in history.looks]
    told = {planted.look for planted in history.planted}
    assert len(bodies) >= 10
    assert len(set(bodies)) >= 8
    assert len([n for n in range(2, len(bodies) + 1) if n not in told]) >= 1


def test_the_histories_are_what_their_maker_makes(tmp_path: Path) -> None:
    make(tmp_path)
    assert names(tmp_path) == ALL
    for name in ALL:
        assert load(name, tmp_path) == load(name)


def test_the_histories_are_small() -> None:
    assert sum(path.stat().st_size for path in HERE.glob("*/*.*")) < 500_000


def test_a_history_is_read_as_the_catalogue_reads_that_source() -> None:
    """Its options are the catalogue's: with others, a replay says nothing of what we ship."""
    known = {(source.url, str(source.kind)): dict(source.options or {}) for source in sources().values()}
    histories = [history for history in map(load, ALL) if (history.url, history.kind) in known]
    assert len(histories) >= 8
    for history in histories:
        assert dict(history.options) == known[history.url, history.kind], history.name


# ---- what was planted is found


@pytest.mark.parametrize("name", ALL)
def test_whatever_breaks_something_is_found(scores: Scores, name: str) -> None:
    missed = [f"{planted.look}: {planted.what}" for planted in scores(name).missed if planted.is_breaking]
    assert not missed


@pytest.mark.parametrize("name", LOOKED_AT)
def test_whatever_was_planted_is_found(scores: Scores, name: str) -> None:
    assert not [f"{planted.look}: {planted.what}" for planted in scores(name).missed]


@pytest.mark.parametrize("name", LOOKED_AT)
def test_what_breaks_something_is_called_so(scores: Scores, name: str) -> None:
    assert not [f"{planted.look}: {planted.what}" for planted in scores(name).quiet]


@pytest.mark.parametrize("name", LOOKED_AT)
def test_the_day_of_a_change_is_the_one_that_its_source_states(scores: Scores, name: str) -> None:
    wrong = scores(name).wrong_day
    assert not [
        f"{p.look}: {p.what}: {p.effective_on or 'none'}, and not {day or 'none'}" for p, day in wrong
    ]


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_change_touches_us_when_our_code_makes_the_call(scores: Scores, name: str) -> None:
    assert not [f"{planted.look}: {planted.what}: {by}" for planted, by in scores(name).wrong_touching]


def test_a_table_of_versions_is_read_with_its_days_however_they_are_written() -> None:
    history = load("versions")
    source = source_of(history)
    for number, look in enumerate(history.looks, 1):
        snapshot = reader(source.kind).read(source, look.body.encode(), history.content_type)
        found = {row.version: (row.released_on, row.ends_on) for row in rows(snapshot)}
        wanted = {version: (_day(on), _day(ends)) for version, on, ends in version_rows(number)}
        assert found == wanted, number


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize("held_out", [False, True])
def test_few_records_say_nothing(scores: Scores, held_out: bool) -> None:
    chosen = [scores(name) for name in ALL if load(name).held_out == held_out]
    false = [f"{one.history.name} {told.look}: {told.finding.title}" for one in chosen for told in one.false]
    assert len(false) < MOST_FALSE * sum(one.records for one in chosen), false
