"""Counters say what happened: once however often it is told, in any order, and without a look at messages."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.endpoint import parse_query
from chalicelib.core.errors import InvalidInput, NotAllowed
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change
from chalicelib.core.timetable import Timetable
from chalicelib.inbox.calendar import Calendar
from chalicelib.inbox.numbers import SHARDS
from chalicelib.inbox.numbers_report import Asked, Report
from chalicelib.inbox.numbers_views import NumbersQuery
from chalicelib.inbox.settings import Own
from chalicelib.inbox.targets import Targets
from chalicelib.org.model import Actor
from chalicelib.org.roles import Role
from tests.conftest import NOON
from tests.fakes.stage import Stage
from tests.inbox.clockwork import Clockwork

TODAY = NOON.date()


@pytest.fixture
def works(stage: Stage) -> Clockwork:
    return Clockwork.open(stage)


def report(works: Clockwork, actor: Actor | None = None, **asked: Any) -> Report:
    last = works.now.date() + timedelta(days=1)
    wanted = Asked(last - timedelta(days=7), last, **asked)
    return works.box.services.inbox_reports.of(actor or works.box.lead, wanted)


def counted(works: Clockwork, actor: Actor | None = None, **asked: Any) -> dict[str, int]:
    return {name: n for name, n in report(works, actor, **asked).totals.items() if n}


def test_a_message_and_its_answer_are_counted_of_unit_account_and_person(works: Clockwork) -> None:
    works.says()
    works.inbox.moves.assign(works.box.lead, works.id(), works.responder.person_id)
    assert counted(works, unit_id=works.district_id) == {"volume": 1}
    assert report(works).backlog == report(works, person_id=works.responder.person_id).backlog == 1

    works.passes(hours=2)
    works.says(own=True)
    answered = {"answered": 1, "in_time": 1, "resolved": 1, "resolved_in_time": 1}
    everything = {"volume": 1, **answered}
    assert counted(works) == counted(works, unit_id=works.district_id) == everything
    assert counted(works, unit_id=works.box.unit_id) == everything
    assert counted(works, account_id=works.account.account_id) == everything
    assert counted(works, person_id=works.responder.person_id) == answered
    assert counted(works, person_id=works.box.lead.person_id) == {}
    assert report(works, unit_id=works.district_id).backlog == 0
    assert report(works, account_id=works.account.account_id).backlog == 0
    assert report(works, person_id=works.responder.person_id).backlog == 0


def test_what_is_told_again_is_not_counted_again(works: Clockwork) -> None:
    asked, answer = works.event(), works.event(own=True, happened_at=works.now + timedelta(minutes=1))
    works.box.stage.clock.advance(minutes=2)
    for event in (asked, answer, asked, answer, asked):
        works.take(event)
    assert counted(works) == {"volume": 1, "answered": 1, "in_time": 1, "resolved": 1, "resolved_in_time": 1}
    assert report(works).backlog == 0


def test_an_answer_that_is_told_before_the_question_counts_the_same(works: Clockwork) -> None:
    asked, answer = works.event(), works.event(own=True, happened_at=works.now + timedelta(hours=25))
    works.box.stage.clock.advance(hours=26)
    works.take(answer)
    works.take(asked)
    totals = counted(works)
    assert (totals["volume"], totals["answered"], totals["breached"]) == (1, 1, 1)
    assert "in_time" not in totals
    assert report(works).backlog == 0


def test_a_breach_that_turns_out_to_be_none_is_taken_back(works: Clockwork) -> None:
    answered_at = works.now + timedelta(hours=3)
    works.says()
    works.runs(hours=24.5)
    assert counted(works)["breached"] == 1
    works.says(own=True, happened_at=answered_at)
    totals = counted(works)
    assert "breached" not in totals
    assert (totals["answered"], totals["in_time"]) == (1, 1)


def test_a_breach_counts_once_whether_it_was_told_before_the_answer_or_not(works: Clockwork) -> None:
    works.says()
    works.runs(hours=30)
    works.says(own=True)
    works.says("other", happened_at=works.now - timedelta(hours=30))
    works.says("other", own=True)
    totals = counted(works)
    assert (totals["breached"], totals["answered"], totals["resolved"]) == (2, 2, 2)
    assert "in_time" not in totals
    assert "resolved_in_time" not in totals


def test_closing_settles_without_an_answer_and_the_backlog_follows_every_move(works: Clockwork) -> None:
    moves, lead = works.inbox.moves, works.box.lead
    account: dict[str, Any] = {"account_id": works.account.account_id}
    works.says()
    steps: list[tuple[Callable[[], Any], int]] = [
        (lambda: moves.wait(lead, works.id(), "customer", "x"), 0),
        (lambda: moves.assign(lead, works.id(), works.responder.person_id), 1),
        (lambda: moves.escalate(lead, works.id(), "x"), 1),
        (lambda: moves.close(lead, works.id(), "x"), 0),
        (lambda: moves.reopen(lead, works.id()), 1),
        (lambda: moves.ignore(lead, works.id(), "x"), 0),
    ]
    for move, backlog in steps:
        works.box.stage.clock.advance(seconds=1)
        move()
        assert report(works, **account).backlog == backlog
        assert report(works, unit_id=works.district_id).backlog == backlog
    assert report(works, person_id=works.responder.person_id).backlog == 0
    assert counted(works) == {"volume": 1, "resolved": 1, "resolved_in_time": 1}
    assert counted(works, person_id=lead.person_id)["resolved"] == 1


def test_days_and_hours_are_those_of_the_units_zone(works: Clockwork) -> None:
    works.set(Own(calendar=Calendar("Asia/Tehran")))
    works.says(happened_at=datetime(2026, 11, 22, 20, 45, tzinfo=UTC))  # 00:15 of the 23rd there
    found = report(works, unit_id=works.district_id)
    assert {day: n["volume"] for day, n in found.days.items() if n} == {"2026-11-23": 1}
    assert {hour: n["volume"] for hour, n in found.hours.items() if n} == {0: 1}
    assert {unit: n["volume"] for unit, n in found.units.items()} == {works.district_id: 1}


def test_only_the_days_that_were_asked_for_count(works: Clockwork) -> None:
    works.says()
    works.box.stage.clock.advance(days=3)
    works.says("other")
    reports, lead = works.box.services.inbox_reports, works.box.lead
    for first, last, volume in ((0, 0, 1), (1, 2, 0), (3, 3, 1), (0, 3, 2)):
        asked = Asked(TODAY + timedelta(days=first), TODAY + timedelta(days=last))
        found = reports.of(lead, asked)
        assert found.totals["volume"] == volume
        assert len(found.days) == last - first + 1


def test_the_oldest_is_found_by_the_listing_alone(works: Clockwork) -> None:
    works.says("young")
    works.says("old", happened_at=works.now - timedelta(hours=7))
    everywhere: list[dict[str, Any]] = [
        {}, {"unit_id": works.district_id}, {"account_id": works.account.account_id}
    ]  # fmt: skip
    for asked in everywhere:
        oldest = report(works, **asked).oldest
        assert oldest is not None
        assert (oldest.conversation_id, oldest.waits_for) == (works.id("old"), timedelta(hours=7))
    works.box.stage.clock.advance(seconds=1)
    works.says("old", own=True)
    works.says("young", own=True)
    assert report(works).oldest is None


# Who may see what


def test_everybody_sees_the_numbers_of_their_own_units_and_no_others(works: Clockwork) -> None:
    works.says()
    stranger = works.join("Obcy", Role.AUTHOR)
    responder = works.responder
    assert counted(works, responder) == counted(works, responder, unit_id=works.district_id) == {"volume": 1}
    assert counted(works, responder, account_id=works.account.account_id) == {"volume": 1}
    with pytest.raises(NotAllowed):
        report(works, responder, unit_id=works.box.unit_id)
    with pytest.raises(NotAllowed):
        report(works, stranger, account_id=works.account.account_id)
    assert counted(works, stranger) == {}


def test_a_persons_numbers_are_theirs_and_those_units_managers(works: Clockwork) -> None:
    works.says()
    works.inbox.moves.close(works.responder, works.id())
    person = works.responder.person_id
    stranger = works.join("Obcy", Role.AUTHOR)
    assert counted(works, works.responder, person_id=person)["resolved"] == 1
    assert counted(works, works.manager, person_id=person, unit_id=works.district_id)["resolved"] == 1
    assert counted(works, stranger, person_id=person) == {}


# What is asked


def asked(**query: str) -> Asked:
    read: NumbersQuery = parse_query(NumbersQuery, {name: [value] for name, value in query.items()}, "")
    return read.asked(TODAY)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"from": "yesterday", "to": "2026-13-01"}, {"from", "to"}),
        ({"from": "2026-11-24", "to": "2026-11-23"}, {"from"}),
        ({"from": "2026-01-01", "to": "2026-11-23"}, {"from"}),
        ({"account": "a", "unit": "u", "from": "x"}, {"account", "from"}),
        ({"account": "a", "person": "p"}, {"account"}),
        ({"unit": "\x00"}, {"unit"}),
        ({"person": "ż", "account": ""}, {"person", "account"}),
        ({"to": "0001-01-01"}, {"to"}),
    ],
)
def test_every_problem_of_a_question_is_told_at_once(query: dict[str, str], fields: set[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        asked(**query)
    assert {p.field for p in refused.value.problems} == fields


def test_without_dates_it_is_the_last_seven_days() -> None:
    assert asked() == Asked(TODAY - timedelta(days=6), TODAY)


def test_days_and_what_they_are_of_are_taken_as_they_are_asked() -> None:
    assert asked(**{"from": "2026-09-01", "to": "2026-12-01", "unit": "u", "person": "p"}) == Asked(
        date(2026, 9, 1), date(2026, 12, 1), unit_id="u", person_id="p"
    )
    assert asked(account="a").account_id == "a"


# Rows


def test_no_row_is_touched_twice_by_a_change_and_a_unit_has_only_so_many(works: Clockwork) -> None:
    numbers = works.box.services.inbox_numbers
    seen = set()
    for _ in range(60):
        change = works.box.services.kernel.change(BY_JOB)
        for metric in ("volume", "reactions", "volume", "shares"):
            numbers.count(change, works.district_id, "acc", works.now, "p1", **{metric: 2})
        keys = [tuple(w.item_or_key.values()) for w in change.writes]
        assert len(keys) == len(set(keys)) == 3
        assert all(w.update and sorted(w.update.values.values()) == [2, 2, 4] for w in change.writes)
        seen |= {key for key in keys if "unit" in key[0]}
    assert 1 < len(seen) <= SHARDS


def test_a_metric_that_is_not_one_is_refused(works: Clockwork) -> None:
    change = works.box.services.kernel.change(BY_JOB)
    with pytest.raises(KeyError, match="backlog"):
        works.box.services.inbox_numbers.count(change, works.district_id, "acc", works.now, backlog=1)


counts = st.lists(
    st.tuples(st.sampled_from(["volume", "shares"]), st.integers(-3, 3), st.integers(0, 50)), max_size=12
)


@given(counts)
def test_counts_of_a_change_add_up_in_any_order(made: list[tuple[str, int, int]]) -> None:
    from chalicelib.inbox.numbers import Numbers
    from chalicelib.inbox.settings import Settled

    class Plain:
        def of(self, unit_id: str) -> Settled:
            return Settled(Targets(), Calendar("Europe/Warsaw"))

    def sums(order: list[tuple[str, int, int]]) -> dict[tuple[str, ...], int]:
        change = Change(BY_JOB, NOON, Timetable(None), {})  # type: ignore[arg-type]
        change.change_id = "c"
        for metric, n, hours in order:
            Numbers(None, Plain()).count(  # type: ignore[arg-type]
                change, "u", "a", NOON + timedelta(hours=hours), None, **{metric: n}
            )
        found: dict[tuple[str, ...], int] = {}
        for write in change.writes:
            assert write.update is not None
            for name, n in write.update.values.items():
                key = (*write.item_or_key.values(), name)
                assert key not in found
                found[key] = n
        return {key: n for key, n in found.items() if n}

    shuffled = sorted(made, key=str)
    assert sums(made) == sums(shuffled)
    total = sum(n for _, n, _ in made)
    assert sum(n for key, n in sums(made).items() if "unit" in key[0]) == total
